"""Cases about money that others met and published, with their numbers (`public_cases.json` says where)."""

import json
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from models.money import allocate, rounded, share_of_units
from models.orders import share_out
from tests.database.story import order_request

ROOT = Path(__file__).parents[2]
CASES: dict[str, Any] = json.loads(Path(__file__).with_name("public_cases.json").read_text())
FEES = CASES["amazon_refund_administration_fee"]["cases"]
ELSEWHERE = {
    "vendurehq/vendure#868": ("database", "test_vendure_868"),
    "vendurehq/vendure#2393": ("database", "test_vendure_2393"),
    "medusajs/medusa#11481,#10842,#13433": ("database", "test_medusa_11481_10842_13433"),
    "medusajs/medusa#16681": ("connectors", "test_medusa_16681"),
    "saleor/apps#2446": ("connectors", "test_saleor_apps_2446"),
}
"""Those that need a database or a gateway, and the test that has their name."""


def number(case: dict[str, Any], name: str) -> Decimal:
    return Decimal(str(case[name]))


EACH = [pytest.param(one, id=f"{one['currency']}-{one['fee']}") for one in FEES if "fee" in one]


@pytest.mark.parametrize("case", EACH)
def test_amazon_refund_administration_fee(case: dict[str, Any]) -> None:
    """What Amazon keeps of its own fee: the project reads it from settlements, and rounds as Amazon does."""
    taxed = sum((number(case, name) for name in ("item", "shipping", "giftwrap")), Decimal(0))
    raw = Decimal("0.2") * number(case, "rate") * taxed
    currency = case["currency"]
    assert rounded(raw, currency) == number(case, "raw")
    assert min(number(case, "cap"), rounded(raw, currency)) == number(case, "fee")


@pytest.mark.parametrize("currency", ["EUR", "AED"])
def test_amazon_refund_administration_fee_of_a_whole_order(currency: str) -> None:
    (whole,) = (one for one in FEES if one["currency"] == currency and "order_total_fee" in one)
    parts = (number(one, "fee") for one in FEES if one["currency"] == currency and "fee" in one)
    assert sum(parts, Decimal(0)) == number(whole, "order_total_fee")


def refunded(worth: dict[str, Decimal], quantity: dict[str, int], turns: tuple[str, ...]) -> Decimal:
    """The sum of refunds of one unit each, in this order."""
    back = dict.fromkeys(quantity, 0)
    given = Decimal(0)
    for sku in turns:
        given += share_of_units(worth[sku], quantity[sku], back[sku], 1, "USD")
        back[sku] += 1
    return given


def test_solidus_product_assembly_61_kit_split_refund() -> None:
    case = CASES["kit_split_refund"]
    total = rounded(number(case, "kit_price") * (1 + number(case, "tax_rate")), "USD")
    assert total == number(case, "order_total")
    parts = {one["sku"]: one["qty"] for one in case["components"]}
    naive = [number(one, "naive_unit") * one["qty"] for one in case["components"]]
    worth = dict(zip(parts, allocate(total, naive, "USD"), strict=True))
    for first in permutations(("A", "A", "B", "B")):
        rest = ("B",) * (parts["B"] - 2)
        assert refunded(worth, parts, (*first, *rest)) == total
        assert refunded(worth, parts, (*rest, *first)) == total
    for seen in case["naive_refunds_seen"]:
        assert sum(Decimal(str(one)) for one in seen) != total, "what others refunded does not add up"


def test_sonata_project_ecommerce_177_discount_allocation() -> None:
    case = CASES["discount_allocation"][0]
    (share,) = share_out(order_request(("A", 3, "100.00"), discount="30.00"))
    worth = share_of_units(share.paid_goods, 3, 0, case["return_qty"], "USD")
    assert (worth, worth == number(case, "wrong")) == (number(case, "right"), False)


def test_compressor_1687_discount_allocation() -> None:
    case = CASES["discount_allocation"][1]
    first, second = share_out(order_request(("A", 1, "100.00"), ("B", 1, "50.00"), discount="30.00"))
    assert first.paid_goods == number(case, "right") != number(case, "wrong")
    assert (Decimal(100) - first.paid_goods, Decimal(50) - second.paid_goods) == (Decimal(20), Decimal(10))


def test_each_case_is_tried_by_its_name() -> None:
    named = [one["source"] for part in ("sequential_partial_refunds", "idempotency") for one in CASES[part]]
    assert set(named) == ELSEWHERE.keys()
    for room, name in ELSEWHERE.values():
        path = ROOT / "tests" / room / "test_public_cases.py"
        assert f"def {name}" in path.read_text(), f"{path} has no {name}"
