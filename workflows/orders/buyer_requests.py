"""A buyer asks the marketplace to cancel: the order is on hold until its seller answers (CAN-7, CAN-8).

The marketplace may decide meanwhile. So Amazon is asked how the order stands there: at half of the seller's days,
at their end, once a day after that; and before what the seller answered is done.
"""

from datetime import datetime, timedelta

from models.cancellations import CancelRequest, Fault
from models.case import OrderStage as Stage
from models.case import Who
from models.failures import Category, Conflict
from models.marketplace_orders import MarketplaceOrder
from models.message import Quantity
from models.naming import by_sku
from models.orders import Channel, Hold, Resume
from models.partners import Recipient
from models.text import one_line
from workflows.engine.case import SendMail
from workflows.engine.pieces import alert, at, in_flight, just, mail_lines, notify, wait
from workflows.engine.plan import Plan
from workflows.engine.procedure import Reply
from workflows.orders import cancellation, marketplace_items
from workflows.orders.effects import LookAtMarketplace
from workflows.orders.facts import OrderFacts
from workflows.orders.purchases import less, plus, within
from workflows.orders.records import BuyerAsked

LOOK_EVERY = timedelta(days=1)
"""So often the marketplace is asked after the seller's days."""
_LONGEST_NAMES = 300

# ---- what is said ----


def receive(f: OrderFacts, event: Hold) -> OrderFacts:
    """The order waits, if it is unshipped and in process; otherwise it is too late, and it goes on as a return
    (CAN-2, CAN-7). The reason stands in the timeline. `event`: one with `answer_days`."""
    assert event.answer_days is not None, "a buyer asks for it"
    f = f.step(f"the buyer asks the marketplace to cancel: {event.reason}", event.actor)
    units = _units_of(f, event)
    if f.is_given_up or f.is_void or units is None:
        return f
    if f.is_with_supplier or f.lines.has_shipped:
        request, strange = _as_cancel_request(event), marketplace_items.strange_wish(f, event)
        if strange is not None:
            return cancellation.not_known(f, request, strange)
        return cancellation.too_late(f, request, units)
    before = open_request(f)
    if before is not None:
        _, named = _granted_before(f)
        changes = {"event": event, "units": units, "named_before": named}
        return f.with_(buyer_asked=before.model_copy(update=changes))
    granted, named = _granted_before(f)
    f = _without_declined_hold(f)
    asked = BuyerAsked(
        event=event,
        answer_days=event.answer_days,
        at=f.now,
        units=units,
        held_before=f.hold.event_id if f.hold is not None else None,
        named_before=named,
        granted=granted,
    )
    return f.with_(hold=f.hold or event, held_at=f.held_at or f.now, buyer_asked=asked)


def _units_of(f: OrderFacts, event: Hold) -> dict[str, int] | None:
    """What the buyer asks to cancel, by `line_id`, as far as it was not cancelled already; empty: the whole order.
    None: nothing of it is left."""
    left = {one.line_id: one.open + one.shipped for one in f.lines.counts if one.open + one.shipped}
    if event.lines is None or (named := marketplace_items.units_of(f, event.lines)) is None:
        return {}
    granted, named_before = _granted_before(f)
    known = marketplace_items.units_of(f, [one for one in event.lines if _name(one) in named_before]) or {}
    units = within(less(named, within(known, granted)), left)
    if not units:
        return None
    return {} if units == left else units


def _granted_before(f: OrderFacts) -> tuple[dict[str, int], tuple[str, ...]]:
    """What was cancelled of what the buyer asked for until now, by `line_id`; and what it has named. A wish says
    all that the buyer wants by then: what it names anew may be cancelled already, and more of its line be open."""
    asked = f.buyer_asked
    if asked is None:
        return {}, ()
    return asked.granted, (*asked.named_before, *(_name(one) for one in asked.event.lines or ()))


def _name(one: Quantity) -> str:
    """As the marketplace tells its items apart."""
    return one.line_id or one.sku or ""


def _without_declined_hold(f: OrderFacts) -> OrderFacts:
    """The seller has declined the buyer's request before, and the marketplace has not answered yet: the hold that
    ends by it is none that was there before."""
    asked = f.buyer_asked
    is_ending = asked is not None and f.hold is not None and f.hold.event_id == asked.released
    return f.with_(hold=None, held_at=None) if is_ending else f


