"""The same cases written by hand on Temporal alone: no rules, no refusals, no second chances, only the happy path.

Signals, updates, timers, activities, search attributes and children are those of Backhaul's happy cases, one for
one (`make bench` counts both and shows where they differ). Payloads are dictionaries of about the same size.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey

Data = dict[str, Any]

TASK_QUEUE = "bare"
_KEYWORDS = {
    name: SearchAttributeKey.for_keyword(name) for name in ("Stage", "SellerId", "SupplierId", "SlaState")
}
_LISTS = {name: SearchAttributeKey.for_keyword_list(name) for name in ("WaitingOn", "Numbers")}
_DUE_BY = SearchAttributeKey.for_datetime("DueBy")
_MINUTE = timedelta(minutes=1)
_RETRY = RetryPolicy(maximum_interval=timedelta(minutes=5))


async def _do(name: str, argument: Data, summary: str) -> Data:
    done: Data = await workflow.execute_activity(
        name, argument, start_to_close_timeout=_MINUTE, retry_policy=_RETRY, summary=summary
    )
    return done


def _show(due: timedelta | None = None, **attributes: str) -> None:
    changes: list[Any] = [
        _LISTS[name].value_set([value]) if name in _LISTS else _KEYWORDS[name].value_set(value)
        for name, value in attributes.items()
    ]
    if due is not None:
        changes.append(_DUE_BY.value_set(workflow.now() + due))
    workflow.upsert_search_attributes(changes)


class _Case:
    """What the three have in common: a timeline, events that came, a row in the database."""

    def __init__(self) -> None:
        self.case_id = ""
        self.events: dict[str, Data] = {}
        self.steps: list[Data] = []
        self.saved = 0
        self.is_refunded = False

    def begin(self, case_id: str) -> None:
        self.case_id = case_id

    def step(self, what: str, actor: str = "backhaul") -> None:
        self.steps.append({"at": workflow.now().isoformat(), "what": what, "actor": actor})

    async def save(self, stage: str, waiting_on: str | None = None, waiting_for: str = "", **facts: Any) -> None:
        new, self.saved = self.steps[self.saved :], len(self.steps)
        await _do(
            "save_case",
            {
                "workflow_id": workflow.info().workflow_id,
                "run_id": workflow.info().run_id,
                "stage": stage,
                "waiting_on": waiting_on,
                "waiting_for": waiting_for,
                "waiting_since": workflow.now().isoformat(),
                "sla_state": "on_time",
                "first_step": self.saved - len(new),
                "steps": new,
                **facts,
            },
            f"Save: {stage}",
        )

    async def mail(self, template: str, to: str, **facts: Any) -> None:
        key = f"{workflow.info().workflow_id}:{template}:{to}"
        argument = {"key": key, "case_id": self.case_id, "template": template, "to": to, "facts": facts}
        await _do("send_mail", argument, f"E-mail {to}: {template}")

    async def event(self, name: str, within: timedelta | None = None, timer: str | None = None) -> Data:
        """Wait for it, if `within` is said with a timer for so long. Raises TimeoutError."""
        await workflow.wait_condition(lambda: name in self.events, timeout=within, timeout_summary=timer)
        return self.events[name]

    @workflow.update
    async def tell(self, event: Data) -> Data:
        """Any event, under its name; the click is answered once its refund is decided."""
        self.events[event["name"]] = event
        self.step(event["name"], event["actor"])
        if event["name"] == "buyer_refund":
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self.is_refunded, timeout=timedelta(seconds=8), timeout_summary="Answer by now"
                )
        return {"accepted": True, "stage": "", "message": f"{event['name']} recorded"}

    @workflow.query
    def status(self) -> Data:
        """Its timeline."""
        return {"case_id": self.case_id, "timeline": self.steps}


@workflow.defn
class BareOrder(_Case):
    """Released, charged, kept for its cancel window, bought, shipped."""

    @workflow.run
    async def run(self, order: Data) -> Data:
        self.begin(order["order_id"])
        seller = await _do("open_order", order, "Write the order down")
        self.step("order received", "channel:web_shop")
        if not seller["auto_release"]:
            _show(Stage="awaiting_release", WaitingOn="seller", SlaState="on_time")
            await asyncio.gather(
                self.mail("release_needed", "seller"),
                self.save("awaiting_release", "seller", "release the order, or cancel it"),
                workflow.wait_condition(lambda: "release" in self.events),
            )
        charge = await _do("authorize", order | seller, "Authorize the charge")
        self.step("charge authorized")
        window = timedelta(seconds=order["cancel_window_seconds"])
        _show(window, Stage="cancel_window", WaitingOn="clock", SlaState="on_time")
        await asyncio.gather(
            self.save("cancel_window", "clock", "the cancel window closes", charge=charge), self._window(window)
        )
        source = await _do("find_source", order, "Find a warehouse")
        await _do("capture", {"order": order, "charge": charge}, "Capture the charge")
        self.step("charge captured")
        placed = await _do("place", {"order": order, "source": source}, "Order at the supplier")
        self.step("ordered at the supplier")
        _show(timedelta(days=5), Stage="awaiting_shipment", WaitingOn="supplier", SupplierId=source["supplier_id"])
        save = self.save("awaiting_shipment", "supplier", "ship the order", placed=placed, charge=charge)
        _, shipment = await asyncio.gather(save, self.event("shipment", timedelta(days=5), "Shipment reminder"))
        await asyncio.gather(
            _do("announce", {"order": order, "shipment": shipment}, "Give the shop the tracking number"),
            self.mail("order_shipped", "buyer", tracking_number=shipment["tracking_number"]),
        )
        self.step("shipped")
        _show(Stage="shipped", WaitingOn="nobody")
        await self.save("shipped", shipment=shipment)
        return {"order_id": self.case_id, "outcome": "shipped"}

    async def _window(self, window: timedelta) -> None:
        try:
            await self.event("cancel_request", window, "Cancel window")
        except TimeoutError:
            self.step("the cancel window is closed")


@workflow.defn
class BareReturn(_Case):
    """Approved, authorized by the supplier, sent back, inspected, credited, refunded twice."""

    @workflow.run
    async def run(self, request: Data) -> Data:
        self.begin(request["return_id"])
        opened = await _do("open_return", request, "Write the return down")
        self.step("return requested", "seller:jane")
        _show(
            timedelta(days=2),
            Stage="awaiting_approval",
            WaitingOn="seller",
            SellerId=opened["seller_id"],
            SupplierId=opened["supplier_id"],
            SlaState="on_time",
        )
        await asyncio.gather(
            self.mail("return_requested", "seller"),
            self.save("awaiting_approval", "seller", "approve or reject the return"),
            self.event("seller_approval", timedelta(days=2), "Approval reminder"),
        )
        rma = await _do("request_rma", request | opened, "Ask the supplier for an RMA number")
        self.step(f"RMA {rma['rma_number']} issued")
        _show(timedelta(days=7), Stage="awaiting_tracking", WaitingOn="buyer", Numbers=rma["rma_number"])
        await asyncio.gather(
            self.mail("rma_for_buyer", "buyer", **rma),
            self.mail("rma_for_seller", "seller", **rma),
            self.save("awaiting_tracking", "buyer", "send the goods and give the tracking number", rma=rma),
            self.event("return_tracking", timedelta(days=7), "Tracking reminder"),
        )
        click = asyncio.create_task(self.event("buyer_refund", timedelta(days=3), "Refund reminder"))
        _show(timedelta(days=30), Stage="in_transit", WaitingOn="supplier")
        await asyncio.gather(
            self.save("in_transit", "supplier", "receive and inspect", parcel=self.events["return_tracking"]),
            self.event("goods_received"),
        )
        _show(timedelta(days=30), Stage="awaiting_credit", WaitingOn="supplier")
        await asyncio.gather(
            self.save("awaiting_credit", "supplier", "credit the goods", goods=self.events["goods_received"]),
            self.event("credit_memo"),
        )
        memo = {"return_id": self.case_id, **self.events["credit_memo"]}
        await _do("book_credit_memo", memo, "Book the credit memo")
        seller_refund = await self._refund("S1", opened["charge_reference"], opened["cost"], opened)
        self.step("the seller is refunded")
        _show(timedelta(days=3), Stage="awaiting_buyer_refund", WaitingOn="seller")
        await asyncio.gather(
            self.mail("seller_refunded", "seller", **seller_refund),
            self.save("awaiting_buyer_refund", "seller", "refund the buyer", seller_refund=seller_refund),
            click,
        )
        buyer_refund = await self._refund("B1", opened["payment_reference"], opened["paid"], opened)
        self.is_refunded = True
        self.step("the buyer is refunded")
        _show(Stage="completed", WaitingOn="nobody")
        await asyncio.gather(
            self.mail("buyer_refunded", "buyer", **buyer_refund),
            self.save("completed", buyer_refund=buyer_refund),
        )
        return {"return_id": self.case_id, "outcome": "completed"}

    async def _refund(self, which: str, payment: str, amount: str, opened: Data) -> Data:
        refund_id = f"{self.case_id}-{which}"
        request = {
            "refund_id": refund_id,
            "order_id": opened["order_id"],
            "seller_id": opened["seller_id"],
            "payment_reference": payment,
            "amount": amount,
            "currency": opened["currency"],
            "reason": f"return {self.case_id}",
        }
        refund: Data = await workflow.execute_child_workflow(
            BareRefund.run,
            request,
            id=f"bare-refund-{refund_id}",
            static_summary=f"Refund {refund_id} of order {opened['order_id']}",
        )
        return refund


@workflow.defn
class BareRefund(_Case):
    """Reserved, sent, settled."""

    @workflow.run
    async def run(self, request: Data) -> Data:
        self.begin(request["refund_id"])
        await _do("reserve_refund", request, "Reserve the amount")
        self.step("reserved")
        sent = await _do("send_refund", request, "Send the refund to the gateway")
        self.step("succeeded at the gateway")
        _show(Stage="succeeded", SellerId=request["seller_id"], SlaState="on_time", WaitingOn="nobody")
        await self.save("succeeded", refund_id=self.case_id, gateway_refund_id=sent["id"])
        return {"refund_id": self.case_id, "state": "succeeded", "amount": request["amount"]}
