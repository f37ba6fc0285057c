"""What each line of an order is worth: tax, discount and coupons stay where they belong (ORD-14, ORD-16)."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.failures import InvalidInput
from models.orders import OrderRequest, share_out

ADDRESS = {"name": "Robin", "line1": "1 Main St", "city": "Reno", "postal_code": "89501", "country": "US"}


def line(sku: str, price: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "title": sku, "quantity": quantity, "unit_price": price, "unit_cost": "10.00"} | more


def order(*lines: dict[str, Any], paid: str, currency: str = "USD", **more: Any) -> OrderRequest:
    return OrderRequest.at_the_door(
        {
            "order_id": "1001",
            "seller_id": "acme",
            "buyer": {"email": "robin@buyer.example", "address": ADDRESS},
            "lines": list(lines),
            "payment": {"paid_by": "stripe", "reference": "pi_1", "amount": paid, "currency": currency},
            **more,
        }
    )


def goods(request: OrderRequest) -> dict[str, Decimal]:
    return {share.line_id: share.paid_goods for share in share_out(request)}


def money(**amounts: str) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in amounts.items()}


A, B = line("A", "100.00", line_id="a"), line("B", "100.00", line_id="b")


def test_ORD_16_the_tax_of_a_line_is_worth_with_that_line() -> None:
    assert goods(order(A, B | {"tax": "20.00"}, paid="220.00")) == money(a="100.00", b="120.00")


def test_ORD_16_the_discount_of_a_line_lowers_that_line() -> None:
    assert goods(order(A | {"discount": "50.00"}, B, paid="150.00")) == money(a="50.00", b="100.00")


def test_ORD_16_a_coupon_on_shipping_lowers_shipping() -> None:
    request = order(line("A", "30.00"), paid="30.00", shipping="10.00", shipping_discount="10.00")
    (share,) = share_out(request)
    assert (share.paid_goods, share.paid_shipping) == (Decimal("30.00"), Decimal("0.00"))


def test_ORD_16_tax_on_shipping_belongs_to_shipping() -> None:
    request = order(line("A", "30.00"), paid="42.00", shipping="10.00", shipping_tax="2.00")
    assert [(one.paid_goods, one.paid_shipping) for one in share_out(request)] == [(Decimal(30), Decimal(12))]


def test_ORD_16_what_is_said_for_the_whole_order_is_shared_out_by_value() -> None:
    request = order(A | {"discount": "50.00"}, B, paid="165.00", tax="30.00", discount="15.00")
    assert goods(request) == money(a="55.00", b="110.00")


def test_ORD_16_rounding_fees_and_tips_belong_to_no_line() -> None:
    adjustments = [{"kind": "rounding", "amount": "-0.02"}, {"kind": "tip", "amount": "5.00", "note": "thanks"}]
    assert goods(order(A, paid="104.98", adjustments=adjustments)) == money(a="100.00")


def test_ORD_16_a_discount_of_the_order_that_is_more_than_its_goods_lowers_shipping() -> None:
    request = order(line("A", "10.00"), paid="5.00", shipping="10.00", discount="15.00")
    (share,) = share_out(request)
    assert (share.paid_goods, share.paid_shipping) == (Decimal("0.00"), Decimal("5.00"))


@pytest.mark.parametrize(
    ("request_of", "why"),
    [
        ({"paid": "99.00"}, "payment.amount, 99.00, is 1.00 too little: product 100.00 = 100.00"),
        ({"paid": "100.00", "tax": "2.00"}, "100.00, is 2.00 too little: product 100.00 + tax 2.00 = 102.00"),
        ({"paid": "90.00", "shipping": "5.00", "shipping_discount": "15.00"}, "shipping_discount is higher than"),
        ({"paid": "100.00", "tax": "0.005"}, "tax is finer than the smallest unit of USD"),
        ({"paid": "100.00", "adjustments": [{"kind": "fee", "amount": "0.001"}]}, "the adjustment fee is finer"),
    ],
)
def test_ORD_16_what_does_not_add_up_is_refused_with_the_sum_that_is_off(
    request_of: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidInput, match=re.escape(why)):
        order(A, **request_of)


def test_ORD_16_a_line_discount_above_its_price_is_refused_in_words() -> None:
    with pytest.raises(InvalidInput, match=r"the discount of line a \(A\), 120.00, is higher than its price"):
        order(A | {"discount": "120.00"}, B, paid="80.00")


# ---- kits (ORD-14) ----

KIT = line(
    "KIT",
    "100.01",
    2,
    line_id="k",
    tax="3.00",
    discount="1.00",
    unit_cost="60.00",
    components=[
        {"sku": "PAD", "title": "Pad", "quantity": 2, "unit_cost": "10.00"},
        {"sku": "DISC", "title": "Disc", "quantity": 1, "unit_cost": "40.00"},
    ],
)


def test_ORD_14_a_kit_becomes_its_components_and_its_money_is_shared_out_by_cost() -> None:
    pads, discs = share_out(order(KIT, paid="202.02"))
    assert [(one.line_id, one.sku, one.quantity) for one in (pads, discs)] == [
        ("k.1", "PAD", 4),
        ("k.2", "DISC", 2),
    ]
    assert (pads.paid_goods, discs.paid_goods) == (Decimal("67.34"), Decimal("134.68"))
    assert (pads.cost_goods, discs.cost_goods) == (Decimal("40.00"), Decimal("80.00"))


def test_ORD_14_without_all_costs_a_kits_money_is_shared_out_equally() -> None:
    parts = [
        {"sku": "A", "title": "A", "quantity": 3, "unit_cost": "1.00"},
        {"sku": "B", "title": "B", "quantity": 1},
    ]
    request = order(line("KIT", "10.01", components=parts), paid="10.01")
    assert goods(request) == {"1.1": Decimal("5.01"), "1.2": Decimal("5.00")}


amounts = st.integers(0, 20_000).map(lambda cents: Decimal(cents) / 100)


@given(
    lines=st.lists(
        st.tuples(amounts, st.integers(1, 5), amounts, amounts, st.integers(0, 3)), min_size=1, max_size=6
    ),
    tax=amounts,
    discount=amounts,
    shipping=amounts,
)
def test_AMZ_3_the_shares_of_all_lines_and_components_add_up_to_what_was_paid(
    lines: list[tuple[Decimal, int, Decimal, Decimal, int]], tax: Decimal, discount: Decimal, shipping: Decimal
) -> None:
    told = []
    for number, (price, quantity, own_tax, own_discount, parts) in enumerate(lines):
        own_discount = min(own_discount, price * quantity + own_tax)
        components = [
            {"sku": f"C{part}", "title": "part", "quantity": part + 1, "unit_cost": f"{part + 1}.37"}
            for part in range(parts)
        ]
        told.append(
            line(
                f"S{number}",
                f"{price}",
                quantity,
                tax=f"{own_tax}",
                discount=f"{own_discount}",
                components=components,
            )
        )
    before = sum(
        (price * quantity + own_tax - min(own_discount, price * quantity + own_tax))
        for price, quantity, own_tax, own_discount, _ in lines
    )
    discount = min(discount, before + tax + shipping)
    paid = before + tax + shipping - discount
    request = order(*told, paid=f"{paid}", tax=f"{tax}", discount=f"{discount}", shipping=f"{shipping}")
    shares = share_out(request)
    assert sum(share.paid for share in shares) == paid
    assert all(share.paid_goods >= 0 and share.paid_shipping >= 0 for share in shares)
