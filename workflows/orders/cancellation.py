"""Cancel requests, and whether each came in time (CAN-1..6, CAN-11)."""

from datetime import UTC, datetime

from models.amazon.messages import CancelReason
from models.amazon.reasons import cancel_reason
from models.cancellations import CancelRequest
from models.case import OrderStage as Stage
from models.case import Who
from models.event_times import Arrival
from models.failures import Conflict, RefusedByRule
from models.ids import late_cancel_return_id
from models.naming import by_line, by_sku, units_named
from models.orders import Channel, Hold
from models.partners import ChargeState, Recipient
from models.returns import ReturnLine, ReturnRequest, Source
from models.senders import Role, role_of
from models.splits import OrderSplit
from models.text import one_line
from workflows.engine.case import Note
from workflows.engine.pieces import alert, just, mail_lines, notify, wait
from workflows.engine.plan import Plan
from workflows.engine.procedure import Reply
from workflows.orders import splitting, voiding
from workflows.orders.effects import LookUpArrival, OpenLateCancelReturn, SplitOff
from workflows.orders.facts import OrderFacts
from workflows.orders.purchases import less, within
from workflows.orders.records import CancelAsked, Decision
from workflows.orders.void_choices import may_cancel

_LONGEST_NEW_REASON = 380
"""So that what it was on hold for before has room beside it."""

# ---- a request comes ----


def check(f: OrderFacts, event: CancelRequest) -> None:
    """Raises a BackhaulError when a rule refuses the request."""
    if f.accepted_cancel is not None:
        raise Conflict("the order is being cancelled already")
    if event.cancelled_there and role_of(event) not in (Role.CHANNEL, Role.STAFF, Role.SCRIPT):
        raise RefusedByRule("CAN-8", "that it is cancelled there already is the marketplace's word, or staff's")
    allowed = f.seller_settings is not None and f.seller_settings.cancel_without_sending
    if event.without_sending and not allowed:
        raise RefusedByRule("CAN-9", "the seller's settings do not allow it: the marketplace is told")
    if event.zero_out_inventory:
        _require_zero_out(f, event)
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


def _require_zero_out(f: OrderFacts, event: CancelRequest) -> None:
    """CAN-9: of Amazon's orders, for no stock alone, and where the seller's settings allow it."""
    if f.request.channel is not Channel.AMAZON:
        raise RefusedByRule("CAN-9", "only what is offered at Amazon can be set to no stock there")
    if cancel_reason(event.reason) is not CancelReason.NO_INVENTORY:
        raise RefusedByRule("CAN-9", "only with the reason `no stock` can items be offered no more")
    if f.seller_settings is None or not f.seller_settings.zero_out_inventory:
        raise RefusedByRule("CAN-9", "the seller's settings do not allow it: items stay offered as they are")


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
    in_time_for_people = f.is_open and _awaits_people(f)
    came_in_time = in_time_for_people or (f.is_open and f.hold is not None)
    one = CancelAsked(event=event, handled_at=f.now, units=_units_of(f, event), came_in_time=came_in_time)
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
    if answer.request is None and effect.split_from.event.cancelled_there:
        f = _held_as_not_split(f, effect, answer)
    return _decide_in_turn(f, in_time_for_people=_awaits_people(f))


def _held_as_not_split(f: OrderFacts, effect: SplitOff, answer: OrderSplit) -> OrderFacts:
    """What the marketplace has cancelled is not shipped because it can't be cancelled here (CAN-8)."""
    if f.is_given_up:
        return f
    what = f.lines.in_words(effect.units)
    reason = f"{what} cancelled at the marketplace can't be cancelled here: {answer.reason}"
    return held(f, f"{effect.split_from.event.event_id}:hold"[:100], reason)


