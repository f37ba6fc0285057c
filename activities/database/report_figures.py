"""What the charts of the reports show, counted by the database."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Select, case, false, func, literal, select, true
from sqlmodel import Session, col

from activities.database.calendar_days import days_between, utc_day
from activities.database.money_report import Period
from models.cancellations import Fault
from models.case import SlaState
from models.ledger import EntryKind
from models.money import from_minor_units
from models.refunds import Direction, RefundState
from models.report_figures import (
    AGES,
    DaysToCredit,
    Figures,
    FillRate,
    OpenByAge,
    RefundsByReason,
    age_in_words,
    by_week,
    days_to_credit,
)
from models.tables import (
    CaseRow,
    CessationRow,
    CreditMemoRow,
    LedgerLineRow,
    OrderRow,
    RefundRow,
    ReturnLineRow,
    ReturnParcelRow,
    ReturnRow,
    SupplierOrderRow,
)

Rows = Select[*tuple[Any, ...]]


class Wanted(NamedTuple):
    """Of which seller, supplier and period; what has no supplier is left out where one is wanted."""

    seller: str | None
    supplier: str | None
    period: Period

    def of(self, query: Rows, seller: Any, supplier: Any = None) -> Rows:
        if self.seller is not None:
            query = query.where(seller == self.seller)
        if self.supplier is not None and supplier is not None:
            query = query.where(supplier == self.supplier)
        return query

    def moved(self, query: Rows, at: Any) -> Rows:
        if self.period.since is not None:
            query = query.where(at >= self.period.since)
        return query if self.period.until is None else query.where(at < self.period.until)


def figures(session: Session, as_of: datetime, wanted: Wanted) -> Figures:
    """What is open now, and what moved in the period."""
    return Figures(
        ageing=_ageing(session, as_of, wanted),
        to_credit=_to_credit(session, wanted),
        fill_rate=_fill_rate(session, wanted),
        reasons=_reasons(session, wanted),
    )


def _ageing(session: Session, as_of: datetime, wanted: Wanted) -> tuple[OpenByAge, ...]:
    """A whole day counts when it is over: a return of this moment is of the age 0."""
    made = col(ReturnRow.created_at)
    limits = [(made > as_of - timedelta(days=last + 1), literal(at)) for at, (_, last) in enumerate(AGES) if last]
    returns = (
        select(case(*limits, else_=literal(len(AGES) - 1)).label("age"), col(CaseRow.sla_state))
        .join_from(CaseRow, ReturnRow, col(ReturnRow.workflow_id) == col(CaseRow.workflow_id))
        .where(col(CaseRow.kind) == "return", col(CaseRow.ended) == false())
    )
    one = wanted.of(returns, col(ReturnRow.seller_id), col(ReturnRow.supplier_id)).subquery()
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for age, state, count in session.execute(
        select(one.c.age, one.c.sla_state, func.count()).group_by(one.c.age, one.c.sla_state)
    ):
        counts[age][SlaState(state).value] = count
    return tuple(OpenByAge(age=age_in_words(*days), **counts[at]) for at, days in enumerate(AGES))


def _to_credit(session: Session, wanted: Wanted) -> tuple[DaysToCredit, ...]:
    sent = (
        select(col(ReturnParcelRow.return_id), func.min(col(ReturnParcelRow.at)).label("at"))
        .group_by(col(ReturnParcelRow.return_id))
        .subquery()
    )
    took = days_between(func.coalesce(sent.c.at, col(ReturnRow.created_at)), col(CreditMemoRow.at))
    memos = (
        select(col(CreditMemoRow.supplier_id), took.label("days"))
        .join(ReturnRow, col(ReturnRow.return_id) == col(CreditMemoRow.return_id))
        .join(sent, sent.c.return_id == col(CreditMemoRow.return_id), isouter=True)
    )
    own = wanted.of(memos, col(ReturnRow.seller_id), col(CreditMemoRow.supplier_id))
    one = wanted.moved(own, col(CreditMemoRow.at)).subquery()
    counts: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for supplier_id, days, count in session.execute(
        select(one.c.supplier_id, one.c.days, func.count()).group_by(one.c.supplier_id, one.c.days)
    ):
        counts[supplier_id].append((days, count))
    found = [days_to_credit(supplier_id, days) for supplier_id, days in counts.items()]
    return tuple(sorted(found, key=lambda one: (-one.median, -one.ninety_percent, one.supplier_id)))


def _fill_rate(session: Session, wanted: Wanted) -> tuple[FillRate, ...]:
    """Of a supplier: the orders that it got a part of; what nobody had was no supplier's."""
    bought = select(
        col(SupplierOrderRow.order_id),
        func.max(case((col(SupplierOrderRow.second_source) == true(), 1), else_=0)).label("second"),
    ).group_by(col(SupplierOrderRow.order_id))
    if wanted.supplier is not None:
        bought = bought.where(col(SupplierOrderRow.supplier_id) == wanted.supplier)
    got = bought.where(col(SupplierOrderRow.state) == "accepted").subquery()
    nobody_had = (
        select(col(CessationRow.order_id))
        .where(col(CessationRow.kind) == "voided", col(CessationRow.fault).in_([Fault.STOCK_FEED, Fault.SUPPLIER]))
        .distinct()
        .subquery()
    )
    is_voided = nobody_had.c.order_id.is_not(None)
    became = case((is_voided, "voided"), (got.c.second == 1, "second"), else_="stock")
    orders = (
        select(utc_day(col(OrderRow.received_at)).label("day"), became.label("became"))
        .join(got, got.c.order_id == col(OrderRow.order_id), isouter=wanted.supplier is None)
        .join(nobody_had, nobody_had.c.order_id == col(OrderRow.order_id), isouter=True)
        .where(got.c.order_id.is_not(None) | is_voided)
    )
    one = wanted.moved(wanted.of(orders, col(OrderRow.seller_id)), col(OrderRow.received_at)).subquery()
    kept = ("stock", "second", "voided")
    counts = [func.sum(case((one.c.became == name, 1), else_=0)) for name in kept]
    return by_week(
        (day, *(int(count) for count in found))
        for day, *found in session.execute(select(one.c.day, *counts).group_by(one.c.day))
    )


