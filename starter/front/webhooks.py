"""Where the gateways' webhooks come in: `POST /webhooks/{connection_id}` (REF-7, RET-20).

What they say is a hint: the refund is told, and asks the gateway itself. The answer 200 is given when the word is
safely at Temporal and written down; until then it is 503, so that the provider says it again. What nobody with the
provider's key said is counted, and nothing else is done about it.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.connectors.authorize_net import webhooks as authorize_net
from activities.connectors.connections import Connections
from activities.connectors.paypal import webhooks as paypal
from activities.connectors.secret_reference import read_secret
from activities.connectors.stripe import webhooks as stripe
from activities.connectors.webhooks import LONGEST_BODY, NotSigned, Unreadable, Webhook
from activities.database import ConnectionRegister, Reading, WebhookRegister, open_database
from activities.database.webhooks import MeantRefund
from models.connections import Connection, ConnectionKind, Provider
from models.contract import GATEWAY_UPDATE
from models.failures import BackhaulError, InvalidInput, NotFound
from models.ids import ID_FORM, orphan_workflow_id
from models.orphans import orphan_id
from models.refunds import GatewayUpdate, RefundState
from models.settings import Settings
from models.webhooks import RefundWord, Refusal, WebhookEvent, WebhookState
from starter.client.report import report
from starter.client.send import CaseEnded, record_event, reopen_refund
from starter.ops.guarded_server import body_of

PATH: Final = "/webhooks/{connection_id}"
ANSWER_WITHIN: Final = 9.0
"""Seconds. Authorize.Net waits ten, the others longer; who got no answer says it again."""
COUNT_EVERY: Final = 2.0
"""Seconds between two times that refusals are written down: a flood of them is no flood of writes."""


class _SignedBySecret(Protocol):
    """What a provider's module does, where we have the secret with which it signs."""

    def verify(self, webhook: Webhook, secrets: Sequence[str], now: float) -> None: ...

    def read(self, webhook: Webhook) -> WebhookEvent: ...


_CONNECTION_ID: Final = re.compile(ID_FORM)
_SETTLED: Final = (RefundState.FAILED, RefundState.REFUSED)
_BY_SECRET: Final[dict[Provider, _SignedBySecret]] = {
    Provider.STRIPE: stripe,
    Provider.AUTHORIZE_NET: authorize_net,
}

log = structlog.get_logger(__name__)


class _Later(Exception):
    """Something of ours is not as it should be: the provider is to say it again. Its text is for our log alone."""


class _Books:
    """What is read and written for the door."""

    def __init__(self, settings: Settings) -> None:
        engine = open_database(settings)
        self.connections = ConnectionRegister(engine)
        self.webhooks = WebhookRegister(engine)
        self.reading = Reading(engine)
        self.partners = Connections(self.connections, settings)


