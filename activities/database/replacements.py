"""The order that replaces what a return is about: what it is, and which units it stands for (RET-24)."""

from decimal import ROUND_DOWN, Decimal

from sqlalchemy import ScalarSelect, case, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from activities.database.order_lines import order_lines, share_of
from models.message import LineUnits
from models.money import share_of_units, smallest_unit
from models.naming import reasons_of
from models.order_lines import OrderLine
from models.orders import Box, OrderRequest
from models.records import LineQuantities
from models.replacements import PreparedReplacement, PrepareReplacement, ReplacementNews
from models.tables import (
    CaseRow,
    CessationRow,
    OrderLineRow,
    OrderRow,
    ReturnLineRow,
    ReturnRow,
    ShipmentRow,
    SupplierOrderRow,
)


def prepare_replacement(session: Session, ask: PrepareReplacement) -> PreparedReplacement:
    """The request of the replacement's order, made of what is stored of the order that it replaces: the buyer and
    its address, the items, and what they had cost the seller (ORD-15). How it stands, if it is there already."""
    if (known := session.get(OrderRow, ask.replacement_id)) is not None:
        return PreparedReplacement(known=news_of(session, known))
    claimed = session.get(ReturnRow, ask.return_id)
    order = session.get(OrderRow, claimed.order_id) if claimed is not None else None
    if claimed is None or order is None:
        return PreparedReplacement(reason=f"no return {ask.return_id} with its order in the database")
    return PreparedReplacement(request=_request(session, ask, order))


def _request(session: Session, ask: PrepareReplacement, order: OrderRow) -> OrderRequest:
    rows = order_lines(session, order.order_id)
    claimed = {
        row.line_id: row
        for row in session.exec(select(ReturnLineRow).where(ReturnLineRow.return_id == ask.return_id))
    }
    currency, before = order.charge_currency, order.request
    lines, tax, shipping = [], Decimal(0), Decimal(0)
    for units in ask.lines:
        row, of = rows[units.line_id], claimed[units.line_id]
        cost = share_of_units(of.cost, of.quantity, 0, units.quantity, currency)
        each = _unit_cost(before, row, cost, units, currency)
        tax += cost - each * units.quantity
        shipping += share_of_units(share_of(row).cost_shipping, row.quantity, 0, units.quantity, currency)
        lines.append(
            OrderLine(
                line_id=row.line_id,
                sku=row.sku,
                title=row.title,
                quantity=units.quantity,
                unit_price=Decimal(0),
                unit_cost=each,
            )
        )
    buyer = before.buyer
    if order.corrected_address is not None:
        buyer = buyer.model_copy(update={"address": order.corrected_address})
    return OrderRequest(
        order_id=ask.replacement_id,
        seller_id=order.seller_id,
        channel=order.channel,
        buyer=buyer,
        lines=tuple(lines),
        currency=order.payment_currency,
        cost_currency=currency,
        estimated_shipping=shipping,
        cost_tax=tax,
        replaces=ask.return_id,
    )


def _unit_cost(before: OrderRequest, row: OrderLineRow, cost: Decimal, units: LineUnits, currency: str) -> Decimal:
    """As it was bought; of a component its part of the kit's cost, rounded down: the rest goes to the tax."""
    most = (cost / units.quantity).quantize(smallest_unit(currency), rounding=ROUND_DOWN)
    bought = next((item for item in before.items if item.line_id == row.line_id), None)
    return most if bought is None or bought.kit is not None else min(bought.unit_cost, most)


def news_of(session: Session, order: OrderRow) -> ReplacementNews:
    """How the replacement stands, as its order last wrote itself down."""
    key = order.order_id
    case = session.get(CaseRow, order.workflow_id)
    bought = select(SupplierOrderRow).where(SupplierOrderRow.order_id == key, SupplierOrderRow.state != "refused")
    shipped = select(ShipmentRow).where(ShipmentRow.order_id == key).order_by(col(ShipmentRow.position))
    ceased = select(CessationRow).where(CessationRow.order_id == key).order_by(col(CessationRow.position))
    all_of_it = session.exec(ceased).all()
    last = [one for one in all_of_it if one.at == all_of_it[-1].at]
    return ReplacementNews(
        replacement_id=key,
        lines=tuple(
            LineQuantities(
                line_id=row.line_id,
                sku=row.sku,
                quantity=row.quantity,
                shipped=row.shipped,
                cancelled=row.cancelled,
                voided=row.voided,
            )
            for row in order_lines(session, key).values()
        ),
        with_supplier=session.exec(bought).first() is not None,
        parcels=tuple(
            Box(carrier=row.carrier, tracking_number=row.tracking_number) for row in session.exec(shipped)
        ),
        outcome=case.stage if case is not None and case.ended else None,
        reason=reasons_of(last) if last else "",
    )


def replaced_units(session: Session, order_id: str) -> dict[str, int]:
    """By `line_id`, the units of an order that replacements stand for: they were sent, or may be."""
    rows = session.execute(
        select(OrderLineRow.line_id, units_replaced()).where(col(OrderLineRow.order_id) == order_id)
    )
    return {line_id: units for line_id, units in rows if units}


def units_replaced() -> ScalarSelect[int]:
    """Of a row of `order_line`, the units that replacements stand for."""
    new = aliased(OrderLineRow)
    sent = case((col(CaseRow.ended), new.shipped), else_=new.quantity - new.cancelled - new.voided)
    found = (
        select(func.coalesce(func.sum(sent), 0))
        .select_from(new)
        .join(OrderRow, col(OrderRow.order_id) == col(new.order_id))
        .join(ReturnRow, col(ReturnRow.return_id) == col(OrderRow.replaces))
        .join(CaseRow, col(CaseRow.workflow_id) == col(OrderRow.workflow_id))
        .where(
            col(ReturnRow.order_id) == col(OrderLineRow.order_id), col(new.line_id) == col(OrderLineRow.line_id)
        )
    )
    return found.correlate(OrderLineRow).scalar_subquery()


def why_not_replaced(request: OrderRequest, taken: dict[str, int], rows: dict[str, OrderLineRow]) -> str | None:
    """Why these units are not replaced: money went back for them, or they were replaced already (REF-13). `taken`:
    such units by `line_id`; `rows`: the lines of the order that they are of."""
    for item in request.items:
        row = rows.get(item.line_id)
        if row is None:
            return f"the order has no line {item.line_id} (RET-24)"
        left = row.quantity - taken.get(item.line_id, 0)
        if item.quantity > left:
            return f"{item.quantity} of {item.sku} can't be replaced: money was refunded for them (REF-13, RET-24)"
    return None
