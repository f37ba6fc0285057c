"""Serving the page until somebody stops it."""

from typing import Final

from temporalio.client import Client

from models.failures import InvalidInput, Problem
from models.network import is_loopback
from models.settings import SECRET_WANTED, Settings
from starter.front.page import create_app, security_headers
from starter.ops.guarded_server import Limits, serve_guarded
from starter.ops.ports import PortUse

HTTP_PORT: Final = 8252


async def serve(
    client: Client,
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = HTTP_PORT,
    limits: Limits | None = None,
) -> None:
    """Serve until cancelled.

    Raises Conflict when the port is in use, InvalidInput when others than this machine reach the page and the
    secret of its links can be guessed.
    """
    if not is_loopback(host) and not settings.front_secrets_fit_for_others:
        why = f"signs the links of a page that others reach at {host}: {SECRET_WANTED}"
        raise InvalidInput("settings", [Problem("BACKHAUL_FRONT_SECRET", why)])
    use = PortUse(port, "the page of the suppliers' links", "it with --port")
    await serve_guarded(create_app(client, settings), host, use, security_headers(settings), limits)
