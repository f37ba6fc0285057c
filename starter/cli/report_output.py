"""What the commands of `report` do: read, put into a form, and show or write it."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from activities.database.money_report import ALWAYS, Period
from activities.database.reports import Reports
from activities.private_files import write_privately
from models.failures import InvalidInput, Problem
from models.message import Message
from models.reports import MoneyReport, OpenPromises, PromisesBy, SellerMoney, SlaReport, SupplierMoney
from models.text import visible_json
from starter.cli.case_lookup import opened_books
from starter.cli.output import remark, say, show_table
from starter.cli.report_format import Format
from starter.cli.spreadsheet import csv_text

_STATES = ("due", "at_risk", "breached")
_BROKER = ("charged", "refunded", "credited", "owed", "in_review", "in_doubt")
_BUYERS = ("buyers_paid", "buyers_refunded", "buyers_pending", "buyers_in_doubt")


def show_sla(seller: str | None, supplier: str | None, form: Format, output: Path | None) -> None:
    """Raises NotFound."""
    _require_a_file_for(form, output)
    with opened_books() as engine:
        reports = Reports(engine)
        if form is Format.HTML:
            _give(_page(reports, seller, supplier, ALWAYS), output)
            return
        report = reports.sla(seller=seller, supplier=supplier)
    if form is Format.TABLE:
        _sla_tables(report)
    else:
        _give(_json(report) if form is Format.JSON else _sla_csv(report), output)


def show_money(
    seller: str | None, supplier: str | None, period: Period, form: Format, output: Path | None
) -> None:
    """Raises NotFound."""
    _require_a_file_for(form, output)
    with opened_books() as engine:
        reports = Reports(engine)
        if form is Format.HTML:
            _give(_page(reports, seller, supplier, period), output)
            return
        report = reports.money(seller=seller, supplier=supplier, period=period)
    if form is Format.TABLE:
        _money_tables(report)
    else:
        _give(_json(report) if form is Format.JSON else _money_csv(report), output)


def _page(reports: Reports, seller: str | None, supplier: str | None, period: Period) -> str:
    from starter.report_page.page import Reported, page_of

    now = datetime.now(UTC)
    of = " and ".join(one for one in (seller, supplier) if one is not None)
    return page_of(
        Reported(
            sla=reports.sla(seller=seller, supplier=supplier, as_of=now),
            money=reports.money(seller=seller, supplier=supplier, period=period, as_of=now),
            figures=reports.figures(seller=seller, supplier=supplier, period=period, as_of=now),
            of=of or None,
        )
    )


def _require_a_file_for(form: Format, output: Path | None) -> None:
    if form is Format.TABLE and output is not None:
        raise InvalidInput("--output", [Problem(str(output)[:100], "needs --format csv, json or html")])


def _give(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    write_privately(output, text)
    remark(f"written to {output}")


def _json(report: Message) -> str:
    return visible_json(report.model_dump_json(indent=2)) + "\n"


# ---- promises ----


def _sla_csv(report: SlaReport) -> str:
    return csv_text(
        ("promise", "supplier", "seller", *_STATES, "next_due"),
        (
            (row.promise, row.supplier_id, row.seller_id, row.due, row.at_risk, row.breached, row.next_due)
            for row in report.rows
        ),
    )


def _sla_tables(report: SlaReport) -> None:
    if not report.rows:
        say("nothing is promised that is not kept yet")
        return
    _promises("supplier", report.by_supplier, report.total)
    say("")
    _promises("seller", report.by_seller, report.total)


def _promises(of: str, rows: Sequence[PromisesBy], total: OpenPromises) -> None:
    cells = [(row.promise.words, row.of or "none yet", *_counts(row)) for row in rows]
    columns = ("promise", of, "due", "at risk", "breached", "next due (UTC)")
    show_table(columns, [*cells, ("all", "", *_counts(total))], right=("due", "at risk", "breached"))


def _counts(row: OpenPromises) -> tuple[object, ...]:
    return (row.due, row.at_risk, row.breached, row.next_due)


# ---- money ----


def _money_csv(report: MoneyReport) -> str:
    of_seller, of_supplier = SellerMoney.amounts(), SupplierMoney.amounts()
    rows: list[tuple[object, ...]] = [
        (
            "seller",
            one.seller_id,
            one.currency,
            *(getattr(one, name) for name in of_seller),
            *(None for _ in of_supplier),
        )
        for one in report.sellers
    ]
    rows += [
        (
            "supplier",
            one.supplier_id,
            one.currency,
            *(None for _ in of_seller),
            *(getattr(one, name) for name in of_supplier),
        )
        for one in report.suppliers
    ]
    return csv_text(("of", "id", "currency", *of_seller, *of_supplier), rows)


def _money_tables(report: MoneyReport) -> None:
    if not report.sellers and not report.suppliers:
        say("no money moved, and none is open")
        return
    sellers = [(one.seller_id, one) for one in report.sellers] + [("all", one) for one in report.seller_totals]
    suppliers = [(one.supplier_id, one) for one in report.suppliers]
    suppliers_in_all = [("all", one) for one in report.supplier_totals]
    for title, of, columns, rows in (
        ("Between the broker and sellers", "seller", _BROKER, sellers),
        ("Between sellers and their buyers", "seller", _BUYERS, sellers),
        ("From suppliers to the broker", "supplier", SupplierMoney.amounts(), [*suppliers, *suppliers_in_all]),
    ):
        if rows:
            _amounts(title, of, columns, rows)


def _amounts(
    title: str, of: str, columns: Sequence[str], rows: Sequence[tuple[str, SellerMoney | SupplierMoney]]
) -> None:
    names = [name.removeprefix("buyers_").replace("_", " ") for name in columns]
    say(title, style="bold")
    cells = [(owner, one.currency, *(getattr(one, name) for name in columns)) for owner, one in rows]
    show_table((of, "currency", *names), cells, right=names)
    say("")
