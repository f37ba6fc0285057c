"""The supplier network: stock per warehouse, orders, RMA numbers (docs/partner-api.md)."""

from typing import Any, Literal

from pydantic import model_validator

from models.buyers import Address
from models.ids import CaseId
from models.message import LongText, Message, Number, Sku, WholeQuantity, folded, require_distinct_skus
from models.money import NonNegativeAmount
from models.partners import ItemQuantity
from starter.sandbox.facts import PartnerName, RmaFact, RmaPolicy, StockSeed, SupplierOrderFact, SupplierSeed
from starter.sandbox.json_partner import JsonPartner, body_of, refused
from starter.sandbox.store import Document, Store
from starter.sandbox.wire import Answer, Asked, Work


class OrderedLine(Message):
    sku: Sku
    quantity: WholeQuantity
    unit_cost: NonNegativeAmount


class OrderBody(Message):
    """`PUT /v1/orders/{number}`."""

    supplier_id: CaseId
    warehouse_id: CaseId
    ship_to: Address
    lines: tuple[OrderedLine, ...]

    @model_validator(mode="after")
    def _has_lines(self) -> "OrderBody":
        if not self.lines:
            raise ValueError("an order has at least one line")
        require_distinct_skus(self.lines)
        return self


class RmaLine(ItemQuantity):
    reason: LongText


class RmaBody(Message):
    """`PUT /v1/rmas/{return_id}`."""

    supplier_id: CaseId
    supplier_order_number: Number
    lines: tuple[RmaLine, ...]


class StoredSupplier(Document):
    kind = "supplier"
    behaviour: SupplierSeed


class StoredStock(Document):
    """One item in one warehouse, listed by its SKU, however that is spelled (ORD-21)."""

    kind = "stock"
    stock: StockSeed

    @property
    def owner(self) -> str:
        return folded(self.stock.sku)


class StoredOrder(Document):
    kind = "supplier_order"
    asked: OrderBody
    fact: SupplierOrderFact

    @property
    def owner(self) -> str:
        return self.fact.supplier_id


class StoredRma(Document):
    kind = "rma"
    asked: RmaBody
    fact: RmaFact
    return_address: str | None


