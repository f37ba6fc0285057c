"""What people and the database see of a return (NTF-3, RET-17)."""

from datetime import datetime
from typing import Any

from models import ids
from models.calls import SAVE_CASE, SAVE_RETURN, Call
from models.case import CaseRecord, Ended
from models.contract import CHANNEL, RETURN_ID, SUPPLIER_ID
from models.message import Message
from models.orphans import kept_request
from models.parties import Fulfilment
from models.records import KeptReturn, ReceptionRecord, SaveCase, SaveReturn
from workflows.engine.plan import Plan
from workflows.engine.procedure import CaseView
from workflows.returns import rails
from workflows.returns.buyer_refund import buyer_results
from workflows.returns.facts import ReturnFacts
from workflows.returns.losses import loss_of
from workflows.returns.opening_results import OF_THIS_RUN
from workflows.returns.receipts import groups_of
from workflows.returns.replacement import replacement_said
from workflows.returns.return_window import missed_window
from workflows.returns.seller_refund import seller_results
from workflows.returns.settled import seller_settled


def view(f: ReturnFacts, plan: Plan) -> CaseView:
    """A return that never opened is shown only when its opening had trouble: its id may be another's."""
    return CaseView(
        is_kept=f.opened is not None or f.opening_had_trouble,
        attributes=_attributes(f),
        deadlines=_deadlines(f),
        sla_state=f.sla_state,
        custody=rails.custody(f),
        money=rails.money(f),
        goods_said=rails.goods_said(f),
        money_said=rails.money_said(f),
        work=rails.work(f, plan),
        numbers=_numbers(f),
    )


def _attributes(f: ReturnFacts) -> dict[str, Any]:
    attributes: dict[str, Any] = {RETURN_ID.name: f.return_id}
    if f.opened is not None:
        attributes[SUPPLIER_ID.name] = f.opened.supplier.supplier_id
        attributes[CHANNEL.name] = f.opened.channel
    return attributes


def _numbers(f: ReturnFacts) -> tuple[str, ...]:
    """Every number by which it can be found (RET-17), each once, as it was typed."""
    request = f.request
    found = [request.amazon_rma_id, request.ebay_return_id]
    if f.opened is not None:
        found += [f.rma_number, _broker_return_number(f), f.opened.supplier_order_number]
    found += [one.tracking_number for one in f.parcels]
    found += [f.replacement.replacement_id] if f.replacement else []
    return tuple(dict.fromkeys(number for number in found if number))


def _deadlines(f: ReturnFacts) -> dict[str, datetime]:
    """Those that are still open: what is met is not due any more (NTF-6)."""
    if f.outcome is not None:
        return {}
    if f.opened is None:
        return dict(f.moved_deadlines)
    seller_is_served = f.returnless or seller_settled(f)
    found = {
        "refund_due": None if seller_is_served else f.refund_due,
        "rma_due": None if f.rma_given_at is not None else f.rma_due,
        "tracking_due": None if f.on_its_way_at is not None else f.tracking_due,
        "credit_due" if f.inspected else "inspection_due": (
            None if seller_is_served or f.seller_attempts else f.inspection_due
        ),
    }
    return {name: at for name, at in found.items() if at is not None}


def result(f: ReturnFacts) -> Ended:
    """What its workflow gives when it has ended."""
    return Ended(workflow_id=f.case_id, outcome=f.outcome or "", message=f.closing_message)


# ---- the query `status` ----


