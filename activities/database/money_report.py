"""Money by seller and supplier (RET-12, RET-13, REF-11, BAL-1, BAL-2).

What moved is read from the ledger: its amounts are whole numbers, which the database itself adds. What is open is
read from the cases that are open, which are few, and added here.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, false, func, or_, select
from sqlmodel import Session, col

from activities.database.upserts import table_of
from models.case import MoneyState, ReturnStage
from models.claims import ClaimState
from models.cost_reviews import ReviewState
from models.ledger import BROKER_EXPENSE, BROKER_REVENUE, EntryKind, available, pending, receivable, reserved
from models.money import from_minor_units, rounded, share_of_units
from models.refunds import UNSETTLED, Direction, RefundState
from models.reports import MoneyOfSeller, MoneyOfSupplier, MoneyReport
from models.returns import Acceptance
from models.tables import (
    CaseRow,
    ClaimRow,
    CostReviewRow,
    CreditMemoRow,
    LedgerLineRow,
    OrderRow,
    ReceptionRow,
    RefundRow,
    ReturnLineRow,
    ReturnRow,
)
from models.worklists import Work

_CREDIT_EXPECTED: Final = (ReturnStage.IN_TRANSIT, ReturnStage.AWAITING_CREDIT)
_REFUND_EXPECTED: Final = (*_CREDIT_EXPECTED, ReturnStage.REFUNDING_SELLER)
"""The goods are on their way back, or there."""
_LATE: Final = (Work.PARCEL_OVERDUE, Work.CREDIT_OVERDUE)
_BROKER: Final = (BROKER_EXPENSE, BROKER_REVENUE)

Amounts = dict[tuple[str, str], dict[str, Decimal]]
"""By whose they are and currency, then by the name of the column."""


class Period(NamedTuple):
    """What moved from `since` to before `until`; none: without limit."""

    since: datetime | None = None
    until: datetime | None = None


ALWAYS: Final = Period()


class _OpenReturn(NamedTuple):
    """A return whose goods are on their way back, or there. Amounts in the charge's currency."""

    seller_id: str
    supplier_id: str
    currency: str
    credit_is_expected: bool
    is_late: bool
    worth: Decimal
    credited: Decimal
    given: Decimal
    is_under_way: bool


def money_report(
    session: Session, as_of: datetime, period: Period, seller: str | None, supplier: str | None
) -> MoneyReport:
    """Of all sellers and suppliers; or of this seller, of this supplier, and of nobody else."""
    sellers, suppliers = _moved(session, period, seller, supplier)
    for one in _open_returns(session, seller, supplier):
        owed = one.worth - one.given
        if owed > 0 and not one.is_under_way:
            _add(sellers, one.seller_id, one.currency, "owed", owed)
        expected = one.worth - one.credited
        if expected > 0 and one.credit_is_expected:
            _add(suppliers, one.supplier_id, one.currency, "expected", expected)
            _add(suppliers, one.supplier_id, one.currency, "late", expected if one.is_late else Decimal(0))
    for owner, currency, column, amount in _unsettled(session):
        _add(sellers, owner, currency, column, amount)
    return MoneyReport.of(
        as_of,
        period,
        (
            MoneyOfSeller(seller_id=owner, currency=currency, **_whole(amounts, MoneyOfSeller.amounts(), currency))
            for (owner, currency), amounts in sellers.items()
            if seller == owner or (seller is None and supplier is None)
        ),
        (
            MoneyOfSupplier(
                supplier_id=owner, currency=currency, **_whole(amounts, MoneyOfSupplier.amounts(), currency)
            )
            for (owner, currency), amounts in suppliers.items()
            if supplier == owner or (seller is None and supplier is None)
        ),
    )


def _add(amounts: Amounts, owner: str, currency: str, column: str, amount: Decimal) -> None:
    amounts[owner, currency][column] += amount


def _whole(amounts: dict[str, Decimal], names: Iterable[str], currency: str) -> dict[str, Any]:
    """With the digits of the currency."""
    return {name: rounded(amounts[name], currency) for name in names}


# ---- what moved ----