class SupplierNetwork(JsonPartner):
    """All suppliers behind one address."""

    name = PartnerName.SUPPLIER

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[tuple[str, str, Work]]:
        """Method, path, work."""
        return [
            ("GET", "/v1/stock", self.stock),
            ("PUT", "/v1/orders/{number}", self.put_order),
            ("GET", "/v1/orders/{number}", self.get_order),
            ("PUT", "/v1/rmas/{return_id}", self.put_rma),
            ("GET", "/v1/rmas/{return_id}", self.get_rma),
        ]

    # ---- stock ----

    def stock(self, asked: Asked) -> Answer:
        """Who has these items; second sources only when asked for them (ORD-6)."""
        skus = asked.query.get("sku")
        if not skus:
            raise refused(400, "sku_missing", "name at least one sku")
        second_source = asked.query.get("second_source", ["false"])[-1] == "true"
        offers = [
            stored.stock.model_dump(mode="json", exclude={"second_source"})
            for sku in dict.fromkeys(map(folded, skus))
            for stored in self._store.find(StoredStock, owner=sku)
            if stored.stock.second_source is second_source
        ]
        return Answer(200, {"offers": offers})

    # ---- orders ----

    def put_order(self, asked: Asked) -> Answer:
        """Accept it and lower the stock, or say no; the same one again changes nothing."""
        number, body = asked.parts["number"], body_of(asked, OrderBody)
        known = self._store.get(StoredOrder, number)
        if known is not None:
            if known.asked != body:
                raise refused(422, "number_taken", f"{number} is the number of another order")
            return Answer(200, _order_json(known))
        rows = self._rows_for(body)
        for row, line in zip(rows, body.lines, strict=True):
            left = row.stock.model_copy(update={"quantity": row.stock.quantity - line.quantity})
            self._store.put(row.model_copy(update={"stock": left}))
        order = StoredOrder(
            id=number,
            asked=body,
            fact=SupplierOrderFact(
                number=number,
                supplier_id=body.supplier_id,
                warehouse_id=body.warehouse_id,
                supplier_reference=f"SO-{self._store.count(StoredOrder) + 1:06d}",
                lines=tuple(line.model_dump(mode="json") for line in body.lines),
                at=self._store.now(),
            ),
        )
        self._store.put(order)
        return Answer(201, _order_json(order), changed=True)

    def get_order(self, asked: Asked) -> Answer:
        order = self._store.get(StoredOrder, asked.parts["number"])
        if order is None:
            raise refused(404, "not_found", "no such order")
        return Answer(200, _order_json(order))

    def _rows_for(self, body: OrderBody) -> list[StoredStock]:
        """The stock of each line. Raises Refused (409) if the supplier says no."""
        behaviour = self._behaviour(body.supplier_id)
        rows = []
        for line in body.lines:
            if line.sku in behaviour.refuses or "*" in behaviour.refuses:
                raise refused(409, behaviour.refusal, f"{line.sku} can't be supplied")
            row = self._store.get(StoredStock, _stock_id(body.supplier_id, body.warehouse_id, line.sku))
            if row is None or row.stock.quantity < line.quantity:
                raise refused(409, "out_of_stock", f"{line.sku} is not in stock in that quantity")
            rows.append(row)
        return rows

    # ---- RMA ----

    def put_rma(self, asked: Asked) -> Answer:
        """Give an RMA number, promise one, or refuse; the same request again gives the same answer."""
        return_id, body = asked.parts["return_id"], body_of(asked, RmaBody)
        known = self._store.get(StoredRma, return_id)
        if known is not None:
            if known.asked != body:
                raise refused(422, "number_taken", f"{return_id} is the number of another return")
            return Answer(200, _rma_json(known))
        behaviour = self._behaviour(body.supplier_id)
        rma = StoredRma(
            id=return_id,
            asked=body,
            fact=self._decided(return_id, body, behaviour),
            return_address=behaviour.return_address,
        )
        self._store.put(rma)
        return Answer(201, _rma_json(rma), changed=True)

    def get_rma(self, asked: Asked) -> Answer:
        rma = self._store.get(StoredRma, asked.parts["return_id"])
        if rma is None:
            raise refused(404, "not_found", "no such request for an RMA")
        return Answer(200, _rma_json(rma))

    def _decided(self, return_id: str, body: RmaBody, behaviour: SupplierSeed) -> RmaFact:
        state: Literal["issued", "pending", "refused"] = "pending"
        number, reason = None, None
        if behaviour.rma is RmaPolicy.NONE:
            state, number = "issued", body.supplier_order_number
        elif behaviour.rma is RmaPolicy.SERVICE:
            state, number = "issued", f"RMA-{body.supplier_id.upper()}-{self._store.count(StoredRma) + 1:04d}"
        elif behaviour.rma is RmaPolicy.REFUSED:
            state, reason = "refused", behaviour.rma_refusal
        return RmaFact(
            return_id=return_id,
            supplier_id=body.supplier_id,
            supplier_order_number=body.supplier_order_number,
            state=state,
            rma_number=number,
            reason=reason,
        )

    # ---- seeds and facts ----

    def seed_supplier(self, supplier_id: str, behaviour: SupplierSeed) -> None:
        self._store.put(StoredSupplier(id=supplier_id, behaviour=behaviour))

    def seed_stock(self, stock: StockSeed) -> None:
        """This is what the warehouse has of the item now."""
        self._store.put(StoredStock(id=_stock_id(stock.supplier_id, stock.warehouse_id, stock.sku), stock=stock))

    def stocks(self) -> list[StockSeed]:
        return [stored.stock for stored in self._store.find(StoredStock)]

    def suppliers(self) -> dict[str, SupplierSeed]:
        return {stored.id: stored.behaviour for stored in self._store.find(StoredSupplier)}

    def orders(self) -> list[SupplierOrderFact]:
        return [order.fact for order in self._store.find(StoredOrder)]

    def rmas(self) -> list[RmaFact]:
        return [rma.fact for rma in self._store.find(StoredRma)]

    def _behaviour(self, supplier_id: str) -> SupplierSeed:
        stored = self._store.get(StoredSupplier, supplier_id)
        return stored.behaviour if stored else SupplierSeed()


def _stock_id(supplier_id: str, warehouse_id: str, sku: str) -> str:
    return f"{supplier_id}/{warehouse_id}/{folded(sku)}"


def _order_json(order: StoredOrder) -> dict[str, Any]:
    return {"number": order.id, "state": "accepted", "supplier_reference": order.fact.supplier_reference}


def _rma_json(rma: StoredRma) -> dict[str, Any]:
    if rma.fact.state == "issued":
        return {"state": "issued", "rma_number": rma.fact.rma_number, "return_address": rma.return_address}
    if rma.fact.state == "refused":
        return {"state": "refused", "reason": rma.fact.reason}
    return {"state": "pending"}
