"""The settlement report, row by row: what is read, what is kept apart, what is refused (AMZ-8)."""

import gzip
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.connectors.amazon.settlement_report import Refusal
from models.amazon.settlement import Component, SettlementSums, component_of
from tests.connectors.amazon import returns_reports
from tests.connectors.amazon.settlement_reports import (
    BRAKE_PADS,
    COLUMNS,
    SOLD_AND_REFUNDED,
    amounts_of,
    head,
    opened,
    rejected_of,
    settlement,
)

REPORT = settlement(SOLD_AND_REFUNDED, "-3.00")


def test_AMZ_8_the_head_has_dates_total_and_currency() -> None:
    head = opened(REPORT).head
    assert (head.settlement_id, head.total, head.currency) == ("18000000001", -300, "USD")
    assert head.deposited_at == datetime(2026, 3, 17, tzinfo=UTC)


def test_AMZ_8_each_row_is_one_amount_in_whole_cents_and_has_its_component() -> None:
    rows = amounts_of(REPORT)
    assert [(row.line, row.units, row.component.value) for row in rows] == [
        (3, 10000, "sold"),
        (4, -1500, "commission"),
        (5, -10000, "refunded"),
        (6, 1500, "commission_returned"),
        (7, -300, "administration_fee"),
    ]
    assert rows[0].posted_at == datetime(2026, 3, 4, 5, 23, 19, tzinfo=UTC)


def test_AMZ_8_the_sum_of_the_rows_is_the_total() -> None:
    sums = SettlementSums()
    for row in amounts_of(REPORT):
        sums.add(row)
    assert sums.units == opened(REPORT).head.total
    assert sum(sums.of_component.values()) == sums.units
    assert (sums.rows, sums.moved) == (5, 10000 + 1500 + 10000 + 1500 + 300)


@pytest.mark.parametrize(
    ("said", "currency", "units"),
    [
        ("-77,98", "EUR", -7798),
        ("77.9", "USD", 7790),
        ("1.234,56", "EUR", 123456),
        ("1,234.56", "USD", 123456),
        ("1 234,56", "SEK", 123456),
        ("-1099", "JPY", -1099),
        ("1.234", "KWD", 1234),
        ("+5", "USD", 500),
        ("10.5000", "USD", 1050),
    ],
)
def test_AMZ_8_amounts_in_every_spelling(said: str, currency: str, units: int) -> None:
    (row,) = amounts_of(settlement([BRAKE_PADS | {"amount": said}], "0", currency=currency))
    assert row.units == units


@pytest.mark.parametrize(
    "said", ["1.234", "1,234", "1.230", "1,000", "12,34,5", "1e5", "NaN", "--5", "5-", "1.2.3", "0.005"]
)
def test_AMZ_8_an_amount_that_would_have_to_be_guessed_or_rounded_is_kept_apart(said: str) -> None:
    content = settlement([BRAKE_PADS, BRAKE_PADS | {"amount": said}, BRAKE_PADS], "200.00")
    ((line, column, _, cells),) = rejected_of(content)
    assert (line, column, cells["amount"]) == (4, "amount", said)


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"amount": ""}, "amount"),
        ({"settlement-id": ""}, "settlement-id"),
        ({"currency": "EUR"}, "currency"),
        ({"sku": "x" * 161}, "sku"),
        ({"sku": "a\x07b"}, "sku"),
        ({"amount": "", "total-amount": "9.00"}, "amount"),
        ({"order-id": "111/1"}, "order-id"),
    ],
)
def test_AMZ_8_a_bad_row_is_kept_with_line_and_column(changed: dict[str, str], column: str) -> None:
    content = settlement([BRAKE_PADS, BRAKE_PADS | changed], "100.00")
    if "settlement-id" in changed:
        content = content.replace(b"18000000001\t\t\t\t\t\tOrder", b"\t\t\t\t\t\tOrder")
        assert [(row.line, row.column) for row in rejected_of(content)] == [(3, column), (4, column)]
        return
    assert [(row.line, row.column) for row in rejected_of(content)] == [(4, column)]


@pytest.mark.parametrize(
    "said", ["2025-06-09 05:23:19 UTC", "2025-06-09T05:23:19Z", "09.06.2025 05:23:19 UTC", "09/06/25 05:23:19"]
)
def test_AMZ_8_moments_in_every_spelling(said: str) -> None:
    (row,) = amounts_of(settlement([BRAKE_PADS | {"posted-date-time": said}], "100.00"))
    assert row.posted_at == datetime(2025, 6, 9, 5, 23, 19, tzinfo=UTC)


SLASHED = {"settlement_start_date": "", "settlement_end_date": "", "deposit_date": ""}
JUNE_9, SEPTEMBER_6 = datetime(2025, 6, 9, tzinfo=UTC), datetime(2025, 9, 6, tzinfo=UTC)


