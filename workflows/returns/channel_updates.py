"""What a marketplace did by itself: told to people, and recorded under the same cap (RET-18, REF-3)."""

from decimal import Decimal

from models.case import ReturnStage as Stage
from models.case import Who
from models.money import is_whole
from models.refunds import Way
from models.returns import ChannelUpdate
from workflows.engine.pieces import alert, just
from workflows.engine.plan import Plan
from workflows.refunds.attempts import BUYER, those_of
from workflows.returns.effects import PassChannelRefund
from workflows.returns.facts import ReturnFacts
from workflows.returns.refund_amounts import units_of_the_rest
from workflows.returns.refund_requests import make_refund, refund_under_way, under_next_id


def channel_updates(f: ReturnFacts) -> Plan:
    """Staff and seller are told of it; what was refunded is recorded at once, one at a time."""
    told = channel_told(f)
    if (renumbered := under_next_id(f, BUYER, Way.MARKETPLACE)) is not None:
        return told + just(renumbered)
    recorded = those_of(f.refunds, BUYER, Way.MARKETPLACE)
    if recorded and recorded[-1].is_under_way:
        return told + refund_under_way(Stage.REFUNDING_BUYER, recorded[-1])
    todo = [one for one in f.channel_refunds if one.event_id not in f.channel_passed]
    return told + _record(f, todo[0]) if todo else told


def channel_told(f: ReturnFacts) -> Plan:
    told = _assumed_otherwise(f)
    for event in f.channel_news:
        what = f"the marketplace says: {event.status.replace('_', ' ')}"
        told += just(alert(f, f"channel-{event.event_id}", what, Who.SELLER))
    if f.channel_refunds and any(one.may_have_moved_money for one in f.buyer_attempts):
        twice = f"twice-{f.channel_refunds[0].event_id}"
        told += just(alert(f, twice, "the marketplace and the seller both refunded the buyer", Who.STAFF))
    booked = [one for one in those_of(f.refunds, BUYER, Way.MARKETPLACE) if one.state == "succeeded"]
    given = sum((one.amount for one in booked), Decimal(0))
    if booked and given + f.refunded < f.snapshot.paid - f.fees:
        what = (
            f"the marketplace refunded the buyer {given} of {f.snapshot.paid} {f.snapshot.currency}, and the "
            f"return refunds no more: if the rest is due, refund it of order {f.order_id} itself"
        )
        told += just(alert(f, f"channel-part-{booked[-1].refund_id}", what, Who.SELLER))
    for one in those_of(f.refunds, BUYER, Way.MARKETPLACE):
        if one.state in ("failed", "refused", "in_doubt") and not one.asked_anew:
            what = f"the marketplace's refund could not be booked: {one.reason}"
            told += just(alert(f, one.refund_id, what, Who.STAFF))
    return told


def _record(f: ReturnFacts, event: ChannelUpdate) -> Plan:
    """What it says, or what failed afterwards, or all that is left; nothing needs no booking. Once it is all that
    the buyer had to get, it is for the units of the return (REF-13)."""
    currency, key = f.snapshot.currency, f"channel:{event.event_id}"
    if event.amount is not None and not is_whole(event.amount, currency):
        why = f"amount is finer than the smallest unit of {currency} (RET-18)"
        what = f"the marketplace refunded the buyer, by an amount that can't be booked: {why}"
        passed = PassChannelRefund(key=key, event_id=event.event_id, unusable=why)
        return just(passed, alert(f, f"channel-{event.event_id}", what, Who.STAFF))
    recorded = those_of(f.refunds, BUYER, Way.MARKETPLACE)
    booked = sum((one.amount for one in recorded if not one.asked_anew), Decimal(0))
    failed_afterwards = sum((one.amount for one in f.buyer_owed), Decimal(0))
    amount = failed_afterwards or f.snapshot.paid - booked
    if event.amount is not None:
        amount = min(event.amount, _said(f, event) - _assumed(f))
    if amount <= 0:
        return just(PassChannelRefund(key=key, event_id=event.event_id))
    is_whole_return = booked + f.refunded + amount >= f.snapshot.paid - f.fees
    return just(
        make_refund(
            f,
            BUYER,
            amount,
            "refunded by the marketplace",
            event.actor,
            way=Way.MARKETPLACE,
            lines=units_of_the_rest(f) if is_whole_return else (),
            asked_by=event.event_id,
        ),
    )


def _assumed(f: ReturnFacts) -> Decimal:
    """What was booked of refunds of which the marketplace did not say how much it gave."""
    unsaid = {one.event_id for one in f.channel_refunds if one.amount is None}
    recorded = those_of(f.refunds, BUYER, Way.MARKETPLACE)
    return sum((one.amount for one in recorded if one.asked_by in unsaid and one.state == "succeeded"), Decimal(0))


def _said(f: ReturnFacts, last: ChannelUpdate) -> Decimal:
    """All amounts that the marketplace named so far, as far as this word."""
    until = [one.event_id for one in f.channel_refunds].index(last.event_id) + 1
    return sum((one.amount for one in f.channel_refunds[:until] if one.amount is not None), Decimal(0))


def _assumed_otherwise(f: ReturnFacts) -> Plan:
    """What was assumed is not what the marketplace says it gave: a person corrects the books."""
    assumed = _assumed(f)
    named = [one for one in f.channel_refunds if one.amount is not None]
    if not assumed or not named or (said := _said(f, named[-1])) >= assumed:
        return Plan()
    what = (
        f"{assumed} {f.snapshot.currency} were recorded as refunded by the marketplace, which had not said how "
        f"much; now it says {said}: correct the books if no more comes"
    )
    return just(alert(f, f"channel-assumed-{named[-1].event_id}", what, Who.STAFF))
