"""Which warehouse ships what (ORD-5, ORD-6): the decision, and the activity that asks for offers and decides."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.connectors.connections import Connections
from activities.connectors.suppliers import Suppliers
from models.partners import FindSources, FoundSources, StockOffer
from models.sourcing import MOST_PARCELS, choose_sources
from starter.sandbox import SandboxClient
from starter.sandbox.facts import StockSeed
from tests.connections import connections

RENO = {
    "name": "Eve Buyer",
    "line1": "1 Main St",
    "city": "Reno",
    "region": "NV",
    "postal_code": "89501",
    "country": "US",
}


def ask(*wanted: tuple[str, int], **more: Any) -> FindSources:
    lines = [{"sku": sku, "quantity": quantity, "unit_cost": "30.00"} for sku, quantity in wanted]
    return FindSources.model_validate(
        {"wanted": lines, "ship_to": RENO, "minimum_stock": 2, "currency": "USD"} | more
    )


def offer(
    warehouse: str, quantity: int = 10, km: float | None = 100, sku: str = "BRK-1", **more: Any
) -> StockOffer:
    return StockOffer.model_validate(
        {"supplier_id": "acme", "warehouse_id": warehouse, "sku": sku, "quantity": quantity, "distance_km": km}
        | {"unit_cost": "31.50", "currency": "USD"}
        | more
    )


def chosen(found: FoundSources) -> list[tuple[str, str, int]]:
    return [(one.sku, one.warehouse_id, one.quantity) for one in found.sources]


def test_ORD_5_the_closest_warehouse_that_has_the_stock_ships_it() -> None:
    found = choose_sources(ask(("BRK-1", 3)), [offer("far", km=900), offer("near", km=5), offer("mid", km=50)])
    assert chosen(found) == [("BRK-1", "near", 3)]
    assert (found.missing, found.in_stock) == ({}, {"BRK-1": 30})
    assert str(found.sources[0].unit_cost) == "31.50"


def test_ORD_5_a_warehouse_that_has_all_of_it_is_chosen_before_closer_ones_that_have_some() -> None:
    found = choose_sources(ask(("BRK-1", 8)), [offer("near", 5, 5), offer("far", 8, 900), offer("mid", 7, 50)])
    assert chosen(found) == [("BRK-1", "far", 8)]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_ORD_5_what_no_warehouse_has_whole_is_split_over_the_closest(order: tuple[int, ...]) -> None:
    offers = [offer("a", 4, 5), offer("b", 5, 50), offer("c", 6, 500), offer("d", 7, 5000)]
    found = choose_sources(ask(("BRK-1", 10)), [offers[i] for i in order])
    assert chosen(found) == [("BRK-1", "a", 4), ("BRK-1", "b", 5), ("BRK-1", "c", 1)]


def test_ORD_5_what_nobody_has_is_missing() -> None:
    found = choose_sources(ask(("BRK-1", 10), ("OIL-2", 3)), [offer("a", 4), offer("b", 3)])
    assert chosen(found) == [("BRK-1", "a", 4), ("BRK-1", "b", 3)]
    assert (found.missing, found.in_stock) == ({"BRK-1": 3, "OIL-2": 3}, {"BRK-1": 7, "OIL-2": 0})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"unit_cost": "30.00"}, {"unit_cost": "31.00"}),
        ({"supplier_id": "acme"}, {"supplier_id": "best"}),
        ({}, {}),
        ({"distance_km": 10_000.0}, {"distance_km": None, "unit_cost": "1.00"}),
    ],
)
def test_ORD_5_equal_distances_are_decided_by_cost_then_by_id_and_an_unknown_one_comes_last(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    first, second = offer("w1", **one), offer("w2", **other)
    for offers in ([first, second], [second, first]):
        assert chosen(choose_sources(ask(("BRK-1", 1)), offers)) == [("BRK-1", "w1", 1)]


def test_ORD_5_less_than_the_minimum_stock_counts_as_none() -> None:
    found = choose_sources(ask(("BRK-1", 1), minimum_stock=5), [offer("a", 4, 1), offer("b", 5, 2)])
    assert chosen(found) == [("BRK-1", "b", 1)]
    assert found.in_stock == {"BRK-1": 9}, "the feed offered it all the same (CAN-12)"


def test_ORD_5_offers_in_another_currency_are_passed_over() -> None:
    found = choose_sources(ask(("BRK-1", 1)), [offer("a", km=1, currency="EUR"), offer("b", km=2)])
    assert chosen(found) == [("BRK-1", "b", 1)]


def test_ORD_6_a_warehouse_that_refused_an_item_is_not_chosen_for_it_again() -> None:
    refused = [{"supplier_id": "acme", "warehouse_id": "near", "sku": "BRK-1"}]
    offers = [offer("near", km=1), offer("far", km=2), offer("near", km=1, sku="OIL-2")]
    found = choose_sources(ask(("BRK-1", 1), ("OIL-2", 1), refused=refused), offers)
    assert chosen(found) == [("BRK-1", "far", 1), ("OIL-2", "near", 1)]


def test_ORD_5_two_lines_of_one_item_draw_on_the_same_stock() -> None:
    found = choose_sources(ask(("BRK-1", 6), ("BRK-1", 6)), [offer("a", 10, 1), offer("b", 10, 2)])
    assert chosen(found) == [("BRK-1", "a", 10), ("BRK-1", "b", 2)]


def test_ORD_5_crumbs_in_many_warehouses_are_taken_where_they_are_largest() -> None:
    crumbs = [offer(f"w{n:02}", 2, km=n) for n in range(40)]
    heaps = [offer(f"z{n}", 5, km=1000 + n) for n in range(6)]
    found = choose_sources(ask(("BRK-1", 34)), [*crumbs, *heaps])
    assert len(found.sources) == MOST_PARCELS
    assert sum(one.quantity for one in found.sources) == 34
    assert {one.warehouse_id for one in found.sources} == {*(f"z{n}" for n in range(6)), "w00", "w01"}


# ---- large orders ----

LINES, WAREHOUSES = 500, 250


def market(quantity: int) -> Iterator[StockOffer]:
    """Every warehouse has some of every item."""
    template = offer("w")
    for line in range(LINES):
        for warehouse in range(WAREHOUSES):
            update = {
                "sku": f"SKU-{line}",
                "supplier_id": f"supplier-{warehouse // 10}",
                "warehouse_id": f"warehouse-{warehouse}",
                "quantity": quantity,
                "distance_km": float((warehouse * 7919 + line) % 4000),
            }
            yield template.model_copy(update=update)


@pytest.mark.parametrize("has", [2, 3, 1000])
def test_ORD_5_an_order_of_500_lines_is_chosen_from_250_warehouses_in_a_small_answer(has: int) -> None:
    offers = list(market(has))
    wanted = ask(*((f"SKU-{line}", 20) for line in range(LINES)))
    found = choose_sources(wanted, offers)
    assert len(found.model_dump_json()) < 500_000
    assert {one.sku for one in found.sources} == {line.sku for line in wanted.wanted}
    assert set(found.missing.values()) <= ({20 - 2 * MOST_PARCELS} if has == 2 else set())


async def test_ORD_5_the_activity_asks_in_parts_and_gives_only_what_was_chosen(
    activities: ActivityEnvironment,
) -> None:
    asked: list[int] = []

    def respond(request: httpx.Request) -> httpx.Response:
        skus = request.url.params.get_list("sku")
        asked.append(len(skus))
        offers = [
            {"supplier_id": "s", "warehouse_id": f"w{n}", "sku": sku, "quantity": 50}
            | {"unit_cost": "9.99", "currency": "USD", "latitude": 30 + n / 10, "longitude": -110.0}
            for sku in skus
            for n in range(20)
        ]
        return httpx.Response(200, json={"offers": [*offers, offers[0] | {"quantity": -1}, {"sku": 7}]})

    suppliers = Suppliers(connections(httpx.MockTransport(respond)))
    wanted = ask(*((f"SKU-{line}", 20) for line in range(120)))
    found = await activities.run(suppliers.find_sources, wanted)
    assert asked == [50, 50, 20]
    assert [one.sku for one in found.sources] == [line.sku for line in wanted.wanted]
    assert {one.warehouse_id for one in found.sources} == {"w19"}, "the northernmost"
    assert found.in_stock["SKU-7"] == 1000


async def test_ORD_5_ORD_6_the_activity_decides_by_distance_and_asks_the_network_only_when_told(
    partners: Connections, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    suppliers = Suppliers(partners)
    place = {"supplier_id": "acme", "sku": "BRK-1", "quantity": 10, "unit_cost": "31.50"}
    await sandbox.put_stock(
        StockSeed.model_validate(place | {"warehouse_id": "nowhere"}),
        StockSeed.model_validate(place | {"warehouse_id": "miami", "latitude": 25.76, "longitude": -80.19}),
        StockSeed.model_validate(place | {"warehouse_id": "reno", "latitude": 39.53, "longitude": -119.81}),
    )
    await sandbox.second_source(
        StockSeed.model_validate(place | {"warehouse_id": "network", "sku": "OIL-2", "unit_cost": "99.00"})
    )
    wanted = ask(("BRK-1", 1), ("OIL-2", 1))
    found = await activities.run(suppliers.find_sources, wanted)
    assert (chosen(found), found.missing) == ([("BRK-1", "reno", 1)], {"OIL-2": 1})
    wider = await activities.run(suppliers.find_sources, wanted.model_copy(update={"second_source": True}))
    assert ("OIL-2", "network", 1) in chosen(wider)


def test_ORD_21_an_item_spelled_otherwise_is_the_same_item() -> None:
    found = choose_sources(
        ask(("BRK-1", 2), ("brk 1", 1)), [offer("near", 3, sku="Brk_1"), offer("far", 9, sku="X")]
    )
    assert chosen(found) == [("BRK-1", "near", 3)]
    assert (found.missing, found.in_stock) == ({}, {"BRK-1": 3})


async def test_ORD_21_the_stock_of_an_item_spelled_otherwise_is_found(
    partners: Connections, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    place = {"supplier_id": "acme", "warehouse_id": "near", "sku": "brk-1", "quantity": 10, "unit_cost": "31.50"}
    await sandbox.put_stock(StockSeed.model_validate(place))
    suppliers = Suppliers(partners)
    found = await activities.run(suppliers.find_sources, ask(("BRK-1", 2)))
    assert chosen(found) == [("BRK-1", "near", 2)]


def test_CAN_12_what_is_there_and_can_t_be_taken_is_told_with_why() -> None:
    refused = [{"supplier_id": "acme", "warehouse_id": "c", "sku": "BRK-1"}]
    wanted = ask(("BRK-1", 2), minimum_stock=3, refused=refused)
    found = choose_sources(wanted, [offer("a", 9, currency="CAD"), offer("b", 2), offer("c", 50)])
    assert found.missing == {"BRK-1": 2}
    assert found.passed_over == {"BRK-1": {"currency CAD": 9, "fewer than 3": 2, "refused": 50}}


def test_CAN_12_a_single_one_is_as_good_as_none_in_any_currency_and_for_any_minimum() -> None:
    wanted = ask(("BRK-1", 2), minimum_stock=50)
    found = choose_sources(wanted, [offer("a", 1, currency="CAD"), offer("b", 1), offer("c", 9)])
    assert found.passed_over == {"BRK-1": {"fewer than 2": 2, "fewer than 50": 9}}


def test_CAN_12_of_what_is_shipped_nothing_is_told() -> None:
    found = choose_sources(ask(("BRK-1", 2)), [offer("a", 9, currency="CAD"), offer("b", 9)])
    assert (found.missing, found.passed_over) == ({}, {})
