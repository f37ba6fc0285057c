"""What settlements say of orders, added up by component: by the database, so that an order may have any number of
amounts (AMZ-8)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session

from activities.database.upserts import table_of
from models.amazon.settlement import Component
from models.amazon.settlements import SettlementState
from models.ledger import AmountsSettled, EntryKind
from models.tables import SettlementAmountRow, SettlementRow

AMOUNT: Final = table_of(SettlementAmountRow)


_KINDS: Final = {
    one: EntryKind.GIVEN_BACK if one is Component.REFUNDED else EntryKind(one.value) for one in Component
}
_OF: Final = ("connection_id", "settlement_id", "seller_id", "currency", "at", "number", "order_id")


def settled_between(session: Session, settlement: SettlementRow, start: int, end: int) -> Iterator[AmountsSettled]:
    """Of the amounts from one position to before another; with what is beside its total, if they are the last."""
    where = (AMOUNT.c.import_id == settlement.import_id, AMOUNT.c.position >= start, AMOUNT.c.position < end)
    yield from _added_up(session, *where)
    if end == settlement.amounts and (beside := _beside(settlement)) is not None:
        yield beside


def settled_of(session: Session, orders: Sequence[str]) -> Iterator[AmountsSettled]:
    """All that is booked of these orders."""
    booked = AMOUNT.c.position < table_of(SettlementRow).c.booked_to
    return _added_up(session, AMOUNT.c.order_id.in_(orders), booked)


def settled_of_none(session: Session, settlement: SettlementRow, start: int, end: int) -> Iterator[AmountsSettled]:
    """Of the amounts from one position to before another those of no order that is known here."""
    where = (AMOUNT.c.import_id == settlement.import_id, AMOUNT.c.position >= start, AMOUNT.c.position < end)
    return _added_up(session, *where, AMOUNT.c.order_id.is_(None))


def end_of_order(session: Session, settlement: SettlementRow, last: int) -> int:
    """Behind the last amount of the order that the amount at this position is of."""
    if last >= settlement.amounts - 1:
        return settlement.amounts
    of_import = AMOUNT.c.import_id == settlement.import_id
    number = session.execute(select(AMOUNT.c.number).where(of_import, AMOUNT.c.position == last)).scalar_one()
    following = (
        select(AMOUNT.c.position)
        .where(of_import, AMOUNT.c.position > last, AMOUNT.c.number != number)
        .order_by(AMOUNT.c.position)
        .limit(1)
    )
    return session.execute(following).scalar() or settlement.amounts


def _added_up(session: Session, *where: ColumnElement[bool]) -> Iterator[AmountsSettled]:
    table = table_of(SettlementRow)
    of = [*(table.c[name] for name in _OF[:5]), *(AMOUNT.c[name] for name in _OF[5:])]
    sums = (
        select(AMOUNT.c.component, func.sum(AMOUNT.c.units), *of)
        .join(table, table.c.import_id == AMOUNT.c.import_id)
        .where(*where)
        .group_by(*of, AMOUNT.c.component)
    )
    found: dict[tuple[Any, ...], dict[EntryKind, int]] = {}
    for component, units, *of_order in session.execute(sums):
        found.setdefault(tuple(of_order), {})[_KINDS[component]] = int(units)
    for order, of_component in found.items():
        named = dict(zip(_OF, order, strict=True))
        yield AmountsSettled(**named, units=of_component)


def beside_its_total(settlement: SettlementRow) -> AmountsSettled | None:
    """What the total of one that is booked is more than its amounts are; none: nothing."""
    return _beside(settlement) if settlement.state is SettlementState.BOOKED else None


def _beside(settlement: SettlementRow) -> AmountsSettled | None:
    if settlement.total == settlement.came:
        return None
    return AmountsSettled(
        connection_id=settlement.connection_id,
        settlement_id=settlement.settlement_id,
        number="",
        order_id=None,
        seller_id=settlement.seller_id,
        currency=settlement.currency,
        units={EntryKind.OUT_OF_BALANCE: settlement.total - settlement.came},
        at=settlement.at,
    )
