"""A return opens: RET-2 is checked, its units are found among what was shipped, and it is split by supplier."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlmodel import Session, col, select

from activities.database.attribution import Part, split_by_supplier
from activities.database.cases import open_case
from activities.database.order_lines import OrderedLine, kit_of, order_lines, share_of
from activities.database.refund_sources import coarse_charge_gateway, coarse_gateway
from activities.database.return_reasons import why_unusable
from activities.database.return_windows import window_of
from activities.database.returnable_units import (
    ShippedUnits,
    Worth,
    free_sources,
    held_worth,
    may_reopen,
    returns_known,
    shipped_units,
    worth_of_next,
)
from activities.database.upserts import add_new
from models.case import ReturnStage
from models.differences import differences
from models.failures import NotFound
from models.ids import return_workflow_id, sibling_return_id
from models.naming import require_once, units_of_each
from models.parties import Seller, Supplier
from models.records import Opening, OpenReturn, ReturnOpening
from models.returns import OpenedLine, OpenedReturn, ReturnLine, ReturnRequest
from models.tables import (
    OrderLineRow,
    OrderRow,
    ReturnLineRow,
    ReturnRow,
    ReturnUnitsRow,
    SellerRow,
    SupplierRow,
)


class _Refused(Exception):
    """The rule says no; its text says why and what to do."""


class _Wanted(NamedTuple):
    """Units of one line that shall come back, and what is said of them."""

    line_id: str
    sku: str
    quantity: int
    said: ReturnLine


class _Split(NamedTuple):
    """The units of one supplier, under the number of their return, with what each line is worth and what was said
    of it, by `line_id`."""

    return_id: str
    part: Part
    lines: tuple[OpenedLine, ...]
    wanted: dict[str, _Wanted]


def open_return(session: Session, ask: OpenReturn) -> ReturnOpening:
    """Open the return of one supplier's units; the others' are kept for its siblings, which open later.

    The same run again gets the same answer. Quantities over what was shipped and has not come back are
    refused; nothing is changed then.
    """
    request = ask.request
    # The order's row is the lock: two returns of one order are checked one after the other.
    order, seller = _locked_order(session, request.order_id)
    known = returns_known(session, request.order_id, request.return_id)
    try:
        if known.is_there:
            return _known(session, ask, session.get_one(ReturnRow, request.return_id), order, seller)
        if order is None:
            return ReturnOpening(opening=Opening.UNKNOWN, reason=f"no order {request.order_id}")
        return _open_first(session, ask, order, _settings(order, seller), known.holding)
    except _Refused as no:
        return ReturnOpening(opening=Opening.REFUSED, reason=str(no))


def _locked_order(session: Session, order_id: str) -> tuple[OrderRow | None, SellerRow | None]:
    found = session.exec(
        select(OrderRow, SellerRow)
        .select_from(OrderRow)
        .join(SellerRow, col(SellerRow.seller_id) == col(OrderRow.seller_id), isouter=True)
        .where(OrderRow.order_id == order_id)
        .with_for_update(of=OrderRow)
    ).one_or_none()
    return found or (None, None)


def _settings(order: OrderRow, seller: SellerRow | None) -> Seller:
    if seller is None:
        raise NotFound(f"no seller {order.seller_id} in the database")
    return seller.settings


def _known(
    session: Session, ask: OpenReturn, row: ReturnRow, order: OrderRow | None, seller: SellerRow | None
) -> ReturnOpening:
    """A return that is open already, or one that was split off another and opens now."""
    if row.run_id == ask.run_id:
        return ReturnOpening(opening=Opening.OPENED, opened=row.opened)
    if row.run_id is not None:
        differs = differences(ask.request, row.request)
        why = f"; this request differs from it in {differs}" if differs else ", by the same request"
        return ReturnOpening(opening=Opening.DUPLICATE, reason=f"return {row.return_id} exists already{why}")
    if order is None or row.request != ask.request:
        raise _Refused(f"{row.return_id} is kept for what was split off {row.split_from}: use another number")
    found = session.exec(
        select(ReturnLineRow).where(ReturnLineRow.return_id == row.return_id).order_by(col(ReturnLineRow.position))
    )
    of_order = order_lines(session, order.order_id)
    lines = [
        OpenedLine(
            line_id=line.line_id,
            sku=line.sku,
            title=of_order[line.line_id].title,
            kit=kit_of(of_order[line.line_id]),
            quantity=line.quantity,
            reason=line.reason,
            paid=line.paid,
            cost=line.cost,
        )
        for line in found
    ]
    suppliers = _suppliers(session, [row.supplier_id])
    row.workflow_id = ask.workflow_id
    row.run_id = ask.run_id
    row.created_at = ask.created_at
    shipped = shipped_units(session, order.order_id)
    settings = _settings(order, seller)
    row.opened = _opened(session, ask, order, settings, suppliers[row.supplier_id], row, lines, shipped)
    with session.no_autoflush:
        show_opening(session, row)  # before the return, as everywhere
    session.add(row)
    session.flush()
    return ReturnOpening(opening=Opening.OPENED, opened=row.opened)


def _open_first(
    session: Session, ask: OpenReturn, order: OrderRow, seller: Seller, held: set[str]
) -> ReturnOpening:
    """Write one return per supplier, with its lines and units; the first is the one that was asked for. `held`:
    the order's returns that hold units."""
    if (why := why_unusable(ask.request, seller)) is not None:
        raise _Refused(why)
    shipped = shipped_units(session, order.order_id)
    splits = _split(session, ask, order, shipped, held)
    suppliers = _suppliers(session, [split.part.supplier_id for split in splits])
    for split in splits:
        if split.part.supplier_id not in suppliers:
            items = ", ".join(split.part.skus)
            raise _Refused(f"no supplier {split.part.supplier_id}, which shipped {items}: add its settings first")
    rows = [_row(ask, order, split) for split in splits]
    first = rows[0]
    first.opened = _opened(
        session,
        ask,
        order,
        seller,
        suppliers[first.supplier_id],
        first,
        splits[0].lines,
        shipped,
        siblings=tuple(row.request for row in rows[1:]),
    )
    for row in rows:  # one after the other: a sibling names the first
        show_opening(session, row)  # before the return, as everywhere
        session.add(row)
        session.flush()
    _add_lines(session, splits)
    return ReturnOpening(opening=Opening.OPENED, opened=first.opened)


