"""Serving the page until somebody stops it."""

import asyncio
import contextlib
from collections.abc import Iterator

import structlog
import uvicorn
from temporalio.client import Client

from models.settings import Settings
from starter.front.page import create_app
from starter.ops.ports import PortUse, require_free

HTTP_PORT = 8252

log = structlog.get_logger(__name__)


class _Embedded(uvicorn.Server):
    """Leaves signals to the program that it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(client: Client, settings: Settings, host: str = "127.0.0.1", port: int = HTTP_PORT) -> None:
    """Serve until cancelled. Raises Conflict when the port is in use."""
    require_free(host, [PortUse(port, "the page of the suppliers' links", "it with --port")])
    server = _Embedded(
        uvicorn.Config(
            create_app(client, settings),
            host=host,
            port=port,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,  # a link in a log would be a key left in the door
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
    serving = asyncio.create_task(server.serve())
    log.info("page of the suppliers' links is up", host=host, port=port)
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
        log.info("page of the suppliers' links is down")
