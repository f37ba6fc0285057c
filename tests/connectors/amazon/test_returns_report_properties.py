"""Whatever order, spelling and blanks a returns report comes with, it says the same (AMZ-1)."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from activities.connectors.amazon.returns_report import added_up
from models.amazon.returned_items import ReturnedItem
from tests.connectors.amazon.returns_reports import (
    COLUMNS,
    items_of,
    read,
    rejected_of,
    tab_separated,
    xml,
)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORDS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S"), exclude_characters='"'), max_size=30
)
_IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,19}", fullmatch=True)
_ORDER_IDS = st.from_regex(r"[0-9]{3}-[0-9]{7}-[0-9]{7}", fullmatch=True)
_AMOUNTS = st.decimals(0, 9999, places=2).map(str)
_DAYS = st.dates().map(lambda day: f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year:04d}")


@st.composite
def _rows(draw: st.DrawFn) -> dict[str, str]:
    """A row, whose words may be any that Amazon adds one day."""
    said = {
        "Order ID": draw(_ORDER_IDS),
        "Amazon RMA ID": draw(_IDS),
        "Return request status": draw(st.sampled_from(("Approved", "Pending", "Completed")) | _IDS),
        "Return request date": draw(_DAYS),
        "Resolution": draw(st.sampled_from(("StandardRefund", "RefundAtFirstScan", "ReturnlessRefund")) | _WORDS),
        "Return Reason": draw(_WORDS),
        "Merchant SKU": draw(_IDS),
        "Item Name": draw(_WORDS),
        "Return quantity": str(draw(st.integers(1, 100_000))),
        "Order quantity": draw(st.sampled_from(("", "1", "100000"))),
        "Label cost": draw(_AMOUNTS),
        "Refunded Amount": draw(_AMOUNTS),
        "A-to-Z Claim": draw(st.sampled_from(("", "Y", "N", "true", "false"))),
    }
    return {name: value.strip() for name, value in said.items() if value.strip()}


def _said(item: ReturnedItem) -> ReturnedItem:
    return item._replace(line=0)


@settings(max_examples=40)
@given(st.lists(_rows(), max_size=5))
def test_AMZ_1_xml_and_tabs_say_the_same(rows: list[dict[str, str]]) -> None:
    from_table, from_xml = read(tab_separated(rows)), read(xml([[row] for row in rows]))
    assert not rejected_of(from_table)
    assert list(map(_said, items_of(from_table))) == list(map(_said, items_of(from_xml)))
    assert len(from_xml) == len(rows)


_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    lambda name: name.replace(" ", "-"),
    lambda name: name.replace(" ", "_").lower(),
    lambda name: f" {name} ",
)


@settings(max_examples=40)
@given(
    st.lists(_rows(), max_size=4),
    st.permutations((*COLUMNS, "Buyer name", "New column")),
    st.lists(st.sampled_from(_SPELLINGS), min_size=40, max_size=40),
    st.booleans(),
    st.sampled_from(("", " ")),
    st.sampled_from(("\n", "\r\n")),
)
def test_AMZ_1_order_and_spelling_of_columns_bom_and_ends_of_lines_say_nothing(
    rows: list[dict[str, str]],
    columns: list[str],
    spellings: list[Callable[[str], str]],
    bom: bool,
    blank: str,
    end: str,
) -> None:
    lines = tab_separated(rows, columns, blank=blank, end="\n").decode().split("\n")
    header = "\t".join(spell(name) for name, spell in zip(columns, spellings, strict=False))
    content = ("\ufeff" if bom else "") + end.join([header, *lines[1:]])
    assert read(content.encode()) == read(tab_separated(rows))


@settings(max_examples=40)
@given(st.lists(_rows(), min_size=1, max_size=4), st.sets(st.sampled_from(COLUMNS)))
def test_AMZ_1_columns_may_be_missing(rows: list[dict[str, str]], missing: set[str]) -> None:
    missing -= {"Order ID", "Return request status", "Return quantity", "Merchant SKU"}
    columns = [name for name in COLUMNS if name not in missing]
    shorter = [{name: cell for name, cell in row.items() if name not in missing} for row in rows]
    assert read(tab_separated(rows, columns)) == read(tab_separated(shorter))


@settings(max_examples=40)
@given(_rows(), st.integers(1, 6), st.integers(1, 8))
def test_AMZ_1_rows_that_repeat_add_up_and_never_to_more_than_was_ordered(
    row: dict[str, str], times: int, ordered: int
) -> None:
    row |= {"Return quantity": "1", "Order quantity": str(ordered)}
    for content in (tab_separated([row] * times), xml([[row] * times])):
        ((units,),) = added_up(items_of(read(content)))
        assert units.reported == times
        assert units.quantity == min(times, ordered)
        assert (units.note is None) == (times <= ordered)


@settings(max_examples=40)
@given(st.lists(_rows(), min_size=2, max_size=6), st.data())
def test_AMZ_1_one_bad_row_takes_no_other_with_it(rows: list[dict[str, str]], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from(("Order ID", "Return quantity", "A-to-Z Claim")))
    bad = [*rows[:at], {**rows[at], column: "?"}, *rows[at + 1 :]]
    found = read(tab_separated(bad))
    assert [(row.line, row.column) for row in rejected_of(found)] == [(at + 2, column)]
    assert items_of(found) == [item for item in items_of(read(tab_separated(rows))) if item.line != at + 2]
