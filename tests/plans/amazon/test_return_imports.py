"""What a row of Amazon's returns report becomes here (AMZ-2..4, RET-18)."""

from typing import Any

import pytest

from activities.connectors.amazon.returns_report import added_up, gathered
from models.amazon.return_imports import amazon_return_id, news_of, request_of
from models.amazon.returned_items import ReturnedItem, ReturnedUnits
from models.failures import InvalidInput
from models.returns import ChannelUpdate, ReturnTracking, Source
from tests.connectors.amazon.returns_reports import BRAKE_PADS, COLUMNS, items_of, read, tab_separated


def items(*rows: dict[str, str]) -> list[ReturnedItem]:
    said = [BRAKE_PADS | row for row in rows]
    return items_of(read(tab_separated(said, (*COLUMNS, "Order Item ID"))))


def units(*rows: dict[str, str]) -> tuple[ReturnedUnits, ...]:
    (of_return,) = added_up(items(*rows))
    return of_return


def news(row: dict[str, str]) -> list[Any]:
    (item,) = items(row)
    return [event for _, event in news_of(item)]


def test_AMZ_2_the_rma_id_of_amazon_and_its_label_s_number_go_with_the_return() -> None:
    request = request_of(units({}), "1001")
    assert (request.order_id, request.source, request.requested_by) == (
        "1001",
        Source.AMAZON_REPORT,
        "channel:amazon",
    )
    assert request.amazon_rma_id == "DMrRt4Qn8RRMA"
    assert [(line.sku, line.quantity, line.reason) for line in request.lines] == [("BRK-100", 1, "CR-DEFECTIVE")]
    assert request.note == "Amazon: StandardRefund; label's tracking number 9400111899223100001234"
    (tracking,) = news({})
    assert isinstance(tracking, ReturnTracking)
    assert (tracking.carrier, tracking.tracking_number) == ("USPS", "9400111899223100001234")


def test_AMZ_1_a_return_has_one_number_in_every_report() -> None:
    first, again, other, without = items(
        {}, {"Return request status": "Completed"}, {"Amazon RMA ID": "D2"}, {"Amazon RMA ID": ""}
    )
    assert amazon_return_id(first) == amazon_return_id(again) == "RR-111-1234567-1234567-DMrRt4Qn8RRMA"
    assert len({amazon_return_id(one) for one in (first, other, without)}) == 3
    strange, long = items({"Amazon RMA ID": "D 1/2"}, {"Amazon RMA ID": "D" * 100})
    for one in (strange, long):
        assert request_of([ReturnedUnits(one, 1, 1)], None).return_id == amazon_return_id(one)


def test_AMZ_1_rows_of_one_return_add_up_wherever_they_stand() -> None:
    rows = items({}, {"Amazon RMA ID": "D2"}, {"Merchant SKU": "ROT-1"}, {}, {"Order ID": "111-0000000-0000000"})
    found = [
        (of[0].said.order_id, of[0].said.amazon_rma_id, [(one.said.sku, one.quantity) for one in of])
        for of in added_up(gathered(iter(rows)))
    ]
    assert found == [
        ("111-0000000-0000000", "DMrRt4Qn8RRMA", [("BRK-100", 1)]),
        ("111-1234567-1234567", "D2", [("BRK-100", 1)]),
        ("111-1234567-1234567", "DMrRt4Qn8RRMA", [("BRK-100", 2), ("ROT-1", 1)]),
    ]


def test_ORD_13_an_order_item_names_its_line_and_otherwise_the_sku_does() -> None:
    of_return = units({"Order Item ID": "10000000000001"}, {"Order Item ID": "10000000000002"})
    by_line = request_of(of_return, "1001", ("10000000000001", "10000000000002"))
    assert [line.line_id for line in by_line.lines] == ["10000000000001", "10000000000002"]
    by_sku = request_of(of_return, "1001")
    assert [(line.sku, line.quantity) for line in by_sku.lines] == [("BRK-100", 2)]


@pytest.mark.parametrize("row", [{"A-to-Z Claim": "Y"}, {"Resolution": "RefundAtFirstScan"}])
def test_RET_18_that_amazon_refunds_is_the_first_that_a_return_hears(row: dict[str, str]) -> None:
    refunded, tracking = news(row)
    assert isinstance(refunded, ChannelUpdate)
    assert refunded.status == "refunded_by_channel"
    assert isinstance(tracking, ReturnTracking)


@pytest.mark.parametrize("status", ["Closed", "Completed", "Rejected", "Cancelled"])
def test_AMZ_2_a_later_status_closes_the_return_at_amazon(status: str) -> None:
    *_, closed = news({"Return request status": status})
    assert (closed.status, closed.note) == ("closed", f"{status} at Amazon")
    assert all(not isinstance(event, ChannelUpdate) for event in news({"Return request status": "Pending"}))


def test_AMZ_2_more_than_was_ordered_is_told() -> None:
    request = request_of(units({}, {}, {}), "1001")
    assert [line.quantity for line in request.lines] == [2]
    assert "the report says 3 of BRK-100, 2 were ordered" in str(request.note)


def test_RET_21_a_reason_that_is_not_said_takes_the_default_way() -> None:
    (line,) = request_of(units({"Return Reason": ""}), "1001").lines
    assert line.reason == "unknown"


def test_events_of_one_return_have_ids_of_their_own() -> None:
    row = {"A-to-Z Claim": "Y", "Return request status": "Closed"}
    ids = [event.event_id for event in news(row)]
    assert len(set(ids)) == 3
    assert ids == [event.event_id for event in news(row)], "in every report the same"


def test_what_no_return_can_be_is_invalid() -> None:
    with pytest.raises(InvalidInput):
        request_of([ReturnedUnits(units({})[0].said._replace(reason="x" * 501), 1, 1)], "1001")
