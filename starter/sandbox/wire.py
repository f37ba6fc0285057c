"""How a request meets a partner: faults first, then its work, then the record of what was really asked."""

import asyncio
import contextlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakValueDictionary

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from starter.sandbox.facts import Fault, FaultKind, FaultSeed, PartnerName, RequestRecord
from starter.sandbox.store import Document, Store

log = structlog.get_logger()


@dataclass(frozen=True)
class Asked:
    """A request, read. `body` is what the partner's own reader made of it."""

    method: str
    path: str
    query: dict[str, Any]
    body: Any
    parts: dict[str, str]
    """The path's own: `{"refund": "re_1"}`."""
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What the partner says. `changed`: it did something new. `kept`: a gateway saves it under its key."""

    status: int
    body: dict[str, Any]
    changed: bool = False
    kept: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    text: bytes | None = None
    """What is sent instead of the body as JSON."""


class Refused(Exception):
    """The partner's no, raised before anything was written."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(f"{answer.status}: {answer.body}")


Work = Callable[[Asked], Answer]


class Partner(Protocol):
    """What each partner that speaks HTTP knows of its own protocol."""

    name: PartnerName

    def read(self, raw: bytes, query: str, content_type: str) -> tuple[dict[str, Any], Any]:
        """The query and the body. Raises Refused when it can't be read."""

    def lock(self, asked: Asked) -> str | None:
        """What may be worked on by one request at a time."""

    def busy(self, asked: Asked) -> Answer:
        """The answer while another request holds the lock."""

    def answer(self, asked: Asked, work: Work) -> Answer:
        """Let in, do the work, answer. Never raises Refused."""

    def failure(self, asked: Asked, fault: Fault) -> Answer:
        """The answer of a fault that answers: refuse, rate_limit, error."""

    def account(self, asked: Asked) -> str | None:
        """Whose account it is about."""


class StoredFault(Document):
    kind = "fault"
    fault: Fault


class StoredRequest(Document):
    kind = "request"
    record: RequestRecord

    @property
    def owner(self) -> str:
        return self.record.partner.value


class Faults:
    """The faults in force."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._taken_back: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    def add(self, seed: FaultSeed) -> Fault:
        fault = Fault(**seed.model_dump(), id=secrets.token_hex(6), left=seed.times)
        self._store.put(StoredFault(id=fault.id, fault=fault))
        return fault

    def all(self) -> list[Fault]:
        return [stored.fault for stored in self._store.find(StoredFault)]

    def clear(self) -> None:
        self._store.forget(StoredFault)

    def take_back(self, id: str) -> None:
        """It is in force no more, and what it delays goes on at once."""
        stored = self._store.get(StoredFault, id)
        if stored is not None:
            self._store.remove(stored)
        if (over := self._taken_back.get(id)) is not None:
            over.set()

    async def delay(self, fault: Fault) -> None:
        """Wait as long as a `delay` says, or until it is taken back."""
        over = self._taken_back.setdefault(fault.id, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), fault.seconds)

    def take(self, partner: PartnerName, what: str, among: frozenset[FaultKind] | None = None) -> Fault | None:
        """The first fault that this request meets; it counts down. `what` is `METHOD /path`."""
        for stored in self._store.find(StoredFault):
            fault = stored.fault
            if fault.partner is not partner or (among is not None and fault.kind not in among):
                continue
            if fault.match is not None and not re.search(fault.match, what):
                continue
            if fault.left is not None:
                self._count_down(stored, fault.left - 1)
            return fault
        return None

    def _count_down(self, stored: StoredFault, left: int) -> None:
        if left:
            self._store.put(stored.model_copy(update={"fault": stored.fault.model_copy(update={"left": left})}))
        else:
            self._store.remove(stored)


def write_down(store: Store, record: RequestRecord) -> None:
    """Keep the record of a request."""
    store.put(StoredRequest(id=record.id, record=record))


class Cut(Response):
    """Cuts the TCP connection: the other side gets no answer, not even half of one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["transport"].abort()
        message = await receive()
        while message["type"] != "http.disconnect":
            message = await receive()


class Wire:
    """Between the HTTP server and the partners."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults
        self._locked: set[str] = set()

    async def play(self, partner: Partner, work: Work, request: Request) -> Response:
        """One request from the socket to the answer, or to the cut."""
        raw = await request.body()
        path = request.url.path.removeprefix(request.scope.get("root_path", ""))
        parts = dict(request.path_params)
        try:
            query, body = partner.read(raw, request.url.query, request.headers.get("content-type", ""))
        except Refused as refused:
            unread = Asked(request.method, path, {}, None, parts, request.headers)
            return self._said(partner, unread, refused.answer, None)
        asked = Asked(request.method, path, query, body, parts, request.headers)
        lock = partner.lock(asked)
        if lock is not None and lock in self._locked:
            return self._said(partner, asked, partner.busy(asked), None)
        with self._store.transaction():
            fault = self._faults.take(partner.name, f"{asked.method} {asked.path}")
        if fault is not None and fault.kind is FaultKind.DROP_BEFORE:
            return self._said(partner, asked, None, fault)
        if lock is not None:
            self._locked.add(lock)
        try:
            if fault is not None and fault.kind is FaultKind.DELAY:
                await self._faults.delay(fault)
            with self._store.transaction():
                if fault is not None and fault.kind in (FaultKind.REFUSE, FaultKind.RATE_LIMIT, FaultKind.ERROR):
                    answer = partner.failure(asked, fault)
                else:
                    answer = partner.answer(asked, work)
                return self._said(partner, asked, answer, fault)
        finally:
            self._locked.discard(lock or "")

    def _said(self, partner: Partner, asked: Asked, answer: Answer | None, fault: Fault | None) -> Response:
        cut = answer is None or (fault is not None and fault.kind is FaultKind.DROP_AFTER)
        record = RequestRecord(
            id=secrets.token_hex(8),
            at=self._store.now(),
            partner=partner.name,
            method=asked.method,
            path=asked.path,
            query=asked.query,
            body=asked.body,
            account=partner.account(asked),
            idempotency_key=asked.headers.get("idempotency-key") or asked.headers.get("paypal-request-id"),
            status=None if cut or answer is None else answer.status,
            work_done=answer is not None and answer.changed,
            replayed=answer is not None and "Idempotent-Replayed" in answer.headers,
            fault=fault.kind if fault else None,
        )
        write_down(self._store, record)
        log.debug("asked", partner=partner.name, method=asked.method, path=asked.path, status=record.status)
        if cut or answer is None:
            return Cut()
        headers = {"Request-Id": f"req_{record.id}", **answer.headers}
        if answer.status == 204 or answer.text is not None:
            return Response(answer.text, answer.status, headers)
        return JSONResponse(answer.body, answer.status, headers)
