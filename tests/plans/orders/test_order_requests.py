"""What an order may look like at the door: real orders pass, what could not be right is refused (ORD-13 to 21)."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from models.failures import InvalidInput
from models.orders import OrderRequest, share_out
from models.returns import CreditMemo

ADDRESS: dict[str, Any] = {
    "name": "Robin",
    "line1": "1 Main St",
    "city": "Reno",
    "postal_code": "89501",
    "country": "US",
}
LINE = {"sku": "PAD-1", "title": "Pad", "quantity": 1, "unit_price": "10.00", "unit_cost": "6.00"}


def order(
    address: dict[str, Any] | None = None, buyer: dict[str, Any] | None = None, **fields: Any
) -> OrderRequest:
    given: dict[str, Any] = {
        "order_id": "1001",
        "seller_id": "acme",
        "buyer": {"email": "robin@buyer.example", "address": ADDRESS | (address or {})} | (buyer or {}),
        "lines": [LINE],
        "payment": {"paid_by": "stripe", "reference": "pi_1", "amount": "10.00", "currency": "USD"},
    }
    told = given | fields
    return OrderRequest.at_the_door({name: value for name, value in told.items() if value != "left out"})


@pytest.mark.parametrize(
    "niceties",
    [
        {"address": {"line2": ""}},
        {"address": {"line2": "Apt 4", "line3": "Backyard", "company": "Robin Ltd", "phone": "+1 555 0100"}},
        {"address": {"region": ""}},
        {"address": {"postal_code": "", "city": "Hong Kong", "country": "HK"}},
        {"buyer": {"language": "en-US"}},
        {"buyer": {"language": "pt_BR"}},
        {"buyer": {"language": "zh-TW"}},
        {"buyer": {"language": None}},
        {"buyer": {"language": "tlh-Klingon"}},
        {"buyer": {"email": None}},
        {"buyer": {"email": ""}},
        {"buyer": {"email": "a..b.@mail.example"}},
        {"buyer": {"email": "guest@pos.local"}},
        {"channel_order_id": "#1071"},
        {"payment": {"paid_by": "bank_transfer", "amount": "10.00", "currency": "USD"}},
        {"payment": {"paid_by": "gift_card", "reference": "GC-1", "amount": "10.00", "currency": "USD"}},
        {"lines": [LINE | {"core_charge": None}]},
    ],
)
def test_ORD_21_no_nicety_refuses_an_order(niceties: dict[str, Any]) -> None:
    assert order(**niceties).paid == Decimal("10.00")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("en-US", "en"), ("pt_BR", "pt"), ("zh-TW", "zh"), ("DE", "de"), (None, "en"), ("klingon", "en"), ("", "en")],
)
def test_ORD_21_a_language_falls_back_to_one_that_there_is(typed: str | None, kept: str) -> None:
    assert order(buyer={"language": typed}).buyer.language == kept


def test_ORD_21_an_empty_field_is_absent_and_what_is_typed_is_kept() -> None:
    request = order({"line2": " ", "postal_code": ""}, {"email": "a..b.@mail.example"}, channel_order_id="#1071")
    assert (request.buyer.address.line2, request.buyer.address.postal_code) == (None, None)
    assert (request.buyer.email, request.channel_order_id) == ("a..b.@mail.example", "#1071")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (
            {"payment": {"paid_by": "stripe", "reference": "p", "amount": "10.00", "currency": "XXX"}},
            "nobody pays",
        ),
        ({"address": {"latitude": 0, "longitude": 0}}, "a place in the sea"),
        ({"address": {"latitude": 38.5}}, "both latitude and longitude"),
        ({"payment": {"paid_by": "stripe", "amount": "10.00", "currency": "USD"}}, "needs its reference"),
        ({"payment": "left out"}, "currency where nothing was to pay"),
    ],
)
def test_ORD_15_ORD_21_what_can_not_be_right_is_refused_in_words(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as refused:
        order(**wrong)
    assert "^" not in str(refused.value), "no regular expression is shown to people"


HALF = {"paid_by": "stripe", "reference": "p1", "amount": "500000000000000.00", "currency": "USD"}


@pytest.mark.parametrize(
    ("lines", "payments", "what"),
    [
        ([LINE | {"quantity": 100_000, "unit_cost": "10000000000.00", "unit_price": "0.00"}], [], "is charged"),
        (
            [LINE | {"quantity": 2, "unit_price": "500000000000000.00"}],
            [HALF, HALF | {"reference": "p2"}],
            "buyer paid",
        ),
    ],
)
def test_ORD_16_what_adds_up_to_more_than_any_amount_is_refused_at_the_door(
    lines: list[dict[str, Any]], payments: list[dict[str, Any]], what: str
) -> None:
    """Nothing inside could keep, post or tell it: no run would get past its first step."""
    with pytest.raises(InvalidInput, match=rf"what the .*{what} adds up to 1000000000000000\.00: no amount has"):
        order(lines=lines, payment="left out", payments=payments, currency="USD")


@pytest.mark.parametrize("day", [1772366400, "1772366400", 1.5])
def test_ORD_21_a_day_is_never_a_number_of_seconds(day: object) -> None:
    memo = {"event_id": "e1", "actor": "supplier:sue", "number": "CM-1", "amount": "1.00", "currency": "USD"}
    assert str(CreditMemo.at_the_door(memo | {"date": "2026-03-01"}).date) == "2026-03-01"
    with pytest.raises(InvalidInput, match="a date is written like 2026-03-01"):
        CreditMemo.at_the_door(memo | {"date": day})


# ---- lines (ORD-13) ----


def test_ORD_13_the_same_item_may_stand_in_two_lines_which_are_named_by_their_positions() -> None:
    request = order(lines=[LINE, LINE | {"unit_price": "0.00"}])
    assert [(item.line_id, item.sku) for item in request.items] == [("1", "PAD-1"), ("2", "PAD-1")]


def test_ORD_13_two_lines_of_one_id_are_refused() -> None:
    with pytest.raises(InvalidInput, match="line_id 2 stands in two lines"):
        order(lines=[LINE | {"line_id": "2"}, LINE | {"unit_price": "0.00"}])


def test_ORD_14_the_id_of_a_component_is_taken() -> None:
    parts = [{"sku": "A", "title": "A", "quantity": 1}]
    with pytest.raises(InvalidInput, match=r"line_id 1\.1 stands in two lines"):
        order(lines=[LINE | {"components": parts}, LINE | {"line_id": "1.1", "unit_price": "0.00"}])


# ---- payments (ORD-1, ORD-15) ----


def test_ORD_1_several_payments_add_up() -> None:
    payments = [
        {"paid_by": "gift_card", "amount": "4.00", "currency": "USD"},
        {"paid_by": "stripe", "reference": "pi_1", "amount": "6.00", "currency": "USD"},
    ]
    request = order(payment="left out", payments=payments)
    assert (request.paid, [one.paid_by for one in request.paid_with]) == (
        Decimal("10.00"),
        ["gift_card", "stripe"],
    )
    with pytest.raises(InvalidInput, match=r"payment\.amount, 4\.00, is 6.00 too little"):
        order(payment="left out", payments=payments[:1])


def test_ORD_1_currencies_are_never_added_to_each_other() -> None:
    payments = [
        {"paid_by": "gift_card", "amount": "4.00", "currency": "EUR"},
        {"paid_by": "stripe", "reference": "pi_1", "amount": "6.00", "currency": "USD"},
    ]
    with pytest.raises(InvalidInput, match="one order is paid in one currency, not in EUR and USD"):
        order(payment="left out", payments=payments)


def test_ORD_1_one_payment_is_not_given_twice() -> None:
    half = {"paid_by": "stripe", "reference": "pi_1", "amount": "5.00", "currency": "USD"}
    with pytest.raises(InvalidInput, match="the payment pi_1 is given twice"):
        order(payment="left out", payments=[half, half])
    assert order(payment="left out", payments=[half, half | {"reference": "pi_2"}]).paid == Decimal("10.00")


@pytest.mark.parametrize(
    "free",
    [
        {"payment": "left out", "currency": "USD"},
        {"payment": {"paid_by": "other", "amount": "0.00", "currency": "USD"}},
        {"payment": {"paid_by": "stripe", "amount": "0.00", "currency": "USD"}},
    ],
)
def test_ORD_15_an_order_that_costs_nothing_is_an_order(free: dict[str, Any]) -> None:
    request = order(lines=[LINE | {"unit_price": "0.00"}], **free)
    assert (request.paid, request.paid_currency, request.paid_with) == (Decimal(0), "USD", ())


def test_ORD_16_the_order_of_the_documents_is_taken_and_worth_what_they_say() -> None:
    page = (Path(__file__).parents[3] / "docs" / "orders.md").read_text()
    (example,) = re.findall(r"^```json\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    request = OrderRequest.at_the_door(json.loads(example))
    told = dict(re.findall(r"^\| line (\S+) \| (\S+) \|", page, re.MULTILINE))
    assert {share.line_id: str(share.paid_goods) for share in share_out(request)} == told
