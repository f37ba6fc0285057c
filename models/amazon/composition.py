"""A refund or a cancellation in Amazon's words, made from what is stored of the order; or why a person has to
look. Pure. The sum of all components is the refund, to the cent."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Final, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from models.amazon.line_worth import LineWorth, worth_by_component
from models.amazon.messages import (
    AcknowledgedItem,
    AdjustedItem,
    AdjustmentReason,
    AmazonOrderId,
    CancelReason,
    ComponentType,
    NeedsPerson,
    NeedsPersonWhy,
    OrderAcknowledgement,
    OrderAdjustment,
    OrderItemCode,
    PriceComponent,
)
from models.amazon.reasons import cancel_reason, reason_of_part, refund_reason
from models.ids import CaseId, DerivedId, LineId
from models.message import Message, Text, WholeQuantity
from models.money import Currency, NonNegativeAmount, PositiveAmount, allocate
from models.orders import OrderRequest
from models.shares import LineShare

LONGEST_KEY: Final = 50
_ORDER_ID: Final[TypeAdapter[str]] = TypeAdapter(AmazonOrderId)
_ITEM_CODE: Final[TypeAdapter[str]] = TypeAdapter(OrderItemCode)
Worth = dict[ComponentType, Decimal]


class Units(Message):
    """Units of a line as it was sold. `before`: how many of it went back earlier."""

    line_id: LineId
    quantity: WholeQuantity
    before: Annotated[int, Field(ge=0)] = 0


class ComposeRefund(Message):
    """A refund that is reserved (REF-3). `units` none: by amount alone. `fees`: what of the units' worth is kept,
    the restocking fee and the return fee (REF-4)."""

    refund_id: DerivedId
    amount: PositiveAmount
    currency: Currency
    reason: Text
    units: tuple[Units, ...] = ()
    fees: NonNegativeAmount = Decimal(0)


class ComposeCancel(Message):
    """A cancellation of units that did not ship. `case_id`: whose keys the adjustments get."""

    case_id: CaseId
    reason: Text
    units: Annotated[tuple[Units, ...], Field(min_length=1)]


class ComposedCancel(NamedTuple):
    """Whole order items, and parts of quantities: they go in two documents."""

    whole: OrderAcknowledgement | None
    parts: OrderAdjustment | None


def composed_refund(
    order: OrderRequest,
    shares: Sequence[LineShare],
    ask: ComposeRefund,
    reasons: Mapping[str, AdjustmentReason] | None = None,
) -> OrderAdjustment | NeedsPerson:
    """By order item and component, for the whole quantity. `reasons`: the seller's changes of the table."""
    found = _known_lines(order, shares)
    if isinstance(found, NeedsPerson):
        return found
    if ask.currency != order.paid_currency:
        return NeedsPerson.doubt(f"the order was paid in {order.paid_currency}, the refund is in {ask.currency}")
    made = _of_units(found, ask) if ask.units else _by_amount(found, ask, order)
    if isinstance(made, NeedsPerson):
        return made
    reason = refund_reason(ask.reason, reasons)
    items = tuple(
        AdjustedItem(
            order_item_code=line_id,
            adjustment_key=adjustment_key(ask.refund_id, position),
            reason=reason,
            currency=ask.currency,
            components=_components(worth),
        )
        for position, (line_id, worth) in enumerate(made.items(), start=1)
    )
    adjustment = OrderAdjustment(order_id=order.channel_order_id or "", items=items)
    assert adjustment.amount == ask.amount, "the components are made to add up to it"
    return adjustment


def composed_cancel(
    order: OrderRequest,
    shares: Sequence[LineShare],
    ask: ComposeCancel,
    reasons: Mapping[str, CancelReason] | None = None,
) -> ComposedCancel | NeedsPerson:
    """Whole order items as OrderAcknowledgement, which knows no quantity; part of one as OrderAdjustment."""
    numbers = _numbers(order)
    if numbers is not None:
        return numbers
    of_line = {line.line_id or str(number): line.quantity for number, line in enumerate(order.lines, start=1)}
    for one in ask.units:
        if one.line_id not in of_line or one.before + one.quantity > of_line[one.line_id]:
            return NeedsPerson.doubt(
                f"{one.quantity} of line {one.line_id} can't be cancelled: the order has not so many left"
            )
    reason = cancel_reason(ask.reason, reasons)
    whole = [one for one in ask.units if one.quantity == of_line[one.line_id]]
    parts = _cancelled_parts(order, shares, ask, [one for one in ask.units if one not in whole], reason)
    if isinstance(parts, NeedsPerson):
        return parts
    order_id = order.channel_order_id or ""
    items = tuple(AcknowledgedItem(order_item_code=one.line_id, reason=reason) for one in whole)
    return ComposedCancel(OrderAcknowledgement(order_id=order_id, items=items) if items else None, parts)


def adjustment_key(refund_id: str, position: int) -> str:
    """Our key of an order item's part of a refund: unique, 50 characters at most. One that is too long is
    shortened and gets a hash of the whole."""
    key = f"{refund_id}.{position}"
    if len(key) <= LONGEST_KEY:
        return key
    end = f"-{sha256(refund_id.encode()).hexdigest()[:16]}.{position}"
    return f"{refund_id[: LONGEST_KEY - len(end)]}{end}"


