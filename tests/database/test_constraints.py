"""What the code promises stands in the database too: whoever writes a wrong row, it is refused, and said aloud."""

from collections.abc import Iterator
from enum import StrEnum

import pytest
from alembic import command
from sqlalchemy import CheckConstraint, Engine, text
from sqlalchemy import inspect as inspect_database
from sqlmodel import Session

from activities.database import upgrade
from activities.database.engines import make_engine, migrations_config, writing
from activities.database.transactions import write
from models.failures import BackhaulError, Category
from models.orders import Fault
from models.orphans import OrphanRequest, SaveOrphan
from models.records import Cessation
from models.refunds import Direction, RefundState
from models.tables import METADATA
from models.tables.columns import Word
from tests.database.conftest import KINDS
from tests.database.story import NOON, Story, case_record
from tests.database.test_statements import arrived, refunded
from tests.postgres import EmptyPostgres

Told = tuple[str, list[tuple[object, ...]]]


def everything(story: Story) -> Story:
    """Two orders: of the first, all that may be kept of an order, its return and both refunds; and an orphan."""
    story.ordered(("A", 2, "50.00"), order_id="1000")
    story.charged("50.00")
    story.delivered(("A", 3, "50.00"), ("B", 1, "20.00"))
    story.ceased(
        Cessation(
            kind="voided", at=NOON, reason="none left", fault=Fault.SUPPLIER, by="x", quantities={}, evidence={}
        )
    )
    story.returned("RR-1", A=1)
    story.return_reaches("RR-1", "awaiting_credit", receptions=(arrived(),), rma_number="R-1")
    story.credited("CM-1", "RR-1", total="10.00")
    story.returned("RR-2", A=1)
    story.return_reaches("RR-2", "in_transit")
    refunded(story, "RF-RR-1-S1", Direction.BROKER_TO_SELLER)
    refunded(story, "RF-RR-1-B1", Direction.SELLER_TO_BUYER)
    for direction, refund_id in ((Direction.BROKER_TO_SELLER, "RF-1"), (Direction.SELLER_TO_BUYER, "RF-2")):
        story.refunding(refund_id, "1.00", direction=direction)
        story.refund_reaches(refund_id, "pending", RefundState.PENDING, gateway_refund_id="re_2")
    return with_an_orphan(story)


def with_an_orphan(story: Story) -> Story:
    said = {"event_id": "e1", "actor": "carrier:ups", "tracking_number": "1Z9", "at": NOON.isoformat()}
    request = OrphanRequest.of("ups", "delivered", said)
    record = case_record(f"orphan-{request.orphan_id}", "unmatched", "nobody knows it")
    story.database.save_orphan(
        SaveOrphan(
            record=record,
            orphan_id=request.orphan_id,
            request=request,
            reported_at=NOON,
            expires_at=NOON,
            candidates=(),
        )
    )
    return story


