"""A supplier's statement is read row by row, and each credit memo finds its return (RET-12, RET-28, RET-20)."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from temporalio.client import Client

from models.case import Answer
from models.failures import Category, InvalidInput
from models.returns import CreditMemo
from models.statements import BadRow, StatementRow, amount_of, read_statement
from starter.cli import statement_import
from starter.cli.statement_import import Imported, _lines_of, import_rows
from starter.client.send import Delivery, EventRefused
from starter.client.start import Opened
from tests.database.story import Story

HEADING = "number,date,amount,currency,rma,final"
ROW = "CM-1,2026-03-01,12.50,USD,RMA-1,yes"


def rows(*lines: str) -> list[StatementRow | BadRow]:
    return list(read_statement("s.csv", lines, "north"))


def memo(*lines: str) -> CreditMemo:
    (row,) = rows(*lines)
    assert isinstance(row, StatementRow), row
    return row.memo


def bad(row: str, heading: str = HEADING) -> tuple[int, str, str]:
    (found,) = rows(heading, row)
    assert isinstance(found, BadRow), found
    return found


# ---- what is read ----


def test_RET_12_a_row_says_what_a_paper_credits_for_which_return() -> None:
    (row,) = rows(HEADING, ROW)
    assert isinstance(row, StatementRow)
    assert (row.line, row.numbers) == (2, ("RMA-1",))
    said = row.memo
    assert (said.number, said.amount, said.currency, said.final) == ("CM-1", Decimal("12.50"), "USD", True)
    assert said.actor == "supplier:north"


@pytest.mark.parametrize("begins", ["", "\ufeff"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("how", [HEADING, HEADING.replace(",", ";")])
def test_RET_12_files_of_any_office_are_read(tmp_path: Path, begins: str, ends: str, how: str) -> None:
    file = tmp_path / "s.csv"
    row = ROW.replace(",", ";").replace("12.50", "12,50") if ";" in how else ROW
    file.write_bytes((begins + how + ends + row + ends + ends).encode())
    with _lines_of(file) as lines:
        (found,) = read_statement("s.csv", lines, "north")
    assert isinstance(found, StatementRow)
    assert found.memo.amount == Decimal("12.50")


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("1234.5", "USD", "1234.5"),
        ("1234,50", "USD", "1234.50"),
        ("1,234.50", "USD", "1234.50"),
        ("1.234.567,89", "EUR", "1234567.89"),
        ("1'234.50", "CHF", "1234.50"),
        ("1 234,50", "EUR", "1234.50"),
        ("1234", "JPY", "1234"),
        ("1,234", "KWD", "1.234"),
    ],
)
def test_RET_12_amounts_with_decimal_comma_or_point(text: str, currency: str, amount: str) -> None:
    assert amount_of(text, currency) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1,234", "USD"),
        ("1.234", "EUR"),
        ("1,234", "JPY"),
        ("12.345", "USD"),
        ("-5.00", "USD"),
        ("1.234.567", "EUR"),
    ],
)
def test_RET_12_what_may_be_read_in_two_ways_is_not_guessed(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match="one way"):
        amount_of(text, currency)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (ROW.replace("CM-1", ""), "number"),
        (ROW.replace("2026-03-01", "03/01/26"), "date"),
        (ROW.replace("12.50", "twelve"), "amount"),
        (ROW.replace("12.50", "0.00"), "amount"),
        (ROW.replace("USD", "DOLLARS"), "amount"),
        (ROW.replace("RMA-1", ""), "rma/return/order"),
        (ROW.replace("yes", "perhaps"), "final"),
        (ROW.replace("12.50", "12,50"), "(row)"),
        (ROW.replace("CM-1", '"CM-1'), "(row)"),
    ],
)
def test_RET_12_a_bad_row_is_named_by_line_and_column(row: str, column: str) -> None:
    assert bad(row)[:2] == (2, column)


def test_RET_12_a_bad_row_stops_no_other() -> None:
    found = rows(HEADING, ROW.replace("12.50", "much"), ROW, "", ROW)
    assert [(one.line, isinstance(one, BadRow)) for one in found] == [(2, True), (3, False), (5, False)]


def test_RET_12_a_heading_that_lacks_a_column_is_refused_with_all_that_is_missing() -> None:
    with pytest.raises(InvalidInput) as refused:
        rows("number,date", "CM-1,2026-03-01")
    assert [one.message for one in refused.value.problems] == [
        "there is no column amount",
        "there is no column currency",
        "there is none of the columns rma, return, order",
    ]


def test_RET_12_the_same_row_is_the_same_event_however_its_numbers_are_written() -> None:
    other = memo(HEADING, ROW.replace("CM-1", "cm 1").replace("RMA-1", "rma1"))
    assert other.event_id == memo(HEADING, ROW).event_id
    assert other.event_id != memo(HEADING, ROW.replace("RMA-1", "RMA-2")).event_id


def test_RET_12_a_long_statement_is_read_row_by_row() -> None:
    def lines() -> Iterator[str]:
        yield HEADING
        yield ROW
        raise AssertionError("nobody asked for the next row yet")

    assert isinstance(next(read_statement("s.csv", lines(), "north")), StatementRow)


# ---- where it goes ----


class Sent:
    """What was sent to returns, and kept as orphans."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Decimal]] = []
        self.kept: dict[str, tuple[str, ...]] = {}
        self.refuses: set[str] = set()

    async def send_event(self, client: Client, workflow_id: str, name: str, event: CreditMemo) -> Delivery:
        if workflow_id in self.refuses:
            raise EventRefused(f"{workflow_id}: it is withdrawn", Category.REFUSED_BY_RULE)
        self.sent.append((workflow_id, event.amount))
        answer = Answer(stage="awaiting_credit", message="credited")
        return Delivery(workflow_id=workflow_id, event_id=event.event_id, answer=answer)

    async def report(
        self, client: Client, source: str, event: str, said: CreditMemo, numbers: tuple[str, ...], **more: Any
    ) -> Opened:
        already = said.event_id in self.kept
        self.kept[said.event_id] = numbers
        return Opened(workflow_id="orphan-1", already=already)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    one = Sent()
    monkeypatch.setattr(statement_import, "send_event", one.send_event)
    monkeypatch.setattr(statement_import, "report", one.report)
    return one