def _cancelled_parts(
    order: OrderRequest,
    shares: Sequence[LineShare],
    ask: ComposeCancel,
    parts: Sequence[Units],
    reason: CancelReason,
) -> OrderAdjustment | NeedsPerson | None:
    if not parts:
        return None
    lines = _known_lines(order, shares)
    if isinstance(lines, NeedsPerson):
        return lines
    currency, items = order.paid_currency, []
    for position, one in enumerate(parts, start=1):
        line = lines[one.line_id]
        worth = _added(
            line.goods(one.quantity, one.before, currency), line.shipping(one.quantity, one.before, currency)
        )
        if not worth:
            return NeedsPerson.doubt(f"the buyer paid nothing for line {one.line_id}")
        items.append(
            AdjustedItem(
                order_item_code=one.line_id,
                adjustment_key=adjustment_key(ask.case_id, position),
                reason=reason_of_part(reason),
                currency=currency,
                components=_components(worth),
                quantity_cancelled=one.quantity,
            )
        )
    return OrderAdjustment(order_id=order.channel_order_id or "", cancels=True, items=tuple(items))


# ---- what goes back, by order item ----


def _of_units(lines: Mapping[str, LineWorth], ask: ComposeRefund) -> dict[str, Worth] | NeedsPerson:
    """The worth of these units, with shipping or without, as the amount says; less fees. Another amount is a
    doubt."""
    for one in ask.units:
        if one.line_id not in lines or one.before + one.quantity > lines[one.line_id].quantity:
            return NeedsPerson.doubt(f"the order has not {one.before + one.quantity} of line {one.line_id}")
    goods = {one.line_id: lines[one.line_id].goods(one.quantity, one.before, ask.currency) for one in ask.units}
    shipping = {
        one.line_id: lines[one.line_id].shipping(one.quantity, one.before, ask.currency) for one in ask.units
    }
    with_shipping = {line_id: _added(worth, shipping[line_id]) for line_id, worth in goods.items()}
    for worths in (goods, with_shipping):
        if _sum(worths) - ask.fees == ask.amount:
            return _less_fees(worths, ask)
    return NeedsPerson.doubt(
        f"{ask.amount} {ask.currency} are to go back, and the units are worth {_sum(goods)} or, with shipping, "
        f"{_sum(with_shipping)}, less fees of {ask.fees}"
    )


def _by_amount(
    lines: Mapping[str, LineWorth], ask: ComposeRefund, order: OrderRequest
) -> dict[str, Worth] | NeedsPerson:
    """All that was paid for the lines, else goodwill: an amount that names no units is no part of any price. It is
    shared out over the lines by what they are worth."""
    if ask.fees:
        return NeedsPerson.doubt(f"fees of {ask.fees} are kept, and no units are named that they are kept of")
    currency = ask.currency
    whole = {
        line_id: _added(line.goods(line.quantity, 0, currency), line.shipping(line.quantity, 0, currency))
        for line_id, line in lines.items()
    }
    paid = {line_id: worth for line_id, worth in whole.items() if worth}
    if _sum(paid) == ask.amount:
        return paid
    if ask.amount > _sum(paid):
        return NeedsPerson.doubt(
            f"{ask.amount} {currency} are more than the {_sum(paid)} that the lines are worth"
        )
    parts = allocate(ask.amount, [sum(worth.values(), Decimal(0)) for worth in paid.values()], currency)
    return {line_id: {ComponentType.GOODWILL: part} for line_id, part in zip(paid, parts, strict=True) if part}


def _less_fees(worths: Mapping[str, Worth], ask: ComposeRefund) -> dict[str, Worth]:
    """Fees stand as RestockingFee below what they are kept of; what tax is in them is not known."""
    kept = {line_id: worth for line_id, worth in worths.items() if worth}
    fees = allocate(ask.fees, [sum(worth.values(), Decimal(0)) for worth in kept.values()], ask.currency)
    return {
        line_id: _added(worth, {ComponentType.RESTOCKING_FEE: -fee} if fee else {})
        for (line_id, worth), fee in zip(kept.items(), fees, strict=True)
    }


def _known_lines(order: OrderRequest, shares: Sequence[LineShare]) -> dict[str, LineWorth] | NeedsPerson:
    numbers = _numbers(order)
    if numbers is not None:
        return numbers
    found = worth_by_component(order, shares)
    return found if isinstance(found, NeedsPerson) else {line.line_id: line for line in found}


def _numbers(order: OrderRequest) -> NeedsPerson | None:
    """Whether order and lines have Amazon's numbers: the order item's is the identity of a line (ORD-13)."""
    told: list[tuple[TypeAdapter[str], str, str]] = [(_ORDER_ID, "the order", order.channel_order_id or "")]
    told += [(_ITEM_CODE, f"line {line.line_id} ({line.sku})", line.line_id or "") for line in order.lines]
    for form, what, number in told:
        try:
            form.validate_python(number)
        except ValidationError:
            return NeedsPerson(why=NeedsPersonWhy.NUMBERS, words=f"{what} has no number of Amazon's")
    return None


def _added(worth: Worth, more: Worth) -> Worth:
    return {kind: worth.get(kind, Decimal(0)) + more.get(kind, Decimal(0)) for kind in (*worth, *more)}


def _sum(worths: Mapping[str, Worth]) -> Decimal:
    return sum((amount for worth in worths.values() for amount in worth.values()), Decimal(0))


def _components(worth: Worth) -> tuple[PriceComponent, ...]:
    return tuple(PriceComponent(type=kind, amount=amount) for kind, amount in worth.items())
