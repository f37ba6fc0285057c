"""What people and the database see of an order beside stage, waits and timeline."""

from typing import Any

from models import calls
from models.calls import Call
from models.case import CaseRecord, Ended, SlaState
from models.message import Message
from models.records import SaveCase, SaveOrder
from workflows.engine.plan import Plan
from workflows.engine.procedure import CaseView
from workflows.orders import rails
from workflows.orders.charges import records_of as charge_records
from workflows.orders.facts import OrderFacts
from workflows.orders.purchase_orders import records_of as purchase_records
from workflows.orders.void_choices import choose_until


def view(f: OrderFacts, plan: Plan) -> CaseView:
    """The order as lists show it, once it is written down or the database does not take it."""
    clocks = {"cancel_until": f.cancel_until, "handoff_due": f.handoff_due}
    until = choose_until(f)
    placing = f.handed_off_at is None and not f.only_special_order_left and until is None
    deadlines = clocks if placing else {"choose_until": until}
    return CaseView(
        is_kept=f.is_open or f.opening_is_in_trouble,
        attributes={"Channel": f.request.channel.value, "SupplierId": f.last_supplier},
        deadlines={name: moment for name, moment in deadlines.items() if moment is not None and f.outcome is None},
        sla_state=SlaState.ON_TIME if f.handed_off_late_at is None else SlaState.BREACHED,
        custody=rails.custody(f),
        money=rails.money(f),
        goods_said=rails.goods_said(f),
        money_said=rails.money_said(f),
        work=rails.work(f, plan),
        numbers=_numbers(f),
    )


def _numbers(f: OrderFacts) -> tuple[str, ...]:
    """Every number by which it can be found, each once, as it was typed; the channel's first."""
    found = [
        f.request.channel_order_id,
        f.request.replaces,
        f.request.split_from.order_id if f.request.split_from else None,
        *(box.tracking_number for one in f.shipments for box in one.boxes),
        *(one.order.number for one in f.purchases if one.state == "accepted"),
    ]
    return tuple(dict.fromkeys(number for number in found if number))


def projection(f: OrderFacts, record: CaseRecord) -> tuple[Call[Any, Any], Message] | None:
    """What the database keeps: of an order that it does not have, only where the case stands."""
    if not f.is_open:
        return (calls.SAVE_CASE, SaveCase(record=record, is_opened=False)) if f.opening_is_in_trouble else None
    return calls.SAVE_ORDER, SaveOrder(
        order_id=f.order_id,
        record=record,
        lines=f.lines.counts,
        charges=charge_records(f.charges),
        supplier_orders=purchase_records(f),
        shipments=f.shipments,
        cessations=f.cessations,
        corrected_address=f.corrected_address,
        cancel_until=f.cancel_until,
        handoff_due=f.handoff_due,
        handed_off_at=f.handed_off_at,
    )


def facts_in_status(f: OrderFacts) -> dict[str, Any]:
    """As the query `status` tells them."""
    return {
        "order_id": f.order_id,
        "seller_id": f.seller_id,
        "channel": f.request.channel.value,
        "replaces": f.request.replaces,
        "split_from": f.request.split_from.order_id if f.request.split_from else None,
        "split_orders": [one.split.own_id for one in f.cancels if one.split and one.decision == "split"],
        "lines": _told(f.lines.counts),
        "charges": _told(charge_records(f.charges)),
        "supplier_orders": _told(purchase_records(f)),
        "shipments": _told(f.shipments),
        "cessations": _told(f.cessations),
        "choices": [
            {"choice": one.event.choice.value, "actor": one.event.actor, "units": one.units, "taken": one.is_taken}
            for one in f.choices
        ],
        "waiting_for_stock": f.waiting,
        "cancels_heard": [id for id, name in f.seen_events.items() if name in ("hold", "cancel_request")],
        "on_hold": f.hold.reason if f.hold else None,
    }


def _told(records: tuple[Message, ...]) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in records]


def result(f: OrderFacts) -> Ended:
    """What the workflow gives when it has ended."""
    return Ended(workflow_id=f.case_id, outcome=f.outcome or "stopped", message=f.closing_message)
