"""Which payment, or which charge on the seller, carries a refund; and in which shares it goes back where none can
carry it alone (REF-3, REF-9, ORD-8). Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from activities.database.refund_sources import Carrier, RefundRefused, RefundSource
from activities.database.refund_units import NamedUnits
from models.gateway_limits import movable, require_movable, smallest_movable
from models.refunds import RefundRequest


class Wanted(NamedTuple):
    """What is asked for. All in the refund's currency."""

    amount: Decimal
    is_named: bool
    """Else it is all that is left, or what the units are worth (REF-8, REF-13)."""
    left: Decimal
    """How much of all that was paid, or captured, is not refunded or pending. After a refund of more than was paid
    it is zero (REF-5)."""

    @property
    def excess(self) -> Decimal:
        return max(self.amount - self.left, Decimal(0))


class Share(NamedTuple):
    """What one payment, or charge, gives back. No carrier: it is only recorded."""

    carrier: Carrier | None
    amount: Decimal
    is_over: bool
    """With it more goes back than was paid (REF-5)."""


def wanted_of(request: RefundRequest, paid: Decimal, taken: Decimal, named: NamedUnits) -> Wanted:
    """`taken`: what of `paid` is refunded or pending; `named`: the units, where it is for some."""
    left = max(paid - taken, Decimal(0))
    if request.amount is not None and request.less_moved and named.moved_elsewhere:
        missing = max(request.amount - named.moved_elsewhere, Decimal(0))
        return Wanted(missing, is_named=False, left=left)
    if request.amount is not None:
        return Wanted(request.amount, is_named=True, left=left)
    return Wanted(min(left, named.worth) if named.units else left, is_named=False, left=left)


def carrier_of(source: RefundSource, amount: Decimal) -> Carrier | None:
    """The first that can carry it; none: no single one can, or it is only recorded."""
    return next((one for one in source.carriers if one.carries(amount)), None)


def divided(source: RefundSource, wanted: Wanted) -> list[Share]:
    """What goes back by each: together all that is wanted, or all of what is left that can be moved. The last one
    takes what is more than was paid.

    Raises RefundRefused where all gateways together can't give it back, ValueError for an amount that can't be
    moved (REF-9, REF-14).
    """
    currency, carriers = source.currency, source.carriers
    due = wanted.amount - wanted.excess
    amounts = shared(due, carriers, currency)
    carried, rest = sum(amounts, Decimal(0)), sum((one.rest for one in carriers), Decimal(0))
    if rest < due or (wanted.is_named and carried < due):
        told = ", ".join(f"{one.reference} {one.rest}" for one in carriers)
        raise RefundRefused(
            f"the gateway can give back only {carried} of {wanted.amount} {currency} ({told}): refund that, and "
            "record with way manual what goes back another way (REF-9)"
        )
    if wanted.excess:
        last = max((at for at, amount in enumerate(amounts) if amount), default=len(carriers) - 1)
        amounts[last] += wanted.excess
        require_movable(amounts[last], carriers[last].by, currency, "the amount")
    elif not carried:
        raise RefundRefused("what is left is less than the gateway can move: record it with way manual (REF-14)")
    carrying = [(one, amount) for one, amount in zip(carriers, amounts, strict=True) if amount]
    return [Share(one, amount, is_over=bool(wanted.excess) and one is carrying[-1][0]) for one, amount in carrying]


def shared(amount: Decimal, carriers: Sequence[Carrier], currency: str) -> list[Decimal]:
    """How much each gives back, in their order: as much as its gateway can move of what it has left. Those that
    move only coarse amounts come first, so that the others take what is finer (REF-14)."""
    found, rest = [Decimal(0)] * len(carriers), amount
    coarse_first = sorted(range(len(carriers)), key=lambda at: -smallest_movable(carriers[at].by, currency))
    for at in coarse_first:
        one = carriers[at]
        found[at] = max(movable(min(rest, one.rest), one.by, currency), Decimal(0))
        rest -= found[at]
    return found


def in_words(what: str, amount: Decimal, currency: str, shares: Sequence[Share]) -> str:
    """That it is divided, as people read it. `what`: what carries it."""
    told = ", ".join(f"{one.amount} by {one.carrier.reference}" for one in shares if one.carrier is not None)
    return f"no single {what} can carry {amount} {currency}: it is refunded in parts, {told} (REF-3)"
