"""A return opens: RET-2 is checked, its units are found among what was shipped, and it is split by supplier."""

from sqlmodel import Session, col, func, select

from activities.database.attribution import Part, split_by_supplier
from activities.database.orders import share_of
from activities.database.returnable_units import (
    CUT_SHORT,
    Worth,
    free_sources,
    held_worth,
    holding_returns,
    may_reopen,
    worth_of_next,
)
from activities.database.returns import kept
from models.ids import return_workflow_id, sibling_return_id
from models.records import Opening, OpenReturn, ReopenReturn, ReturnOpening, ReturnReopened
from models.refunds import RefundState
from models.returns import OpenedLine, OpenedReturn, ReturnRequest
from models.tables import (
    OrderLineRow,
    OrderRow,
    ReceptionRow,
    RefundRow,
    ReturnLineRow,
    ReturnRow,
    ReturnUnitsRow,
    SellerRow,
    StepRow,
    SupplierRow,
)


class _Refused(Exception):
    """The rule says no; its text says why and what to do."""


def open_return(session: Session, ask: OpenReturn) -> ReturnOpening:
    """Open the return of one supplier's units; the others' are kept for its siblings, which open later.

    The same run again gets the same answer. Quantities over what was shipped and has not come back are
    refused; nothing is changed then.
    """
    request = ask.request
    # The order's row is the lock: two returns of one order are checked one after the other.
    order = session.get(OrderRow, request.order_id, with_for_update=True)
    before = session.get(ReturnRow, request.return_id)
    try:
        if before is not None:
            return _open_again(session, ask, before, order)
        if order is None:
            raise _Refused(f"no order {request.order_id}")
        first, *others = _split(session, ask, order)
        return _open(session, ask, order, first, siblings=tuple(row.request for row in others))
    except _Refused as no:
        return ReturnOpening(opening=Opening.REFUSED, reason=str(no))


def reopen_return(session: Session, ask: ReopenReturn) -> ReturnReopened:
    """Give back what the return knew when it ended; from now on it is this run's. The same run again gets the
    same answer. Refused unless it has ended by itself, and this refund of it failed.
    """
    row = session.get(ReturnRow, ask.return_id, with_for_update=True)
    refund = session.get(RefundRow, ask.refund_id)
    if row is None or row.opened is None:
        return ReturnReopened(opening=Opening.REFUSED, reason=f"no return {ask.return_id}")
    if refund is None or refund.return_id != ask.return_id or refund.state is not RefundState.FAILED:
        why = f"no refund {ask.refund_id} of return {ask.return_id} has failed"
        return ReturnReopened(opening=Opening.REFUSED, reason=why)
    if row.run_id != ask.run_id and (row.outcome is None or row.outcome in CUT_SHORT):
        why = f"return {ask.return_id} did not end by itself: staff must look at it"
        return ReturnReopened(opening=Opening.REFUSED, reason=why)
    receptions = session.exec(select(ReceptionRow).where(ReceptionRow.return_id == ask.return_id)).all()
    known = kept(row, receptions)
    steps = select(func.count(col(StepRow.run_id).distinct())).where(
        col(StepRow.workflow_id) == row.workflow_id,
        col(StepRow.run_id) != ask.run_id,
        ~col(StepRow.run_id).contains("@"),  # a reset opens nothing
    )
    row.run_id = ask.run_id
    row.outcome = None
    session.add(row)
    return ReturnReopened(
        opening=Opening.OPENED,
        opened=row.opened,
        kept=known.model_copy(update={"outcome": None}),
        times=session.exec(steps).one() + 1,
    )


def _open_again(session: Session, ask: OpenReturn, row: ReturnRow, order: OrderRow | None) -> ReturnOpening:
    if row.run_id == ask.run_id:
        return ReturnOpening(opening=Opening.OPENED, opened=row.opened)
    if row.run_id is not None:
        return ReturnOpening(opening=Opening.DUPLICATE, reason=f"return {row.return_id} exists already")
    if order is None or row.request != ask.request:
        raise _Refused(f"{row.return_id} is kept for what was split off {row.split_from}: use another number")
    return _open(session, ask, order, row, siblings=())


