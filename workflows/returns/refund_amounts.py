"""How much the buyer gets back (RET-14, REF-3, REF-4)."""

from decimal import Decimal

from models.failures import RefusedByRule
from models.money import Amount, require_whole, share_of_units
from models.returns import BuyerRefund, OpenedReturn
from workflows.returns.facts import ReturnFacts


def refund_amount(f: ReturnFacts, click: BuyerRefund | None) -> Amount:
    """What a click, or without one the seller's setting, asks for, in the currency that the buyer paid.

    Raises RefusedByRule when that can't be (RET-14, RET-18, REF-3, REF-4).
    """
    require_not_refunded_by_channel(f)
    if click is not None and click.amount is not None:
        try:
            require_whole(click.amount, f.snapshot.currency, "amount")
        except ValueError as error:
            raise RefusedByRule("REF-3", str(error)) from None
        return click.amount
    named = {line.sku: line.quantity for line in (click.lines if click else None) or ()}
    failed_afterwards = f.buyer_owed
    if failed_afterwards and not named:
        return sum((one.amount for one in failed_afterwards), Decimal(0))
    if click is None and not f.returnless:
        named = {line.sku: f.accepted_units(line) for line in f.snapshot.lines}
    worth = _worth_of_units(f.snapshot, named)
    fees_due = Decimal(0) if f.buyer_refunds or failed_afterwards else f.fees
    amount = min(worth - fees_due, f.snapshot.paid - f.fees - f.refunded)
    if amount <= 0:
        taken = f"fees of {f.fees} and refunds of {f.refunded} {f.snapshot.currency}"
        raise RefusedByRule("REF-4", f"after {taken} nothing is left to refund; give an amount")
    return amount


def require_not_refunded_by_channel(f: ReturnFacts) -> None:
    """Raises RefusedByRule when the marketplace refunded the buyer by itself (RET-18)."""
    if f.refunded_by_channel:
        raise RefusedByRule("RET-18", "the marketplace refunded the buyer already")


def _worth_of_units(opened: OpenedReturn, named: dict[str, int]) -> Decimal:
    """What the buyer paid for these units; for all of them when none are named."""
    worth = Decimal(0)
    for line in opened.lines:
        units = named.get(line.sku, 0) if named else line.quantity
        if units > line.quantity:
            raise RefusedByRule("RET-14", f"{units} of {line.sku}: the return has {line.quantity}")
        worth += share_of_units(line.paid, line.quantity, 0, units, opened.currency)
    if unknown := set(named) - {line.sku for line in opened.lines}:
        raise RefusedByRule("RET-14", f"the return has no line {', '.join(sorted(unknown))}")
    return worth
