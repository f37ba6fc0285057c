"""Cases told so that they go on whatever breaks meanwhile: every act is repeated until it is known to be done.

Acts are repeatable: a case is started under its own id, an event keeps its `event_id`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import httpx
from sqlalchemy.exc import DBAPIError
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from models.failures import PartnerUnavailable
from starter.sandbox.facts import SupplierSeed
from tests.case_story import CaseStory, OrderStory
from tests.chaos.staff import end_pause
from tests.senders import sender_of
from tests.world import World

PATIENCE_SECONDS: Final = 300.0
"""How long a case may stand still: more than an activity's minute, and its retries."""
_PAUSE_SECONDS: Final = 0.1
"""Between two tries. The clock is right here: what is away can't say when it is back."""
LOOK_AGAIN_SECONDS: Final = 0.05
CLOSER_LOOK_SECONDS: Final = 2.0
"""Between looks at what a case that stands still is pausing for."""
REFUND_ENDS: Final = ("succeeded", "failed", "refused")

_OUTAGES: Final = (RPCError, RuntimeError, httpx.TransportError, DBAPIError, PartnerUnavailable, TimeoutError)

Given = TypeVar("Given")


async def patiently(act: Callable[[], Awaitable[Given]]) -> Given:
    """Do it until it is done; an outage of any part is waited out. Raises the last outage in the end."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while True:
        try:
            return await asyncio.wait_for(act(), PATIENCE_SECONDS)
        except _OUTAGES as outage:
            if isinstance(outage, RPCError) and outage.status is RPCStatusCode.NOT_FOUND:
                raise
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)


async def stage_of(case: CaseStory) -> str:
    """Where the books say that the case stands: no worker is needed to look."""
    standing = await asyncio.to_thread(case.stack.reading.standing, case.handle.id)
    return standing.stage if standing is not None else "unknown"


async def comes_to(case: CaseStory, look: Callable[[], Awaitable[Given | None]], where: str) -> Given:
    """Look at the case until it is there, and give what is seen; a pause that its moved clock brought is ended."""
    clock = asyncio.get_running_loop().time
    give_up, look_closer = clock() + PATIENCE_SECONDS, clock() + CLOSER_LOOK_SECONDS
    while (seen := await patiently(look)) is None:
        assert clock() < give_up, f"{case.handle.id} stands at {await stage_of(case)}, not {where}"
        if clock() > look_closer:
            look_closer = clock() + CLOSER_LOOK_SECONDS
            await patiently(lambda: end_pause(case))
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return seen


async def stands_at(case: CaseStory, *stages: str) -> str:
    """Wait until the case stands at one of these stages."""

    async def look() -> str | None:
        stage = await stage_of(case)
        return stage if stage in stages else None

    return await comes_to(case, look, f"at {' or '.join(stages)}")


async def time_passes(case: CaseStory, **time: float) -> None:
    """It may have ended meanwhile."""
    try:
        await patiently(lambda: case.forward(**time))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def tell(case: CaseStory, name: str, **fields: Any) -> None:
    """Send an event as a signal; repeated, it keeps its id and counts once.

    A case that has ended when it is told again was ended by what it was told before, and nobody answered that.
    """
    event = case.event(**{"actor": sender_of(name)} | fields)
    told_before = False

    async def send() -> None:
        nonlocal told_before
        again, told_before = told_before, True
        try:
            await case.handle.signal(name, event)
        except RPCError as error:
            if not again or error.status is not RPCStatusCode.NOT_FOUND:
                raise

    await patiently(send)


async def refund_ends(case: CaseStory) -> str:
    """What became of a refund: in the books while it is open, since a gateway may take a success back for weeks;
    a refused one never opened, and only its workflow tells."""

    async def look() -> str | None:
        stage = await stage_of(case)
        if stage == "unknown" and (await case.handle.describe()).status is WorkflowExecutionStatus.COMPLETED:
            return str((await case.handle.result())["state"])
        return stage if stage in REFUND_ENDS else None

    return await comes_to(case, look, "at its end")


async def pass_window(order: OrderStory) -> None:
    """Let the order's time pass until its cancel window is over, and the order has noticed."""
    closes = (await patiently(order.books)).cancel_until
    assert closes is not None, "it has a window"

    async def look() -> str | None:
        stage = await stage_of(order)
        if stage != "cancel_window":
            return stage
        if await order.now() <= closes:
            await pass_by(order, minutes=31)
        return None

    await comes_to(order, look, "beyond its cancel window")


