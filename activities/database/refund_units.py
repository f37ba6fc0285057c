"""Which units a refund of the buyer is for: none is refunded twice, whatever way it is asked for (REF-13)."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlmodel import Session, col, select

from activities.database.order_lines import OrderedLine, order_lines, share_of
from activities.database.refund_sources import RefundRefused
from activities.database.replacements import replaced_units
from models.message import LineUnits
from models.money import share_of_units
from models.naming import units_named
from models.refunds import COUNTS_AGAINST_CAP, Direction, RefundRequest
from models.tables import OrderLineRow, RefundRow, RefundUnitsRow


class NamedUnits(NamedTuple):
    """Units by line, and what the buyer paid for them. No units: the refund is by amount alone."""

    units: tuple[LineUnits, ...] = ()
    worth: Decimal = Decimal(0)


def named_units(session: Session, request: RefundRequest, refunds: Sequence[RefundRow]) -> NamedUnits:
    """The lines that the request means. `refunds`: all of the order.

    Raises RefundRefused, in words, for units that the order has not, that another refund was for, or that are
    replaced.
    """
    if not request.lines or request.direction is Direction.BROKER_TO_SELLER:
        return NamedUnits()
    rows = order_lines(session, request.order_id)
    refunded = refunded_units(session, refunds)
    replaced = replaced_units(session, request.order_id)
    taken = Counter(refunded) + Counter(replaced)
    left = {line_id: row.quantity - row.moved - taken.get(line_id, 0) for line_id, row in rows.items()}
    try:
        units = units_named(request.lines, [OrderedLine.of(row) for row in rows.values()], left=left)
    except ValueError as error:
        raise RefundRefused(f"order {request.order_id}: {error}") from None
    for one in units:
        if one.quantity > left[one.line_id]:
            row = rows[one.line_id]
            others = replaced.get(one.line_id, 0)
            instead = f", {others} are replaced (RET-24)" if others else ""
            raise RefundRefused(
                f"{one.quantity} of {one.sku} can't be refunded: the order has {row.quantity - row.moved}, "
                f"{refunded.get(one.line_id, 0)} of them are refunded or being refunded (REF-13){instead}; "
                "name other units, or an amount alone"
            )
    worth = sum(
        (_worth(rows[one.line_id], refunded.get(one.line_id, 0), one.quantity, request.currency) for one in units),
        Decimal(0),
    )
    return NamedUnits(units, worth)


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
