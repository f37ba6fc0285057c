"""Open promises by supplier and seller, counted by the database (RET-13, ORD-4, CLM-2)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, case, false, func, literal, null, select, type_coerce
from sqlmodel import Session, col

from models.case import ClaimStage, CostReviewStage, OrderStage, ReturnStage, SlaState
from models.ids import KindName
from models.reports import Promise, PromisesOf, SlaReport
from models.tables import CaseRow, OrderRow, ReturnRow
from models.tables.columns import UtcTime

SELLER_NOT_REFUNDED: Final = (
    ReturnStage.AWAITING_APPROVAL,
    ReturnStage.AWAITING_RMA,
    ReturnStage.RMA_REFUSED,
    ReturnStage.AWAITING_TRACKING,
    ReturnStage.IN_TRANSIT,
    ReturnStage.AWAITING_CREDIT,
    ReturnStage.REFUNDING_SELLER,
)
"""The first thing that the return waits for: at later stages the seller has its money, or gets none."""
_NOT_HANDED_OVER: Final = (
    OrderStage.AWAITING_PAYMENT,
    OrderStage.CANCEL_WINDOW,
    OrderStage.ON_HOLD,
    OrderStage.PLACING,
)

Cases = Select[Any]
_Owners = tuple[Promise, str | None, str]


def sla_report(session: Session, as_of: datetime, seller: str | None, supplier: str | None) -> SlaReport:
    """All that is promised and not kept yet, or what is of this seller and this supplier."""
    promised = [(Promise.SELLER_REFUND, _seller_refunds(as_of, supplier))]
    if supplier is None:
        promised += [
            (Promise.HAND_OVER, _hand_overs(as_of)),
            *((Promise.DECISION, one) for one in _decisions(as_of)),
        ]
    counts: dict[_Owners, dict[SlaState, tuple[int, datetime]]] = defaultdict(dict)
    for promise, cases in promised:
        mine = cases if seller is None else cases.where(col(CaseRow.seller_id) == seller)
        for supplier_id, seller_id, state, count, next_due in session.execute(_counted(mine)):
            of_state = counts[promise, supplier_id, seller_id]
            before = of_state.get(SlaState(state), (0, next_due))
            of_state[SlaState(state)] = (before[0] + count, min(before[1], next_due))
    rows = [_row(*owners, states) for owners, states in counts.items()]
    return SlaReport(as_of=as_of, rows=tuple(sorted(rows, key=_by_name)))


def _row(
    promise: Promise, supplier_id: str | None, seller_id: str, states: dict[SlaState, tuple[int, datetime]]
) -> PromisesOf:
    counts = {state: states[state][0] if state in states else 0 for state in SlaState}
    not_broken = [due for state, (_, due) in states.items() if state is not SlaState.BREACHED]
    return PromisesOf(
        promise=promise,
        supplier_id=supplier_id,
        seller_id=seller_id,
        due=counts[SlaState.ON_TIME],
        at_risk=counts[SlaState.AT_RISK],
        breached=counts[SlaState.BREACHED],
        next_due=min(not_broken, default=None),
    )


def _by_name(row: PromisesOf) -> tuple[int, str, str]:
    return (list(Promise).index(row.promise), row.supplier_id or "", row.seller_id)


def _seller_refunds(as_of: datetime, supplier: str | None) -> Cases:
    due = col(ReturnRow.refund_due)
    query = (
        _open("return", SELLER_NOT_REFUNDED, col(ReturnRow.supplier_id), due, as_of)
        .join(ReturnRow, col(ReturnRow.workflow_id) == col(CaseRow.workflow_id))
        .where(col(ReturnRow.returnless) == false())
    )
    return query if supplier is None else query.where(col(ReturnRow.supplier_id) == supplier)


def _hand_overs(as_of: datetime) -> Cases:
    return (
        _open("order", _NOT_HANDED_OVER, null(), col(OrderRow.handoff_due), as_of)
        .join(OrderRow, col(OrderRow.workflow_id) == col(CaseRow.workflow_id))
        .where(col(OrderRow.handed_off_at).is_(None))
    )


def _decisions(as_of: datetime) -> list[Cases]:
    kinds: tuple[tuple[KindName, str], ...] = (
        ("claim", ClaimStage.AWAITING_DECISION),
        ("cost-review", CostReviewStage.AWAITING_DECISION),
    )
    return [_open(kind, (stage,), null(), col(CaseRow.due_by), as_of) for kind, stage in kinds]


def _open(kind: KindName, stages: Sequence[str], supplier: Any, due: Any, as_of: datetime) -> Cases:
    """Cases of a kind at these stages: supplier, seller, state, and when it is due.

    What is due is broken when its time has come, also while no worker runs that could say so.
    """
    state = case((due <= as_of, literal(SlaState.BREACHED.value)), else_=col(CaseRow.sla_state))
    return (
        select(
            supplier.label("supplier_id"),
            col(CaseRow.seller_id),
            state.label("state"),
            type_coerce(due, UtcTime).label("due"),
        )
        .select_from(CaseRow)
        .where(
            col(CaseRow.kind) == kind,
            col(CaseRow.stage).in_([str(one) for one in stages]),
            col(CaseRow.ended) == false(),
            due.is_not(None),
        )
    )


def _counted(cases: Cases) -> Cases:
    """By supplier, seller and state: how many, and when the first is due."""
    one = cases.subquery()
    owners = (one.c.supplier_id, one.c.seller_id, one.c.state)
    return select(*owners, func.count(), func.min(one.c.due)).group_by(*owners)
