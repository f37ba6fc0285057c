"""`docs/ledger.md` shows the accounts, entries and numbers that there are."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from activities.database import upgrade
from activities.database.engines import make_engine
from activities.database.ledger import Ledger
from models.charges import ChargeRecord
from models.ledger import (
    ACCOUNTS,
    KINDS,
    AmountsSettled,
    ClaimCredited,
    Entry,
    EntryKind,
    PaymentMoved,
    RefundMoved,
    ReviewCredited,
    amounts_settled,
    charge_entries,
    claim_entries,
    cost_review_entries,
    credit_memo_entries,
    payment_entries,
    refund_entries,
)
from models.orders import Channel
from models.partners import ChargeState
from models.payments import PaidBy
from models.records import BookCreditMemo
from models.refunds import Direction, RefundState, Way
from tests.database.story import NOON, Story

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text()


def rows_of(heading: str) -> list[list[str]]:
    table = PAGE.partition(f"\n## {heading}\n")[2]
    table = table[table.index("\n|") + 1 :].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_BAL_1_the_page_names_every_account() -> None:
    said = {re.sub(r"ID|CHANNEL", "_%", cells[0].strip("`")) for cells in rows_of("Accounts")}
    assert said == set(ACCOUNTS)


def test_BAL_1_the_page_shows_what_every_movement_is_entered_as() -> None:
    said = {tuple(cell.strip("`") for cell in cells) for _, *cells in rows_of("What is entered")}
    assert said == {(one.kind.value, line.debit, line.credit) for one in every_entry() for line in one.lines}


def every_entry() -> list[Entry]:
    paid = {"order_id": "1", "seller_id": "acme", "position": 1, "units": 9, "currency": "USD", "at": NOON}
    found = [
        *payment_entries(PaymentMoved(channel=Channel.EBAY, paid_by=PaidBy.MARKETPLACE, **paid)),
        *payment_entries(PaymentMoved(channel=Channel.WEB_SHOP, paid_by=PaidBy.STRIPE, **paid)),
    ]
    for charged, captured in ((ChargeState.CAPTURED, "5.00"), (ChargeState.VOIDED, "0")):
        charge = ChargeRecord(
            charge_id="C-1",
            state=charged,
            amount=Decimal("9.00"),
            captured=Decimal(captured),
            currency="USD",
            connection_id="broker-stripe",
        )
        found += charge_entries(charge, "1", "acme", NOON, ["authorized"])
    for direction in Direction:
        for way, of_return in ((Way.GATEWAY, False), (Way.GATEWAY, True), (Way.MARKETPLACE, True)):
            for state, known in (
                (RefundState.SUCCEEDED, []),
                (RefundState.REFUSED, ["reserved"]),
                (RefundState.FAILED, ["reserved", "refunded"]),
            ):
                moved = RefundMoved(
                    refund_id="R-1",
                    order_id="1",
                    seller_id="acme",
                    channel=Channel.EBAY,
                    of_return=of_return,
                    direction=direction,
                    way=way,
                    units=9,
                    currency="USD",
                    state=state,
                    at=NOON,
                )
                found += refund_entries(moved, known)
    memo = {"number": "CM-1", "return_id": "RR-1", "date": "2026-03-01", "amount": "1.00", "currency": "USD"}
    paper = BookCreditMemo.model_validate({"supplier_id": "north", "actor": "supplier:north", "at": NOON, **memo})
    review = {
        "review_id": "CR-1",
        "order_id": "1",
        "seller_id": "acme",
        "units": 100,
        "currency": "USD",
        "at": NOON,
    }
    credited = cost_review_entries(ReviewCredited.model_validate(review))
    claim = {"claim_id": "CL-1", "order_id": "1", "seller_id": "acme", "units": 100, "currency": "USD", "at": NOON}
    claimed = claim_entries(ClaimCredited.model_validate(claim))
    return found + credit_memo_entries(paper, "1") + credited + claimed + settled()


def settled() -> list[Entry]:
    """Each kind with the sign that it mostly has, of an order that is known and of one that is not."""
    gives = {EntryKind.SOLD: 9, EntryKind.GIVEN_BACK: -9, EntryKind.COMMISSION_RETURNED: 9}
    of_order = {kind: gives.get(kind, -9) for kind in KINDS["settlement"]}
    told = {
        "connection_id": "acme-amazon",
        "settlement_id": "1",
        "seller_id": "acme",
        "currency": "USD",
        "at": NOON,
    }
    return [
        entry
        for number, order_id in (("111", "1"), ("222", None))
        for entry in amounts_settled(
            AmountsSettled.model_validate({**told, "number": number, "order_id": order_id, "units": of_order})
        )
    ]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    upgrade(url)
    return make_engine(url)


def test_BAL_1_the_numbers_of_the_return_on_the_page_are_so(engine: Engine) -> None:
    story = Story(engine).with_parties()
    shown = [tuple(cells[1:]) for cells in rows_of("One return")]

    def now() -> tuple[str, ...]:
        has = {one.account: one.balance for one in Ledger(engine).balances()}
        accounts = (
            *("seller/acme/available", "seller/acme/reserved", "broker/revenue", "broker/expense"),
            *("supplier/north/receivable", "buyers/refunds"),
        )
        return tuple(f"{has.get(account, Decimal(0)):.2f}" for account in accounts)

    seen = []
    story.ordered(("A", 1, "100.00"))
    seen.append(now())
    story.charged("60.00")
    seen.append(now())
    story.bought("north", A=1)
    story.shipped(A=1)
    story.returned("RR-1", A=1)
    story.credited("CM-1", "RR-1", amount="42.00")
    seen.append(now())
    story.refunding("RF-RR-1-S1", "60.00", direction=Direction.BROKER_TO_SELLER, return_id="RR-1")
    story.settled("RF-RR-1-S1", RefundState.SUCCEEDED)
    seen.append(now())
    story.refunding("RF-RR-1-B1", "100.00", return_id="RR-1")
    seen.append(now())
    story.settled("RF-RR-1-B1", RefundState.SUCCEEDED)
    seen.append(now())
    assert seen == shown
    engine.dispose()
