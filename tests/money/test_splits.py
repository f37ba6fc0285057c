"""Units that move to an order of their own: both are worth together what the order was, to the cent (CAN-10)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cancellations import SplitFrom
from models.failures import InvalidInput
from models.ids import MOST_CHARACTERS, is_split_order, split_of, split_order_id
from models.money import from_minor_units, is_whole
from models.orders import OrderRequest, share_out
from models.shares import LineShare
from models.splits import Kept, payment_parts, request_of, worth_moved

ADDRESS = {"name": "Robin", "line1": "1 Main St", "city": "Reno", "postal_code": "89501", "country": "US"}
EVENT = {"event_id": "e1", "actor": "buyer:robin", "reason": "changed their mind"}
ZERO = Decimal(0)


def from_1001(ordinal: int = 1) -> SplitFrom:
    given = {"order_id": "1001", "ordinal": ordinal, "event": EVENT, "arrived_at": "2026-03-02T12:00:00Z"}
    return SplitFrom.model_validate(given)


class Sold:
    """An order whose units move away, some at a time."""

    def __init__(self, order: OrderRequest) -> None:
        self.order = order
        self.shares = {share.line_id: share for share in share_out(order)}
        self.left = {share.line_id: share.quantity for share in self.shares.values()}
        self.payments = [one.amount for one in order.paid_with]
        self.split_off: list[OrderRequest] = []
        self.moved: list[LineShare] = []

    def moves(self, units: dict[str, int]) -> OrderRequest:
        kept = {line_id: Kept(share, self.left[line_id]) for line_id, share in self.shares.items()}
        moved = worth_moved(self.order, kept, units)
        parts = payment_parts(sum((one.paid for one in moved), ZERO), self.payments, self.order.paid_currency)
        self.payments = [left - part for left, part in zip(self.payments, parts, strict=True)]
        paid = tuple(
            one.model_copy(update={"amount": part}) for one, part in zip(self.order.paid_with, parts, strict=True)
        )
        made = request_of(self.order, moved, kept, paid, from_1001(len(self.split_off) + 1))
        for line_id, count in units.items():
            self.left[line_id] -= count
        self.split_off.append(made)
        self.moved += moved
        return made


def order(
    *lines: dict[str, Any], currency: str = "USD", payments: tuple[str, ...] = (), **more: Any
) -> OrderRequest:
    told = [{"line_id": line["sku"], "title": "Part", "unit_cost": "10.00"} | line for line in lines]
    given: dict[str, Any] = {
        "order_id": "1001",
        "seller_id": "acme",
        "buyer": {"email": "robin@buyer.example", "address": ADDRESS},
        "lines": told,
        "currency": currency,
        "payments": [
            {"paid_by": "stripe", "reference": f"pi_{number}", "amount": amount, "currency": currency}
            for number, amount in enumerate(payments)
        ],
    }
    return OrderRequest.at_the_door(given | more)


A = {"sku": "A", "quantity": 3, "unit_price": "10.00"}
B = {"sku": "B", "quantity": 1, "unit_price": "20.00", "tax": "1.00"}


def test_CAN_10_units_take_their_share_of_tax_shipping_and_discount_with_them() -> None:
    sold = Sold(order(A, B, payments=("51.00",), shipping="5.00", tax="2.50", discount="7.50"))
    made = sold.moves({"A": 1, "B": 1})
    assert made.order_id == "SP.1001.1"
    assert [(one.sku, one.quantity, one.unit_price) for one in made.lines] == [
        ("A", 1, Decimal("10.00")),
        ("B", 1, Decimal("20.00")),
    ]
    # of A a third of 27.00 + 3.00 shipping; of B 18.00 + its own tax, and 2.00 shipping
    assert made.paid == Decimal("9.00") + Decimal("1.00") + Decimal("19.00") + Decimal("2.00")
    assert made.shipping == Decimal("3.00")
    assert sold.payments == [Decimal("20.00")]


def test_CAN_10_each_payment_carries_its_part() -> None:
    sold = Sold(order(A, payments=("20.00", "10.00")))
    assert [one.amount for one in sold.moves({"A": 2}).payments] == [Decimal("13.33"), Decimal("6.67")]
    assert sold.payments == [Decimal("6.67"), Decimal("3.33")]


def test_CAN_10_rounding_fees_and_tips_stay_with_the_order() -> None:
    tip = [{"kind": "tip", "amount": "4.00"}]
    made = Sold(order(A, payments=("34.00",), adjustments=tip)).moves({"A": 3})
    assert (made.adjustments, made.paid) == ((), Decimal("30.00"))


def test_CAN_10_what_the_buyer_got_back_does_not_move() -> None:
    with pytest.raises(ValueError, match=r"10\.00 USD move with these units, and 4\.00 of the payments"):
        payment_parts(Decimal("10.00"), [Decimal("4.00")], "USD")


def test_CAN_10_an_order_that_cost_nothing_is_split_as_any_other() -> None:
    """ORD-15."""
    made = Sold(order(A | {"unit_price": "0.00"})).moves({"A": 1})
    assert (made.paid_with, made.paid_currency) == ((), "USD")


def test_CAN_10_components_of_a_kit_move_as_lines_of_their_own() -> None:
    """ORD-14."""
    parts = [
        {"sku": sku, "title": sku, "quantity": 1, "unit_cost": cost} for sku, cost in (("X", "2"), ("Y", "1"))
    ]
    kit = {"sku": "K", "quantity": 2, "unit_price": "10.00", "tax": "1.00", "components": parts}
    made = Sold(order(kit, payments=("21.00",))).moves({"K.1": 2, "K.2": 1})
    assert [(one.line_id, one.quantity, one.components) for one in made.lines] == [("K.1", 2, ()), ("K.2", 1, ())]
    assert made.paid == Decimal("14.00") + Decimal("3.50")


# ---- their ids ----


@pytest.mark.parametrize(("order_id", "ordinal"), [("1001", 1), ("a.b-1", 12), ("RP.RR-1-1", 3)])
def test_CAN_10_the_id_of_a_split_order_says_from_which_it_was_split_off(order_id: str, ordinal: int) -> None:
    assert split_of(split_order_id(order_id, ordinal)) == (order_id, ordinal)


def test_CAN_10_ids_of_split_orders_meet_no_other() -> None:
    long = "x" * MOST_CHARACTERS
    ids = {split_order_id(one, n) for one in ("1", "1.1", "1.1.1", "SP.1.1", long, long[:-1]) for n in (1, 2, 11)}
    assert len(ids) == 18
    assert all(is_split_order(one) and len(one) <= MOST_CHARACTERS for one in ids)
    with pytest.raises(ValueError, match="does not say"):
        split_of(split_order_id(long, 1))
    with pytest.raises(InvalidInput, match="kept for split orders"):
        order(A, payments=("30.00",), order_id="SP.9.1")


# ---- any order, any splits ----


class Draw(NamedTuple):
    """How an order is drawn, in smallest units."""

    data: st.DataObject
    currency: str

    def amount(self, most: int) -> str:
        return str(from_minor_units(self.data.draw(st.integers(0, most)), self.currency))

    def line(self, number: int) -> dict[str, Any]:
        quantity = self.data.draw(st.integers(1, 5))
        price = self.data.draw(st.integers(0, 2000))
        tax = self.data.draw(st.integers(0, 50))
        found: dict[str, Any] = {
            "sku": f"S{number}",
            "title": "Part",
            "quantity": quantity,
            "unit_price": str(from_minor_units(price, self.currency)),
            "unit_cost": self.amount(900),
            "tax": str(from_minor_units(tax, self.currency)),
            "discount": self.amount(min(price * quantity, 99)),
        }
        if self.data.draw(st.booleans()):
            count = self.data.draw(st.integers(1, 3))
            found["components"] = [
                {"sku": f"C{number}{one}", "title": "Piece", "quantity": self.data.draw(st.integers(1, 2))}
                for one in range(count)
            ]
        return found

    def order(self) -> OrderRequest:
        lines = [self.line(number) for number in range(self.data.draw(st.integers(1, 4)))]
        said = {name: self.amount(most) for name, most in (("tax", 99), ("shipping", 999), ("shipping_tax", 50))}
        said["shipping_discount"] = self.amount(min(60, int(Decimal(said["shipping"]).scaleb(3))))
        said["shipping_discount"] = min(said["shipping_discount"], said["shipping"], key=Decimal)
        said |= {"estimated_shipping": self.amount(500), "cost_tax": self.amount(70)}
        goods = sum(
            (
                Decimal(one["unit_price"]) * one["quantity"] + Decimal(one["tax"]) - Decimal(one["discount"])
                for one in lines
            ),
            ZERO,
        )
        shipping = Decimal(said["shipping"]) + Decimal(said["shipping_tax"]) - Decimal(said["shipping_discount"])
        paid = goods + Decimal(said["tax"]) + shipping
        most = from_minor_units(self.data.draw(st.integers(0, 400)), self.currency)
        said["discount"] = str(min(paid, most))
        paid -= Decimal(said["discount"])
        first = min(paid, from_minor_units(self.data.draw(st.integers(0, 3000)), self.currency))
        payments = tuple(str(one) for one in (first, paid - first) if one)
        return order(*lines, currency=self.currency, payments=payments, **said)

    def splits(self, sold: Sold) -> Iterator[dict[str, int]]:
        for _ in range(self.data.draw(st.integers(1, 3))):
            units = {one: self.data.draw(st.integers(0, left)) for one, left in sold.left.items()}
            if any(units.values()):
                yield {one: count for one, count in units.items() if count}


@settings(max_examples=150)
@given(st.data(), st.sampled_from(["JPY", "USD", "KWD"]))
def test_CAN_10_both_orders_are_worth_what_the_order_was_to_the_smallest_unit(
    data: st.DataObject, currency: str
) -> None:
    drawn = Draw(data, currency)
    sold = Sold(drawn.order())
    for units in drawn.splits(sold):
        sold.moves(units)
    whole, parts = sold.order, sold.split_off
    assert sum(sold.payments, ZERO) + sum((one.paid for one in parts), ZERO) == whole.paid
    assert all(left >= 0 and is_whole(left, currency) for left in sold.payments)
    for made in parts:
        told = sum(made._parts_of_price().values(), ZERO)
        assert told == made.paid, "product, tax, shipping and discount are what it cost"
    _each_is_part_of(whole, parts)
    for name in ("paid_goods", "paid_shipping", "cost_goods", "cost_shipping"):
        for line_id, share in sold.shares.items():
            gone = sum((getattr(one, name) for one in sold.moved if one.line_id == line_id), ZERO)
            assert 0 <= gone <= getattr(share, name)
            if not sold.left[line_id]:
                assert gone == getattr(share, name), "all of the line moved"


def _each_is_part_of(whole: OrderRequest, parts: list[OrderRequest]) -> None:
    def tax(one: OrderRequest) -> Decimal:
        return one.tax + sum((line.tax for line in one.lines), ZERO)

    assert sum((tax(one) for one in parts), ZERO) <= tax(whole)
    for name in ("shipping_tax", "shipping_discount"):
        assert sum((getattr(one, name) for one in parts), ZERO) <= getattr(whole, name)
    for made in parts:
        cost = sum((line.unit_cost * line.quantity for line in made.lines), ZERO) + made.cost_tax
        assert cost >= 0
        assert made.cost_tax >= 0
