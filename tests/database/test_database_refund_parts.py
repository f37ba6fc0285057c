"""What no single payment, or charge on the seller, can carry: the parts in which it goes back (REF-3, ORD-8)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.database.refund_parts import shared
from activities.database.refund_sources import Carrier
from models.payments import PaidBy
from models.records import Opening, ReservedRefund
from models.refunds import Direction, RefundState
from tests.database.story import NOON, Story, seller
from tests.database.test_database_lines import an_order, delivered, line, of, paid_by
from tests.database.test_database_splits import request_of, split


@pytest.fixture
def twice_paid(story: Story) -> Story:
    """100.00 were paid by two cards: 60.00 and 40.00."""
    paid_by(story, ("stripe", "pi_a", "60.00"), ("stripe", "pi_b", "40.00"), total="100.00")
    return story


def make(story: Story, answer: ReservedRefund, refund_id: str = "RF-1", **more: Any) -> list[ReservedRefund]:
    """The refunds of its parts begin."""
    assert answer.opening is Opening.REFUSED, answer
    return [
        story.refunding(one.refund_id, str(one.amount), part_of=refund_id, lines=one.lines, **more)
        for one in answer.parts
    ]


def parts(story: Story, answer: ReservedRefund, **more: Any) -> list[tuple[str, str]]:
    """Of a refund that was divided: by which payment how much goes back."""
    made = make(story, answer, **more)
    assert [one.amount for one in made] == [one.amount for one in answer.parts]
    return [(str(one.payment_reference), f"{one.amount:f}") for one in made]


def test_REF_3_what_no_single_payment_can_carry_is_reserved_in_parts(twice_paid: Story) -> None:
    answer = twice_paid.refunding("RF-1", "70.00")
    assert parts(twice_paid, answer) == [("pi_a", "60.00"), ("pi_b", "10.00")]
    assert [one.refund_id for one in answer.parts] == ["RF-1P1", "RF-1P2"]
    assert answer.reason == (
        "no single payment can carry 70.00 USD: it is refunded in parts, 60.00 by pi_a, 10.00 by pi_b (REF-3)"
    )
    assert twice_paid.left_for_buyer() == Decimal("30.00"), "all at once: nothing takes what another part needs"


def test_REF_3_each_part_is_made_with_what_is_reserved_for_it(twice_paid: Story) -> None:
    made = make(twice_paid, twice_paid.refunding("RF-1", "70.00"))
    assert [(one.opening, one.payment_reference, one.resumed) for one in made] == [
        (Opening.OPENED, "pi_a", False),
        (Opening.OPENED, "pi_b", False),
    ]
    assert twice_paid.left_for_buyer() == Decimal("30.00")
    assert twice_paid.refunding("RF-2", "30.00").payment_reference == "pi_b"


def test_REF_6_a_part_whose_run_was_stopped_is_looked_for_by_the_next_one(twice_paid: Story) -> None:
    answer = twice_paid.refunding("RF-1", "70.00")
    make(twice_paid, answer)
    assert [one.resumed for one in make(twice_paid, answer, run="run-2")] == [True, True]


def test_REF_6_nothing_is_reserved_for_a_part_of_which_the_whole_says_nothing(twice_paid: Story) -> None:
    answer = twice_paid.refunding("RF-1P1", "60.00", part_of="RF-1")
    assert answer.opening is Opening.REFUSED
    assert answer.reason == "refund RF-1 was not divided into this part: nothing is reserved for it"


def test_REF_8_all_that_is_left_over_several_payments_goes_back_in_parts(twice_paid: Story) -> None:
    twice_paid.refunding("RF-0", "25.00")
    answer = twice_paid.refunding("RF-1")
    assert parts(twice_paid, answer) == [("pi_a", "35.00"), ("pi_b", "40.00")]
    assert twice_paid.left_for_buyer() == 0


def test_REF_3_a_payment_that_is_used_up_carries_no_part(story: Story) -> None:
    paid_by(story, *(("stripe", f"pi_{name}", "30.00") for name in "abc"), total="90.00")
    story.refunding("RF-0", "30.00")
    story.settled("RF-0", RefundState.SUCCEEDED)
    assert parts(story, story.refunding("RF-1", "50.00")) == [("pi_b", "30.00"), ("pi_c", "20.00")]


def test_REF_3_a_part_that_failed_gives_its_payment_free(twice_paid: Story) -> None:
    twice_paid.refunding("RF-1", "100.00")
    twice_paid.settled("RF-1P2", RefundState.FAILED)
    assert twice_paid.refunding("RF-2", "40.00").payment_reference == "pi_b"


def test_REF_3_payments_of_three_kinds_of_which_one_was_used_in_part(story: Story) -> None:
    story.connected("acme-paypal", "seller:acme", provider="paypal")
    story.connected("acme-anet", "seller:acme", provider="authorize_net")
    kinds = (("gift_card", None, "20.00"), ("stripe", "pi_a", "30.00"), ("paypal", "cap_b", "30.00"))
    paid_by(story, *kinds, ("authorize_net", "tr_c", "20.00"), total="100.00")
    story.refunding("RF-0", "12.00")
    answer = story.refunding("RF-1", "60.00")
    assert parts(story, answer) == [("pi_a", "18.00"), ("cap_b", "30.00"), ("tr_c", "12.00")]
    assert [one.opening for one in make(story, answer)] == [Opening.OPENED] * 3


def test_REF_9_what_all_gateways_together_can_not_carry_is_refused(story: Story) -> None:
    paid_by(
        story,
        ("gift_card", None, "30.00"),
        ("stripe", "pi_a", "40.00"),
        ("stripe", "pi_b", "30.00"),
        total="100.00",
    )
    answer = story.refunding("RF-1")
    assert (parts(story, answer), answer.reason) == (
        [],
        "the gateway can give back only 70.00 of 100.00 USD (pi_a 40.00, pi_b 30.00): refund that, and record "
        "with way manual what goes back another way (REF-9)",
    )
    assert story.refunding("RF-2", "30.00", way="manual").opening is Opening.OPENED
    assert parts(story, story.refunding("RF-1")) == [("pi_a", "40.00"), ("pi_b", "30.00")]


def test_REF_3_more_than_is_left_is_refused_as_ever(twice_paid: Story) -> None:
    answer = twice_paid.refunding("RF-1", "100.01")
    assert parts(twice_paid, answer) == []
    assert "100.01 USD is more than the 100.00 USD still refundable" in (answer.reason or "")


def test_REF_6_a_refund_whose_parts_are_made_is_answered_with_these_very_parts(twice_paid: Story) -> None:
    """As after a reset: whoever asks again finds what became of each."""
    before = twice_paid.refunding("RF-1", "100.00")
    assert twice_paid.refunding("RF-1", "100.00").opening is Opening.REFUSED, "they are still to be begun"
    make(twice_paid, before)
    answer = twice_paid.refunding("RF-1", "100.00", run="run-2")
    assert (answer.parts, answer.opening, answer.reason) == (
        before.parts,
        Opening.DUPLICATE,
        "refund RF-1 was made in parts already: RF-1P1 60.00, RF-1P2 40.00; not repeated (REF-6)",
    )
    twice_paid.settled("RF-1P1", RefundState.FAILED)
    again = twice_paid.refunding("RF-1", "100.00")
    assert again.parts == before.parts, "also when a single one could carry it by now"
    assert twice_paid.outcome("RF-1", "100.00").parts == before.parts
    assert twice_paid.outcome("RF-1P1", "60.00", part_of="RF-1").state is RefundState.FAILED
    assert twice_paid.refunding("RF-2", "60.00").opening is Opening.OPENED
    assert twice_paid.left_for_buyer() == 0


def test_REF_6_another_refund_under_the_id_of_one_that_was_divided_is_a_conflict(twice_paid: Story) -> None:
    twice_paid.refunding("RF-1", "70.00")
    answer = twice_paid.refunding("RF-1", "75.00")
    assert (answer.opening, answer.parts, "differs in amount" in str(answer.reason)) == (
        Opening.CONFLICT,
        (),
        True,
    )
    assert twice_paid.outcome("RF-1", "75.00").conflict
    assert twice_paid.refunding("RF-1P1", "60.00").opening is Opening.CONFLICT, "nobody divided this one"


def test_REF_6_an_id_that_somebody_gave_another_refund_is_no_parts(twice_paid: Story) -> None:
    twice_paid.refunding("RF-1P1", "5.00")
    answer = twice_paid.refunding("RF-1", "90.00")
    assert [(one.refund_id, str(one.amount)) for one in answer.parts] == [("RF-1P2", "55.00"), ("RF-1P3", "35.00")]


def test_REF_7_a_word_about_a_refund_that_was_divided_reserves_nothing(twice_paid: Story) -> None:
    answer = twice_paid.refunding("RF-1", "70.00", known_only=True)
    assert (answer.parts, twice_paid.left_for_buyer()) == ((), Decimal("100.00"))


def test_CAN_10_what_moved_to_an_order_that_was_split_off_is_not_carried_here(story: Story) -> None:
    payments = [
        {"paid_by": "stripe", "reference": f"pi_{name}", "amount": amount, "currency": "USD"}
        for name, amount in (("a", "60.00"), ("b", "40.00"))
    ]
    story.ordered(("A", 5, "20.00"), payment=None, payments=payments)
    made = request_of(split(story, A=2))
    story.order_request_opened(made)
    here, there = (
        story.refunding(refund_id, order_id=order_id)
        for refund_id, order_id in (("RF-1", "1001"), ("RF-2", made.order_id))
    )
    assert sum((one.amount for one in here.parts), here.amount or Decimal(0)) == Decimal("60.00")
    assert sum((one.amount for one in there.parts), there.amount or Decimal(0)) == Decimal("40.00")
    assert here.parts or there.parts, "one of them is carried by both payments"
    carried = {"RF-1": here, "RF-2": there}
    by_b = Decimal(0)
    for refund_id, one in carried.items():
        order_id = "1001" if refund_id == "RF-1" else made.order_id
        shares = make(story, one, refund_id, order_id=order_id) if one.parts else [one]
        by_b += sum(
            (share.amount or Decimal(0) for share in shares if share.payment_reference == "pi_b"), Decimal(0)
        )
    assert by_b <= Decimal("40.00")


# ---- units (REF-13) ----


def two_units(story: Story) -> None:
    """Two units of A were paid by 30.00 and 70.00, and something else by another 50.00."""
    payments = [
        {"paid_by": "stripe", "reference": f"pi_{name}", "amount": amount, "currency": "USD"}
        for name, amount in (("a", "30.00"), ("b", "70.00"), ("c", "50.00"))
    ]
    lines = (line("a", "A", "50.00", 2), line("b", "B", "50.00", 1))
    delivered(story, an_order(*lines, paid="150.00", payment=None, payments=payments))


def test_REF_13_what_units_are_worth_is_divided_and_not_all_that_is_left(story: Story) -> None:
    payments = [
        {"paid_by": "stripe", "reference": f"pi_{name}", "amount": amount, "currency": "USD"}
        for name, amount in (("a", "30.00"), ("b", "30.00"), ("c", "40.00"))
    ]
    request = an_order(line("a", "A", "50.00", 2), paid="100.00", payment=None, payments=payments)
    delivered(story, request)
    answer = story.refunding("RF-1", lines=of(("A", 1)))
    assert parts(story, answer) == [("pi_a", "30.00"), ("pi_b", "20.00")]
    assert [len(one.lines) for one in answer.parts] == [1, 0], "they are counted once"
    assert "1 of them are refunded" in str(story.refunding("RF-2", lines=of(("A", 2))).reason)
    assert story.refunding("RF-2", "40.00", lines=of(("A", 1))).opening is Opening.OPENED


def test_REF_13_of_two_refunds_of_the_same_units_the_refused_one_moves_nothing(story: Story) -> None:
    """Asked for at the same moment, before any part of either is begun: all or nothing."""
    two_units(story)
    first = story.refunding("RF-1", lines=of(("A", 2)))
    second = story.refunding("RF-2", lines=of(("A", 2)))
    assert (second.parts, "2 of them are refunded or being refunded (REF-13)" in str(second.reason)) == ((), True)
    assert [one.opening for one in make(story, first)] == [Opening.OPENED] * 2
    assert story.left_for_buyer() == Decimal("50.00")


@pytest.mark.parametrize("first", [RefundState.FAILED, RefundState.SUCCEEDED])
def test_REF_13_units_that_are_asked_for_again_get_no_more_than_they_are_worth(
    story: Story, first: RefundState
) -> None:
    """The same number, sent again after its first part failed: all that is left of the order is not meant."""
    two_units(story)
    answer = story.refunding("RF-1", lines=of(("A", 2)))
    assert sum(one.amount for one in answer.parts) == Decimal("100.00")
    story.settled("RF-1P1", first)
    again = story.refunding("RF-1", lines=of(("A", 2)))
    assert (again.parts, "was made in parts already" in str(again.reason)) == (answer.parts, True)


LATER = NOON + timedelta(hours=2)


def half_failed(story: Story, first: RefundState = RefundState.FAILED) -> None:
    """Two units of A, worth 100.00, went as 60.00, which names them, and 40.00; the first part failed."""
    payments = [
        {"paid_by": "stripe", "reference": f"pi_{name}", "amount": amount, "currency": "USD"}
        for name, amount in (("a", "60.00"), ("b", "40.00"), ("c", "50.00"))
    ]
    lines = (line("a", "A", "50.00", 2), line("b", "B", "50.00", 1))
    delivered(story, an_order(*lines, paid="150.00", payment=None, payments=payments))
    answer = story.refunding("RF-1", lines=of(("A", 2)))
    assert parts(story, answer) == [("pi_a", "60.00"), ("pi_b", "40.00")]
    story.settled("RF-1P2", RefundState.SUCCEEDED)
    story.settled("RF-1P1", first)


@pytest.mark.parametrize("first", [RefundState.FAILED, RefundState.REFUSED])
def test_REF_13_units_of_which_a_part_moved_are_refunded_by_what_is_missing(
    story: Story, first: RefundState
) -> None:
    """The order has enough left for all that they are worth; 140.00 for them would be too much."""
    half_failed(story, first)
    again = story.refunding("RF-2", lines=of(("A", 2)), at=LATER)
    assert (again.amount, again.payment_reference) == (Decimal("60.00"), "pi_a")
    assert "2 of them are refunded" in str(story.refunding("RF-3", lines=of(("A", 1)), at=LATER).reason)
    assert story.refunding("RF-3", lines=of(("B", 1)), at=LATER).amount == Decimal("50.00")
    assert story.left_for_buyer() == 0


def test_REF_13_what_moved_for_units_is_taken_off_each_of_them_once(story: Story) -> None:
    half_failed(story)
    refunds = [story.refunding(f"RF-{number}", lines=of(("A", 1)), at=LATER) for number in (2, 3)]
    assert [one.amount for one in refunds] == [Decimal("30.00")] * 2
    assert story.left_for_buyer() == Decimal("50.00")


def test_REF_13_what_is_missing_may_go_in_parts_and_half_fail_again(story: Story) -> None:
    half_failed(story)
    story.refunding("RF-0", "20.00", at=LATER)
    answer = story.refunding("RF-2", lines=of(("A", 2)), at=LATER)
    assert [str(one.amount) for one in answer.parts] == ["40.00", "20.00"]
    story.settled("RF-2P1", RefundState.FAILED)
    assert story.refunding("RF-3", lines=of(("A", 2)), at=LATER).amount == Decimal("40.00")


def test_REF_13_units_for_which_all_moved_are_not_refunded_again(story: Story) -> None:
    """The part that moved is more than they are worth: the amount was named."""
    two_units(story)
    answer = story.refunding("RF-1", "80.00", lines=of(("B", 1)))
    assert [str(one.amount) for one in answer.parts] == ["30.00", "50.00"]
    story.settled("RF-1P1", RefundState.FAILED)
    again = story.refunding("RF-2", lines=of(("B", 1)), at=LATER)
    assert again.reason == "all that these units are worth is refunded or being refunded: give an amount (REF-13)"
    assert story.refunding("RF-3", lines=of(("A", 2)), at=LATER).parts != ()


# ---- limits and rights (REF-5, REF-12) ----


def test_REF_5_after_an_over_refund_another_one_is_made_as_it_is_asked_for(twice_paid: Story) -> None:
    twice_paid.parties.put_seller(seller(allow_over_refund=True))
    twice_paid.refunding("RF-1", "110.00", requested_by="seller:jane")
    made = twice_paid.refunding("RF-2", "20.00", requested_by="seller:jane")
    assert (made.opening, made.amount, made.payment_reference) == (Opening.OPENED, Decimal("20.00"), "pi_b")
    assert made.over_refund
    assert "nothing is left to refund" in str(twice_paid.refunding("RF-3").reason)


def test_REF_12_each_part_of_what_is_over_the_limit_needs_a_second_person(twice_paid: Story) -> None:
    twice_paid.parties.put_seller(seller(refund_limits={"USD": "65.00"}))
    made = make(twice_paid, twice_paid.refunding("RF-1", "70.00"))
    assert [one.over_limit for one in made] == [Decimal("65.00")] * 2
    assert twice_paid.refunding("RF-2", "30.00").over_limit is None


def test_REF_5_the_excess_stays_with_the_last_payment(twice_paid: Story) -> None:
    twice_paid.parties.put_seller(seller(allow_over_refund=True))
    answer = twice_paid.refunding("RF-1", "110.00", requested_by="seller:jane")
    assert parts(twice_paid, answer) == [("pi_a", "60.00"), ("pi_b", "50.00")]
    made = make(twice_paid, answer, requested_by="seller:jane")
    assert [(one.payment_reference, one.over_refund) for one in made] == [("pi_a", False), ("pi_b", True)]


def test_REF_12_who_may_not_make_an_over_refund_gets_no_parts_of_one(twice_paid: Story) -> None:
    twice_paid.parties.put_seller(seller(allow_over_refund=True, may_over_refund=["seller:jane"]))
    answer = twice_paid.refunding("RF-1", "110.00", requested_by="seller:tom")
    assert (parts(twice_paid, answer), "may not make an over-refund" in (answer.reason or "")) == ([], True)


@pytest.mark.parametrize(("funds", "missing"), [("0", "50.00"), ("25.00", "25.00")])
def test_BAL_1_the_balance_must_cover_the_whole_before_any_part_moves(
    twice_paid: Story, funds: str, missing: str
) -> None:
    """40.00 is available: with 25.00 the first part, of 60.00, would be covered."""
    twice_paid.charged("60.00")
    twice_paid.parties.put_seller(seller(reserved_funds={"USD": funds}))
    with pytest.raises(ApplicationError, match=f"{missing} is missing"):
        twice_paid.refunding("RF-1", "90.00")
    assert twice_paid.left_for_buyer() == Decimal("100.00")
    twice_paid.parties.put_seller(seller(reserved_funds={"USD": "50.00"}))
    assert len(make(twice_paid, twice_paid.refunding("RF-1", "90.00"))) == 2, "it goes on once it is covered"


# ---- charges on the seller (ORD-8) ----


def test_ORD_8_a_refund_of_the_seller_goes_back_by_all_charges(story: Story) -> None:
    story.ordered(("A", 2, "50.00"))
    story.charged("60.00", "40.00")
    answer = story.refunding("RF-1", "100.00", direction=Direction.BROKER_TO_SELLER)
    to_seller = {"direction": Direction.BROKER_TO_SELLER}
    assert parts(story, answer, **to_seller) == [("pi_charge_1001", "60.00"), ("pi_charge_1001_2", "40.00")]
    assert "no single charge can carry 100.00 USD" in (answer.reason or "")
    assert "nothing is left" in str(story.refunding("RF-2", direction=Direction.BROKER_TO_SELLER).reason)


# ---- amounts that gateways can move (REF-14) ----


def carriers(*given: tuple[PaidBy, str]) -> list[Carrier]:
    return [Carrier(f"p{at}", Decimal(left), by, None) for at, (by, left) in enumerate(given)]


@pytest.mark.parametrize(
    ("currency", "amount", "given", "amounts"),
    [
        ("JPY", "700", [(PaidBy.STRIPE, "600"), (PaidBy.PAYPAL, "400")], ["600", "100"]),
        ("HUF", "12.75", [(PaidBy.STRIPE, "5.25"), (PaidBy.PAYPAL, "10.00")], ["2.75", "10"]),
        ("HUF", "12.75", [(PaidBy.PAYPAL, "10.50"), (PaidBy.STRIPE, "5.25")], ["10", "2.75"]),
        ("KWD", "3.005", [(PaidBy.STRIPE, "2.000"), (PaidBy.STRIPE, "2.000")], ["2", "1"]),
        ("USD", "70.00", [(PaidBy.STRIPE, "60.00"), (PaidBy.STRIPE, "-5.00"), (PaidBy.PAYPAL, "40.00")], None),
    ],
)
def test_REF_14_each_part_is_an_amount_that_its_gateway_can_move(
    currency: str, amount: str, given: list[tuple[PaidBy, str]], amounts: list[str] | None
) -> None:
    found = shared(Decimal(amount), carriers(*given), currency)
    assert found == [Decimal(one) for one in amounts or ["60", "0", "10"]]


def test_REF_14_what_the_gateways_can_not_move_is_refused_before_anything_is_sent(story: Story) -> None:
    story.connected("acme-paypal", "seller:acme", provider="paypal")
    payments = [
        {"paid_by": paid_by, "reference": reference, "amount": amount, "currency": "HUF"}
        for paid_by, reference, amount in (("paypal", "cap_a", "900.50"), ("stripe", "pi_b", "0.20"))
    ]
    delivered(story, an_order(line("a", "A", "900.70"), paid="900.70", payment=None, payments=payments))
    answer = story.refunding("RF-1", "900.60", currency="HUF")
    assert (parts(story, answer), "only 900.20 of 900.60 HUF" in (answer.reason or "")) == ([], True)
    again = story.refunding("RF-1", currency="HUF")
    assert parts(story, again, currency="HUF") == [("cap_a", "900.00"), ("pi_b", "0.20")]
