"""What the door says to whoever wrote something otherwise: words, the field, nothing that is not so (ORD-21)."""

import re
from typing import Any

import pytest
from babel import Locale

from models.cancellations import CancelRequest
from models.contract import KINDS
from models.countries import COUNTRIES
from models.failures import InvalidInput
from models.message import Message
from models.orders import OrderRequest, Release
from models.parties import Seller, Supplier
from models.reasons import Reason
from models.refunds import RefundRequest
from models.returns import CreditMemo, ReturnRequest

MESSAGES: list[type[Message]] = [
    *(kind.request for kind in KINDS),
    *(event for kind in KINDS for event in kind.events.values()),
    Seller,
    Supplier,
    Reason,
]
LINE = {"sku": "PAD-1", "title": "Pad", "quantity": 1, "unit_price": "10.00", "unit_cost": "6.00"}
ADDRESS = {"name": "Robin", "line1": "1 Main St", "city": "Reno", "country": "US"}
ORDER: dict[str, Any] = {
    "order_id": "1001",
    "seller_id": "acme",
    "buyer": {"address": ADDRESS},
    "lines": [LINE],
    "payment": {"paid_by": "stripe", "reference": "pi_1", "amount": "10.00", "currency": "USD"},
}
EVENT = {"event_id": "e1", "actor": "seller:jane"}
REFUND = {
    "refund_id": "RF-1",
    "order_id": "1001",
    "currency": "USD",
    "reason": "worn",
    "requested_by": "staff:kim",
}
RETURN = {"return_id": "RR-1", "order_id": "1001", "lines": [{"sku": "A", "quantity": 1, "reason": "worn"}]}


def order(**fields: Any) -> OrderRequest:
    return OrderRequest.at_the_door(ORDER | fields)


def said(model: type[Message], **fields: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        model.at_the_door(fields)
    return str(refused.value)


def forms_in(schema: object) -> list[str]:
    if isinstance(schema, dict):
        own = [str(schema["pattern"])] if isinstance(schema.get("pattern"), str) else []
        return own + [form for value in schema.values() for form in forms_in(value)]
    return [form for value in schema for form in forms_in(value)] if isinstance(schema, list) else []


@pytest.mark.parametrize("model", MESSAGES, ids=lambda model: str(model.__name__))
def test_ORD_21_no_message_of_the_contract_answers_with_a_regular_expression(model: type[Message]) -> None:
    # What fits a form alone, pydantic answers with that form; money's own form is never shown.
    assert [form for form in forms_in(model.model_json_schema()) if form not in MONEY] == []


MONEY = set(forms_in(RefundRequest.model_json_schema()["properties"]["amount"]))
"""A schema of Decimal has one of its own, which nobody is shown."""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: said(OrderRequest, **ORDER | {"order_id": "#1071"}), "order_id: is an id: letters from A to Z"),
        (
            lambda: said(OrderRequest, **ORDER | {"lines": [LINE | {"line_id": "gid://shopify/LineItem/1"}]}),
            "lines.0.line_id: is an id",
        ),
        (lambda: said(Release, **EVENT | {"actor": "jane"}), "actor: is role:name, such as seller:jane"),
        (lambda: said(Release, **EVENT | {"actor": "king:jane"}), "the roles are seller, buyer, supplier"),
        (lambda: said(Release, **EVENT | {"actor": "seller:jane\nx"}), "actor: is role:name"),
        (lambda: said(RefundRequest, **REFUND | {"requested_by": "kim"}), "requested_by: is role:name"),
        (lambda: said(ReturnRequest, **RETURN | {"return_id": "RR 1"}), "return_id: is an id"),
        (lambda: said(Reason, handle="Does not", words={"en": "x"}), "handle: is a handle such as does_not_fit"),
        (
            lambda: said(Seller, seller_id="a", name="A", email="a@a.example", automatic_countries=["USA"]),
            "is no country's code of two letters, such as US or GB",
        ),
    ],
)
def test_ORD_21_who_wrote_a_text_otherwise_is_told_in_words(answer: Any, words: str) -> None:
    told = answer()
    assert words in told
    assert "^" not in told


