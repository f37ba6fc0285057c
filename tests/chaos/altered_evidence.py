"""Facts changed by hand, and what the auditor says of them."""

from collections.abc import Callable
from dataclasses import replace

from activities.database.views import OrderView
from tests.chaos.audit_facts import stage_of
from tests.chaos.auditor import Auditor
from tests.chaos.evidence import Evidence

Doctor = Callable[[Evidence], Evidence]


def promises(seen: Evidence) -> set[str]:
    """Which promises are broken by these facts."""
    return {violation.promise for violation in Auditor(seen).audit().violations}


def effects(seen: Evidence, **changed: object) -> Evidence:
    """Other facts at the partners."""
    return replace(seen, effects=seen.effects.model_copy(update=changed))


def order_at(seen: Evidence, stage: str) -> OrderView:
    """One that was not split off another."""
    return next(view for view in seen.orders if stage_of(view) == stage and view.split_from is None)


def with_order(seen: Evidence, view: OrderView) -> Evidence:
    """Other facts in the books, about this order."""
    others = (view if one.listed.order_id == view.listed.order_id else one for one in seen.orders)
    return replace(seen, orders=tuple(others))


def with_return(seen: Evidence, **changed: object) -> Evidence:
    """Other facts in the books, about the return."""
    (view,) = seen.returns
    return replace(seen, returns=(view.model_copy(update=changed),))
