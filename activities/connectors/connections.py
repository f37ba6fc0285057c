"""The connections of this installation as a worker uses them: read from the database, with their secrets of now.

A row is believed for some seconds; a secret is read for each use. What is wrong with one (unknown, not active,
no key) is told as `connection ID`: the case waits, staff are told, and it goes on when it is mended (NTF-9).
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

import httpx
import structlog
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError

from activities.connectors.access import Access
from activities.connectors.clients import HttpClients
from activities.connectors.http import Trouble, failure, is_first_attempt
from activities.connectors.secret_reference import secret_of
from models.connections import Connection, ConnectionKind
from models.failures import HANDLING, BackhaulError, Category, NotFound, PartnerUnavailable
from models.settings import Settings

BELIEVED_SECONDS: Final = 2.0
"""How long a row is believed: so long one that was changed or deactivated may still be used."""
MOST_CLIENTS: Final = 2_000
"""Connections that are kept ready; of more, those that were used last."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("connections")

Client = TypeVar("Client")


class Directory(Protocol):
    """Where connections are kept. Called in a thread; raises PartnerUnavailable while it can't be asked."""

    def find(self, connection_id: str) -> Connection | None:
        """The connection of this id, active or not."""

    def active(self, kind: ConnectionKind, *owners: str) -> Sequence[Connection]:
        """The active ones of a kind, the newest first; of these owners, one after the other, or of all."""


class Connections:
    """One kind of connections, with what they share in this process."""

    def __init__(
        self,
        directory: Directory,
        settings: Settings,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._clients = HttpClients(settings, transport)
        self._clock = clock
        self._read: dict[tuple[object, ...], tuple[float, tuple[Connection, ...]]] = {}
        self._listed: tuple[float, dict[str, Connection]] = (float("-inf"), {})
        self._ready: OrderedDict[str, tuple[Connection, SecretStr, object]] = OrderedDict()

    async def aclose(self) -> None:
        """Close the network connections."""
        await self._clients.aclose()

    async def active(self, kind: ConnectionKind, *owners: str) -> tuple[Connection, ...]:
        """The active connections of a kind, the newest first; of these owners, one after the other, or of all."""
        found = await self._known(("active", kind, *owners), lambda: self._directory.active(kind, *owners))
        at, _ = self._read["active", kind, *owners]
        if at > self._listed[0]:  # one of them is asked for by name next
            self._listed = at, {one.connection_id: one for one in found}
        return found

    async def named(self, connection_id: str) -> Connection:
        """The connection of this id. Raises ConnectionUnusable, in words, unless it is there and active."""

        def find() -> Sequence[Connection]:
            found = self._directory.find(connection_id)
            return () if found is None else (found,)

        at, listed = self._listed
        if connection_id in listed and self._clock() - at < BELIEVED_SECONDS:
            return listed[connection_id]
        found = await self._known(("named", connection_id), find)
        if not found:
            raise unusable(
                connection_id,
                f"there is no connection {connection_id}: import it (backhaul connection import FILE)",
            )
        if not found[0].active:
            raise unusable(
                connection_id,
                f"connection {connection_id} of {found[0].owner} is not active: activate it "
                f"(backhaul connection set {connection_id} active=true)",
            )
        return found[0]

    async def client(self, connection: Connection, build: Callable[[Access], Client]) -> Client:
        """What `build` makes of this connection, kept while neither the connection nor its secret changes.

        Raises ConnectionUnusable, in words, when the secret can't be read or the connection can't be used.
        """
        connection_id = connection.connection_id
        try:
            secret = await asyncio.to_thread(secret_of, connection)
            ready = self._ready.get(connection_id)
            if ready is None or ready[:2] != (connection, secret):
                ready = connection, secret, build(Access(connection, secret, self._clients))
        except BackhaulError as error:
            raise unusable(connection_id, _to_mend(connection, error)) from None
        self._ready[connection_id] = ready
        self._ready.move_to_end(connection_id)
        if len(self._ready) > MOST_CLIENTS:
            self._ready.popitem(last=False)
        return ready[2]  # type: ignore[return-value]  # each connection is built by its provider's class alone

    async def _known(
        self, key: tuple[object, ...], look: Callable[[], Sequence[Connection]]
    ) -> tuple[Connection, ...]:
        """What was read a moment ago, or is read now; while the database does not answer, what was read last."""
        at, known = self._read.get(key, (float("-inf"), ()))
        now = self._clock()
        if now - at < BELIEVED_SECONDS:
            return known
        try:
            found = tuple(await asyncio.to_thread(look))
        except PartnerUnavailable as outage:
            if key in self._read:
                log.warning("connections can't be read: those of the last time are used", why=str(outage))
                return known
            raise failure(
                Category.PARTNER_UNAVAILABLE,
                str(outage),
                Trouble(who_acts="nobody: it is tried again", partner="database", call="read a connection"),
            ) from None
        except BackhaulError as fault:
            raise ApplicationError(str(fault), type=fault.category.value) from None
        if len(self._read) > MOST_CLIENTS:
            self._read.clear()
        self._read[key] = now, found
        return found


def _to_mend(connection: Connection, error: BackhaulError) -> str:
    """What is wrong with it, and the command that mends it."""
    change = "secret=env:NAME or secret=file:/PATH" if isinstance(error, NotFound) else "KEY=VALUE"
    named = f"connection {connection.connection_id} of {connection.owner}"
    return f"{named}: {error} (backhaul connection set {connection.connection_id} {change})"


def unusable(connection_id: str, why: str) -> ApplicationError:
    """The error of a connection that can't be used until somebody mends it: told once for all its cases."""
    return failure(
        Category.CONNECTION_UNUSABLE,
        why,
        Trouble(
            who_acts=HANDLING[Category.CONNECTION_UNUSABLE].who_acts,
            partner=connection_id,
            call="use a connection",
            asked=not is_first_attempt(),
        ),
    )
