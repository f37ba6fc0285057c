"""Every request to PayPal, checked against PayPal's own description of its API before it is sent."""

import json
from functools import cache
from pathlib import Path

import httpx
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

_FOLDER = Path(__file__).parent / "paypal_api"
_HOST = "https://api-m.paypal.com"
_DESCRIPTIONS = {
    "/v2/payments/": "payments_payment_v2.json",
    "/v2/checkout/orders": "checkout_orders_v2.json",
    "/v1/reporting/": "reporting_transactions_v1.json",
    "/v1/notifications/": "notifications_webhooks_v1.json",
}


class Described(httpx.AsyncBaseTransport):
    """Sends what the description allows; raises its error for what it does not. Counts what was checked."""

    def __init__(self) -> None:
        self._network = httpx.AsyncHTTPTransport()
        self.checked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/paypal")
        if not path.startswith("/v1/oauth2/"):
            (name,) = [name for start, name in _DESCRIPTIONS.items() if path.startswith(start)]
            _description(name).validate_request(_asked(request, path))
            self.checked += 1
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()


@cache
def _description(name: str) -> OpenAPI:
    return OpenAPI.from_dict(json.loads((_FOLDER / name).read_text()))


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
