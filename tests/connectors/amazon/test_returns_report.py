"""Amazon's returns reports as they are read: what a row says, what is no row, and what is no report (AMZ-1)."""

import gzip
import io
from datetime import date

import pytest

from activities.connectors.amazon.returns_report import Refusal, added_up, read_returns_report
from activities.connectors.amazon.tables import opening
from tests.connectors.amazon.returns_reports import (
    BRAKE_PADS,
    COLUMNS,
    items_of,
    read,
    rejected_of,
    tab_separated,
    xml,
)


@pytest.mark.parametrize("content", [tab_separated([BRAKE_PADS]), xml([[BRAKE_PADS]])], ids=["tabs", "xml"])
def test_AMZ_1_both_forms_say_the_same(content: bytes) -> None:
    (item,) = items_of(read(content))
    assert item._replace(line=0)._asdict() == {
        "line": 0,
        "order_id": "111-1234567-1234567",
        "amazon_rma_id": "DMrRt4Qn8RRMA",
        "status": "Approved",
        "quantity": 1,
        "sku": "BRK-100",
        "asin": "B00EXAMPLE",
        "order_item_id": "",
        "reason": "CR-DEFECTIVE",
        "resolution": "StandardRefund",
        "requested_on": date(2025, 7, 10),
        "order_quantity": 2,
        "a_to_z": False,
        "carrier": "USPS",
        "tracking_id": "9400111899223100001234",
    }


def test_AMZ_1_a_bad_row_is_told_with_its_place_and_stops_no_other() -> None:
    bad = {**BRAKE_PADS, "Return quantity": "one"}
    rows = read(tab_separated([BRAKE_PADS, bad, BRAKE_PADS]))
    assert [item.line for item in items_of(rows)] == [2, 4]
    (row,) = rejected_of(rows)
    assert str(row) == "line 3, Return quantity: is no whole number from 0 to 100000"
    assert row.cells["Return quantity"] == "one", "it is kept to be corrected"
    assert row.cells["Order ID"] == "111-1234567-1234567"


def test_AMZ_1_a_bad_item_of_xml_is_told_with_its_place_and_stops_no_other() -> None:
    bad = {**BRAKE_PADS, "Return quantity": "one"}
    rows = read(xml([[BRAKE_PADS, bad], [BRAKE_PADS]]))
    assert len(items_of(rows)) == 2
    (row,) = rejected_of(rows)
    assert (row.line, row.column) == (7, "Return quantity")


def test_AMZ_1_lines_are_counted_beyond_what_libxml_counts_by_itself() -> None:
    content = xml([[BRAKE_PADS]]).replace(b"<Message>", b"<Message>" + b"\n" * 70_000)
    (item,) = items_of(read(content))
    assert item.line == 70_006


@pytest.mark.parametrize(
    ("column", "said", "reason"),
    [
        ("Order ID", "1001", "is no order id of Amazon, such as 111-1234567-1234567"),
        ("Order ID", "", "is no order id of Amazon, such as 111-1234567-1234567"),
        ("Return request status", "", "is missing"),
        ("Return quantity", "", "is missing, or nothing"),
        ("Return quantity", "0", "is missing, or nothing"),
        ("Return quantity", "-1", "is no whole number from 0 to 100000"),
        ("Return quantity", "1e3", "is no whole number from 0 to 100000"),
        ("A-to-Z Claim", "perhaps", "is neither yes nor no: whether Amazon refunds by itself depends on it"),
        ("Merchant SKU", "S" * 101, "is longer than 100 characters"),
        ("Return Reason", "CR\x1b[2J-DEFECTIVE", "holds the control character U+001B"),
    ],
)
def test_AMZ_1_what_can_t_be_read_is_told_by_its_column(column: str, said: str, reason: str) -> None:
    (row,) = rejected_of(read(tab_separated([{**BRAKE_PADS, column: said}])))
    assert (row.column, row.reason) == (column, reason)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("Label cost", "seven"),
        ("Refunded Amount", "1,234,56"),
        ("Return delivery date", "yesterday"),
        ("In policy", "?"),
        ("Item Name", "brake\x1b[2Jpads"),
        ("Item Name", "x" * 501),
        ("Category", "x" * 501),
        ("Currency code", "US dollars" * 20),
        ("Return request date", "07/10/25"),
        ("Return request date", "31-Feb-2025"),
        ("Order quantity", "two"),
    ],
)
def test_AMZ_1_what_nobody_needs_of_a_row_rejects_none(column: str, said: str) -> None:
    rows = read(tab_separated([{**BRAKE_PADS, column: said}], (*COLUMNS, "Category")))
    assert [item.sku for item in items_of(rows)] == ["BRK-100"]


