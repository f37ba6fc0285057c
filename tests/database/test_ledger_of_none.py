"""The ledger of what is of no order that is known here (AMZ-8, BAL-1)."""

import pytest
from sqlalchemy import Engine

from activities.database import ledger_of_none
from activities.database.ledger import Ledger, post
from activities.database.transactions import write
from models.ledger import Entry, EntryKind, Line
from tests.database.settlement_books import Books, sold
from tests.database.story import NOON, Story
from tests.database.test_ledger import emptied


def test_BAL_1_the_ledger_is_checked_and_filled_also_where_orders_are_not_known(
    story: Story, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = Books(story, engine)
    monkeypatch.setattr(ledger_of_none, "PAGE", 2)
    unknown = [sold("1.00") | {"order-id": f"111-7654321-{number:07d}"} for number in (1, 1, 1, 2, 3, 4)]
    books.booked([sold(), sold("2.00") | {"order-id": ""}, *unknown], "59.00", with_difference=True)
    ledger, before = Ledger(books.engine), books.balances
    count, _ = ledger.faults()
    emptied(books.engine)
    assert len([one for one in ledger.faults()[1] if "/111-7654321-" in one.movement]) == 4
    ledger.backfill()
    assert (ledger.backfill(), ledger.faults(), books.balances) == (0, (count, []), before)
    line = Line(debit="marketplace/amazon/deposited", credit="marketplace/amazon/suspense", units=1)
    named = {"movement": "settlement/x/y", "kind": EntryKind.SOLD, "order_id": None, "currency": "USD", "at": NOON}
    invented = Entry.model_validate({**named, "lines": (line,)})
    write(books.engine, lambda session: post(session, [invented]))
    assert [(one.movement, one.what[:10]) for one in ledger.faults()[1]] == [("settlement/x/y", "is entered")]