def _open(
    session: Session, ask: OpenReturn, order: OrderRow, row: ReturnRow, siblings: tuple[ReturnRequest, ...]
) -> ReturnOpening:
    """Take the snapshots that decide, and keep the answer for a retry."""
    session.flush()
    lines = select(ReturnLineRow).where(ReturnLineRow.return_id == row.return_id)
    opened_lines = [
        OpenedLine(sku=line.sku, quantity=line.quantity, reason=line.reason, paid=line.paid, cost=line.cost)
        for line in session.exec(lines.order_by(col(ReturnLineRow.position)))
    ]
    row.workflow_id = ask.workflow_id
    row.run_id = ask.run_id
    row.created_at = ask.created_at
    row.opened = OpenedReturn(
        order_id=order.order_id,
        seller=session.get_one(SellerRow, order.seller_id).settings,
        supplier=session.get_one(SupplierRow, row.supplier_id).settings,
        channel=order.channel.value,
        supplier_order_number=row.supplier_order_number,
        lines=tuple(opened_lines),
        currency=order.payment_currency,
        charge_currency=order.charge_currency,
        siblings=siblings,
    )
    session.add(row)
    return ReturnOpening(opening=Opening.OPENED, opened=row.opened)


def _split(session: Session, ask: OpenReturn, order: OrderRow) -> list[ReturnRow]:
    """Write one return per supplier, with its lines and units; the first is the one that was asked for."""
    request = ask.request
    held = holding_returns(session, order.order_id)
    worth = held_worth(session, held)
    lines = _checked_lines(session, request, worth, held)
    try:
        parts = split_by_supplier(request.lines, free_sources(session, order.order_id, held))
    except ValueError as unknown:
        raise _Refused(f"order {order.order_id}: {unknown}") from None
    for part in parts:
        if session.get(SupplierRow, part.supplier_id) is None:
            raise _Refused(
                f"no supplier {part.supplier_id}, which shipped {', '.join(part.skus)}: add its settings first"
            )
    numbers = _free_numbers(session, request.return_id, len(parts))
    rows = []
    for number, part in zip(numbers, parts, strict=True):
        rows.append(_write(session, ask, order, number, part))
        for sku in part.skus:
            before = worth.get(sku, Worth())
            added = worth_of_next(
                share_of(lines[sku]),
                before,
                part.quantity_of(sku),
                order.payment_currency,
                order.charge_currency,
            )
            worth[sku] = before + added
            _write_line(session, request, number, part, sku, added)
    return rows


def _checked_lines(
    session: Session, request: ReturnRequest, worth: dict[str, Worth], held: set[str]
) -> dict[str, OrderLineRow]:
    """The order's lines by SKU. Refuses units that are not of the order, not shipped, or back already (RET-2)."""
    found = session.exec(select(OrderLineRow).where(OrderLineRow.order_id == request.order_id))
    lines = {row.sku: row for row in found}
    for wanted in request.lines:
        line = lines.get(wanted.sku)
        if line is None:
            raise _Refused(f"order {request.order_id} has no line {wanted.sku}")
        returned = worth.get(wanted.sku, Worth()).quantity
        if wanted.quantity > line.shipped - returned:
            raise _Refused(
                f"{wanted.quantity} of {wanted.sku} can't come back: {line.shipped} of {line.quantity} shipped, "
                f"{returned} returned already (RET-2)" + _reopening(may_reopen(session, held, wanted.sku))
            )
    return lines


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


def _write(session: Session, ask: OpenReturn, order: OrderRow, number: str, part: Part) -> ReturnRow:
    request = ask.request
    is_first = number == request.return_id
    row = ReturnRow(
        return_id=number,
        order_id=order.order_id,
        seller_id=order.seller_id,
        supplier_id=part.supplier_id,
        supplier_order_number=part.number,
        workflow_id=ask.workflow_id if is_first else return_workflow_id(number),
        split_from=None if is_first else request.return_id,
        source=request.source,
        requested_by=request.requested_by,
        request=request if is_first else _sibling(request, number, part),
        created_at=ask.created_at,
        amazon_rma_id=request.amazon_rma_id,
        ebay_return_id=request.ebay_return_id,
    )
    session.add(row)
    session.flush()
    for units in part.units:
        session.add(
            ReturnUnitsRow(
                return_id=number,
                sku=units.sku,
                supplier_order_number=str(units.number),
                quantity=units.quantity,
            )
        )
    return row


def _sibling(request: ReturnRequest, number: str, part: Part) -> ReturnRequest:
    lines = tuple(
        line.model_copy(update={"quantity": part.quantity_of(line.sku)})
        for line in request.lines
        if line.sku in part.skus
    )
    return request.model_copy(update={"return_id": number, "lines": lines})


def _write_line(session: Session, request: ReturnRequest, number: str, part: Part, sku: str, worth: Worth) -> None:
    line = next(line for line in request.lines if line.sku == sku)
    session.add(
        ReturnLineRow(
            return_id=number,
            sku=sku,
            position=part.skus.index(sku) + 1,
            quantity=worth.quantity,
            reason=line.reason,
            buyer_words=line.buyer_words,
            evidence=[evidence.model_dump(mode="json") for evidence in line.evidence],
            paid=worth.paid,
            cost=worth.cost,
        )
    )