def _reasons(session: Session, wanted: Wanted) -> tuple[RefundsByReason, ...]:
    """The amounts stand in the ledger in whole numbers, which the database adds."""
    refunds = (
        select(col(ReturnLineRow.reason), col(LedgerLineRow.currency), col(LedgerLineRow.units))
        .select_from(RefundRow)
        .join(
            LedgerLineRow,
            (col(LedgerLineRow.movement) == literal("refund/").concat(col(RefundRow.refund_id)))
            & (col(LedgerLineRow.kind) == EntryKind.REFUNDED),
        )
        .join(ReturnRow, col(ReturnRow.return_id) == col(RefundRow.return_id), isouter=True)
        .join(
            ReturnLineRow,
            (col(ReturnLineRow.return_id) == col(RefundRow.return_id)) & (col(ReturnLineRow.position) == 1),
            isouter=True,
        )
        .where(
            col(RefundRow.direction) == Direction.SELLER_TO_BUYER, col(RefundRow.state) == RefundState.SUCCEEDED
        )
    )
    own = wanted.of(refunds, col(RefundRow.seller_id), col(ReturnRow.supplier_id))
    one = wanted.moved(own, col(LedgerLineRow.at)).subquery()
    counts: dict[str | None, list[tuple[str, int, int]]] = defaultdict(list)
    for reason, currency, count, units in session.execute(
        select(one.c.reason, one.c.currency, func.count(), func.sum(one.c.units)).group_by(
            one.c.reason, one.c.currency
        )
    ):
        counts[reason].append((currency, count, int(units)))
    found = [_of_reason(reason, sums) for reason, sums in counts.items()]
    return tuple(sorted(found, key=lambda one: (-one.refunds, one.reason or "")))


def _of_reason(reason: str | None, sums: Sequence[tuple[str, int, int]]) -> RefundsByReason:
    amounts: list[tuple[str, Decimal]] = [
        (currency, from_minor_units(units, currency)) for currency, _, units in sorted(sums)
    ]
    return RefundsByReason(reason=reason, refunds=sum(count for _, count, _ in sums), amounts=tuple(amounts))
