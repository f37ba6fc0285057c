"""What the connections of one kind share in a process: HTTP clients, and how much is asked of each host."""

import ssl
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx

from activities.connectors.bulkhead import Bulkhead, Limits
from models.settings import Settings

KEPT_ALIVE: Final = 50
"""Idle connections that are kept for the next call."""


class HttpClients:
    """Calls go through one pool, whatever connection they are for: a key that changes needs no new client.

    `transport`: in place of the network, for tests.
    """

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.settings = settings
        self._transport = transport
        self._clients: dict[bool, httpx.AsyncClient] = {}
        self._bulkheads: dict[tuple[str, str, int | None], Bulkhead] = {}

    def of(self, url: httpx.URL) -> httpx.AsyncClient:
        """The client for this address."""
        encrypted = url.scheme == "https"
        if encrypted not in self._clients:
            self._clients[encrypted] = httpx.AsyncClient(
                timeout=self.settings.partner_timeout_seconds,
                transport=self._transport,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=KEPT_ALIVE),
                # One account at a host never gets what the host gave to another one.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                # Redirects are not followed: what begins without TLS never needs the certificates.
                verify=_tls() if encrypted else False,
            )
        return self._clients[encrypted]

    def bulkhead(self, name: str, url: httpx.URL) -> Bulkhead:
        """Of what `name` is at this host: all connections to it share its places."""
        key = (name, url.host, url.port)
        if key not in self._bulkheads:
            self._bulkheads[key] = Bulkhead(name, Limits.of(self.settings))
        return self._bulkheads[key]

    async def aclose(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()


@cache
def _tls() -> ssl.SSLContext:
    """One for all: to read the certificates takes a tenth of a second."""
    return httpx.create_ssl_context()
