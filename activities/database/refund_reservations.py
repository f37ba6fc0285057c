"""What is reserved for a refund: its row and its units; of one that goes back in parts a row for each (REF-3)."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import count
from typing import NamedTuple

from sqlmodel import Session

from activities.database.refund_parts import Share, carrier_of, divided, in_words, wanted_of
from activities.database.refund_sources import (
    MoneyKnown,
    RefundRefused,
    RefundSource,
    connection_back,
    refund_source,
    require_covered,
    taken,
)
from activities.database.refund_units import named_units
from models.gateway_limits import movable, require_movable
from models.ids import refund_part_id, refund_workflow_id
from models.message import LineUnits
from models.records import ReserveRefund
from models.refunds import RefundPart, RefundState, Way, check_cap, require_right_to_over_refund
from models.tables import OrderRow, RefundRow, SellerRow


class Reservation(NamedTuple):
    """`units`: those that the first row names (REF-13). `divided`: why it goes back in parts; none: in one."""

    rows: list[RefundRow]
    units: tuple[LineUnits, ...]
    divided: str | None = None


def reservation_of(
    session: Session,
    ask: ReserveRefund,
    order: OrderRow | None,
    order_of_return: str | None,
    seller: SellerRow | None,
    known: MoneyKnown,
) -> Reservation:
    """All that is to be reserved, checked as a whole before anything moves (REF-3 to REF-5, REF-12 to REF-14,
    BAL-1). Nothing is written.

    Raises RefundRefused and ValueError in words, ConnectionUnusable and BalanceShort for what may yet be mended.
    """
    request = ask.request
    if order is None:
        raise RefundRefused(f"no order {request.order_id}")
    if request.return_id is not None and order_of_return != order.order_id:
        raise RefundRefused(f"no return {request.return_id} of order {order.order_id}")
    if request.part_of is not None:
        raise RefundRefused(f"refund {request.part_of} was not divided into this part: nothing is reserved for it")
    source = refund_source(session, request, order, seller, known)
    if request.currency != source.currency:
        raise RefundRefused(f"the payment was in {source.currency}, the refund is in {request.currency}")
    named = named_units(session, request, known.refunds)
    before = taken(known.refunds, request.direction)
    wanted = wanted_of(request, source.paid, before, named)
    carrier = carrier_of(source, wanted.amount)
    by, amount = carrier.by if carrier is not None else None, wanted.amount
    if wanted.is_named:
        require_movable(amount, by, source.currency, "the amount")
    else:
        amount = movable(amount, by, source.currency)
        if amount <= 0 < wanted.amount:
            raise RefundRefused(
                "what is left is less than the gateway can move: record it with way manual (REF-14)"
            )
    if amount <= 0 < wanted.left and named.moved:
        raise RefundRefused(
            "all that these units are worth is refunded or being refunded: give an amount (REF-13)"
        )
    if amount <= 0 < wanted.left:
        raise RefundRefused("nothing was paid for these units: there is nothing to refund (ORD-15)")
    if amount <= 0:
        raise RefundRefused(
            f"nothing is left to refund: {before} of {source.paid} {source.currency} is refunded or pending"
        )
    over = check_cap(amount, source.paid, before, source.currency, allow_over_refund=source.over_refund_allowed)
    if over and request.way is Way.GATEWAY:
        require_right_to_over_refund(request.requested_by, source.may_over_refund)
    shares = [Share(carrier, amount, over)] if carrier or not source.carriers else divided(source, wanted)
    require_covered(session, request, order, seller, sum((one.amount for one in shares), Decimal(0)))
    rows = [*_rows(session, ask, order, source, shares)]
    why = in_words(source.what, amount, source.currency, shares) if len(shares) > 1 else None
    return Reservation(rows, named.units, why)


def part_of(row: RefundRow) -> RefundPart:
    """As whoever asked for the whole is told of it."""
    return RefundPart.model_validate({"refund_id": row.refund_id, "amount": row.amount, "lines": row.lines})


def _rows(
    session: Session, ask: ReserveRefund, order: OrderRow, source: RefundSource, shares: Sequence[Share]
) -> Iterator[RefundRow]:
    request, whole = ask.request, sum((one.amount for one in shares), Decimal(0))
    is_divided = len(shares) > 1
    ids = _part_ids(session, request.refund_id) if is_divided else iter((request.refund_id,))
    for number, (share, refund_id) in enumerate(zip(shares, ids, strict=False)):
        lines = request.lines if number == 0 else ()
        yield RefundRow(
            refund_id=refund_id,
            order_id=order.order_id,
            return_id=request.return_id,
            seller_id=order.seller_id,
            part_of=request.refund_id if is_divided else None,
            workflow_id=refund_workflow_id(refund_id) if is_divided else ask.workflow_id,
            run_id="" if is_divided else ask.run_id,
            direction=request.direction,
            way=source.way or request.way,
            amount=share.amount,
            currency=source.currency,
            state=RefundState.RESERVED,
            reason=request.reason,
            requested_by=request.requested_by,
            lines=[line.model_dump(mode="json") for line in lines],
            reference=request.reference,
            over_refund=share.is_over,
            over_limit=source.limit if source.limit is not None and whole > source.limit else None,
            payment_reference=share.carrier.reference if share.carrier is not None else None,
            connection_id=connection_back(session, order, share.carrier) if share.carrier is not None else None,
            reserved_at=ask.at,
        )


def _part_ids(session: Session, refund_id: str) -> Iterator[str]:
    """In their order; one that somebody gave another refund is passed over (REF-6)."""
    for number in count(1):
        part_id = refund_part_id(refund_id, number)
        if session.get(RefundRow, part_id) is None:
            yield part_id
