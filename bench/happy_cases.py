"""One happy order and one happy return, played on Backhaul and on the bare workflows, step by step alike."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from activities.database import ConnectionRegister, Parties
from bench import cancel_window
from bench.bare_workflows import TASK_QUEUE, BareOrder, BareReturn
from bench.stack import BenchStack, Kind
from models import ids
from models.contract import ORDER_EVENTS, RETURN_EVENTS
from models.orders import OrderRequest
from models.parties import RmaMethod, Seller, Supplier
from models.returns import ReturnRequest
from models.text import counted
from starter.client.send import send_event
from starter.client.start import open_order, open_return
from starter.ops.local_connections import (
    STRIPE,
    add_first_connections,
    of_a_seller,
    sandbox_connections,
    sandbox_key,
)
from starter.sandbox.facts import PaymentSeed, RmaPolicy, Seed, ShippingSeed, StockSeed, SupplierSeed

UNITS: Final = 2
_RENO: Final = (39.53, -119.81)
_ANSWER_WITHIN: Final = timedelta(seconds=60)
_ADDRESS: Final = {
    "name": "Robin Buyer",
    "line1": "12 River Road",
    "city": "Sacramento",
    "region": "CA",
    "postal_code": "95814",
    "country": "US",
    "latitude": 38.58,
    "longitude": -121.49,
}


@dataclass(frozen=True)
class Case:
    """An order, and the return of all of it."""

    order: OrderRequest
    supplier_id: str
    auto_release: bool

    @property
    def order_id(self) -> str:
        return self.order.order_id

    @property
    def return_id(self) -> str:
        return ids.return_id(self.order_id, 1)

    @property
    def quantities(self) -> list[dict[str, Any]]:
        return [{"sku": line.sku, "quantity": line.quantity} for line in self.order.lines]


async def prepare(
    stack: BenchStack, tag: str, count: int, *, lines: int = 1, warehouses: int = 1, **seller_settings: Any
) -> list[Case]:
    """So many cases of one seller and one supplier, with all that must be there before; `tag` is in every id."""
    seller = Seller.model_validate(
        {
            "seller_id": f"{tag}-seller",
            "name": "Acme Parts",
            "email": "office@acme.example",
            "payment_method": "pm_card_visa",
            "gateway_customer": f"cus_{tag}",
            **seller_settings,
        }
    )
    supplier = Supplier(
        supplier_id=f"{tag}-supplier",
        name="Reno Warehouse",
        email="dock@supplier.example",
        rma=RmaMethod.SERVICE,
        return_address="Reno Warehouse, Dock 4, 1 Depot Way, Reno NV 89501",
    )
    parties = Parties(stack.books)
    await asyncio.to_thread(parties.put_seller, seller)
    await asyncio.to_thread(_connect, stack, seller.seller_id)
    await asyncio.to_thread(parties.put_supplier, supplier)
    await stack.sandbox.put_supplier(supplier.supplier_id, SupplierSeed(rma=RmaPolicy.SERVICE))
    await _stock(stack, supplier.supplier_id, tag, lines, warehouses)
    cases = [
        Case(_order(f"{tag}{number}", tag, lines), supplier.supplier_id, seller.auto_release)
        for number in range(count)
    ]
    for some in (cases[start : start + 500] for start in range(0, count, 500)):
        await stack.sandbox.seed(
            Seed(
                payments=tuple(_payment(case.order) for case in some),
                shipping_list=tuple(
                    ShippingSeed(seller_id=seller.seller_id, order_id=case.order_id) for case in some
                ),
            )
        )
    return cases


def _connect(stack: BenchStack, seller_id: str) -> None:
    """By which the seller's buyers pay; and the broker's connections."""
    add_first_connections(stack.books, sandbox_connections(stack.plan.sandbox_url, sandbox_key(stack.plan.folder)))
    register = ConnectionRegister(stack.books)
    register.put([of_a_seller(register.get(STRIPE), seller_id)])


async def _stock(stack: BenchStack, supplier_id: str, tag: str, lines: int, warehouses: int) -> None:
    for number in range(warehouses):
        await stack.sandbox.put_stock(
            *(
                StockSeed(
                    supplier_id=supplier_id,
                    warehouse_id=f"{supplier_id}-w{number}",
                    sku=_sku(tag, line),
                    quantity=1_000_000,
                    unit_cost=Decimal("31.50"),
                    latitude=_RENO[0] + number / 50,
                    longitude=_RENO[1],
                )
                for line in range(lines)
            )
        )


def _sku(tag: str, line: int) -> str:
    return f"{tag}-sku-{line}"


def _payment(order: OrderRequest) -> PaymentSeed:
    (payment,) = order.paid_with
    assert payment.reference is not None, "it is paid by the gateway"
    return PaymentSeed(id=payment.reference, amount=payment.amount, currency=payment.currency)


def _order(order_id: str, tag: str, lines: int) -> OrderRequest:
    item = {"title": "Brake disc", "quantity": UNITS, "unit_price": "50.00", "unit_cost": "31.50"}
    request = {
        "order_id": order_id,
        "seller_id": f"{tag}-seller",
        "buyer": {"email": f"robin-{order_id}@buyer.example", "address": _ADDRESS},
        "lines": [{"sku": _sku(tag, line), **item} for line in range(lines)],
        "payment": {
            "paid_by": "stripe",
            "reference": f"pi_{order_id}",
            "amount": f"{50 * UNITS * lines}.00",
            "currency": "USD",
        },
    }
    return OrderRequest.at_the_door(request)


@dataclass
class Player(ABC):
    """Plays cases. `calm`: seconds to wait before each event, so that all that the last one caused has ended."""

    stack: BenchStack
    calm: float = 0.0
    updates: list[float] = field(default_factory=list)
    """How long each update took, in seconds."""

    @abstractmethod
    def order_workflow(self, case: Case) -> str:
        """The workflow id of its order."""

    @abstractmethod
    def return_workflow(self, case: Case) -> str:
        """The workflow id of its return."""

    @abstractmethod
    async def start_order(self, case: Case) -> None: ...

    @abstractmethod
    async def start_return(self, case: Case) -> None: ...

    @abstractmethod
    async def _send(self, workflow_id: str, name: str, event: dict[str, Any]) -> None: ...

    @abstractmethod
    async def _end(self, workflow_id: str) -> None:
        """Wait for its end."""

    async def tell(self, workflow_id: str, name: str, actor: str, **fields: Any) -> None:
        """Send an event as an update, and note how long it took."""
        event = {"event_id": f"{name}-{len(self.updates)}-{time.monotonic_ns()}", "actor": actor, **fields}
        began = time.perf_counter()
        await self._send(workflow_id, name, event)
        self.updates.append(time.perf_counter() - began)

    async def order(self, case: Case) -> None:
        """To its end: shipped."""
        workflow_id = self.order_workflow(case)
        await self.start_order(case)
        await self.saved(workflow_id, "awaiting_shipment")
        await self.tell(
            workflow_id,
            "shipment",
            "supplier:dock",
            shipment_id=f"s-{case.order_id}",
            carrier="UPS",
            tracking_number=f"1Z{case.order_id}",
            lines=case.quantities,
        )
        await self._end(workflow_id)

    async def return_all(self, case: Case) -> None:
        """The return of a shipped order to its end: both refunds are made."""
        workflow_id = self.return_workflow(case)
        await self.start_return(case)
        await self.saved(workflow_id, "awaiting_approval")
        await self.tell(workflow_id, "seller_approval", "seller:jane", decision="approved")
        await self.saved(workflow_id, "awaiting_tracking")
        number = f"1ZB{case.order_id}"
        await self.tell(workflow_id, "return_tracking", "buyer:robin", carrier="UPS", tracking_number=number)
        await self.saved(workflow_id, "in_transit")
        accepted = {"reception": "received", "acceptance": "accepted"}
        lines = [line | accepted for line in case.quantities]
        await self.tell(workflow_id, "goods_received", "supplier:dock", lines=lines)
        await self.saved(workflow_id, "awaiting_credit")
        cost = f"{31.5 * UNITS * len(lines):.2f}"
        memo = {"number": f"CM-{case.return_id}", "date": "2026-03-01", "amount": cost, "currency": "USD"}
        await self.tell(workflow_id, "credit_memo", "supplier:office", **memo)
        await self.saved(workflow_id, "awaiting_buyer_refund")
        await self.tell(workflow_id, "buyer_refund", "seller:jane", reason="returned as agreed")
        await self._end(workflow_id)

    async def saved(self, workflow_id: str, stage: str) -> None:
        """Wait until the case has saved this stage."""
        await self.stack.feed.saved(workflow_id, stage)
        await asyncio.sleep(self.calm)


class BackhaulPlayer(Player):
    """By Backhaul's own client library."""

    def order_workflow(self, case: Case) -> str:
        return ids.order_workflow_id(case.order_id)

    def return_workflow(self, case: Case) -> str:
        return ids.return_workflow_id(case.return_id)

    async def start_order(self, case: Case) -> None:
        await open_order(self.stack.client, case.order)

    async def start_return(self, case: Case) -> None:
        request = {
            "return_id": case.return_id,
            "order_id": case.order_id,
            "source": "seller",
            "lines": [line | {"reason": "does not fit"} for line in case.quantities],
        }
        await open_return(self.stack.client, ReturnRequest.at_the_door(request))

    async def _send(self, workflow_id: str, name: str, event: dict[str, Any]) -> None:
        known = {**ORDER_EVENTS, **RETURN_EVENTS}[name].at_the_door(event)
        await send_event(self.stack.client, workflow_id, name, known, _ANSWER_WITHIN)

    async def _end(self, workflow_id: str) -> None:
        await self.stack.client.get_workflow_handle(workflow_id).result()


