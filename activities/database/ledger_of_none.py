"""What the ledger has of no order that is known here, some movements at a time: settlements may have any number
(AMZ-8, BAL-1)."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from activities.database.ledger_facts import Movement
from activities.database.settlement_sums import beside_its_total, end_of_order, settled_of_none
from activities.database.transactions import read
from models.ledger import amounts_settled
from models.tables import LedgerLineRow, SettlementRow

PAGE: Final = 500
"""So many amounts, or movements, are looked through at once."""


def booked_of_none(engine: Engine) -> Iterator[dict[str, Movement]]:
    """All that is booked, as it is to be entered."""
    for import_id in _settlements(engine):
        start = 0
        while True:
            movements, end = read(
                engine,
                lambda session, one=import_id, after=start: _movements(session, one, after),  # type: ignore[misc]
            )
            if movements:
                yield movements
            if end is None:
                break
            start = end


def count_of_none(session: Session) -> int:
    """How many movements of no order are entered."""
    rows = select(func.count(col(LedgerLineRow.movement).distinct())).where(col(LedgerLineRow.order_id).is_(None))
    return session.exec(rows).one()


def entered_of_none(engine: Engine) -> Iterator[list[str]]:
    """Their names."""
    after = ""
    while some := read(engine, lambda session, last=after: _entered_after(session, last)):  # type: ignore[misc]
        yield some
        after = some[-1]


def _settlements(engine: Engine) -> Iterator[str]:
    after = ""
    while some := read(engine, lambda session, last=after: _settlements_after(session, last)):  # type: ignore[misc]
        yield from some
        after = some[-1]


def _settlements_after(session: Session, last: str) -> list[str]:
    rows = select(SettlementRow.import_id).where(SettlementRow.import_id > last, SettlementRow.booked_to > 0)
    return list(session.exec(rows.order_by(SettlementRow.import_id).limit(PAGE)))


def _movements(session: Session, import_id: str, start: int) -> tuple[dict[str, Movement], int | None]:
    """Of the amounts from here on, and where it goes on. Those of no number stand first, and what is beside the
    total is entered with them."""
    settlement = session.exec(select(SettlementRow).where(SettlementRow.import_id == import_id)).one()
    end = min(end_of_order(session, settlement, start + PAGE - 1), settlement.booked_to)
    found: dict[str, Movement] = {}
    for settled in settled_of_none(session, settlement, start, end):
        found[settled.movement] = Movement(settled.movement, amounts_settled(settled))
    if start == 0 and (beside := beside_its_total(settlement)) is not None:
        found.setdefault(beside.movement, Movement(beside.movement, [])).entries.extend(amounts_settled(beside))
    return found, end if end < settlement.booked_to else None


def _entered_after(session: Session, last: str) -> list[str]:
    rows = select(LedgerLineRow.movement).where(
        col(LedgerLineRow.order_id).is_(None), LedgerLineRow.movement > last
    )
    return list(session.exec(rows.distinct().order_by(LedgerLineRow.movement).limit(PAGE)))
