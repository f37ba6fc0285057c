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
    told = Plan()
    for event in f.channel_news:
        what = f"the marketplace says: {event.status.replace('_', ' ')}"
        told += just(alert(f, f"channel-{event.event_id}", what, Who.SELLER))
    if f.channel_refunds and any(one.may_have_moved_money for one in f.buyer_attempts):
        twice = f"twice-{f.channel_refunds[0].event_id}"
        told += just(alert(f, twice, "the marketplace and the seller both refunded the buyer", Who.STAFF))
    for one in those_of(f.refunds, BUYER, Way.MARKETPLACE):
        if one.state in ("failed", "refused", "in_doubt") and not one.renumbered:
            what = f"the marketplace's refund could not be booked: {one.reason}"
            told += just(alert(f, one.refund_id, what, Who.STAFF))
    return told


def _record(f: ReturnFacts, event: ChannelUpdate) -> Plan:
    """What it says, or what failed afterwards, or all that is left; nothing needs no booking."""
    currency, key = f.snapshot.currency, f"channel:{event.event_id}"
    if event.amount is not None and not is_whole(event.amount, currency):
        why = f"amount is finer than the smallest unit of {currency} (RET-18)"
        what = f"the marketplace refunded the buyer, by an amount that can't be booked: {why}"
        passed = PassChannelRefund(key=key, event_id=event.event_id, unusable=why)
        return just(passed, alert(f, f"channel-{event.event_id}", what, Who.STAFF))
    recorded = those_of(f.refunds, BUYER, Way.MARKETPLACE)
    booked = sum((one.amount for one in recorded if not one.renumbered), Decimal(0))
    failed_afterwards = sum((one.amount for one in f.buyer_owed), Decimal(0))
    amount = event.amount or failed_afterwards or f.snapshot.paid - booked
    if amount <= 0:
        return just(PassChannelRefund(key=key, event_id=event.event_id))
    reason = "refunded by the marketplace"
    return just(
        make_refund(f, BUYER, amount, reason, event.actor, way=Way.MARKETPLACE, asked_by=event.event_id),
    )