def held(f: OrderFacts, event_id: str, reason: str) -> OrderFacts:
    """On hold for this too: whoever releases it knows why it was on hold before, and why it is. No answer to the
    buyer releases it."""
    reason = one_line(reason)[:_LONGEST_NEW_REASON]
    said = f"{'put' if f.hold is None else 'stays'} on hold: {reason}"
    before = f.hold.reason if f.hold is not None and f.hold.answer_days is None else ""
    why = before if reason in before else "; also: ".join(one for one in (reason, before) if one)[:500]
    hold = Hold(event_id=event_id, actor="system:backhaul", reason=why)
    asked = f.buyer_asked
    if asked is not None and asked.declined_at is None:
        asked = asked.model_copy(update={"held_before": event_id})
    return f.with_(hold=hold, held_at=f.now, buyer_asked=asked).step(said, hold.actor)


def _awaits_people(f: OrderFacts) -> bool:
    """Nothing is on its way, a person or stock is waited for, or a special order is being bought, which its buyer
    may leave until it is with a supplier (ORD-8): a cancel is never too late."""
    if f.waits_for_stock or f.buys_special_order:
        return True
    return f.released_at is None or f.awaits_payment or f.is_on_hold or f.needs_connection


def _decide_in_turn(f: OrderFacts, *, in_time_for_people: bool) -> OrderFacts:
    for one in f.cancels:
        if f.undecided_cancel is one and f.splitting is None:
            f = _decide(f, one, in_time_for_people=in_time_for_people)
    return f


def too_late(f: OrderFacts, event: CancelRequest, units: dict[str, int]) -> OrderFacts:
    """What a buyer wishes when nothing can be held any more (CAN-2, CAN-7): these units, or the whole order."""
    one = CancelAsked(event=event, handled_at=f.now, units=units, is_wish=True)
    return _decided(f.with_(cancels=(*f.cancels, one)), one, "too_late", f.now)


def not_known(f: OrderFacts, event: CancelRequest, what: str) -> OrderFacts:
    """What a buyer wishes when nothing can be held any more, where nobody knows here which units it is: nothing
    comes back by it, and a person must look (CAN-7)."""
    said = f"already fulfilled, and nobody knows here which items it is about: {what}"
    one = CancelAsked(event=event, handled_at=f.now, is_wish=True, decision="not_known", message=said)
    return f.with_(cancels=(*f.cancels, one))


def by_marketplace(f: OrderFacts, event: CancelRequest, units: dict[str, int]) -> OrderFacts:
    """The marketplace has cancelled an order that waits for a person, or these units of it (CAN-8)."""
    one = CancelAsked(event=event, handled_at=f.now, units=units)
    f = f.with_(cancels=(*f.cancels, one)).step(f"cancel requested: {event.reason}", event.actor)
    return f if f.splitting is not None else _decided(f, one, _decision(f, one), f.now)


def arrival_known(f: OrderFacts, effect: LookUpArrival, arrival: Arrival) -> OrderFacts:
    """When the server received the request decides (CAN-3); one that its history does not have is too late."""
    one = next((one for one in f.cancels if one.event.event_id == effect.event_id), None)
    if one is None or one.decision is not None:
        return f
    at = datetime.fromisoformat(arrival.at) if arrival.at is not None else None
    if at is None or f.cancel_until is None or at >= f.cancel_until:
        return _decided(f, one, _decision(f, one) if f.is_void else "too_late", at or one.handled_at)
    return _decided(f, one, _decision(f, one), at)


def _decide(f: OrderFacts, one: CancelAsked, *, in_time_for_people: bool) -> OrderFacts:
    if not f.is_open:
        return f
    until = f.cancel_until
    # What is on hold, or cancelled at its marketplace, is given up as long as no supplier has it (CAN-7, CAN-8).
    is_halted = f.hold is not None or one.event.cancelled_there
    for_people = in_time_for_people or one.came_in_time
    in_time = for_people or is_halted or until is None or one.handled_at < until
    if in_time or f.is_void or f.is_with_supplier:
        return _decided(f, one, _decision(f, one), one.handled_at)
    return f


