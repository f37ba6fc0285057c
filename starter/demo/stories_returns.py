"""Stories of returns: to both refunds, by e-mail, rejected, expired, overdue, returnless, failing, withdrawn."""

from decimal import Decimal
from typing import Final, Literal

from models import ids
from models.case import SlaState
from models.returns import Source
from starter.demo.sample_data import (
    ALTERNATOR,
    BRAKE_PADS,
    CASCADE,
    FILTER,
    IN_AUSTIN,
    IN_BOSTON,
    IN_CHICAGO,
    IN_DENVER,
    IN_SACRAMENTO,
    KEYSTONE,
    LONE_STAR,
    NEULAND,
    NORTHWIND,
    PRAIRIE,
    SHOCK,
    TOLEDO,
)
from starter.demo.story import Story, StoryRun

SERVICE_DESK: Final = "seller:service-desk"
_REFUND_ENDS: Final[tuple[Literal["failed", "succeeded"], ...]] = ("failed", "succeeded")


async def completed(story: StoryRun) -> None:
    """RET-1..14: the supplier's web service issues the number, the seller keeps a tenth."""
    basket = {BRAKE_PADS: 2}
    await story.shipped_order(NORTHWIND, IN_SACRAMENTO, basket, CASCADE.supplier_id)
    case = await story.ask_to_return(basket, "does not fit")
    await case.receives(
        "seller_approval",
        SERVICE_DESK,
        decision="approved",
        restocking_percent="10",
        label_paid_by="buyer",
        carrier="USPS",
    )
    await story.send_back(case)
    await story.accept_and_credit(case, CASCADE.supplier_id, basket)
    await case.shows("the seller is refunded", lambda status: status.facts.get("seller_refund") is not None)
    await case.receives("buyer_refund", SERVICE_DESK, reason="returned as agreed")
    await case.ends("completed")
    story.expect(
        "the supplier issued one RMA number", lambda effects: [rma.state for rma in effects.rmas] == ["issued"]
    )
    story.expect("the broker refunded the seller once", lambda effects: effects.seller_got("82.40"))
    story.expect("the buyer was refunded once, less 10 %", lambda effects: effects.buyer_got("116.82"))
    story.expect("the buyer was written to", lambda effects: effects.mailed(IN_SACRAMENTO.email, 2))


async def rma_by_mail(story: StoryRun) -> None:
    """RET-8, NTF-2, REF-1: the supplier types the number on the page of its link; no click is needed."""
    await story.shipped_order(PRAIRIE, IN_BOSTON, {SHOCK: 2}, KEYSTONE.supplier_id)
    case = await story.ask_to_return(
        {SHOCK: 1}, "defective", source=Source.BUYER, buyer_words="Leaks oil since the first day."
    )
    await case.receives("seller_approval", SERVICE_DESK, decision="approved", label_paid_by="seller")
    await case.reaches("awaiting_rma")
    number = f"KC-{story.order_id}"
    await story.type_rma_number(KEYSTONE.email, number)
    await story.send_back(case)
    await story.accept_and_credit(case, KEYSTONE.supplier_id, {SHOCK: 1})
    await case.ends("completed")
    story.expect(
        "the buyer was told the number that the supplier typed",
        lambda effects: any(
            IN_BOSTON.email in mail.recipients and number in (mail.text or "") for mail in effects.mails
        ),
    )
    story.expect("the broker refunded the seller once", lambda effects: effects.seller_got("47.30"))
    story.expect("the buyer was refunded once, by itself", lambda effects: effects.buyer_got("72.00"))


async def rejected(story: StoryRun) -> None:
    """RET-4."""
    await story.shipped_order(NORTHWIND, IN_CHICAGO, {ALTERNATOR: 1}, TOLEDO.supplier_id)
    case = await story.ask_to_return({ALTERNATOR: 1}, "no longer needed", source=Source.BUYER)
    await case.receives(
        "seller_approval",
        SERVICE_DESK,
        decision="rejected",
        reason="Electrical parts can't be returned once installed.",
    )
    await case.ends("rejected")
    _expect_no_money(story)
    story.expect("the buyer was told why", lambda effects: effects.mailed(IN_CHICAGO.email))


async def expired(story: StoryRun) -> None:
    """RET-10."""
    await story.shipped_order(NEULAND, IN_AUSTIN, {FILTER: 2}, LONE_STAR.supplier_id)
    case = await story.ask_to_return({FILTER: 2}, "ordered too many")
    await case.receives("seller_approval", SERVICE_DESK, decision="approved")
    await case.reaches("awaiting_tracking")
    await case.forward(days=22)
    await case.reaches("expired")
    await case.forward(days=15)
    await case.ends("expired")
    _expect_no_money(story)
    story.expect("the buyer was reminded and told", lambda effects: effects.mailed(IN_AUSTIN.email, 3))


async def overdue(story: StoryRun) -> None:
    """RET-13: by the seller's setting it goes on waiting for the supplier."""
    await story.shipped_order(NORTHWIND, IN_DENVER, {BRAKE_PADS: 1}, CASCADE.supplier_id)
    case = await story.ask_to_return({BRAKE_PADS: 1}, "wrong side")
    await case.receives("seller_approval", SERVICE_DESK, decision="approved")
    await story.send_back(case)
    await case.forward(days=58)
    await case.stays("in_transit", SlaState.BREACHED)
    _expect_no_money(story)
    story.expect(
        "staff were warned 14, 7 and 1 day before, and alerted",
        lambda effects: effects.mailed(story.environment.mail_staff, 4),
    )


