"""The seller approves or rejects (RET-4, RET-5)."""

from models import ids
from models.case import ReturnStage as Stage
from models.case import Who
from models.parties import Fulfilment
from models.partners import Recipient
from workflows.engine.case import Note
from workflows.engine.pieces import after_days, alert, at, just, notify, wait
from workflows.engine.plan import Plan
from workflows.returns import losses
from workflows.returns.ending import ended
from workflows.returns.facts import ReturnFacts
from workflows.returns.return_window import missed_window


def approval_requested(f: ReturnFacts) -> Plan:
    window = missed_window(f)
    mail = notify(
        "requested",
        "return_requested",
        Recipient.SELLER,
        lines=f.mail_lines,
        note=f.request.note,
        due=f.refund_due,
        window_until=window.until if window is not None else None,
    )
    return just(mail)


def awaiting_approval(f: ReturnFacts) -> Plan:
    """The seller is reminded; when the refund is due and nobody decided, staff are alerted."""
    what, timer = "approve or reject the return", "Reminder: approve or reject the return"
    waiting = wait(Stage.AWAITING_APPROVAL, Who.SELLER, what, f.opened_since, f.refund_due)
    reminders = f.seller.approval_reminder_days
    for number, days in enumerate(reminders, start=1):
        said = Note(key=f"note:approval-{days}", what="the seller is reminded to approve or reject")
        mail = notify(
            f"approval-{days}",
            "approval_reminder",
            Recipient.SELLER,
            lines=f.mail_lines,
            since=f.opened_since,
            due=f.refund_due,
            reminder=number,
            reminders=len(reminders),
        )
        waiting += after_days(f, f.created_at, days, timer, said, mail)
    late = f"return {f.return_id} is neither approved nor rejected"
    return waiting + at(f, f.refund_due, timer, alert(f, "approval", late, Who.SELLER))


def rejected(f: ReturnFacts) -> Plan:
    """RET-4: the buyer is told why."""
    reason = f.approval.reason if f.approval else ""
    told = just(notify("rejected", "return_rejected", Recipient.BUYER, lines=f.mail_lines, reason=reason))
    return told + ended(f, Stage.REJECTED, f"rejected by the seller: {reason}")


def approved(f: ReturnFacts) -> Plan:
    """RET-5, RET-23: nothing comes back; or RET-6: a matching return in the seller's account at the broker."""
    if f.returnless:
        return losses.noted(f)
    if f.supplier.fulfilment is not Fulfilment.BROKER:
        return Plan()
    what = f"return {ids.broker_return_number(f.return_id)} opened in the seller's account at the broker"
    return just(Note(key="note:broker-return", what=what))