@pytest.mark.parametrize("code", ["us", " US ", "Us"])
def test_ORD_21_a_country_in_small_letters_is_that_country(code: str) -> None:
    assert order(buyer={"address": ADDRESS | {"country": code}}).buyer.address.country == "US"


@pytest.mark.parametrize("code", ["XX", "ZZ", "UK", "EU", "USA", "1A"])
def test_ORD_21_a_country_that_there_is_not_is_refused(code: str) -> None:
    told = said(OrderRequest, **ORDER | {"buyer": {"address": ADDRESS | {"country": code}}})
    assert "buyer.address.country: is no country's code" in told


def test_ORD_21_every_country_that_others_know_is_known() -> None:
    known = {str(code) for code in Locale("en").territories if re.fullmatch("[A-Z]{2}", str(code))}
    assert known - COUNTRIES == {"CP", "CQ", "DG", "EA", "EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}
    assert COUNTRIES - known == set()


NOTHING = {
    "channel": None,
    "channel_order_id": None,
    "payments": None,
    "shipping": None,
    "tax": None,
    "discount": None,
    "adjustments": None,
    "estimated_shipping": None,
    "lines": [LINE | {"tax": None, "discount": None, "components": None, "line_id": None}],
}


def test_ORD_21_null_is_an_absent_field() -> None:
    assert order(**NOTHING) == order()


def test_ORD_21_a_needed_field_that_is_null_is_missing() -> None:
    told = said(OrderRequest, **ORDER | {"seller_id": None})
    assert told == "OrderRequest: seller_id: is missing"


def test_ORD_21_a_wrong_entry_is_not_told_as_a_list_too_short() -> None:
    told = said(OrderRequest, **ORDER | {"lines": [LINE | {"quantity": 0}]})
    assert told == "OrderRequest: lines.0.quantity: a quantity is between 1 and 100000"
    assert "at least 1 item" in said(OrderRequest, **ORDER | {"lines": []})


@pytest.mark.parametrize("reason", [{}, {"reason": ""}, {"reason": "   "}])
def test_CAN_9_a_cancel_needs_a_reason(reason: dict[str, str]) -> None:
    assert "reason" in said(CancelRequest, event_id="e1", actor="seller:jane", **reason)


@pytest.mark.parametrize("code", ["BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW", "XXX", "XAU"])
def test_ORD_15_nobody_pays_with_a_fund_or_a_metal(code: str) -> None:
    payment = ORDER["payment"] | {"currency": code}
    assert "nobody pays with it" in said(OrderRequest, **ORDER | {"payment": payment})


@pytest.mark.parametrize("code", ["XAF", "XOF", "XPF", "XCD", "UYU", "CLP", "CHF"])
def test_ORD_15_people_pay_with_these(code: str) -> None:
    payment = ORDER["payment"] | {"currency": code, "amount": "1000"}
    line = LINE | {"unit_price": "1000", "unit_cost": "6"}
    assert order(lines=[line], payment=payment).paid_currency == code


def test_ORD_21_money_is_written_in_the_digits_0_to_9() -> None:
    told = said(OrderRequest, **ORDER | {"lines": [LINE | {"unit_price": "١٠.00"}]})
    assert "lines.0.unit_price: money is a decimal string" in told


@pytest.mark.parametrize("end", ["\t", "\u2028", "\u2029"])
def test_NTF_3_what_is_shown_on_one_line_is_one(end: str) -> None:
    address = {"address": ADDRESS | {"postal_code": f"89{end}501"}}
    for told in (
        said(Release, **EVENT | {"actor": f"seller:jane{end}x"}),
        said(RefundRequest, **REFUND | {"requested_by": f"staff:kim{end}x"}),
        said(OrderRequest, **ORDER | {"buyer": address}),
    ):
        assert "one line" in told


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2200-01-01", "9999-12-31"])
def test_RET_12_the_date_of_a_paper_lies_in_our_time(day: str) -> None:
    paper = {"number": "CM-1", "date": day, "amount": "1.00", "currency": "USD"}
    assert "date: a date lies between" in said(CreditMemo, **EVENT | paper)
