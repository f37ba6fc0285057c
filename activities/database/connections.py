"""Connections in the database: read by workers, changed by staff, never deleted."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Engine, and_
from sqlmodel import Session, col, select

from activities.database.transactions import read, write
from models.charges import ChargeConnection
from models.connections import BROKER, Connection, ConnectionKind, Provider, fixed_problems, of_seller
from models.failures import InvalidInput, NotFound, Problem
from models.gateway_limits import charges_in
from models.payments import PaidBy
from models.tables import ConnectionRow, OrderRow, SellerRow, SupplierRow


class ConnectionRegister:
    """Read and write connections."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, connection_id: str) -> Connection | None:
        """The connection of this id, active or not."""

        def look(session: Session) -> Connection | None:
            row = session.get(ConnectionRow, connection_id)
            return None if row is None else _connection(row)

        return read(self._engine, look)

    def get(self, connection_id: str) -> Connection:
        """The connection of this id. Raises NotFound."""
        found = self.find(connection_id)
        if found is None:
            raise NotFound(f"no connection {connection_id}")
        return found

    def active(self, kind: ConnectionKind, *owners: str) -> list[Connection]:
        """The active ones of a kind, the newest first; of these owners, one after the other, or of all."""

        def look(session: Session) -> list[Connection]:
            rows = select(ConnectionRow).where(ConnectionRow.kind == kind, col(ConnectionRow.active))
            if owners:
                rows = rows.where(col(ConnectionRow.owner).in_(owners))
            found = newest_first(session.exec(rows))
            return sorted(found, key=lambda one: owners.index(one.owner)) if owners else found

        return read(self._engine, look)

    def all(self) -> list[Connection]:
        """Every connection, by owner and id."""
        rows = select(ConnectionRow).order_by(col(ConnectionRow.owner), col(ConnectionRow.connection_id))
        return read(self._engine, lambda session: [_connection(row) for row in session.exec(rows)])

    def put(self, connections: Sequence[Connection]) -> None:
        """Add these connections, or replace what may change of them; all, or none.

        Raises InvalidInput whose problems name row and field (`1.owner`): of an owner that is not known, of what
        can't change once there is a connection, or of a second one where there can be one.
        """
        now = datetime.now(UTC)

        def change(session: Session) -> None:
            before = _before(session, connections)
            problems = [
                Problem(f"{number}.{problem.field}", problem.message)
                for number, one in enumerate(connections)
                for problem in _problems(session, one, before.get(one.connection_id))
            ]
            problems += _second_ones(session, connections)
            if problems:
                raise InvalidInput("connections", problems)
            for one in connections:
                known = before.get(one.connection_id)
                if known is None:  # of two that add the same, the second tries again, and finds it
                    session.add(_row(one, created_at=now, updated_at=now))
                else:
                    session.merge(_row(one, created_at=known.created_at, updated_at=now))

        write(self._engine, change)


def paying(session: Session, seller_id: str) -> list[Connection]:
    """The active payments connections of the broker and of this seller, the newest first."""
    return newest_first(session.exec(select(ConnectionRow).where(is_paying(seller_id))))


def is_paying(seller_id: str) -> ColumnElement[bool]:
    """Whether a row is an active payments connection of the broker or of this seller."""
    return and_(
        col(ConnectionRow.kind) == ConnectionKind.PAYMENTS,
        col(ConnectionRow.active),
        col(ConnectionRow.owner).in_((BROKER, of_seller(seller_id))),
    )


def newest_first(rows: Iterable[ConnectionRow]) -> list[Connection]:
    """Each once, as connections."""
    known = {row.connection_id: row for row in rows}
    ordered = sorted(known.values(), key=lambda row: (row.created_at, row.connection_id), reverse=True)
    return [_connection(row) for row in ordered]


def accounts_at_amazon(session: Session, seller_id: str) -> list[Connection]:
    """The seller's active ones, the newest first."""
    rows = select(ConnectionRow).where(
        ConnectionRow.kind == ConnectionKind.CHANNEL,
        ConnectionRow.provider == Provider.AMAZON,
        ConnectionRow.owner == of_seller(seller_id),
        col(ConnectionRow.active),
    )
    newest = rows.order_by(col(ConnectionRow.created_at).desc(), col(ConnectionRow.connection_id).desc())
    return [_connection(row) for row in session.exec(newest)]