def _moved(session: Session, period: Period, seller: str | None, supplier: str | None) -> tuple[Amounts, Amounts]:
    lines = table_of(LedgerLineRow)
    columns = (lines.c.kind, lines.c.debit, lines.c.credit, lines.c.currency)
    query = select(*columns, func.sum(lines.c.units)).group_by(*columns)
    if period.since is not None:
        query = query.where(lines.c.at >= period.since)
    if period.until is not None:
        query = query.where(lines.c.at < period.until)
    own = [] if seller is None else [available(seller), reserved(seller), pending(seller)]
    own += [] if supplier is None else [receivable(supplier)]
    if own:
        query = query.where(or_(lines.c.debit.in_(own), lines.c.credit.in_(own)))
    sellers: Amounts = defaultdict(lambda: defaultdict(Decimal))
    suppliers: Amounts = defaultdict(lambda: defaultdict(Decimal))
    for kind, debit, credit, currency, units in session.execute(query):
        amount = from_minor_units(int(units), currency)
        for whose, column, sign in _meaning(kind, debit, credit):
            _, owner, _ = whose.split("/")
            amounts = suppliers if whose == receivable(owner) else sellers
            _add(amounts, owner, currency, column, sign * amount)
    return sellers, suppliers


def _meaning(kind: EntryKind, debit: str, credit: str) -> list[tuple[str, str, int]]:
    """Whose account, which column, and whether it adds or takes away; nothing for what only goes from one account
    of a seller to another."""
    match kind:
        case EntryKind.PAID:
            return [(credit, "buyers_paid", 1)]
        case EntryKind.CAPTURED if credit == BROKER_REVENUE:
            return [(debit, "charged", 1)]
        case EntryKind.REFUNDED if debit in _BROKER:
            return [(credit, "refunded", 1)]
        case EntryKind.REFUNDED:
            return [(debit, "buyers_refunded", 1)]
        case EntryKind.TAKEN_BACK if credit in _BROKER:
            return [(debit, "refunded", -1)]
        case EntryKind.TAKEN_BACK:
            return [(credit, "buyers_refunded", -1)]
        case EntryKind.CREDITED if credit == BROKER_EXPENSE:
            return [(debit, "received", 1)]
        case EntryKind.CREDITED:
            return [(credit, "credited", 1)]
    return []


# ---- what is open ----


def _open_returns(session: Session, seller: str | None, supplier: str | None) -> Iterable[_OpenReturn]:
    ids = _goods_come_back(seller, supplier)
    worth = _worth(session, ids)
    credited, final = _credited(session, ids)
    given, under_way = _refunds_of(session, ids)
    returns = (
        select(
            col(ReturnRow.return_id),
            col(ReturnRow.seller_id),
            col(ReturnRow.supplier_id),
            col(OrderRow.charge_currency),
            col(CaseRow.stage),
            col(CaseRow.work),
        )
        .join(OrderRow, col(OrderRow.order_id) == col(ReturnRow.order_id))
        .join(CaseRow, col(CaseRow.workflow_id) == col(ReturnRow.workflow_id))
        .where(col(ReturnRow.return_id).in_(ids))
    )
    for return_id, seller_id, supplier_id, currency, stage, work in session.execute(returns):
        yield _OpenReturn(
            seller_id=seller_id,
            supplier_id=supplier_id,
            currency=currency,
            credit_is_expected=stage in _CREDIT_EXPECTED and return_id not in final,
            is_late=any(f",{one.value}," in work for one in _LATE),
            worth=worth.get(return_id, Decimal(0)),
            credited=credited.get((return_id, currency), Decimal(0)),
            given=given.get(return_id, Decimal(0)),
            is_under_way=return_id in under_way,
        )


def _goods_come_back(seller: str | None, supplier: str | None) -> Select[Any]:
    """The ids of these returns. Both: what is of the one or of the other."""
    found = (
        select(col(ReturnRow.return_id))
        .join_from(CaseRow, ReturnRow, col(ReturnRow.workflow_id) == col(CaseRow.workflow_id))
        .where(
            col(CaseRow.kind) == "return",
            col(CaseRow.stage).in_([stage.value for stage in _REFUND_EXPECTED]),
            col(CaseRow.ended) == false(),
            col(ReturnRow.returnless) == false(),
        )
    )
    own = [] if seller is None else [col(ReturnRow.seller_id) == seller]
    own += [] if supplier is None else [col(ReturnRow.supplier_id) == supplier]
    return found.where(or_(*own)) if own else found


