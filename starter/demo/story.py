"""One story while it is played: its cases, what people and partners do in it, and what is expected of it."""

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import httpx
from temporalio.client import WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

from models import contract, ids
from models.case import CaseStatus, SlaState
from models.failures import Conflict, NotFound
from models.message import Event, Quantity
from models.orders import OrderRequest
from models.parties import Seller
from models.refunds import RefundRequest
from models.returns import ReturnLine, ReturnRequest, Source
from starter.client.report import report
from starter.client.send import Delivery, send_event
from starter.client.start import Opened, open_order, open_refund, open_return
from starter.demo.order_requests import line_of, paid_order, payment_reference
from starter.demo.partner_effects import PartnerEffects
from starter.demo.sample_data import ACCOUNTS, CURRENCY, Basket, Person, cost_of
from starter.sandbox import SandboxClient
from starter.sandbox.facts import PaymentSeed

_EVENTS: Final = {name: event for events in contract.EVENTS.values() for name, event in events.items()}
_FIRST_LOOK_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 0.5
_QUERY_WITHIN: Final = timedelta(seconds=10)
_LINK: Final = re.compile(r"https?://\S+/rma/[^\s>)\"]+")


class NotAsExpected(Exception):
    """It did not become so; the message says what was seen last."""


@dataclass(frozen=True)
class DemoEnvironment:
    """What the stories are played on."""

    skipper: TimeSkipper
    """Its client starts the cases, so that the clock of each can be moved."""
    sandbox: SandboxClient
    front_url: str
    """Where strangers come in: suppliers by their links, gateways by their webhooks."""
    mail_staff: str
    """Where staff get their mails."""
    task_queue: str = contract.TASK_QUEUE
    patience: timedelta = timedelta(seconds=90)
    """How long something that must happen may take, in real time."""


@dataclass(frozen=True)
class CaseEnd:
    """How a case stands at the end of its story."""

    workflow_id: str
    how: str
    as_expected: bool


@dataclass(frozen=True)
class Expectation:
    """What must be so at the partners when all is over."""

    what: str
    holds: Callable[[PartnerEffects], bool]


@dataclass(frozen=True)
class Story:
    """A story: what it is in one line, and how it is played."""

    title: str
    play: Callable[["StoryRun"], Awaitable[None]]


@dataclass(frozen=True)
class PlayedStory:
    """A story that was played and judged; `misses` says what was not as expected."""

    title: str
    order_id: str
    cases: tuple[CaseEnd, ...]
    misses: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        return bool(self.cases) and not self.misses and all(case.as_expected for case in self.cases)


