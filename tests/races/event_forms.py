"""One event in all its forms: as it should be, repeated, and damaged in every way; and what became of each."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from models.contract import REJECTED_EVENTS
from models.returns import Waivable
from models.text import counted
from tests.case_story import CaseStory
from tests.eventually import eventually
from tests.model.damage import DAMAGES, damaged

WAYS = ("signal", "update")
DAMAGES_AT_A_TIME = 2


def way_of(row: int, column: int) -> str:
    """Alternates along rows and columns: what comes at some stages comes both ways."""
    return WAYS[(row + column) % len(WAYS)]


def damages_of(row: int, column: int) -> tuple[str, ...]:
    """Some ways of damage; along a row, and along a column, each has its turn."""
    first = (row + column) * DAMAGES_AT_A_TIME
    return tuple(DAMAGES[(first + number) % len(DAMAGES)] for number in range(DAMAGES_AT_A_TIME))


def good(name: str, sku: str) -> dict[str, Any]:
    """The fields of an event as it should be, beside the common ones."""
    fields: dict[str, dict[str, Any]] = {
        "payment_method_updated": {"payment_method": "pm_card_visa"},
        "shipment": {
            "shipment_id": "s1",
            "carrier": "UPS",
            "tracking_number": "1Z",
            "lines": [{"sku": sku, "quantity": 1}],
        },
        "shipment_corrected": {"shipment_id": "s1", "carrier": "UPS", "tracking_number": "1Z2"},
        "delivered": {"shipment_id": "s1", "at": "2026-03-09T14:30:00Z"},
        "supplier_shortage": {"supplier_order_number": "1001-1", "reason": "not in stock after all"},
        "choice_after_void": {"choice": "special_order"},
        "address_changed": {
            "address": {
                "name": "Robin Buyer",
                "line1": "4 Hill Road",
                "city": "Reno",
                "region": "NV",
                "postal_code": "89501",
                "country": "US",
            }
        },
        "feed_resolved": {"outcome": "not_handed_in", "reason": "Seller Central has none"},
        "seller_approval": {"decision": "approved"},
        "supplier_rma": {"outcome": "issued", "rma_number": "RMA-7"},
        "return_tracking": {"carrier": "UPS", "tracking_number": "1Z"},
        "goods_received": {
            "lines": [{"sku": sku, "quantity": 1, "reception": "received", "acceptance": "accepted"}]
        },
        "credit_memo": {"number": "CM-7", "date": "2026-03-01", "amount": "1.00", "currency": "USD"},
        "buyer_refund": {"reason": "goods are back", "amount": "1.00"},
        "refund_declined": {"kind": "replaced", "reason": "a new one was sent"},
        "channel_update": {"status": "escalated"},
        "staff_override": {"waive": Waivable.TRACKING.value, "reason": "agreed by phone"},
        "gateway_update": {"status": "succeeded", "gateway_refund_id": "re_of_another"},
        "cost_decision": {"decision": "approved"},
        "evidence_added": {"reference": "s3://acme/1.jpg", "sha256": "a" * 64},
        "claim_decision": {"decision": "approved"},
        "receipt_added": {"reference": "s3://acme/receipt.pdf", "sha256": "a" * 64},
        "match": {"case_id": "return-RR-1001-1", "reason": "named on the phone"},
        "refund_resolved": {"outcome": "moved", "evidence": "a statement", "reason": "it is there"},
    }
    bare = ("release", "refund_confirmed", "stock_arrived")
    return fields.get(name, {} if name in bare else {"reason": "as agreed"})


class Sender:
    """Sends one event to one case in its forms, and looks for what became of each."""

    def __init__(self, case: CaseStory, name: str, sku: str, way: str, damages: Sequence[str] = DAMAGES) -> None:
        self.case = case
        self.damages = damages
        self.name = name
        self.way = way
        self.fields = good(name, sku)
        if name in ("credit_memo", "supplier_rma"):
            number = "number" if name == "credit_memo" else "rma_number"
            self.fields |= {number: f"{self.fields[number]}-{case.id}"}
        if name == "supplier_shortage":
            self.fields["supplier_order_number"] = f"{case.id}-1"
        self.told: Counter[str] = Counter()
        """Of which forms the sender was told at once that they can't be used, and how often."""

    def event(self, ident: str) -> dict[str, Any]:
        return {"event_id": ident, "actor": f"staff:{ident}", **self.fields}

    async def send(self, *, heard: bool = True) -> None:
        """These forms of it. `heard`: a worker is there that can answer updates."""
        if heard and self.name in ("gateway_update", "refund_resolved"):
            await self._made_at_the_gateway()
        if heard and self.name in ("shipment_corrected", "delivered"):
            await self._one_has_shipped()
        for damage in self.damages:
            name, args = damaged(self.name, self.event("damaged"), damage)
            await self._signal("damaged", name, args)
            if heard:
                before = self.told["update"]
                await self._update("update", name, args)
                assert self.told["update"] == before + 1, f"an update of {self.name} with {damage} is accepted"
        for ident in ("first", "first", "second"):
            if self.way == "signal":
                await self._signal(ident, self.name, [self.event(ident)])
            else:
                await self._update(ident, self.name, [self.event(ident)])

    async def _made_at_the_gateway(self) -> None:
        """The gateway, or a person who looked there, speaks of this refund, if it knows it; and it has made it."""
        status = await self.case.status()
        if ident := status.facts["gateway_refund_id"]:
            if self.name == "gateway_update":
                self.fields["gateway_refund_id"] = ident
            if status.outcome is None:
                await self.case.stack.sandbox.settle_refund(ident, "succeeded")

    async def _one_has_shipped(self) -> None:
        """Of the units of an order that can ship, one has: it is spoken of."""
        status = await self.case.status()
        if status.stage == "awaiting_shipment":
            parcel = good("shipment", status.facts["lines"][0]["sku"])
            self.fields["shipment_id"] = parcel["shipment_id"] = f"first-{self.case.id}"
            if self.name == "delivered":
                self.fields["at"] = (await self.case.now()).isoformat()
            await self.case.update("shipment", actor="supplier:dock", **parcel)

    async def _signal(self, ident: str, name: str, args: list[Any]) -> None:
        try:
            await self.case.handle.signal(name, args=args)
        except RPCError as error:
            self._is_told(ident, error)

    async def _update(self, ident: str, name: str, args: list[Any]) -> None:
        # An id of its own for each: only the event's own id may tell that it is the same.
        number = f"{ident}-{next(self.case.stack.numbers)}"
        try:
            await asyncio.wait_for(self.case.handle.execute_update(name, args=args, id=number), 30)
        except WorkflowUpdateFailedError:
            self.told[ident] += 1
        except RPCError as error:
            self._is_told(ident, error)

    def _is_told(self, ident: str, error: RPCError) -> None:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise error
        self.told[ident] += 1

    async def assert_nothing_lost(self) -> bool:
        """Each event is a step of the timeline once, or a rejection that says why, or its sender was told.

        Gives whether one of them was taken.
        """
        status = await self.case.status()
        about = f"{self.way} {self.name} to {self.case.id}"
        taken = False
        for ident in ("first", "second"):
            noted = [step.what for step in status.timeline if step.who == f"staff:{ident}"]
            rejections = [one for one in status.rejected_events if one.event_id == ident]
            assert len(noted) == len(set(noted)), f"{about}: {ident} counted twice: {noted}"
            assert noted or rejections or self.told[ident], f"{about}: {ident} is lost"
            assert all(one.reason for one in rejections), about
            taken = taken or bool(noted)
        assert not any(step.who == "staff:damaged" for step in status.timeline), f"{about}: damaged and counted"
        names = [one.name for one in status.rejected_events if one.event_id not in ("first", "second")]
        recorded = Counter(names)[self.name] + Counter(names)[f"{self.name}_please"]
        assert recorded + self.told["damaged"] == len(self.damages), (
            f"{about}: not all damaged ones are to be seen"
        )
        # Lists show it after the answer that is a matter of seconds.
        listed = status.rejected_count or None
        await eventually(lambda: self.case.attribute(REJECTED_EVENTS), lambda shown: shown == listed, about)
        page: WorkflowMetadata = await self.case.handle.query("__temporal_workflow_metadata")
        shown = f"**{counted(status.rejected_count, 'event')} could not be used**" in page.current_details
        assert shown == bool(status.rejected_count), about
        return taken
