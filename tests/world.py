"""A world for a test: the running stack, and a short way to say what people and systems do in it.

order = await world.order(await world.seller(), stock=10)
await order.reaches("cancel_window")
await order.forward(minutes=31)
"""

import asyncio
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine
from temporalio.testing import WorkflowEnvironment

from activities.database import Parties
from models.claims import ClaimRequest
from models.cost_reviews import CostReviewRequest
from models.ids import (
    claim_workflow_id,
    cost_review_workflow_id,
    order_workflow_id,
    orphan_workflow_id,
    refund_workflow_id,
    return_workflow_id,
)
from models.orders import OrderRequest
from models.orphans import OrphanRequest
from models.parties import Seller, Supplier
from models.payments import PaidBy
from models.refunds import RefundRequest
from models.returns import ReturnRequest
from models.settings import Settings
from starter.client.start import (
    open_claim,
    open_cost_review,
    open_order,
    open_refund,
    open_return,
    report_orphan,
)
from starter.sandbox import RunningSandbox, SandboxClient
from starter.sandbox.facts import PaymentSeed, RmaPolicy, StockSeed, SupplierSeed
from tests.case_story import CaseStory, OrderStory
from tests.connections import connect_seller
from tests.stack import Stack

RENO = (39.53, -119.81)
NEWARK = (40.74, -74.17)
BUYER_IN_SACRAMENTO = {
    "name": "Robin Buyer",
    "line1": "12 River Road",
    "city": "Sacramento",
    "region": "CA",
    "postal_code": "95814",
    "country": "US",
    "latitude": 38.58,
    "longitude": -121.49,
}


def _to_pay(lines: list[dict[str, Any]], order: dict[str, Any]) -> Decimal:
    """What an order of these lines adds up to."""
    paid = sum((Decimal(line["unit_price"]) * line["quantity"] for line in lines), Decimal(0))
    for said in (*lines, order):
        paid += sum((Decimal(said.get(name, "0")) for name in ("shipping", "shipping_tax", "tax")), Decimal(0))
        paid -= sum((Decimal(said.get(name, "0")) for name in ("discount", "shipping_discount")), Decimal(0))
    return paid + sum((Decimal(one["amount"]) for one in order.get("adjustments", ())), Decimal(0))