def test_AMZ_1_a_day_that_can_t_be_read_rejects_a_row_whose_return_nothing_else_names() -> None:
    row = {**BRAKE_PADS, "Amazon RMA ID": "", "Return request date": "07/10/25"}
    (rejected,) = rejected_of(read(tab_separated([row])))
    assert rejected.column == "Return request date"


@pytest.mark.parametrize("said", ["10-Jul-2025", "10-JUL-2025", "2025-07-10", "2025-07-10T08:15:00Z"])
def test_days_are_written_in_two_ways(said: str) -> None:
    (item,) = items_of(read(tab_separated([{**BRAKE_PADS, "Return request date": said}])))
    assert item.requested_on == date(2025, 7, 10)


def test_RET_21_words_that_amazon_adds_pass_through() -> None:
    new = {
        "Return request status": "Paused",
        "Resolution": "StoreCredit",
        "Return Reason": "CR-NEW",
    }
    (item,) = items_of(read(tab_separated([{**BRAKE_PADS, **new}])))
    assert (item.status, item.resolution, item.reason) == ("Paused", "StoreCredit", "CR-NEW")
    assert not item.is_approved


@pytest.mark.parametrize(
    ("cells", "by_amazon"),
    [
        ({}, False),
        ({"A-to-Z Claim": "Y"}, True),
        ({"A-to-Z Claim": "true"}, True),
        ({"Resolution": "RefundAtFirstScan"}, True),
        ({"Resolution": "refund-at-first-scan"}, True),
    ],
)
def test_RET_18_an_item_says_whether_amazon_refunds_by_itself(cells: dict[str, str], by_amazon: bool) -> None:
    (item,) = items_of(read(tab_separated([{**BRAKE_PADS, **cells}])))
    assert item.is_refunded_by_amazon is by_amazon


def test_AMZ_2_approved_is_approved_however_it_is_written() -> None:
    rows = [{**BRAKE_PADS, "Return request status": status} for status in ("Approved", "APPROVED", "Pending")]
    assert [item.is_approved for item in items_of(read(tab_separated(rows)))] == [True, True, False]


def test_AMZ_4_an_item_says_whether_the_buyer_keeps_it() -> None:
    rows = [BRAKE_PADS, {**BRAKE_PADS, "Resolution": "ReturnlessRefund"}]
    assert [item.is_returnless for item in items_of(read(tab_separated(rows)))] == [False, True]


def test_who_the_buyer_is_stands_nowhere() -> None:
    columns = (*COLUMNS, "Buyer name", "Ship address 1", "buyer-email")
    buyer = {"Buyer name": "Jane Roe", "Ship address 1": "1 Elm Street", "buyer-email": "jane@example.com"}
    rows = read(tab_separated([BRAKE_PADS | buyer, BRAKE_PADS | buyer | {"Return quantity": "x"}], columns))
    assert len(rows) == 2
    for word in ("Jane", "Elm", "example.com"):
        assert word not in repr(rows)


def test_quotes_and_tabs_of_spreadsheets() -> None:
    rows = [{**BRAKE_PADS, "Return Reason": said} for said in ('24" wheel', '"24"" wheel"', '"wheel')]
    reasons = [item.reason for item in items_of(read(tab_separated(rows)))]
    assert reasons == ['24" wheel', '24" wheel', '"wheel'], "a single quote swallows no lines"


def test_a_row_with_more_cells_than_columns_is_rejected_and_trailing_tabs_are_not() -> None:
    content = tab_separated([BRAKE_PADS, BRAKE_PADS], end="\n").decode().splitlines()
    rows = read("\n".join([content[0], content[1] + "\tmore", content[2] + "\t\t"]).encode())
    assert [row.reason for row in rejected_of(rows)] == ["has 33 cells, and the first line names 32"]
    assert len(items_of(rows)) == 1


def test_text_that_is_not_utf_8_is_read_as_amazon_europe_writes_it() -> None:
    content = tab_separated([{**BRAKE_PADS, "Return Reason": "Beschädigt"}]).replace("ä".encode(), b"\xe4")
    (item,) = items_of(read(content))
    assert item.reason == "Beschädigt"


