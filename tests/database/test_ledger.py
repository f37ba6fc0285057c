"""BAL-1: every movement of money is in the ledger once, in the transaction in which it moved, and stays there."""

import threading
from decimal import Decimal

import pytest
from beancount import loader
from beancount.core.data import Transaction
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from activities.database.engines import writing
from activities.database.ledger import Ledger, post
from models.beancount import BookedLine, account_name, beancount_text
from models.charges import ChargeRecord
from models.failures import BackhaulError
from models.ledger import BROKER_REVENUE, Entry, EntryKind, Line, available
from models.partners import ChargeState
from models.refunds import Direction, RefundState, Way
from tests.database.conftest import KINDS
from tests.database.full_database import by_hand, everything
from tests.database.story import NOON, Story


def balances(engine: Engine) -> dict[str, Decimal]:
    """What is not nothing, of the only currency."""
    found = Ledger(engine).balances()
    assert len({one.currency for one in found}) <= 1
    return {one.account: one.balance for one in found if one.balance}


def kinds_of(engine: Engine, movement: str) -> list[str]:
    return [one.kind for one in Ledger(engine).entries() if one.movement == movement and one.position == 1]


def charge(state: ChargeState, captured: str = "0") -> ChargeRecord:
    return ChargeRecord(
        charge_id="CH-1001-1",
        state=state,
        amount=Decimal("60.00"),
        captured=Decimal(captured),
        currency="USD",
        gateway_reference="pi_charge_1001",
        connection_id="broker-stripe",
    )


def test_BAL_1_what_the_buyer_pays_is_the_sellers(story: Story, engine: Engine) -> None:
    story.ordered(("A", 1, "50.00"))
    assert balances(engine) == {"buyers/payments": Decimal("50.00"), "seller/acme/available": Decimal("50.00")}


def test_BAL_1_what_a_marketplace_took_is_cleared_by_its_settlement(story: Story, engine: Engine) -> None:
    paid = {"paid_by": "marketplace", "reference": "E-1", "amount": "50.00", "currency": "USD"}
    story.ordered(("A", 1, "50.00"), channel="ebay", payment=paid)
    story.refunding("RF-1", "20.00", way=Way.MARKETPLACE)
    story.settled("RF-1", RefundState.SUCCEEDED)
    assert balances(engine) == {
        "marketplace/ebay/clearing": Decimal("30.00"),
        "seller/acme/available": Decimal("30.00"),
    }


def test_BAL_1_a_charge_is_authorized_then_captured_in_part(story: Story, engine: Engine) -> None:
    story.ordered(("A", 1, "100.00"))
    story.save(charges=(charge(ChargeState.AUTHORIZED),))
    assert balances(engine)["seller/acme/pending"] == Decimal("60.00")
    for _ in range(2):
        story.save(charges=(charge(ChargeState.CAPTURED, "45.50"),))
    assert balances(engine) == {
        "buyers/payments": Decimal("100.00"),
        "seller/acme/available": Decimal("54.50"),
        "broker/revenue": Decimal("45.50"),
    }
    assert kinds_of(engine, "charge/CH-1001-1") == ["authorized", "captured"]


@pytest.mark.parametrize("state", [ChargeState.VOIDED, ChargeState.EXPIRED, ChargeState.DECLINED])
def test_BAL_1_CAN_1_what_was_authorized_and_not_taken_is_given_back(
    story: Story, engine: Engine, state: ChargeState
) -> None:
    story.ordered(("A", 1, "100.00"))
    story.save(charges=(charge(state),))
    assert kinds_of(engine, "charge/CH-1001-1") == [], "it never held money"
    story.save(charges=(charge(ChargeState.AUTHORIZED),))
    for _ in range(2):
        story.save(charges=(charge(state),))
    assert kinds_of(engine, "charge/CH-1001-1") == ["authorized", "voided"]
    assert balances(engine)["seller/acme/available"] == Decimal("100.00")


