"""The parcel back: without a tracking number the return expires, and a late one reopens it (RET-10)."""

from datetime import timedelta

from models.case import ReturnStage as Stage
from models.case import Who
from models.partners import Recipient
from workflows.engine.case import Note
from workflows.engine.pieces import after_days, just, notify, wait
from workflows.engine.plan import Plan
from workflows.returns.effects import Expire
from workflows.returns.ending import ended
from workflows.returns.facts import ReturnFacts


def awaiting_tracking(f: ReturnFacts) -> Plan:
    """The buyer is reminded to send the goods."""
    since, due = f.rma_given_at, f.tracking_due
    assert since is not None, "the RMA is given"
    assert due is not None, "the RMA is given"
    what, timer = (
        "send the goods and enter the tracking number",
        f"{f.seller.tracking_days} days for the tracking number",
    )
    waiting = wait(Stage.AWAITING_TRACKING, Who.BUYER, what, since, due, timer)
    reminders = f.seller.tracking_reminder_days
    for number, days in enumerate(reminders, start=1):
        said = Note(key=f"note:tracking-{days}", what="the buyer is reminded of the tracking number")
        mail = notify(
            f"tracking-{days}",
            "tracking_reminder",
            Recipient.BUYER,
            lines=f.mail_lines,
            rma_number=f.rma_number,
            return_address=f.return_address,
            label_url=f.approval.label_url if f.approval else None,
            due=due,
            reminder=number,
            reminders=len(reminders),
        )
        waiting += after_days(f, since, days, "Reminder: tracking number", said, mail)
    return waiting


def expired(f: ReturnFacts) -> Plan:
    """Without refund, and nothing is due; a tracking number added later reopens it."""
    missed = f.tracking_due
    assert missed is not None, "it has expired"
    until = missed + timedelta(days=f.seller.reopen_days)
    told = just(
        Expire(key=f"expired:{missed.isoformat()}", missed=missed),
        notify(
            f"expired-{missed.date()}",
            "return_expired",
            Recipient.SELLER,
            lines=f.mail_lines,
            rma_number=f.rma_number,
            due=missed,
            until=until,
        ),
        notify(
            f"expired-buyer-{missed.date()}",
            "return_expired_buyer",
            Recipient.BUYER,
            lines=f.mail_lines,
            due=missed,
            until=until,
        ),
    )
    if f.now >= until:
        return told + ended(f, Stage.EXPIRED, "expired: no tracking number, no refund")
    what = "add the tracking number to reopen the return"
    return told + wait(Stage.EXPIRED, Who.BUYER, what, missed, until, "Last day to reopen the return")


def open_again(f: ReturnFacts) -> Plan:
    """It had expired, and goes on: the seller is told."""
    if not f.expiries:
        return Plan()
    missed = f.expiries[-1].missed.isoformat()
    again = notify(
        f"reopened-{missed}",
        "return_reopened",
        Recipient.SELLER,
        carrier=f.tracking.carrier if f.tracking else None,
        tracking_number=f.tracking.tracking_number if f.tracking else None,
    )
    return just(Note(key=f"note:reopened-{missed}", what="reopened"), again)
