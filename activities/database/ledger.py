"""The ledger in the database: entered in the transaction of what moved, once, and never changed (BAL-1)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Engine, func, union_all
from sqlmodel import Session, col, select

from activities.database.ledger_facts import Movement, movements_of
from activities.database.transactions import read, write
from activities.database.upserts import add_new, table_of
from activities.database.views import Balance, EntryListed, LedgerFault
from models.ledger import Entry, EntryKind, Line, is_credit
from models.money import from_minor_units
from models.tables import LedgerLineRow, OrderRow

PAGE: Final = 500
"""So many orders are looked through at once."""


def post(session: Session, entries: Iterable[Entry]) -> int:
    """Enter what is not entered yet, in the order of the keys: two who enter the same wait, and never for each
    other. Gives how many lines are new."""
    rows = [
        {
            "movement": entry.movement,
            "kind": entry.kind,
            "position": position,
            "order_id": entry.order_id,
            "debit": line.debit,
            "credit": line.credit,
            "units": line.units,
            "currency": entry.currency,
            "at": entry.at,
        }
        for entry in sorted(entries, key=lambda one: one.key)
        for position, line in enumerate(entry.lines, start=1)
    ]
    return add_new(session, LedgerLineRow, rows)


def entered(session: Session, movement: str) -> set[EntryKind]:
    """What of a movement is in the ledger."""
    rows = select(LedgerLineRow).where(LedgerLineRow.movement == movement)
    return {row.kind for row in session.exec(rows)}


class Ledger:
    """What people ask of the ledger. Raises PartnerUnavailable when the database stays away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def balances(self, *, seller: str | None = None) -> list[Balance]:
        """Of every account, by currency; or of a seller's."""
        return read(self._engine, lambda session: _balances(session, seller))

    def entries(self, *, order_id: str | None = None, limit: int | None = None) -> list[EntryListed]:
        """As they were entered: all, those of an order, or the last ones."""
        return read(self._engine, lambda session: _entries(session, order_id, limit))

    def faults(self) -> tuple[int, list[LedgerFault]]:
        """How many movements there are, and which of them are not entered as they are booked."""
        count, found = 0, []
        for orders in self._pages():
            movements, faults = read(self._engine, lambda session, ids=orders: _faults(session, ids))  # type: ignore[misc]
            count += movements
            found += faults
        return count, found

    def backfill(self) -> int:
        """Enter what was booked before there was a ledger. Gives how many entries are new; done again, none."""
        return sum(
            write(self._engine, lambda session, ids=orders: _backfill(session, ids))  # type: ignore[misc]
            for orders in self._pages()
        )

    def _pages(self) -> Iterator[list[str]]:
        after = ""
        while orders := read(self._engine, lambda session, last=after: _orders_after(session, last)):  # type: ignore[misc]
            yield orders
            after = orders[-1]


def _orders_after(session: Session, last: str) -> list[str]:
    rows = select(OrderRow.order_id).where(col(OrderRow.order_id) > last).order_by(col(OrderRow.order_id))
    return list(session.exec(rows.limit(PAGE)))


def _balances(session: Session, seller: str | None) -> list[Balance]:
    table = table_of(LedgerLineRow)
    sides = union_all(
        *(
            select(table.c[own].label("account"), table.c.currency, debit.label("debit"), credit.label("credit"))
            for own, debit, credit in (
                ("debit", table.c.units, table.c.units * 0),
                ("credit", table.c.units * 0, table.c.units),
            )
        )
    ).subquery()
    rows = (
        select(sides.c.account, sides.c.currency, func.sum(sides.c.debit), func.sum(sides.c.credit))
        .group_by(sides.c.account, sides.c.currency)
        .order_by(sides.c.account, sides.c.currency)
    )
    if seller is not None:
        rows = rows.where(sides.c.account.startswith(f"seller/{seller}/", autoescape=True))
    return [_balance(*row) for row in session.execute(rows)]


def _balance(account: str, currency: str, debit: int | Decimal, credit: int | Decimal) -> Balance:
    debited, credited = (from_minor_units(int(units), currency) for units in (debit, credit))
    grown = credited - debited if is_credit(account) else debited - credited
    return Balance(account=account, currency=currency, debit=debited, credit=credited, balance=grown)


def _entries(session: Session, order_id: str | None, limit: int | None) -> list[EntryListed]:
    rows = select(LedgerLineRow)
    key = (col(LedgerLineRow.at), col(LedgerLineRow.movement), col(LedgerLineRow.kind))
    if order_id is not None:
        rows = rows.where(LedgerLineRow.order_id == order_id)
    if limit is not None:
        rows = rows.order_by(*(one.desc() for one in key)).limit(limit)
    found = sorted(session.exec(rows), key=_by_time)
    return [_listed(row) for row in found]


def _by_time(row: LedgerLineRow) -> tuple[datetime, str, int, int]:
    return (row.at, row.movement, list(EntryKind).index(row.kind), row.position)


def _listed(row: LedgerLineRow) -> EntryListed:
    return EntryListed(
        at=row.at,
        movement=row.movement,
        kind=row.kind,
        position=row.position,
        order_id=row.order_id,
        debit=row.debit,
        credit=row.credit,
        amount=from_minor_units(row.units, row.currency),
        currency=row.currency,
    )


Net = dict[tuple[str, str], int]
"""Units by account and currency; credits are negative."""


def net_of(lines: Iterable[tuple[Line, str]]) -> Net:
    """What lines of a currency change together."""
    found: Net = {}
    for line, currency in lines:
        for account, units in ((line.debit, line.units), (line.credit, -line.units)):
            found[account, currency] = found.get((account, currency), 0) + units
    return {key: units for key, units in found.items() if units}


def _faults(session: Session, orders: Sequence[str]) -> tuple[int, list[LedgerFault]]:
    booked = {one.name: one for one in movements_of(session, orders, datetime.now(UTC))}
    lines: dict[str, list[tuple[Line, str]]] = {}
    for row in session.exec(select(LedgerLineRow).where(col(LedgerLineRow.order_id).in_(orders))):
        line = Line(debit=row.debit, credit=row.credit, units=row.units)
        lines.setdefault(row.movement, []).append((line, row.currency))
    faults = [
        LedgerFault(movement=name, what=what)
        for name in sorted(booked.keys() | lines.keys())
        if (what := _fault(booked.get(name), lines.get(name, []))) is not None
    ]
    return len(booked), faults


def _fault(movement: Movement | None, lines: Sequence[tuple[Line, str]]) -> str | None:
    if movement is None:
        return "is entered, and the books do not know it"
    wanted = net_of((line, entry.currency) for entry in movement.entries for line in entry.lines)
    if net_of(lines) == wanted:
        return None
    return (
        "is not entered: `backhaul ledger backfill` does it" if not lines else "is entered otherwise than booked"
    )


def _backfill(session: Session, orders: Sequence[str]) -> int:
    entries = [entry for one in movements_of(session, orders, datetime.now(UTC)) for entry in one.entries]
    known = {(row.movement, row.kind) for row in _lines_of(session, orders)}
    new = [entry for entry in entries if (entry.movement, entry.kind) not in known]
    post(session, new)
    return len(new)


def _lines_of(session: Session, orders: Sequence[str]) -> list[LedgerLineRow]:
    return list(session.exec(select(LedgerLineRow).where(col(LedgerLineRow.order_id).in_(orders))))
