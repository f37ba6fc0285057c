"""Cancel requests, and whether each came in time (CAN-1..6, CAN-11)."""

from datetime import UTC, datetime

from models.cancellations import CancelRequest
from models.case import OrderStage as Stage
from models.event_times import Arrival
from models.failures import Conflict, RefusedByRule
from models.ids import late_cancel_return_id
from models.naming import by_line, by_sku, units_named
from models.orders import Channel
from models.partners import Recipient
from models.returns import ReturnLine, ReturnRequest, Source
from models.splits import OrderSplit
from workflows.engine.case import Note
from workflows.engine.pieces import just, mail_lines, notify, wait
from workflows.engine.plan import Plan
from workflows.engine.procedure import Reply
from workflows.orders import splitting, voiding
from workflows.orders.effects import LookUpArrival, OpenLateCancelReturn, SplitOff
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
    if (units := _units_of(f, event)) and f.request.replaces is not None:
        raise RefusedByRule("RET-24", "a replacement is cancelled as a whole")
    open_units = f.open_units
    for line in f.lines.units(units):
        if line.quantity > (left := open_units.get(line.line_id, 0)):
            raise RefusedByRule("CAN-10", f"{line.quantity} of {line.sku} can't be cancelled: {left} are open")


def _units_of(f: OrderFacts, event: CancelRequest) -> dict[str, int]:
    """That the request is about, by `line_id`; none: all that is open."""
    if event.lines is None:
        return {}
    try:
        units = by_line(units_named(event.lines, f.lines.counts, left=f.open_units))
    except ValueError as error:
        raise RefusedByRule("ORD-13", str(error)) from None
    return {} if units == f.open_units else units


def receive(f: OrderFacts, event: CancelRequest) -> OrderFacts:
    """Decide the request at once where it can be: in the cancel window, and while a person is waited for, nothing
    need be looked up (CAN-1); once the order is with a supplier it is too late (CAN-2). Otherwise the moment
    decides at which it reached the server (CAN-3)."""
    in_time_for_people = f.is_open and f.awaits_people
    one = CancelAsked(event=event, handled_at=f.now, units=_units_of(f, event))
    f = f.with_(cancels=(*f.cancels, one))
    if f.splitting is not None or (one.units and f.undecided_cancel is not one):
        return f  # one after the other
    return _decide(f, one, in_time_for_people=in_time_for_people)


def decide_early_ones(f: OrderFacts) -> OrderFacts:
    """The order is written down now: decide what was asked for before, one after the other."""
    return _decide_in_turn(f, in_time_for_people=f.released_at is None)


def split_answered(f: OrderFacts, effect: SplitOff, answer: OrderSplit) -> OrderFacts:
    """Units moved to an order of their own, or stay: what was asked for meanwhile is decided now (CAN-10)."""
    f = splitting.answered(f, effect, answer)
    return _decide_in_turn(f, in_time_for_people=f.awaits_people)


def _decide_in_turn(f: OrderFacts, *, in_time_for_people: bool) -> OrderFacts:
    for one in f.cancels:
        if f.undecided_cancel is one and f.splitting is None:
            f = _decide(f, one, in_time_for_people=in_time_for_people)
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
    if decision == "accepted" and one.units:
        units = {line_id: min(count, f.lines.open.get(line_id, 0)) for line_id, count in one.units.items()}
        units = {line_id: count for line_id, count in units.items() if count}
        if units and units != f.lines.open:
            return splitting.begin(f, one, units, arrived_at)
        decision = "accepted" if units else "nothing_left"
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
        case "split" | "not_split":
            return one.message
        case "too_late":
            until = f.cancel_until
            closed = f"the cancel window closed at {_time(until, 19)} UTC" if until else "it was sent"
            return f"already fulfilled: {closed}; once shipped it can be returned (CAN-2)"


def reply(f: OrderFacts, event: CancelRequest) -> Reply | None:
    """What the sender is told; none while it is undecided."""
    one = next((one for one in f.cancels if one.event.event_id == event.event_id), None)
    if one is None or one.decision is None:
        return None
    return Reply(accepted=one.decision in ("accepted", "split", "cancelled_already"), message=one.message)


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
    part_of = f.request.split_from.order_id if f.request.split_from else None
    mail = notify(
        "cancelled",
        "order_cancelled",
        Recipient.SELLER,
        reason=reason,
        refund_automatic=automatic,
        amount=(charge.captured or charge.amount) if charge else None,
        currency=f.currency,
        collected="yes" if f.captured else None,
        lines=mail_lines(by_sku(line for one in f.cessations for line in one.lines)) if part_of else (),
        part_of=part_of,
    )
    return just(mail)


def arrival(f: OrderFacts) -> Plan:
    """CAN-3: nothing goes to a supplier while nobody knows whether a request came in time (CAN-4)."""
    one = f.undecided_cancel
    if one is None or not f.is_open:
        return Plan()
    if one.split is not None:
        return splitting.move(f, one)
    effect = LookUpArrival(key=f"arrival:{one.event.event_id}", event_id=one.event.event_id)
    stage = Stage.PLACING if f.searches else Stage.CANCEL_WINDOW
    return just(effect) + wait(stage, effect.who, effect.summary, one.handled_at)


def late_cancel_return(f: OrderFacts) -> Plan:
    """CAN-2: what was asked for too late goes on as a return once it is shipped."""
    if f.outcome != Stage.SHIPPED or not _wanted_back(f):
        return Plan()
    return just(OpenLateCancelReturn())


def _wanted_back(f: OrderFacts) -> dict[str, int]:
    """Units by `line_id` that were shipped although somebody asked to cancel them, too late."""
    shipped = by_line(f.lines.shipped)
    asked = [one.units or shipped for one in f.late_cancels]
    wanted = {line_id: sum(units.get(line_id, 0) for units in asked) for line_id in shipped}
    return {line_id: min(count, shipped[line_id]) for line_id, count in wanted.items() if count}


def return_of(f: OrderFacts) -> ReturnRequest:
    """The return that cancel requests become that came too late: what they are about of all that was shipped."""
    event = f.late_cancels[0].event
    wanted = _wanted_back(f)
    return ReturnRequest(
        return_id=late_cancel_return_id(f.order_id),
        order_id=f.order_id,
        source=Source.LATE_CANCEL,
        requested_by=event.actor,
        lines=tuple(
            ReturnLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity, reason=event.reason)
            for line in f.lines.units(wanted)
        ),
        note="the cancel request came after the cancel window",
    )
