"""The seller refunds the buyer: by a person's click, or by a setting of the seller (RET-14, REF-1)."""

from datetime import datetime, timedelta
from decimal import Decimal

from models.case import ReturnStage as Stage
from models.case import Who
from models.failures import RefusedByRule
from models.partners import Recipient
from models.refunds import BY_SETTING
from models.returns import BuyerRefund
from workflows.engine.case import Note, SendMail
from workflows.engine.pieces import after_days, alert, just, notify, wait
from workflows.engine.plan import Plan
from workflows.refunds.attempts import BUYER, RefundAttempt, ToldRefund
from workflows.refunds.attempts import told as refunds_told
from workflows.returns.effects import RefuseAutomaticRefund, RefuseClick, SettleWithoutRefund
from workflows.returns.facts import ReturnFacts
from workflows.returns.refund_amounts import is_computed, refund_amount, refunded_units
from workflows.returns.refund_requests import asked_again, make_refund, refund_under_way, under_next_id
from workflows.returns.replacement import replacement_said
from workflows.returns.settled import accepts_nothing


def refund_under_way_or_renumbered(f: ReturnFacts) -> Plan:
    """The one that was asked for is waited for; if its id is another request's, it takes the next one."""
    if (renumbered := under_next_id(f, BUYER)) is not None:
        return just(renumbered)
    waiting = Plan()
    for one in f.buyer_attempts:
        if one.is_under_way:
            waiting += refund_under_way(Stage.REFUNDING_BUYER, one)
    return waiting


def clicked(f: ReturnFacts, click: BuyerRefund) -> Plan:
    """REF-4: a rule may refuse it when its turn comes. While a refund is in doubt, a click asks for that again."""
    if (in_doubt := f.buyer_refund_in_doubt) is not None and not f.refunded_by_channel:
        return asked_again(f, in_doubt, asked_by=click.event_id)
    try:
        amount = refund_amount(f, click)
    except RefusedByRule as no:
        refuse = RefuseClick(key=f"click:{click.event_id}", event_id=click.event_id, reason=str(no))
        return just(refuse, _failed_mail(click.event_id, str(no)))
    lines, computed = refunded_units(f, click), is_computed(f, click)
    who, event_id = click.actor, click.event_id
    return just(
        make_refund(f, BUYER, amount, click.reason, who, lines=lines, less_moved=computed, asked_by=event_id),
    )


def automatic(f: ReturnFacts) -> Plan:
    """REF-1: the seller's setting stands for the click."""
    try:
        amount = refund_amount(f, None)
    except RefusedByRule as no:
        refuse = RefuseAutomaticRefund(key="refuse-automatic-refund", reason=str(no))
        return just(refuse, _failed_mail("automatic", str(no)))
    reason = f"return {f.return_id} accepted"
    lines, computed = refunded_units(f, None), is_computed(f, None)
    return just(make_refund(f, BUYER, amount, reason, BY_SETTING, lines=lines, less_moved=computed))


def nothing_left(f: ReturnFacts) -> Plan:
    """REF-4, ORD-15: there is nothing to click for."""
    what = f"the fees take all of it: {f.fees} {f.snapshot.currency}; nothing is refunded"
    if not f.snapshot.paid:
        what = "the buyer paid nothing for it: nothing is refunded to the buyer (ORD-15)"
    return just(SettleWithoutRefund(key="settle-without-refund", what=what))


def awaiting_click(f: ReturnFacts) -> Plan:
    """A person reviews, and refunds or declines; the seller is reminded, then staff are told (REF-1, RET-27)."""
    if (in_doubt := f.buyer_refund_in_doubt) is not None:
        return _in_doubt(f, in_doubt)
    since, about = _waiting_since(f)
    waiting = wait(Stage.AWAITING_BUYER_REFUND, Who.SELLER, "review, and click to refund the buyer", since)
    reminders = f.seller.buyer_refund_reminder_days
    for number, days in enumerate(reminders, start=1):
        key = f"buyer-refund-{days}{about}"
        said = Note(key=f"note:{key}", what="the seller is reminded to refund the buyer")
        mail = notify(
            key,
            "buyer_refund_needed",
            Recipient.SELLER,
            lines=f.mail_lines,
            rma_number=f.rma_number,
            amount=_suggested(f),
            currency=f.snapshot.currency,
            paid=f.snapshot.paid,
            fees=f.fees or None,
            since=since,
            reminder=number,
            reminders=len(reminders),
        )
        waiting += after_days(f, since, days, "Reminder: refund the buyer", said, mail)
    return waiting + _staff_told(f, since, about)


def _waiting_since(f: ReturnFacts) -> tuple[datetime, str]:
    """Since there was something to decide, and about what: reminders count from the last of these moments."""
    begun = f.on_its_way_at or f.approved_at or f.now
    moments = [(one.at, f"-{one.refund_id}") for one in f.buyer_owed]
    if f.nothing_accepted_at is not None and accepts_nothing(f):
        moments.append((f.nothing_accepted_at, f"-{f.receipts[-1].event_id}" if f.receipts else "-rejected"))
    return max([(begun, ""), *moments])


def _staff_told(f: ReturnFacts, since: datetime, about: str) -> Plan:
    """RET-27: a return that nobody decides is never silent for long; of what was missed only the last is told."""
    days = f.seller.buyer_refund_staff_days
    times = (f.now - since) // timedelta(days=days)
    later = Plan(wake_at=since + timedelta(days=days * (times + 1)), timer="Staff are told: the buyer waits")
    if times < 1:
        return later
    goods = "the goods are rejected, and " if f.nothing_accepted_at is not None and accepts_nothing(f) else ""
    what = f"{goods}the seller has neither refunded the buyer nor declined for {days * times} days"
    return later + just(alert(f, f"buyer-waits-{days * times}{about}", what, Who.SELLER))