def show_opening(session: Session, row: ReturnRow) -> None:
    """Lists show it from now on."""
    open_case(
        session, row.workflow_id, row.run_id, ReturnStage.OPENING, row.seller_id, row.order_id, row.created_at
    )


def _opened(
    session: Session,
    ask: OpenReturn,
    order: OrderRow,
    seller: Seller,
    supplier: Supplier,
    row: ReturnRow,
    lines: Sequence[OpenedLine],
    shipped: Sequence[ShippedUnits],
    siblings: tuple[ReturnRequest, ...] = (),
) -> OpenedReturn:
    """The snapshots that decide."""
    line_ids = {line.line_id for line in lines}
    connections = {one.line.supplier_order_number: one.connection_id for one in shipped}
    return OpenedReturn(
        order_id=order.order_id,
        seller=seller,
        supplier=supplier,
        channel=order.channel.value,
        supplier_order_number=row.supplier_order_number,
        lines=tuple(lines),
        currency=order.payment_currency,
        charge_currency=order.charge_currency,
        gateway=coarse_gateway(session, order),
        charge_gateway=coarse_charge_gateway(session, order),
        siblings=siblings,
        window=window_of(
            ask.request, order, seller, [one.parcel for one in shipped if one.line.line_id in line_ids]
        ),
        ordered_through=connections.get(row.supplier_order_number),
    )


def _suppliers(session: Session, ids: Sequence[str]) -> dict[str, Supplier]:
    found = session.exec(select(SupplierRow).where(col(SupplierRow.supplier_id).in_(set(ids))))
    return {row.supplier_id: row.settings for row in found}


def _split(
    session: Session, ask: OpenReturn, order: OrderRow, shipped: Sequence[ShippedUnits], held: set[str]
) -> list[_Split]:
    """The units by supplier, in the order of the lines (RET-2)."""
    request = ask.request
    worth = held_worth(session, held)
    lines = order_lines(session, request.order_id)
    wanted = _checked_lines(session, request, lines, worth, held)
    try:
        parts = split_by_supplier(list(wanted.values()), free_sources(session, shipped, held))
    except ValueError as unknown:
        raise _Refused(f"order {order.order_id}: {unknown}") from None
    left = order.paid - sum((one.paid for one in worth.values()), Decimal(0))
    splits = []
    for number, part in zip(_free_numbers(session, request.return_id, len(parts)), parts, strict=True):
        opened = []
        for line_id in part.line_ids:
            before = worth.get(line_id, Worth())
            quantity = part.quantity_of(line_id)
            added = worth_of_next(
                share_of(lines[line_id]), before, quantity, order.payment_currency, order.charge_currency
            )
            # A rounding that lowered what was paid belongs to no line; yet nobody gets back more than was paid.
            added = added._replace(paid=max(min(added.paid, left), Decimal(0)))
            left -= added.paid
            worth[line_id] = before + added
            opened.append(
                OpenedLine(
                    line_id=line_id,
                    sku=lines[line_id].sku,
                    title=lines[line_id].title,
                    kit=kit_of(lines[line_id]),
                    quantity=quantity,
                    reason=wanted[line_id].said.reason,
                    paid=added.paid,
                    cost=added.cost,
                )
            )
        splits.append(_Split(number, part, tuple(opened), wanted))
    return splits