WRONG = [
    ("case_file", "kind = 'claim'", "kind_is_a_known_word"),
    ("case_file", "stage = 'lost'", "stage_is_one_of_its_kind"),
    ("case_file", "stage = 'succeeded' WHERE kind = 'order'", "stage_is_one_of_its_kind"),
    ("case_file", "waiting_on = 'nobody'", "waiting_on_is_a_known_word"),
    ("case_file", "sla_state = 'late'", "sla_state_is_a_known_word"),
    ("case_file", "custody = 'somewhere'", "custody_is_a_known_word"),
    ("case_file", "money = 'gone'", "money_is_a_known_word"),
    ("orders", "channel = 'etsy'", "channel_is_a_known_word"),
    ("orders", "payment_amount = '-0.01'", "payment_amount_is_not_negative"),
    ("payment", "paid_by = 'shells'", "paid_by_is_a_known_word"),
    ("payment", "amount = '0.00'", "amount_is_positive"),
    ("order_line", "quantity = 0, shipped = 0", "quantity_is_positive"),
    ("order_line", "cancelled = -1", "units_are_positive"),
    ("order_line", "voided = quantity, shipped = 1", "each_unit_has_one_fate"),
    ("order_line", "paid_shipping = '-1'", "amounts_are_not_negative"),
    ("order_line", "kit_each = 0", "kit_each_is_positive"),
    ("charge", "state = 'asked'", "state_is_a_known_word"),
    ("charge", "captured = '-1'", "amounts_are_positive"),
    ("charge", "captured = '1000.00'", "no_more_is_captured_than_asked"),
    ("supplier_order", "state = 'maybe'", "state_is_a_known_word"),
    ("supplier_order_line", "quantity = 0", "quantity_is_positive"),
    ("supplier_order_line", "unit_cost = '-1'", "unit_cost_is_not_negative"),
    ("shipment_line", "quantity = 0", "quantity_is_positive"),
    ("shipment_line", "line_id = 'Z'", "FOREIGN KEY"),
    ("shipment_line", "supplier_order_number = 'none'", "FOREIGN KEY"),
    ("cessation", "kind = 'short'", "kind_is_a_known_word"),
    ("cessation", "fault = 'nobody'", "fault_is_a_known_word"),
    ("returns", "source = 'wind'", "source_is_a_known_word"),
    ("returns", "decision = 'perhaps'", "decision_is_a_known_word"),
    ("returns", "label_paid_by = 'broker'", "label_paid_by_is_a_known_word"),
    ("returns", "refund_declined = 'so'", "refund_declined_is_a_known_word"),
    ("returns", "outcome = 'lost'", "outcome_is_a_known_word"),
    ("returns", "fees = '-1'", "fees_is_not_negative"),
    ("return_line", "quantity = 0", "quantity_is_positive"),
    ("return_line", "paid = '-1'", "amounts_are_not_negative"),
    ("return_units", "quantity = -1", "quantity_is_positive"),
    ("return_units", "line_id = 'B'", "FOREIGN KEY"),
    ("reception", "quantity = 0", "quantity_is_positive"),
    ("reception", "line_id = 'B'", "FOREIGN KEY"),
    ("reception", "reception = 'eaten'", "reception_is_a_known_word"),
    ("reception", "acceptance = 'perhaps'", "acceptance_is_a_known_word"),
    ("credit_memo", "amount = '0', total = NULL", "amount_is_positive"),
    ("credit_memo", "total = '9.99'", "part_is_within_its_paper"),
    ("credit_memo", "supplier_id = 'nobody'", "FOREIGN KEY"),
    ("credit_memo", "return_id = 'RR-9'", "FOREIGN KEY"),
    ("refund", "direction = 'sideways'", "direction_is_a_known_word"),
    ("refund", "way = 'cash'", "way_is_a_known_word"),
    ("refund", "state = 'in_doubt'", "state_is_a_known_word"),
    ("refund", "amount = '-1'", "amount_is_positive"),
    ("refund", "return_id = 'RR-9'", "FOREIGN KEY"),
    ("refund_units", "quantity = 0", "quantity_is_positive"),
    ("orphan", "about = 'weather'", "about_is_a_known_word"),
    ("orphan", "event = 'rain'", "event_is_a_known_word"),
]
TWICE = [
    ("orders", "channel_order_key = 'k', channel = 'ebay'"),
    ("orders", "workflow_id = 'order-1000'"),
    ("payment", "reference = 'pi_1000'"),
    ("charge", "gateway_reference = 'pi_charge_1000'"),
    ("charge", "charge_id = 'CH-1000-1'"),
    ("refund", "gateway_refund_id = 're_1' WHERE direction = 'broker_to_seller'"),
    ("refund", "gateway_refund_id = 're_1' WHERE direction = 'seller_to_buyer'"),
    ("refund", "workflow_id = 'refund-RF-1'"),
    ("returns", "workflow_id = 'return-RR-1'"),
]


def change(engine: Engine, table: str, what: str) -> None:
    """As a hand with a prompt would."""

    def work(session: Session) -> None:
        session.execute(text(f"UPDATE {table} SET {what}"))

    write(engine, work)


