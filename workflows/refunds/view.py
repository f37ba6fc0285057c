"""What people and the database see of a refund beside stage, waits and timeline."""

from typing import Any

from models import calls, contract
from models.calls import Call
from models.case import CaseRecord, Who
from models.message import Message
from models.records import SaveCase, SaveRefund
from models.worklists import Work
from workflows.engine.plan import Plan
from workflows.engine.procedure import CaseView
from workflows.refunds.facts import RefundFacts
from workflows.refunds.held_up import held_up
from workflows.refunds.money import in_words, money_of_refund


def view(f: RefundFacts, plan: Plan) -> CaseView:
    """The refund as lists show it."""
    attributes = {contract.RETURN_ID.name: f.return_id} if f.return_id is not None else {}
    numbers = (f.gateway_refund_id,) if f.gateway_refund_id is not None else ()
    money = money_of_refund(f)
    return CaseView(
        is_kept=f.reservation is not None or f.is_listed_alone,
        attributes=attributes,
        deadlines={},
        money=money,
        money_said=f"{f.request.direction.value.replace('_', ' ')} {in_words(money)}",
        work=_work(f),
        numbers=numbers,
    )


def _work(f: RefundFacts) -> tuple[Work, ...]:
    held = held_up(f)
    found = {
        Work.BUYER_TO_REFUND: held is not None and held.by == "queue" and held.who is Who.SELLER,
        Work.REFUND_TO_CONFIRM: f.awaits_second_person,
    }
    return tuple(work for work, is_due in found.items() if is_due)


def projection(f: RefundFacts, record: CaseRecord) -> tuple[Call[Any, Any], Message] | None:
    """Where the case stands and what became of the money. While nothing is reserved under this id, or when it is
    refused, only where the case stands, if people saw it wait (NTF-9); else nothing: the id may be another's."""
    if not f.is_kept:
        return (calls.SAVE_CASE, SaveCase(record=record, is_opened=False)) if f.is_listed_alone else None
    return calls.SAVE_REFUND, SaveRefund(
        record=record,
        refund_id=f.refund_id,
        state=f.state,
        gateway_refund_id=f.gateway_refund_id,
        reason=f.reason,
        at=f.state_since,
    )


def facts_in_status(f: RefundFacts) -> dict[str, Any]:
    """As the query `status` tells them."""
    known = None if f.is_conflict else f.reservation
    return {
        "refund_id": f.refund_id,
        "order_id": f.order_id,
        "return_id": f.return_id,
        "direction": f.request.direction.value,
        "way": f.request.way.value,
        "amount": str(known.amount) if known is not None and known.amount is not None else None,
        "currency": f.request.currency,
        "state": f.state.value,
        "in_doubt": f.in_doubt,
        "gateway_refund_id": f.gateway_refund_id,
        "over_refund": known.over_refund if known is not None else False,
        "reason": f.request.reason,
        "requested_by": f.request.requested_by,
        "over_limit": str(f.over_limit) if f.over_limit is not None else None,
        "confirmed_by": f.confirmed_by,
        "parts": [part.refund_id for part in f.parts_to_begin],
    }
