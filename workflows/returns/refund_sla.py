"""The broker refunds the seller within 60 days of the return request (RET-13)."""

from datetime import timedelta

from models.parties import OnBreach
from models.partners import Recipient
from models.text import counted
from workflows.engine.pieces import just, notify
from workflows.engine.plan import Plan
from workflows.returns.effects import NoticeSla
from workflows.returns.facts import ReturnFacts


def refund_sla(f: ReturnFacts, awaited: str) -> Plan:
    """Reminders before the due date, an alert at the breach; staff may move it. What is missed is not made up for:
    only the latest reminder is sent. `awaited`: what the return waits for, in words."""
    due, timer = f.refund_due, f"{f.seller.refund_sla_days}-day refund SLA"
    days_before = sorted({*f.seller.refund_reminder_days_before, 0})
    reached = [days for days in days_before if due - timedelta(days=days) <= f.now]
    upcoming = [due - timedelta(days=days) for days in days_before if days not in reached]
    later = Plan(wake_at=min(upcoming), timer=timer) if upcoming else Plan()
    if not reached:
        return later
    return later + (_days_left(f, reached[0], awaited) if reached[0] else _breached(f, awaited))


def _days_left(f: ReturnFacts, days: int, awaited: str) -> Plan:
    key = _key(f, days)
    what = f"{counted(days, 'day')} left to refund the seller"
    return just(
        NoticeSla(key=key, due=f.refund_due, days_before=days, what=what),
        notify(key, "refund_due_soon", Recipient.STAFF, due=f.refund_due, days=days, awaited=awaited),
    )


def _breached(f: ReturnFacts, awaited: str) -> Plan:
    key = _key(f, 0)
    pays = "; the broker pays" if f.seller.on_refund_breach is OnBreach.REFUND else ""
    what = f"{f.seller.refund_sla_days}-day refund SLA breached{pays}"
    return just(
        NoticeSla(key=key, due=f.refund_due, days_before=0, what=what),
        notify(key, "refund_overdue", Recipient.STAFF, due=f.refund_due, awaited=awaited),
    )


def _key(f: ReturnFacts, days: int) -> str:
    return f"sla:{f.refund_due.isoformat()}:{days}"