class WebhookDoor:
    """Takes the webhooks of every connection."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._books: _Books | None = None
        self._opening = asyncio.Lock()
        self._refusals: Counter[tuple[str, date, Refusal]] = Counter()
        self._last_words: dict[str, str] = {}
        """Why the last one was refused, by connection: one line in the log for all of them."""
        self._counting: asyncio.Task[None] | None = None
        self._pruned_on: date | None = None

    async def receive(self, request: Request) -> PlainTextResponse:
        """200: it is taken, or was before; 503: not yet. 401, 400, 404, 413: it never will be."""
        connection_id = request.path_params["connection_id"]
        if not _CONNECTION_ID.fullmatch(connection_id):
            return _said(404, "no such connection")
        body = await body_of(request, LONGEST_BODY)
        if body is None:
            return _said(413, "too long")
        headers = dict(reversed(request.headers.items()))
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                return await self._take(connection_id, Webhook(headers, body))
        except (_Later, TimeoutError, BackhaulError, ApplicationError) as error:
            log.warning(
                "a webhook is not taken yet", connection_id=connection_id, why=str(error) or type(error).__name__
            )
            return PlainTextResponse("later", status_code=503, headers={"Retry-After": "30"})

    async def _take(self, connection_id: str, webhook: Webhook) -> PlainTextResponse:
        books = await self._opened()
        connection = await asyncio.to_thread(books.connections.find, connection_id)
        if connection is None or connection.kind is not ConnectionKind.PAYMENTS:
            return _said(404, "no such connection")
        if not connection.active:
            raise _Later("the connection is not active")
        try:
            event = await self._verified(books, connection, webhook)
            if not await asyncio.to_thread(books.webhooks.seen_again, connection_id, event.event_id):
                state, case = await self._deliver(books, connection, event)
                await asyncio.to_thread(books.webhooks.keep, connection_id, event, state, case)
                await self._prune(books)
        except NotSigned as why:
            return self._refuse(connection_id, Refusal.NOT_SIGNED, why)
        except Unreadable as why:
            return self._refuse(connection_id, Refusal.UNREADABLE, why)
        return _said(200, "ok")

    async def _opened(self) -> _Books:
        """Opened when the first webhook comes: the page of the links needs no database."""
        async with self._opening:
            if self._books is None:
                self._books = await asyncio.to_thread(_Books, self._settings)
            return self._books

    # ---- who says it ----

    async def _verified(self, books: _Books, connection: Connection, webhook: Webhook) -> WebhookEvent:
        """Raises NotSigned, Unreadable, _Later, or what PayPal's outage raises."""
        if connection.provider is Provider.PAYPAL:
            verifier = await books.partners.client(connection, paypal.PayPalWebhooks)
            await verifier.verify(webhook)
            return paypal.read(webhook)
        provider = _BY_SECRET[connection.provider]
        secrets, missing = await asyncio.to_thread(_secrets_of, connection)
        if not secrets:
            raise _Later(missing or "the connection has no webhook_secrets")
        try:
            provider.verify(webhook, secrets, time.time())
        except NotSigned:
            if missing:
                raise _Later(missing) from None
            raise
        return provider.read(webhook)

    # ---- what is done about it ----

    async def _deliver(
        self, books: _Books, connection: Connection, event: WebhookEvent
    ) -> tuple[WebhookState, str | None]:
        """What became of it, and which case has it. Raises PartnerUnavailable while Temporal is away."""
        word = event.refund
        if word is None:
            return WebhookState.IGNORED, None
        update = _update(connection, event, word)
        refund = await asyncio.to_thread(books.webhooks.meant, connection.connection_id, word)
        if refund is not None:
            return await self._tell(books, refund, update), refund.workflow_id
        if word.only_if_known:
            return WebhookState.IGNORED, None
        return WebhookState.ORPHAN, await self._keep_orphan(connection, update)

    async def _tell(self, books: _Books, refund: MeantRefund, update: GatewayUpdate) -> WebhookState:
        if refund.state in _SETTLED:
            return WebhookState.ENDED
        try:
            await record_event(self._client, refund.workflow_id, GATEWAY_UPDATE, update)
        except CaseEnded:
            return WebhookState.ENDED
        except NotFound:
            # The server has forgotten the refund, as it does after its retention; the books have not (REF-7).
            if refund.state is RefundState.SUCCEEDED and update.status != "failed":
                return WebhookState.ENDED
            request = await asyncio.to_thread(books.reading.refund_request, refund.refund_id)
            await reopen_refund(self._client, request, update)
        return WebhookState.DELIVERED

    async def _keep_orphan(self, connection: Connection, update: GatewayUpdate) -> str:
        source, (kind, _, owner) = connection.connection_id, connection.owner.partition(":")
        await report(
            self._client,
            source,
            GATEWAY_UPDATE,
            update,
            (),
            seller_id=owner if kind == "seller" else None,
            look_days=self._settings.orphan_days,
            look_pauses_minutes=self._settings.orphan_pauses_minutes,
        )
        return orphan_workflow_id(orphan_id(source, update.event_id))

    async def _prune(self, books: _Books) -> None:
        """Once a day, what is old goes: with the first word of the day that was not said before."""
        now = datetime.now(UTC)
        if self._pruned_on != now.date():
            await asyncio.to_thread(books.webhooks.prune, now - timedelta(days=self._settings.webhook_days))
            self._pruned_on = now.date()

    # ---- what is refused ----

    def _refuse(self, connection_id: str, why: Refusal, in_words: NotSigned | Unreadable) -> PlainTextResponse:
        self._refusals[connection_id, datetime.now(UTC).date(), why] += 1
        self._last_words[connection_id] = str(in_words)
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._count())
        return _said(401 if why is Refusal.NOT_SIGNED else 400, why.value.replace("_", " "))

    async def _count(self) -> None:
        """Write the numbers down. What can't be written now is written with the next ones."""
        await asyncio.sleep(COUNT_EVERY)
        books = await self._opened()
        counted, self._refusals = self._refusals, Counter()
        words, self._last_words = self._last_words, {}
        for connection_id, why in words.items():
            times = sum(many for (whose, *_), many in counted.items() if whose == connection_id)
            log.warning("webhooks are refused", connection_id=connection_id, times=times, the_last_one=why)
        try:
            await asyncio.to_thread(books.webhooks.count_refusals, counted)
        except BackhaulError as error:
            log.warning("refused webhooks are not counted yet", why=str(error))
            self._refusals.update(counted)


def _update(connection: Connection, event: WebhookEvent, word: RefundWord) -> GatewayUpdate:
    """What the refund is told. Raises Unreadable for what can be no event of ours."""
    said = {
        "event_id": event.event_id,
        "actor": f"gateway:{connection.provider.value}",
        "status": word.status,
        "gateway_refund_id": word.gateway_refund_id,
        "reason": word.reason,
    }
    try:
        return GatewayUpdate.at_the_door(said)
    except InvalidInput as error:
        raise Unreadable(str(error)) from None


def _secrets_of(connection: Connection) -> tuple[list[str], str]:
    """Those that can be read, and what is wrong with the others."""
    secrets, missing = [], []
    for reference in connection.webhook_secrets:
        try:
            secrets.append(read_secret(reference).get_secret_value())
        except NotFound as error:
            missing.append(str(error))
    return secrets, "; ".join(missing)


def _said(status: int, what: str) -> PlainTextResponse:
    return PlainTextResponse(what, status_code=status)
