"""The codec server: the Temporal UI and the `temporal` command read encrypted cases through it.

It speaks Temporal's remote codec protocol: `POST /encode` and `/decode` with `Payloads` as JSON. It holds the
keys and answers whoever may ask it, so it listens on this machine only, or wants a token.
"""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.json_format import MessageToDict, Parse, ParseError
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads

from models.encryption import SETTING, EncryptionCodec, KeyMissing, read_keys
from models.failures import InvalidInput, Problem
from models.network import is_loopback
from models.settings import Settings
from starter.ops.guarded_server import Limits, body_of, serve_guarded
from starter.ops.ports import PortUse

HTTP_PORT: Final = 8253
UI_ORIGINS: Final = ("http://127.0.0.1:8233", "http://localhost:8233")
"""Where the local Temporal UI is opened in a browser."""
LONGEST_BODY: Final = 32 * 1024 * 1024
"""Bytes; a page of a history stays far below."""

_ANSWER_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_LIMITS: Final = Limits(request_seconds=60.0)

_HEADERS: Final = ("content-type", "x-namespace", "authorization")

Convert = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


@dataclass(frozen=True)
class CodecServer:
    """What answers `/encode` and `/decode`; every other way to ask is refused."""

    codec: EncryptionCodec
    token: SecretStr | None

    async def encode(self, request: Request) -> Response:
        return await self._converted(request, self.codec.encode)

    async def decode(self, request: Request) -> Response:
        return await self._converted(request, self.codec.decode)

    async def _converted(self, request: Request, convert: Convert) -> Response:
        if not self._may_ask(request):
            return PlainTextResponse("wrong or no token", 401, {"WWW-Authenticate": "Bearer"})
        body = await body_of(request, LONGEST_BODY)
        if body is None:
            return PlainTextResponse(f"more than {LONGEST_BODY} bytes", 413)
        try:
            payloads = Parse(body, Payloads(), ignore_unknown_fields=True).payloads
        except (ParseError, UnicodeDecodeError):
            # The parser's own words quote what was sent.
            return PlainTextResponse('this is not {"payloads": [...]} in JSON', 400)
        try:
            converted = await convert(payloads)
        except KeyMissing as error:
            return PlainTextResponse(str(error), 422)
        return JSONResponse(MessageToDict(Payloads(payloads=converted)), headers={"Cache-Control": "no-store"})

    def _may_ask(self, request: Request) -> bool:
        if self.token is None:
            return True
        given = request.headers.get("authorization", "")
        wanted = f"Bearer {self.token.get_secret_value()}"
        return hmac.compare_digest(given.encode(), wanted.encode())


def create_app(settings: Settings, ui_origins: Sequence[str] = UI_ORIGINS) -> Starlette:
    """The application: `POST /encode`, `POST /decode`, `GET /health`. Raises InvalidInput without keys.

    A browser lets only pages of `ui_origins` read the answers. Without a token, requests must name this
    machine as their host, so that no foreign page can pose as it.
    """
    if settings.payload_keys is None:
        raise InvalidInput("settings", [Problem(SETTING, "is not set: nothing is encrypted, nothing to decode")])
    keys = read_keys(settings.payload_keys.get_secret_value())
    server = CodecServer(EncryptionCodec(keys), settings.codec_token)
    middleware = [
        Middleware(
            CORSMiddleware, allow_origins=list(ui_origins), allow_methods=["POST"], allow_headers=list(_HEADERS)
        )
    ]
    if settings.codec_token is None:
        middleware.append(Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"]))
    return Starlette(
        routes=[
            Route("/encode", server.encode, methods=["POST"]),
            Route("/decode", server.decode, methods=["POST"]),
            Route("/health", _health, methods=["GET"]),
        ],
        middleware=middleware,
    )


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok")


async def serve(
    settings: Settings, host: str = "127.0.0.1", port: int = HTTP_PORT, ui_origins: Sequence[str] = UI_ORIGINS
) -> None:
    """Serve until cancelled.

    Raises Conflict when the port is in use, InvalidInput without keys, or when others than this machine
    could ask and there is no token.
    """
    app = create_app(settings, ui_origins)
    if settings.codec_token is None and not is_loopback(host):
        raise InvalidInput(
            "codec server",
            [Problem("BACKHAUL_CODEC_TOKEN", f"is not set, and {host} may be reached from other machines")],
        )
    use = PortUse(port, "the codec server", "it with --port")
    await serve_guarded(app, host, use, _ANSWER_HEADERS, _LIMITS)
