"""The ledger in the database: entered in the transaction of what moved, once, and never changed (BAL-1)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Engine, func, union_all
from sqlmodel import Session, col, select

from activities.database.ledger_facts import Movement, movements_of
from activities.database.ledger_of_none import booked_of_none, count_of_none, entered_of_none
from activities.database.transactions import read, write
from activities.database.upserts import add_new, table_of
from activities.database.views import Balance, EntryListed, LedgerFault
from models.ledger import Entry, EntryKind, Line, available, is_credit
from models.money import from_minor_units
from models.tables import LedgerLineRow, OrderRow

PAGE: Final = 500
"""So many orders are looked through at once."""
_NOT_BOOKED: Final = "is entered, and the books do not know it"


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


def available_units(session: Session, seller_id: str, currency: str) -> int:
    """What the seller has at its disposal, in the currency's smallest unit; it may be less than nothing."""
    table, account = table_of(LedgerLineRow), available(seller_id)
    sides = (
        select(func.coalesce(func.sum(table.c.units), 0)).where(side == account, table.c.currency == currency)
        for side in (table.c.credit, table.c.debit)
    )
    credited, debited = (int(session.execute(one).scalar_one()) for one in sides)
    return credited - debited


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
        count, found = self._faults_of_none()
        for orders in self._pages():
            movements, faults = read(self._engine, lambda session, ids=orders: _faults(session, ids))  # type: ignore[misc]
            count += movements
            found += faults
        return count, found

    def backfill(self) -> int:
        """Enter what was booked before there was a ledger. Gives how many entries are new; done again, none."""
        of_none = sum(
            write(self._engine, lambda session, all_of=booked: _backfill_named(session, all_of))  # type: ignore[misc]
            for booked in booked_of_none(self._engine)
        )
        return of_none + sum(
            write(self._engine, lambda session, ids=orders: _backfill(session, ids))  # type: ignore[misc]
            for orders in self._pages()
        )

    def _faults_of_none(self) -> tuple[int, list[LedgerFault]]:
        """Of what is of no order that is known here. What is entered, and not booked, is looked for where more is
        entered than booked."""
        count, entered, found = 0, 0, list[LedgerFault]()
        for booked in booked_of_none(self._engine):
            lines = read(self._engine, lambda session, names=list(booked): _lines_named(session, names))  # type: ignore[misc]
            movements, faults = _compared(booked, lines)
            count, entered = count + movements, entered + len({row.movement for row in lines})
            found += faults
        if read(self._engine, count_of_none) > entered:
            names = {name for booked in booked_of_none(self._engine) for name in booked}
            for some in entered_of_none(self._engine):
                found += [LedgerFault(movement=one, what=_NOT_BOOKED) for one in some if one not in names]
        return count, found

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
    rows = session.exec(select(LedgerLineRow).where(col(LedgerLineRow.order_id).in_(orders)))
    return _compared(booked, rows)


def _compared(booked: dict[str, Movement], rows: Iterable[LedgerLineRow]) -> tuple[int, list[LedgerFault]]:
    lines: dict[str, list[tuple[Line, str]]] = {}
    for row in rows:
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
        return _NOT_BOOKED
    wanted = net_of((line, entry.currency) for entry in movement.entries for line in entry.lines)
    if net_of(lines) == wanted:
        return None
    return (
        "is not entered: `backhaul ledger backfill` does it" if not lines else "is entered otherwise than booked"
    )


def _backfill(session: Session, orders: Sequence[str]) -> int:
    return _enter(session, movements_of(session, orders, datetime.now(UTC)), _lines_of(session, orders))


def _backfill_named(session: Session, booked: dict[str, Movement]) -> int:
    return _enter(session, booked.values(), _lines_named(session, list(booked)))


def _enter(session: Session, booked: Iterable[Movement], lines: Iterable[LedgerLineRow]) -> int:
    """What is booked, and is not among these lines."""
    entries = [entry for one in booked for entry in one.entries]
    known = {(row.movement, row.kind) for row in lines}
    new = [entry for entry in entries if (entry.movement, entry.kind) not in known]
    post(session, new)
    return len(new)


def _lines_of(session: Session, orders: Sequence[str]) -> list[LedgerLineRow]:
    return list(session.exec(select(LedgerLineRow).where(col(LedgerLineRow.order_id).in_(orders))))


def _lines_named(session: Session, movements: Sequence[str]) -> list[LedgerLineRow]:
    return list(session.exec(select(LedgerLineRow).where(col(LedgerLineRow.movement).in_(movements))))
