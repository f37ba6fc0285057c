"""The page of the reports: whole, for itself, and nothing in it is a stranger's markup (NTF-3, RET-21)."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.report_figures import AGES, DaysToCredit, Figures, FillRate, OpenByAge, RefundsByReason, age_in_words
from models.report_figures import days_to_credit as days_to_credit_of
from models.reports import MoneyOfSeller, MoneyOfSupplier, MoneyReport, Promise, PromisesOf, SlaReport
from starter.report_page import charts
from starter.report_page.page import Reported, page_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\"'&\u202e\x1b"
VOID = ("meta", "br")


class Page(HTMLParser):
    """The elements of a page; raises AssertionError where one is closed that is not open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def reported(figures: Figures | None = None, sellers: int = 1, text: str = "does not fit") -> Reported:
    """Books with these sellers, one supplier, and a reason in somebody's words."""
    promises = [_promises(f"s{number}") for number in range(sellers)]
    money = [
        MoneyOfSeller(seller_id=f"s{number}", currency="USD", charged=Decimal("1234.50"), in_doubt=Decimal("0.10"))
        for number in range(sellers)
    ]
    supplier = MoneyOfSupplier(supplier_id="north", currency="KWD", expected=Decimal("1.250"))
    report = MoneyReport.of(NOW, (NOW, None), money, [supplier])
    return Reported(SlaReport(as_of=NOW, rows=tuple(promises)), report, figures or some_figures(text), of=text)


def _promises(seller_id: str) -> PromisesOf:
    promised = {"promise": Promise.SELLER_REFUND, "supplier_id": "north", "seller_id": seller_id}
    return PromisesOf.model_validate({**promised, "due": 3, "at_risk": 2, "breached": 1, "next_due": NOW})


def some_figures(text: str = "does not fit", weeks: int = 1, reasons: int = 1) -> Figures:
    amounts = (("USD", Decimal("0.50")),)
    return Figures(
        ageing=tuple(OpenByAge(age=age_in_words(*age), on_time=4, at_risk=1) for age in AGES),
        to_credit=(DaysToCredit(supplier_id=text, credits=9, median=12, ninety_percent=31, longest=40),),
        fill_rate=tuple(FillRate(week=date(2026, 1, 5), from_stock=97, second_sourced=3) for _ in range(weeks)),
        reasons=tuple(
            RefundsByReason(reason=f"{text}{number or ''}", refunds=50 - number, amounts=amounts)
            for number in range(reasons)
        ),
    )


def no_figures() -> Figures:
    ages = tuple(OpenByAge(age=age_in_words(*age)) for age in AGES)
    return Figures(ageing=ages, to_credit=(), fill_rate=(), reasons=())


def test_the_page_has_four_charts_each_with_a_title_a_description_and_a_table() -> None:
    page = Page(page_of(reported()))
    drawings = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert len(drawings) == 4
    ids = {attributes.get("id") for _, attributes in page.elements}
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert set(str(drawing["aria-labelledby"]).split()) <= ids
    assert page.count("desc") == 4
    assert page.count("table") == 4 + 2 + 3


def test_the_page_loads_and_runs_nothing() -> None:
    html = page_of(reported())
    page = Page(html)
    assert {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "object", "form", "a"} == set()
    assert re.search(r"url\(|@import|https?://|src=|href=|\son\w+=", html) is None
    policies = [one["content"] for tag, one in page.elements if tag == "meta" and "http-equiv" in one]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_what_strangers_wrote_is_text_and_no_markup() -> None:
    html = page_of(reported(text=EVIL))
    assert Page(html).count("script") == 0
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "\u202e" not in html
    assert "\x1b" not in html


def test_empty_books_make_a_page_that_says_so() -> None:
    empty = Reported(SlaReport(as_of=NOW, rows=()), MoneyReport.of(NOW, (None, None), [], []), no_figures())
    page = Page(page_of(empty))
    assert page.count("svg") == 0
    assert [word for word in page.words if word.startswith("No ")] == [
        "No return is open.",
        "No supplier has credited anything.",
        "No order was sourced.",
        "No buyer was refunded.",
        "No money moved, and none is open.",
    ]


def test_a_thousand_sellers_stand_on_the_page_and_their_total_too() -> None:
    page = Page(page_of(reported(sellers=1000)))
    assert page.words.count("1,234.50") == 1000
    assert "1,234,500.00" in page.words
    assert "1.250" in page.words


def test_RET_21_rare_reasons_stand_together_and_none_is_lost() -> None:
    page = Page(page_of(reported(some_figures("word", reasons=20))))
    together = page.words.index("all other reasons")
    counts = [word for word in page.words[together:] if word.isdigit()]
    assert counts[0] == str(sum(50 - number for number in range(11, 20)))
    assert "4.50 USD" in page.words


def test_ORD_6_a_week_under_98_percent_is_marked_and_never_rounded_up() -> None:
    almost = FillRate(week=date(2026, 1, 5), from_stock=9799, second_sourced=200, voided=1)
    assert almost.percent == Decimal("97.9")
    just = FillRate(week=date(2026, 1, 12), from_stock=98, second_sourced=2)
    assert [point.below for point in charts.fill_rate((almost, just)).points] == [True, False]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 30)), min_size=1, max_size=20))
def test_RET_11_the_median_and_the_nine_of_ten_are_those_of_the_days_one_by_one(
    counts: list[tuple[int, int]],
) -> None:
    days = sorted(day for day, count in counts for _ in range(count))
    found = days_to_credit_of("north", counts)
    assert (found.credits, found.longest) == (len(days), days[-1])
    assert sum(day <= found.median for day in days) * 2 >= len(days)
    assert sum(day < found.median for day in days) * 2 < len(days) + 1
    assert sum(day <= found.ninety_percent for day in days) * 10 >= len(days) * 9
    assert sum(day < found.ninety_percent for day in days) * 10 < len(days) * 9


@given(
    st.lists(st.tuples(*[st.integers(0, 10**6)] * 3), min_size=6, max_size=6),
    st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 500), st.integers(0, 500)), max_size=26),
)
def test_every_mark_stands_inside_its_drawing(
    ages: list[tuple[int, int, int]], weeks: list[tuple[int, int, int]]
) -> None:
    aged = [
        OpenByAge(age=age_in_words(*age), on_time=a, at_risk=b, breached=c)
        for age, (a, b, c) in zip(AGES, ages, strict=True)
    ]
    for column in charts.ageing(aged).columns:
        assert 0 < column.middle < charts.WIDTH
        assert column.top > 10
        assert all(piece.y >= 23.9 and piece.y + piece.height <= 176.2 for piece in column.pieces)
    filled = [
        FillRate(week=date(2026, 1, 5), from_stock=a, second_sourced=b, voided=c) for a, b, c in weeks if a + b + c
    ]
    assert all(
        23.9 <= point.y <= 176.1 and 0 < point.x < charts.WIDTH for point in charts.fill_rate(filled).points
    )


@pytest.mark.parametrize(("highest", "end", "step"), [(0, 1, 1), (5, 5, 1), (6, 6, 2), (23, 25, 5), (62, 80, 20)])
def test_a_scale_ends_above_what_is_highest_in_round_steps(highest: int, end: int, step: int) -> None:
    assert charts.scale(highest) == (end, step)
