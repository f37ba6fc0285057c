"""What `amazon reconcile` does: a settlement against the books, in the form that is wanted (AMZ-8)."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from activities.database.settlement_report import reconciled
from activities.private_files import write_privately
from models.amazon.settlements import SettlementReconciled
from models.failures import InvalidInput, Problem
from models.text import visible_json
from starter.cli.case_lookup import opened_books
from starter.cli.output import remark, say, show_table
from starter.cli.report_format import Format
from starter.cli.spreadsheet import csv_text

_COLUMNS: Final = (
    *("what", "order_number", "order_id", "order_item_code", "refund_id", "return_id", "words"),
    *("expected", "came", "currency", "note"),
)


def show_settlement(settlement_id: str, connection_id: str | None, form: Format, output: Path | None) -> None:
    """Raises NotFound, Conflict (several accounts have it), InvalidInput (a table goes into no file)."""
    if form is Format.TABLE and output is not None:
        raise InvalidInput("--output", [Problem(str(output)[:100], "needs --format csv, json or html")])
    with opened_books() as engine:
        found = reconciled(engine, settlement_id, connection_id)
    if form is Format.TABLE:
        _tables(found)
        return
    text = _text(found, form)
    if output is None:
        sys.stdout.write(text)
        return
    write_privately(output, text)
    remark(f"written to {output}")


def _text(found: SettlementReconciled, form: Format) -> str:
    if form is Format.HTML:
        from starter.report_page.settlement_page import settlement_page

        return settlement_page(found)
    if form is Format.CSV:
        return csv_text(_COLUMNS, _rows(found))
    return visible_json(found.model_dump_json(indent=2)) + "\n"


def _rows(found: SettlementReconciled) -> Iterator[tuple[object, ...]]:
    """All that is not as it should be, one a row."""
    currency = found.currency
    if found.out_of_balance:
        yield ("total", *([None] * 6), found.total, found.came, currency, "the total, and the sum of its amounts")
    for one in found.differences:
        wrote = one.transaction_type or None
        named = (one.order_number, one.order_id, one.order_item_code, one.refund_id, one.return_id, wrote)
        yield (one.what, *named, one.expected, one.came, currency, one.note)
    if found.unknown_orders:
        note = f"{found.unknown_orders} orders that are not known here"
        yield ("unknown_orders", *([None] * 6), None, found.unknown_orders_amount, currency, note)
    for words in found.unknown:
        said = f"{words.transaction_type} / {words.amount_type} / {words.amount_description}"
        yield ("unknown_words", *([None] * 5), said, None, words.amount, currency, f"{words.amounts} amounts")


def _tables(found: SettlementReconciled) -> None:
    say(f"Settlement {found.settlement_id} of {found.connection_id}: {found.state.value}", style="bold")
    say(f"total {found.total} {found.currency}, sum of {found.amounts} amounts {found.came} {found.currency}")
    if found.rejected:
        say(f"{found.rejected} rows were not taken: backhaul amazon rejected {found.import_id}")
    sums = [(one.component.value.replace("_", " "), one.amounts, one.amount) for one in found.components]
    show_table(("component", "amounts", found.currency), sums, right=("amounts", found.currency))
    say(f"{found.confirmed} refunds came as expected")
    rows = list(_rows(found))
    if not rows:
        say("nothing differs")
        return
    shown = [
        (what, number, item, refund or back, words, expected, came, note)
        for what, number, _, item, refund, back, words, expected, came, _, note in rows
    ]
    columns = ("what", "order", "item", "refund or return", "words", "expected", "came", "note")
    show_table(columns, shown, right=("expected", "came"))
