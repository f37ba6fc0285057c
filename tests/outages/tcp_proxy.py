"""The door to PostgreSQL: all that the worker says to its database passes here, and a test may break it."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import URL

_WRITES: Final = re.compile(rb"\b(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_SSL_REQUEST: Final = 80877103
_LENGTH: Final = 4


class Cut(StrEnum):
    """When the connection breaks: the commit has not arrived, or it is done and nobody is told.

    `silent`: it does not break; it stays open, and nothing comes through it any more.
    """

    BEFORE_COMMIT = "before the commit"
    AFTER_COMMIT = "after the commit"
    SILENT_BEFORE_COMMIT = "silent before the commit"
    SILENT_AFTER_COMMIT = "silent after the commit"


class Door:
    """Passes on to one server.

    `cuts`: how often a connection was cut at its commit, by the tables written; `moments`: when. `swallowed`:
    how many messages went nowhere.
    """

    def __init__(self, server: URL) -> None:
        self._server = server
        self._port = 0
        self._guests: set[asyncio.StreamWriter] = set()
        self._cut: Cut | None = None
        self._times = 0
        self.cuts: Counter[frozenset[str]] = Counter()
        self.moments: list[datetime] = []
        self.swallows = False
        self.swallowed = 0

    @property
    def url(self) -> str:
        """The database, by way of this door."""
        return self._server.set(host="127.0.0.1", port=self._port).render_as_string(hide_password=False)

    def cut_commits(self, cut: Cut, times: int) -> None:
        """Cut the connection at the first `times` commits of each kind: that write to the same tables."""
        self._cut, self._times = cut, times

    def fall_silent(self) -> None:
        """Swallow what is said from now on. A connection that meets this stays open, and silent for good."""
        self.swallows = True
        self.moments.append(datetime.now(UTC))

    def speak_again(self) -> None:
        """To those who come from now on."""
        self.swallows = False

    @asynccontextmanager
    async def standing(self) -> AsyncIterator["Door"]:
        """Stands at a free port while the block lasts."""
        listener = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        self._port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            for guest in self._guests:
                guest.transport.abort()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._guests.add(writer)
        try:
            inside = await asyncio.open_connection(self._server.host, self._server.port)
            await _Talk(self, (reader, writer), inside).go_on()
        except (OSError, EOFError):
            return
        finally:
            self._guests.discard(writer)
            writer.transport.abort()

    def cuts_here(self, tables: frozenset[str]) -> Cut | None:
        """Whether the connection breaks at this commit."""
        if self._cut is None or not tables or self.cuts[tables] >= self._times:
            return None
        self.cuts[tables] += 1
        self.moments.append(datetime.now(UTC))
        return self._cut


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Talk:
    """One connection: knows the statements that it hears, and so what a commit would make lasting."""

    def __init__(self, door: Door, client: Ends, server: Ends) -> None:
        self._door = door
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._prepared: dict[bytes, bytes] = {}
        self._tables: set[str] = set()
        self._silent = False

    async def go_on(self) -> None:
        """Until one of the two hangs up, or the door cuts."""
        answers = asyncio.create_task(self._pass_answers_on())
        try:
            await self._introduce()
            while True:
                kind, body = await self._message()
                if self._is_silent():
                    self._door.swallowed += 1
                    continue
                if _is(kind, body, b"COMMIT") and (cut := self._door.cuts_here(frozenset(self._tables))):
                    await self._break(cut, kind + body, answers)
                    if cut in (Cut.BEFORE_COMMIT, Cut.AFTER_COMMIT):
                        return
                    self._silent = True
                    continue
                self._hear(kind, body)
                self._to_server.write(kind + body)
                await self._to_server.drain()
        finally:
            answers.cancel()
            self._to_server.close()

    async def _introduce(self) -> None:
        """The first messages have no kind: is encryption spoken, and who is it."""
        while True:
            length = await self._from_client.readexactly(_LENGTH)
            body = await self._from_client.readexactly(int.from_bytes(length) - _LENGTH)
            if not self._is_silent():
                self._to_server.write(length + body)
            if int.from_bytes(body[:4]) != _SSL_REQUEST:
                return

    async def _message(self) -> tuple[bytes, bytes]:
        kind = await self._from_client.readexactly(1)
        length = await self._from_client.readexactly(_LENGTH)
        return kind, length + await self._from_client.readexactly(int.from_bytes(length) - _LENGTH)

    def _hear(self, kind: bytes, body: bytes) -> None:
        if _is(kind, body, b"BEGIN"):
            self._tables.clear()
        statement = b""
        if kind == b"Q":
            statement = body[_LENGTH:]
        elif kind == b"P":  # parse: a name, and a statement
            name, statement, _ = body[_LENGTH:].split(b"\0", 2)
            self._prepared[name] = statement
            statement = b""
        elif kind == b"B":  # bind: a portal, and the name of what was parsed
            _, name, _ = body[_LENGTH:].split(b"\0", 2)
            statement = self._prepared.get(name, b"")
        self._tables.update(table.decode() for table in _WRITES.findall(statement))

    async def _break(self, cut: Cut, commit: bytes, answers: asyncio.Task[None]) -> None:
        answers.cancel()
        with suppress(asyncio.CancelledError):
            await answers
        if cut in (Cut.AFTER_COMMIT, Cut.SILENT_AFTER_COMMIT):
            self._to_server.write(commit)
            said = await self._from_server.read(1024)
            assert b"COMMIT" in said, f"the server did not commit: {said!r}"

    async def _pass_answers_on(self) -> None:
        try:
            while said := await self._from_server.read(65536):
                if not self._is_silent():
                    self._to_client.write(said)
                    await self._to_client.drain()
        except OSError:
            pass  # as good as hanging up
        if not self._silent:
            self._to_client.close()

    def _is_silent(self) -> bool:
        self._silent = self._silent or self._door.swallows
        return self._silent


def _is(kind: bytes, body: bytes, command: bytes) -> bool:
    return kind == b"Q" and body[_LENGTH:].lstrip().upper().startswith(command)