def check_resume(f: OrderFacts) -> None:
    """Raises Conflict when the seller has declined already, and the marketplace is asked."""
    if _last_look(f) is not None:
        raise Conflict("the hold is being released: the marketplace is asked first whether it has cancelled")


def decline(f: OrderFacts, event: Resume) -> OrderFacts:
    """The seller does not cancel (CAN-8). The order of a marketplace that can be asked waits for its answer; one
    that was on hold before the buyer asked stays so."""
    asked = open_request(f)
    if asked is None:
        return f.with_(hold=None, held_at=None).step(f"hold released: {event.reason}", event.actor)
    f = f.step(f"the buyer's request to cancel is declined: {event.reason}", event.actor)
    return _answered(f, asked)


def granted(before: OrderFacts, f: OrderFacts) -> OrderFacts:
    """A part was cancelled, or nobody has it: it is taken off what the buyer asks to cancel. Once nothing is left
    of that, the rest goes on (CAN-10). `before`: the facts before the units went."""
    f = _open_again(before, f)
    asked = open_request(f)
    gone = less(before.lines.open, f.lines.open)
    if asked is None or not asked.units or not within(asked.units, gone):
        return f
    left = within(less(asked.units, gone), f.lines.open)
    changes = {"units": left or asked.units, "granted": plus(asked.granted, within(asked.units, gone))}
    asked = asked.model_copy(update=changes)
    if left:
        return f.with_(buyer_asked=asked)
    return _answered(f.step("what the buyer asked to cancel is cancelled: the rest goes on"), asked)


def _open_again(before: OrderFacts, f: OrderFacts) -> OrderFacts:
    """What nobody had waits for stock now (ORD-8): the buyer still has it to come, and may wish it away again. A
    wish that nobody has answered is about it as before."""
    asked, back = f.buyer_asked, less(f.lines.open, before.lines.open)
    if asked is None or not (again := within(asked.granted, back)):
        return f
    units = plus(asked.units, again) if asked.units and open_request(f) is not None else asked.units
    return f.with_(buyer_asked=asked.model_copy(update={"units": units, "granted": less(asked.granted, again)}))


def _answered(f: OrderFacts, asked: BuyerAsked) -> OrderFacts:
    """What is left of the order goes on, at once or when the marketplace has said how it stands there."""
    held_by = f.hold.event_id if f.hold is not None else None
    stays = held_by is not None and held_by == asked.held_before
    declined = asked.model_copy(update={"declined_at": f.now, "released": None if stays else held_by})
    f = f.with_(buyer_asked=declined)
    return f if _can_be_asked(f) or stays else f.with_(hold=None, held_at=None)


def looked(f: OrderFacts, effect: LookAtMarketplace, answer: MarketplaceOrder) -> OrderFacts:
    """What the marketplace has cancelled, all of it or some items, is cancelled here, if it is not too late; the
    rest goes on as its seller said."""
    asked = f.buyer_asked
    assert asked is not None, "it was asked for it"
    changes = {
        "looks": asked.looks + 1,
        "looked_at": f.now,
        "cancelled_there": answer.cancelled,
        "not_known_there": marketplace_items.not_known(f, answer),
    }
    asked = asked.model_copy(update=changes)
    f = f.with_(buyer_asked=asked)
    if f.is_given_up:
        return f
    if answer.cancelled:
        return cancellation.by_marketplace(f, _cancelled_there(effect, answer), {})
    units = marketplace_items.cancelled_there(f, answer)
    if units:
        f = cancellation.by_marketplace(f, _cancelled_there(effect, answer), units)
    if effect.key != _look(asked, "declined").key or f.hold is None:
        return f  # the seller has not answered
    if asked.not_known_there:
        reason = f"the marketplace has cancelled {_strange(asked)}, which nobody knows here"
        return cancellation.held(f, f"{effect.key}:hold", reason)
    if f.hold.event_id != asked.released:
        return f  # it is on hold for another reason
    not_more = f"cancelled {f.lines.in_words(units)} only" if units else "not cancelled the order"
    return f.with_(hold=None, held_at=None).step(f"hold released: the marketplace has {not_more}")