def test_repeated_items_add_up_and_never_to_more_than_was_ordered() -> None:
    other = {**BRAKE_PADS, "Merchant SKU": "ROT-200"}
    twice, thrice = read(xml([[BRAKE_PADS, BRAKE_PADS, other]])), read(tab_separated([BRAKE_PADS] * 3))
    ((pads, rotor),) = added_up(items_of(twice))
    assert (pads.quantity, pads.note, rotor.quantity) == (2, None, 1)
    ((capped,),) = added_up(items_of(thrice))
    assert capped.quantity == 2
    assert capped.note == "the report says 3 of BRK-100, 2 were ordered: taken as that"


def test_returns_of_one_order_are_told_apart_by_rma_id_and_items_by_order_item() -> None:
    columns = (*COLUMNS, "Order Item ID")
    rows = [
        {**BRAKE_PADS, "Order Item ID": "10000000000001"},
        {**BRAKE_PADS, "Order Item ID": "10000000000002"},
        {**BRAKE_PADS, "Amazon RMA ID": "DOther"},
    ]
    first, second = added_up(items_of(read(tab_separated(rows, columns))))
    assert [units.said.item for units in first] == ["10000000000001", "10000000000002"]
    assert [units.said.amazon_rma_id for units in second] == ["DOther"]


_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"", "is empty"),
    (b"\xef\xbb\xbf \r\n", "is empty"),
    (b"PK\x03\x04rest", "a ZIP archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0rest", "an Excel workbook"),
    (b"%PDF-1.7", "a PDF document"),
    (b"\x00\x01\x02\x03", "a binary file"),
    (b"\xff\xfeO\x00r\x00", "UTF-16"),
    (b'{"errors":[{"code":"QuotaExceeded"}]}', "an error answer of Amazon"),
    (b'{"reportId": 1}', "JSON"),
    (b"<!DOCTYPE html><html></html>", "a web page"),
    (b"<html><body>Sign in</body></html>", "a web page"),
    (b"<Root><a/></Root>", "XML of another kind (Root)"),
    (
        b"<AmazonEnvelope><MessageType>ProcessingReport</MessageType></AmazonEnvelope>",
        "the kind ProcessingReport",
    ),
    (b"order-id\torder-item-id\tpurchase-date\tbuyer-email\n", "an order report"),
    (b"settlement-id\tsettlement-start-date\ttotal-amount\n", "a settlement report"),
    (b"return-date\torder-id\tsku\tlicense-plate-number\n", "returns to Amazon's own warehouses"),
    (tab_separated([BRAKE_PADS]).replace(b"\t", b","), "commas between the columns"),
    (tab_separated([BRAKE_PADS]).replace(b"\t", b";"), "semicolons between the columns"),
    (b"hello\n", "some other text"),
    (gzip.compress(gzip.compress(b"x")), "a GZIP file inside a GZIP file"),
    (gzip.compress(b"PK\x03\x04"), "a ZIP archive"),
    (tab_separated([BRAKE_PADS], (*COLUMNS, "order-id")), "two columns are named Order ID"),
)


@pytest.mark.parametrize(("content", "seems"), _OTHERS, ids=[seems for _, seems in _OTHERS])
def test_AMZ_1_a_file_of_another_kind_is_refused_with_what_it_seems_to_be(content: bytes, seems: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(content)
    assert seems in str(refusal.value)


def test_a_packed_report_is_unpacked() -> None:
    for content in (tab_separated([BRAKE_PADS]), xml([[BRAKE_PADS]])):
        assert read(gzip.compress(content)) == read(content)


def test_no_more_is_unpacked_than_a_report_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_BYTES", 1024 * 1024)
    with pytest.raises(Refusal, match="is larger than"):
        read(gzip.compress(tab_separated([BRAKE_PADS] * 10_000)))


def test_a_report_in_which_nothing_stands_has_no_rows() -> None:
    assert read(tab_separated([])) == []
    assert read(xml([])) == []


@pytest.mark.parametrize(
    "definition",
    ['<!ENTITY x "y">', '<!ENTITY x SYSTEM "file:///etc/passwd">', '<!ENTITY % x SYSTEM "http://127.0.0.1:1/">'],
)
def test_a_report_brings_no_definitions_of_its_own(definition: str) -> None:
    content = xml([[BRAKE_PADS]]).replace(b"<merchant_sku>", b"<merchant_sku>&x;")
    with pytest.raises(Refusal, match="document type of its own"):
        read(content.replace(b"<AmazonEnvelope>", f"<!DOCTYPE a [{definition}]><AmazonEnvelope>".encode()))
    with pytest.raises(Refusal):
        read(content)


def test_reading_takes_no_more_than_was_asked_for() -> None:
    stream = io.BytesIO(tab_separated([BRAKE_PADS] * 10_000))
    next(read_returns_report(stream))
    assert stream.tell() <= 2 * opening.HEAD
