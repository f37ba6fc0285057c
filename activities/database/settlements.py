"""Settlements in the database: taken once, their amounts kept, none twice (AMZ-8)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from sqlalchemy import Engine, delete, update
from sqlmodel import Session, col, select

from activities.database.transactions import read, write
from activities.database.upserts import add_new, table_of, written
from models.amazon.settlement import SettledAmount, SettlementHead
from models.amazon.settlements import SettlementState
from models.failures import Conflict
from models.message import folded
from models.orders import Channel
from models.tables import (
    ConnectionRow,
    OrderRow,
    RejectedRowRow,
    ReportImportRow,
    SettlementAmountRow,
    SettlementRow,
)

TAKEN: Final = (SettlementState.BOOKING, SettlementState.BOOKED)
"""In the ledger, in part or whole: its contents are final."""


class ReadSettlement(NamedTuple):
    """A settlement as a file says it."""

    import_id: str
    connection_id: str
    seller_id: str
    head: SettlementHead
    digest: str
    came: int
    """The sum of its amounts."""
    amounts: int
    rejected: int
    at: datetime
    """Now."""

    @property
    def key(self) -> tuple[str, str]:
        return self.connection_id, self.head.settlement_id


class Claimed(NamedTuple):
    """`new`: its amounts are to be kept. `known`: it is there with the same contents, in import `import_id`, in
    this state. `other`: it is there with other contents, said in words."""

    found: Literal["new", "known", "other"]
    import_id: str
    state: SettlementState = SettlementState.HELD
    words: str = ""


class Settlements:
    """Write them. Each call raises as `read` and `write` do."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, said: ReadSettlement) -> Claimed:
        """Whether its contents are to be kept under this import. What is held is replaced: none is booked."""
        return write(self._engine, lambda session: _claim(session, said))

    def add(self, import_id: str, seller_id: str, start: int, rows: Sequence[SettledAmount]) -> None:
        """Its amounts from this position on, each with the order that it is of, if one here fits."""
        write(self._engine, lambda session: _add(session, import_id, seller_id, start, rows))

    def release(self, import_id: str, state: SettlementState) -> None:
        """All is kept, and its sum is its total, or a person takes the difference: it may be booked from now on.
        Raises Conflict when another import has replaced it."""
        table = table_of(SettlementRow)
        ready = (
            update(table)
            .where(table.c.import_id == import_id, table.c.state == SettlementState.HELD)
            .values(state=state)
        )
        if not write(self._engine, lambda session: written(session, ready)):
            raise Conflict("another import of this settlement began meanwhile: look at its import")

    def forget(self, import_id: str) -> None:
        """An import that brought nothing new."""
        write(self._engine, lambda session: _forget(session, import_id))

    def of_import(self, import_id: str) -> SettlementRow | None:
        """The settlement whose amounts an import has."""
        rows = select(SettlementRow).where(SettlementRow.import_id == import_id)
        return read(self._engine, lambda session: session.exec(rows).first())


def _claim(session: Session, said: ReadSettlement) -> Claimed:
    for elsewhere in _through_others(session, said):
        if elsewhere.state in TAKEN:
            one, through = elsewhere.settlement_id, elsewhere.connection_id
            words = (
                f"settlement {one} is in the ledger through connection {through}, which is of the same seller or "
                f"account at Amazon (import {elsewhere.import_id}): nothing is booked twice. Look at it with "
                f"`backhaul amazon reconcile --settlement {one} --connection {through}`"
            )
            return Claimed("other", elsewhere.import_id, elsewhere.state, words)
        _replace(session, elsewhere)
    known = session.get(SettlementRow, said.key, with_for_update=True)
    if known is not None and known.state in TAKEN:
        if known.digest == said.digest:
            return Claimed("known", known.import_id, known.state)
        words = (
            f"settlement {known.settlement_id} was imported from {known.import_id} with other contents: "
            f"{known.amounts} amounts then, {said.amounts} now; what is in the ledger is not changed"
        )
        return Claimed("other", known.import_id, known.state, words)
    if known is not None:
        _replace(session, known)
    session.add(
        SettlementRow(
            connection_id=said.connection_id,
            settlement_id=said.head.settlement_id,
            import_id=said.import_id,
            seller_id=said.seller_id,
            digest=said.digest,
            currency=said.head.currency,
            total=said.head.total,
            came=said.came,
            amounts=said.amounts,
            rejected=said.rejected,
            state=SettlementState.HELD,
            started_at=said.head.started_at,
            ended_at=said.head.ended_at,
            at=said.head.deposited_at or said.head.ended_at or said.at,
        )
    )
    session.flush()
    return Claimed("new", said.import_id)


def _through_others(session: Session, said: ReadSettlement) -> list[SettlementRow]:
    """The same settlement through other connections of the seller, or of its account at Amazon: a file does not
    say whose it is. Who claims one meanwhile waits."""
    own = session.exec(select(ConnectionRow).where(ConnectionRow.connection_id == said.connection_id)).one()
    alike = col(ConnectionRow.owner) == own.owner
    if own.account is not None:
        alike |= col(ConnectionRow.account) == own.account
    of_amazon = select(ConnectionRow.connection_id).where(ConnectionRow.provider == own.provider, alike)
    accounts = session.exec(of_amazon.order_by(ConnectionRow.connection_id).with_for_update(key_share=True))
    others = [one for one in accounts if one != said.connection_id]
    rows = select(SettlementRow).where(
        SettlementRow.settlement_id == said.head.settlement_id, col(SettlementRow.connection_id).in_(others)
    )
    return list(session.exec(rows.with_for_update())) if others else []


def _replace(session: Session, held: SettlementRow) -> None:
    """None of it is booked."""
    _forget_amounts(session, held.import_id)
    session.delete(held)
    session.flush()


def _add(session: Session, import_id: str, seller_id: str, start: int, rows: Sequence[SettledAmount]) -> None:
    orders = _orders(session, seller_id, {row.order_id for row in rows if row.order_id})
    add_new(
        session,
        SettlementAmountRow,
        [
            {
                "import_id": import_id,
                "position": position,
                "line": row.line,
                "number": row.order_id,
                "order_id": orders.get(folded(row.order_id)) if row.order_id else None,
                "component": row.component,
                "units": row.units,
                "transaction_type": row.transaction_type,
                "amount_type": row.amount_type,
                "amount_description": row.amount_description,
                "order_item_code": row.order_item_code,
                "adjustment_key": row.adjustment_key,
                "adjustment_id": row.adjustment_id,
            }
            for position, row in enumerate(rows, start=start)
        ],
    )


def _orders(session: Session, seller_id: str, numbers: set[str]) -> dict[str, str]:
    """The seller's order by each of these numbers of Amazon's."""
    rows = select(OrderRow.channel_order_key, OrderRow.order_id).where(
        OrderRow.seller_id == seller_id,
        OrderRow.channel == Channel.AMAZON,
        col(OrderRow.channel_order_key).in_({folded(one) for one in numbers}),
    )
    return {key: order_id for key, order_id in session.exec(rows) if key is not None} if numbers else {}


def _forget_amounts(session: Session, import_id: str) -> None:
    written(session, delete(SettlementAmountRow).where(col(SettlementAmountRow.import_id) == import_id))


def _forget(session: Session, import_id: str) -> None:
    for table in (SettlementAmountRow, RejectedRowRow, ReportImportRow):
        written(session, delete(table).where(col(table.import_id) == import_id))
