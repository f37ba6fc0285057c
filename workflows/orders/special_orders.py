"""The seller chooses after a void, and a special order waits for its stock (ORD-8).

Units that wait are open again, and not owed. Once their stock arrives, and all else of the order has shipped, they
are charged anew and bought as ever; what turns out not to be there is given back, and waits again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from models.cancellations import CancelRequest
from models.case import OrderStage as Stage
from models.case import Who
from models.failures import Conflict, RefusedByRule
from models.message import Quantity
from models.naming import by_line, by_sku, units_named
from models.partners import FoundSources, Recipient
from models.special_orders import Choice, ChoiceAfterVoid, SpecialOrderChecked, StockArrived
from workflows.engine.case import Note
from workflows.engine.pieces import at, in_flight, just, mail_lines, notify, wait
from workflows.engine.plan import Plan
from workflows.engine.procedure import Reply
from workflows.orders import cancellation, seller_charge, voiding
from workflows.orders import lines as order_lines
from workflows.orders.effects import BeginSpecialOrder, CheckSpecialOrder, LookForStock
from workflows.orders.facts import OrderFacts
from workflows.orders.purchases import less, plus, within
from workflows.orders.records import ChoiceMade, SpecialOrder
from workflows.orders.sourcing import not_offered
from workflows.orders.void_choices import choose_until, is_awaited, may_cancel, undecided

# ---- the seller chooses ----


def check(f: OrderFacts, event: ChoiceAfterVoid) -> None:
    """Raises a BackhaulError when there is nothing to choose, or not so."""
    if f.stopped_at is not None:
        raise Conflict("staff have stopped the order: nothing can be chosen any more")
    if f.accepted_cancel is not None:
        raise Conflict("the order is being cancelled already")
    if f.request.replaces is not None:
        raise RefusedByRule("RET-24", "what becomes of a replacement is decided in its return")
    left = undecided(f)
    if not left:
        raise RefusedByRule("ORD-8", "nothing of the order is voided that nothing was chosen for")
    units = _named(f, event.lines, left)
    for line in f.lines.units(units):
        if line.quantity > (count := left.get(line.line_id, 0)):
            raise RefusedByRule("ORD-8", f"{line.quantity} of {line.sku} can't be chosen for: {count} are voided")
    if event.choice is Choice.CANCEL and may_cancel(f):
        cancellation.check(f, _cancel_request(event))


def receive(f: OrderFacts, event: ChoiceAfterVoid) -> OrderFacts:
    """Bought elsewhere: they stay voided. A special order: they are open again, if the database has no claim or
    refund of them. Cancelled: the whole order is, as far as all of it is void; else they stay voided."""
    units = _named(f, event.lines, undecided(f))
    items = f.lines.in_words(units)
    if event.choice is Choice.SPECIAL_ORDER:
        f = _with_choice(f, ChoiceMade(event=event, units=units))
        return _waits(f, units).step(f"special order of {items}: the buyer waits for stock", event.actor)
    cancels = event.choice is Choice.CANCEL
    said = f"{items}: cancelled with the buyer" if cancels else f"{items}: the seller buys them elsewhere"
    if cancels and may_cancel(f):
        f = cancellation.receive(f, _cancel_request(event))
    f = _with_choice(f, ChoiceMade(event=event, units=units, is_taken=True, message=said))
    return f.step(said, event.actor)


def checked(f: OrderFacts, effect: CheckSpecialOrder, answer: SpecialOrderChecked) -> OrderFacts:
    """They wait; or they are voided again, as they were, and the seller may choose otherwise."""
    made = next(one for one in f.choices if one.event.event_id == effect.event_id)
    if answer.reason is None:
        said = f"{f.lines.in_words(made.units)} wait for stock"
        f = _changed(f, made, is_taken=True, message=said)
        there = within(made.units, f.stock_told)
        return _arrived(f.with_(stock_told=less(f.stock_told, there)), there) if there else f
    f = _changed(f, made, is_taken=False, message=answer.reason)
    f = f.decline("choice_after_void", answer.reason, effect.event_id)
    assert f.special is not None, "they were to wait"
    still = within(made.units, f.waiting)
    waiting = less(f.waiting, still)
    special = f.special.model_copy(update={"waiting": waiting, "arrived": within(f.special.arrived, waiting)})
    f = f.with_(special=special, lines=order_lines.drop(f.lines, "voided", still))
    return f.step(f"no special order: {answer.reason}")


def given_up(f: OrderFacts, effect: CheckSpecialOrder) -> OrderFacts:
    """The order was cancelled or stopped meanwhile."""
    made = next(one for one in f.choices if one.event.event_id == effect.event_id)
    return _changed(f, made, is_taken=False, message="nothing waits: the order is given up")


def reply(f: OrderFacts, event: ChoiceAfterVoid) -> Reply | None:
    """What the sender is told; none while it is not known whether they may wait."""
    made = next((one for one in f.choices if one.event.event_id == event.event_id), None)
    if made is None or made.is_taken is None:
        return None
    return Reply(accepted=made.is_taken, message=made.message)


def _cancel_request(event: ChoiceAfterVoid) -> CancelRequest:
    return CancelRequest(
        event_id=event.event_id,
        actor=event.actor,
        occurred_at=event.occurred_at,
        note=event.note,
        reason=event.reason or "out of stock: cancelled with the buyer",
        channel_reference=event.channel_reference,
    )


def _named(f: OrderFacts, lines: tuple[Quantity, ...] | None, left: Mapping[str, int]) -> dict[str, int]:
    """Units that are meant, by `line_id`."""
    if lines is None:
        return dict(left)
    try:
        return by_line(units_named(lines, f.lines.counts, left=left, in_order=True))
    except ValueError as error:
        raise RefusedByRule("ORD-13", str(error)) from None


def _with_choice(f: OrderFacts, made: ChoiceMade) -> OrderFacts:
    return f.with_(choices=(*f.choices, made))


def _changed(f: OrderFacts, made: ChoiceMade, **changes: object) -> OrderFacts:
    known = made.model_copy(update=changes)
    return f.with_(choices=tuple(known if one is made else one for one in f.choices))


def _waits(f: OrderFacts, units: Mapping[str, int]) -> OrderFacts:
    """These voided units are open, and wait."""
    return voiding.wait(f.with_(lines=order_lines.reopen(f.lines, units)), units)


# ---- stock arrives ----


def check_stock(f: OrderFacts, event: StockArrived) -> None:
    """Raises RefusedByRule when nothing waits for stock. It may be said before the seller has chosen."""
    left = _wanting(f)
    if not left:
        arrived = f.waiting or f.stock_told
        said = "stock of all that waits has arrived already" if arrived else "nothing of the order waits for stock"
        raise RefusedByRule("ORD-8", said)
    for line in f.lines.units(_named(f, event.lines, left)):
        if line.quantity > (count := left.get(line.line_id, 0)):
            raise RefusedByRule(
                "ORD-8", f"{line.quantity} of {line.sku} can't have arrived: {count} wait for stock"
            )


def receive_stock(f: OrderFacts, event: StockArrived) -> OrderFacts:
    """What had refused it may be chosen again: somebody says that it is there now. For what the seller has not
    chosen yet, it is kept."""
    units = _named(f, event.lines, _wanting(f))
    now = within(units, _to_arrive(f))
    if now:
        f = _arrived(f, now).step(f"stock has arrived: {f.lines.in_words(now)}", event.actor)
    if later := less(units, now):
        f = f.with_(stock_told=plus(f.stock_told, later))
        f = f.step(f"stock has arrived: {f.lines.in_words(later)}; the seller has not chosen yet", event.actor)
    return f


def _to_arrive(f: OrderFacts) -> dict[str, int]:
    return less(f.waiting, f.special.arrived if f.special is not None else {})


def _wanting(f: OrderFacts) -> dict[str, int]:
    """Units whose stock may arrive: they wait for it, or the seller may still let them."""
    voided = less(undecided(f), f.stock_told) if choose_until(f) else {}
    return plus(_to_arrive(f), voided)


def _arrived(f: OrderFacts, units: Mapping[str, int]) -> OrderFacts:
    assert f.special is not None, "they wait"
    changes = {"arrived": plus(f.special.arrived, units), "refusals_before": len(f.purchases)}
    return f.with_(special=f.special.model_copy(update=changes))


def looked(f: OrderFacts, effect: LookForStock, found: FoundSources) -> OrderFacts:
    """What is there counts as arrived, but not where it was refused before."""
    if f.special is None or f.is_given_up:
        return f
    special = f.special.model_copy(update={"looks": f.special.looks + 1, "looked_at": f.now})
    wanted = within(effect.units, _to_arrive(f))
    units = less(wanted, not_offered(f, found, wanted))
    if not units:
        return f.with_(special=special)
    f = f.with_(special=special.model_copy(update={"arrived": plus(special.arrived, units)}))
    return f.step(f"in stock again: {f.lines.in_words(units)}", Who.SUPPLIER)


def begun(f: OrderFacts) -> OrderFacts:
    """A round begins: what arrived is wanted now. All that was bought before is shipped, or came to nothing; what
    was not collected for it never is (REF-14)."""
    assert f.special is not None, "stock arrived"
    units = within(f.special.arrived, f.waiting)
    round_ = {
        "waiting": less(f.waiting, units),
        "arrived": {},
        "round": f.special.round + 1,
        "round_began_at": f.now,
        "purchases_before": len(f.purchases),
    }
    settled = f.settled_otherwise + f.uncollected
    f = f.with_(special=f.special.model_copy(update=round_), settled_otherwise=settled)
    return f.step(f"{f.lines.in_words(units)}: charged again and bought")


# ---- what follows ----


def await_choice(f: OrderFacts) -> Plan:
    """What was charged for voided units goes back meanwhile. Nothing is chosen in time: they stay voided."""
    if checks := _checks(f):
        return in_flight(f, Stage.AWAITING_CHOICE, checks[0])
    until = choose_until(f)
    if until is None or f.lines.has_open:
        return Plan()
    if not is_awaited(f):
        return just(Note(key="note:no-choice", what="nobody has chosen in time: it stays voided"))
    steps = seller_charge.release(f)
    since = until - timedelta(days=f.seller.choice_days)
    items = by_sku(f.lines.units(undecided(f)))
    what = f"buy {f.lines.in_words(undecided(f))} elsewhere, let the buyer wait, or cancel"
    steps += wait(Stage.AWAITING_CHOICE, Who.SELLER, what, since, until, "The seller has not chosen in time")
    days_of_reminders = [days for days in f.seller.choice_reminder_days if days < f.seller.choice_days]
    for number, days in enumerate(days_of_reminders, start=1):
        mail = notify(
            f"choice-{since.isoformat()}-{days}",
            "choice_reminder",
            Recipient.SELLER,
            lines=mail_lines(items),
            until=until,
            reminder=number,
            reminders=len(days_of_reminders),
        )
        steps += at(f, since + timedelta(days=days), "Reminder: choose what becomes of the order", mail)
    return steps


def check_choices(f: OrderFacts) -> Plan:
    """Asked whatever else the order waits for."""
    return Plan() if f.is_given_up else just(*_checks(f))


def _checks(f: OrderFacts) -> list[CheckSpecialOrder]:
    """The database says whether units may wait."""
    return [
        CheckSpecialOrder(key=f"special-order:{one.event.event_id}", event_id=one.event.event_id, units=one.units)
        for one in f.choices
        if one.is_taken is None
    ]


def await_stock(f: OrderFacts) -> Plan:
    """The seller is told once that the buyer waits; it is looked for stock from time to time."""
    special = f.special
    if special is None or not f.waiting:
        return Plan()
    what = f"have {f.lines.in_words(f.waiting)} in stock again"
    steps = _told(f, special) + wait(Stage.AWAITING_STOCK, Who.SUPPLIER, what, special.since)
    if within(special.arrived, f.waiting):
        return steps + just(BeginSpecialOrder(key=f"special:{special.round + 1}"))
    look_at = _looks_at(f, special)
    look = LookForStock(key=f"look:{special.looks + 1}", units=f.waiting)
    return steps + at(f, look_at, "looking for stock again", look)


def _looks_at(f: OrderFacts, special: SpecialOrder) -> datetime:
    return max(special.since, special.looked_at or special.since) + timedelta(days=f.seller.stock_look_days)


def _told(f: OrderFacts, special: SpecialOrder) -> Plan:
    mail = notify(
        f"special-order-{special.round}",
        "special_order",
        Recipient.SELLER,
        lines=mail_lines(by_sku(f.lines.units(f.waiting))),
        again="yes" if special.round else None,
    )
    return just(mail)
