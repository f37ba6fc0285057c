"""A supplier, or a network of them, over the JSON API of docs/partner-api.md: stock, orders, RMA numbers."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote

import structlog
from pydantic import ValidationError

from activities.connectors.access import Access
from activities.connectors.http import Partner, WireModel, error_code, error_of
from activities.connectors.supplier_api import LocatedOffer
from models.naming import by_sku
from models.orders import SupplierOrder
from models.partners import PlacedOrder, PlaceSupplierOrder, RequestRma, RmaAnswer, SaidNumber

log: structlog.stdlib.BoundLogger = structlog.get_logger("suppliers")


class _Offers(WireModel):
    offers: tuple[dict[str, Any], ...]


class _Accepted(WireModel):
    state: Literal["accepted"]
    supplier_reference: SaidNumber | None = None


class _Rma(WireModel):
    state: Literal["issued", "pending", "refused"]
    rma_number: SaidNumber | None = None
    return_address: str | None = None
    reason: str | None = None


class JsonSupplier:
    """As in `SupplierApi`."""

    def __init__(self, access: Access) -> None:
        self._partner = Partner("supplier network", access, access.bearer, each="supplier")

    async def stock(self, skus: Sequence[str], *, second_source: bool) -> Iterator[LocatedOffer]:
        what = "find stock"
        params = [("sku", sku) for sku in skus]
        if second_source:
            params.append(("second_source", "true"))
        answer = await self._partner.call(what, "GET", "/v1/stock", params=params)
        return _readable(self._partner.read(what, answer, _Offers))

    async def place(self, ask: PlaceSupplierOrder) -> PlacedOrder:
        what = "place an order with a supplier"
        answer = await self._partner.call(
            what,
            "PUT",
            f"/v1/orders/{quote(ask.order.number, safe='')}",
            json={
                "supplier_id": ask.order.supplier_id,
                "warehouse_id": ask.order.warehouse_id,
                "ship_to": ask.ship_to.model_dump(mode="json", exclude={"latitude", "longitude"}),
                "lines": _by_item(ask.order),
            },
            expects={409},
            party=ask.order.supplier_id,
        )
        if answer.status_code == 409:
            return PlacedOrder(state="refused", reason=error_code(error_of(answer)))
        accepted = self._partner.read(what, answer, _Accepted)
        return PlacedOrder(state="accepted", supplier_reference=accepted.supplier_reference)

    async def request_rma(self, ask: RequestRma) -> RmaAnswer:
        what = "request an RMA number"
        if len(ask.reasons) != len(ask.lines):
            raise self._partner.invalid(what, "each line needs one reason")
        answer = await self._partner.call(
            what,
            "PUT",
            f"/v1/rmas/{quote(ask.return_id, safe='')}",
            json={
                "supplier_id": ask.supplier_id,
                "supplier_order_number": ask.supplier_order_number,
                "lines": [
                    {"sku": line.sku, "quantity": line.quantity, "reason": reason}
                    for line, reason in zip(ask.lines, ask.reasons, strict=True)
                ],
            },
            expects={409},
            party=ask.supplier_id,
        )
        if answer.status_code == 409:
            return RmaAnswer(state="refused", reason=error_code(error_of(answer)))
        rma = self._partner.read(what, answer, _Rma)
        if rma.state == "issued" and rma.rma_number is None:
            raise self._partner.unavailable(what, "issued an RMA without saying its number", answer)
        return RmaAnswer(
            state=rma.state, rma_number=rma.rma_number, return_address=rma.return_address, reason=rma.reason
        )

    async def test(self) -> None:
        await self._partner.test("/v1/stock?sku=connection-test", _Offers)


def _readable(answer: _Offers) -> Iterator[LocatedOffer]:
    """The offers that can be read; a wrong one in one supplier's feed must not stop the others."""
    unreadable = 0
    for raw in answer.offers:
        try:
            yield LocatedOffer.model_validate(raw)
        except ValidationError:
            unreadable += 1
    if unreadable:
        log.warning("stock offers can't be read", unreadable=unreadable, offers=len(answer.offers))


def _by_item(order: SupplierOrder) -> list[dict[str, object]]:
    """A supplier knows items: lines of one item are one line there, added up (ORD-13)."""
    cost = {line.sku: line.unit_cost for line in reversed(order.lines)}
    return [
        {"sku": sku, "quantity": units, "unit_cost": _money(cost[sku])}
        for sku, units in by_sku(order.lines).items()
    ]


def _money(amount: Decimal) -> str:
    return format(amount, "f")
