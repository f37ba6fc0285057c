"""When seller and buyer have what they get, and what differs since money moved (RET-13, RET-14, RET-26, RET-27).
Pure."""

from decimal import Decimal

from models.gateway_limits import movable
from models.money import share_of_units
from models.parties import FinalCredit
from models.returns import Waivable
from workflows.refunds.attempts import RefundAttempt
from workflows.returns.facts import ReturnFacts
from workflows.returns.replaced import is_awaited, is_for_all, is_wanted

# ---- the supplier ----


def accepts_nothing(f: ReturnFacts) -> bool:
    """Nothing of it is accepted; what is accepted may have cost the seller nothing all the same (ORD-15)."""
    return not any(f.accepted_units(line) for line in f.snapshot.lines)


def expected_credit(f: ReturnFacts) -> Decimal:
    """Parts + tax of the accepted units, in the charge's currency."""
    currency = f.snapshot.charge_currency
    worth = (
        share_of_units(line.cost, line.quantity, 0, f.accepted_units(line), currency) for line in f.snapshot.lines
    )
    return sum(worth, Decimal(0))


def credit_required(f: ReturnFacts) -> bool:
    """The supplier must credit more, and neither staff nor the seller's setting do without (RET-12, RET-13)."""
    settled = Waivable.CREDIT_MEMO in f.waived or f.broker_pays or f.credit_is_final
    return not settled and f.credited < expected_credit(f)


# ---- the seller ----


def seller_settled(f: ReturnFacts) -> bool:
    """The seller has what it gets; or nothing is due to it; or its refund is left to staff."""
    tried = f.seller_attempts
    if any(one.is_under_way or one.state == "in_doubt" for one in tried):
        return False
    if not tried:
        return f.nothing_accepted_at is not None
    last = last_word(f)
    if last.state == "refused":
        return not last.asked_anew
    return not to_make_again(f, last) and seller_difference(f) <= 0 and not undecided_since(f)


def last_word(f: ReturnFacts) -> RefundAttempt:
    """The seller's refund that says how it stands: the last one; of parts one that failed while others did not."""
    last = f.seller_attempts[-1]
    failed = [one for one in _failed_with(f, last) if one.state == "failed"]
    return failed[-1] if failed and last.state != "failed_afterwards" else last


def _failed_with(f: ReturnFacts, last: RefundAttempt) -> list[RefundAttempt]:
    """This one, or all parts of the same refund: those that failed, and were not made again since."""
    return [
        one
        for one in f.seller_attempts
        if one.told_as == last.told_as and one.state in ("failed", "failed_afterwards") and not one.made_again
    ]


def seller_due(f: ReturnFacts) -> Decimal:
    """What the seller gets in all, in the charge's currency: what was accepted, or only what was credited when no
    more comes (RET-28)."""
    agreed = f.seller.final_credit is FinalCredit.AGREED or Waivable.CREDIT_MEMO in f.waived
    due = expected_credit(f) if agreed or not f.credit_is_final else min(f.credited, expected_credit(f))
    return movable(due, f.snapshot.charge_gateway, f.snapshot.charge_currency)


def seller_given(f: ReturnFacts) -> Decimal:
    """What was refunded to the seller, or may have been."""
    return sum((one.amount for one in f.seller_attempts if one.may_have_moved_money), Decimal(0))


def undecided_since(f: ReturnFacts) -> bool:
    """Since the seller was refunded it was said of some units that a person must decide about them (RET-26)."""
    tried = f.seller_attempts
    if f.said_after_refund is None or not tried or tried[-1].state != "succeeded":
        return False
    return bool(f.undecided) and f.inspection_required


def seller_difference(f: ReturnFacts) -> Decimal:
    """What a later word made different, once the seller was refunded: more is due to it, or (below zero) less than
    it got (RET-26, RET-28). Nothing before all is said."""
    tried = f.seller_attempts
    if f.said_after_refund is None or not tried or tried[-1].state != "succeeded" or f.inspection_required:
        return Decimal(0)
    return seller_due(f) - seller_given(f)


def to_make_again(f: ReturnFacts, last: RefundAttempt) -> Decimal:
    """How much of a refund that failed is made again (REF-7): what is due by all that was said since (RET-26)."""
    if last.state not in ("failed", "failed_afterwards"):
        return Decimal(0)
    if f.said_after_refund is None or f.inspection_required:
        return sum((one.amount for one in _failed_with(f, last)), Decimal(0))
    return max(seller_due(f) - seller_given(f), Decimal(0))


# ---- the buyer ----


def buyer_settled(f: ReturnFacts) -> bool:
    """The buyer has what it gets, or gets nothing, and no money of it is in doubt."""
    in_doubt = any(one.state == "in_doubt" for one in f.buyer_attempts)
    return has_its_share(f) and not in_doubt and not is_awaited(f)


def has_its_share(f: ReturnFacts) -> bool:
    """Nobody needs to refund the buyer any more; a replacement may still be on its way (RET-24)."""
    if f.channel_passed or f.fees_took_all_at is not None or f.declined is not None:
        return True
    return (bool(f.buyer_refunds) or is_for_all(f)) and not f.buyer_owed


def fees_take_all(f: ReturnFacts) -> bool:
    """Nothing is left after the fees; or nothing was paid for it (ORD-15)."""
    return not f.buyer_attempts and not f.refunded_by_channel and f.fees >= f.snapshot.paid


def wants_automatic_refund(f: ReturnFacts) -> bool:
    """REF-1: the seller automated the review; it needs the goods accepted, or nothing to come back. What was to be
    replaced is a person's business, also when the replacement came to nothing (RET-24)."""
    accepted = f.inspected and any(f.accepted_units(line) for line in f.snapshot.lines)
    tried = f.automatic_refund_refused or any(
        one.state in ("failed_afterwards", "in_doubt")
        or (one.automatic and one.state in ("failed", "refused") and not one.asked_anew)
        for one in f.buyer_attempts
    )
    wanted = f.seller.auto_refund_buyer and (f.returnless or accepted) and not is_wanted(f)
    return wanted and not (tried or buyer_settled(f) or f.refunded_by_channel)
