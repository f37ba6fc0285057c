"""Stories of returns: to both refunds, by e-mail, rejected, expired, overdue, returnless, failing, withdrawn."""

from decimal import Decimal
from typing import Final, Literal

from models import ids
from models.case import SlaState
from models.returns import Source
from starter.demo.setting import (
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
from starter.demo.story import Story, Telling

DESK: Final = "seller:service-desk"
_REFUND_ENDS: Final[tuple[Literal["failed", "succeeded"], ...]] = ("failed", "succeeded")


async def completed(tell: Telling) -> None:
    """RET-1..14: the supplier's web service issues the number, the seller keeps a tenth."""
    basket = {BRAKE_PADS: 2}
    await tell.shipped_order(NORTHWIND, IN_SACRAMENTO, basket, CASCADE.supplier_id)
    case = await tell.ask_to_return(basket, "does not fit")
    await case.hears(
        "seller_approval",
        DESK,
        decision="approved",
        restocking_percent="10",
        label_paid_by="buyer",
        carrier="USPS",
    )
    await tell.send_back(case)
    await tell.accept_and_credit(case, CASCADE.supplier_id, basket)
    await case.shows("the seller is refunded", lambda status: status.facts.get("seller_refund") is not None)
    await case.hears("buyer_refund", DESK, reason="returned as agreed")
    await case.ends("completed")
    tell.expect("the supplier issued one RMA number", lambda seen: [rma.state for rma in seen.rmas] == ["issued"])
    tell.expect("the broker refunded the seller once", lambda seen: seen.seller_got("82.40"))
    tell.expect("the buyer was refunded once, less 10 %", lambda seen: seen.buyer_got("116.82"))
    tell.expect("the buyer was written to", lambda seen: seen.mailed(IN_SACRAMENTO.email, 2))


async def rma_by_mail(tell: Telling) -> None:
    """RET-8, NTF-2, REF-1: the supplier types the number on the page of its link; no click is needed."""
    await tell.shipped_order(PRAIRIE, IN_BOSTON, {SHOCK: 2}, KEYSTONE.supplier_id)
    case = await tell.ask_to_return(
        {SHOCK: 1}, "defective", source=Source.BUYER, buyer_words="Leaks oil since the first day."
    )
    await case.hears("seller_approval", DESK, decision="approved", label_paid_by="seller")
    await case.reaches("awaiting_rma")
    number = f"KC-{tell.order_id}"
    await tell.type_rma_number(KEYSTONE.email, number)
    await tell.send_back(case)
    await tell.accept_and_credit(case, KEYSTONE.supplier_id, {SHOCK: 1})
    await case.ends("completed")
    tell.expect(
        "the buyer was told the number that the supplier typed",
        lambda seen: any(
            IN_BOSTON.email in mail.recipients and number in (mail.text or "") for mail in seen.mails
        ),
    )
    tell.expect("the broker refunded the seller once", lambda seen: seen.seller_got("47.30"))
    tell.expect("the buyer was refunded once, by itself", lambda seen: seen.buyer_got("72.00"))


async def rejected(tell: Telling) -> None:
    """RET-4."""
    await tell.shipped_order(NORTHWIND, IN_CHICAGO, {ALTERNATOR: 1}, TOLEDO.supplier_id)
    case = await tell.ask_to_return({ALTERNATOR: 1}, "no longer needed", source=Source.BUYER)
    await case.hears(
        "seller_approval", DESK, decision="rejected", reason="Electrical parts can't be returned once installed."
    )
    await case.ends("rejected")
    _expect_no_money(tell)
    tell.expect("the buyer was told why", lambda seen: seen.mailed(IN_CHICAGO.email))


async def expired(tell: Telling) -> None:
    """RET-10."""
    await tell.shipped_order(NEULAND, IN_AUSTIN, {FILTER: 2}, LONE_STAR.supplier_id)
    case = await tell.ask_to_return({FILTER: 2}, "ordered too many")
    await case.hears("seller_approval", DESK, decision="approved")
    await case.reaches("awaiting_tracking")
    await case.forward(days=22)
    await case.reaches("expired")
    await case.forward(days=15)
    await case.ends("expired")
    _expect_no_money(tell)
    tell.expect("the buyer was reminded and told", lambda seen: seen.mailed(IN_AUSTIN.email, 3))


async def overdue(tell: Telling) -> None:
    """RET-13: by the seller's setting it goes on waiting for the supplier."""
    await tell.shipped_order(NORTHWIND, IN_DENVER, {BRAKE_PADS: 1}, CASCADE.supplier_id)
    case = await tell.ask_to_return({BRAKE_PADS: 1}, "wrong side")
    await case.hears("seller_approval", DESK, decision="approved")
    await tell.send_back(case)
    await case.forward(days=58)
    await case.stays("in_transit", SlaState.BREACHED)
    _expect_no_money(tell)
    tell.expect(
        "staff were warned 14, 7 and 1 day before, and alerted",
        lambda seen: seen.mailed(tell.place.mail_staff, 4),
    )


async def returnless(tell: Telling) -> None:
    """RET-5, REF-1."""
    await tell.shipped_order(PRAIRIE, IN_SACRAMENTO, {FILTER: 1}, LONE_STAR.supplier_id)
    case = await tell.ask_to_return({FILTER: 1}, "torn", source=Source.BUYER)
    await case.hears("seller_approval", DESK, decision="approved", returnless=True)
    await case.ends("completed")
    tell.expect("the buyer was refunded once", lambda seen: seen.buyer_got("18.40"))
    tell.expect("the seller got nothing back", lambda seen: not seen.seller_refunds and not seen.rmas)


async def refund_failed(tell: Telling) -> None:
    """REF-7: pending for a day, failed, clicked again."""
    basket = {FILTER: 2}
    await tell.shipped_order(
        NORTHWIND, IN_AUSTIN, basket, LONE_STAR.supplier_id, paid_with="pm_card_pendingRefund"
    )
    case = await tell.ask_to_return(basket, "does not fit")
    await case.hears("seller_approval", DESK, decision="approved")
    await tell.send_back(case)
    await tell.accept_and_credit(case, LONE_STAR.supplier_id, basket)
    for attempt, status in enumerate(_REFUND_ENDS, start=1):
        await case.reaches("awaiting_buyer_refund")
        await case.hears("buyer_refund", DESK, reason="returned as agreed")
        await _settle(tell, ids.buyer_refund_id(tell.return_id, attempt), status)
    await case.ends("completed")
    tell.expect(
        "one refund of the buyer failed, one succeeded",
        lambda seen: sorted(refund.status for refund in seen.buyer_refunds) == ["failed", "succeeded"],
    )
    tell.expect("the buyer was refunded once", lambda seen: seen.buyer_got("36.80"))
    tell.expect("the seller was refunded once", lambda seen: seen.seller_got("19.80"))


async def _settle(tell: Telling, refund_id: str, status: Literal["succeeded", "failed"]) -> None:
    """The gateway makes up its mind about a pending refund and says so."""
    refund = tell.case(ids.refund_workflow_id(refund_id))
    pending = await refund.reaches("pending")
    await refund.forward(days=0.9)
    reason: Literal["expired_or_canceled_card", "unknown"] = (
        "expired_or_canceled_card" if status == "failed" else "unknown"
    )
    await tell.place.sandbox.settle_refund(refund_id, status, failure_reason=reason)
    await refund.hears(
        "gateway_update",
        "gateway:stripe",
        status=status,
        gateway_refund_id=pending.facts["gateway_refund_id"],
        reason=reason if status == "failed" else None,
    )


async def withdrawn(tell: Telling) -> None:
    """RET-8, RET-15: staff type the RMA number, and the buyer changes its mind."""
    await tell.shipped_order(NORTHWIND, IN_CHICAGO, {ALTERNATOR: 1}, TOLEDO.supplier_id)
    case = await tell.ask_to_return({ALTERNATOR: 1}, "makes a noise", source=Source.BUYER)
    await case.hears("seller_approval", DESK, decision="approved", return_fee="12.00")
    await case.reaches("awaiting_rma")
    await case.forward(days=1)
    await case.hears("supplier_rma", "staff:maria", outcome="issued", rma_number=f"TR-{tell.order_id}")
    await case.reaches("awaiting_tracking")
    await case.hears("withdrawal", "buyer:order-history", reason="it was the belt")
    await case.ends("withdrawn")
    _expect_no_money(tell)


def _expect_no_money(tell: Telling) -> None:
    tell.expect("nobody was refunded", lambda seen: not seen.buyer_refunds and not seen.seller_refunds)
    tell.expect("the seller paid for the order", lambda seen: seen.captured > Decimal(0))


STORIES: Final = (
    Story("A return through all its steps: RMA, parcel, credit memo, both refunds", completed),
    Story("The supplier types its RMA number on the page of a mailed link", rma_by_mail),
    Story("The seller rejects a return; the buyer is told why", rejected),
    Story("No tracking number: reminded, then expired without a refund", expired),
    Story("The supplier keeps silent: the 60-day SLA is breached, staff are alerted", overdue),
    Story("Nothing needs to come back: the buyer is refunded at once", returnless),
    Story("The buyer's refund fails a day later, and is clicked again", refund_failed),
    Story("The buyer withdraws the return before sending it", withdrawn),
)