def test_BAL_1_REF_7_a_refund_is_reserved_made_and_taken_back(story: Story, engine: Engine) -> None:
    story.delivered(("A", 1, "100.00"))
    story.refunding("RF-1", "30.00")
    assert balances(engine)["seller/acme/reserved"] == Decimal("30.00")
    assert balances(engine)["seller/acme/available"] == Decimal("10.00")
    for _ in range(2):
        story.settled("RF-1", RefundState.SUCCEEDED)
    assert balances(engine)["buyers/refunds"] == Decimal("30.00")
    for _ in range(2):
        story.settled("RF-1", RefundState.FAILED)
    assert balances(engine)["seller/acme/available"] == Decimal("40.00")
    assert kinds_of(engine, "refund/RF-1") == ["reserved", "refunded", "taken_back"]


@pytest.mark.parametrize("state", [RefundState.FAILED, RefundState.REFUSED])
def test_BAL_1_a_refund_that_comes_to_nothing_is_released(
    story: Story, engine: Engine, state: RefundState
) -> None:
    story.delivered(("A", 1, "100.00"))
    story.refunding("RF-1", "30.00")
    story.settled("RF-1", state)
    assert balances(engine)["seller/acme/available"] == Decimal("40.00")
    assert kinds_of(engine, "refund/RF-1") == ["reserved", "released"]


def test_BAL_1_a_return_costs_the_broker_what_its_supplier_does_not_credit(story: Story, engine: Engine) -> None:
    story.delivered(("A", 1, "100.00"))
    story.returned("RR-1", A=1)
    story.refunding("RF-RR-1-S1", "60.00", direction=Direction.BROKER_TO_SELLER, return_id="RR-1")
    story.settled("RF-RR-1-S1", RefundState.SUCCEEDED)
    story.credited("CM-1", "RR-1", amount="42.00")
    assert balances(engine) == {
        "buyers/payments": Decimal("100.00"),
        "seller/acme/available": Decimal("100.00"),
        "broker/revenue": Decimal("60.00"),
        "broker/expense": Decimal("18.00"),
        "supplier/north/receivable": Decimal("42.00"),
    }


def test_BAL_1_what_is_refused_enters_nothing(story: Story, engine: Engine) -> None:
    story.delivered(("A", 1, "100.00"))
    before = Ledger(engine).entries()
    story.refunding("RF-1", "100.01")
    assert Ledger(engine).entries() == before


# ---- nobody changes it ----


def test_BAL_1_no_line_changes_or_goes_and_none_is_replaced(kept: Engine) -> None:
    before = Ledger(kept).balances()
    with pytest.raises(BackhaulError, match="tr_ledger_line_is_written_once"):
        by_hand(kept, "UPDATE ledger_line SET units = units + 1")
    with pytest.raises(BackhaulError, match="tr_ledger_line_is_never_deleted"):
        by_hand(kept, "DELETE FROM ledger_line")
    columns = "movement, kind, position, order_id, debit, credit, units, currency, at"
    if kept.dialect.name == "sqlite":
        other = columns.replace("units", "units + 1")
        by_hand(kept, f"INSERT OR REPLACE INTO ledger_line ({columns}) SELECT {other} FROM ledger_line")
    else:
        with pytest.raises(BackhaulError, match="tr_ledger_line_is_never_replaced"):
            by_hand(kept, "TRUNCATE ledger_line")
    assert Ledger(kept).balances() == before


def test_BAL_1_debits_equal_credits_whatever_is_written(kept: Engine) -> None:
    for currency in {one.currency for one in Ledger(kept).balances()}:
        of_it = [one for one in Ledger(kept).balances() if one.currency == currency]
        assert sum(one.debit for one in of_it) == sum(one.credit for one in of_it)


# ---- check, backfill, export ----


def test_BAL_1_the_check_finds_what_is_missing_and_the_backfill_enters_it_once(
    story: Story, engine: Engine
) -> None:
    everything(story, engine)
    ledger = Ledger(engine)
    count, faults = ledger.faults()
    assert (count > 8, faults) == (True, [])
    balances_before, entries_before = ledger.balances(), ledger.entries()
    emptied(engine)
    assert {one.movement for one in ledger.faults()[1]} == {one.movement for one in entries_before}
    assert ledger.backfill() == len({(one.movement, one.kind) for one in entries_before})
    assert (ledger.backfill(), ledger.faults()) == (0, (count, []))
    assert ledger.balances() == balances_before


