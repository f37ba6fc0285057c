"""Cases told so that they go on whatever breaks meanwhile: every act is repeated until it is known to be done.

Acts are repeatable: a case is started under its own id, an event keeps its `event_id`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import httpx
from sqlalchemy.exc import DBAPIError
from temporalio.service import RPCError, RPCStatusCode

from models.failures import PartnerUnavailable
from tests.world import CaseStory, OrderStory, World

PATIENCE_SECONDS: Final = 100.0
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
            await asyncio.sleep(0.1)


async def stage_of(case: CaseStory) -> str:
    """Where the books say that the case stands: no worker is needed to look."""
    standing = await asyncio.to_thread(case.world.reading.standing, case.handle.id)
    return standing.stage if standing is not None else "unknown"


async def stands_at(case: CaseStory, *stages: str) -> str:
    """Wait until the case stands at one of these stages."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while (stage := await patiently(lambda: stage_of(case))) not in stages:
        assert asyncio.get_running_loop().time() < deadline, f"{case.id} stands at {stage}, not at {stages}"
        await asyncio.sleep(0.05)
    return stage


async def tell(case: CaseStory, name: str, **fields: Any) -> None:
    """Send an event as a signal; repeated, it keeps its id and counts once."""
    event = case.event(**fields)
    await patiently(lambda: case.handle.signal(name, event))


async def result_of(case: CaseStory) -> Any:
    """What the case's workflow ended with."""
    return await patiently(case.handle.result)


async def pass_by(case: CaseStory, **duration: float) -> None:
    """Let the case's time pass. Moved twice because an answer was lost, more of it passes."""
    try:
        await patiently(lambda: case.forward(**duration))
    except RPCError as gone:
        if gone.status is not RPCStatusCode.NOT_FOUND:  # the case has ended
            raise


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
        **seller: Any,
    ) -> OrderStory:
        """An order of two units from a supplier with a web service for RMAs."""
        world = self.world
        supplier = await patiently(lambda: world.supplier(rma=rma))
        sku = world.sku()
        await patiently(lambda: world.stock(sku, stock, supplier, second_source=second_source))
        owner = await patiently(lambda: world.seller(**seller))
        lines = {"sku": sku, "quantity": 2}
        return await patiently(lambda: world.order(owner, lines, buyer_method=buyer_method))

    async def placed(self, order: OrderStory) -> None:
        await stands_at(order, "cancel_window", "awaiting_shipment")
        while await patiently(lambda: stage_of(order)) == "cancel_window":
            await pass_by(order, minutes=31)
            await asyncio.sleep(0.1)
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
    while await patiently(lambda: stage_of(order)) != "voided":
        await pass_by(order, minutes=31)
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
    states = sorted([str((await result_of(case))["state"]) for case in cases])
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
