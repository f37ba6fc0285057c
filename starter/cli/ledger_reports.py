"""What the commands of `ledger` do."""

from collections.abc import Iterator
from contextlib import contextmanager

from activities.database.ledger import Ledger
from models.beancount import BookedLine, beancount_text
from models.failures import Conflict
from starter.cli.case_lookup import opened_books
from starter.cli.output import remark, say, show_json, show_table


@contextmanager
def _ledger() -> Iterator[Ledger]:
    with opened_books() as engine:
        yield Ledger(engine)


def show_balances(seller: str | None, as_json: bool) -> None:
    with _ledger() as ledger:
        found = ledger.balances(seller=seller)
    if as_json:
        show_json(found)
    elif not found:
        say("nothing is entered")
    else:
        columns = ("account", "currency", "debit", "credit", "balance")
        rows = ((one.account, one.currency, one.debit, one.credit, one.balance) for one in found)
        show_table(columns, rows, right=columns[2:])


def show_entries(order: str | None, limit: int, as_json: bool) -> None:
    with _ledger() as ledger:
        found = ledger.entries(order_id=order, limit=limit)
    if as_json:
        show_json(found)
    elif not found:
        say("nothing is entered")
    else:
        show_table(
            ("at (UTC)", "movement", "what", "debit", "credit", "amount", "currency"),
            ((one.at, one.movement, one.kind, one.debit, one.credit, one.amount, one.currency) for one in found),
            right=("amount",),
        )


def check_ledger(as_json: bool) -> None:
    """Raises Conflict when something is entered otherwise than booked."""
    with _ledger() as ledger:
        count, faults = ledger.faults()
    if as_json:
        show_json(faults)
    elif faults:
        show_table(("movement", "what is wrong"), ((one.movement, one.what) for one in faults))
    else:
        say(f"{count} movements are entered as they are booked")
    if faults:
        raise Conflict(f"{len(faults)} of {count} movements are not entered as they are booked")


def backfill_ledger() -> None:
    with _ledger() as ledger:
        new = ledger.backfill()
    say(f"{new} entries are new")


def export_ledger() -> None:
    with _ledger() as ledger:
        entries = ledger.entries()
    lines = (
        BookedLine(one.at, one.movement, one.kind, one.order_id, one.debit, one.credit, one.amount, one.currency)
        for one in entries
    )
    for line in beancount_text(lines):
        say(line)
    remark(f"{len(entries)} lines; `bean-check` reads them")
