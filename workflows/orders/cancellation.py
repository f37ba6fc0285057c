"""Cancel requests, and whether each came in time (CAN-1..6, CAN-11)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from models.case import OrderStage as Stage
from models.event_times import Arrival
from models.failures import Conflict, RefusedByRule
from models.ids import late_cancel_return_id
from models.message import LineUnits, Quantity
from models.naming import by_line, units_named
from models.orders import CancelRequest, Channel
from models.partners import Recipient
from models.returns import ReturnLine, ReturnRequest, Source
from workflows.engine.case import Note
from workflows.engine.pieces import just, notify, wait
from workflows.engine.plan import Plan
from workflows.engine.procedure import Reply
from workflows.orders import voiding
from workflows.orders.effects import LookUpArrival, OpenLateCancelReturn
from workflows.orders.facts import OrderFacts
from workflows.orders.records import CancelAsked, Decision

# ---- a request comes ----


def check(f: OrderFacts, event: CancelRequest) -> None:
    """Raises a BackhaulError when a rule refuses the request."""
    if f.accepted_cancel is not None:
        raise Conflict("the order is being cancelled already")
    of_ebay = f.request.channel is Channel.EBAY and f.request.replaces is None  # eBay knows no replacement
    if of_ebay and not event.channel_reference:
        raise RefusedByRule(
            "CAN-5", "an eBay order needs the buyer's cancellation request there: give channel_reference"
        )
    if event.lines is not None and by_line(_lines_of(f, event.lines)) != f.lines.open:
        raise RefusedByRule("CAN-10", "only the whole order can be cancelled here: split it first")


def _lines_of(f: OrderFacts, named: Sequence[Quantity]) -> tuple[LineUnits, ...]:
    try:
        return units_named(named, f.lines.counts, left=f.lines.open)
    except ValueError as error:
        raise RefusedByRule("ORD-13", str(error)) from None


def receive(f: OrderFacts, event: CancelRequest) -> OrderFacts:
    """Decide the request at once where it can be: in the cancel window, and while a person is waited for, nothing
    need be looked up (CAN-1); once the order is with a supplier it is too late (CAN-2). Otherwise the moment
    decides at which it reached the server (CAN-3)."""
    in_time_for_people = f.is_open and f.awaits_people
    f = f.with_(cancels=(*f.cancels, CancelAsked(event=event, handled_at=f.now)))
    return _decide(f, f.cancels[-1], in_time_for_people=in_time_for_people)


def decide_early_ones(f: OrderFacts) -> OrderFacts:
    """The order is written down now: decide what was asked for before, one after the other."""
    for early in f.cancels:
        if f.undecided_cancel is early:
            f = _decide(f, early, in_time_for_people=f.released_at is None)
    return f


def arrival_known(f: OrderFacts, effect: LookUpArrival, arrival: Arrival) -> OrderFacts:
    """When the server received the request decides (CAN-3); one that its history does not have is too late."""
    one = next((one for one in f.cancels if one.event.event_id == effect.event_id), None)
    if one is None or one.decision is not None:
        return f
    at = datetime.fromisoformat(arrival.at) if arrival.at is not None else None
    if at is None or f.cancel_until is None or at >= f.cancel_until:
        return _decided(f, one, _decision(f) if f.is_void else "too_late", at or one.handled_at)
    return _decided(f, one, _decision(f), at)


def _decide(f: OrderFacts, one: CancelAsked, *, in_time_for_people: bool) -> OrderFacts:
    if not f.is_open:
        return f
    until = f.cancel_until
    in_time = in_time_for_people or until is None or one.handled_at < until
    if in_time or f.is_void or f.is_with_supplier:
        return _decided(f, one, _decision(f), one.handled_at)
    return f


def _decision(f: OrderFacts) -> Decision:
    """What becomes of a request that came in time, or that finds nothing to decide any more."""
    if f.is_void:
        return "cancelled_already" if f.is_given_up else "nothing_left"
    return "too_late" if f.is_with_supplier else "accepted"


def _decided(f: OrderFacts, one: CancelAsked, decision: Decision, arrived_at: datetime) -> OrderFacts:
    message = _message(f, one, decision)
    known = one.model_copy(update={"decision": decision, "message": message, "arrived_at": arrived_at})
    f = f.with_(cancels=tuple(known if other is one else other for other in f.cancels))
    return _accepted(f, known) if decision == "accepted" else f


def _accepted(f: OrderFacts, accepted: CancelAsked) -> OrderFacts:
    """All that is open is cancelled; whoever asked beside is told so."""
    f = voiding.cancel(f, accepted)
    for other in f.cancels:
        if other.decision is None:
            f = _decided(f, other, "cancelled_already", other.handled_at)
    return f


def _message(f: OrderFacts, one: CancelAsked, decision: Decision) -> str:
    match decision:
        case "accepted":
            return f"cancelled: {one.event.reason}"
        case "cancelled_already":
            return "the order is being cancelled already"
        case "nothing_left":
            return "nothing is left to cancel: no source has the items"
        case "too_late":
            until = f.cancel_until
            closed = f"the cancel window closed at {_time(until, 19)} UTC" if until else "it was sent"
            return f"already fulfilled: {closed}; once shipped it can be returned (CAN-2)"


def reply(f: OrderFacts, event: CancelRequest) -> Reply | None:
    """What the sender is told; none while it is undecided."""
    one = next((one for one in f.cancels if one.event.event_id == event.event_id), None)
    if one is None or one.decision is None:
        return None
    return Reply(accepted=one.decision in ("accepted", "cancelled_already"), message=one.message)


def _time(moment: datetime, length: int) -> str:
    return moment.astimezone(UTC).isoformat(sep=" ")[:length]


# ---- what follows ----


def answers(f: OrderFacts) -> Plan:
    """Each request is answered in the timeline; of one that came too late the seller is told (NTF-4)."""
    told = Plan()
    for one in f.cancels:
        if one.decision is not None:
            event = one.event
            said = f"cancel request: {one.message}"
            told += just(Note(key=f"note:cancel-{event.event_id}", what=said, by=event.actor))
        if one.decision == "too_late":
            told += just(
                notify(
                    f"too-late-{one.event.event_id}",
                    "cancel_too_late",
                    Recipient.SELLER,
                    reason=one.event.reason,
                    window_closed=f.cancel_until,
                    asked_at=one.arrived_at,
                )
            )
    return told


def notice(f: OrderFacts, accepted: CancelAsked) -> Plan:
    """The seller is told that the order is cancelled."""
    automatic = "yes" if f.seller.auto_refund_buyer else None
    reason = accepted.event.reason
    charge = f.charge
    mail = notify(
        "cancelled",
        "order_cancelled",
        Recipient.SELLER,
        reason=reason,
        refund_automatic=automatic,
        amount=(charge.captured or charge.amount) if charge else None,
        currency=f.currency,
        collected="yes" if f.captured else None,
    )
    return just(mail)


def arrival(f: OrderFacts) -> Plan:
    """CAN-3: nothing goes to a supplier while nobody knows whether a request came in time (CAN-4)."""
    one = f.undecided_cancel
    if one is None or not f.is_open:
        return Plan()
    effect = LookUpArrival(key=f"arrival:{one.event.event_id}", event_id=one.event.event_id)
    stage = Stage.PLACING if f.searches else Stage.CANCEL_WINDOW
    return just(effect) + wait(stage, effect.who, effect.summary, one.handled_at)


def late_cancel_return(f: OrderFacts) -> Plan:
    """CAN-2: what was asked for too late goes on as a return once it is shipped."""
    if f.outcome != Stage.SHIPPED or not f.late_cancels:
        return Plan()
    return just(OpenLateCancelReturn())


def return_of(f: OrderFacts) -> ReturnRequest:
    """The return that a cancel request becomes that came too late: all that was shipped."""
    event = f.late_cancels[0].event
    return ReturnRequest(
        return_id=late_cancel_return_id(f.order_id),
        order_id=f.order_id,
        source=Source.LATE_CANCEL,
        requested_by=event.actor,
        lines=tuple(
            ReturnLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity, reason=event.reason)
            for line in f.lines.shipped
        ),
        note="the cancel request came after the cancel window",
    )