def dated(*posted: str, **of_head: str) -> bytes:
    """A report of so many amounts of nothing else but a date."""
    rows = [BRAKE_PADS | {"posted-date-time": "", "posted-date": one} for one in posted]
    lines = settlement(rows, f"{len(rows)}00.00").decode().split("\r\n")
    first = head(f"{len(rows)}00.00", **{**SLASHED, **of_head}) | {"settlement-id": "18000000001"}
    lines[1] = "\t".join(first.get(name, "") for name in COLUMNS)
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("posted", "of_head", "means"),
    [
        (["09/06/25"], {}, JUNE_9),
        (["09/06/25", "23/06/25"], {}, JUNE_9),
        (["09/06/25"], {"deposit_date": "09/23/25"}, SEPTEMBER_6),
        (["09/06/25"], {"settlement_start_date": "09/01/25", "settlement_end_date": "09/12/25"}, SEPTEMBER_6),
        (["09/06/25"], {"settlement_start_date": "01/06/25", "settlement_end_date": "12/06/25"}, JUNE_9),
        (["09/06/25"], {"settlement_start_date": "2025-09-01", "settlement_end_date": "2025-09-14"}, SEPTEMBER_6),
        (["09.06.25", "06/23/25"], {}, JUNE_9),
    ],
)
def test_AMZ_8_which_day_a_date_with_slashes_is_the_other_dates_say(
    posted: list[str], of_head: dict[str, str], means: datetime
) -> None:
    assert amounts_of(dated(*posted, **of_head))[0].posted_at == means


@pytest.mark.parametrize("posted", [["09/06/25", "06/23/25"], ["23/06/25", "06/23/25"], ["06/23/25", "23/06/25"]])
def test_AMZ_8_a_report_whose_dates_may_be_two_days_is_refused(posted: list[str]) -> None:
    with pytest.raises(Refusal, match=r"with the day first and with the month first.*write them as 2025-06-09"):
        amounts_of(dated(*posted))


def test_a_date_that_cannot_be_read_takes_no_amount_with_it() -> None:
    (row,) = amounts_of(settlement([BRAKE_PADS | {"posted-date-time": "?", "posted-date": "99/99/99"}], "100.00"))
    assert row.posted_at is None


_NEW_WORDS: list[tuple[str, str, str]] = [
    ("Order", "ItemFees", "MoonFee"),
    ("Order", "MoonFees", "Commission"),
    ("Moon", "ItemPrice", "Principal"),
    ("", "", ""),
    ("other-transaction", "other-transaction", "Moon dust"),
]


@pytest.mark.parametrize("words", _NEW_WORDS, ids=map("/".join, _NEW_WORDS))
def test_AMZ_8_any_word_that_is_new_is_unknown_and_passes_through(words: tuple[str, str, str]) -> None:
    cells = dict(zip(("transaction-type", "amount-type", "amount-description"), words, strict=True))
    (row,) = amounts_of(settlement([BRAKE_PADS | cells], "100.00"))
    assert row.component is Component.UNKNOWN
    assert (row.transaction_type, row.amount_type, row.amount_description) == words


def test_AMZ_8_words_are_the_same_however_they_are_written() -> None:
    assert component_of("A-to-z Guarantee Refund", "item price", "PRINCIPAL") is Component.REFUNDED
    assert component_of("other-transaction", "other-transaction", "Current Reserve Amount") is Component.RESERVE


_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"", "is empty"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"<html>", "a web page"),
    (b"<AmazonEnvelope/>", "XML"),
    (b'{"errors": []}', "an error answer of Amazon"),
    (returns_reports.tab_separated([returns_reports.BRAKE_PADS]), "a returns report"),
    (b"order-id\torder-item-id\tpurchase-date\n", "an order report"),
    (b"settlement-id\tprice-type\tprice-amount\n", "a settlement report of the first form"),
    (REPORT.replace(b"\t", b","), "commas between the columns"),
    (b"hello\n", "some other text"),
    (settlement([], "1.00", columns=(*COLUMNS, "Order ID")), "two columns are named order-id"),
    (b"\t".join(name.encode() for name in COLUMNS) + b"\n", "has no first row with the total"),
    (settlement([], ""), "total-amount is missing"),
    (settlement([], "1.00", currency="XXX"), "currency is no currency"),
    (gzip.compress(REPORT)[:-20], "damaged or cut off"),
)


@pytest.mark.parametrize(("content", "seems"), _OTHERS, ids=[seems for _, seems in _OTHERS])
def test_AMZ_8_a_file_of_another_kind_is_refused_with_what_it_seems_to_be(content: bytes, seems: str) -> None:
    with pytest.raises(Refusal) as refusal:
        list(opened(content))
    assert seems in str(refusal.value)


def test_AMZ_8_a_second_settlement_in_the_file_is_refused() -> None:
    content = settlement([BRAKE_PADS, BRAKE_PADS | {"settlement-id": "18000000002"}], "100.00")
    with pytest.raises(Refusal, match="line 4: holds a second settlement"):
        list(opened(content))


def test_a_head_that_stands_there_twice_counts_once() -> None:
    content = REPORT + REPORT.split(b"\r\n")[1] + b"\r\n"
    assert amounts_of(content) == amounts_of(REPORT)


def test_a_packed_report_is_unpacked() -> None:
    assert amounts_of(gzip.compress(REPORT)) == amounts_of(REPORT)


def test_nothing_is_kept_of_columns_that_nobody_reads() -> None:
    named: Any = (*COLUMNS, "buyer-name")
    content = settlement([BRAKE_PADS | {"buyer-name": "Bo", "amount": "?"}], "1.00", columns=named)
    assert "Bo" not in str(rejected_of(content))
