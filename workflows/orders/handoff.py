"""An order must be with a supplier in time; a later one is flagged to staff (ORD-4)."""

from models.case import Who
from workflows.engine.pieces import alert, at, just
from workflows.engine.plan import Plan
from workflows.orders.effects import ReportLateHandoff
from workflows.orders.facts import OrderFacts


def limit_in_words(f: OrderFacts) -> str:
    return f"{f.seller.handoff_minutes}-minute limit to reach a supplier"


def report_late(f: OrderFacts, effect: ReportLateHandoff) -> OrderFacts:
    return f.with_(handed_off_late_at=f.now).step(f"{effect.limit}: not kept")


def watch(f: OrderFacts, who: Who) -> Plan:
    """Flag it once; `who` must act now."""
    due = f.handoff_due
    if due is None or f.is_given_up or f.is_void or f.only_special_order_left:
        return Plan()
    if f.handed_off_late_at is not None:
        return just(alert(f, "handoff", f"order {f.order_id} is not with a supplier in time", who))
    if f.handed_off_at is not None:
        return Plan()
    limit = limit_in_words(f)
    return at(f, due, limit, ReportLateHandoff(limit=limit))
