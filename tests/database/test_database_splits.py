"""Units move to an order of their own, with their part of all money, in one transaction (CAN-10)."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from activities.database.ledger import Ledger
from models.cancellations import SplitFrom
from models.failures import BackhaulError
from models.orders import OrderRequest
from models.records import Opening
from models.splits import OrderSplit, SplitOrder
from models.tables import OrderRow
from tests.database.full_database import by_hand
from tests.database.story import NOON, Story, order_request

EVENT = {"event_id": "e1", "actor": "buyer:robin", "reason": "changed their mind"}


def split(story: Story, ordinal: int = 1, event_id: str = "e1", **units: int) -> OrderSplit:
    told = {"order_id": "1001", "ordinal": ordinal, "event": EVENT | {"event_id": event_id}, "arrived_at": NOON}
    return story.database.split_order(SplitOrder(split_from=SplitFrom.model_validate(told), units=units))


def request_of(answer: OrderSplit) -> OrderRequest:
    assert answer.request is not None, answer.reason
    return answer.request


def opened(story: Story, made: OrderRequest, run: str = "run-9") -> Opening:
    return story.order_request_opened(made, run).opening


def left(story: Story, order_id: str) -> tuple[Decimal, Decimal]:
    """What the buyer paid for what is of this order, and what of it may go back."""
    buyer = story.reading.refunds_of(order_id).buyer
    return buyer.paid, buyer.left


def refunded(story: Story, refund_id: str, amount: str | None, order_id: str, **more: Any) -> Opening:
    story.order_id = order_id
    return story.refunding(refund_id, amount, **more).opening


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
def test_CAN_10_both_orders_are_worth_what_the_order_was(story: Story, currency: str) -> None:
    story.ordered(("A", 3, "100"), ("B", 1, "7"), currency=currency, shipping="5", tax="10", discount="4")
    made = request_of(split(story, A=2))
    assert opened(story, made) is Opening.OPENED
    assert left(story, "1001")[0] + left(story, made.order_id)[0] == Decimal(318)
    assert [
        (one.line_id, one.quantity, one.moved, one.open) for one in story.reading.order_view("1001").lines
    ] == [
        ("A", 3, 2, 1),
        ("B", 1, 0, 1),
    ]
    assert [(one.line_id, one.open) for one in story.reading.order_view(made.order_id).lines] == [("A", 2)]


def test_CAN_10_the_order_that_was_split_off_opens_with_its_stored_shares_and_charges_nobody(story: Story) -> None:
    story.ordered(("A", 3, "100.00"), shipping="10.00")
    made = request_of(split(story, A=1))
    answer = story.order_request_opened(made, "run-9")
    assert [(one.line_id, one.quantity, one.paid) for one in answer.shares] == [("A", 1, made.paid)]
    assert made.paid == Decimal("103.33")
    assert opened(story, made) is Opening.OPENED, "the same run again"
    assert opened(story, made, "run-10") is Opening.DUPLICATE


def test_CAN_10_twice_is_once(story: Story) -> None:
    story.ordered(("A", 3, "100.00"))
    assert split(story, A=1) == split(story, A=1)
    assert left(story, "1001")[0] == Decimal("200.00")


def test_CAN_10_its_number_is_taken_over_by_no_other_request(story: Story) -> None:
    story.ordered(("A", 3, "100.00"))
    split(story, A=1)
    for other in (split(story, event_id="e2", A=1), split(story, A=2)):
        assert other.request is None
        assert "another request's" in str(other.reason)
    assert left(story, "1001")[0] == Decimal("200.00")


def test_REF_3_no_more_goes_back_for_either_than_was_paid_for_it(story: Story) -> None:
    story.ordered(("A", 3, "100.00"))
    made = request_of(split(story, A=1))
    opened(story, made)
    assert refunded(story, "RF-1", "200.01", "1001") is Opening.REFUSED
    assert refunded(story, "RF-2", "100.01", made.order_id) is Opening.REFUSED
    assert refunded(story, "RF-3", "200.00", "1001") is Opening.OPENED
    assert refunded(story, "RF-4", None, made.order_id) is Opening.OPENED
    assert (left(story, "1001")[1], left(story, made.order_id)[1]) == (Decimal(0), Decimal(0))


def test_REF_13_units_that_moved_are_refunded_with_their_own_order_alone(story: Story) -> None:
    story.ordered(("A", 3, "100.00"))
    made = request_of(split(story, A=2))
    opened(story, made)
    two, one = ([{"line_id": "A", "quantity": count}] for count in (2, 1))
    assert refunded(story, "RF-1", None, "1001", lines=two) is Opening.REFUSED
    assert refunded(story, "RF-2", None, "1001", lines=one) is Opening.OPENED
    assert refunded(story, "RF-3", None, made.order_id, lines=two) is Opening.OPENED


def test_CAN_10_each_payment_gives_back_its_part(story: Story) -> None:
    payments = [
        {"paid_by": "stripe", "reference": f"pi_{number}", "amount": amount, "currency": "USD"}
        for number, amount in ((1, "90.00"), (2, "210.00"))
    ]
    story.ordered(("A", 3, "100.00"), payment=None, payments=payments)
    made = request_of(split(story, A=1))
    assert [(one.reference, one.amount) for one in made.payments] == [
        ("pi_1", Decimal("30.00")),
        ("pi_2", Decimal("70.00")),
    ]
    opened(story, made)
    assert refunded(story, "RF-2", "70.00", made.order_id) is Opening.OPENED
    assert refunded(story, "RF-9", "30.01", made.order_id) is Opening.REFUSED, "its other payment has 30.00 left"
    assert refunded(story, "RF-3", "140.00", "1001") is Opening.OPENED
    assert refunded(story, "RF-4", "60.00", "1001") is Opening.OPENED


def test_CAN_10_what_went_back_to_the_buyer_does_not_move(story: Story) -> None:
    story.ordered(("A", 2, "100.00"))
    assert refunded(story, "RF-1", "150.00", "1001") is Opening.OPENED
    answer = split(story, A=1)
    assert answer.request is None
    assert "150.00 of 200.00 went back already: cancel the whole order" in str(answer.reason)
    assert story.reading.order_view("1001").lines[0].moved == 0


def test_CAN_10_units_whose_money_went_back_do_not_move(story: Story) -> None:
    story.ordered(("A", 2, "100.00"))
    assert refunded(story, "RF-1", None, "1001", lines=[{"line_id": "A", "quantity": 1}]) is Opening.OPENED
    assert "can't be cancelled: 1 are neither shipped nor refunded" in str(split(story, A=2).reason)
    assert split(story, event_id="e2", A=1).request is not None


def test_ORD_17_a_payment_that_was_split_is_still_of_one_order(story: Story) -> None:
    story.ordered(("A", 2, "100.00"))
    opened(story, request_of(split(story, A=1)))
    other = order_request(("A", 1, "9.00"), order_id="2002")
    payment = other.payment
    assert payment is not None
    same = other.model_copy(update={"payment": payment.model_copy(update={"reference": "pi_1001"})})
    answer = story.order_request_opened(same, "run-2")
    assert answer.opening is Opening.REFUSED
    assert "the one of order 1001" in str(answer.reason)


def test_BAL_1_no_money_moves_and_the_ledger_is_as_it_was(story: Story, engine: Engine) -> None:
    story.ordered(("A", 3, "100.00"))
    before = Ledger(engine).balances()
    made = request_of(split(story, A=1))
    opened(story, made)
    assert Ledger(engine).balances() == before
    assert refunded(story, "RF-4", None, made.order_id) is Opening.OPENED
    assert Ledger(engine).faults()[1] == []
    assert Ledger(engine).backfill() == 0


def test_CAN_10_both_say_where_the_other_is(story: Story, engine: Engine) -> None:
    story.ordered(("A", 3, "100.00"))
    opened(story, request_of(split(story, A=1)))
    with Session(engine) as session:
        row = session.get(OrderRow, "SP.1001.1")
        assert row is not None
        assert row.split_from == "1001"
    assert story.reading.order_view("1001").split_orders == ("SP.1001.1",)
    assert story.reading.order_view("SP.1001.1").split_from == "1001"


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        ("UPDATE order_line SET moved = 2 WHERE order_id = '1001'", "units_move_to_split_orders"),
        ("UPDATE order_line SET cancelled = 3 WHERE order_id = '1001'", "each_unit_has_one_fate"),
        ("UPDATE orders SET payment_moved = '301' WHERE order_id = '1001'", "no_more_moves_than_was_paid"),
        ("UPDATE orders SET run_id = 'other' WHERE order_id = 'SP.1001.1'", "is_written_once"),
        (
            "INSERT INTO payment (order_id, position, paid_by, reference, amount, currency, of_order_id, "
            "of_position) VALUES ('SP.1001.1', 2, 'stripe', 'pi_1001', '200.01', 'USD', '1001', 1)",
            "parts_are_within_it",
        ),
    ],
)
def test_CAN_10_the_database_guards_that_nothing_is_there_twice(
    story: Story, engine: Engine, statement: str, guard: str
) -> None:
    story.ordered(("A", 3, "100.00"))
    opened(story, request_of(split(story, A=1)))
    with pytest.raises(BackhaulError, match=guard):
        by_hand(engine, statement)
