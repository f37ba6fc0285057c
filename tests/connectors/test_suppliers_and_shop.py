"""Suppliers and shop over the JSON API of docs/partner-api.md."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.connectors.channels import Channels
from activities.connectors.connections import Connections
from activities.connectors.places import Place, distance_km, place_of
from activities.connectors.suppliers import Suppliers
from models.buyers import Address
from models.partners import AnnounceTracking, PlaceSupplierOrder, RequestRma, StopShipping
from starter.sandbox import SandboxClient
from starter.sandbox.facts import RmaPolicy, StockSeed, SupplierSeed
from tests.connections import connections


@pytest.fixture
def suppliers(partners: Connections, sandbox: SandboxClient) -> Suppliers:
    return Suppliers(partners)


@pytest.fixture
def shop(partners: Connections, sandbox: SandboxClient) -> Channels:
    return Channels(partners)


def address(**more: Any) -> Address:
    return Address.model_validate(
        {
            "name": "Eve Buyer",
            "line1": "1 Main St",
            "city": "Reno",
            "region": "NV",
            "postal_code": "89501",
            "country": "US",
        }
        | more
    )


def stock(warehouse: str, quantity: int = 10, **more: Any) -> StockSeed:
    return StockSeed.model_validate(
        {"supplier_id": "acme", "warehouse_id": warehouse, "sku": "BRK-100", "quantity": quantity}
        | {"unit_cost": "31.50"}
        | more
    )


def order(number: str = "1001-1", quantity: int = 2) -> PlaceSupplierOrder:
    return PlaceSupplierOrder.model_validate(
        {
            "order_id": "1001",
            "order": {
                "number": number,
                "supplier_id": "acme",
                "warehouse_id": "acme-reno",
                "lines": [{"line_id": "1", "sku": "BRK-100", "quantity": quantity, "unit_cost": "31.50"}],
            },
            "ship_to": address(latitude=39.5, longitude=-119.8).model_dump(mode="json"),
        }
    )


def rma(return_id: str = "RR-1001-1", reasons: tuple[str, ...] = ("does not fit",)) -> RequestRma:
    return RequestRma.model_validate(
        {
            "return_id": return_id,
            "supplier_id": "acme",
            "supplier_order_number": "1001-1",
            "lines": [{"sku": "BRK-100", "quantity": 1}],
            "reasons": reasons,
        }
    )


# ---- ORD-5: how far it is ----


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ({"latitude": 1.5, "longitude": 2.5}, Place(1.5, 2.5)),
        ({"postal_code": "89501-1234"}, Place(39.5268, -119.8113)),
        ({"postal_code": "00000"}, None),
        ({"postal_code": "A1 1AA"}, None),
        ({"postal_code": "٨٩٥٠١"}, None),
        ({"postal_code": "89501", "country": "DE"}, None),
    ],
)
def test_ORD_5_an_address_is_placed_by_its_coordinates_or_its_us_postal_code(
    where: dict[str, Any], place: Place | None
) -> None:
    assert place_of(address(**where)) == place


def test_ORD_5_distances_are_great_circles() -> None:
    assert distance_km(Place(0, 0), Place(0, 0)) == 0
    assert distance_km(Place(0, 0), Place(0, 180)) == pytest.approx(20015.1, abs=0.1)
    assert distance_km(Place(52.52, 13.405), Place(48.8566, 2.3522)) == pytest.approx(877.5, abs=1)


# ---- the order goes to a supplier ----


async def test_CAN_4_an_order_sent_twice_is_one_order(
    suppliers: Suppliers, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await sandbox.put_stock(stock("acme-reno"))
    await sandbox.add_fault("supplier", "drop_after", match="PUT /v1/orders")
    with pytest.raises(ApplicationError) as raised:
        await activities.run(suppliers.place_supplier_order, order())
    assert raised.value.type == "PartnerUnavailable"
    placed = await activities.run(suppliers.place_supplier_order, order())
    (fact,) = (await sandbox.effects()).supplier_orders
    assert (placed.state, placed.supplier_reference) == ("accepted", fact.supplier_reference)
    assert [one.quantity for one in await sandbox.stock()] == [8]


async def test_ORD_5_the_supplier_gets_the_address_and_what_it_is_paid_and_nothing_else(
    suppliers: Suppliers, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await sandbox.put_stock(stock("acme-reno"))
    await activities.run(suppliers.place_supplier_order, order())
    (request,) = await sandbox.requests("supplier", "/v1/orders")
    assert set(request.body) == {"supplier_id", "warehouse_id", "ship_to", "lines"}
    assert set(request.body["ship_to"]) == {"name", "company", "line1", "line2", "line3", "city"} | {
        "region",
        "postal_code",
        "country",
        "phone",
    }
    assert request.body["lines"] == [{"sku": "BRK-100", "quantity": 2, "unit_cost": "31.50"}]


async def test_ORD_6_a_supplier_that_does_not_have_it_after_all_is_an_answer(
    suppliers: Suppliers, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await sandbox.put_stock(stock("acme-reno"))
    await sandbox.put_supplier("acme", SupplierSeed(refuses=("BRK-100",)))
    placed = await activities.run(suppliers.place_supplier_order, order())
    assert (placed.state, placed.reason) == ("refused", "out_of_stock")


async def test_CAN_4_a_number_taken_by_another_order_is_for_staff(
    suppliers: Suppliers, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await sandbox.put_stock(stock("acme-reno"))
    await activities.run(suppliers.place_supplier_order, order(quantity=1))
    with pytest.raises(ApplicationError) as raised:
        await activities.run(suppliers.place_supplier_order, order(quantity=3))
    assert (raised.value.type, raised.value.non_retryable) == ("RefusedByPartner", True)


async def test_RET_16_a_busy_supplier_is_asked_again_when_it_said(
    suppliers: Suppliers, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await sandbox.add_fault("supplier", "rate_limit", retry_after=42)
    with pytest.raises(ApplicationError) as raised:
        await activities.run(suppliers.place_supplier_order, order())
    assert (raised.value.type, raised.value.next_retry_delay) == ("PartnerUnavailable", timedelta(seconds=42))


# ---- RET-8: the RMA number ----


async def test_RET_8_a_service_issues_the_number_once(
    suppliers: Suppliers, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await sandbox.put_stock(stock("acme-reno"))
    await activities.run(suppliers.place_supplier_order, order())
    await sandbox.put_supplier("acme", SupplierSeed(rma=RmaPolicy.SERVICE, return_address="Dock 4\nReno"))
    issued = await activities.run(suppliers.request_rma, rma())
    assert (issued.state, issued.return_address) == ("issued", "Dock 4\nReno")
    assert issued.rma_number is not None
    assert await activities.run(suppliers.request_rma, rma()) == issued
    assert len((await sandbox.effects()).rmas) == 1


@pytest.mark.parametrize(
    ("policy", "state"),
    [(RmaPolicy.EMAIL, "pending"), (RmaPolicy.MANUAL, "pending"), (RmaPolicy.REFUSED, "refused")],
)
async def test_RET_8_a_supplier_may_need_time_or_refuse(
    suppliers: Suppliers, sandbox: SandboxClient, activities: ActivityEnvironment, policy: RmaPolicy, state: str
) -> None:
    await sandbox.put_stock(stock("acme-reno"))
    await activities.run(suppliers.place_supplier_order, order())
    await sandbox.put_supplier("acme", SupplierSeed(rma=policy))
    answer = await activities.run(suppliers.request_rma, rma())
    assert (answer.state, answer.rma_number) == (state, None)
    assert (answer.reason is not None) == (state == "refused")


async def test_RET_8_a_service_that_issues_no_number_is_asked_again(activities: ActivityEnvironment) -> None:
    suppliers = Suppliers(
        connections(httpx.MockTransport(lambda _: httpx.Response(200, json={"state": "issued"})))
    )
    with pytest.raises(ApplicationError) as raised:
        await activities.run(suppliers.request_rma, rma())
    assert raised.value.type == "PartnerUnavailable"


async def test_RET_8_each_line_needs_its_reason(suppliers: Suppliers, activities: ActivityEnvironment) -> None:
    with pytest.raises(ApplicationError) as raised:
        await activities.run(suppliers.request_rma, rma(reasons=()))
    assert (raised.value.type, raised.value.non_retryable) == ("InvalidInput", True)


# ---- the shop ----


def tracking(shipment_id: str = "S-1") -> AnnounceTracking:
    return AnnounceTracking.model_validate(
        {
            "order_id": "1001",
            "seller_id": "acme",
            "channel": "web_shop",
            "shipment_id": shipment_id,
            "carrier": "UPS",
            "tracking_number": "1Z999",
            "lines": [{"sku": "BRK-100", "quantity": 2}],
        }
    )


async def test_ORD_9_a_tracking_number_reaches_the_shop_once(
    shop: Channels, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    for _ in range(2):
        await activities.run(shop.announce_tracking, tracking())
    (shipment,) = (await sandbox.effects()).shipments
    assert (shipment.order_id, shipment.carrier, shipment.tracking_number) == ("1001", "UPS", "1Z999")


async def test_CAN_11_a_cancelled_order_leaves_the_shipping_list(
    shop: Channels, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await sandbox.list_for_shipping("acme", "1001")
    stop = StopShipping(order_id="1001", seller_id="acme", channel="web_shop", reason="buyer changed their mind")
    for _ in range(2):
        await activities.run(shop.stop_shipping, stop)
    assert [(one.order_id, one.state) for one in await sandbox.shipping_list()] == [("1001", "stopped")]


async def test_RET_16_a_shop_that_is_down_is_tried_again(
    shop: Channels, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await sandbox.add_fault("shop", "error", times=1)
    with pytest.raises(ApplicationError) as raised:
        await activities.run(shop.announce_tracking, tracking())
    assert raised.value.type == "PartnerUnavailable"
    await activities.run(shop.announce_tracking, tracking())
    assert len((await sandbox.effects()).shipments) == 1


async def test_ORD_21_a_partners_number_may_have_any_sign(
    shop: Channels, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    said = tracking("WH/OUT/00012").model_copy(update={"channel_order_id": "#1071"})
    for _ in range(2):
        await activities.run(shop.announce_tracking, said)
    assert [one.shipment_id for one in (await sandbox.effects()).shipments] == ["WH/OUT/00012"]


async def test_ORD_13_a_supplier_gets_an_item_of_two_lines_once(
    suppliers: Suppliers, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await sandbox.put_stock(stock("acme-reno"))
    one = order(quantity=1)
    lines = tuple(one.order.lines[0].model_copy(update={"line_id": line_id}) for line_id in ("1", "2"))
    both = one.model_copy(update={"order": one.order.model_copy(update={"lines": lines})})
    assert (await activities.run(suppliers.place_supplier_order, both)).state == "accepted"
    (request,) = await sandbox.requests("supplier", "/v1/orders")
    assert request.body["lines"] == [{"sku": "BRK-100", "quantity": 2, "unit_cost": "31.50"}]
