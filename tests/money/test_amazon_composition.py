"""Refunds and cancellations in Amazon's words: to the cent what goes back, or a person has to look (AMZ-5)."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.amazon.composition import (
    ComposeCancel,
    ComposeRefund,
    Units,
    adjustment_key,
    composed_cancel,
    composed_refund,
)
from models.amazon.line_worth import worth_by_component
from models.amazon.messages import CancelReason, ComponentType, NeedsPerson, NeedsPersonWhy, OrderAdjustment
from models.amazon.reasons import cancel_reason, refund_reason
from models.money import share_of_units
from models.orders import OrderRequest, share_out
from tests.amazon_orders import FIRST, ORDER, SECOND, line, order, orders


def ask(
    amount: str, *units: tuple[str, int], fees: str = "0", reason: str = "damaged", before: int = 0
) -> ComposeRefund:
    named = tuple(Units(line_id=line_id, quantity=count, before=before) for line_id, count in units)
    return ComposeRefund(
        refund_id="RF-1001-B1",
        amount=Decimal(amount),
        currency="USD",
        reason=reason,
        units=named,
        fees=Decimal(fees),
    )


def composed(request: OrderRequest, what: ComposeRefund) -> OrderAdjustment:
    found = composed_refund(request, share_out(request), what)
    assert isinstance(found, OrderAdjustment), found
    return found


def parts(found: OrderAdjustment) -> list[dict[str, str]]:
    """Of each order item: component and amount."""
    return [{one.type.value: str(one.amount) for one in item.components} for item in found.items]


TAXED = order(
    line(price="10.00", quantity=2, tax="1.50"), line(SECOND, "5.00"), shipping="4.00", shipping_tax="0.40"
)


def test_AMZ_5_a_refund_names_each_order_item_with_its_components_for_the_whole_quantity() -> None:
    found = composed(TAXED, ask("25.02", (FIRST, 2)))
    assert (found.order_id, found.items[0].order_item_code) == (ORDER, FIRST)
    assert parts(found) == [{"Principal": "20.00", "Tax": "1.50", "Shipping": "3.20", "ShippingTax": "0.32"}]


def test_AMZ_5_without_shipping_where_the_amount_says_so() -> None:
    assert parts(composed(TAXED, ask("26.50", (FIRST, 2), (SECOND, 1)))) == [
        {"Principal": "20.00", "Tax": "1.50"},
        {"Principal": "5.00"},
    ]


def test_REF_4_fees_stand_as_restocking_fee_below_what_they_are_kept_of() -> None:
    found = composed(TAXED, ask("18.50", (FIRST, 2), fees="3.00"))
    assert parts(found) == [{"Principal": "20.00", "Tax": "1.50", "RestockingFee": "-3.00"}]
    assert found.amount == Decimal("18.50")


def test_REF_3_an_amount_that_names_no_units_is_goodwill_or_all_that_was_paid() -> None:
    assert parts(composed(TAXED, ask("3.00"))) == [{"Goodwill": "2.43"}, {"Goodwill": "0.57"}]
    assert composed(TAXED, ask("30.90")).amount == Decimal("30.90")
    assert {kind for item in parts(composed(TAXED, ask("30.90"))) for kind in item} == {
        *("Principal", "Tax", "Shipping", "ShippingTax")
    }


def test_ORD_16_tax_of_the_whole_order_is_shared_out_by_value() -> None:
    request = order(line(price="30.00"), line(SECOND, "10.00"), tax="4.00")
    assert parts(composed(request, ask("33.00", (FIRST, 1)))) == [{"Principal": "30.00", "Tax": "3.00"}]


def test_AMZ_5_where_prices_hold_the_tax_there_is_no_component_tax() -> None:
    request = order(line(price="1000", tax="100"), currency="JPY", shipping="500", shipping_tax="50")
    found = composed(request, ask("1650", (FIRST, 1)).model_copy(update={"currency": "JPY"}))
    assert parts(found) == [{"Principal": "1100", "Shipping": "550"}]


# ---- what a person has to look at ----


def why(request: OrderRequest, what: ComposeRefund) -> NeedsPerson:
    found = composed_refund(request, share_out(request), what)
    assert isinstance(found, NeedsPerson), found
    return found


PERSONS: dict[str, tuple[OrderRequest, ComposeRefund, NeedsPersonWhy]] = {
    "a promotion": (order(line(discount="1.00")), ask("9.00", (FIRST, 1)), NeedsPersonWhy.PROMOTION),
    "a coupon": (order(line(), discount="1.00"), ask("9.00", (FIRST, 1)), NeedsPersonWhy.PROMOTION),
    "gift wrap": (
        order(line(), adjustments=[{"kind": "fee", "amount": "3.00"}]),
        ask("10.00", (FIRST, 1)),
        NeedsPersonWhy.GIFT_WRAP,
    ),
    "paid on delivery": (
        order(line(), by={"paid_by": "cash_on_delivery"}),
        ask("10.00", (FIRST, 1)),
        NeedsPersonWhy.CASH_ON_DELIVERY,
    ),
    "another amount than the units are worth": (TAXED, ask("12.34", (FIRST, 1)), NeedsPersonWhy.QUANTITY),
    "more than it has": (TAXED, ask("20.00", (FIRST, 3)), NeedsPersonWhy.QUANTITY),
    "an unknown line": (TAXED, ask("20.00", ("99999999999999", 1)), NeedsPersonWhy.QUANTITY),
    "more than was paid": (TAXED, ask("99.00"), NeedsPersonWhy.QUANTITY),
    "fees of nothing": (TAXED, ask("3.00", fees="1.00"), NeedsPersonWhy.QUANTITY),
    "another currency": (TAXED, ask("3.00").model_copy(update={"currency": "EUR"}), NeedsPersonWhy.QUANTITY),
    "no number of the order": (order(line(), order_id="1001"), ask("10.00"), NeedsPersonWhy.NUMBERS),
    "no number of the item": (order(line("1")), ask("10.00"), NeedsPersonWhy.NUMBERS),
}


@pytest.mark.parametrize(("request_", "what", "expected"), PERSONS.values(), ids=PERSONS.keys())
def test_AMZ_5_what_is_not_known_for_certain_goes_to_a_person_in_words(
    request_: OrderRequest, what: ComposeRefund, expected: NeedsPersonWhy
) -> None:
    found = why(request_, what)
    assert found.why is expected
    assert found.words


# ---- properties ----


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_REF_3_the_components_are_the_refund_to_the_cent_in_any_sequence(data: st.DataObject) -> None:
    """Units go back in several refunds, each of what the database says that they are worth: each can be composed,
    adds up to it, and all together are what was paid for the line."""
    request = data.draw(orders())
    shares = {share.line_id: share for share in share_out(request)}
    worths = worth_by_component(request, tuple(shares.values()))
    assert not isinstance(worths, NeedsPerson)
    for worth in worths:
        total, before = Decimal(0), 0
        while before < worth.quantity:
            count = data.draw(st.integers(1, worth.quantity - before))
            amount = _database_says(request, worth, shares, before, count)
            if amount > 0:
                what = ask(str(amount), (worth.line_id, count), before=before)
                found = composed(request, what.model_copy(update={"currency": request.paid_currency}))
                assert found.amount == amount
                assert all(one.amount > 0 for one in found.items[0].components)
                total += found.amount
            before += count
        paid = sum((shares[item.line_id].paid_goods for item in worth.items), Decimal(0))
        assert total == paid


def _database_says(request: OrderRequest, worth: Any, shares: Any, before: int, count: int) -> Decimal:
    amounts = [
        share_of_units(
            shares[item.line_id].paid_goods,
            item.quantity,
            before * item.each,
            count * item.each,
            request.paid_currency,
        )
        for item in worth.items
    ]
    return sum(amounts, Decimal(0))


@given(request=orders(), cents=st.integers(1, 100_000))
@settings(max_examples=60, deadline=None)
def test_REF_3_an_amount_alone_adds_up_or_goes_to_a_person(request: OrderRequest, cents: int) -> None:
    unit = Decimal(1) if request.paid_currency == "JPY" else Decimal("0.01")
    what = ask(str(cents * unit)).model_copy(update={"currency": request.paid_currency})
    found = composed_refund(request, share_out(request), what)
    if isinstance(found, OrderAdjustment):
        assert found.amount == what.amount
    else:
        assert what.amount > sum((share.paid for share in share_out(request)), Decimal(0))


# ---- our key ----


@given(st.lists(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,158}\Z"), min_size=2, max_size=2, unique=True))
def test_AMZ_8_our_key_is_unique_and_fits_where_amazon_gives_it_back(ids: list[str]) -> None:
    keys = {adjustment_key(id, position) for id in ids for position in (1, 2, 500)}
    assert len(keys) == 6
    assert all(1 <= len(key) <= 50 for key in keys)


def test_AMZ_8_long_ids_that_begin_alike_have_keys_of_their_own() -> None:
    assert adjustment_key("R" * 100 + "1", 1) != adjustment_key("R" * 100 + "2", 1)
    assert adjustment_key("RF-1001-B1", 2) == "RF-1001-B1.2"
    assert len(adjustment_key("R" * 160, 500)) == 50


# ---- reasons ----


def test_RET_21_reasons_are_a_table_and_what_is_not_known_takes_the_default_way() -> None:
    said = ["wrong_item", "falscher Artikel", "Refused Delivery", "something else", "other"]
    assert [refund_reason(one).value for one in said] == [
        *("DifferentItem", "DifferentItem", "RefusedDelivery", "GeneralAdjustment", "Other")
    ]
    assert cancel_reason("no_stock") is CancelReason.NO_INVENTORY
    assert (
        cancel_reason("no_stock", {"no_stock": CancelReason.GENERAL_ADJUSTMENT}) is CancelReason.GENERAL_ADJUSTMENT
    )


# ---- cancellations ----


def cancelling(*units: tuple[str, int], reason: str = "no_stock") -> ComposeCancel:
    named = tuple(Units(line_id=line_id, quantity=count) for line_id, count in units)
    return ComposeCancel(case_id="order-1001", reason=reason, units=named)


def test_CAN_9_whole_items_are_acknowledged_and_part_of_a_quantity_is_adjusted() -> None:
    found = composed_cancel(TAXED, share_out(TAXED), cancelling((FIRST, 1), (SECOND, 1)))
    assert not isinstance(found, NeedsPerson)
    assert found.whole is not None
    assert [(one.order_item_code, one.reason) for one in found.whole.items] == [
        (SECOND, CancelReason.NO_INVENTORY)
    ]
    assert found.parts is not None
    assert (found.parts.cancels, found.parts.items[0].quantity_cancelled) == (True, 1)
    assert found.parts.items[0].components[0].type is ComponentType.PRINCIPAL
    assert found.parts.amount == Decimal("12.51")


def test_CAN_9_more_than_the_order_has_goes_to_a_person() -> None:
    found = composed_cancel(TAXED, share_out(TAXED), cancelling((FIRST, 3)))
    assert isinstance(found, NeedsPerson)


def test_CAN_9_a_promotion_hinders_no_cancellation_of_the_whole() -> None:
    request = order(line(quantity=2, discount="1.00"))
    whole = composed_cancel(request, share_out(request), cancelling((FIRST, 2)))
    assert not isinstance(whole, NeedsPerson)
    assert isinstance(composed_cancel(request, share_out(request), cancelling((FIRST, 1))), NeedsPerson)
