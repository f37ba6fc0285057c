"""Serving pages that strangers reach: nobody's connections keep others out, and every answer carries its headers.

uvicorn lets a connection that says nothing stay, and reads a request however slowly it comes. Here each address,
and all together, have so many places; when they are taken, the one that waits longest for its request gives way.
A request that is being answered is never cut.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import h11
import structlog
import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from starter.ops.ports import PortUse, require_free

LONGEST_HEADERS: Final = 16 * 1024

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Limits:
    """`connections` in all and `per_address`; `request_seconds`: until a request is here, its body included."""

    connections: int = 500
    per_address: int = 50
    request_seconds: float = 10.0


class WithHeaders:
    """The application, with these headers on every answer, errors too; its own win."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = encoded(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", [])
                named = {name.lower() for name, _ in own}
                missing = [(name, value) for name, value in self._headers if name not in named]
                message = {**message, "headers": [*own, *missing]}
            await send(message)

        await self._app(scope, receive, with_headers)


def encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """As they go over the wire."""
    return [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


async def serve_guarded(
    app: ASGIApp, host: str, use: PortUse, headers: Mapping[str, str], limits: Limits | None = None
) -> None:
    """Serve until cancelled. `headers` stand on what the application never sees, too.

    Raises Conflict when the port is in use.
    """
    require_free(host, [use])
    server = _Embedded(
        uvicorn.Config(
            WithHeaders(app, headers),
            host=host,
            port=use.port,
            http=_guarded(_Places(limits or Limits()), encoded(headers)),
            h11_max_incomplete_event_size=LONGEST_HEADERS,
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,  # a link in a log would be a key left in the door
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
    serving = asyncio.create_task(server.serve())
    log.info(f"{use.purpose} is up", host=host, port=use.port)
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
        log.info(f"{use.purpose} is down")


class _Embedded(uvicorn.Server):
    """Leaves signals to the program that it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Places:
    """The connections that are open, the oldest first."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._open: dict[_Guarded, None] = {}

    def enter(self, connection: "_Guarded") -> None:
        """Take a place; where none is left, the one that waits longest for a request gives way, else this one."""
        of_address = [other for other in self._open if other.address == connection.address]
        self._open[connection] = None
        if len(of_address) >= self.limits.per_address:
            self._make_room(of_address, connection)
        elif len(self._open) > self.limits.connections:
            self._make_room(list(self._open), connection)

    def leave(self, connection: "_Guarded") -> None:
        self._open.pop(connection, None)

    def _make_room(self, candidates: list["_Guarded"], newest: "_Guarded") -> None:
        next((other for other in candidates if other.waits_for_request), newest).cut()


class _Guarded(H11Protocol):
    """One connection, with a clock for the time until its request is here."""

    places: _Places
    error_headers: list[tuple[bytes, bytes]]
    clock: asyncio.TimerHandle | None = None

    @property
    def address(self) -> str | None:
        return self.client[0] if self.client else None

    @property
    def waits_for_request(self) -> bool:
        """Whether nothing is being answered: no request yet, a part of one, or none after the last answer."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def cut(self) -> None:
        """End it without an answer."""
        self.places.leave(self)
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_clock()
        self.places.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.places.leave(self)
        self._stop_clock()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._start_clock()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP never reaches the application."""
        headers = [*self.error_headers, (b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        answer = (
            h11.Response(status_code=400, headers=headers),
            h11.Data(msg.encode("ascii")),
            h11.EndOfMessage(),
        )
        try:
            for event in answer:
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:  # an answer was under way
            self.transport.abort()
        self.transport.close()

    def _start_clock(self) -> None:
        self._stop_clock()
        self.clock = self.loop.call_later(self.places.limits.request_seconds, self._is_late)

    def _stop_clock(self) -> None:
        if self.clock is not None:
            self.clock.cancel()
            self.clock = None

    def _is_late(self) -> None:
        if self.waits_for_request:
            self.cut()


def _guarded(places_of_server: _Places, headers: list[tuple[bytes, bytes]]) -> type[H11Protocol]:
    """uvicorn makes its protocols by their class: one for each server."""

    class Guarded(_Guarded):
        places = places_of_server
        error_headers = headers

    return Guarded


async def body_of(request: Request, longest: int) -> bytes | None:
    """What was sent, as it came; none if it is more than `longest` bytes, of which no more is read."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest:
            return None
    return bytes(body)