class BarePlayer(Player):
    """By Temporal's own client."""

    def order_workflow(self, case: Case) -> str:
        return f"bare-order-{case.order_id}"

    def return_workflow(self, case: Case) -> str:
        return f"bare-return-{case.return_id}"

    async def start_order(self, case: Case) -> None:
        order = case.order.model_dump(mode="json") | {
            "supplier_id": case.supplier_id,
            "auto_release": case.auto_release,
            "cancel_window_seconds": cancel_window.SECONDS,
        }
        attributes = {"OrderId": case.order_id, "SellerId": case.order.seller_id, "Channel": "web_shop"}
        lines = counted(len(case.order.lines), "line")
        await self.stack.plain_client.start_workflow(
            BareOrder.run,
            order,
            id=self.order_workflow(case),
            task_queue=TASK_QUEUE,
            static_summary=f"Order {case.order_id} · {lines} · {case.order.seller_id}",
            search_attributes=_attributes(attributes),
        )

    async def start_return(self, case: Case) -> None:
        request = {
            "return_id": case.return_id,
            "order_id": case.order_id,
            "source": "seller",
            "lines": [line | {"reason": "does not fit"} for line in case.quantities],
        }
        await self.stack.plain_client.start_workflow(
            BareReturn.run,
            request,
            id=self.return_workflow(case),
            task_queue=TASK_QUEUE,
            static_summary=f"Return {case.return_id} · order {case.order_id}",
            search_attributes=_attributes({"OrderId": case.order_id, "ReturnId": case.return_id}),
        )

    async def _send(self, workflow_id: str, name: str, event: dict[str, Any]) -> None:
        handle = self.stack.plain_client.get_workflow_handle(workflow_id)
        await handle.execute_update("tell", {"name": name, **event}, id=event["event_id"])

    async def _end(self, workflow_id: str) -> None:
        await self.stack.plain_client.get_workflow_handle(workflow_id).result()


def player(stack: BenchStack, kind: Kind, calm: float = 0.0) -> Player:
    """Who plays this kind."""
    return BackhaulPlayer(stack, calm) if kind == "backhaul" else BarePlayer(stack, calm)


def _attributes(values: dict[str, str]) -> TypedSearchAttributes:
    pairs: Sequence[SearchAttributePair[str]] = [
        SearchAttributePair(SearchAttributeKey.for_keyword(name), value) for name, value in values.items()
    ]
    return TypedSearchAttributes(pairs)
