"""An order that replaces the goods of a return: that return hears how it stands (RET-24)."""

from models.naming import reasons_of
from models.replacements import GIVEN_UP, ReplacementNews
from workflows.engine.pieces import just
from workflows.engine.plan import Plan
from workflows.orders.effects import TellReturn
from workflows.orders.facts import OrderFacts


def news(f: OrderFacts) -> Plan:
    """Told whenever what it says is new: units that were sent or came to nothing, and the order's end."""
    if f.request.replaces is None:
        return Plan()
    said = _news(f)
    if said == ReplacementNews(replacement_id=f.order_id, lines=said.lines) and not _fates(said):
        return Plan()  # nothing has happened yet
    parts = (*_fates(said), said.with_supplier, len(said.parcels), said.cancel_refused, said.outcome)
    key = "tell-return:" + ":".join(str(part) for part in parts)
    return just(TellReturn(key=key, return_id=f.request.replaces, news=said))


def _news(f: OrderFacts) -> ReplacementNews:
    last = [one for one in f.cessations if one.at == f.cessations[-1].at]
    reason = reasons_of(last) if last else f.refusal or ""
    asked = next((one for one in f.cancels if one.event.event_id == GIVEN_UP), None)
    return ReplacementNews(
        replacement_id=f.order_id,
        lines=f.lines.counts,
        with_supplier=f.is_with_supplier,
        parcels=tuple(box for one in f.shipments for box in one.boxes),
        cancel_refused=asked is not None and asked.decision == "too_late",
        outcome=f.outcome,
        reason=reason,
    )


def _fates(said: ReplacementNews) -> tuple[int, ...]:
    """Units that were shipped, cancelled, voided; none while there are none."""
    fates = tuple(sum(getattr(line, name) for line in said.lines) for name in ("shipped", "cancelled", "voided"))
    return fates if any(fates) else ()
