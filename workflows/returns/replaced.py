"""Which units the buyer gets another one of, in place of its money (RET-24). Pure."""

from decimal import Decimal

from models.failures import RefusedByRule
from models.money import share_of_units
from models.parties import ReplacementSent
from models.returns import OpenedLine, Resolution, Waivable
from workflows.returns.effects import CancelReplacement
from workflows.returns.facts import ReturnFacts
from workflows.returns.records import Replacement


def is_wanted(f: ReturnFacts) -> bool:
    """The seller approved it so."""
    approval = f.approval
    return f.approved_at is not None and approval is not None and approval.resolution is Resolution.REPLACEMENT


def is_given_up(f: ReturnFacts) -> bool:
    """Nothing more of it shall be sent: the buyer has its money otherwise, or gets neither."""
    wished = f.declined is not None or f.withdrawal is not None or f.refunded_by_channel
    return wished or Waivable.REPLACEMENT in f.waived or CancelReplacement.KEY in f.done


def is_received(f: ReturnFacts) -> bool:
    """What comes back has arrived; or is on its way, and staff do without its inspection."""
    waived = Waivable.INSPECTION in f.waived or Waivable.CREDIT_MEMO in f.waived
    return f.inspected or f.credits_done_at is not None or (waived and f.on_its_way_at is not None)


def is_due(f: ReturnFacts) -> bool:
    """It is sent now: at once, or when the goods are back, by the seller's setting."""
    if not is_wanted(f) or is_given_up(f) or f.replacement is not None or f.stopped_at is not None:
        return False
    at_once = f.returnless or f.seller.replacement_sent is ReplacementSent.AT_ONCE
    return bool(at_once or is_received(f)) and any(units_to_send(f, line) for line in f.snapshot.lines)


def units_to_send(f: ReturnFacts, line: OpenedLine) -> int:
    """All of them at once; or those that were accepted."""
    if f.returnless or f.seller.replacement_sent is ReplacementSent.AT_ONCE:
        return line.quantity
    return f.accepted_units(line)


# ---- the replacement's order ----


def may_ship(one: Replacement) -> bool:
    """Some of it is neither sent nor known to come to nothing."""
    return one.open > 0 and not one.is_over


def units_of(f: ReturnFacts, line: OpenedLine) -> int:
    """Units of a line that the buyer gets, or may get, another one of: no money is refunded for them."""
    if not is_wanted(f):
        return 0
    one = f.replacement
    if one is None:
        if is_given_up(f) or f.stopped_at is not None:
            return 0
        awaits_goods = not (f.returnless or is_received(f))
        return line.quantity if awaits_goods else units_to_send(f, line)
    counts = one.counts_of(line.line_id)
    if counts is None:
        return 0
    may_come = counts.open if not one.is_over else 0
    return counts.shipped + may_come


def is_awaited(f: ReturnFacts) -> bool:
    """It is not known yet what becomes of it."""
    one = f.replacement
    if one is not None:
        return may_ship(one) and not (is_given_up(f) and one.cancel_refused)
    return any(units_of(f, line) for line in f.snapshot.lines)


def is_for_all(f: ReturnFacts) -> bool:
    """Nothing is left that money could be refunded for."""
    return is_wanted(f) and all(units_of(f, line) >= line.quantity for line in f.snapshot.lines)


def sent_units(f: ReturnFacts) -> int:
    return sum(one.shipped for one in f.replacement.lines) if f.replacement is not None else 0


# ---- money beside it ----


def refundable_units(f: ReturnFacts) -> dict[str, int]:
    """By `line_id`, units that no replacement stands for."""
    return {line.line_id: line.quantity - units_of(f, line) for line in f.snapshot.lines}


def most_refundable(f: ReturnFacts) -> Decimal:
    """What the buyer paid for them."""
    units = refundable_units(f)
    worth = (
        share_of_units(line.paid, line.quantity, 0, units[line.line_id], f.snapshot.currency)
        for line in f.snapshot.lines
    )
    return sum(worth, Decimal(0))


def require_not_replaced(f: ReturnFacts, named: dict[str, int], amount: Decimal | None) -> None:
    """Raises RefusedByRule when money is asked for what is replaced: units by name, or an amount beyond what the
    others are worth."""
    if not is_wanted(f):
        return
    left = refundable_units(f)
    of = f"order {f.replacement.replacement_id}" if f.replacement is not None else "a replacement"
    if not any(left.values()):
        raise RefusedByRule("RET-24", f"{of} replaces it: the buyer's money is not refunded as well")
    for line in f.snapshot.lines:
        if named.get(line.line_id, 0) > left[line.line_id]:
            replaced = line.quantity - left[line.line_id]
            why = f"{replaced} of {line.sku} are replaced by {of}: money is refunded for the others only"
            raise RefusedByRule("RET-24", why)
    most = most_refundable(f) - f.refunded
    if amount is not None and amount > most:
        why = f"{of} replaces the rest: at most {most} {f.snapshot.currency} can be refunded"
        raise RefusedByRule("RET-24", why)
