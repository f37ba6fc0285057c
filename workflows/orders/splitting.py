"""Part of an order is cancelled: its units move to an order of their own, which is cancelled then (CAN-10).

The database moves them with their part of all money, in one transaction; then the other order is started. Until it
has answered, nothing is bought and no other cancel is decided, so that each unit is cancelled or sent (CAN-4).
"""

from collections.abc import Mapping
from datetime import datetime

from models.cancellations import SplitFrom
from models.case import OrderStage as Stage
from models.splits import OrderSplit
from workflows.engine.pieces import just, wait
from workflows.engine.plan import Plan
from workflows.orders import lines as order_lines
from workflows.orders import voiding
from workflows.orders.effects import SplitOff
from workflows.orders.facts import OrderFacts
from workflows.orders.purchases import less, within
from workflows.orders.records import CancelAsked, Decision


def begin(f: OrderFacts, one: CancelAsked, units: Mapping[str, int], arrived_at: datetime) -> OrderFacts:
    """The request came in time: these units, by `line_id`, move to the next order that is split off."""
    split_from = SplitFrom(
        order_id=f.order_id,
        ordinal=1 + sum(other.split is not None for other in f.cancels),
        event=one.event,
        arrived_at=arrived_at,
    )
    return _changed(f, one, units=dict(units), split=split_from, arrived_at=arrived_at)


def move(f: OrderFacts, one: CancelAsked) -> Plan:
    """`one`: the request whose units are moving."""
    assert one.split is not None, "its units move"
    effect = SplitOff(key=f"split:{one.split.ordinal}", split_from=one.split, units=one.units)
    stage = Stage.PLACING if f.searches else Stage.CANCEL_WINDOW
    return just(effect) + wait(stage, effect.who, effect.summary, one.arrived_at or one.handled_at)


def answered(f: OrderFacts, effect: SplitOff, answer: OrderSplit) -> OrderFacts:
    """They moved: they are not of this order any more, and what was found for it, and not bought, is looked for
    anew. Or they stay, and whoever asked is told why."""
    if answer.request is None:
        f = _decided(f, effect, "not_split", f"not cancelled: {answer.reason}")
        f = f.decline("cancel_request", answer.reason or "", effect.split_from.event.event_id)
        return voiding.cancel_by_staff(f) if f.stopped_at is not None else f
    what = f.lines.in_words(effect.units)
    if f.special is not None:
        waiting = less(f.waiting, effect.units)
        changes = {"waiting": waiting, "arrived": within(f.special.arrived, waiting)}
        f = f.with_(special=f.special.model_copy(update=changes))
    kept = tuple(one for one in f.purchases if one.state != "found")
    f = f.with_(lines=order_lines.drop(f.lines, "moved", effect.units), purchases=kept)
    message = f"{what} cancelled as order {answer.request.order_id}: {effect.split_from.event.reason}"
    return _decided(f, effect, "split", message)


def first_cancels(split_from: SplitFrom | None) -> tuple[CancelAsked, ...]:
    """With what an order begins: one that was split off is cancelled as soon as it is written down."""
    if split_from is None:
        return ()
    return (CancelAsked(event=split_from.event, handled_at=split_from.arrived_at),)


def _decided(f: OrderFacts, effect: SplitOff, decision: Decision, message: str) -> OrderFacts:
    one = next(one for one in f.cancels if one.split == effect.split_from)
    return _changed(f, one, decision=decision, message=message)


def _changed(f: OrderFacts, one: CancelAsked, **changes: object) -> OrderFacts:
    known = one.model_copy(update=changes)
    return f.with_(cancels=tuple(known if other is one else other for other in f.cancels))
