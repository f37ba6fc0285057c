"""A settlement against the books: its sums, what differs, and words that are not known here (AMZ-8)."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, Final, Literal

from sqlalchemy import Engine, func, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from activities.database.settlement_sums import AMOUNT
from activities.database.transactions import read
from models.amazon.messages import OrderAdjustment
from models.amazon.settled_refunds import Verdict
from models.amazon.settlement import Component
from models.amazon.settlements import Difference, SettledOf, SettlementReconciled, UnknownWords
from models.failures import Conflict, NotFound
from models.money import from_minor_units
from models.refunds import Direction, RefundState
from models.tables import AmazonQueueRow, OrderRow, RefundRow, SettledRefundRow, SettlementRow

MOST_WORDS: Final = 1000
"""Unknown ones that are listed, those with the most money first."""
_WHAT: Final[dict[Verdict, Literal["differs", "unexpected", "moved_though_failed"]]] = {
    Verdict.DIFFERS: "differs",
    Verdict.UNEXPECTED: "unexpected",
    Verdict.MOVED_THOUGH_FAILED: "moved_though_failed",
}
_NEWS: Final = "the buyer has it, though it failed here: look whether it was made a second time"
_LATER: Final = "may stand in the next settlement"
_AT_A_TIME: Final = 5000
_BUYERS: Final = (Component.SOLD, Component.REFUNDED)


def reconciled(engine: Engine, settlement_id: str, connection_id: str | None = None) -> SettlementReconciled:
    """Raises NotFound, Conflict (several accounts have one of this number)."""
    return read(engine, lambda session: _reconciled(session, settlement_id, connection_id))


def _reconciled(session: Session, settlement_id: str, connection_id: str | None) -> SettlementReconciled:
    settlement = _settlement(session, settlement_id, connection_id)
    currency = settlement.currency
    of_import = AMOUNT.c.import_id == settlement.import_id
    sums = select(AMOUNT.c.component, func.count(), func.sum(AMOUNT.c.units)).where(of_import)
    found = {
        component: (count, int(units))
        for component, count, units in session.execute(sums.group_by(AMOUNT.c.component))
    }
    unknown_orders = select(func.count(AMOUNT.c.number.distinct()), func.sum(AMOUNT.c.units)).where(
        of_import, AMOUNT.c.order_id.is_(None), AMOUNT.c.component.in_(_BUYERS)
    )
    orders, units = session.execute(unknown_orders).one()
    return SettlementReconciled(
        settlement_id=settlement.settlement_id,
        connection_id=settlement.connection_id,
        seller_id=settlement.seller_id,
        import_id=settlement.import_id,
        state=settlement.state,
        currency=currency,
        started_at=settlement.started_at,
        ended_at=settlement.ended_at,
        paid_out_at=settlement.at,
        total=from_minor_units(settlement.total, currency),
        came=from_minor_units(settlement.came, currency),
        amounts=settlement.amounts,
        rejected=settlement.rejected,
        components=tuple(
            SettledOf(component=one, amounts=found[one][0], amount=from_minor_units(found[one][1], currency))
            for one in Component
            if one in found
        ),
        confirmed=_confirmed(session, settlement),
        unknown_orders=orders,
        unknown_orders_amount=from_minor_units(int(units or 0), currency),
        unknown=tuple(_unknown(session, settlement)),
        differences=(*_differing(session, settlement), *_awaited(session, settlement)),
    )


def _settlement(session: Session, settlement_id: str, connection_id: str | None) -> SettlementRow:
    rows = select_rows(SettlementRow).where(SettlementRow.settlement_id == settlement_id)
    if connection_id is not None:
        rows = rows.where(SettlementRow.connection_id == connection_id)
    found = list(session.exec(rows))
    if not found:
        raise NotFound(f"no settlement {settlement_id} was imported")
    if len(found) > 1:
        accounts = ", ".join(sorted(one.connection_id for one in found))
        raise Conflict(f"several accounts have a settlement {settlement_id}: say which ({accounts})")
    return found[0]


def _of(settlement: SettlementRow) -> tuple[Any, Any]:
    return (
        col(SettledRefundRow.connection_id) == settlement.connection_id,
        col(SettledRefundRow.settlement_id) == settlement.settlement_id,
    )


def _confirmed(session: Session, settlement: SettlementRow) -> int:
    confirmed = select(func.count()).where(*_of(settlement), col(SettledRefundRow.verdict) == Verdict.CONFIRMED)
    return int(session.execute(confirmed).scalar_one())


def _unknown(session: Session, settlement: SettlementRow) -> list[UnknownWords]:
    words = (AMOUNT.c.transaction_type, AMOUNT.c.amount_type, AMOUNT.c.amount_description)
    units = func.sum(AMOUNT.c.units)
    rows = (
        select(*words, func.count(), units)
        .where(AMOUNT.c.import_id == settlement.import_id, AMOUNT.c.component == Component.UNKNOWN)
        .group_by(*words)
        .order_by(func.abs(units).desc(), *words)
        .limit(MOST_WORDS)
    )
    return [
        UnknownWords(
            transaction_type=transaction,
            amount_type=of,
            amount_description=what,
            amounts=count,
            amount=from_minor_units(int(units), settlement.currency),
        )
        for transaction, of, what, count, units in session.execute(rows)
    ]


def _differing(session: Session, settlement: SettlementRow) -> list[Difference]:
    """Refunds that came with another amount, or that nobody made here, or that failed here."""
    rows = (
        select_rows(SettledRefundRow)
        .where(*_of(settlement), col(SettledRefundRow.verdict) != Verdict.CONFIRMED)
        .order_by(col(SettledRefundRow.number), col(SettledRefundRow.position))
    )
    return [
        Difference(
            what=_WHAT[row.verdict],
            transaction_type=row.transaction_type,
            order_number=row.number,
            order_id=row.order_id,
            order_item_code=row.order_item_code,
            refund_id=row.refund_id,
            return_id=row.return_id,
            expected=None if row.expected is None else from_minor_units(row.expected, settlement.currency),
            came=from_minor_units(row.came, settlement.currency),
            note=_NEWS if row.verdict is Verdict.MOVED_THOUGH_FAILED else row.note,
        )
        for row in session.exec(rows)
    ]


def _awaited(session: Session, settlement: SettlementRow) -> list[Difference]:
    """What of refunds through this account that were made in its time stands in no settlement, by order item where
    it was told so: the next one may have it."""
    if settlement.started_at is None or settlement.ended_at is None:
        return []
    rows = (
        select_rows(RefundRow, OrderRow.channel_order_id, AmazonQueueRow.content)
        .join(OrderRow, col(OrderRow.order_id) == col(RefundRow.order_id))
        .join(AmazonQueueRow, col(AmazonQueueRow.refund_id) == col(RefundRow.refund_id), isouter=True)
        .where(
            RefundRow.connection_id == settlement.connection_id,
            RefundRow.direction == Direction.SELLER_TO_BUYER,
            RefundRow.state == RefundState.SUCCEEDED,
            RefundRow.currency == settlement.currency,
            col(RefundRow.settled_at) >= settlement.started_at,
            col(RefundRow.settled_at) < settlement.ended_at,
        )
        .order_by(col(RefundRow.refund_id))
    )
    made = session.exec(rows).all()
    came = _keys_that_came(session, [refund.refund_id for refund, _, _ in made])
    return [
        one
        for refund, number, content in made
        for one in _missing(refund, number or "", content, came.get(refund.refund_id, set()))
    ]


def _keys_that_came(session: Session, refunds: Sequence[str]) -> dict[str, set[str]]:
    """Of these refunds, in any settlement."""
    keys = select_rows(SettledRefundRow.refund_id, SettledRefundRow.adjustment_key)
    came: dict[str, set[str]] = {}
    for start in range(0, len(refunds), _AT_A_TIME):
        some = refunds[start : start + _AT_A_TIME]
        for refund_id, key in session.exec(keys.where(col(SettledRefundRow.refund_id).in_(some))):
            came.setdefault(refund_id or "", set()).add(key)
    return came


def _missing(
    refund: RefundRow, number: str, content: Mapping[str, Any] | None, came: AbstractSet[str]
) -> Iterator[Difference]:
    """The order items of a refund that did not come; one that Amazon was not told by item came or did not."""
    told = {"what": "awaited", "order_number": number, "order_id": refund.order_id, "came": Decimal(0)}
    told |= {"refund_id": refund.refund_id, "note": _LATER}
    if content is None:
        if not came:
            yield Difference.model_validate(told | {"expected": refund.amount})
        return
    for item in OrderAdjustment.model_validate(content).items:
        if item.adjustment_key not in came:
            of_item = {"order_item_code": item.order_item_code, "expected": item.amount}
            yield Difference.model_validate(told | of_item)