class World(Stack):
    """A stack with parties, stock and cases of the test's own."""

    def __init__(
        self,
        env: WorkflowEnvironment,
        running: RunningSandbox,
        sandbox: SandboxClient,
        engine: Engine,
        settings: Settings,
        task_queue: str,
    ) -> None:
        super().__init__(env, running, sandbox, engine, settings, task_queue)
        self.accounts: dict[str, str | None] = {}

    # ---- parties and stock ----

    async def seller(self, **settings: Any) -> Seller:
        """`account`: its own at the sandbox's gateway."""
        account: str | None = settings.pop("account", None)
        number = next(self.numbers)
        seller = Seller.model_validate(
            {
                "seller_id": f"acme-{self.tag}-{number}",
                "name": "Acme Parts",
                "email": f"office-{self.tag}-{number}@acme.example",
                "payment_method": "pm_card_visa",
                "choice_days": 0,  # what nobody has stays voided, unless the test is about that (ORD-8)
                "gateway_customer": f"cus_{self.tag}{number}",
                **settings,
            }
        )
        await asyncio.to_thread(self._put_seller, seller, account)
        return seller

    def _put_seller(self, seller: Seller, account: str | None) -> None:
        Parties(self.engine).put_seller(seller)
        connect_seller(self.engine, self.running.http_url, seller.seller_id, account)
        self.accounts[seller.seller_id] = account

    async def supplier(self, **settings: Any) -> Supplier:
        number = next(self.numbers)
        supplier = Supplier.model_validate(
            {
                "supplier_id": f"sup-{self.tag}-{number}",
                "name": "Reno Warehouse",
                "email": f"dock-{self.tag}-{number}@supplier.example",
                "return_address": "Reno Warehouse, Dock 4, 1 Depot Way, Reno NV 89501",
                **settings,
            }
        )
        await asyncio.to_thread(Parties(self.engine).put_supplier, supplier)
        policy = "service" if supplier.rma == "service" else "manual"
        await self.sandbox.put_supplier(supplier.supplier_id, SupplierSeed(rma=RmaPolicy(policy)))
        return supplier

    def sku(self) -> str:
        return f"SKU-{self.tag}-{next(self.numbers)}"

    async def stock(
        self,
        sku: str,
        quantity: int,
        supplier: Supplier,
        *,
        cost: str = "31.50",
        at: tuple[float, float] = RENO,
        second_source: bool = False,
        warehouse: str = "w1",
        currency: str = "USD",
    ) -> None:
        await self.sandbox.put_stock(
            StockSeed(
                supplier_id=supplier.supplier_id,
                warehouse_id=f"{supplier.supplier_id}-{warehouse}",
                sku=sku,
                quantity=quantity,
                unit_cost=Decimal(cost),
                currency=currency,
                latitude=at[0],
                longitude=at[1],
                second_source=second_source,
            )
        )

    # ---- cases ----

    async def order(
        self,
        seller: Seller,
        *lines: dict[str, Any],
        country: str = "US",
        buyer_method: str = "pm_card_visa",
        task_queue: str | None = None,
        **fields: Any,
    ) -> OrderStory:
        """Start an order. A line is `{"sku": ..., "quantity": ..., "unit_price": ..., "unit_cost": ...}`."""
        order_id = fields.pop("order_id", None) or f"{self.tag}-{next(self.numbers)}"
        currency = fields.pop("currency", "USD")
        full: list[dict[str, Any]] = [
            {"title": "Brake disc", "quantity": 1, "unit_price": "50.00", "unit_cost": "31.50"} | line
            for line in lines
        ]
        paid = _to_pay(full, fields)
        reference = f"pi_{order_id.replace('-', '')}"
        payment = {"paid_by": "stripe", "reference": reference, "amount": f"{paid:f}", "currency": currency}
        request = OrderRequest.at_the_door(
            {
                "order_id": order_id,
                "seller_id": seller.seller_id,
                "buyer": {
                    "email": f"robin-{order_id}@buyer.example",
                    "address": BUYER_IN_SACRAMENTO | {"country": country},
                },
                "lines": full,
                **({"currency": currency} if "payments" in fields else {"payment": payment}),
                **fields,
            }
        )
        for one in request.paid_with:
            if one.paid_by is PaidBy.STRIPE:
                await self.sandbox.seed_payment(
                    PaymentSeed(
                        id=one.reference or "",
                        amount=one.amount,
                        currency=one.currency,
                        account=self.accounts.get(seller.seller_id),
                        payment_method=buyer_method,
                    )
                )
        await self.sandbox.list_for_shipping(seller.seller_id, order_id)
        await open_order(self.client, request, task_queue=task_queue or self.task_queue)
        story = OrderStory(self, self.client.get_workflow_handle(order_workflow_id(order_id)), order_id)
        story.request = request
        return story

    async def simple_order(self, seller: Seller | None = None, **more: Any) -> OrderStory:
        """An order of two units of one item that is in stock."""
        supplier = more.pop("supplier", None) or await self.supplier()
        sku = self.sku()
        await self.stock(sku, 10, supplier)
        return await self.order(seller or await self.seller(), {"sku": sku, "quantity": 2}, **more)

    async def return_of(self, order: OrderStory, *, quantity: int | None = None, **fields: Any) -> CaseStory:
        """Start a return of an order's lines: all units, or `quantity` of each."""
        task_queue = fields.pop("task_queue", self.task_queue)
        return_id = fields.pop("return_id", f"RR-{order.id}-{next(self.numbers)}")
        lines = fields.pop("lines", None) or [
            {
                "line_id": line.line_id or str(position),
                "sku": line.sku,
                "quantity": quantity or line.quantity,
                "reason": "does not fit",
            }
            for position, line in enumerate(order.request.lines, start=1)
        ]
        request = ReturnRequest.at_the_door(
            {"return_id": return_id, "order_id": order.id, "lines": lines, "source": "seller", **fields}
        )
        await open_return(self.client, request, task_queue=task_queue)
        return CaseStory(self, self.client.get_workflow_handle(return_workflow_id(return_id)), return_id)

    async def refund(self, order: OrderStory, **fields: Any) -> CaseStory:
        """Start a direct refund of the buyer (REF-2)."""
        task_queue = fields.pop("task_queue", self.task_queue)
        refund_id = fields.pop("refund_id", f"RF-{order.id}-D{next(self.numbers)}")
        request = RefundRequest.at_the_door(
            {
                "refund_id": refund_id,
                "order_id": order.id,
                "currency": order.request.paid_currency,
                "reason": "goodwill",
                "requested_by": "seller:jane",
                **fields,
            }
        )
        await open_refund(self.client, request, task_queue=task_queue)
        return CaseStory(self, self.client.get_workflow_handle(refund_workflow_id(refund_id)), refund_id)

    async def cost_review(self, order: OrderStory, amount: str, **fields: Any) -> CaseStory:
        """The seller asks who bears the cost, after its buyer was refunded (BAL-2)."""
        review_id = fields.pop("review_id", f"CR-{order.id}-{next(self.numbers)}")
        given = {
            "review_id": review_id,
            "order_id": order.id,
            "amount": amount,
            "currency": order.request.paid_currency,
            "notes": "the wrong part was packed",
            "requested_by": "seller:jane",
            **fields,
        }
        task_queue = self.task_queue
        await open_cost_review(self.client, CostReviewRequest.at_the_door(given), task_queue=task_queue)
        return self.cost_review_story(review_id)

    def cost_review_story(self, review_id: str) -> CaseStory:
        handle = self.client.get_workflow_handle(cost_review_workflow_id(review_id))
        return CaseStory(self, handle, review_id)

    async def voided_order(self, quantity: int = 4, **settings: Any) -> OrderStory:
        """An order of one item that nobody has (ORD-7)."""
        item = {"sku": self.sku(), "quantity": quantity}
        order = await self.order(await self.seller(**settings), item)
        await order.reaches("cancel_window")
        await order.forward(minutes=31)
        await order.ends("voided")
        return order

    async def claim(self, order: OrderStory, amount: str, **fields: Any) -> CaseStory:
        """The seller bought one unit from a local dealer (CLM-1)."""
        claim_id = fields.pop("claim_id", f"CL-{order.id}-{next(self.numbers)}")
        given = {
            "claim_id": claim_id,
            "order_id": order.id,
            "seller_id": order.request.seller_id,
            "lines": [{"sku": order.request.lines[0].sku, "quantity": 1}],
            "amount": amount,
            "currency": order.request.charge_currency,
            "dealer": "Reno Auto Parts",
            "requested_by": "seller:jane",
            **fields,
        }
        await open_claim(self.client, ClaimRequest.at_the_door(given), task_queue=self.task_queue)
        return self.claim_story(claim_id)

    def claim_story(self, claim_id: str) -> CaseStory:
        return CaseStory(self, self.client.get_workflow_handle(claim_workflow_id(claim_id)), claim_id)

    def tracking_word(self) -> dict[str, Any]:
        """What a marketplace says of a parcel back; the same word whenever it is asked."""
        number = f"1Z-{self.tag}"
        return {"event_id": f"t-{self.tag}", "actor": "channel:ebay", "carrier": "UPS", "tracking_number": number}

    async def orphan(
        self, *numbers: str, event: str = "return_tracking", said: dict[str, Any] | None = None, **fields: Any
    ) -> CaseStory:
        """A marketplace's word about a case with these numbers (RET-20)."""
        request = self.orphan_request(*numbers, event=event, said=said, **fields)
        await report_orphan(self.client, request, task_queue=self.task_queue)
        return self.orphan_story(request.orphan_id)

    def orphan_request(
        self, *numbers: str, event: str = "return_tracking", said: dict[str, Any] | None = None, **fields: Any
    ) -> OrphanRequest:
        return OrphanRequest.of("ebay", event, said or self.tracking_word(), numbers=list(numbers), **fields)

    def orphan_story(self, orphan_id: str) -> CaseStory:
        return CaseStory(self, self.client.get_workflow_handle(orphan_workflow_id(orphan_id)), orphan_id)

    def refund_story(self, refund_id: str) -> CaseStory:
        return CaseStory(self, self.client.get_workflow_handle(refund_workflow_id(refund_id)), refund_id)

    def order_story(self, order_id: str) -> OrderStory:
        return OrderStory(self, self.client.get_workflow_handle(order_workflow_id(order_id)), order_id)

    def return_story(self, return_id: str) -> CaseStory:
        return CaseStory(self, self.client.get_workflow_handle(return_workflow_id(return_id)), return_id)
