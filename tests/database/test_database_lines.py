"""Lines, kits, payments and refunded units in the database (ORD-13 to ORD-16, REF-13)."""

from decimal import Decimal
from typing import Any

import pytest

from models.amazon.return_imports import request_of
from models.amazon.returned_items import ReturnedUnits
from models.orders import OrderRequest
from models.records import Opening
from models.refunds import Direction, RefundState
from models.returns import ReturnRequest
from tests.connectors.amazon.returns_reports import BRAKE_PADS, items_of, read, tab_separated
from tests.database.story import Story, order_request

STRIPE = {"paid_by": "stripe", "reference": "pi_1", "currency": "USD"}


def line(line_id: str, sku: str, price: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    told = {"line_id": line_id, "sku": sku, "title": sku, "quantity": quantity, "unit_price": price}
    return told | {"unit_cost": "5.00"} | more


def an_order(*lines: dict[str, Any], paid: str, **more: Any) -> OrderRequest:
    base = order_request(("A", 1, "1.00")).model_dump(mode="json")
    return OrderRequest.at_the_door(
        base | {"lines": list(lines), "payment": STRIPE | {"amount": paid}, "tax": "0", **more}
    )


def delivered(story: Story, request: OrderRequest) -> None:
    """An order that `north` shipped whole."""
    story.order_request_opened(request)
    units = {item.line_id: item.quantity for item in request.items}
    skus = {item.line_id: item.sku for item in request.items}
    story.bought_lines("north", units, skus)
    story.shipped_lines(units, skus)


def returning(story: Story, return_id: str, *lines: dict[str, Any]) -> Any:
    named = [{"quantity": 1, "reason": "worn"} | one for one in lines]
    request = ReturnRequest.at_the_door({"return_id": return_id, "order_id": "1001", "lines": named})
    return story.open_return(request)


TWICE = (line("1", "PAD-1", "10.00"), line("2", "PAD-1", "0.00"))


def test_ORD_13_one_item_in_two_lines_is_kept_as_two(story: Story) -> None:
    delivered(story, an_order(*TWICE, paid="10.00"))
    view = story.reading.order_view("1001")
    assert [(one.line_id, one.sku, one.paid, one.shipped) for one in view.lines] == [
        ("1", "PAD-1", Decimal("10.00"), 1),
        ("2", "PAD-1", Decimal("0.00"), 1),
    ]
    assert (view.shipments[0].items, view.supplier_orders[0].items) == ({"PAD-1": 2}, {"PAD-1": 2})


def test_ORD_13_a_return_of_an_item_in_two_lines_names_the_candidates(story: Story) -> None:
    delivered(story, an_order(*TWICE, paid="10.00"))
    refused = returning(story, "RR-1", {"sku": "PAD-1"})
    assert refused.reason == (
        "order 1001: PAD-1 stands in several lines: line 1 (1 x PAD-1), line 2 (1 x PAD-1); "
        "say which by its line_id (ORD-13)"
    )
    opened = returning(story, "RR-1", {"line_id": "2"}).opened
    assert [(one.line_id, one.paid) for one in opened.lines] == [("2", Decimal("0.00"))]
    opened = returning(story, "RR-2", {"sku": "pad 1"}).opened
    assert [(one.line_id, one.paid) for one in opened.lines] == [("1", Decimal("10.00"))], "the only one left"


def test_ORD_13_a_line_that_is_named_twice_is_refused(story: Story) -> None:
    delivered(story, an_order(line("1", "A", "10.00", 2), paid="20.00"))
    assert "line 1 (A) is named twice" in str(returning(story, "RR-1", {"sku": "A"}, {"line_id": "1"}).reason)


KIT = line(
    "k",
    "KIT",
    "50.00",
    2,
    unit_cost="25.00",
    components=[
        {"sku": "PAD", "title": "Pad", "quantity": 2, "unit_cost": "5.00"},
        {"sku": "DISC", "title": "Disc", "quantity": 1, "unit_cost": "15.00"},
    ],
)


BOLT = {"sku": "BOLT", "title": "Bolt", "quantity": 3, "unit_cost": "0.00"}


def test_ORD_14_a_kit_comes_back_as_its_components(story: Story) -> None:
    delivered(story, an_order(KIT, paid="100.00"))
    opened = returning(story, "RR-1", {"sku": "KIT"}).opened
    assert [(one.line_id, one.sku, one.quantity, one.paid, one.cost) for one in opened.lines] == [
        ("k.1", "PAD", 2, Decimal("20.00"), Decimal("10.00")),
        ("k.2", "DISC", 1, Decimal("30.00"), Decimal("15.00")),
    ]
    opened = returning(story, "RR-2", {"sku": "PAD", "quantity": 2}).opened
    assert [(one.line_id, one.paid) for one in opened.lines] == [("k.1", Decimal("20.00"))], "a component alone"
    assert "1 of DISC can't come back" not in str(returning(story, "RR-3", {"line_id": "k.2"}).reason)
    assert "2 of PAD can't come back: 4 of 4 shipped, 4 returned already" in str(
        returning(story, "RR-4", {"line_id": "k"}).reason
    )


def test_AMZ_3_a_kit_of_amazons_report_comes_back_as_its_components_and_their_money_adds_up(story: Story) -> None:
    thirds = KIT | {"quantity": 1, "unit_price": "100.00"}
    delivered(story, an_order(thirds | {"components": [*KIT["components"], BOLT]}, paid="100.00"))
    (kit,) = items_of(read(tab_separated([BRAKE_PADS | {"Merchant SKU": "KIT"}])))
    opened = story.open_return(request_of([ReturnedUnits(kit, 1, 1)], "1001")).opened
    assert opened is not None
    assert [one.sku for one in opened.lines] == ["PAD", "DISC", "BOLT"], "the kit itself is none"
    assert opened.paid == Decimal("100.00")


# ---- payments (ORD-1, ORD-15) ----


def several(*payments: tuple[str, str | None, str]) -> list[dict[str, Any]]:
    return [
        {"paid_by": paid_by, "reference": reference, "amount": amount, "currency": "USD"}
        for paid_by, reference, amount in payments
    ]


def paid_by(story: Story, *payments: tuple[str, str | None, str], total: str) -> None:
    request = an_order(line("1", "A", total), paid=total, payment=None, payments=several(*payments))
    delivered(story, request)


def test_ORD_1_the_cap_is_all_that_was_paid_and_one_payment_carries_a_refund(story: Story) -> None:
    paid_by(story, ("gift_card", None, "60.00"), ("stripe", "pi_a", "40.00"), total="100.00")
    assert story.refunding("RF-1", "30.00").payment_reference == "pi_a"
    refused = story.refunding("RF-2", "20.00")
    assert refused.reason == (
        "the gateway can give back only 10.00 of 20.00 USD (pi_a 10.00): refund that, and "
        "record with way manual what goes back another way (REF-9)"
    )
    assert story.refunding("RF-3", "60.00", way="manual").opening is Opening.OPENED
    assert "(paid 100.00, refunded or pending 90.00)" in str(story.refunding("RF-4", "20.00", way="manual").reason)


def test_ORD_1_the_first_payment_that_can_carry_a_refund_is_taken(story: Story) -> None:
    paid_by(story, ("stripe", "pi_a", "40.00"), ("stripe", "pi_b", "60.00"), total="100.00")
    assert [
        story.refunding(f"RF-{n}", amount).payment_reference for n, amount in enumerate(("30.00", "20.00"))
    ] == [
        "pi_a",
        "pi_b",
    ]


def test_REF_9_what_no_gateway_took_is_refunded_elsewhere_and_recorded(story: Story) -> None:
    paid_by(story, ("bank_transfer", None, "10.00"), total="10.00")
    assert "the buyer paid by bank_transfer, which no gateway gives back" in str(story.refunding("RF-1").reason)
    assert story.refunding("RF-1", way="manual").amount == Decimal("10.00")


@pytest.mark.parametrize("way", ["gateway", "manual", "marketplace"])
def test_ORD_15_of_an_order_that_cost_nothing_nothing_is_refunded(story: Story, way: str) -> None:
    delivered(story, an_order(line("1", "A", "0.00"), paid="0.00"))
    story.charged("60.00")
    refused = story.refunding("RF-1", "1.00", way=way)
    assert refused.reason == "nothing was paid for order 1001: there is nothing to refund to the buyer (ORD-15)"
    assert story.refunding("RF-2", "5.00", direction=Direction.BROKER_TO_SELLER).opening is Opening.OPENED
    assert story.reading.order_view("1001").listed.paid == 0


# ---- units refunded once (REF-13) ----


@pytest.fixture
def two_lines(story: Story) -> Story:
    delivered(story, an_order(line("a", "A", "30.00", 2), line("b", "B", "40.00"), paid="100.00"))
    return story


def of(*units: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": count} for sku, count in units]


def test_REF_13_a_unit_is_refunded_once_whatever_way_it_is_asked_for(two_lines: Story) -> None:
    assert two_lines.refunding("RF-1", "30.00", lines=of(("A", 1))).opening is Opening.OPENED
    assert two_lines.refunding("RF-2", "5.00", lines=of(("A", 1)), way="manual").opening is Opening.OPENED
    returning(two_lines, "RR-1", {"sku": "A", "quantity": 2})
    refused = two_lines.refunding("RF-3", "5.00", lines=of(("a", 1)), return_id="RR-1")
    assert refused.reason == (
        "1 of A can't be refunded: the order has 2, 2 of them are refunded or being refunded (REF-13); "
        "name other units, or an amount alone"
    )
    assert two_lines.refunding("RF-4", "5.00").opening is Opening.OPENED, (
        "by amount alone it stays free under the cap"
    )


def test_REF_13_what_the_marketplace_refunded_of_a_return_is_not_refunded_again(two_lines: Story) -> None:
    returning(two_lines, "RR-1", {"sku": "A", "quantity": 2})
    by_itself: dict[str, Any] = {"way": "marketplace", "return_id": "RR-1", "lines": of(("A", 2))}
    assert two_lines.refunding("RF-1", "60.00", **by_itself).opening is Opening.OPENED
    again = two_lines.refunding("RF-2", "30.00", lines=of(("A", 1)))
    assert "1 of A can't be refunded: the order has 2, 2 of them are refunded" in str(again.reason)
    assert two_lines.refunding("RF-3", lines=of(("B", 1))).amount == Decimal("40.00")


def test_REF_13_RET_18_what_the_marketplace_refunded_is_recorded_be_its_units_refunded_before(
    two_lines: Story,
) -> None:
    returning(two_lines, "RR-1", {"sku": "A", "quantity": 2})
    two_lines.refunding("RF-1", "30.00", lines=of(("A", 1)))
    by_itself: dict[str, Any] = {"way": "marketplace", "return_id": "RR-1", "lines": of(("A", 2))}
    assert two_lines.refunding("RF-2", "60.00", **by_itself).opening is Opening.OPENED
    again = two_lines.refunding("RF-3", "10.00", lines=of(("A", 1)))
    assert "2 of them are refunded" in str(again.reason), "one by each"


def test_REF_13_a_refund_that_failed_gives_its_units_back(two_lines: Story) -> None:
    two_lines.refunding("RF-1", "40.00", lines=of(("B", 1)))
    two_lines.settled("RF-1", RefundState.FAILED)
    assert two_lines.refunding("RF-2", "40.00", lines=of(("B", 1))).opening is Opening.OPENED


def test_REF_13_only_units_that_the_order_has_can_be_named(two_lines: Story) -> None:
    assert two_lines.refunding("RF-1", "1.00", lines=of(("NO-SUCH", 99))).reason == (
        "order 1001: there is no line NO-SUCH, only line a (2 x A), line b (1 x B)"
    )
    assert "3 of A can't be refunded: the order has 2" in str(
        two_lines.refunding("RF-1", lines=of(("A", 3))).reason
    )


def test_REF_13_units_without_an_amount_are_refunded_at_what_was_paid_for_them(two_lines: Story) -> None:
    assert two_lines.refunding("RF-1", lines=of(("B", 1))).amount == Decimal("40.00")
    assert two_lines.refunding("RF-2").amount == Decimal("60.00")


def test_REF_13_the_sellers_refund_names_no_units_of_the_buyer(two_lines: Story) -> None:
    two_lines.charged("60.00")
    two_lines.refunding("RF-1", "5.00", lines=of(("B", 1)), direction=Direction.BROKER_TO_SELLER)
    assert two_lines.refunding("RF-2", lines=of(("B", 1))).opening is Opening.OPENED
