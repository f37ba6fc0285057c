"""Every request to Amazon and every answer, checked against Amazon's own descriptions of its API (Swagger 2, which
is read here as OpenAPI 3)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

_FOLDER = Path(__file__).parent / "amazon_api"
_HOST = "https://sellingpartnerapi-na.amazon.com"
_DESCRIPTIONS = {
    "/feeds/": "feeds_2021-06-30.json",
    "/reports/": "reports_2021-06-30.json",
    "/orders/": "orders_2026-01-01.json",
}
_OF_SCHEMA = (
    "type",
    "format",
    "items",
    "enum",
    "minItems",
    "maxItems",
    "maximum",
    "minimum",
    "default",
    "pattern",
)


class Described(httpx.AsyncBaseTransport):
    """Sends what the description allows, and gives what it allows; raises its error for what it does not. Counts
    what was checked, and keeps the headers of what was sent."""

    def __init__(self) -> None:
        self._network = httpx.AsyncHTTPTransport()
        self.checked = 0
        self.sent: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        path = request.url.path.removeprefix("/amazon")
        named = [name for start, name in _DESCRIPTIONS.items() if path.startswith(start)]
        answer = await self._network.handle_async_request(request)
        if named:
            content = await answer.aread()
            asked = _asked(request, path)
            told = MockResponse(content, answer.status_code, content_type="application/json")
            description(named[0]).validate_request(asked)
            description(named[0]).validate_response(asked, told)
            self.checked += 1
        return answer

    async def aclose(self) -> None:
        await self._network.aclose()


@cache
def description(name: str) -> OpenAPI:
    return OpenAPI.from_dict(_as_openapi_3(json.loads((_FOLDER / name).read_text())))


def _as_openapi_3(swagger: dict[str, Any]) -> dict[str, Any]:
    paths = {
        path: {method: _operation(told) for method, told in methods.items() if method != "parameters"}
        for path, methods in swagger["paths"].items()
    }
    whole = {
        "openapi": "3.0.3",
        "info": swagger["info"],
        "servers": [{"url": _HOST}],
        "paths": paths,
        "components": {"schemas": swagger["definitions"]},
    }
    read: dict[str, Any] = json.loads(json.dumps(whole).replace("#/definitions/", "#/components/schemas/"))
    return read


def _operation(told: dict[str, Any]) -> dict[str, Any]:
    parameters = told.get("parameters", [])
    found: dict[str, Any] = {
        "parameters": [_parameter(one) for one in parameters if one["in"] != "body"],
        "responses": {status: _response(one) for status, one in told["responses"].items()},
    }
    for body in (one for one in parameters if one["in"] == "body"):
        content = {"application/json": {"schema": body["schema"]}}
        found["requestBody"] = {"required": body.get("required", False), "content": content}
    return found


def _parameter(told: dict[str, Any]) -> dict[str, Any]:
    schema = {name: told[name] for name in _OF_SCHEMA if name in told}
    found = {"name": told["name"], "in": told["in"], "required": told.get("required", False), "schema": schema}
    return {**found, "style": "form", "explode": False} if told.get("type") == "array" else found


def _response(told: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": told["schema"]}} if "schema" in told else {}
    return {"description": told.get("description", ""), "content": content}


def _asked(request: httpx.Request, path: str) -> MockRequest:
    return MockRequest(
        _HOST,
        request.method.lower(),
        path,
        args=dict(request.url.params),
        headers=dict(request.headers),
        data=request.content or None,
        content_type=request.headers.get("content-type", ""),
    )