def emptied(engine: Engine) -> None:
    """As before there was a ledger."""
    stop = {
        "sqlite": ["DROP TRIGGER tr_ledger_line_is_never_deleted"],
        "postgresql": ["ALTER TABLE ledger_line DISABLE TRIGGER USER"],
    }
    for statement in [*stop[engine.dialect.name], "DELETE FROM ledger_line"]:
        by_hand(engine, statement)


def test_BAL_1_the_check_finds_what_nothing_booked(story: Story, engine: Engine) -> None:
    story.delivered(("A", 1, "100.00"))
    line = Line(debit=available("acme"), credit=BROKER_REVENUE, units=1)
    invented = Entry(
        movement="charge/CH-9", kind=EntryKind.CAPTURED, order_id="1001", currency="USD", lines=(line,), at=NOON
    )
    more = invented.model_copy(update={"movement": "payment/1001/1", "kind": EntryKind.PAID})
    with Session(writing(engine)) as session, session.begin():
        post(session, [invented])
        session.execute(
            text(
                "INSERT INTO ledger_line SELECT movement, kind, 2, order_id, debit, credit, 1, currency, at "
                f"FROM ledger_line WHERE movement = '{more.movement}'"
            )
        )
    assert {one.movement: one.what for one in Ledger(engine).faults()[1]} == {
        "charge/CH-9": "is entered, and the books do not know it",
        "payment/1001/1": "is entered otherwise than booked",
    }


def test_BAL_1_beancount_reads_the_ledger_and_finds_the_same_balances(kept: Engine) -> None:
    ledger = Ledger(kept)
    lines = [
        BookedLine(one.at, one.movement, one.kind, one.order_id, one.debit, one.credit, one.amount, one.currency)
        for one in ledger.entries()
    ]
    entries, errors, _ = loader.load_string("\n".join(beancount_text(lines)))
    assert errors == []
    found: dict[tuple[str, str], Decimal] = {}
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            assert posting.units is not None
            assert posting.units.number is not None
            key = (posting.account, posting.units.currency)
            found[key] = found.get(key, Decimal(0)) + posting.units.number
    ours = {(account_name(one.account), one.currency): one.debit - one.credit for one in ledger.balances()}
    assert found == ours
    assert len(ours) > 6


def test_two_ids_are_never_one_account() -> None:
    ids = ["a-b", "a_b", "a.b", "a-ub", "a--b", "A-b"]
    assert len({account_name(available(one)) for one in ids}) == len(ids)


# ---- at once ----


@pytest.mark.proof
@pytest.mark.parametrize("kind", [one for one in KINDS if one == "postgresql"])
def test_BAL_1_ten_thousand_entered_at_once_in_opposite_orders_never_lock_each_other(
    story: Story, engine: Engine, kind: str
) -> None:
    if engine.dialect.name != kind:
        pytest.skip("SQLite has one writer at a time")
    story.ordered(("A", 1, "50.00"))
    rounds, width = 125, 10
    failed: list[DBAPIError] = []

    def enter(backwards: bool) -> None:
        for number in range(rounds):
            batch = [_entry(number * width + one) for one in range(width)]
            try:
                with Session(writing(engine)) as session, session.begin():
                    post(session, reversed(batch) if backwards else batch)
            except DBAPIError as error:
                failed.append(error)

    threads = [threading.Thread(target=enter, args=(number % 2 == 0,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert balances(engine)["broker/revenue"] == Decimal(rounds * width) / 100, "each once, of 10,000"


def _entry(number: int) -> Entry:
    line = Line(debit=available("acme"), credit=BROKER_REVENUE, units=1)
    return Entry(
        movement=f"charge/CH-{number}",
        kind=EntryKind.CAPTURED,
        order_id="1001",
        currency="USD",
        lines=(line,),
        at=NOON,
    )