def charging(connections: Sequence[Connection], currency: str) -> ChargeConnection | None:
    """The broker's newest one that can charge its sellers in this currency; none: there is none."""
    brokers = (one for one in connections if one.owner == BROKER)
    able = (one for one in brokers if charges_in(PaidBy(one.provider.value), one.options, currency))
    found = next(able, None)
    return None if found is None else _charge_connection(found.connection_id, found.provider)


def decided(session: Session, order: OrderRow) -> ChargeConnection | None:
    """The one by which this order's seller is charged, active or not; none: it is not decided yet."""
    row = session.get(ConnectionRow, order.charge_connection_id) if order.charge_connection_id else None
    return None if row is None else _charge_connection(row.connection_id, row.provider)


def provider_of(session: Session, connection_id: str) -> PaidBy:
    """Which gateway this payments connection leads to."""
    row = session.get(ConnectionRow, connection_id)
    assert row is not None, "it is a foreign key"
    return PaidBy(row.provider.value)


def _charge_connection(connection_id: str, provider: Provider) -> ChargeConnection:
    return ChargeConnection(connection_id=connection_id, provider=PaidBy(provider.value))


def taking(connections: Sequence[Connection], paid_by: str) -> str | None:
    """The seller's newest one with this provider, by which its buyers pay; none: there is none."""
    own = (one for one in connections if one.owner != BROKER and one.provider.value == paid_by)
    return next((one.connection_id for one in own), None)


def _before(session: Session, connections: Sequence[Connection]) -> dict[str, ConnectionRow]:
    ids = [one.connection_id for one in connections]
    rows = session.exec(select(ConnectionRow).where(col(ConnectionRow.connection_id).in_(ids)).with_for_update())
    return {row.connection_id: row for row in rows}


def _problems(session: Session, one: Connection, before: ConnectionRow | None) -> list[Problem]:
    if before is not None:
        return fixed_problems(_connection(before), one)
    kind, _, owner_id = one.owner.partition(":")
    is_known = (
        kind == BROKER
        or (kind == "seller" and session.get(SellerRow, owner_id) is not None)
        or (kind == "supplier" and session.get(SupplierRow, owner_id) is not None)
    )
    if not is_known:
        return [Problem("owner", f"there is no {kind} {owner_id}: import it first")]
    return []


def _second_ones(session: Session, connections: Sequence[Connection]) -> list[Problem]:
    """A supplier has one active connection; each id stands in a file once."""
    problems = []
    own: dict[str, str] = {}
    ids: set[str] = set()
    given = {one.connection_id for one in connections}
    kept = select(ConnectionRow).where(
        ConnectionRow.kind == ConnectionKind.SUPPLIER,
        col(ConnectionRow.active),
        ConnectionRow.owner != BROKER,
        col(ConnectionRow.owner).in_([one.owner for one in connections]),
    )
    for row in session.exec(kept):
        if row.connection_id not in given:
            own[row.owner] = row.connection_id
    for number, one in enumerate(connections):
        if one.connection_id in ids:
            problems.append(Problem(f"{number}.connection_id", f"{one.connection_id} stands there twice"))
        ids.add(one.connection_id)
        if one.kind is not ConnectionKind.SUPPLIER or one.owner == BROKER or not one.active:
            continue
        if own.setdefault(one.owner, one.connection_id) != one.connection_id:
            why = f"{one.owner} has the active connection {own[one.owner]}: deactivate it first"
            problems.append(Problem(f"{number}.owner", why))
    return problems


def _connection(row: ConnectionRow) -> Connection:
    kept = row.model_dump(exclude={"created_at", "updated_at"})
    return Connection.model_validate({**kept, "webhook_secrets": (row.webhook_secrets or "").split()})


def _row(one: Connection, created_at: datetime, updated_at: datetime) -> ConnectionRow:
    return ConnectionRow(
        connection_id=one.connection_id,
        kind=one.kind,
        provider=one.provider,
        owner=one.owner,
        base_url=str(one.base_url) if one.base_url else None,
        account=one.account,
        secret=one.secret,
        webhook_secrets=" ".join(one.webhook_secrets) or None,
        options=dict(one.options),
        active=one.active,
        created_at=created_at,
        updated_at=updated_at,
    )
