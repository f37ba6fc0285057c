"""Which units a refund of the buyer is for: none is refunded twice, whatever way it is asked for (REF-13)."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import func
from sqlmodel import Session, col, select

from activities.database.order_lines import OrderedLine, share_of
from activities.database.refund_sources import RefundRefused
from activities.database.replacements import units_replaced
from models.message import LineUnits
from models.money import UnitsOfLine, moved_for_units, share_of_units
from models.naming import units_named
from models.refunds import COUNTS_AGAINST_CAP, Direction, RefundRequest, Way
from models.tables import OrderLineRow, RefundRow, RefundUnitsRow


class NamedUnits(NamedTuple):
    """Units by line, and what the buyer paid for them that did not move for them yet. No units: the refund is by
    amount alone."""

    units: tuple[LineUnits, ...] = ()
    worth: Decimal = Decimal(0)
    moved: Decimal = Decimal(0)
    """By parts of refunds of which the part that named them failed."""
    moved_elsewhere: Decimal = Decimal(0)
    """Of that by refunds that this return knows nothing of."""


def named_units(session: Session, request: RefundRequest, refunds: Sequence[RefundRow]) -> NamedUnits:
    """The lines that the request means. `refunds`: all of the order.

    Raises RefundRefused, in words, for units that the order has not, that another refund was for, or that are
    replaced.
    """
    if not request.lines or request.direction is Direction.BROKER_TO_SELLER:
        return NamedUnits()
    lines = _lines(session, request.order_id)
    rows = {row.line_id: row for row, _, _ in lines}
    refunded = {row.line_id: units for row, units, _ in lines}
    replaced = {row.line_id: units for row, _, units in lines}
    left = {row.line_id: row.quantity - row.moved - gone - others for row, gone, others in lines}
    try:
        units = units_named(request.lines, [OrderedLine.of(row) for row in rows.values()], left=left)
    except ValueError as error:
        raise RefundRefused(f"order {request.order_id}: {error}") from None
    if request.way is Way.MARKETPLACE:
        units = _as_far_as_there_are(units, left)
    for one in units:
        if one.quantity > left[one.line_id]:
            row = rows[one.line_id]
            others = replaced[one.line_id]
            instead = f", {others} are replaced (RET-24)" if others else ""
            raise RefundRefused(
                f"{one.quantity} of {one.sku} can't be refunded: the order has {row.quantity - row.moved}, "
                f"{refunded[one.line_id]} of them are refunded or being refunded (REF-13){instead}; "
                "name other units, or an amount alone"
            )
    worth = sum(
        (_worth(rows[one.line_id], refunded[one.line_id], one.quantity, request.currency) for one in units),
        Decimal(0),
    )
    moved = _moved_in_part(session, refunds, rows, units, request.currency)
    elsewhere = moved
    if moved and request.return_id is not None:
        own = {row.refund_id for row in refunds if row.return_id == request.return_id and row.part_of is not None}
        elsewhere = _moved_in_part(session, refunds, rows, units, request.currency, but=own)
    return NamedUnits(units, max(worth - moved, Decimal(0)), moved, elsewhere)


def _as_far_as_there_are(units: Sequence[LineUnits], left: Mapping[str, int]) -> tuple[LineUnits, ...]:
    """The marketplace has refunded it already: it is recorded, be some of its units another refund's."""
    fewer = [one.model_copy(update={"quantity": min(one.quantity, left[one.line_id])}) for one in units]
    return tuple(one for one in fewer if one.quantity > 0)


def _moved_in_part(
    session: Session,
    refunds: Sequence[RefundRow],
    lines: Mapping[str, OrderLineRow],
    units: Sequence[LineUnits],
    currency: str,
    *,
    but: Set[str] = frozenset(),
) -> Decimal:
    """What other parts of the same refunds move, or moved, for these units, where the part that names them came to
    nothing: it is taken off once, from the first of them that are refunded afterwards."""
    by_others: dict[str, Decimal] = defaultdict(Decimal)
    came_to_nothing: list[RefundRow] = []
    for row in refunds:
        if row.part_of is not None and row.state in COUNTS_AGAINST_CAP:
            by_others[row.part_of] += row.amount
        elif row.part_of is not None and row.lines and row.direction is Direction.SELLER_TO_BUYER:
            came_to_nothing.append(row)
    came_to_nothing = [row for row in came_to_nothing if by_others[str(row.part_of)] and row.refund_id not in but]
    if not came_to_nothing:
        return Decimal(0)
    named: dict[str, Counter[str]] = defaultdict(Counter)
    ids = [row.refund_id for row in refunds]
    for of in session.exec(select(RefundUnitsRow).where(col(RefundUnitsRow.refund_id).in_(ids))):
        named[of.refund_id][of.line_id] += of.quantity
    moved, asked = Decimal(0), {one.line_id: one.quantity for one in units}
    for row in came_to_nothing:
        assert row.settled_at is not None, "it came to nothing"
        since: Counter[str] = Counter()
        for other in refunds:
            if other.state in COUNTS_AGAINST_CAP and other.reserved_at >= row.settled_at:
                since += named[other.refund_id]
        worths = {
            line_id: UnitsOfLine(many, _worth(lines[line_id], 0, many, currency))
            for line_id, many in named[row.refund_id].items()
        }
        moved += moved_for_units(by_others[str(row.part_of)], worths, since, asked, currency)
    return moved


def _lines(session: Session, order_id: str) -> list[tuple[OrderLineRow, int, int]]:
    """In their order, each with how many of its units are refunded and how many are replaced."""
    refunded = (
        select(func.coalesce(func.sum(RefundUnitsRow.quantity), 0))
        .join(RefundRow, col(RefundRow.refund_id) == col(RefundUnitsRow.refund_id))
        .where(
            col(RefundRow.order_id) == col(OrderLineRow.order_id),
            col(RefundUnitsRow.line_id) == col(OrderLineRow.line_id),
            col(RefundRow.state).in_(COUNTS_AGAINST_CAP),
        )
    )
    found = session.execute(
        select(OrderLineRow, refunded.scalar_subquery(), units_replaced())
        .where(col(OrderLineRow.order_id) == order_id)
        .order_by(col(OrderLineRow.position))
    )
    return [(row, gone, others) for row, gone, others in found]


def refunded_units(session: Session, refunds: Sequence[RefundRow]) -> dict[str, int]:
    """Units by `line_id` that refunds were for which count against the cap."""
    counting = [row.refund_id for row in refunds if row.state in COUNTS_AGAINST_CAP]
    found: dict[str, int] = {}
    if not counting:
        return found
    for row in session.exec(select(RefundUnitsRow).where(col(RefundUnitsRow.refund_id).in_(counting))):
        found[row.line_id] = found.get(row.line_id, 0) + row.quantity
    return found


def _worth(row: OrderLineRow, before: int, quantity: int, currency: str) -> Decimal:
    return share_of_units(share_of(row).paid_goods, row.quantity, before, quantity, currency)
