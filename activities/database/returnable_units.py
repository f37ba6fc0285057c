"""Which units of an order came back, or are on their way, and which are still with the buyer (RET-2)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from activities.database.attribution import Source
from models.case import ReturnStage
from models.money import share_of_units
from models.shares import LineShare
from models.tables import (
    CaseRow,
    ReceptionRow,
    ReturnLineRow,
    ReturnRow,
    ReturnUnitsRow,
    ShipmentLineRow,
    ShipmentRow,
    SupplierOrderRow,
)

NOTHING_CAME_BACK: Final = frozenset(
    {
        ReturnStage.REJECTED,
        ReturnStage.WITHDRAWN,
        ReturnStage.EXPIRED,
        ReturnStage.REFUSED,
        ReturnStage.REFUSED_BY_SUPPLIER,
    }
)
"""Returns that ended so give their units free again; one that has expired and may still reopen holds them."""
CUT_SHORT: Final = frozenset({ReturnStage.STOPPED, ReturnStage.TERMINATED})
"""Staff ended these: they hold their units only if something arrived."""


class Worth(NamedTuple):
    """Units of one line that returns hold, what the buyer paid and what the seller was charged for them."""

    quantity: int = 0
    paid: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def __add__(self, other: object) -> "Worth":
        if not isinstance(other, Worth):
            return NotImplemented
        return Worth(self.quantity + other.quantity, self.paid + other.paid, self.cost + other.cost)


class ReturnsKnown(NamedTuple):
    """`holding`: the ids of an order's returns that hold their units: open, or ended with the goods back.
    `is_there`: whether a return has the id that was asked for, whoever's it is."""

    holding: set[str]
    is_there: bool


def returns_known(session: Session, order_id: str, return_id: str) -> ReturnsKnown:
    """Under the lock of the order. A return that staff stopped or terminated holds its units only if something
    arrived."""
    something_arrived = select(ReceptionRow.line_id).where(ReceptionRow.return_id == ReturnRow.return_id).exists()
    rows = session.execute(
        select_columns(
            col(ReturnRow.return_id),
            col(ReturnRow.order_id),
            col(CaseRow.stage),
            col(CaseRow.ended),
            something_arrived,
        )
        .select_from(ReturnRow)
        .outerjoin(CaseRow, col(CaseRow.workflow_id) == col(ReturnRow.workflow_id))
        .where(or_(col(ReturnRow.order_id) == order_id, col(ReturnRow.return_id) == return_id))
    ).all()
    holding = {
        one
        for one, of_order, stage, ended, arrived in rows
        if of_order == order_id
        and (not ended or (stage not in NOTHING_CAME_BACK and (stage not in CUT_SHORT or arrived)))
    }
    return ReturnsKnown(holding, any(one == return_id for one, *_ in rows))


def may_reopen(session: Session, held: set[str], line_id: str) -> list[str]:
    """Those of these returns that hold units of the line, have expired, and a tracking number reopens (RET-10)."""
    rows = (
        select(ReturnRow.return_id)
        .join(CaseRow, col(CaseRow.workflow_id) == col(ReturnRow.workflow_id))
        .join(ReturnLineRow, col(ReturnLineRow.return_id) == col(ReturnRow.return_id))
        .where(
            col(ReturnRow.return_id).in_(held),
            ReturnLineRow.line_id == line_id,
            CaseRow.stage == ReturnStage.EXPIRED,
        )
    )
    return list(session.exec(rows.order_by(col(ReturnRow.return_id))))


def held_worth(session: Session, held: set[str]) -> dict[str, Worth]:
    """By `line_id`: the units that these returns hold, and what they are worth."""
    worth: dict[str, Worth] = {}
    if not held:
        return worth
    for row in session.exec(select(ReturnLineRow).where(col(ReturnLineRow.return_id).in_(held))):
        worth[row.line_id] = worth.get(row.line_id, Worth()) + Worth(row.quantity, row.paid, row.cost)
    return worth


def worth_of_next(share: LineShare, before: Worth, quantity: int, paid_currency: str, cost_currency: str) -> Worth:
    """What `quantity` more units are worth: all returned units together, less what the earlier ones got.

    So any sequence of returns adds up to the line's share exactly, also when one in between was rejected and
    gave its units free.
    """
    together = min(before.quantity + quantity, share.quantity)
    paid = share_of_units(share.paid_goods, share.quantity, 0, together, paid_currency) - before.paid
    cost = share_of_units(share.cost_goods, share.quantity, 0, together, cost_currency) - before.cost
    return Worth(quantity, max(paid, Decimal(0)), max(cost, Decimal(0)))


class ShippedUnits(NamedTuple):
    """Units of a parcel, and the order to a supplier that they came from."""

    line: ShipmentLineRow
    parcel: ShipmentRow
    supplier_id: str
    connection_id: str | None
    """By which the order went to the supplier."""


def shipped_units(session: Session, order_id: str) -> list[ShippedUnits]:
    """In the order of shipping."""
    found = session.execute(
        select(ShipmentLineRow, ShipmentRow, SupplierOrderRow.supplier_id, SupplierOrderRow.connection_id)
        .select_from(ShipmentLineRow)
        .join(SupplierOrderRow, col(SupplierOrderRow.number) == col(ShipmentLineRow.supplier_order_number))
        .join(
            ShipmentRow,
            (col(ShipmentRow.order_id) == col(ShipmentLineRow.order_id))
            & (col(ShipmentRow.shipment_id) == col(ShipmentLineRow.shipment_id)),
        )
        .where(col(ShipmentLineRow.order_id) == order_id)
        .order_by(col(ShipmentRow.position), col(ShipmentLineRow.position))
    )
    return [ShippedUnits(*row) for row in found]


def free_sources(
    session: Session, units_shipped: Sequence[ShippedUnits], held: set[str]
) -> dict[str, list[Source]]:
    """By `line_id`, in the order of shipping: what each supplier order shipped and no return holds."""
    returned: dict[tuple[str, str], int] = {}
    holding = select(ReturnUnitsRow).where(col(ReturnUnitsRow.return_id).in_(held))
    for units in session.exec(holding) if held else ():
        key = (units.line_id, units.supplier_order_number)
        returned[key] = returned.get(key, 0) + units.quantity
    shipped: dict[tuple[str, str], tuple[str, int]] = {}
    for line, _, supplier_id, _ in units_shipped:
        key = (line.line_id, str(line.supplier_order_number))
        shipped[key] = (supplier_id, shipped.get(key, (supplier_id, 0))[1] + line.quantity)
    sources: dict[str, list[Source]] = {}
    for (line_id, number), (supplier_id, quantity) in shipped.items():
        free = max(0, quantity - returned.get((line_id, number), 0))
        sources.setdefault(line_id, []).append(Source(number, supplier_id, free))
    return sources
