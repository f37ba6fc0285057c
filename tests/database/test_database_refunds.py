"""Refunds in the database: reserved once, never more than was paid, and they add up."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from temporalio.exceptions import ApplicationError

from models.payments import PaidBy
from models.records import Confirmation, Opening, ReservedRefund
from models.refunds import Direction, RefundState, Way
from tests.database.story import NOON, Story, seller

TO_SELLER = Direction.BROKER_TO_SELLER


@pytest.fixture
def paid_100(story: Story) -> Story:
    """An order of 100.00 USD, for which the broker took 60.00 USD from the seller."""
    story.delivered(("A", 2, "50.00"))
    return story


def test_REF_3_partial_refunds_until_the_paid_amount_is_used_up(paid_100: Story) -> None:
    assert paid_100.refunding("RF-1", "40.00").opening is Opening.OPENED
    assert paid_100.refunding("RF-2", "60.00").opening is Opening.OPENED
    third = paid_100.refunding("RF-3", "0.01")
    assert (third.opening, third.state, third.amount) == (Opening.REFUSED, RefundState.REFUSED, None)
    assert third.reason is not None
    assert "0.01 USD is more than the 0.00 USD still refundable" in third.reason
    assert paid_100.left_for_buyer() == 0


@pytest.mark.parametrize("way", list(Way))
def test_REF_3_all_ways_count_under_the_same_cap_also_while_pending(paid_100: Story, way: Way) -> None:
    paid_100.refunding("RF-1", "70.00", way=way)
    paid_100.settled("RF-1", RefundState.PENDING)
    assert paid_100.refunding("RF-2", "30.01").opening is Opening.REFUSED
    assert paid_100.refunding("RF-3", "30.00").opening is Opening.OPENED


@pytest.mark.parametrize("direction", list(Direction))
def test_REF_3_refunds_at_the_same_time_never_exceed_the_cap(
    paid_100: Story, engine: Engine, direction: Direction
) -> None:
    together = Barrier(4)

    def refund_some(person: int) -> list[ReservedRefund]:
        mine = Story(engine)
        together.wait()
        return [mine.refunding(f"RF-{person}-{i}", "7.00", direction=direction) for i in range(6)]

    with ThreadPoolExecutor(4) as people:
        answers = [answer for mine in people.map(refund_some, range(4)) for answer in mine]
    done = [answer for answer in answers if answer.opening is Opening.OPENED]
    totals = paid_100.reading.refunds_of("1001")
    cap = totals.buyer if direction is Direction.SELLER_TO_BUYER else totals.seller
    assert len(done) == cap.paid // Decimal("7.00")
    assert cap.pending == 7 * len(done)


def test_REF_6_one_refund_asked_for_at_the_same_time_by_many_is_reserved_once(
    paid_100: Story, engine: Engine
) -> None:
    together = Barrier(4)

    def click(person: int) -> bool:
        together.wait()
        return Story(engine).refunding("RF-1", "10.00", run=f"run-{person}").resumed

    with ThreadPoolExecutor(4) as people:
        answers = sorted(people.map(click, range(4)))
    assert answers == [False, True, True, True]
    assert paid_100.left_for_buyer() == Decimal("90.00")


@pytest.mark.parametrize(("way", "opening"), [(Way.GATEWAY, Opening.REFUSED), (Way.MANUAL, Opening.OPENED)])
def test_REF_14_an_amount_that_the_gateway_cant_move_is_refused_in_words(
    story: Story, way: Way, opening: Opening
) -> None:
    story.delivered(("A", 1, "100.000"), currency="KWD")
    asked = story.refunding("RF-1", "10.005", currency="KWD", way=way)
    assert asked.opening is opening
    if opening is Opening.REFUSED:
        assert asked.reason == "the amount is finer than stripe can move: give a multiple of 0.010 KWD"


def test_REF_14_all_that_is_left_is_as_much_of_it_as_can_be_moved(story: Story) -> None:
    story.delivered(("A", 1, "100.007"), currency="KWD")
    assert story.refunding("RF-1", currency="KWD").amount == Decimal("100.000")
    rest = story.refunding("RF-2", currency="KWD")
    assert rest.opening is Opening.REFUSED
    assert rest.reason is not None
    assert "less than the gateway can move" in rest.reason
    assert story.refunding("RF-3", currency="KWD", way=Way.MANUAL).amount == Decimal("0.007")


@pytest.mark.parametrize(("currency", "gateway"), [("KWD", PaidBy.STRIPE), ("USD", None)])
def test_REF_14_a_return_knows_the_gateway_that_cant_move_every_amount(
    story: Story, currency: str, gateway: PaidBy | None
) -> None:
    story.delivered(("A", 1, "100.00"), currency=currency)
    assert story.returned("RR-1", A=1).gateway is gateway


def test_REF_4_a_refund_in_another_currency_than_the_payment_is_refused(paid_100: Story) -> None:
    assert paid_100.refunding("RF-1", "1.00", currency="EUR").reason == (
        "the payment was in USD, the refund is in EUR"
    )


def test_REF_5_more_than_was_paid_is_done_and_marked_only_if_the_seller_allows_it(paid_100: Story) -> None:
    assert paid_100.refunding("RF-1", "100.01").opening is Opening.REFUSED
    paid_100.parties.put_seller(seller(allow_over_refund=True))
    allowed = paid_100.refunding("RF-1", "100.01")
    assert (allowed.opening, allowed.over_refund) == (Opening.OPENED, True)
    assert paid_100.refunding("RF-2", "0.01").over_refund is True
    assert paid_100.left_for_buyer() == 0


def test_REF_5_REF_12_an_over_refund_needs_the_right_to_make_one(paid_100: Story) -> None:
    paid_100.parties.put_seller(seller(allow_over_refund=True, may_over_refund=["seller:jane"]))
    refused = paid_100.refunding("RF-1", "100.01", requested_by="seller:tom")
    assert refused.reason == "seller:tom may not make an over-refund; seller:jane may (REF-12)"
    assert paid_100.refunding("RF-2", "100.01", requested_by="seller:jane").over_refund is True
    elsewhere = paid_100.refunding("RF-3", "5.00", requested_by="channel:ebay", way=Way.MARKETPLACE)
    assert elsewhere.over_refund is True, "what was made there is only recorded"


LIMITED = {"refund_limits": {"USD": "50.00", "EUR": "1.00"}}


@pytest.mark.parametrize(("amount", "needs"), [("50.00", False), ("50.01", True), (None, True)])
def test_REF_12_over_the_limit_of_its_currency_a_refund_needs_a_second_person(
    paid_100: Story, amount: str | None, needs: bool
) -> None:
    paid_100.parties.put_seller(seller(**LIMITED))
    asked = paid_100.refunding("RF-1", amount)
    assert asked.over_limit == (Decimal("50.00") if needs else None)
    assert paid_100.refunding("RF-1", amount) == asked, "asked twice it is the same"


def test_REF_12_what_is_only_recorded_and_what_the_seller_gets_has_no_limit(paid_100: Story) -> None:
    paid_100.parties.put_seller(seller(**LIMITED))
    assert paid_100.refunding("RF-1", "60.00", way=Way.MANUAL).over_limit is None
    assert paid_100.refunding("RF-2", "60.00", direction=TO_SELLER).over_limit is None


def test_REF_12_who_asked_and_who_confirmed_is_kept_and_listed(paid_100: Story) -> None:
    paid_100.parties.put_seller(seller(**LIMITED))
    paid_100.refunding("RF-1", "60.00", requested_by="seller:jane")
    yes = Confirmation(by="seller:tom", at=NOON)
    for _ in range(2):
        assert paid_100.refunding("RF-1", "60.00", confirmation=yes).confirmed_by == "seller:tom"
    with pytest.raises(ApplicationError, match="seller:tom has confirmed"):
        paid_100.refunding("RF-1", "60.00", confirmation=Confirmation(by="seller:sue", at=NOON))
    of_another = paid_100.refunding("RF-1", "59.00", confirmation=yes)
    assert (of_another.opening, of_another.confirmed_by) == (Opening.CONFLICT, None)
    (listed,) = paid_100.reading.refunds_of("1001").refunds
    assert (listed.requested_by, listed.confirmed_by, listed.over_limit) == (
        "seller:jane",
        "seller:tom",
        Decimal("50.00"),
    )
    assert paid_100.refunding("RF-1", "60.00", run="run-2").confirmed_by == "seller:tom"
    paid_100.settled("RF-1", RefundState.SUCCEEDED, "re_1")


def test_REF_12_the_database_refuses_money_that_moved_over_the_limit_without_a_second_person(
    paid_100: Story, engine: Engine
) -> None:
    paid_100.parties.put_seller(seller(**LIMITED))
    paid_100.refunding("RF-1", "60.00", requested_by="seller:jane")
    for wrong in ("state = 'pending'", "confirmed_by = requested_by, confirmed_at = reserved_at"):
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(text(f"UPDATE refund SET {wrong}"))


def test_REF_5_the_broker_never_refunds_the_seller_more_than_it_took(paid_100: Story) -> None:
    paid_100.parties.put_seller(seller(allow_over_refund=True))
    assert paid_100.refunding("RF-1", "60.01", direction=TO_SELLER).opening is Opening.REFUSED
    assert paid_100.refunding("RF-1", "60.00", direction=TO_SELLER).opening is Opening.OPENED


def test_REF_6_asked_again_by_the_same_run_it_is_the_same_refund(paid_100: Story) -> None:
    first = paid_100.refunding("RF-1", "40.00")
    paid_100.refunding("RF-2", "60.00")
    assert paid_100.refunding("RF-1", "40.00") == first


def test_REF_6_asked_again_days_later_by_another_run_it_says_what_became_of_the_first(paid_100: Story) -> None:
    paid_100.refunding("RF-1", "40.00")
    paid_100.settled("RF-1", RefundState.SUCCEEDED, "re_1")
    again = paid_100.refunding("RF-1", "40.00", run="run-2")
    assert (again.opening, again.state, again.gateway_refund_id) == (
        Opening.DUPLICATE,
        RefundState.SUCCEEDED,
        "re_1",
    )
    assert paid_100.left_for_buyer() == Decimal("60.00")


@pytest.mark.parametrize("state", [RefundState.RESERVED, RefundState.PENDING])
@pytest.mark.parametrize("amount", ["40.00", None])
def test_REF_7_a_refund_that_was_stopped_goes_on_in_a_later_run_with_its_amount(
    paid_100: Story, state: RefundState, amount: str | None
) -> None:
    paid_100.refunding("RF-2", "60.00")
    first = paid_100.refunding("RF-1", amount)
    paid_100.settled("RF-1", state, "re_1")
    again = paid_100.refunding("RF-1", amount, run="run-2", at=NOON + timedelta(hours=1))
    assert (again.opening, again.resumed, again.state) == (Opening.OPENED, True, state)
    assert paid_100.refunding("RF-1", amount, run="run-2", at=NOON + timedelta(hours=1)) == again, "asked twice"
    assert (again.amount, again.payment_reference) == (first.amount, first.payment_reference)
    assert again.gateway_refund_id == "re_1"
    assert paid_100.left_for_buyer() == 0
    paid_100.settled("RF-1", RefundState.FAILED)
    assert paid_100.left_for_buyer() == Decimal("40.00")


@pytest.mark.parametrize(
    "other",
    [
        {"amount": "40.01"},
        {"direction": TO_SELLER},
        {"way": Way.MANUAL},
        {"currency": "EUR"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_REF_6_a_refund_that_was_stopped_does_not_go_on_as_another(paid_100: Story, other: dict[str, Any]) -> None:
    paid_100.refunding("RF-1", "40.00")
    again = paid_100.refunding("RF-1", **{"amount": "40.00", "run": "run-2"} | other)
    assert again.opening is Opening.CONFLICT
    assert again.reason == (
        "refund RF-1 is another request's: nothing is taken over from it; it differs in " + next(iter(other))
    )
    assert paid_100.left_for_buyer() == Decimal("60.00")


@pytest.mark.parametrize("state", [RefundState.SUCCEEDED, RefundState.FAILED, RefundState.REFUSED])
def test_REF_6_a_refund_that_has_ended_does_not_go_on(paid_100: Story, state: RefundState) -> None:
    paid_100.refunding("RF-1", "40.00")
    paid_100.settled("RF-1", state)
    again = paid_100.refunding("RF-1", "40.00", run="run-2")
    assert (again.opening, again.state) == (Opening.DUPLICATE, state)


def test_REF_6_two_different_refunds_of_the_same_amount_both_happen(paid_100: Story) -> None:
    for refund_id in ("RF-1", "RF-2"):
        assert paid_100.refunding(refund_id, "10.00").opening is Opening.OPENED
    assert paid_100.left_for_buyer() == Decimal("80.00")


@pytest.mark.parametrize("state", [RefundState.FAILED, RefundState.REFUSED])
def test_REF_7_a_refund_that_failed_gives_its_amount_back(paid_100: Story, state: RefundState) -> None:
    paid_100.refunding("RF-1", "100.00")
    paid_100.settled("RF-1", RefundState.PENDING)
    paid_100.settled("RF-1", state)
    assert paid_100.refunding("RF-2", "100.00").opening is Opening.OPENED


def test_REF_7_a_success_may_fail_days_later_and_what_failed_stays_failed(paid_100: Story) -> None:
    paid_100.refunding("RF-1", "100.00")
    paid_100.settled("RF-1", RefundState.SUCCEEDED, "re_1")
    paid_100.settled("RF-1", RefundState.PENDING)
    assert paid_100.reading.refund("RF-1").state is RefundState.SUCCEEDED
    paid_100.settled("RF-1", RefundState.FAILED)
    paid_100.settled("RF-1", RefundState.SUCCEEDED)
    refund = paid_100.reading.refund("RF-1")
    assert (refund.state, refund.gateway_refund_id) == (RefundState.FAILED, "re_1")
    assert paid_100.left_for_buyer() == Decimal("100.00")


def test_REF_7_money_that_was_never_reserved_can_not_have_been_refunded(paid_100: Story) -> None:
    with pytest.raises(ApplicationError, match="no refund RF-9"):
        paid_100.settled("RF-9", RefundState.SUCCEEDED)
    paid_100.settled("RF-9", RefundState.REFUSED)


def test_REF_8_without_an_amount_all_that_is_left_is_refunded(paid_100: Story) -> None:
    paid_100.refunding("RF-1", "30.00")
    assert paid_100.refunding("RF-2").amount == Decimal("70.00")
    assert paid_100.refunding("RF-3").reason == (
        "nothing is left to refund: 100.00 of 100.00 USD is refunded or pending"
    )


def test_REF_8_all_that_is_left_counts_nothing_of_what_the_broker_gave_the_seller(paid_100: Story) -> None:
    paid_100.refunding("RF-1", "60.00", direction=TO_SELLER)
    assert paid_100.refunding("RF-2").amount == Decimal("100.00")


def test_REF_9_the_buyers_refund_goes_back_through_the_account_that_was_paid(story: Story) -> None:
    story.delivered(("A", 1, "50.00"))
    story.connected("new-stripe", "seller:acme")
    answer = story.refunding("RF-1", "1.00")
    assert (answer.payment_reference, answer.connection_id) == ("pi_1001", "acme-stripe")


def test_REF_9_the_sellers_refund_goes_back_to_the_charge(paid_100: Story) -> None:
    answer = paid_100.refunding("RF-1", "1.00", direction=TO_SELLER)
    assert (answer.payment_reference, answer.connection_id) == ("pi_charge_1001", "broker-stripe")


def test_REF_9_a_payment_that_we_can_not_reach_is_refunded_elsewhere_and_recorded(story: Story) -> None:
    payment = {"paid_by": "bank_transfer", "amount": "50.00", "currency": "USD"}
    story.delivered(("A", 1, "50.00"), payment=payment)
    refused = story.refunding("RF-1", "1.00")
    assert refused.reason is not None
    assert "record it with way manual" in refused.reason
    assert story.refunding("RF-1", "1.00", way="manual", reference="BT-R-1").opening is Opening.OPENED


def test_REF_9_a_payment_to_which_no_connection_leads_back_waits_for_one(story: Story) -> None:
    payment = {"paid_by": "paypal", "reference": "PP-1", "amount": "50.00", "currency": "USD"}
    story.delivered(("A", 1, "50.00"), payment=payment)
    with pytest.raises(ApplicationError, match="acme has no active paypal connection") as waits:
        story.refunding("RF-1", "1.00")
    assert (waits.value.type, waits.value.details) == ("ConnectionUnusable", ({"partner": "seller:acme"},))
    story.connected("acme-paypal", "seller:acme", provider="paypal")
    answer = story.refunding("RF-1", "1.00")
    assert (answer.opening, answer.connection_id) == (Opening.OPENED, "acme-paypal")


def test_REF_9_a_seller_that_moved_from_stripe_to_paypal_refunds_what_stripe_took_by_stripe(story: Story) -> None:
    story.delivered(("A", 1, "50.00"))
    story.connected("acme-stripe", "seller:acme", active=False)
    story.connected("acme-paypal", "seller:acme", provider="paypal")
    answer = story.refunding("RF-1", "1.00")
    assert (answer.payment_reference, answer.connection_id) == ("pi_1001", "acme-stripe")


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda story: story.refunding("RF-1", "1.00", order_id="9"), "no order 9"),
        (lambda story: story.refunding("RF-1", "1.00", return_id="RR-9"), "no return RR-9 of order 1001"),
    ],
)
def test_a_refund_of_something_unknown_is_refused(
    paid_100: Story, ask: Callable[[Story], ReservedRefund], reason: str
) -> None:
    assert ask(paid_100).reason == reason


def test_a_seller_who_was_never_charged_has_nothing_to_get_back(story: Story) -> None:
    story.ordered(("A", 1, "50.00"))
    assert story.refunding("RF-1", direction=TO_SELLER).reason == (
        "nothing was captured from the seller for order 1001"
    )


def test_REF_10_an_orders_refunds_are_listed_with_reasons_and_people_and_add_up(paid_100: Story) -> None:
    paid_100.returned("RR-1", A=1)
    paid_100.refunding("RF-1", "10.10", reason="late", requested_by="seller:jane", return_id="RR-1")
    paid_100.settled("RF-1", RefundState.SUCCEEDED)
    paid_100.refunding("RF-2", "20.20", way="manual", reference="cheque 7")
    paid_100.refunding("RF-3", "30.30")
    paid_100.settled("RF-3", RefundState.FAILED)
    paid_100.refunding("RF-4", "5.00", direction=TO_SELLER)
    listed = paid_100.reading.refunds_of("1001")
    assert [(one.refund_id, one.amount, one.reason, one.requested_by) for one in listed.refunds[:2]] == [
        ("RF-1", Decimal("10.10"), "late", "seller:jane"),
        ("RF-2", Decimal("20.20"), "goodwill", "seller:jane"),
    ]
    buyer, to_seller = listed.buyer, listed.seller
    assert (buyer.paid, buyer.refunded, buyer.pending, buyer.left) == (
        Decimal("100.00"),
        Decimal("10.10"),
        Decimal("20.20"),
        Decimal("69.70"),
    )
    assert (to_seller.paid, to_seller.pending, to_seller.left) == (
        Decimal("60.00"),
        Decimal("5.00"),
        Decimal("55.00"),
    )
    assert [one.refund_id for one in paid_100.reading.return_view("RR-1").refunds] == ["RF-1"]
    assert len(paid_100.reading.find_refunds(seller="acme")) == 4