async def pass_by(case: CaseStory, **duration: float) -> None:
    """Let the case's time pass. Moved twice because an answer was lost, more of it passes."""
    try:
        await patiently(lambda: case.forward(**duration))
    except RPCError as gone:
        if gone.status is not RPCStatusCode.NOT_FOUND:  # the case has ended
            raise


async def pass_until(case: CaseStory, moment: datetime) -> None:
    """Let the case's time pass up to this moment of its own, and no further, whatever is lost meanwhile."""

    async def move() -> None:
        left = moment - await case.now()
        if left > timedelta(0):
            await case.forward(seconds=left.total_seconds())

    await patiently(move)


class Story:
    """One case's life, and how it must end: `await story.live()`, then `story.expected`."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world = world
        self.chance = chance
        self.expected: dict[str, str] = {}

    async def live(self, plot: "Plot") -> None:
        """Live through one plot."""
        await plot(self)

    def ends(self, case: CaseStory, outcome: str) -> None:
        self.expected[case.handle.id] = outcome

    async def order(
        self,
        *,
        stock: int = 10,
        second_source: bool = False,
        buyer_method: str = "pm_card_visa",
        rma: str = "service",
        refuses: bool = False,
        **seller: Any,
    ) -> OrderStory:
        """An order of two units from a supplier with a web service for RMAs; `refuses`: it takes no order."""
        world = self.world
        supplier = await patiently(lambda: world.supplier(rma=rma))
        if refuses:
            says_no = SupplierSeed(refuses=("*",))
            await patiently(lambda: world.sandbox.put_supplier(supplier.supplier_id, says_no))
        sku = world.sku()
        await patiently(lambda: world.stock(sku, stock, supplier, second_source=second_source))
        owner = await patiently(lambda: world.seller(**seller))
        lines = {"sku": sku, "quantity": 2}
        return await patiently(lambda: world.order(owner, lines, buyer_method=buyer_method))

    async def placed(self, order: OrderStory) -> None:
        await stands_at(order, "cancel_window", "awaiting_shipment")
        await pass_window(order)
        await stands_at(order, "awaiting_shipment")

    async def shipped(self, order: OrderStory) -> None:
        await self.placed(order)
        await ship(order)
        await stands_at(order, "shipped")
        self.ends(order, "shipped")

    async def open_return(self, order: OrderStory) -> CaseStory:
        """A return of all units, in the seller's hands."""
        case_id = f"RR-{order.id}-1"
        case = await patiently(lambda: self.world.return_of(order, return_id=case_id))
        await stands_at(case, "awaiting_approval")
        return case

    async def returned(self, order: OrderStory) -> CaseStory:
        """A return through all its steps to both refunds."""
        case = await self.open_return(order)
        await tell(case, "seller_approval", decision="approved")
        await stands_at(case, "awaiting_tracking")
        await track(case)
        await stands_at(case, "in_transit")
        await receive(case, order)
        await stands_at(case, "awaiting_credit")
        await credit(case)
        await stands_at(case, "awaiting_buyer_refund")
        await tell(case, "buyer_refund", reason="reviewed")
        await stands_at(case, "completed")
        self.ends(case, "completed")
        return case

    async def refund(self, order: OrderStory, number: int, amount: str | None) -> CaseStory:
        """A direct refund of the buyer; `None`: all that is left."""
        refund_id = f"RF-{order.id}-D{number}"
        return await patiently(lambda: self.world.refund(order, refund_id=refund_id, amount=amount))


