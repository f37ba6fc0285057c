"""What the charts of the reports show, by hand-computed cases (ORD-6, RET-11, RET-13, RET-21)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from activities.database.money_report import Period
from activities.database.reports import Reports
from models.cancellations import Fault
from models.case import SlaState
from models.ids import return_workflow_id
from models.message import LineUnits
from models.orders import SupplierOrder, SupplierOrderLine
from models.records import Cessation, ReturnParcel, SupplierOrderRecord
from models.refunds import RefundState
from models.report_figures import RefundsByReason
from tests.database.story import NOON, Story, case_record

DAY = timedelta(days=1)


@pytest.fixture
def reports(engine: Engine) -> Reports:
    return Reports(engine)


def comes_back(story: Story, return_id: str, stage: str, sla: SlaState = SlaState.ON_TIME, **facts: Any) -> None:
    story.returned(return_id, A=1)
    stands(story, return_id, stage, sla, **facts)


def stands(story: Story, return_id: str, stage: str, sla: SlaState = SlaState.ON_TIME, **facts: Any) -> None:
    ended = stage in ("completed", "withdrawn")
    record = case_record(return_workflow_id(return_id), stage, sla_state=sla, ended=ended)
    story.save_return(return_id, record, **facts)


def test_empty_books_have_figures_without_numbers(reports: Reports) -> None:
    found = reports.figures()
    assert [one.total for one in found.ageing] == [0] * 6
    assert (found.to_credit, found.fill_rate, found.reasons) == ((), (), ())


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (0, "0 to 7"),
        (7, "0 to 7"),
        (8, "8 to 14"),
        (30, "15 to 30"),
        (31, "31 to 45"),
        (60, "46 to 60"),
        (61, "over 60"),
    ],
)
def test_RET_13_open_returns_are_counted_by_their_age(story: Story, reports: Reports, days: int, age: str) -> None:
    story.delivered(("A", 3, "100.00"))
    comes_back(story, "RR-1", "awaiting_credit")
    comes_back(story, "RR-2", "awaiting_tracking", SlaState.AT_RISK)
    comes_back(story, "RR-3", "completed", SlaState.BREACHED)
    for moment in (NOON + days * DAY, NOON + (days + 1) * DAY - timedelta(seconds=1)):
        found = {one.age: (one.on_time, one.at_risk, one.breached) for one in reports.figures(as_of=moment).ageing}
        assert found.pop(f"{age} days") == (1, 1, 0)
        assert set(found.values()) == {(0, 0, 0)}


def test_RET_11_days_to_credit_count_from_the_first_parcel_back(story: Story, reports: Reports) -> None:
    story.delivered(("A", 4, "100.00"))
    sent = ReturnParcel(carrier="UPS", tracking_number="1Z 77", at=NOON + 5 * DAY)
    again = ReturnParcel(carrier="UPS", tracking_number="1Z 78", at=NOON + 9 * DAY)
    for number, parcels in enumerate(((sent, again), (sent,), (), (sent,))):
        comes_back(story, f"RR-{number}", "awaiting_credit", parcels=parcels)
    late_that_day = NOON + 15 * DAY + timedelta(hours=11, minutes=59)
    story.credited("CM-0", "RR-0", at=late_that_day)
    story.credited("CM-1", "RR-1", at=NOON + 25 * DAY)
    story.credited("CM-2", "RR-2", at=NOON + 40 * DAY)
    story.credited("CM-3", "RR-3", at=NOON + 2 * DAY)
    (north,) = reports.figures().to_credit
    assert (north.supplier_id, north.credits) == ("north", 4)
    assert (north.median, north.ninety_percent, north.longest) == (10, 40, 40), "0 (it came early), 10, 20, 40"
    in_period = reports.figures(period=Period(since=NOON + 20 * DAY, until=NOON + 40 * DAY)).to_credit
    assert [(one.credits, one.median) for one in in_period] == [(1, 20)]


def second_sourced(story: Story) -> None:
    lines = (SupplierOrderLine(line_id="A", sku="A", quantity=1, unit_cost=Decimal(10)),)
    order = SupplierOrder(number=f"{story.order_id}-1", supplier_id="south", warehouse_id="s", lines=lines)
    bought = order.model_copy(update={"second_source": True})
    story.save(supplier_orders=(SupplierOrderRecord(order=bought, state="accepted", at=NOON),))


def voided(story: Story, fault: Fault) -> None:
    lines = (LineUnits(line_id="A", sku="A", quantity=1),)
    said = {"reason": "none left", "by": "backhaul", "quantities": {"A": 1}, "evidence": {}}
    story.ceased(Cessation(kind="voided", at=NOON, fault=fault, lines=lines, **said))


def test_ORD_6_the_fill_rate_counts_what_was_filled_from_stock_by_week(story: Story, reports: Reports) -> None:
    monday = datetime.fromisoformat("2026-03-02T00:00:00+00:00")
    story.delivered(("A", 1, "10.00"), order_id="1001", received_at=monday - timedelta(seconds=1))
    story.delivered(("A", 1, "10.00"), order_id="1002", received_at=monday)
    story.ordered(("A", 1, "10.00"), order_id="1003", received_at=monday + 6 * DAY)
    second_sourced(story)
    story.ordered(("A", 1, "10.00"), order_id="1004", received_at=monday + 6 * DAY)
    voided(story, Fault.STOCK_FEED)
    story.ordered(("A", 1, "10.00"), order_id="1005", received_at=monday)
    voided(story, Fault.SELLER)
    story.ordered(("A", 1, "10.00"), order_id="1006", received_at=monday)
    weeks = reports.figures().fill_rate
    assert [(one.week, one.from_stock, one.second_sourced, one.voided) for one in weeks] == [
        (date(2026, 2, 23), 1, 0, 0),
        (date(2026, 3, 2), 1, 1, 1),
    ]
    assert [one.percent for one in weeks] == [Decimal("100"), Decimal("33.3")]
    of_south = reports.figures(supplier="south").fill_rate
    assert [(one.from_stock, one.second_sourced, one.voided) for one in of_south] == [(0, 1, 0)]


def test_RET_21_refunds_of_buyers_are_counted_by_reason_with_amounts_by_currency(
    story: Story, reports: Reports
) -> None:
    story.delivered(("A", 3, "100.00"))
    for number, amount in enumerate(("10.00", "20.00")):
        comes_back(story, f"RR-{number}", "awaiting_buyer_refund")
        story.refunding(f"RF-RR-{number}-B1", amount, return_id=f"RR-{number}")
        story.refund_reaches(f"RF-RR-{number}-B1", "succeeded", RefundState.SUCCEEDED)
    story.refunding("RF-1", "5.00")
    story.refund_reaches("RF-1", "succeeded", RefundState.SUCCEEDED)
    story.refunding("RF-2", "7.00")
    story.ordered(("A", 1, "900"), order_id="1002", currency="JPY")
    story.refunding("RF-3", "300", currency="JPY")
    story.refund_reaches("RF-3", "succeeded", RefundState.SUCCEEDED)
    story.refunding("RF-4", "100", currency="JPY")
    story.refund_reaches("RF-4", "succeeded", RefundState.SUCCEEDED)
    story.refund_reaches("RF-4", "failed", RefundState.FAILED)
    assert reports.figures().reasons == (
        RefundsByReason(reason=None, refunds=2, amounts=(("JPY", Decimal("300")), ("USD", Decimal("5.00")))),
        RefundsByReason(reason="does not fit", refunds=2, amounts=(("USD", Decimal("30.00")),)),
    )