def facts_in_status(f: ReturnFacts) -> dict[str, Any]:
    """JSON, with the names of the contract."""
    opened = f.opened
    return {
        "return_id": f.return_id,
        "order_id": f.order_id,
        "orphan": kept_request(f.request).orphan_id if f.is_order_unknown else None,
        "source": f.request.source.value,
        "seller_id": f.seller_id,
        "supplier_id": f.supplier_id,
        "loss": loss.value if (loss := loss_of(f)) is not None else None,
        "supplier_order_number": opened.supplier_order_number if opened else None,
        "supplier_return_address": f.supplier.return_address if opened else None,
        "supplier_language": f.supplier.language if opened else None,
        "supplier_time_zone": f.supplier.time_zone if opened else None,
        "lines": [line.model_dump(mode="json") for line in opened.lines] if opened else [],
        "siblings": [sibling.return_id for sibling in opened.siblings] if opened else [],
        "amazon_rma_id": f.request.amazon_rma_id,
        "ebay_return_id": f.request.ebay_return_id,
        "window_until": opened.window.until.isoformat() if opened and opened.window else None,
        "outside_window": missed_window(f) is not None,
        "decision": f.approval.decision if f.approval else None,
        "decision_reason": f.approval.reason if f.approval else None,
        "broker_return_number": _broker_return_number(f) if opened else None,
        "rma_number": f.rma_number if opened else None,
        "return_address": f.return_address if opened else None,
        "tracking_number": f.tracking.tracking_number if f.tracking else None,
        "parcels": [one.model_dump(mode="json") for one in f.parcels],
        "waived": {what.value: one.reason for what, one in f.waived.items()},
        "receptions": [one.model_dump(mode="json") for one in _receptions(f)],
        "credit_memos": [
            memo.model_dump(mode="json", include={"number", "date", "amount", "currency", "final", "total"})
            for memo in f.booked_memos
        ],
        "credited": str(f.credited),
        "seller_refund": ("; ".join(seller_results(f)) or None) if opened else None,
        "resolution": f.approval.resolution.value if f.approval else None,
        "replacement_order": f.replacement.replacement_id if f.replacement else None,
        "replacement": replacement_said(f) if opened else None,
        "refunded_by_channel": f.refunded_by_channel,
        "said_by_channel": [one.event_id for one in (*f.channel_refunds, *f.channel_news)],
        "refund_declined": f.declined.kind.value if f.declined else None,
        "refund_declined_reason": f.declined.reason if f.declined else None,
        "buyer_refunds": [one.model_dump(mode="json") for one in f.buyer_refunds],
        "buyer_refund": ("; ".join(buyer_results(f)) or None) if opened else None,
        "refunds": [one.model_dump(mode="json") for one in f.refunds],
    }


# ---- the database ----


def projection(f: ReturnFacts, record: CaseRecord) -> tuple[Call[Any, Any], Message] | None:
    """What the database keeps; its last facts when it is completed, from which it can open again (REF-7)."""
    if f.opened is None:
        return (SAVE_CASE, SaveCase(record=record, is_opened=False)) if f.opening_had_trouble else None
    return SAVE_RETURN, SaveReturn(
        return_id=f.return_id,
        record=record,
        kept=_kept(f),
        parcels=f.parcels,
        receptions=_receptions(f),
        facts=last_facts(f) if f.outcome == "completed" else None,
    )


def _kept(f: ReturnFacts) -> KeptReturn:
    approval = f.approval
    return KeptReturn(
        decision=approval.decision if approval else None,
        decision_reason=approval.reason if approval else None,
        decided_by=approval.actor if approval else None,
        fees=f.fees if approval and not f.is_rejected else None,
        returnless=f.returnless,
        loss=loss_of(f),
        label_url=str(approval.label_url) if approval and approval.label_url else None,
        label_paid_by=approval.label_paid_by if approval else None,
        broker_return_number=_broker_return_number(f),
        rma_number=f.rma_number,
        return_address=f.return_address,
        carrier=f.tracking.carrier if f.tracking else None,
        tracking_number=f.tracking.tracking_number if f.tracking else None,
        refund_due=f.refund_due,
        resolution=approval.resolution if approval else None,
        replacement_order=f.replacement.replacement_id if f.replacement else None,
        refunded_by_channel=f.refunded_by_channel,
        refund_declined=f.declined.kind if f.declined else None,
        refund_declined_reason=f.declined.reason if f.declined else None,
        refund_declined_by=f.declined.actor if f.declined else None,
        outcome=f.outcome,
    )


def last_facts(f: ReturnFacts) -> dict[str, Any]:
    """What is true of the return whatever run knows it: nothing in it changes by itself."""
    return f.model_dump(mode="json", exclude=set(OF_THIS_RUN))


def _broker_return_number(f: ReturnFacts) -> str | None:
    """RET-6."""
    at_broker = f.approved_at is not None and not f.returnless and f.supplier.fulfilment is Fulfilment.BROKER
    return ids.broker_return_number(f.return_id) if at_broker else None


def _receptions(f: ReturnFacts) -> tuple[ReceptionRecord, ...]:
    """Groups of units, receipt by receipt."""
    return tuple(groups_of(f.receipts))
