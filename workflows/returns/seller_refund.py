"""The broker refunds the seller (RET-13)."""

from datetime import timedelta

from models.case import ReturnStage as Stage
from models.case import Who
from models.partners import Recipient
from workflows.engine.pieces import alert, just, notify, wait
from workflows.engine.plan import Plan
from workflows.refunds.attempts import SELLER, RefundAttempt
from workflows.refunds.attempts import told as refunds_told
from workflows.returns.facts import ReturnFacts
from workflows.returns.refund_requests import asked_again, make_refund, refund_under_way, under_next_id
from workflows.returns.settled import (
    accepts_nothing,
    last_word,
    seller_difference,
    seller_due,
    seller_given,
    to_make_again,
)

BY_BROKER = "broker:backhaul"


def first_refund(f: ReturnFacts) -> Plan:
    """What the supplier accepted, or what is waived to be accepted: parts and tax."""
    return just(make_refund(f, SELLER, seller_due(f), f"return {f.return_id}", BY_BROKER))


def refund_until_made(f: ReturnFacts) -> Plan:
    """REF-7: one that failed, then or afterwards, is made again under a new id, one in doubt is asked for again
    under its own. One that was refused is left to staff."""
    if (renumbered := under_next_id(f, SELLER)) is not None:
        return just(renumbered)
    tried = f.seller_attempts
    if under_way := [one for one in tried if one.is_under_way]:
        return sum((refund_under_way(Stage.REFUNDING_SELLER, one) for one in under_way), Plan())
    last = next((one for one in tried if one.state == "in_doubt"), last_word(f))
    if last.state in ("succeeded", "refused"):
        return difference(f)
    amount = to_make_again(f, last)
    if last.state != "in_doubt" and not amount:
        return Plan()
    again_at = last.at + timedelta(days=f.seller.refund_retry_days)
    if f.now < again_at:
        timer = "Try the seller's refund again"
        return wait(Stage.REFUNDING_SELLER, Who.STAFF, _what_to_mend(last), last.at, again_at, timer)
    if last.state == "in_doubt":
        return asked_again(f, last)
    return just(make_refund(f, SELLER, amount, f"return {f.return_id}", BY_BROKER))


def difference(f: ReturnFacts) -> Plan:
    """RET-26, RET-28: a later word made it more: another refund. It made it less: a person settles that."""
    amount, currency = seller_difference(f), f.snapshot.charge_currency
    if amount > 0:
        return just(make_refund(f, SELLER, amount, f"return {f.return_id}, more is accepted", BY_BROKER))
    if amount == 0:
        return Plan()
    what = (
        f"the seller was refunded {seller_given(f)} {currency}, and by what was said since only "
        f"{seller_due(f)} is due: settle {-amount} {currency} with the seller"
    )
    return just(alert(f, f"seller-overpaid-{f.said_after_refund}", what, Who.STAFF))


def _what_to_mend(last: RefundAttempt) -> str:
    if last.state == "in_doubt":
        return f"find out what became of refund {last.refund_id}, which is in doubt; then it is asked for again"
    return "mend the seller's payment method; then the refund is tried again"


def seller_told(f: ReturnFacts) -> Plan:
    """The seller of its money, staff of what went wrong with it."""
    told = Plan()
    for made in refunds_told(f.seller_attempts):
        less = f.snapshot.cost - seller_given(f)
        mail = notify(
            f"seller-refunded-{made.told_as}",
            "seller_refunded",
            Recipient.SELLER,
            lines=f.mail_lines,
            amount=made.amount,
            currency=made.currency,
            refund_id=made.refund_ids,
            cost=f.snapshot.cost,
            less=less if less > 0 else None,
        )
        told += just(mail)
    for one in f.seller_attempts:
        if one.state in ("failed", "refused", "in_doubt") and not (one.asked_anew or one.awaited):
            became = "is in doubt" if one.state == "in_doubt" else "did not succeed"
            what = f"the seller's refund {one.refund_id} {became}: {one.reason}"
            told += just(alert(f, f"{one.refund_id}-{one.tries}", what, Who.STAFF))
    return told


def seller_results(f: ReturnFacts) -> list[str]:
    """What became of the seller's refund, in words."""
    if f.nothing_accepted_at is not None and not f.seller_attempts:
        return ["the supplier accepted nothing" if accepts_nothing(f) else "nothing was due to the seller"]
    results = []
    for one in f.seller_attempts:
        if one.state == "succeeded":
            results.append(f"seller refunded {one.amount} {one.currency}")
        elif one.state == "refused" and not one.asked_anew:
            results.append(f"seller not refunded here: {one.reason}")
        elif one.state == "failed_afterwards":
            results.append(f"refund {one.refund_id} failed afterwards")
        elif one.state == "in_doubt":
            results.append(f"refund {one.refund_id} is in doubt")
    return results
