"""Which cases have a number, of whatever kind, however it is written (RET-17, ORD-21)."""

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, select

from activities.database.upserts import Values, add_new
from models.ids import KindName, case_of, order_workflow_id
from models.message import folded
from models.orphans import FindCases, FoundCases
from models.tables import CaseRow, OrderRow, RefundRow, ReturnRow, SupplierOrderRow
from models.tables.orphans import CaseNumberRow

MOST: int = 50
"""So many cases of one number are looked at."""


def add_numbers(session: Session, workflow_id: str, numbers: Iterable[str]) -> None:
    """The case can be found by them from now on. A number that it had once still finds it."""
    add_new(session, CaseNumberRow, number_rows(workflow_id, numbers))


def number_rows(workflow_id: str, numbers: Iterable[str]) -> list[Values]:
    """Each number once, however often it is written."""
    distinct = {folded(number): number for number in numbers}
    return [{"workflow_id": workflow_id, "folded": plain, "number": number} for plain, number in distinct.items()]


def find_cases(session: Session, ask: FindCases) -> FoundCases:
    """Those that have each number that is known here; where none has, those that have some of them. An order's
    number finds its returns and refunds too, a return's its refunds."""
    known = [
        found
        for number in ask.numbers
        if (found := _allowed(session, ask, _of_kind(session, ask.about, _numbered(session, number))))
    ]
    if not known:
        return FoundCases()
    every = set[str]().union(*known)
    return FoundCases(fitting=tuple(sorted(every.intersection(*known))), candidates=tuple(sorted(every)[:MOST]))


def _numbered(session: Session, number: str) -> list[str]:
    rows = select(CaseNumberRow.workflow_id).where(CaseNumberRow.folded == folded(number))
    return list(session.exec(rows.order_by(col(CaseNumberRow.workflow_id)).limit(MOST)))


def _of_kind(session: Session, about: KindName, numbered: Sequence[str]) -> set[str]:
    """The cases of this kind that these are, or that belong to them."""
    found = {one for one in numbered if case_of(one)[0] == about}
    orders = [case_of(one)[1] for one in numbered if case_of(one)[0] == "order"]
    returns = [case_of(one)[1] for one in numbered if case_of(one)[0] == "return"]
    if about == "return" and orders:
        found.update(session.exec(select(ReturnRow.workflow_id).where(col(ReturnRow.order_id).in_(orders))))
    if about == "refund" and orders:
        found.update(session.exec(select(RefundRow.workflow_id).where(col(RefundRow.order_id).in_(orders))))
    if about == "refund" and returns:
        found.update(session.exec(select(RefundRow.workflow_id).where(col(RefundRow.return_id).in_(returns))))
    return found


def _allowed(session: Session, ask: FindCases, found: set[str]) -> set[str]:
    """Of them, those of the seller and the supplier that are meant."""
    if found and ask.seller_id is not None:
        mine = select(CaseRow.workflow_id).where(
            col(CaseRow.workflow_id).in_(found), CaseRow.seller_id == ask.seller_id
        )
        found = set(session.exec(mine))
    if found and ask.supplier_id is not None and ask.about == "return":
        theirs = select(ReturnRow.workflow_id).where(
            col(ReturnRow.workflow_id).in_(found), ReturnRow.supplier_id == ask.supplier_id
        )
        found = set(session.exec(theirs))
    if found and ask.supplier_id is not None and ask.about == "order":
        bought = (
            select(OrderRow.order_id)
            .join(SupplierOrderRow, col(SupplierOrderRow.order_id) == col(OrderRow.order_id))
            .where(col(OrderRow.workflow_id).in_(found), SupplierOrderRow.supplier_id == ask.supplier_id)
        )
        found = {order_workflow_id(one) for one in session.exec(bought)}
    return found
