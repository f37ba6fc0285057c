"""Reports of all cases together, by hand-computed cases (RET-12, RET-13, REF-11, BAL-1, BAL-2, CLM-2, ORD-4)."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from activities.database.ledger import Ledger
from activities.database.money_report import Period
from activities.database.reports import Reports
from models.case import MoneyState, SlaState
from models.claims import ClaimRequest, ClaimState, OpenClaim, SaveClaim
from models.cost_reviews import CostReviewRequest, OpenCostReview, ReviewState, SaveCostReview
from models.failures import NotFound
from models.ids import (
    claim_workflow_id,
    cost_review_workflow_id,
    order_workflow_id,
    refund_workflow_id,
    return_workflow_id,
)
from models.records import ReceptionRecord, SaveRefund
from models.refunds import Direction, RefundState
from models.reports import MoneyOfSeller, MoneyOfSupplier, Promise, PromisesOf
from models.returns import Acceptance, Reception
from models.worklists import Work
from tests.database.story import NOON, Story, case_record, seller

TO_SELLER, TO_BUYER = Direction.BROKER_TO_SELLER, Direction.SELLER_TO_BUYER
DAY = timedelta(days=1)


@pytest.fixture
def reports(engine: Engine) -> Reports:
    return Reports(engine)


def money_of(reports: Reports, seller_id: str = "acme", currency: str = "USD", **asked: Any) -> MoneyOfSeller:
    found = reports.money(**asked).sellers
    return next(one for one in found if (one.seller_id, one.currency) == (seller_id, currency))


def credits_of(reports: Reports, supplier_id: str = "north", currency: str = "USD") -> MoneyOfSupplier:
    found = reports.money().suppliers
    return next(one for one in found if (one.supplier_id, one.currency) == (supplier_id, currency))


def comes_back(story: Story, return_id: str, stage: str, *work: Work, units: int = 1, **facts: Any) -> None:
    """Units of `A`, which cost the seller 50.00 each."""
    story.returned(return_id, A=units)
    stands(story, return_id, stage, *work, **facts)


def stands(
    story: Story, return_id: str, stage: str, *work: Work, sla: SlaState = SlaState.ON_TIME, **facts: Any
) -> None:
    record = case_record(return_workflow_id(return_id), stage, work=work, sla_state=sla, order_id=story.order_id)
    story.save_return(return_id, record, **facts)


def in_doubt(story: Story, refund_id: str) -> None:
    record = case_record(refund_workflow_id(refund_id), "pending", money=MoneyState.IN_DOUBT)
    story.database.save_refund(SaveRefund(record=record, refund_id=refund_id, state=RefundState.PENDING, at=NOON))


def rejected(units: int) -> ReceptionRecord:
    return ReceptionRecord(
        event_id="e1",
        line_id="A",
        sku="A",
        quantity=units,
        reception=Reception.RECEIVED,
        acceptance=Acceptance.REJECTED,
    )


# ---- money ----


def test_empty_books_have_no_rows(reports: Reports) -> None:
    assert (reports.money().sellers, reports.money().suppliers, reports.money().seller_totals) == ((), (), ())
    assert (reports.sla().rows, reports.sla().total.total) == ((), 0)


def test_a_seller_without_refunds_has_what_was_paid_and_charged(story: Story, reports: Reports) -> None:
    story.delivered(("A", 1, "100.00"))
    money = money_of(reports)
    assert (money.buyers_paid, money.charged) == (Decimal("100.00"), Decimal("60.00"))
    others = {name: getattr(money, name) for name in MoneyOfSeller.amounts()}
    assert {name for name, amount in others.items() if amount} == {"buyers_paid", "charged"}
    assert reports.money().suppliers == ()


@pytest.mark.parametrize(
    ("stage", "owed"), [("awaiting_tracking", "0"), ("in_transit", "50"), ("awaiting_credit", "50")]
)
def test_RET_13_the_seller_is_owed_the_cost_of_what_comes_back(
    story: Story, reports: Reports, stage: str, owed: str
) -> None:
    story.delivered(("A", 1, "100.00"))
    comes_back(story, "RR-1", stage)
    assert money_of(reports).owed == Decimal(owed)


def test_RET_13_what_the_supplier_rejected_is_not_owed(story: Story, reports: Reports) -> None:
    story.delivered(("A", 3, "100.00"))
    comes_back(story, "RR-1", "awaiting_credit", units=3, receptions=(rejected(2),))
    assert (money_of(reports).owed, credits_of(reports).expected) == (Decimal("50.00"), Decimal("50.00"))


def test_RET_13_a_refund_under_way_is_owed_until_it_is_made(story: Story, reports: Reports) -> None:
    story.delivered(("A", 1, "100.00"))
    comes_back(story, "RR-1", "refunding_seller")
    story.refunding("RF-RR-1-S1", "42.00", direction=TO_SELLER, return_id="RR-1")
    assert (money_of(reports).owed, money_of(reports).refunded) == (Decimal("42.00"), Decimal("0.00"))
    story.refund_reaches("RF-RR-1-S1", "succeeded", RefundState.SUCCEEDED, ended=True)
    stands(story, "RR-1", "awaiting_buyer_refund")
    assert (money_of(reports).owed, money_of(reports).refunded) == (Decimal("0.00"), Decimal("42.00"))


def test_REF_7_what_was_taken_back_is_not_refunded(story: Story, reports: Reports) -> None:
    story.delivered(("A", 1, "100.00"))
    for refund_id, direction, amount in (("RF-1", TO_SELLER, "20.00"), ("RF-2", TO_BUYER, "30.00")):
        story.refunding(refund_id, amount, direction=direction)
        story.refund_reaches(refund_id, "succeeded", RefundState.SUCCEEDED)
    assert (money_of(reports).refunded, money_of(reports).buyers_refunded) == (Decimal("20.00"), Decimal("30.00"))
    for refund_id in ("RF-1", "RF-2"):
        story.refund_reaches(refund_id, "failed", RefundState.FAILED)
    assert (money_of(reports).refunded, money_of(reports).buyers_refunded) == (Decimal("0.00"), Decimal("0.00"))


def test_REF_11_money_in_doubt_stands_in_a_column_of_its_own(story: Story, reports: Reports) -> None:
    story.delivered(("A", 1, "100.00"))
    comes_back(story, "RR-1", "refunding_seller")
    story.refunding("RF-RR-1-S1", "50.00", direction=TO_SELLER, return_id="RR-1")
    story.refunding("RF-2", "30.00", direction=TO_BUYER)
    in_doubt(story, "RF-RR-1-S1")
    assert (money_of(reports).in_doubt, money_of(reports).owed) == (Decimal("50.00"), Decimal("0.00"))
    assert (money_of(reports).buyers_in_doubt, money_of(reports).buyers_pending) == (
        Decimal("0"),
        Decimal("30.00"),
    )
    in_doubt(story, "RF-2")
    assert (money_of(reports).buyers_in_doubt, money_of(reports).buyers_pending) == (
        Decimal("30.00"),
        Decimal("0"),
    )


def test_RET_12_credits_are_expected_late_and_received(story: Story, reports: Reports) -> None:
    story.delivered(("A", 3, "100.00"))
    comes_back(story, "RR-1", "awaiting_credit")
    comes_back(story, "RR-2", "in_transit", Work.PARCEL_OVERDUE)
    comes_back(story, "RR-3", "awaiting_credit", Work.CREDIT_OVERDUE, Work.PROMISES_AT_RISK)
    story.credited("CM-1", "RR-1", "10.00")
    story.credited("CM-2", "RR-3", "20.00")
    credit = credits_of(reports)
    assert credit.received == Decimal("30.00")
    assert credit.expected == Decimal("120.00"), "40 of the first, 50 of the second, 30 of the third"
    assert credit.late == Decimal("80.00"), "of the second and the third the time is over"
    assert money_of(reports).owed == Decimal("150.00"), "what is credited is still owed to the seller"


def test_RET_12_more_credited_than_it_cost_is_not_expected_from_others(story: Story, reports: Reports) -> None:
    story.delivered(("A", 2, "100.00"))
    comes_back(story, "RR-1", "awaiting_credit")
    comes_back(story, "RR-2", "awaiting_credit")
    story.credited("CM-1", "RR-1", "70.00")
    assert credits_of(reports).expected == Decimal("50.00")


def test_BAL_2_CLM_1_what_is_asked_for_is_in_review_until_it_is_decided(story: Story, reports: Reports) -> None:
    story.delivered(("A", 1, "100.00"))
    story.refunding("RF-1", "90.00")
    story.refund_reaches("RF-1", "succeeded", RefundState.SUCCEEDED, ended=True)
    story.ordered(("A", 1, "100.00"), order_id="1002")
    story.voided(A=1)
    said = {"currency": "USD", "requested_by": "seller:jane"}
    review = {**said, "review_id": "CR-1", "order_id": "1001", "amount": "40.00", "notes": "wrong part"}
    claim = {
        **said,
        "claim_id": "CL-1",
        "order_id": "1002",
        "seller_id": "acme",
        "amount": "25.00",
        "dealer": "Reno",
    }
    lines = [{"sku": "A", "quantity": 1}]
    review_asked = CostReviewRequest.at_the_door(review)
    claim_asked = ClaimRequest.at_the_door({**claim, "lines": lines})
    database, review_case, claim_case = story.database, cost_review_workflow_id("CR-1"), claim_workflow_id("CL-1")
    database.open_cost_review(
        OpenCostReview(request=review_asked, workflow_id=review_case, run_id="run-1", at=NOON)
    )
    database.open_claim(OpenClaim(request=claim_asked, workflow_id=claim_case, run_id="run-1", at=NOON))
    assert (money_of(reports).in_review, money_of(reports).credited) == (Decimal("65.00"), Decimal("0.00"))

    decided = case_record(claim_case, "awaiting_decision", order_id="1002", due_by=NOON + 30 * DAY)
    database.save_claim(SaveClaim(record=decided, claim_id="CL-1", state=ClaimState.OPEN, at=NOON))
    (promise,) = [one for one in reports.sla(as_of=NOON).rows if one.promise is Promise.DECISION]
    assert (promise.due, promise.next_due) == (1, NOON + 30 * DAY)

    approved, stage = Decimal("20.00"), case_record(review_case, "approved", ended=True)
    database.save_cost_review(
        SaveCostReview(record=stage, review_id="CR-1", state=ReviewState.APPROVED, approved=approved, at=NOON)
    )
    assert (money_of(reports).in_review, money_of(reports).credited) == (Decimal("25.00"), Decimal("20.00"))

    terminated = case_record(claim_case, "terminated", order_id="1002", ended=True)
    database.save_claim(SaveClaim(record=terminated, claim_id="CL-1", state=ClaimState.OPEN, at=NOON))
    assert money_of(reports).in_review == Decimal("0.00"), "nobody will decide it any more"


def test_amounts_have_the_digits_of_their_currency_and_are_never_added_to_others(
    story: Story, reports: Reports
) -> None:
    for number, (currency, price) in enumerate(
        (("JPY", "1099"), ("KWD", "1.230"), ("USD", "0.10"), ("USD", "0.20"))
    ):
        story.ordered(("A", 1, price), order_id=f"10{number}", currency=currency)
    report = reports.money()
    paid = {one.currency: format(one.buyers_paid, "f") for one in report.seller_totals}
    assert paid == {"JPY": "1099", "KWD": "1.230", "USD": "0.30"}
    assert {format(one.owed, "f") for one in report.sellers} == {"0", "0.000", "0.00"}


def test_what_moved_is_of_the_period_and_what_is_open_is_of_now(story: Story, reports: Reports) -> None:
    story.ordered(("A", 1, "100.00"))
    story.ordered(("A", 1, "7.00"), order_id="1002", received_at=NOON + DAY)
    story.refunding("RF-1", "5.00")
    paid = {
        "before": Period(until=NOON),
        "from then on": Period(since=NOON),
        "until the second": Period(since=NOON, until=NOON + DAY),
        "the second": Period(since=NOON + DAY),
    }
    found = {name: money_of(reports, period=period) for name, period in paid.items()}
    assert [format(one.buyers_paid, "f") for one in found.values()] == ["0.00", "107.00", "100.00", "7.00"]
    assert {one.buyers_pending for one in found.values()} == {Decimal("5.00")}


def test_only_what_is_of_the_seller_or_the_supplier_is_shown(story: Story, reports: Reports) -> None:
    story.parties.put_seller(seller(seller_id="bolt", name="Bolt"))
    story.delivered(("A", 1, "100.00"))
    comes_back(story, "RR-1", "awaiting_credit")
    story.ordered(("A", 1, "9.00"), order_id="1002", seller_id="bolt")
    of_bolt = reports.money(seller="bolt")
    assert [(one.seller_id, one.buyers_paid) for one in of_bolt.sellers] == [("bolt", Decimal("9.00"))]
    assert of_bolt.suppliers == ()
    of_north = reports.money(supplier="north")
    assert (of_north.sellers, [one.expected for one in of_north.suppliers]) == ((), [Decimal("50.00")])
    assert money_of(reports, seller="acme") == money_of(reports)
    assert [row.seller_id for row in reports.sla(seller="acme").rows] == ["acme"]


def test_an_unknown_seller_or_supplier_is_an_error(story: Story, reports: Reports) -> None:
    for ask in (reports.money, reports.sla):
        with pytest.raises(NotFound, match="no seller nobody"):
            ask(seller="nobody")
        with pytest.raises(NotFound, match="no supplier nobody"):
            ask(supplier="nobody")


@pytest.mark.parametrize("seed", range(4))
def test_BAL_1_money_agrees_with_the_ledger(story: Story, engine: Engine, reports: Reports, seed: int) -> None:
    at_random(story, random.Random(seed))
    balances = {(one.account, one.currency): one.balance for one in Ledger(engine).balances()}
    report = reports.money()

    def of(account: str, currency: str) -> Decimal:
        return balances.get((account, currency), Decimal(0))

    assert report.sellers
    for one in report.sellers:
        own, currency = f"seller/{one.seller_id}", one.currency
        under_way = of(f"{own}/reserved", currency)
        assert one.buyers_pending + one.buyers_in_doubt == under_way
        came = one.buyers_paid + one.refunded + one.credited
        went = one.charged + one.buyers_refunded + under_way + of(f"{own}/pending", currency)
        assert of(f"{own}/available", currency) == came - went
    for supplier in report.suppliers:
        assert supplier.received == of(f"supplier/{supplier.supplier_id}/receivable", supplier.currency)
    for total in report.seller_totals:
        received = sum(
            (one.received for one in report.supplier_totals if one.currency == total.currency), Decimal(0)
        )
        kept = total.charged - total.refunded - total.credited + received
        assert kept == of("broker/revenue", total.currency) - of("broker/expense", total.currency)


def at_random(story: Story, chance: random.Random) -> None:
    """Orders of three sellers in two currencies; refunds, credits and returns of some."""
    for seller_id in ("bolt", "core"):
        story.parties.put_seller(seller(seller_id=seller_id, name=seller_id))
        story.connected(f"{seller_id}-stripe", f"seller:{seller_id}")
    for number in range(1, 13):
        order_id, currency = f"20{number}", chance.choice(["USD", "USD", "EUR"])
        price = f"{chance.randint(10_000, 30_000) / 100:.2f}"
        seller_id = chance.choice(["acme", "bolt", "core"])
        story.ordered(("A", 2, price), order_id=order_id, seller_id=seller_id, currency=currency)
        if chance.random() < 0.8:
            story.charged("60.00", currency=currency)
        story.bought("north", A=2)
        story.shipped(A=2)
        if currency == "USD" and chance.random() < 0.6:
            comes_back(story, f"RR-{order_id}", chance.choice(["in_transit", "awaiting_credit", "completed"]))
            story.credited(f"CM-{number}", f"RR-{order_id}", f"{chance.randint(1, 5000) / 100:.2f}")
        for direction in (TO_BUYER, TO_SELLER):
            refund_id = f"RF-{order_id}-{direction.value[0].upper()}"
            given = story.refunding(refund_id, "7.50", direction=direction, currency=currency)
            if given.reason is not None:
                continue
            states = chance.choice([(), ("pending",), ("succeeded",), ("failed",), ("succeeded", "failed")])
            for state in states:
                story.refund_reaches(refund_id, state, RefundState(state))
            if states == ("pending",) and chance.random() < 0.5:
                in_doubt(story, refund_id)


# ---- promises ----


def test_RET_13_promises_are_counted_by_supplier_and_seller(story: Story, reports: Reports) -> None:
    story.delivered(("A", 6, "100.00"))
    due = NOON + 60 * DAY
    for number, (stage, sla, late) in enumerate(
        (
            ("awaiting_approval", SlaState.ON_TIME, 0),
            ("awaiting_credit", SlaState.ON_TIME, 1),
            ("in_transit", SlaState.AT_RISK, 2),
            ("refunding_seller", SlaState.BREACHED, -50),
            ("awaiting_tracking", SlaState.ON_TIME, -50),
            ("awaiting_buyer_refund", SlaState.BREACHED, -50),
        )
    ):
        comes_back(story, f"RR-{number}", stage, sla=sla, refund_due=due + late * DAY)
    (row,) = [one for one in reports.sla(as_of=NOON + 20 * DAY).rows if one.promise is Promise.SELLER_REFUND]
    assert (row.supplier_id, row.seller_id) == ("north", "acme")
    assert (row.due, row.at_risk, row.breached) == (2, 1, 2), (
        "no worker said so of the fifth; the sixth has its money"
    )
    assert row.next_due == due


def test_RET_13_what_needs_not_come_back_is_no_promise_to_the_seller(story: Story, reports: Reports) -> None:
    story.delivered(("A", 2, "100.00"))
    comes_back(story, "RR-1", "awaiting_credit", refund_due=NOON, returnless=True)
    comes_back(story, "RR-2", "completed", refund_due=NOON)
    assert [row for row in reports.sla().rows if row.promise is Promise.SELLER_REFUND] == []
    assert money_of(reports).owed == Decimal("0.00")


def test_ORD_4_an_order_that_is_not_with_a_supplier_is_due_then_breached(story: Story, reports: Reports) -> None:
    story.ordered(("A", 1, "100.00"))
    story.reaches("placing")
    limit = NOON + timedelta(minutes=60)
    in_time = reports.sla(as_of=NOON).rows
    assert [(row.promise, row.supplier_id, row.due, row.next_due) for row in in_time] == [
        (Promise.HAND_OVER, None, 1, limit)
    ]
    late = reports.sla(as_of=limit).rows
    assert [(row.due, row.breached, row.next_due) for row in late] == [(0, 1, None)]
    assert reports.sla(supplier="north").rows == ()
    story.save(handed_off_at=limit)
    assert reports.sla(as_of=limit).rows == ()


def test_rows_of_orders_name_no_supplier(story: Story, reports: Reports) -> None:
    story.ordered(("A", 1, "100.00"))
    story.save(record=case_record(order_workflow_id("1001"), "awaiting_release"), handoff_due=None)
    rows: tuple[PromisesOf, ...] = reports.sla().rows
    assert rows == ()
