"""The supplier network and the shop, as docs/partner-api.md says."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from starter.sandbox import SandboxClient
from starter.sandbox.facts import RmaPolicy, StockSeed, SupplierSeed

ADDRESS = {
    "name": "Bo",
    "line1": "1 Road",
    "city": "Reno",
    "region": "NV",
    "postal_code": "89501",
    "country": "US",
}


def brakes(**more: Any) -> StockSeed:
    seed: dict[str, Any] = {
        "supplier_id": "acme",
        "warehouse_id": "acme-reno",
        "sku": "BRK-100",
        "quantity": 12,
        "unit_cost": "31.50",
        "latitude": 39.53,
        "longitude": -119.81,
    }
    return StockSeed.model_validate(seed | more)


def order(quantity: int = 2, sku: str = "BRK-100") -> dict[str, Any]:
    return {
        "supplier_id": "acme",
        "warehouse_id": "acme-reno",
        "ship_to": ADDRESS,
        "lines": [{"sku": sku, "quantity": quantity, "unit_cost": "31.50"}],
    }


def rma() -> dict[str, Any]:
    lines = [{"sku": "BRK-100", "quantity": 1, "reason": "does not fit"}]
    return {"supplier_id": "acme", "supplier_order_number": "1001-1", "lines": lines}


async def offers(supplier: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await supplier.get("/v1/stock", params={"sku": "BRK-100"} | query)
    found: list[dict[str, Any]] = answer.json()["offers"]
    return found


async def test_ORD_5_stock_is_told_per_warehouse_with_its_place(
    supplier: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await sandbox.put_stock(brakes(), brakes(warehouse_id="acme-ohio", quantity=1), brakes(sku="OTHER"))
    found = await offers(supplier)
    assert [(offer["warehouse_id"], offer["quantity"]) for offer in found] == [("acme-reno", 12), ("acme-ohio", 1)]
    assert found[0] == {
        "supplier_id": "acme",
        "warehouse_id": "acme-reno",
        "sku": "BRK-100",
        "quantity": 12,
        "unit_cost": "31.50",
        "currency": "USD",
        "latitude": 39.53,
        "longitude": -119.81,
    }
    assert (await supplier.get("/v1/stock")).status_code == 400


async def test_ORD_6_second_sources_are_kept_apart(supplier: httpx.AsyncClient, sandbox: SandboxClient) -> None:
    await sandbox.second_source(brakes(supplier_id="far", warehouse_id="far-away", unit_cost="99.00"))
    assert await offers(supplier) == []
    assert [offer["supplier_id"] for offer in await offers(supplier, second_source="true")] == ["far"]


async def test_an_order_put_twice_is_one_order_and_lowers_the_stock_once(
    supplier: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await sandbox.put_stock(brakes())
    assert (await supplier.get("/v1/orders/1001-1")).status_code == 404
    first = await supplier.put("/v1/orders/1001-1", json=order())
    again = await supplier.put("/v1/orders/1001-1", json=order())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == (await supplier.get("/v1/orders/1001-1")).json()
    assert first.json()["state"] == "accepted"
    assert [offer["quantity"] for offer in await offers(supplier)] == [10]
    (fact,) = (await sandbox.effects()).supplier_orders
    assert (fact.number, fact.supplier_id, fact.lines[0]["quantity"]) == ("1001-1", "acme", 2)
    other = await supplier.put("/v1/orders/1001-1", json=order(3))
    assert (other.status_code, other.json()["error"]["code"]) == (422, "number_taken")


async def test_ORD_6_a_supplier_may_lack_what_it_says_it_has(
    supplier: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await sandbox.put_stock(brakes())
    await sandbox.put_supplier("acme", SupplierSeed(refuses=("BRK-100",)))
    refused = await supplier.put("/v1/orders/1001-1", json=order())
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "out_of_stock")
    assert [offer["quantity"] for offer in await offers(supplier)] == [12]

    await sandbox.put_supplier("acme", SupplierSeed(refuses=("*",), refusal="refused"))
    assert (await supplier.put("/v1/orders/1001-1", json=order())).json()["error"]["code"] == "refused"
    await sandbox.put_supplier("acme", SupplierSeed())
    too_many = await supplier.put("/v1/orders/1001-1", json=order(13))
    assert (too_many.status_code, too_many.json()["error"]["code"]) == (409, "out_of_stock")
    assert (await sandbox.effects()).supplier_orders == ()


async def test_what_is_malformed_is_refused_with_the_field(
    supplier: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await sandbox.put_stock(brakes())
    wrong = await supplier.put("/v1/orders/1001-1", json=order() | {"buyer_paid": "99.00"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "invalid")
    assert "buyer_paid" in wrong.json()["error"]["message"]
    assert (await supplier.put("/v1/orders/1001-1", content=b"{")).status_code == 400
    assert (await supplier.get("/v1/stock?sku=A", headers={"Authorization": ""})).status_code == 401
    assert (await supplier.get("/v1/nothing")).status_code == 404


@pytest.mark.parametrize(
    ("policy", "answer"),
    [
        (RmaPolicy.NONE, {"state": "issued", "rma_number": "1001-1", "return_address": "Dock 4, Reno"}),
        (RmaPolicy.SERVICE, {"state": "issued", "rma_number": "RMA-ACME-0001", "return_address": "Dock 4, Reno"}),
        (RmaPolicy.EMAIL, {"state": "pending"}),
        (RmaPolicy.MANUAL, {"state": "pending"}),
        (RmaPolicy.REFUSED, {"state": "refused", "reason": "electrical part"}),
    ],
)
async def test_RET_8_an_rma_is_issued_promised_or_refused_and_the_answer_stays(
    supplier: httpx.AsyncClient, sandbox: SandboxClient, policy: RmaPolicy, answer: dict[str, str]
) -> None:
    await sandbox.put_supplier(
        "acme", SupplierSeed(rma=policy, rma_refusal="electrical part", return_address="Dock 4, Reno")
    )
    assert (await supplier.get("/v1/rmas/RR-1001-1")).status_code == 404
    first = await supplier.put("/v1/rmas/RR-1001-1", json=rma())
    again = await supplier.put("/v1/rmas/RR-1001-1", json=rma())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == (await supplier.get("/v1/rmas/RR-1001-1")).json() == answer
    assert [fact.state for fact in (await sandbox.effects()).rmas] == [answer["state"]]


async def test_ORD_9_a_tracking_number_reaches_the_shop_once(
    shop: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    url = "/v1/sellers/site/orders/1001/shipments/S1"
    body = {"channel": "web_shop", "channel_order_id": None, "carrier": "UPS", "tracking_number": "1Z9"}
    body_with_lines = body | {"lines": [{"sku": "BRK-100", "quantity": 2}]}
    assert [(await shop.put(url, json=body_with_lines)).status_code for _ in range(2)] == [201, 200]
    changed = await shop.put(url, json=body_with_lines | {"tracking_number": "1Z0"})
    assert changed.status_code == 422
    (fact,) = (await sandbox.effects()).shipments
    assert (fact.order_id, fact.tracking_number, fact.after_stop) == ("1001", "1Z9", False)


async def test_CAN_11_a_stopped_order_never_comes_back_to_the_shipping_list(
    shop: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    assert (await sandbox.list_for_shipping("site", "1001")).state == "listed"
    stop = {"channel": "web_shop", "channel_order_id": None, "state": "stopped", "reason": "cancelled"}
    for _ in range(2):
        assert (await shop.put("/v1/sellers/site/orders/1001/shipping-list", json=stop)).status_code == 200
    assert (await sandbox.list_for_shipping("site", "1001")).state == "stopped"
    (fact,) = (await sandbox.effects()).stops
    assert (fact.order_id, fact.reason) == ("1001", "cancelled")
    assert [one.work_done for one in await sandbox.requests("shop")] == [True, False]


async def test_money_in_a_seed_is_a_decimal_string(sandbox: SandboxClient, supplier: httpx.AsyncClient) -> None:
    scene = "stock: [{supplier_id: acme, warehouse_id: w, sku: BRK-100, quantity: 3, unit_cost: %s}]"
    url = f"{str(supplier.base_url).removesuffix('supplier/')}sandbox/seed"
    refused = await supplier.put(url, content=scene % "1.5")
    assert (refused.status_code, "decimal string" in refused.text) == (422, True)
    assert (await supplier.put(url, content=scene % "'1.50'")).status_code == 200
    assert [stock.unit_cost for stock in await sandbox.stock()] == [Decimal("1.50")]