def declined(f: ReturnFacts) -> Plan:
    """RET-27: the buyer is told why it gets no money."""
    if f.declined is None:
        return Plan()
    mail = notify(
        "refund-declined",
        "refund_declined",
        Recipient.BUYER,
        lines=f.mail_lines,
        kind=f.declined.kind.value,
        reason=f.declined.reason,
    )
    return just(mail)


def _in_doubt(f: ReturnFacts, refund: RefundAttempt) -> Plan:
    """REF-11: nothing is completed before it is known. Where the marketplace refunded too, nobody may click."""
    if f.refunded_by_channel:
        what = f"find out what became of refund {refund.refund_id}, which is in doubt"
        return wait(Stage.AWAITING_BUYER_REFUND, Who.STAFF, what, refund.at)
    what = f"refund {refund.refund_id} is in doubt: click again to have it looked for, and made if it was not"
    return wait(Stage.AWAITING_BUYER_REFUND, Who.SELLER, what, refund.at)


def buyer_told(f: ReturnFacts) -> Plan:
    """The buyer of the money, the seller of what went wrong with it, staff of money in doubt."""
    told = _accepted_otherwise(f)
    for made in refunds_told(f.buyer_attempts):
        told += just(_refunded_mail(f, made))
    for one in f.buyer_attempts:
        if one.state == "in_doubt" and not one.awaited:
            what = f"refund {one.refund_id} is in doubt, and may have been made ({one.reason})"
            key = f"{one.refund_id}-{one.tries}"
            told += just(_failed_mail(key, what, one), alert(f, f"in-doubt-{key}", what, Who.STAFF))
        elif one.state in ("failed", "refused") and not one.asked_anew:
            told += just(_failed_mail(f"{one.refund_id}-{one.tries}", one.reason, one))
    return told


def _accepted_otherwise(f: ReturnFacts) -> Plan:
    """RET-26: what was refunded by itself was for the units that were accepted then; a person settles the rest."""
    refunds = [one for one in f.buyer_refunds if one.automatic]
    if f.said_after_buyer_refund is None or not refunds or not f.inspected or f.returnless:
        return Plan()
    accepted = sum(f.accepted_units(line) for line in f.snapshot.lines)
    refunded = sum(line.quantity for one in refunds for line in one.lines)
    if accepted == refunded:
        return Plan()
    what = f"{accepted} units are accepted by now, the buyer was refunded for {refunded}: settle it with the buyer"
    return just(alert(f, f"accepted-otherwise-{f.said_after_buyer_refund}", what, Who.SELLER))


def _suggested(f: ReturnFacts) -> Decimal | None:
    """What a click without an amount would refund; none: it must name one."""
    try:
        return refund_amount(f, None)
    except RefusedByRule:
        return None


def _refunded_mail(f: ReturnFacts, refund: ToldRefund) -> SendMail:
    """BAL-3: it promises no date on which the money arrives. Of parts the sum is told."""
    key, currency = f"refunded-{refund.told_as}", refund.currency
    left = f.snapshot.paid - f.fees - refund.amount
    otherwise = any(one.moved_otherwise for one in f.buyer_refunds)
    accounted = refund.is_whole and left >= 0 and not otherwise
    if f.returnless:
        return notify(
            key,
            "returnless_refund",
            Recipient.BUYER,
            lines=f.mail_lines,
            amount=refund.amount,
            currency=currency,
            never_arrived="yes" if f.never_arrived else None,
        )
    return notify(
        key,
        "buyer_refunded",
        Recipient.BUYER,
        lines=f.mail_lines,
        amount=refund.amount,
        currency=currency,
        refund_id=refund.refund_ids,
        paid=f.snapshot.paid if accounted else None,
        fees=f.fees or None,
        less=left if accounted and left > 0 else None,
    )


def _failed_mail(key: str, reason: str, refund: RefundAttempt | None = None) -> SendMail:
    return notify(
        f"refund-failed-{key}",
        "refund_failed",
        Recipient.SELLER,
        reason=reason,
        amount=refund.amount if refund else None,
        currency=refund.currency if refund else None,
        refund_id=refund.refund_id if refund else None,
        direction=BUYER.value,
    )


def buyer_results(f: ReturnFacts) -> list[str]:
    """What became of the buyer's refunds, in words."""
    results = []
    for one in f.buyer_attempts:
        if one.state == "succeeded":
            results.append(f"buyer refunded {one.amount} {one.currency}")
        elif one.state == "failed_afterwards":
            results.append(f"refund {one.refund_id} failed afterwards")
        elif one.state == "in_doubt":
            results.append(f"refund {one.refund_id} is in doubt")
    if f.fees_took_all_at is not None:
        free = not f.snapshot.paid
        results.append("the buyer had paid nothing" if free else "nothing is left for the buyer after the fees")
    if f.declined is not None:
        results.append(f"buyer not refunded: {f.declined.kind.value.replace('_', ' ')} ({f.declined.reason})")
    if (replaced := replacement_said(f)) is not None:
        results.append(f"replaced: {replaced}")
    return results + ["buyer refunded by the marketplace" for _ in f.channel_passed]