class StoryCase:
    """One running case of a story."""

    def __init__(self, run: "StoryRun", workflow_id: str) -> None:
        self.workflow_id = workflow_id
        self._run = run
        self._environment = run.environment
        self._handle: WorkflowHandle[object, object] = self._environment.skipper.client.get_workflow_handle(
            workflow_id
        )

    async def status(self) -> CaseStatus:
        status: CaseStatus = await self._handle.query("status", result_type=CaseStatus, rpc_timeout=_QUERY_WITHIN)
        return status

    async def shows(self, what: str, until: Callable[[CaseStatus], bool]) -> CaseStatus:
        """Look until the case shows this. Raises NotAsExpected when it does not in time."""
        self._run.step(f"{self.workflow_id}: {what}")
        clock = asyncio.get_running_loop()
        give_up_at = clock.time() + self._environment.patience.total_seconds()
        pause = _FIRST_LOOK_SECONDS
        while True:
            try:
                status = await self.status()
            except (RPCError, WorkflowQueryFailedError) as error:
                seen = f"no answer ({error})"
            else:
                if until(status):
                    return status
                seen = f"{status.stage}"
            if clock.time() > give_up_at:
                raise NotAsExpected(f"{self.workflow_id} does not show: {what}; last seen: {seen}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)

    async def reaches(self, stage: str) -> CaseStatus:
        """Wait until the case stands at this stage."""
        return await self.shows(f"at {stage}", lambda status: status.stage == stage)

    async def ends(self, outcome: str) -> None:
        """Wait until the case has ended; what it says of itself then goes into the table."""
        self._run.step(f"{self.workflow_id}: ends as {outcome}")
        try:
            async with asyncio.timeout(self._environment.patience.total_seconds()):
                await self._handle.result()
        except TimeoutError:
            raise NotAsExpected(f"{self.workflow_id} does not end as {outcome}") from None
        status = await self.shows("how it ended", lambda status: status.outcome is not None)
        self._run.note_end(self.workflow_id, status.stage, as_expected=status.outcome == outcome)

    async def stays(self, stage: str, sla_state: SlaState) -> None:
        """The case goes on waiting at this stage, with its SLA like this; so it goes into the table."""
        status = await self.shows(
            f"{sla_state.value} at {stage}",
            lambda status: status.sla_state is sla_state and status.stage == stage,
        )
        who = status.waiting_for.who.value if status.waiting_for else "nobody"
        how = f"{status.stage}, SLA {status.sla_state.value.replace('_', ' ')}, waits for the {who}"
        self._run.note_end(self.workflow_id, how, as_expected=status.outcome is None)

    async def receives(self, name: str, actor: str, **fields: object) -> Delivery:
        """Somebody sends the case an event. Raises EventRefused with the case's reason."""
        event: Event = _EVENTS[name].at_the_door({"event_id": self._run.new_event_id(), "actor": actor, **fields})
        self._run.step(f"{self.workflow_id}: {name.replace('_', ' ')} by {actor}")
        return await send_event(self._environment.skipper.client, self.workflow_id, name, event)

    async def forward(self, *, days: float = 0, minutes: float = 0) -> None:
        """Move this case's clock, on the server. Raises NotAsExpected when it does not move in time."""
        passing = timedelta(days=days, minutes=minutes)
        self._run.step(f"{self.workflow_id}: {_words(passing)} pass")
        try:
            async with asyncio.timeout(self._environment.patience.total_seconds()):
                await self._environment.skipper.fast_forward(self._handle, passing)
        except (TimeoutError, RuntimeError) as error:
            why = str(error) or "it is not idle"
            raise NotAsExpected(f"the clock of {self.workflow_id} could not be moved: {why}") from None


@dataclass
class StoryRun:
    """A story that is being played with the order `order_id`."""

    environment: DemoEnvironment
    order_id: str
    step: Callable[[str], None]
    """Is told what happens now."""
    ends: list[CaseEnd] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def payment_reference(self) -> str:
        """The buyer's payment at the seller's gateway."""
        return payment_reference(self.order_id)

    @property
    def return_id(self) -> str:
        return ids.return_id(self.order_id, 1)

    def new_event_id(self) -> str:
        return f"demo-{self.order_id}-{next(self._numbers)}"

    def expect(self, what: str, holds: Callable[[PartnerEffects], bool]) -> None:
        """Say what must be so at the partners when all stories are over."""
        self.expectations.append(Expectation(what, holds))

    def note_end(self, workflow_id: str, how: str, *, as_expected: bool) -> None:
        self.ends.append(CaseEnd(workflow_id, how.replace("_", " "), as_expected))

    def case(self, workflow_id: str) -> StoryCase:
        """A case that was started by another one."""
        return StoryCase(self, workflow_id)

    # ---- orders ----

    async def order(
        self, seller: Seller, buyer: Person, basket: Basket, *, paid_with: str = "pm_card_visa"
    ) -> StoryCase:
        """The buyer pays the seller, and the order arrives (ORD-1). Raises Conflict when its number is taken."""
        lines = [line_of(item, quantity) for item, quantity in basket.items()]
        request = paid_order(self.order_id, seller, buyer, lines, self.payment_reference)
        return await self.arrives(request, seller, paid_with=paid_with)

    async def arrives(
        self, request: OrderRequest, seller: Seller, *, paid_with: str = "pm_card_visa"
    ) -> StoryCase:
        """This very order, with what was paid for it. Raises Conflict when its number is taken."""
        for payment in request.paid_with:
            await self.environment.sandbox.seed_payment(
                PaymentSeed(
                    id=self.payment_reference,
                    amount=payment.amount,
                    currency=CURRENCY,
                    account=ACCOUNTS.get(seller.seller_id),
                    payment_method=paid_with,
                )
            )
        await self.environment.sandbox.list_for_shipping(seller.seller_id, self.order_id)
        self.step(f"order {self.order_id} arrives")
        return self._new(
            await open_order(self.environment.skipper.client, request, task_queue=self.environment.task_queue)
        )

    async def placed(self, order: StoryCase) -> None:
        """The cancel window passes, and the order is with its supplier (ORD-4)."""
        await order.reaches("cancel_window")
        await order.forward(minutes=31)
        await order.reaches("awaiting_shipment")

    async def ship(self, order: StoryCase, supplier_id: str, basket: Basket, *, parcel: int = 1) -> None:
        """A warehouse ships these items in one parcel (ORD-9)."""
        await order.receives(
            "shipment",
            f"supplier:{supplier_id}",
            shipment_id=f"{self.order_id}-p{parcel}",
            carrier="UPS",
            tracking_number=f"1Z{self.order_id.replace('-', '')}{parcel:02d}",
            lines=[line.model_dump() for line in _quantities(basket)],
        )

    async def shipped_order(
        self,
        seller: Seller,
        buyer: Person,
        basket: Basket,
        supplier_id: str,
        *,
        paid_with: str = "pm_card_visa",
    ) -> None:
        """An order that was fulfilled without anything worth run."""
        order = await self.order(seller, buyer, basket, paid_with=paid_with)
        await self.placed(order)
        await self.ship(order, supplier_id, basket)
        await order.ends("shipped")

    # ---- returns and refunds ----

    async def ask_to_return(
        self, basket: Basket, reason: str, *, source: Source = Source.SELLER, buyer_words: str | None = None
    ) -> StoryCase:
        """Somebody asks to send these items back (RET-1)."""
        request = ReturnRequest(
            return_id=self.return_id,
            order_id=self.order_id,
            source=source,
            requested_by="buyer:order-history" if source is Source.BUYER else "seller:service-desk",
            lines=tuple(
                ReturnLine(sku=item.sku, quantity=quantity, reason=reason, buyer_words=buyer_words)
                for item, quantity in basket.items()
            ),
        )
        case = self._new(
            await open_return(self.environment.skipper.client, request, task_queue=self.environment.task_queue)
        )
        await case.reaches("awaiting_approval")
        return case

    async def send_back(self, case: StoryCase, *, actor: str = "buyer:order-history") -> None:
        """The parcel back gets its tracking number (RET-10)."""
        await case.reaches("awaiting_tracking")
        await case.forward(days=3)
        await case.receives(
            "return_tracking",
            actor,
            carrier="USPS",
            tracking_number=f"9400{self.order_id.replace('-', '')}",
        )
        await case.reaches("in_transit")

    async def accept_and_credit(self, case: StoryCase, supplier_id: str, basket: Basket) -> None:
        """The supplier receives and accepts all of it, and sends its credit memo (RET-11, RET-12)."""
        await self.accept(case, supplier_id, basket)
        await self.credit(case, supplier_id, basket)

    async def accept(self, case: StoryCase, supplier_id: str, basket: Basket) -> None:
        """The supplier receives and accepts all of it (RET-11)."""
        await case.forward(days=6)
        await case.receives(
            "goods_received",
            f"supplier:{supplier_id}",
            lines=[
                {"sku": item.sku, "quantity": quantity, "reception": "received", "acceptance": "accepted"}
                for item, quantity in basket.items()
            ],
        )
        await case.reaches("awaiting_credit")

    async def credit(self, case: StoryCase, supplier_id: str, basket: Basket) -> None:
        """The supplier sends its credit memo (RET-12)."""
        await case.forward(days=4)
        await case.receives(
            "credit_memo",
            f"supplier:{supplier_id}",
            number=f"CM-{self.order_id}",
            date=datetime.now(UTC).date().isoformat(),
            amount=f"{cost_of(basket):f}",
            currency=CURRENCY,
        )

    async def reported(
        self, source: str, event: str, actor: str, numbers: tuple[str, ...], **said: str
    ) -> StoryCase:
        """Somebody says something about a case that is not known here (RET-20)."""
        self.step(f"{source} says {event.replace('_', ' ')} of {', '.join(numbers)}")
        word = {"event_id": self.new_event_id(), "actor": actor, **said}
        client, queue = self.environment.skipper.client, self.environment.task_queue
        return self._new(await report(client, source, event, word, numbers, task_queue=queue))

    async def refund_directly(self, amount: Decimal | None, reason: str, units: Basket | None = None) -> StoryCase:
        """A person refunds some of the order without a return (REF-2): an amount, or what was paid for units."""
        request = RefundRequest(
            refund_id=ids.direct_refund_id(self.order_id, 1),
            order_id=self.order_id,
            amount=amount,
            currency=CURRENCY,
            reason=reason,
            requested_by="seller:service-desk",
            lines=_quantities(units or {}),
        )
        client, queue = self.environment.skipper.client, self.environment.task_queue
        return self._new(await open_refund(client, request, task_queue=queue))

    async def type_rma_number(self, mailed_to: str, number: str) -> None:
        """The supplier opens its mail, follows the link and types the number, as people do (RET-8)."""
        address = await self._link_in_mail(mailed_to)
        self.step(f"the supplier opens its link and types {number}")
        async with httpx.AsyncClient(timeout=20) as browser:
            page = await browser.get(address)
            page.raise_for_status()
            answer = await browser.post(address, data={"outcome": "issued", "rma_number": number})
            answer.raise_for_status()

    async def _link_in_mail(self, mailed_to: str) -> str:
        clock = asyncio.get_running_loop()
        give_up_at = clock.time() + self.environment.patience.total_seconds()
        while clock.time() < give_up_at:
            for mail in await self.environment.sandbox.mails(to=mailed_to, subject="RMA number needed"):
                link = _LINK.search(mail.text or "")
                if link and self.return_id in (mail.text or ""):
                    return link[0]
            await asyncio.sleep(_LONGEST_PAUSE_SECONDS)
        raise NotFound(f"no mail with a link for return {self.return_id} reached {mailed_to}")

    def _new(self, opened: Opened) -> StoryCase:
        if opened.already:
            raise Conflict(f"{opened.workflow_id} exists already")
        return StoryCase(self, opened.workflow_id)


def _words(passing: timedelta) -> str:
    if passing >= timedelta(days=2):
        return f"{passing.days} days"
    minutes = int(passing.total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


def _quantities(basket: Basket) -> tuple[Quantity, ...]:
    return tuple(Quantity(sku=item.sku, quantity=quantity) for item, quantity in basket.items())
