"""What the database is asked to do for one case: a few statements, and none that says nothing new."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, event

from activities.database import Contacts
from models.partners import Mail, Recipient
from models.records import KeptReturn, ReceptionRecord, ReturnParcel, SaveCase, SaveOrder, SaveRefund, SaveReturn
from models.refunds import Direction, RefundState
from models.returns import Acceptance, Reception
from models.settings import Settings
from tests.database.statements import Statements, counted
from tests.database.story import NOON, Story, case_record

NOTHING = {"lines": None, "charges": None, "supplier_orders": None, "shipments": None, "cessations": None}


@pytest.fixture
def statements(story: Story, engine: Engine) -> Iterator[Statements]:
    with counted(engine) as found:
        yield found


def mailed(engine: Engine, *keys: str, return_id: str | None = None) -> None:
    contacts = Contacts(engine, Settings())
    for key in keys:
        mail = Mail(
            key=key, template="t", to=Recipient.SELLER, order_id="1001", seller_id="acme", return_id=return_id
        )
        contacts.addressee(mail)
        contacts.mark_sent(key, "<1@x>")


def happy_order(story: Story, engine: Engine) -> None:
    """What a happy order writes: where it stands three times, with the sections that have changed."""
    story.ordered(("A", 2, "50.00"), ("B", 1, "20.00"))
    told = story.told["1001"].model_copy(update=NOTHING)
    whole = Story(engine)
    whole.told["1001"] = story.told["1001"]
    story.told["1001"] = told

    def save(stage: str, *steps: str, first: int, number: str, **news: object) -> None:
        record = case_record("order-1001", stage, *steps, first=first, ended=stage == "shipped", numbers=(number,))
        story.database.save_order(told.model_copy(update={"record": record, **news}))

    charge = {"charge_id": "CH-1001-1", "amount": "60.00", "currency": "USD", "gateway_reference": "pi_1"}
    charge["connection_id"] = "broker-stripe"
    authorized = SaveOrder.model_validate(
        told.model_dump() | {"charges": [charge | {"state": "authorized", "captured": "0"}]}
    ).charges
    captured = SaveOrder.model_validate(
        told.model_dump() | {"charges": [charge | {"state": "captured", "captured": "60.00"}]}
    ).charges
    save("cancel_window", "received", "authorized", first=0, number="1001", charges=authorized)
    bought = _sections(whole, told)
    save(
        "awaiting_shipment",
        "captured",
        "bought",
        first=2,
        number="1001-1",
        charges=captured,
        supplier_orders=bought.supplier_orders,
        handed_off_at=NOON,
    )
    mailed(engine, "order-1001:shipped")
    save(
        "shipped",
        "shipped",
        "ended",
        first=4,
        number="1Z1",
        lines=bought.lines,
        shipments=bought.shipments,
        handed_off_at=NOON,
    )


def _sections(story: Story, told: SaveOrder) -> SaveOrder:
    """The sections of an order that `north` ships whole."""
    lines = [line.model_copy(update={"shipped": line.quantity}) for line in story.told["1001"].lines or ()]
    order = {"number": "1001-1", "supplier_id": "north", "warehouse_id": "n-1"}
    units = [
        {"line_id": line.line_id, "sku": line.sku, "quantity": line.quantity, "unit_cost": "10.00"}
        for line in lines
    ]
    parcel = {"shipment_id": "S1", "carrier": "UPS", "tracking_number": "1Z1", "at": NOON}
    return SaveOrder.model_validate(
        told.model_dump()
        | {
            "lines": [line.model_dump() for line in lines],
            "supplier_orders": [{"order": {**order, "lines": units}, "state": "accepted", "at": NOON}],
            "shipments": [
                {**parcel, "lines": [line.model_dump(include={"line_id", "sku", "quantity"}) for line in lines]}
            ],
        }
    )


def happy_return(story: Story, engine: Engine) -> None:
    """What a happy return writes with both of its refunds, from its opening to its last facts: of what it keeps
    each time what is new."""
    story.returned("RR-1", A=1)
    opened = KeptReturn(refund_due=NOON + timedelta(days=60))
    approved = opened.model_copy(update={"decision": "approved", "decided_by": "seller:jane", "rma_number": "R-1"})
    sent = approved.model_copy(update={"carrier": "UPS", "tracking_number": "1Z2"})
    parcel = ReturnParcel(carrier="UPS", tracking_number="1Z2", at=NOON)
    stages: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
        ("awaiting_approval", {"kept": opened, "receptions": ()}, ("RR-1", "1001-1")),
        ("awaiting_tracking", {"kept": approved}, ("R-1",)),
        ("in_transit", {"kept": sent, "parcels": (parcel,)}, ("1Z2",)),
        ("awaiting_credit", {"receptions": (arrived(),)}, ()),
        ("awaiting_buyer_refund", {}, ()),
        ("completed", {"kept": sent.model_copy(update={"outcome": "completed"}), "facts": {"version": 1}}, ()),
    ]
    for number, (stage, news, numbers) in enumerate(stages):
        if stage == "awaiting_buyer_refund":
            story.credited("CM-1", "RR-1")
            refunded(story, "RF-RR-1-S1", Direction.BROKER_TO_SELLER)
        if stage == "completed":
            refunded(story, "RF-RR-1-B1", Direction.SELLER_TO_BUYER)
        record = case_record("return-RR-1", stage, f"step {number}", first=number, ended=stage == "completed")
        record = record.model_copy(update={"numbers": numbers})
        story.database.save_return(SaveReturn(return_id="RR-1", record=record, **news))
    mailed(engine, *(f"return-RR-1:{number}" for number in range(6)), return_id="RR-1")


def arrived() -> ReceptionRecord:
    return ReceptionRecord(
        line_id="A", sku="A", quantity=1, reception=Reception.RECEIVED, acceptance=Acceptance.ACCEPTED
    )


def refunded(story: Story, refund_id: str, direction: Direction) -> None:
    units = [{"line_id": "A", "quantity": 1}] if direction is Direction.SELLER_TO_BUYER else []
    story.refunding(refund_id, "10.00", direction=direction, return_id="RR-1", lines=units)
    record = case_record(f"refund-{refund_id}", "succeeded", "sent", ended=True, numbers=(refund_id, "re_1"))
    state, number = RefundState.SUCCEEDED, f"re_{direction.value}"
    story.database.save_refund(
        SaveRefund(record=record, refund_id=refund_id, state=state, gateway_refund_id=number, at=NOON)
    )


def test_a_happy_order_takes_at_most_30_statements(story: Story, engine: Engine, statements: Statements) -> None:
    happy_order(story, engine)
    assert len(statements) <= 30, "\n".join(statements.texts)


def test_a_happy_return_with_both_refunds_takes_at_most_68_statements(story: Story, engine: Engine) -> None:
    happy_order(story, engine)
    with counted(engine) as statements:
        happy_return(story, engine)
    assert len(statements) <= 68, "\n".join(statements.texts)
    assert story.reading.return_view("RR-1").credited == Decimal("10.00")


def test_NTF_1_a_mail_takes_two_transactions_and_two_statements(
    story: Story, engine: Engine, statements: Statements
) -> None:
    mailed(engine, "order-1001:shipped", return_id="RR-1")
    assert (statements.transactions, len(statements)) == (2, 2)


def test_what_is_there_already_is_not_written_again(story: Story, engine: Engine) -> None:
    story.delivered(("A", 2, "50.00"))
    story.returned("RR-1", A=1)
    story.return_reaches("RR-1", "in_transit", receptions=(arrived(),), rma_number="R-1")
    before = _version(engine)
    with counted(engine) as statements:
        story.return_reaches("RR-1", "in_transit", receptions=(arrived(),), rma_number="R-1")
    asked = [text.split("(")[0].partition(" SET ")[0] for text in statements.writes]
    assert asked == ["INSERT INTO case_file ", "UPDATE returns"], "which finds nothing that differs"
    assert _version(engine) == before
    story.database.save_order(story.told["1001"])
    assert _version(engine) == before, "the sections of an order that say what is there change nothing"


def _version(engine: Engine) -> list[object]:
    """On PostgreSQL, the transactions that wrote the rows; on SQLite, which has no such thing, the rows."""
    version = "xmin::text" if engine.dialect.name == "postgresql" else "*"
    tables = ("orders", "order_line", "charge", "supplier_order", "supplier_order_line", "shipment", "returns")
    with engine.connect() as connection:
        return [
            [tuple(row) for row in connection.exec_driver_sql(f"SELECT {version} FROM {table}")]
            for table in tables
        ]


def test_where_a_case_stands_takes_two_statements(story: Story, engine: Engine, statements: Statements) -> None:
    story.database.save_case(SaveCase(record=case_record("refund-RF-1", "refused", "no order 9", ended=True)))
    assert (statements.transactions, len(statements)) == (1, 2)


@pytest.mark.parametrize("kind", ["orders", "returns", "refunds"])
@pytest.mark.parametrize("filters", [{}, {"stage": "shipped"}, {"seller": "acme"}, {"due_before": NOON}])
def test_NTF_3_a_page_of_a_list_is_a_range_of_an_index(
    story: Story, engine: Engine, kind: str, filters: dict[str, object]
) -> None:
    find = getattr(story.reading, f"find_{kind}")
    for more in ({}, {"after": "0" * 37 + "order-1001"}):
        plans = _plans(engine, lambda more=more: find(**filters, **more))  # type: ignore[misc]
        assert "USING INDEX ix_case_file_" in plans[0], plans
        assert not [step for step in plans if "SCAN" in step or "TEMP B-TREE" in step], plans


def test_RET_17_each_number_of_a_return_is_looked_up_in_an_index(story: Story, engine: Engine) -> None:
    plans = _plans(engine, lambda: story.reading.find_return("RMA-4"))
    assert not [step for step in plans if "SCAN returns" in step or "SCAN orders" in step], plans
    assert not [step for step in plans if "SCAN case_file" in step], plans


def _plans(engine: Engine, ask: Callable[[], object]) -> list[str]:
    """How SQLite finds what is asked for, step by step; PostgreSQL scans what is empty, whatever its indexes."""
    if engine.dialect.name != "sqlite":
        pytest.skip("of SQLite")
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    ask()
    event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        return [
            str(row[-1])
            for statement, parameters in asked
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
