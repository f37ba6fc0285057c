"""Order reports of Amazon: what is read of them, and what is refused (CAN-7)."""

import gzip
import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.connectors.amazon.order_report import by_order
from activities.connectors.amazon.tables import Refusal
from models.amazon.ordered_items import OrderedItem
from models.amazon.returned_items import RejectedRow
from tests.connectors.amazon import returns_reports
from tests.connectors.amazon.order_reports import BRAKE_PADS, COLUMNS, WANTED, order_report, ordered, read_orders


def test_CAN_7_a_row_says_whether_the_buyer_wants_to_cancel_and_why() -> None:
    calm, wanted = ordered([{}, WANTED])
    assert (calm.wants_cancel, wanted.wants_cancel, wanted.cancel_reason) == (False, True, "Ordered by mistake")
    assert (wanted.order_id, wanted.order_item_id, wanted.sku, wanted.quantity, wanted.line) == (
        "111-1234567-1234567",
        "10000000000001",
        "BRK-100",
        2,
        3,
    )


@pytest.mark.parametrize(
    "columns", [COLUMNS[:-2], (*COLUMNS[:-2], COLUMNS[-1])], ids=["without both columns", "with the reason alone"]
)
def test_CAN_7_a_column_that_is_absent_means_that_nobody_knows(columns: tuple[str, ...]) -> None:
    (item,) = ordered([WANTED], columns)
    assert item.wants_cancel is None
    (empty,) = ordered([{"is-buyer-requested-cancellation": " "}])
    assert empty.wants_cancel is None


@pytest.mark.parametrize("word", ["TRUE", "Yes", "y", "1"])
def test_CAN_7_yes_in_other_words_is_yes(word: str) -> None:
    (item,) = ordered([{"is-buyer-requested-cancellation": word}])
    assert item.wants_cancel is True


def test_CAN_7_a_word_that_is_not_known_is_for_a_person_and_the_other_rows_go_on() -> None:
    rows = [BRAKE_PADS | {"is-buyer-requested-cancellation": "maybe"}, BRAKE_PADS | WANTED]
    bad, good = read_orders(order_report(rows))
    assert str(bad) == (
        "line 2, is-buyer-requested-cancellation: is neither yes nor no: whether the order ships depends on it"
    )
    assert isinstance(good, OrderedItem)
    assert good.wants_cancel


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ({"order-id": "1"}, "order-id"),
        ({"order-item-id": "", "sku": ""}, "order-item-id"),
        ({"sku": "x" * 200}, "sku"),
        ({"sku": "a\x01b"}, "sku"),
    ],
)
def test_CAN_7_a_bad_row_is_told_without_the_buyer(row: dict[str, str], where: str) -> None:
    (bad,) = read_orders(order_report([BRAKE_PADS | row]))
    assert isinstance(bad, RejectedRow)
    assert bad.column == where
    assert not [cell for cell in bad.cells.values() if "Robin" in cell or "River" in cell]


def test_CAN_8_the_report_of_all_orders_says_which_are_cancelled() -> None:
    columns = ("amazon-order-id", "purchase-date", "order-status", "sku", "quantity")
    row = {"amazon-order-id": "111-1234567-1234567", "order-status": "Cancelled", "quantity": "2"}
    (item,) = ordered([row], columns)
    assert (item.is_cancelled, item.wants_cancel, item.quantity) == (True, None, 2)


@given(st.permutations(COLUMNS), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2))
def test_CAN_7_columns_in_any_order_and_spelling(
    columns: list[str], bom: bool, crlf: bool, packed: bool, spelling: int
) -> None:
    content = order_report([BRAKE_PADS | WANTED], [*columns, "some-new-column"])
    header, rest = content.split(b"\n", 1)
    spelled = (header, header.upper(), header.replace(b"-", b"_"))[spelling]
    content = b"\n".join((spelled, rest))
    content = content.replace(b"\n", b"\r\n") if crlf else content
    content = b"\xef\xbb\xbf" + content if bom else content
    (item,) = read_orders(gzip.compress(content) if packed else content)
    assert item == ordered([WANTED])[0]._replace(line=2)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (returns_reports.tab_separated([returns_reports.BRAKE_PADS]), "seems to be a returns report"),
        (b"settlement-id\tsettlement-start-date\n1\t2\n", "seems to be a settlement report"),
        (b"order-id,purchase-date,sku\n", "commas between the columns"),
        (b"<html><body>sign in</body></html>", "seems to be a web page"),
        (b"<AmazonEnvelope/>", "seems to be XML"),
        (b'{"errors": []}', "an error answer of Amazon"),
        (b"PK\x03\x04rest", "an Excel workbook"),
        (b"order-id\tpurchase-date\tsku\tSKU\n", "two columns are named sku"),
        (gzip.compress(b"order-id\tpurchase-date\tsku\n" * 999, mtime=0)[:40], "damaged or cut off"),
    ],
)
def test_CAN_7_a_file_of_another_kind_is_refused_with_what_it_seems_to_be(content: bytes, what: str) -> None:
    with pytest.raises(Refusal, match=what):
        read_orders(content)


def test_CAN_7_whatever_a_file_holds_it_ends_in_rows_or_a_refusal() -> None:
    chance = random.Random(7)
    whole = order_report([BRAKE_PADS | WANTED] * 20)
    for _ in range(300):
        start, length = chance.randrange(len(whole)), chance.randrange(60)
        content = whole[:start] + chance.randbytes(length) + whole[start + chance.randrange(60) :]
        with suppress(Refusal):
            read_orders(content)


def test_CAN_7_rows_of_one_order_are_one_wherever_they_stand() -> None:
    rows = [{}, {"order-id": "111-0000000-0000000"}, {"order-item-id": "2"}, {}]
    found = [(items[0].order_id, [one.order_item_id for one in items]) for items in by_order(iter(ordered(rows)))]
    assert found == [
        ("111-0000000-0000000", ["10000000000001"]),
        ("111-1234567-1234567", ["10000000000001", "2"]),
    ]


def test_CAN_7_returns_and_orders_do_not_pass_for_each_other() -> None:
    with pytest.raises(Refusal, match="seems to be an order report"):
        returns_reports.read(order_report([BRAKE_PADS]))