def _worth(session: Session, ids: Select[Any]) -> dict[str, Decimal]:
    """The cost of the units that the supplier has not rejected, by return."""
    rejected: dict[tuple[str, str], int] = defaultdict(int)
    said = select(col(ReceptionRow.return_id), col(ReceptionRow.line_id), col(ReceptionRow.quantity)).where(
        col(ReceptionRow.return_id).in_(ids), col(ReceptionRow.acceptance) == Acceptance.REJECTED
    )
    for return_id, line_id, units in session.execute(said):
        rejected[return_id, line_id] += units
    lines = (
        select(
            col(ReturnLineRow.return_id),
            col(ReturnLineRow.line_id),
            col(ReturnLineRow.quantity),
            col(ReturnLineRow.cost),
            col(OrderRow.charge_currency),
        )
        .join(ReturnRow, col(ReturnRow.return_id) == col(ReturnLineRow.return_id))
        .join(OrderRow, col(OrderRow.order_id) == col(ReturnRow.order_id))
        .where(col(ReturnLineRow.return_id).in_(ids))
    )
    found: dict[str, Decimal] = defaultdict(Decimal)
    for return_id, line_id, units, cost, currency in session.execute(lines):
        accepted = max(units - rejected[return_id, line_id], 0)
        found[return_id] += share_of_units(cost, units, 0, accepted, currency)
    return found


def _credited(session: Session, ids: Select[Any]) -> tuple[dict[tuple[str, str], Decimal], set[str]]:
    """By return and currency; and the returns for which no more comes (RET-28)."""
    memos = select(
        col(CreditMemoRow.return_id),
        col(CreditMemoRow.currency),
        col(CreditMemoRow.amount),
        col(CreditMemoRow.final),
    ).where(col(CreditMemoRow.return_id).in_(ids))
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    final = set()
    for return_id, currency, amount, is_final in session.execute(memos):
        found[return_id, currency] += amount
        if is_final:
            final.add(return_id)
    return found, final


def _refunds_of(session: Session, ids: Select[Any]) -> tuple[dict[str, Decimal], set[str]]:
    """What the seller was given by return; and the returns of which a refund is under way, or in doubt."""
    refunds = select(col(RefundRow.return_id), col(RefundRow.state), col(RefundRow.amount)).where(
        col(RefundRow.return_id).in_(ids), col(RefundRow.direction) == Direction.BROKER_TO_SELLER
    )
    given: dict[str, Decimal] = defaultdict(Decimal)
    under_way = set()
    for return_id, state, amount in session.execute(refunds):
        if state is RefundState.SUCCEEDED:
            given[return_id] += amount
        elif state in UNSETTLED:
            under_way.add(return_id)
    return given, under_way


_COLUMN_OF: Final = {
    (Direction.BROKER_TO_SELLER, False): "owed",
    (Direction.BROKER_TO_SELLER, True): "in_doubt",
    (Direction.SELLER_TO_BUYER, False): "buyers_pending",
    (Direction.SELLER_TO_BUYER, True): "buyers_in_doubt",
}


def _unsettled(session: Session) -> Iterable[tuple[str, str, str, Decimal]]:
    """Seller, currency, column and amount of refunds under way, and of reviews and claims that nobody decided."""
    refunds = (
        select(
            col(RefundRow.seller_id),
            col(RefundRow.currency),
            col(RefundRow.direction),
            col(RefundRow.amount),
            col(CaseRow.money),
        )
        .join(CaseRow, col(CaseRow.workflow_id) == col(RefundRow.workflow_id), isouter=True)
        .where(col(RefundRow.state).in_(UNSETTLED))
    )
    for seller_id, currency, direction, amount, money in session.execute(refunds):
        yield seller_id, currency, _COLUMN_OF[direction, money is MoneyState.IN_DOUBT], amount
    reviews = (
        select(col(CostReviewRow.seller_id), col(CostReviewRow.currency), col(CostReviewRow.amount))
        .join(CaseRow, col(CaseRow.workflow_id) == col(CostReviewRow.workflow_id))
        .where(col(CostReviewRow.state) == ReviewState.OPEN, col(CaseRow.ended) == false())
    )
    claims = (
        select(col(ClaimRow.seller_id), col(ClaimRow.currency), col(ClaimRow.amount))
        .join(CaseRow, col(CaseRow.workflow_id) == col(ClaimRow.workflow_id))
        .where(col(ClaimRow.state) == ClaimState.OPEN, col(CaseRow.ended) == false())
    )
    for query in (reviews, claims):
        for seller_id, currency, amount in session.execute(query):
            yield seller_id, currency, "in_review", amount
