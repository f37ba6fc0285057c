"""The supplier authorizes the return by a number, or refuses (RET-3, RET-7..9)."""

from datetime import datetime, timedelta

from models.case import ReturnStage as Stage
from models.case import Who
from models.parties import RmaMethod
from models.partners import Recipient
from workflows.engine.case import Effect, Note
from workflows.engine.pieces import after_days, alert, at, just, notify, wait
from workflows.engine.plan import Plan
from workflows.returns.effects import AnnounceRma, RequestRma
from workflows.returns.ending import ended
from workflows.returns.facts import ReturnFacts

SERVICE = "rma-service"


def awaiting_rma(f: ReturnFacts) -> Plan:
    """RET-8: from the web service, by the link of an e-mail, or typed by staff. No answer: reminders, an alert."""
    assert f.approved_at is not None, "it is approved"
    assert f.rma_due is not None, "it is approved, and comes back"
    if f.supplier.rma is RmaMethod.SERVICE and not f.is_answered(SERVICE):
        request = RequestRma(key=SERVICE)
        return just(request) + wait(Stage.AWAITING_RMA, Who.SUPPLIER, request.summary, f.approved_at)
    who = Who.STAFF if f.supplier.rma is RmaMethod.MANUAL else Who.SUPPLIER
    what, timer = "issue the RMA number, or refuse", "Reminder: RMA number"
    waiting = wait(Stage.AWAITING_RMA, who, what, f.approved_at, f.rma_due) + _rma_requested(f)
    for number, days in enumerate(f.supplier.rma_reminder_days, start=1):
        waiting += after_days(f, f.approved_at, days, timer, *_reminder(f, number, days))
    late = Note(key="note:rma-overdue", what="no RMA number in time: staff are alerted")
    told = alert(f, "rma-overdue", f"no RMA number for return {f.return_id}", Who.STAFF)
    return waiting + at(f, f.rma_due, timer, late, told)


def _rma_requested(f: ReturnFacts) -> Plan:
    match f.supplier.rma:
        case RmaMethod.EMAIL:
            request = notify("rma-request", "rma_request", Recipient.SUPPLIER, lines=f.mail_lines, due=f.rma_due)
            return just(request)
        case RmaMethod.MANUAL:
            return just(alert(f, "rma", f"type the RMA number of return {f.return_id}", Who.STAFF))
    return Plan()


def _reminder(f: ReturnFacts, number: int, days: int) -> tuple[Effect, ...]:
    said = Note(key=f"note:rma-{days}", what="the supplier is reminded of the RMA number")
    if f.supplier.rma is RmaMethod.EMAIL:
        mail = notify(
            f"rma-{days}",
            "rma_reminder",
            Recipient.SUPPLIER,
            lines=f.mail_lines,
            since=f.approved_at,
            due=f.rma_due,
            reminder=number,
            reminders=len(f.supplier.rma_reminder_days),
        )
        return said, mail
    return said, alert(f, f"rma-{days}", f"no RMA number from {f.supplier.supplier_id} yet", Who.SUPPLIER)


def appeal_until(f: ReturnFacts) -> datetime | None:
    """The supplier refused: until when people may find a way."""
    if f.rma is None or f.rma.outcome != "refused" or f.rma_given_at or not f.approved_at:
        return None
    return max(f.rma_at or f.approved_at, f.approved_at) + timedelta(days=f.supplier.rma_days)


def rma_refused(f: ReturnFacts, until: datetime) -> Plan:
    """RET-8: people may find a way; else the return ends, and the buyer is told."""
    assert f.rma is not None, "there is a refusal"
    reason, key = f.rma.reason, f"rma-refused-{f.rma.event_id}"
    told = just(
        notify(key, "rma_refused", Recipient.SELLER, lines=f.mail_lines, reason=reason, until=until),
        alert(f, key, f"the supplier refuses: {reason}", Who.STAFF),
    )
    if f.now >= until:
        # The supplier's own words stay inside: the buyer knows only the seller (ORD-9).
        why = "the item can't be taken back"
        buyer = just(notify("rejected", "return_rejected", Recipient.BUYER, lines=f.mail_lines, reason=why))
        return told + buyer + ended(f, Stage.REFUSED_BY_SUPPLIER, f"refused by the supplier: {reason}")
    what = f"get an RMA number after all, or waive it (refused: {reason})"
    since, timer = f.rma_at or f.now, "Last day to get an RMA number after all"
    return told + wait(Stage.RMA_REFUSED, Who.STAFF, what, since, until, timer)


def rma_announced(f: ReturnFacts) -> Plan:
    """RET-9: the buyer gets number and address, the seller the supplier's number; both are frozen now."""
    number = f.rma_number or f.return_id
    return _no_rma_needed(f, number) + just(
        AnnounceRma(key="announce-rma"),
        notify(
            "rma-buyer",
            "rma_for_buyer",
            Recipient.BUYER,
            lines=f.mail_lines,
            rma_number=number,
            return_address=f.return_address,
            due=f.tracking_due,
            fees=f.fees or None,
            currency=f.snapshot.currency,
            label_url=f.approval.label_url if f.approval else None,
            label_paid_by=f.approval.label_paid_by if f.approval else None,
            carrier=f.approval.carrier if f.approval else None,
        ),
        notify(
            "rma-seller",
            "rma_for_seller",
            Recipient.SELLER,
            lines=f.mail_lines,
            rma_number=number,
            return_address=f.return_address,
            due=f.tracking_due,
        ),
    )


def _no_rma_needed(f: ReturnFacts, number: str) -> Plan:
    """RET-7: the number of the order that the broker sent is the RMA number, and the supplier is told."""
    if f.rma_number is None or f.rma is not None:
        return Plan()
    what = f"the supplier needs no RMA: its order number {number} is the RMA number"
    return just(
        Note(key="note:no-rma", what=what),
        notify(
            "announced",
            "return_announced",
            Recipient.SUPPLIER,
            lines=f.mail_lines,
            rma_number=number,
            return_address=f.return_address,
        ),
    )