@pytest.fixture(scope="module", params=KINDS)
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database with something in nearly every table. What is refused changes nothing: one is enough."""
    if request.param == "sqlite":
        yield from _used(f"sqlite:///{tmp_path_factory.mktemp('used') / 'books.db'}")
        return
    with EmptyPostgres() as url:
        yield from _used(url)


def _used(url: str) -> Iterator[Engine]:
    upgrade(url)
    engine = make_engine(url)
    everything(Story(engine).with_parties())
    yield engine
    engine.dispose()


@pytest.mark.parametrize(("table", "wrong", "why"), WRONG)
def test_a_wrong_row_is_refused_by_the_database_itself(kept: Engine, table: str, wrong: str, why: str) -> None:
    with pytest.raises(BackhaulError) as refused:
        change(kept, table, wrong)
    if why == "FOREIGN KEY":
        assert refused.value.category is Category.NOT_FOUND
        return
    assert refused.value.category is Category.INTERNAL
    assert f"ck_{table}_{why}" in str(refused.value)


@pytest.mark.parametrize(("table", "twice"), TWICE)
def test_what_belongs_to_one_can_not_be_given_to_two(kept: Engine, table: str, twice: str) -> None:
    with pytest.raises(BackhaulError) as refused:
        change(kept, table, twice)
    assert refused.value.category is Category.CONFLICT
    assert table in str(refused.value)


def test_REF_6_one_refund_of_the_gateway_is_no_two_of_ours(kept: Engine) -> None:
    full = Story(kept)
    with pytest.raises(Exception, match=r"the database has something else under this number: .*refund") as refused:
        full.refund_reaches("RF-2", "succeeded", RefundState.SUCCEEDED, ended=True, gateway_refund_id="re_1")
    assert getattr(refused.value, "type", None) == "Conflict"


def test_a_gateways_number_of_another_direction_is_another_refund(kept: Engine) -> None:
    numbers = {one.gateway_refund_id for one in Story(kept).reading.refunds_of("1001").refunds}
    assert numbers == {"re_1", "re_2"}, "two of each"


def test_every_word_of_every_enum_is_known_to_the_database() -> None:
    for table in METADATA.tables.values():
        checks = {str(one.name): str(one.sqltext) for one in table.constraints if isinstance(one, CheckConstraint)}
        for column in table.columns:
            if isinstance(column.type, Word):
                words: type[StrEnum] = column.type.words
                condition = checks[f"ck_{table.name}_{column.name}_is_a_known_word"]
                assert [word.value for word in words if f"'{word.value}'" not in condition] == []


@pytest.fixture(params=KINDS)
def two_urls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The URLs of two empty databases of one kind."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("two")
        yield [f"sqlite:///{folder / 'migrated.db'}", f"sqlite:///{folder / 'made.db'}"]
        return
    with EmptyPostgres() as migrated, EmptyPostgres() as made:
        yield [migrated, made]


def test_the_migrations_make_the_very_constraints_of_the_tables(two_urls: list[str]) -> None:
    """Word for word, as the database itself tells them: a word that is new in an enum is missed here."""
    migrated, made = (make_engine(url) for url in two_urls)
    upgrade(migrated)
    with writing(made).begin() as connection:
        METADATA.create_all(connection)
    differ = {
        name: (before, after)
        for name in METADATA.tables
        if (before := constraints(migrated, name)) != (after := constraints(made, name))
    }
    migrated.dispose()
    made.dispose()
    assert differ == {}


def constraints(engine: Engine, table: str) -> list[str]:
    look = inspect_database(engine)
    return sorted(
        [
            *(f"check {one['name']}: {one['sqltext']}" for one in look.get_check_constraints(table)),
            *(f"unique {one['name']}: {one['column_names']}" for one in look.get_unique_constraints(table)),
            *(
                f"{one['constrained_columns']} -> {one['referred_table']}.{one['referred_columns']}"
                for one in look.get_foreign_keys(table)
            ),
            *(f"index {one['name']}: {one['column_names']} {one['unique']}" for one in look.get_indexes(table)),
        ]
    )


def test_the_migrations_go_down_and_up_again_with_data_in_the_tables(two_urls: list[str]) -> None:
    used = next(databases := _used(two_urls[0]))
    assert _rows(used) > 30
    for _ in range(2):
        with writing(used).begin() as connection:
            command.downgrade(migrations_config(connection), "base")
        assert inspect_database(used).get_table_names() == ["alembic_version"]
        upgrade(used)
        assert _rows(used) == 0
        everything(Story(used).with_parties())
    assert _rows(used) > 30
    assert list(databases) == []


def _rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return sum(
            connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in METADATA.tables
        )
