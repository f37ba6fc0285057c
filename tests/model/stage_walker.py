"""Walk a case to any stage, and on from there to its end, by doing what it says it waits for."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from temporalio.client import WorkflowExecutionStatus

from models.case import CaseStatus
from starter.sandbox.client import SandboxError
from tests.case_story import CaseStory, Refused
from tests.eventually import eventually

MOST_STEPS = 15
Act = Callable[[CaseStory, CaseStatus], Awaitable[Any]]


async def is_quiet(case: CaseStory) -> bool:
    """Nothing is under way: no task, no activity, no child; or the case is closed."""
    description = await case.handle.describe()
    if description.status is not WorkflowExecutionStatus.RUNNING:
        return True
    raw = description.raw_description
    return not (raw.HasField("pending_workflow_task") or raw.pending_activities or raw.pending_children)


async def rests(case: CaseStory) -> None:
    await eventually(lambda: is_quiet(case), bool, f"{case.id} does not come to rest")


def event(name: str, **fields: Any) -> Act:
    async def act(case: CaseStory, status: CaseStatus) -> None:
        await case.update(name, **{"actor": "staff:guide"} | fields)

    return act


def later(**duration: float) -> Act:
    async def act(case: CaseStory, status: CaseStatus) -> None:
        await case.forward(**duration)

    return act


async def ship_the_rest(case: CaseStory, status: CaseStatus) -> None:
    waiting = status.facts["waiting_for_stock"]
    gone = ("shipped", "voided", "cancelled")
    left = [
        (line["sku"], line["quantity"] - sum(line[fate] for fate in gone) - waiting.get(line["line_id"], 0))
        for line in status.facts["lines"]
    ]
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in left if quantity]
    number = f"rest-{len(status.facts['shipments'])}-{next(case.stack.numbers)}"
    await case.update("shipment", shipment_id=number, carrier="UPS", tracking_number="1ZREST", lines=lines)


async def receive_the_goods(case: CaseStory, status: CaseStatus) -> None:
    said: dict[str, int] = {}
    for one in status.facts["receptions"]:
        said[one["line_id"]] = said.get(one["line_id"], 0) + one["quantity"]
    left = {line["line_id"]: line["quantity"] - said.get(line["line_id"], 0) for line in status.facts["lines"]}
    lines = [
        {
            "line_id": line["line_id"],
            "quantity": left[line["line_id"]] if any(left.values()) else line["quantity"],
            "reception": "received",
            "acceptance": "accepted",
        }
        for line in status.facts["lines"]
        if left[line["line_id"]] or not any(left.values())
    ]
    await case.update("goods_received", actor="supplier:dock", lines=lines)


async def credit_the_cost(case: CaseStory, status: CaseStatus) -> None:
    cost = sum(Decimal(line["cost"]) for line in status.facts["lines"])
    memo = {"number": f"CM-{case.id}-all", "date": "2026-03-01", "amount": f"{cost:.2f}", "currency": "USD"}
    await case.update("credit_memo", actor="supplier:office", **memo)


async def settle(case: CaseStory, status: CaseStatus) -> None:
    """The gateway makes a pending refund, and says so."""
    ident = status.facts["gateway_refund_id"]
    with suppress(SandboxError):  # made already, and its word was lost
        await case.stack.sandbox.settle_refund(ident, "succeeded")
    await case.update("gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id=ident)


ORDER_GOES_ON: dict[str, Act] = {
    "awaiting_release": event("release"),
    "awaiting_payment": event("payment_method_updated", payment_method="pm_card_visa"),
    "cancel_window": later(minutes=31),
    "on_hold": event("resume", reason="all is well"),
    "awaiting_shipment": ship_the_rest,
    "awaiting_choice": event("choice_after_void", choice="source_elsewhere"),
    "awaiting_stock": event("cancel_request", reason="the buyer does not wait"),
}
RETURN_GOES_ON: dict[str, Act] = {
    "awaiting_approval": event("seller_approval", decision="approved"),
    "awaiting_rma": event("supplier_rma", outcome="issued", rma_number="RMA-1"),
    "rma_refused": event("staff_override", waive="rma", reason="agreed by phone"),
    "awaiting_tracking": event("return_tracking", carrier="UPS", tracking_number="1ZBACK"),
    "expired": event("return_tracking", carrier="UPS", tracking_number="1ZBACK"),
    "in_transit": receive_the_goods,
    "awaiting_credit": credit_the_cost,
    "awaiting_buyer_refund": event("buyer_refund", reason="goods are back", amount="1.00"),
}
REFUND_GOES_ON: dict[str, Act] = {"awaiting_confirmation": event("refund_confirmed"), "pending": settle}


def withdrawn_or(act: Act) -> Act:
    """The shortest way to an end while no goods were received and no money moved."""

    async def end(case: CaseStory, status: CaseStatus) -> None:
        try:
            await case.update("withdrawal", actor="buyer:guide", reason="keeps it")
        except Refused:
            await act(case, status)

    return end


RETURN_ENDS_SOON: dict[str, Act] = {stage: withdrawn_or(act) for stage, act in RETURN_GOES_ON.items()}
BY_WAY_OF: dict[str, tuple[str, Act]] = {
    "on_hold": ("cancel_window", event("hold", reason="look at it first")),
    "rma_refused": ("awaiting_rma", event("supplier_rma", outcome="refused", reason="too old")),
    "expired": ("awaiting_tracking", later(days=31)),
}
"""Stages off the straight way: from which stage, and by what."""


async def walk(case: CaseStory, to: str, goes_on: dict[str, Act]) -> CaseStatus:
    """Until the case stands at this stage, or has `ended`; AssertionError when it gets stuck."""
    turn, turn_off = BY_WAY_OF.get(to, ("", None))
    for _ in range(MOST_STEPS):
        await rests(case)
        status: CaseStatus = await eventually(
            case.status,
            lambda seen: seen.outcome is not None or seen.stage == to or seen.stage in goes_on,
            f"{case.id} says nothing that can be done",
        )
        if status.stage == to or status.outcome is not None:
            assert status.stage == to or to == "ended", f"{case.id} ended as {status.outcome} before {to}"
            return status
        if turn_off is not None and status.stage == turn:
            await turn_off(case, status)
            if to == "on_hold":
                await later(minutes=31)(case, status)
        else:
            await goes_on[status.stage](case, status)
    raise AssertionError(f"{case.id} does not come to {to}: {status.stage}, {status.waiting_for}")
