"""How much the buyer gets back (RET-14, REF-3, REF-4)."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from models.failures import RefusedByRule
from models.gateway_limits import movable, require_movable
from models.message import Quantity
from models.money import Amount, UnitsOfLine, moved_for_units, require_whole, share_of_units
from models.refunds import Way
from models.returns import BuyerRefund
from workflows.refunds.attempts import BUYER, RefundAttempt, those_of
from workflows.returns.facts import ReturnFacts
from workflows.returns.lines import units_in
from workflows.returns.replaced import is_wanted, most_refundable, refundable_units, require_not_replaced


def refund_amount(f: ReturnFacts, click: BuyerRefund | None) -> Amount:
    """What a click, or without one the seller's setting, asks for, in the currency that the buyer paid.

    Raises RefusedByRule when that can't be (RET-14, RET-18, REF-3, REF-4).
    """
    require_not_refunded_by_channel(f)
    require_not_declined(f)
    named = units_in(f.snapshot, (click.lines if click else None) or (), "RET-14")
    require_not_replaced(f, named, click.amount if click else None)
    if click is not None and click.amount is not None:
        try:
            require_whole(click.amount, f.snapshot.currency, "amount")
        except ValueError as error:
            raise RefusedByRule("REF-3", str(error)) from None
        try:
            require_movable(click.amount, f.snapshot.gateway, f.snapshot.currency, "amount")
        except ValueError as error:
            raise RefusedByRule("REF-14", str(error)) from None
        return click.amount
    failed_afterwards = f.buyer_owed
    if failed_afterwards and not named:
        computed = is_computed(f, click)
        return sum((_owed(one, computed=computed) for one in failed_afterwards), Decimal(0))
    if is_wanted(f) and not named:
        named = refundable_units(f)
    elif click is None and not f.returnless:
        named = {line.line_id: f.accepted_units(line) for line in f.snapshot.lines}
    worth = _worth_of_units(f, named, after=_units_before(f) if click is not None else {})
    worth -= _moved_in_part(f, named)
    fees_due = Decimal(0) if f.buyer_refunds or failed_afterwards else f.fees
    moved = f.refunded + sum((one.moved_otherwise for one in f.buyer_refunds), Decimal(0))
    left = min(worth - fees_due, most_refundable(f) - f.fees - moved)
    amount = movable(left, f.snapshot.gateway, f.snapshot.currency)
    if amount <= 0 and not f.snapshot.paid:
        raise RefusedByRule("ORD-15", "the buyer paid nothing for it: there is nothing to refund")
    if amount <= 0:
        taken = f"fees of {f.fees} and refunds of {f.refunded} {f.snapshot.currency}"
        raise RefusedByRule("REF-4", f"after {taken} nothing is left to refund; give an amount")
    return amount


def is_computed(f: ReturnFacts, click: BuyerRefund | None) -> bool:
    """The amount is what units are worth, and nobody named it: what moved for them otherwise is taken off when it
    is reserved (REF-13). What is owed is asked for as it was before."""
    if click is not None and click.amount is not None:
        return False
    if f.buyer_owed and not (click is not None and click.lines):
        return all(one.computed is not None for one in f.buyer_owed if one.lines)
    return True


def _owed(one: RefundAttempt, *, computed: bool) -> Decimal:
    return one.amount + one.moved_otherwise if computed else one.amount


def refunded_units(f: ReturnFacts, click: BuyerRefund | None) -> tuple[Quantity, ...]:
    """The units that this refund is for: they are not refunded again (REF-13). None for one by amount alone.

    Without a word about units: those that no earlier refund of the return was for.
    """
    if click is not None and click.lines is not None:
        units = units_in(f.snapshot, click.lines, "RET-14")
    elif click is not None and click.amount is not None:
        return ()
    elif f.buyer_owed:
        return tuple(line for one in f.buyer_owed for line in one.lines)
    else:
        accepted_only = click is None and not f.returnless
        before, refundable = _units_before(f), refundable_units(f)
        units = {
            line.line_id: (f.accepted_units(line) if accepted_only else refundable[line.line_id])
            - before.get(line.line_id, 0)
            for line in f.snapshot.lines
        }
    return tuple(
        Quantity(line_id=line.line_id, sku=line.sku, quantity=units[line.line_id])
        for line in f.snapshot.lines
        if units.get(line.line_id, 0) > 0
    )


def units_of_the_rest(f: ReturnFacts) -> tuple[Quantity, ...]:
    """Those that no refund of the return was for: where the marketplace gave all that is left, it was for these
    (REF-13)."""
    before = _units_before(f)
    units = {line.line_id: line.quantity - before.get(line.line_id, 0) for line in f.snapshot.lines}
    return tuple(
        Quantity(line_id=line.line_id, sku=line.sku, quantity=units[line.line_id])
        for line in f.snapshot.lines
        if units[line.line_id] > 0
    )


def _units_before(f: ReturnFacts) -> dict[str, int]:
    """Units, by `line_id`, that refunds of this return were for, the marketplace's too, and that they may have
    been made."""
    found: dict[str, int] = {}
    for one in (*f.buyer_attempts, *those_of(f.refunds, BUYER, Way.MARKETPLACE)):
        for line in one.lines if one.may_have_moved_money else ():
            found[str(line.line_id)] = found.get(str(line.line_id), 0) + line.quantity
    return found


def _moved_in_part(f: ReturnFacts, asked: Mapping[str, int]) -> Decimal:
    """What other parts of the same refunds moved, or may have, for these units, where the part that names them
    came to nothing (REF-13)."""
    moved, lines = Decimal(0), {line.line_id: line for line in f.snapshot.lines}
    for at, one in enumerate(f.buyer_attempts):
        if one.part_of is None or one.asked_anew or one.may_have_moved_money or not one.lines:
            continue
        others = [other for other in f.buyer_attempts if other.may_have_moved_money]
        by_others = sum((other.amount for other in others if other.part_of == one.part_of), Decimal(0))
        named: dict[str, UnitsOfLine] = {}
        for line in one.lines:
            of, many = lines[str(line.line_id)], line.quantity
            worth = share_of_units(of.paid, of.quantity, 0, many, f.snapshot.currency)
            named[of.line_id] = UnitsOfLine(many, worth)
        since: Counter[str] = Counter()
        for other in f.buyer_attempts[at:]:
            for line in other.lines if other.may_have_moved_money else ():
                since[str(line.line_id)] += line.quantity
        moved += moved_for_units(by_others, named, since, asked, f.snapshot.currency)
    return moved


def require_not_refunded_by_channel(f: ReturnFacts) -> None:
    """Raises RefusedByRule when the marketplace refunded the buyer by itself (RET-18)."""
    if f.refunded_by_channel:
        raise RefusedByRule("RET-18", "the marketplace refunded the buyer already")


def require_not_declined(f: ReturnFacts) -> None:
    """Raises RefusedByRule when the seller said that the buyer is not refunded (RET-27)."""
    if f.declined is not None:
        kind = f.declined.kind.value.replace("_", " ")
        raise RefusedByRule("RET-27", f"the seller does not refund this return ({kind}: {f.declined.reason})")


def _worth_of_units(f: ReturnFacts, named: dict[str, int], after: dict[str, int]) -> Decimal:
    """What the buyer paid for these units, `after` those that were refunded before, so that single units add up to
    their line; for all of them when none are named."""
    worth = Decimal(0)
    for line in f.snapshot.lines:
        units = named.get(line.line_id, 0) if named else line.quantity
        if units > line.quantity:
            raise RefusedByRule("RET-14", f"{units} of {line.sku}: the return has {line.quantity}")
        before = min(after.get(line.line_id, 0), line.quantity - units)
        worth += share_of_units(line.paid, line.quantity, before, units, f.snapshot.currency)
    return worth
