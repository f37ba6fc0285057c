"""Whatever a settlement report looks like, its sum is its total, and every row is taken or kept apart (AMZ-8)."""

from collections.abc import Callable
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from models.amazon.returned_items import RejectedRow
from models.amazon.settlement import SettlementSums
from models.money import from_minor_units, minor_digits
from tests.connectors.amazon.settlement_reports import COLUMNS, amounts_of, opened, settlement

_WORDS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S"), exclude_characters='"'), max_size=30
)
_CURRENCIES = st.sampled_from(("USD", "EUR", "JPY", "KWD"))
_UNITS = st.integers(-(10**11), 10**11)
_VOCABULARY = {
    "transaction-type": st.sampled_from(("Order", "Refund", "A-to-z Guarantee Refund", "other-transaction")),
    "amount-type": st.sampled_from(("ItemPrice", "ItemFees", "Promotion", "other-transaction")),
    "amount-description": st.sampled_from(("Principal", "Tax", "Commission", "RefundCommission", "Shipping")),
}


def _written(units: int, currency: str, mark: str) -> str:
    return format(from_minor_units(units, currency), "f").replace(".", mark)


@st.composite
def _rows(draw: st.DrawFn) -> dict[str, str]:
    """A row without its amount, whose words may be any that Amazon adds one day."""
    said = {name: draw(known | _WORDS) for name, known in _VOCABULARY.items()} | {
        "order-id": draw(st.from_regex(r"[0-9]{3}-[0-9]{7}-[0-9]{7}", fullmatch=True) | st.just("")),
        "order-item-code": draw(st.from_regex(r"[0-9]{14,15}", fullmatch=True) | st.just("")),
        "merchant-adjustment-item-id": draw(st.just("") | st.just("RF-1001-D1.1")),
        "sku": draw(_WORDS),
        "posted-date-time": draw(st.sampled_from(("2026-03-04 05:23:19 UTC", "04/03/26", "", "?"))),
    }
    return {name: cell.strip() for name, cell in said.items() if cell.strip()}


@st.composite
def _settlements(draw: st.DrawFn) -> tuple[list[dict[str, str]], int, str]:
    """Rows with amounts, their total, and the currency; some rows stand there twice."""
    currency, mark = draw(_CURRENCIES), draw(st.sampled_from((".", ",")))
    units: list[int] = draw(st.lists(_UNITS, max_size=8))
    rows = [draw(_rows()) | {"amount": _written(one, currency, mark)} for one in units]
    if draw(st.booleans()) and units:
        again = draw(st.integers(0, len(units) - 1))
        units, rows = [*units, units[again]], [*rows, rows[again]]
    return rows, sum(units), currency


@settings(max_examples=40)
@given(_settlements())
def test_AMZ_8_the_sum_is_the_total_to_the_smallest_unit(found: tuple[list[dict[str, str]], int, str]) -> None:
    rows, total, currency = found
    content = settlement(rows, _written(total, currency, "."), currency=currency)
    sums = SettlementSums()
    for row in amounts_of(content):
        sums.add(row)
    assert sums.rows == len(rows), "rows that repeat are amounts of their own"
    assert sums.units == opened(content).head.total == total
    assert sum(sums.of_component.values()) == total, "each amount has one component"


@settings(max_examples=40)
@given(_settlements(), st.integers(-(10**6), 10**6).filter(bool))
def test_AMZ_8_a_difference_to_the_total_is_seen_exactly(
    found: tuple[list[dict[str, str]], int, str], off: int
) -> None:
    rows, total, currency = found
    content = settlement(rows, _written(total + off, currency, "."), currency=currency)
    sums = SettlementSums()
    for row in amounts_of(content):
        sums.add(row)
    assert opened(content).head.total - sums.units == off


_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    lambda name: name.replace("-", " ").title(),
    lambda name: name.replace("-", "_"),
    lambda name: f" {name} ",
)


@settings(max_examples=40)
@given(
    _settlements(),
    st.permutations((*COLUMNS, "buyer-name", "new-column")),
    st.lists(st.sampled_from(_SPELLINGS), min_size=40, max_size=40),
    st.booleans(),
    st.sampled_from(("", " ")),
    st.sampled_from(("\n", "\r\n")),
)
def test_AMZ_8_order_and_spelling_of_columns_bom_blanks_and_ends_of_lines_say_nothing(
    found: tuple[list[dict[str, str]], int, str],
    columns: list[str],
    spellings: list[Callable[[str], str]],
    bom: bool,
    blank: str,
    end: str,
) -> None:
    rows, total, currency = found
    written = _written(total, currency, ".")
    lines = (
        settlement(rows, written, currency=currency, columns=columns, blank=blank, end="\n").decode().split("\n")
    )
    header = "\t".join(spell(name) for name, spell in zip(columns, spellings, strict=False))
    content = (("\ufeff" if bom else "") + end.join([header, *lines[1:]])).encode()
    assert amounts_of(content) == amounts_of(settlement(rows, written, currency=currency))


@settings(max_examples=40)
@given(_settlements(), st.lists(st.tuples(st.integers(0, 7), _WORDS), max_size=4))
def test_AMZ_8_every_row_is_taken_or_kept_apart(
    found: tuple[list[dict[str, str]], int, str], damages: list[tuple[int, str]]
) -> None:
    rows, total, currency = found
    for at, said in damages:
        if at < len(rows):
            rows[at] = rows[at] | {"amount": said}
    content = settlement(rows, _written(total, currency, "."), currency=currency)
    lines = [row.line for row in opened(content)]
    assert lines == list(range(3, 3 + len(rows)))
    for row in opened(content):
        if not isinstance(row, RejectedRow):
            said = rows[row.line - 3]["amount"].replace(",", ".")
            assert Decimal(row.units).scaleb(-minor_digits(currency)) == Decimal(said)