async def imported(story: Story, *lines: str, supplier: str = "north") -> Imported:
    heading = "number,date,amount,currency,rma,return,order"
    return await import_rows(cast(Client, None), story.reading, "s.csv", [heading, *lines], supplier)


@pytest.fixture
def returned(story: Story) -> Story:
    """Two returns of one order, the first one with an RMA number."""
    story.delivered(("A", 3, "50.00"))
    for return_id in ("RR-1", "RR-2"):
        story.returned(return_id, A=1)
    story.return_reaches("RR-1", "awaiting_credit", rma_number="RMA-1")
    return story


async def test_RET_12_each_row_goes_to_its_return_by_any_of_its_numbers(returned: Story, sent: Sent) -> None:
    found = await imported(
        returned,
        "CM-1,2026-03-01,10.00,USD,RMA-1,,",
        "CM-2,2026-03-01,5.00,USD,,RR-2,",
        "CM-3,2026-03-01,1.00,USD,RMA-1,,1001",
    )
    assert (found.sent, found.problems) == (3, ())
    assert sent.sent == [
        ("return-RR-1", Decimal("10.00")),
        ("return-RR-2", Decimal("5.00")),
        ("return-RR-1", Decimal("1.00")),
    ]


async def test_RET_28_one_paper_credits_several_returns(returned: Story, sent: Sent) -> None:
    found = await imported(returned, "CM-1,2026-03-01,10.00,USD,RMA-1,,", "CM-1,2026-03-01,5.00,USD,,RR-2,")
    assert (found.sent, found.problems) == (2, ())
    assert [one for one, _ in sent.sent] == ["return-RR-1", "return-RR-2"]


async def test_RET_20_what_fits_no_return_or_several_is_kept_once(returned: Story, sent: Sent) -> None:
    lines = ("CM-1,2026-03-01,10.00,USD,RMA-9,,", "CM-1,2026-03-01,5.00,USD,,,1001")
    assert (await imported(returned, *lines)).orphans == 2
    assert sorted(sent.kept.values()) == [("1001",), ("RMA-9",)]
    again = await imported(returned, *lines)
    assert (again.orphans, again.known, sent.sent) == (0, 2, [])


async def test_RET_20_another_suppliers_return_is_never_credited(returned: Story, sent: Sent) -> None:
    assert (await imported(returned, "CM-1,2026-03-01,10.00,USD,RMA-1,,", supplier="south")).orphans == 1
    assert sent.sent == []


async def test_RET_12_the_same_file_again_changes_nothing(returned: Story, sent: Sent) -> None:
    returned.credited("CM-1", "RR-1", amount="10.00")
    found = await imported(returned, "cm1,2026-03-01,10.00,USD,RMA-1,,")
    assert (found.known, found.sent, sent.sent) == (1, 0, [])


async def test_RET_12_a_paper_that_says_otherwise_than_before_is_listed(returned: Story, sent: Sent) -> None:
    returned.credited("CM-1", "RR-1", amount="10.00")
    found = await imported(returned, "CM-1,2026-03-01,11.00,USD,RMA-1,,", "CM-2,2026-03-01,1.00,USD,RMA-1,,")
    assert [one.line for one in found.problems] == [2]
    assert "booked for return RR-1 with 10.00 USD" in found.problems[0].reason
    assert found.sent == 1


async def test_RET_12_a_number_twice_for_one_return_is_not_added_up_by_itself(returned: Story, sent: Sent) -> None:
    row = "CM-1,2026-03-01,10.00,USD,RMA-1,,"
    found = await imported(returned, row, row)
    assert (found.sent, [one.line for one in found.problems]) == (1, [3])


async def test_RET_12_a_return_that_does_not_take_it_stops_no_other(returned: Story, sent: Sent) -> None:
    sent.refuses.add("return-RR-1")
    found = await imported(returned, "CM-1,2026-03-01,10.00,USD,RMA-1,,", "CM-2,2026-03-01,5.00,USD,,RR-2,")
    assert (found.sent, [(one.line, one.reason) for one in found.problems]) == (
        1,
        [(2, "return-RR-1: it is withdrawn")],
    )
