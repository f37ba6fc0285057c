"""The broker buys the items from suppliers: sources, second sources, orders placed (ORD-4..6)."""

import asyncio
from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.case import OrderStage as Stage
    from models.case import Who
    from models.order_lines import OrderLines
    from models.orders import Address, SupplierOrder
    from models.partners import FindStock, PlaceSupplierOrder, StockOffer
    from models.records import SupplierOrderRecord
    from models.sourcing import choose_from_stock, supplier_orders
    from workflows.case import Case


class Buying:
    """The broker's orders to suppliers for one order of a buyer."""

    def __init__(self, case: Case, lines: OrderLines, ship_to: Address, currency: str) -> None:
        self._case = case
        self._lines = lines
        self._ship_to = ship_to
        self._currency = currency
        self.records: list[SupplierOrderRecord] = []
        self.handed_off_at: datetime | None = None
        """When the first supplier accepted (ORD-4)."""
        self._refused: set[tuple[str, str, str]] = set()
        self.evidence: dict[str, str] = {}
        """What the stock feed said and who refused, for CAN-12."""

    async def find_sources(
        self, wanted: dict[str, int], minimum_stock: int
    ) -> tuple[list[SupplierOrder], dict[str, int]]:
        """Orders to the closest warehouses that have the stock, else to the network at any price (ORD-6).

        Gives the orders, and the units that nobody has.
        """
        orders: list[SupplierOrder] = []
        missing = wanted
        for second_source in (False, True):
            if not missing:
                break
            stock = await self._case.ask(
                calls.FIND_STOCK,
                FindStock(skus=tuple(missing), ship_to=self._ship_to, second_source=second_source),
                stage=Stage.PLACING,
                who=Who.SUPPLIER,
                what="say who has a second source" if second_source else "say who has the items in stock",
            )
            feed = "second source" if second_source else "stock feed"
            for sku in missing:
                offered = sum(offer.quantity for offer in stock.offers if offer.sku == sku)
                self.evidence[f"{feed} of {sku}"] = f"{offered} at {workflow.now().isoformat()}"
            sourcing = choose_from_stock(
                self._lines.wanted(missing),
                [offer for offer in stock.offers if self._may_buy(offer)],
                minimum_stock,
                self._currency,
            )
            first = len(self.records) + len(orders) + 1
            found = supplier_orders(self._case.order_id, sourcing.picks, first, second_source=second_source)
            if second_source and found:
                self._case.step("not in stock: second-sourced; the broker bears the difference")
            orders += found
            missing = sourcing.missing
        return orders, missing

    async def place(self, orders: list[SupplierOrder]) -> dict[str, int]:
        """Send the orders to their suppliers; gives the units that were refused."""
        refused: dict[str, int] = {}
        for order in orders:
            if not await self._place(order):
                for line in order.lines:
                    refused[line.sku] = refused.get(line.sku, 0) + line.quantity
        return refused

    async def _place(self, order: SupplierOrder) -> bool:
        source = f"{order.supplier_id}, warehouse {order.warehouse_id}"
        try:
            answer = await self._case.ask(
                calls.PLACE_SUPPLIER_ORDER,
                PlaceSupplierOrder(order_id=self._case.order_id, order=order, ship_to=self._ship_to),
                stage=Stage.PLACING,
                who=Who.SUPPLIER,
                what=f"accept order {order.number}",
            )
        except asyncio.CancelledError:
            # Staff stopped the case meanwhile: the supplier may have it all the same, so the books name it.
            reason = "stopped by staff before the supplier's answer was heard"
            self.records.append(
                SupplierOrderRecord(order=order, state="unknown", reason=reason, at=workflow.now())
            )
            self._case.step(f"order {order.number} was on its way to {source}: its answer is not known")
            raise
        self.records.append(
            SupplierOrderRecord(
                order=order,
                state=answer.state,
                supplier_reference=answer.supplier_reference,
                reason=answer.reason,
                at=workflow.now(),
            )
        )
        if answer.state == "refused":
            self._case.step(f"order {order.number} refused by {source}: {answer.reason}", Who.SUPPLIER)
            self._refused.update((order.supplier_id, order.warehouse_id, line.sku) for line in order.lines)
            self.evidence[f"refused by {source}"] = f"{answer.reason} at {workflow.now().isoformat()}"
            return False
        self.handed_off_at = self.handed_off_at or workflow.now()
        self._case.label(contract.SUPPLIER_ID.value_set(order.supplier_id))
        self._case.step(f"order {order.number} placed with {source}", Who.SUPPLIER)
        return True

    def in_words(self) -> str:
        """Each order that is, or may be, with a supplier, as staff have to know it."""
        told = {"accepted": "was accepted by", "unknown": "was on its way, its answer is not known; ask"}
        orders = [
            f"order {record.order.number} {told[record.state]} {record.order.supplier_id}"
            for record in self.records
            if record.state in told
        ]
        return "; ".join(orders) or "no order was placed"

    def _may_buy(self, offer: StockOffer) -> bool:
        return (offer.supplier_id, offer.warehouse_id, offer.sku) not in self._refused