Plot = Callable[[Story], Awaitable[None]]


async def ship(order: OrderStory) -> None:
    lines = [{"sku": line.sku, "quantity": line.quantity} for line in order.request.lines]
    parcel = {"shipment_id": f"s-{order.id}", "carrier": "UPS", "tracking_number": f"1Z{order.id}"}
    await tell(order, "shipment", actor="supplier:dock", lines=lines, **parcel)


async def track(case: CaseStory) -> None:
    await tell(case, "return_tracking", actor="buyer:robin", carrier="UPS", tracking_number=f"1R{case.id}")


async def receive(case: CaseStory, order: OrderStory) -> None:
    fine = {"reception": "received", "acceptance": "accepted"}
    lines = [{"sku": line.sku, "quantity": line.quantity} | fine for line in order.request.lines]
    await tell(case, "goods_received", actor="supplier:dock", lines=lines)


async def credit(case: CaseStory, amount: str = "63.00", number: int = 1) -> None:
    memo = {"number": f"CM-{case.id}-{number}", "date": "2026-03-01", "amount": amount, "currency": "USD"}
    await tell(case, "credit_memo", actor="supplier:office", **memo)


# ---- plots ----


async def an_order_is_shipped(story: Story) -> None:
    await story.shipped(await story.order())


async def an_order_is_cancelled(story: Story) -> None:
    order = await story.order(auto_refund_buyer=True)
    await stands_at(order, "cancel_window")
    await tell(order, "cancel_request", reason="changed their mind")
    await stands_at(order, "cancelled")
    story.ends(order, "cancelled")
    story.ends(story.world.refund_story(f"RF-{order.id}-OB1"), "succeeded")


async def an_order_is_cancelled_or_sent(story: Story) -> None:
    """The cancel races with the end of the window: either is right, both never (CAN-4)."""
    order = await story.order()
    await stands_at(order, "cancel_window")
    late = asyncio.create_task(pass_by(order, minutes=30))
    await asyncio.sleep(story.chance.uniform(0, 0.2))
    await tell(order, "cancel_request", reason="changed their mind")
    await late
    if await stands_at(order, "cancelled", "awaiting_shipment") == "cancelled":
        story.ends(order, "cancelled")
        return
    await ship(order)
    await stands_at(order, "shipped")
    story.ends(order, "shipped")


async def an_order_is_second_sourced(story: Story) -> None:
    await story.shipped(await story.order(second_source=True))


async def an_order_is_voided(story: Story) -> None:
    order = await story.order(stock=0)
    await stands_at(order, "cancel_window")
    await pass_window(order)
    await stands_at(order, "voided")
    story.ends(order, "voided")


async def an_order_waits_for_a_card(story: Story) -> None:
    order = await story.order(payment_method="pm_card_chargeDeclined")
    await stands_at(order, "awaiting_payment")
    await tell(order, "payment_method_updated", payment_method="pm_card_visa")
    await story.shipped(order)


async def goods_come_back(story: Story) -> None:
    order = await story.order()
    await story.shipped(order)
    await story.returned(order)


async def the_buyer_is_refunded_in_parts(story: Story) -> None:
    """Three at once: two halves of what was paid, and one that is refused, whichever comes last (REF-3)."""
    order = await story.order()
    await story.shipped(order)
    cases = [await story.refund(order, number, "50.00") for number in (1, 2, 3)]
    states = sorted([await refund_ends(case) for case in cases])
    assert states == ["refused", "succeeded", "succeeded"], states


PLOTS: Final[tuple[Plot, ...]] = (
    goods_come_back,
    an_order_is_cancelled,
    an_order_is_shipped,
    an_order_is_cancelled_or_sent,
    the_buyer_is_refunded_in_parts,
    an_order_is_second_sourced,
    an_order_is_voided,
    an_order_waits_for_a_card,
)