def _decision(f: OrderFacts, one: CancelAsked) -> Decision:
    """What becomes of a request that came in time, or that finds nothing to decide any more. What waits for stock
    is with no supplier, though the rest of the order may be (ORD-8)."""
    if f.is_void:
        if may_cancel(f):
            return "accepted"
        return "cancelled_already" if f.is_given_up else "nothing_left"
    only_waits = bool(one.units) and not less(one.units, f.waiting)
    return "too_late" if f.is_with_supplier and not only_waits else "accepted"


def _decided(f: OrderFacts, one: CancelAsked, decision: Decision, arrived_at: datetime) -> OrderFacts:
    if decision == "accepted" and one.units:
        units = within(one.units, f.lines.open)
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
        case "split" | "not_split" | "not_known":
            return one.message
        case "too_late":
            until = f.cancel_until
            closed = f"the cancel window closed at {_time(until, 19)} UTC" if until else "it was sent"
            said = f"already fulfilled: {closed}; once shipped it can be returned (CAN-2)"
            if f.waiting and not one.units:
                return (
                    f"{said}; {f.lines.in_words(f.waiting)} still wait for stock: name them to cancel them (ORD-8)"
                )
            return said


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
                    lines=mail_lines(by_sku(f.lines.units(one.units))),
                )
            )
        if one.decision == "not_known":
            what = f"the buyer asks to cancel part of order {f.order_id}: {one.message}"
            told += just(alert(f, f"buyer-names-{one.event.event_id}", what, Who.STAFF))
        if one.decision == "not_split" and one.event.cancelled_there:
            what = (
                f"the marketplace has cancelled {f.lines.in_words(one.units)} of order {f.order_id}: {one.message}"
            )
            told += just(alert(f, f"cancelled-there-{one.event.event_id}", what, Who.STAFF))
        if one.decision == "too_late" and one.event.cancelled_there:
            what = f"the marketplace has cancelled order {f.order_id}, which is with a supplier already"
            told += just(alert(f, f"cancelled-there-{one.event.event_id}", what, Who.STAFF))
    return told


def notice(f: OrderFacts, accepted: CancelAsked) -> Plan:
    """The seller is told that the order is cancelled."""
    automatic = "yes" if f.seller.auto_refund_buyer else None
    reason = accepted.event.reason
    charge, kept = f.charge, f.kept
    reserved = charge.amount if charge is not None and charge.state is ChargeState.AUTHORIZED else None
    part_of = f.request.split_from.order_id if f.request.split_from else None
    zero_out = "yes" if accepted.event.zero_out_inventory else None
    named = mail_lines(by_sku(line for one in f.cessations for line in one.lines))
    mail = notify(
        "cancelled",
        "order_cancelled",
        Recipient.SELLER,
        reason=reason,
        refund_automatic=automatic,
        amount=kept or reserved,
        currency=f.currency,
        collected="yes" if kept else None,
        lines=named if part_of or zero_out else (),
        part_of=part_of,
        zero_out=zero_out,
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


def _late_ones(f: OrderFacts) -> list[CancelAsked]:
    return [one for one in f.cancels if one.decision == "too_late"]


def _wanted_back(f: OrderFacts) -> dict[str, int]:
    """Units by `line_id` that were shipped although somebody asked to cancel them, too late."""
    shipped = by_line(f.lines.shipped)
    asked = [one.units or shipped for one in _late_ones(f) if not one.is_wish]
    wishes = [one.units or shipped for one in _late_ones(f) if one.is_wish]
    wanted = {
        line_id: sum(units.get(line_id, 0) for units in asked)
        + max((units.get(line_id, 0) for units in wishes), default=0)
        for line_id in shipped
    }
    return within(wanted, shipped)


def return_of(f: OrderFacts) -> ReturnRequest:
    """The return that cancel requests become that came too late: what they are about of all that was shipped."""
    event = _late_ones(f)[0].event
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