def _checked_lines(
    session: Session,
    request: ReturnRequest,
    lines: dict[str, OrderLineRow],
    worth: dict[str, Worth],
    held: set[str],
) -> dict[str, _Wanted]:
    """What is meant, by `line_id`: a kit is its components (ORD-14). Refuses units that are not of the order, not
    shipped, or back already (RET-2), and names that fit no line, or several (ORD-13)."""
    left = {line_id: row.shipped - worth.get(line_id, Worth()).quantity for line_id, row in lines.items()}
    named = [OrderedLine.of(row) for row in lines.values()]
    try:
        meant = units_of_each(request.lines, named, left=left)
        require_once(units for group in meant for units in group)
    except ValueError as error:
        raise _Refused(f"order {request.order_id}: {error}") from None
    wanted = {
        units.line_id: _Wanted(units.line_id, units.sku, units.quantity, said)
        for said, group in zip(request.lines, meant, strict=True)
        for units in group
    }
    for one in wanted.values():
        line = lines[one.line_id]
        if one.quantity > left[one.line_id]:
            returned = line.shipped - left[one.line_id]
            raise _Refused(
                f"{one.quantity} of {one.sku} can't come back: {line.shipped} of {line.quantity} shipped, "
                f"{returned} returned already (RET-2)" + _reopening(may_reopen(session, held, one.line_id))
            )
    return wanted


def _reopening(expired: list[str]) -> str:
    """What to do about returns that look over, and hold the units."""
    return "".join(
        f"; {return_id} has expired and is still open: its tracking number reopens it (RET-10), "
        "withdrawing it gives its units free"
        for return_id in expired
    )


def _free_numbers(session: Session, first: str, count: int) -> list[str]:
    """The first return's number, and free ones for its siblings."""
    numbers = [first]
    ordinal = 2
    while len(numbers) < count:
        number = sibling_return_id(first, ordinal)
        if session.get(ReturnRow, number) is None:
            numbers.append(number)
        ordinal += 1
    return numbers


def _row(ask: OpenReturn, order: OrderRow, split: _Split) -> ReturnRow:
    request, number, part = ask.request, split.return_id, split.part
    is_first = number == request.return_id
    return ReturnRow(
        return_id=number,
        order_id=order.order_id,
        seller_id=order.seller_id,
        supplier_id=part.supplier_id,
        supplier_order_number=part.number,
        workflow_id=ask.workflow_id if is_first else return_workflow_id(number),
        run_id=ask.run_id if is_first else None,
        split_from=None if is_first else request.return_id,
        source=request.source,
        requested_by=request.requested_by,
        request=request if is_first else _sibling(request, split),
        created_at=ask.created_at,
        amazon_rma_id=request.amazon_rma_id,
        ebay_return_id=request.ebay_return_id,
    )


def _sibling(request: ReturnRequest, split: _Split) -> ReturnRequest:
    """The part of the request that is another supplier's."""
    lines = tuple(
        split.wanted[line.line_id].said.model_copy(
            update={"line_id": line.line_id, "sku": line.sku, "quantity": line.quantity}
        )
        for line in split.lines
    )
    return request.model_copy(update={"return_id": split.return_id, "lines": lines})


def _add_lines(session: Session, splits: Sequence[_Split]) -> None:
    lines = [
        {
            "return_id": split.return_id,
            "line_id": line.line_id,
            "sku": line.sku,
            "position": position,
            "quantity": line.quantity,
            "reason": line.reason,
            "buyer_words": split.wanted[line.line_id].said.buyer_words,
            "evidence": [one.model_dump(mode="json") for one in split.wanted[line.line_id].said.evidence],
            "paid": line.paid,
            "cost": line.cost,
        }
        for split in splits
        for position, line in enumerate(split.lines, start=1)
    ]
    units = [
        {
            "return_id": split.return_id,
            "line_id": some.line_id,
            "supplier_order_number": str(some.number),
            "quantity": some.quantity,
        }
        for split in splits
        for some in split.part.units
    ]
    add_new(session, ReturnLineRow, lines)
    add_new(session, ReturnUnitsRow, units)