async def returnless(story: StoryRun) -> None:
    """RET-5, REF-1."""
    await story.shipped_order(PRAIRIE, IN_SACRAMENTO, {FILTER: 1}, LONE_STAR.supplier_id)
    case = await story.ask_to_return({FILTER: 1}, "torn", source=Source.BUYER)
    await case.receives("seller_approval", SERVICE_DESK, decision="approved", returnless=True)
    await case.ends("completed")
    story.expect("the buyer was refunded once", lambda effects: effects.buyer_got("18.40"))
    story.expect("the seller got nothing back", lambda effects: not effects.seller_refunds and not effects.rmas)


async def refund_failed(story: StoryRun) -> None:
    """REF-7: pending for a day, failed, clicked again."""
    basket = {FILTER: 2}
    await story.shipped_order(
        NORTHWIND, IN_AUSTIN, basket, LONE_STAR.supplier_id, paid_with="pm_card_pendingRefund"
    )
    case = await story.ask_to_return(basket, "does not fit")
    await case.receives("seller_approval", SERVICE_DESK, decision="approved")
    await story.send_back(case)
    await story.accept_and_credit(case, LONE_STAR.supplier_id, basket)
    for attempt, status in enumerate(_REFUND_ENDS, start=1):
        await case.reaches("awaiting_buyer_refund")
        await case.receives("buyer_refund", SERVICE_DESK, reason="returned as agreed")
        await _settle(story, ids.return_refund_id(story.return_id, "buyer", attempt), status)
    await case.ends("completed")
    story.expect(
        "one refund of the buyer failed, one succeeded",
        lambda effects: sorted(refund.status for refund in effects.buyer_refunds) == ["failed", "succeeded"],
    )
    story.expect("the buyer was refunded once", lambda effects: effects.buyer_got("36.80"))
    story.expect("the seller was refunded once", lambda effects: effects.seller_got("19.80"))


async def _settle(story: StoryRun, refund_id: str, status: Literal["succeeded", "failed"]) -> None:
    """The gateway makes up its mind about a pending refund, and says so by a webhook: the refund asks it."""
    refund = story.case(ids.refund_workflow_id(refund_id))
    await refund.reaches("pending")
    await refund.forward(days=0.9)
    reason: Literal["expired_or_canceled_card", "unknown"] = (
        "expired_or_canceled_card" if status == "failed" else "unknown"
    )
    await story.environment.sandbox.settle_refund(refund_id, status, failure_reason=reason)


async def withdrawn(story: StoryRun) -> None:
    """RET-8, RET-15: staff type the RMA number, and the buyer changes its mind."""
    await story.shipped_order(NORTHWIND, IN_CHICAGO, {ALTERNATOR: 1}, TOLEDO.supplier_id)
    case = await story.ask_to_return({ALTERNATOR: 1}, "makes a noise", source=Source.BUYER)
    await case.receives("seller_approval", SERVICE_DESK, decision="approved", return_fee="12.00")
    await case.reaches("awaiting_rma")
    await case.forward(days=1)
    await case.receives("supplier_rma", "staff:maria", outcome="issued", rma_number=f"TR-{story.order_id}")
    await case.reaches("awaiting_tracking")
    await case.receives("withdrawal", "buyer:order-history", reason="it was the belt")
    await case.ends("withdrawn")
    _expect_no_money(story)


async def replaced(story: StoryRun) -> None:
    """RET-24, ORD-15: another one is sent when the goods are back; the buyer's money is not refunded as well."""
    basket = {BRAKE_PADS: 1}
    await story.shipped_order(NORTHWIND, IN_SACRAMENTO, basket, CASCADE.supplier_id)
    case = await story.ask_to_return(basket, "defective", source=Source.BUYER)
    await case.receives("seller_approval", SERVICE_DESK, decision="approved", resolution="replacement")
    await story.send_back(case)
    await story.accept(case, CASCADE.supplier_id, basket)
    number = ids.replacement_order_id(story.return_id)
    order = story.case(ids.order_workflow_id(number))
    bought = ("cancel_window", "awaiting_shipment")
    began = await order.shows("it was ordered", lambda status: status.stage in bought)
    if began.stage == "cancel_window":  # the clock of a case that another one started may run ahead by itself
        await order.forward(minutes=31)
    await order.reaches("awaiting_shipment")
    await order.receives(
        "shipment",
        f"supplier:{CASCADE.supplier_id}",
        shipment_id=f"{number}-p1",
        carrier="UPS",
        tracking_number=f"1Z{number}",
        lines=[{"sku": BRAKE_PADS.sku, "quantity": 1}],
    )
    await order.ends("shipped")
    await story.credit(case, CASCADE.supplier_id, basket)
    await case.ends("completed")
    story.expect("the buyer got no money", lambda effects: not effects.buyer_refunds)
    story.expect("the broker refunded the seller once", lambda effects: effects.seller_got("41.20"))
    story.expect(
        "the buyer was told of its RMA and of its parcel", lambda effects: effects.mailed(IN_SACRAMENTO.email, 2)
    )


def _expect_no_money(story: StoryRun) -> None:
    story.expect("nobody was refunded", lambda effects: not effects.buyer_refunds and not effects.seller_refunds)
    story.expect("the seller paid for the order", lambda effects: effects.captured > Decimal(0))


STORIES: Final = (
    Story("A return through all its steps: RMA, parcel, credit memo, both refunds", completed),
    Story("The supplier types its RMA number on the page of a mailed link", rma_by_mail),
    Story("The seller rejects a return; the buyer is told why", rejected),
    Story("No tracking number: reminded, then expired without a refund", expired),
    Story("The supplier keeps silent: the 60-day SLA is breached, staff are alerted", overdue),
    Story("Nothing needs to come back: the buyer is refunded at once", returnless),
    Story("The buyer's refund fails a day later, and is clicked again", refund_failed),
    Story("The buyer withdraws the return before sending it", withdrawn),
    Story("The buyer gets another one in place of its money", replaced),
)
