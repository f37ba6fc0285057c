"""Listening: one HTTP port for gateway, suppliers, shop and pages, one SMTP port for mail."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from models.failures import Conflict, InvalidInput, Problem
from starter.sandbox.amazon.partner import Amazon
from starter.sandbox.authorize_net import AuthorizeNet
from starter.sandbox.control import Control
from starter.sandbox.gateway import Gateway
from starter.sandbox.pages import Pages
from starter.sandbox.partners import Partners
from starter.sandbox.paypal import PayPal
from starter.sandbox.shop import Shop
from starter.sandbox.store import Store
from starter.sandbox.suppliers import SupplierNetwork
from starter.sandbox.wire import Wire, Work

HTTP_PORT = 8250
SMTP_PORT = 8251
DATABASE = Path(".backhaul/sandbox.db")

log = structlog.get_logger()


class PortInUse(Conflict):
    """Another program listens on a port that the sandbox needs."""

    def __init__(self, host: str, port: int, what: str) -> None:
        self.port = port
        super().__init__(
            f"port {port} on {host}, for the sandbox's {what}, is in use: end the program that holds it "
            "(another sandbox?) or choose another port"
        )


@dataclass(frozen=True)
class RunningSandbox:
    """Where a sandbox listens."""

    http_url: str
    smtp_host: str
    smtp_port: int

    @property
    def gateway_url(self) -> str:
        return f"{self.http_url}/stripe"

    @property
    def paypal_url(self) -> str:
        return f"{self.http_url}/paypal"

    @property
    def authorize_net_url(self) -> str:
        return f"{self.http_url}/authorize_net"

    @property
    def amazon_url(self) -> str:
        return f"{self.http_url}/amazon"

    @property
    def supplier_url(self) -> str:
        return f"{self.http_url}/supplier"

    @property
    def shop_url(self) -> str:
        return f"{self.http_url}/shop"


class _Protocol(H11Protocol):
    """Lets a fault reach the connection, to cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Embedded(uvicorn.Server):
    """Leaves signals to the program that it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def application(partners: Partners, smtp_port: int) -> Starlette:
    """All that is served over HTTP."""
    wire = Wire(partners.store, partners.faults)
    return Starlette(
        routes=[
            *Pages(partners, smtp_port).routes(),
            Mount("/stripe", routes=_partner_routes(wire, partners.gateway)),
            Mount("/paypal", routes=_partner_routes(wire, partners.paypal)),
            Mount("/authorize_net", routes=_partner_routes(wire, partners.authorize_net)),
            Mount("/amazon", routes=_partner_routes(wire, partners.amazon)),
            Mount("/supplier", routes=_partner_routes(wire, partners.suppliers)),
            Mount("/shop", routes=_partner_routes(wire, partners.shop)),
            Mount("/sandbox", routes=Control(partners).routes()),
        ]
    )


HttpPartner = Gateway | PayPal | AuthorizeNet | Amazon | SupplierNetwork | Shop


def _partner_routes(wire: Wire, partner: HttpPartner) -> list[Route]:
    def endpoint(work: Work) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            return await wire.play(partner, work, request)

        return answer

    routes = [Route(path, endpoint(work), methods=[method]) for method, path, work in partner.routes()]
    anything = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return [*routes, Route("/{path:path}", endpoint(partner.unknown), methods=anything)]


@contextlib.asynccontextmanager
async def running_sandbox(
    host: str = "127.0.0.1", http_port: int = 0, smtp_port: int = 0, database: Path = DATABASE
) -> AsyncIterator[RunningSandbox]:
    """A sandbox that listens as long as the block lasts. Port 0: any free one.

    Raises PortInUse, or InvalidInput for an address that can't be listened on.
    """
    with contextlib.ExitStack() as stack:
        http = stack.enter_context(_listen(host, http_port, "HTTP"))
        smtp = stack.enter_context(_listen(host, smtp_port, "SMTP"))
        store = stack.enter_context(contextlib.closing(Store(database)))
        running = RunningSandbox(
            http_url=f"http://{f'[{host}]' if ':' in host else host}:{http.getsockname()[1]}",
            smtp_host=host,
            smtp_port=smtp.getsockname()[1],
        )
        partners = Partners(store)
        mail = await asyncio.get_running_loop().create_server(partners.mail.protocol, sock=smtp)
        server = _Embedded(
            uvicorn.Config(
                application(partners, running.smtp_port),
                http=_Protocol,
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[http]))
        log.info("sandbox is up", http=running.http_url, smtp_port=running.smtp_port)
        try:
            async with partners.webhooks.sending():
                yield running
        finally:
            server.should_exit = True
            mail.close()
            partners.mail.hang_up()
            await serving
            log.info("sandbox is down")


async def serve(
    host: str = "127.0.0.1",
    http_port: int = HTTP_PORT,
    smtp_port: int = SMTP_PORT,
    database: Path = DATABASE,
) -> None:
    """Run the sandbox until cancelled. Raises PortInUse or InvalidInput."""
    async with running_sandbox(host, http_port, smtp_port, database):
        await asyncio.Event().wait()


def _listen(host: str, port: int, what: str) -> socket.socket:
    """Listening from here on, so that nobody has to wait for the server to come up."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port, what) from None
        problem = Problem(f"{what.lower()}_port", f"can't listen on {host} port {port}: {error.strerror or error}")
        raise InvalidInput("sandbox", [problem]) from None
    return listener