def reply(f: OrderFacts, event: Hold) -> Reply | None:
    """Whoever says it is told when it is too late."""
    late = next((one for one in f.cancels if one.event.event_id == event.event_id), None)
    return Reply(accepted=late is None, message=late.message if late is not None else "")


def _as_cancel_request(event: Hold) -> CancelRequest:
    return CancelRequest(
        event_id=event.event_id,
        actor=event.actor,
        occurred_at=event.occurred_at,
        note=event.note,
        reason=event.reason,
        fault=Fault.BUYER,
    )


def _cancelled_there(effect: LookAtMarketplace, answer: MarketplaceOrder) -> CancelRequest:
    return CancelRequest(
        event_id=effect.key,
        actor=f"channel:{Channel.AMAZON.value}",
        reason=one_line(f"cancelled at the marketplace: {answer.reason or 'no reason given'}")[:500],
        fault=Fault.BUYER if answer.by_buyer else Fault.MARKETPLACE,
        cancelled_there=True,
    )


def _strange(asked: BuyerAsked) -> str:
    """In the marketplace's words, which may hold what no text of ours does."""
    return one_line(", ".join(asked.not_known_there))[:_LONGEST_NAMES]


# ---- what is known ----


def open_request(f: OrderFacts) -> BuyerAsked | None:
    """The buyer's request that nobody has answered."""
    asked = f.buyer_asked
    if asked is None or asked.declined_at is not None or f.is_given_up or f.is_with_supplier:
        return None
    return asked if f.lines.has_open else None


def answer_until(asked: BuyerAsked) -> datetime:
    return asked.at + timedelta(days=asked.answer_days)


def is_not_told(f: OrderFacts) -> bool:
    """The marketplace has cancelled it itself, or its seller does not want it to be told (CAN-8, CAN-9)."""
    accepted, asked = f.accepted_cancel, f.buyer_asked
    if accepted is not None and (accepted.event.cancelled_there or accepted.event.without_sending):
        return True
    return asked is not None and bool(asked.cancelled_there)


def _last_look(f: OrderFacts) -> LookAtMarketplace | None:
    """The seller has declined, and the marketplace is asked whether it has cancelled; none: it has answered."""
    asked = f.buyer_asked
    if asked is None or asked.declined_at is None or not _can_be_asked(f):
        return None
    look = _look(asked, "declined")
    return None if f.is_answered(look.key) or _gets_no_answer(f, look) else look


def _gets_no_answer(f: OrderFacts, look: LookAtMarketplace) -> bool:
    """The marketplace refuses to say how the order stands there: people go on without (CAN-8)."""
    trouble = f.trouble.get(look.key)
    return trouble is not None and trouble.category is Category.REFUSED_BY_PARTNER


def _can_be_asked(f: OrderFacts) -> bool:
    return f.request.channel is Channel.AMAZON


# ---- what follows ----


def hold(f: OrderFacts) -> Plan:
    """The order waits for a person."""
    if f.hold is None or not f.is_on_hold:
        return Plan()
    since, asked, look = f.held_at or f.now, open_request(f), _last_look(f)
    if look is not None:
        return in_flight(f, Stage.ON_HOLD, look)
    if asked is None:
        return wait(Stage.ON_HOLD, Who.SELLER, f"release the hold, or cancel ({f.hold.reason})", since)
    what = f"cancel{_which(f, asked)} as the buyer asks, or release the hold ({asked.event.reason})"
    return wait(Stage.ON_HOLD, Who.SELLER, what, asked.at, answer_until(asked))


def watch(f: OrderFacts) -> Plan:
    """CAN-8: the seller is told, and reminded at half of its days; staff are told when it has not answered."""
    asked = f.buyer_asked
    if asked is None or f.is_given_up:
        return Plan()
    strange = _alert_of_strange_items(f, asked)
    if (look := _last_look(f)) is not None:
        return strange + just(look)
    if open_request(f) is None:
        return strange
    until = answer_until(asked)
    half = asked.at + timedelta(days=asked.answer_days) / 2
    what = f"nobody has answered the buyer who asks to cancel order {f.order_id}: it stays on hold"
    late = alert(f, f"buyer-asks-{asked.at.isoformat()}", what, Who.SELLER)
    told = strange + _alert_of_strange_wish(f, asked) + just(_mail(f, asked, asked.event.event_id))
    told += _once_looked(f, asked, "half", half, _mail(f, asked, f"{asked.at.isoformat()}-half", reminder="1"))
    told += _once_looked(f, asked, "end", until, late)
    return told + _from_day_to_day(f, asked, until)


