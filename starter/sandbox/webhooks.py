"""The webhooks of the sandbox's gateways: who wants to be told, what is to be said, and saying it until it is
taken.

What is to be said is kept with what it is about, in one transaction, so a restart loses nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import httpx
import structlog

from starter.sandbox.facts import WebhookFact, WebhookSeed
from starter.sandbox.store import Document, Store
from starter.sandbox.webhook_events import News, events_of, news_in, signature_of

EVERY_ACCOUNT: Final = "*"
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
MOST_TRIES: Final = 50
"""Real gateways try for days."""
AT_ONCE: Final = 20

log = structlog.get_logger()


class Subscription(Document):
    """Who wants to be told; its id is the account, its space the gateway."""

    kind = "webhook_subscription"
    seed: WebhookSeed
    base: str


class Told(Document):
    """The state of a refund that was told last; its space is gateway and account."""

    kind = "webhook_told"
    status: str


class Outgoing(Document):
    """An event on its way, or there; its space is the gateway."""

    kind = "webhook"
    type: str
    body: str
    seed: WebhookSeed
    tries: int = 0
    answered: int | None = None

    @property
    def is_taken(self) -> bool:
        return self.answered is not None and 200 <= self.answered < 300

    @property
    def is_over(self) -> bool:
        return self.is_taken or self.tries >= MOST_TRIES


class Webhooks:
    """For one event loop, as the store is."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._http: httpx.AsyncClient | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(AT_ONCE)
        store.watchers.append(self._notice)

    def subscribe(self, seed: WebhookSeed, base: str) -> None:
        """Tell this address from now on; each account has one, and those without one of their own that of all."""
        account = seed.account or EVERY_ACCOUNT
        self._store.put(Subscription(id=account, space=seed.gateway, seed=seed, base=base))

    def sent(self) -> list[WebhookFact]:
        """What was to be said so far, oldest first."""
        return [
            WebhookFact(id=one.id, gateway=one.seed.gateway, type=one.type, tries=one.tries, answered=one.answered)
            for one in self._store.find(Outgoing)
        ]

    @contextlib.asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Say what is to be said for as long as the block lasts; what was left over at first."""
        async with httpx.AsyncClient(timeout=10) as http:
            self._http = http
            for one in self._store.find(Outgoing):
                if not one.is_over:
                    self._start(one)
            try:
                yield
            finally:
                self._http = None
                for task in self._sending:
                    task.cancel()
                await asyncio.gather(*self._sending, return_exceptions=True)

    def _notice(self, document: Document) -> None:
        """Called for each document that is written, in its transaction."""
        news = news_in(document)
        wanted = None if news is None else self._subscription(news)
        if news is None or wanted is None:
            return
        space = f"{news.gateway}/{news.account}"
        told = self._store.get(Told, news.refund_id, space)
        if told is not None and told.status == news.status:
            return
        self._store.put(Told(id=news.refund_id, space=space, status=news.status))
        for event in events_of(news, is_first=told is None, base=wanted.base):
            out = Outgoing(id=event.id, space=news.gateway, type=event.type, body=event.body, seed=wanted.seed)
            self._store.put(out)
            self._start(out)

    def _subscription(self, news: News) -> Subscription | None:
        own = self._store.get(Subscription, news.account, news.gateway)
        return own or self._store.get(Subscription, EVERY_ACCOUNT, news.gateway)

    def _start(self, out: Outgoing) -> None:
        if self._http is not None:
            task = asyncio.create_task(self._say(self._http, out))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _say(self, http: httpx.AsyncClient, out: Outgoing) -> None:
        """Until it is taken. What was rolled back meanwhile, or forgotten, is not said."""
        pause = FIRST_PAUSE
        while self._store.get(Outgoing, out.id, out.space) is not None:
            async with self._places:
                answered = await self._post(http, out)
            out = out.model_copy(update={"tries": out.tries + 1, "answered": answered})
            if self._store.get(Outgoing, out.id, out.space) is not None:
                self._store.put(out)
            if out.is_over:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _post(self, http: httpx.AsyncClient, out: Outgoing) -> int | None:
        headers = {"Content-Type": "application/json", **signature_of(out.seed, out.body)}
        try:
            answer = await http.post(out.seed.url, content=out.body.encode(), headers=headers)
        except httpx.RequestError as error:
            log.info("a webhook is not taken", id=out.id, why=type(error).__name__)
            return None
        return answer.status_code