def _alert_of_strange_items(f: OrderFacts, asked: BuyerAsked) -> Plan:
    if not asked.not_known_there:
        return Plan()
    what = f"the marketplace has cancelled {_strange(asked)} of order {f.order_id}, which nobody knows here"
    return just(alert(f, f"cancelled-there-{asked.at.isoformat()}", what, Who.STAFF))


def _alert_of_strange_wish(f: OrderFacts, asked: BuyerAsked) -> Plan:
    strange = marketplace_items.strange_wish(f, asked.event)
    if strange is None:
        return Plan()
    what = (
        f"the buyer asks to cancel part of order {f.order_id}, which nobody knows here: {strange}; it is on hold"
    )
    return just(alert(f, f"buyer-names-{asked.event.event_id}", what, Who.STAFF))


def look_before_cancelling(f: OrderFacts) -> Plan:
    """What the marketplace has cancelled meanwhile it is not told. Staff's stop waits for no look."""
    asked, accepted = f.buyer_asked, f.accepted_cancel
    if asked is None or accepted is None or is_not_told(f) or not _can_be_asked(f) or f.stopped_at is not None:
        return Plan()
    look = _look(asked, "cancelled")
    return (
        Plan()
        if f.is_answered(look.key) or _gets_no_answer(f, look)
        else just(look) + in_flight(f, Stage.CANCELLING, look)
    )


def _once_looked(f: OrderFacts, asked: BuyerAsked, when: str, moment: datetime, mail: SendMail) -> Plan:
    """The mail goes when the marketplace has not cancelled it by then; also while that can't be asked."""
    if not _can_be_asked(f):
        return at(f, moment, "The buyer asks to cancel", mail)
    look = _look(asked, when)
    told = at(f, moment, "The buyer asks to cancel", look)
    if f.splitting is not None and f.splitting.event.cancelled_there and mail.key not in f.done:
        return told  # what is cancelled there is being cancelled here: perhaps nothing is left to ask for
    return told + just(mail) if f.is_answered(look.key) or look.key in f.trouble else told


def _from_day_to_day(f: OrderFacts, asked: BuyerAsked, until: datetime) -> Plan:
    if not _can_be_asked(f) or asked.looked_at is None or not f.is_answered(_look(asked, "end").key):
        return Plan()
    next_look = _look(asked, f"{asked.looks + 1}")
    return at(f, max(asked.looked_at, until) + LOOK_EVERY, "Has the marketplace cancelled?", next_look)


def _look(asked: BuyerAsked, when: str) -> LookAtMarketplace:
    return LookAtMarketplace(key=f"marketplace:{asked.at.isoformat()}:{when}")


def _which(f: OrderFacts, asked: BuyerAsked) -> str:
    if (strange := marketplace_items.strange_wish(f, asked.event)) is not None:
        return f" {strange}, which nobody knows here,"
    return f" {f.lines.in_words(within(asked.units, f.lines.open))}" if asked.units else ""


def _mail(f: OrderFacts, asked: BuyerAsked, ident: str, reminder: str | None = None) -> SendMail:
    units, event = within(asked.units, f.lines.open), asked.event
    options = " ".join(f'--line "line {line_id}:{count}"' for line_id, count in units.items())
    lines = by_sku(f.lines.units(units))
    if marketplace_items.strange_wish(f, event) is not None:
        options = '--line "SKU:1"'  # the seller knows which it is, if anybody does
        lines = {one.sku or one.line_id or "": one.quantity for one in event.lines or ()}
    return notify(
        f"buyer-asks-{ident}",
        "buyer_wants_to_cancel",
        Recipient.SELLER,
        reason=event.reason,
        until=answer_until(asked),
        reminder=reminder,
        lines=mail_lines(lines),
        line_options=options or None,
    )
