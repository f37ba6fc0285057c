"""What the code promises stands in the database too: whoever writes a wrong row, it is refused, and said aloud."""

from collections.abc import Iterator
from enum import StrEnum

import pytest
from alembic import command
from sqlalchemy import CheckConstraint, Engine
from sqlalchemy import inspect as inspect_database

from activities.database import upgrade
from activities.database.engines import make_engine, migrations_config, writing
from models.failures import BackhaulError, Category
from models.refunds import RefundState
from models.tables import METADATA
from models.tables.columns import Word
from tests.database.conftest import KINDS
from tests.database.full_database import by_hand, copied, everything, full_database, rows_by_table
from tests.database.story import Story
from tests.postgres import EmptyPostgres

WRONG = [
    ("connection", "kind = 'friend'", "kind_is_a_known_word"),
    ("connection", "provider = 'barter'", "provider_is_a_known_word"),
    ("connection", "owner = 'buyer:1'", "owner_is_known"),
    ("connection", "active = 2", "active_is_yes_or_no"),
    ("connection", "secret = 'sk_live_1'", "secret_is_a_reference"),
    ("connection", "webhook_secrets = 'whsec_1'", "webhook_secrets_are_references"),
    ("connection", "webhook_secrets = 'env:A whsec_1'", "webhook_secrets_are_references"),
    ("webhook", "state = 'lost'", "state_is_a_known_word"),
    ("webhook", "times = 0", "times_is_positive"),
    ("webhook", "workflow_id = NULL", "went_to_a_case_or_is_ignored"),
    ("webhook", "state = 'ignored'", "went_to_a_case_or_is_ignored"),
    ("webhook_refusal", "why = 'ugly'", "why_is_a_known_word"),
    ("webhook_refusal", "times = 0", "times_is_positive"),
    ("case_file", "kind = 'parcel'", "kind_is_a_known_word"),
    ("case_file", "stage = 'lost'", "stage_is_one_of_its_kind"),
    ("case_file", "stage = 'succeeded' WHERE kind = 'order'", "stage_is_one_of_its_kind"),
    ("case_file", "waiting_on = 'nobody'", "waiting_on_is_a_known_word"),
    ("case_file", "sla_state = 'late'", "sla_state_is_a_known_word"),
    ("case_file", "custody = 'somewhere'", "custody_is_a_known_word"),
    ("case_file", "money = 'gone'", "money_is_a_known_word"),
    ("case_file", "ended = 7", "ended_is_yes_or_no"),
    ("case_file", "last_step = -2", "last_step_is_counted"),
    ("case_file", "urgency = '1'", "sorts_as_text"),
    ("case_file", "also_at = 'awaiting_credit'", "words_stand_between_commas"),
    ("case_file", "work = ',to_approve'", "words_stand_between_commas"),
    ("case_file", "held_up_by = ',,'", "words_stand_between_commas"),
    ("case_file", "newness = 'new'", "sorts_as_text"),
    ("case_step", "number = -1", "number_is_not_negative"),
    ("alert", "number = 0", "number_is_positive"),
    ("orders", "channel = 'etsy'", "channel_is_a_known_word"),
    ("orders", "payment_amount = '-0.01'", "payment_amount_is_not_negative"),
    ("orders", "payment_amount = 'much'", "amounts_are_plain_numbers"),
    ("orders", "payment_amount = 'NaN'", "amounts_are_plain_numbers"),
    ("orders", "payment_currency = 'usd'", "payment_currency_is_a_code"),
    ("orders", "payment_currency = '12$'", "payment_currency_is_a_code"),
    ("refund", "currency = 'ÄÖÜ'", "currency_is_a_code"),
    ("orders", "charge_currency = 'DOLLAR'", "charge_currency_is_a_code"),
    ("orders", "channel_order_key = 'k', channel_order_id = NULL", "channel_order_id_is_whole"),
    ("orders", "payment_moved = '170.01'", "no_more_moves_than_was_paid"),
    ("orders", "order_id = '9', split_from = '9'", "split_from_is_another"),
    ("orders", "run_id = NULL", "only_what_is_split_off_opens_later"),
    ("payment", "of_order_id = '1001'", "of_order_id_is_whole"),
    ("payment", "paid_by = 'shells'", "paid_by_is_a_known_word"),
    ("payment", "position = 0", "position_is_positive"),
    ("payment", "amount = '1.2.3'", "amounts_are_plain_numbers"),
    ("payment", "currency = 'US'", "currency_is_a_code"),
    ("payment", "reference = NULL", "a_gateway_has_a_number"),
    ("payment", "amount = '0.00'", "amount_is_positive"),
    ("order_line", "quantity = 0, shipped = 0, cancelled = 0, voided = 0, moved = 0", "quantity_is_positive"),
    ("order_line", "cancelled = -1", "units_are_positive"),
    ("order_line", "voided = quantity, shipped = 1", "each_unit_has_one_fate"),
    ("order_line", "paid_shipping = '-1'", "amounts_are_not_negative"),
    ("order_line", "kit_line_id = 'K', kit_sku = 'K', kit_each = 0", "kit_each_is_positive"),
    ("order_line", "kit_sku = 'K'", "kit_line_id_is_whole"),
    ("order_line", "cost_goods = 'Infinity'", "amounts_are_plain_numbers"),
    ("order_line", "position = 0", "position_is_positive"),
    ("charge", "state = 'asked', captured = '0'", "state_is_a_known_word"),
    ("charge", "captured = '-1'", "amounts_are_positive"),
    ("charge", "captured = '1-1'", "amounts_are_plain_numbers"),
    ("charge", "currency = 'X'", "currency_is_a_code"),
    ("charge", "position = 0", "position_is_positive"),
    ("charge", "state = 'declined'", "only_what_is_captured_is_counted"),
    ("charge", "captured = '1000.00'", "no_more_is_captured_than_asked"),
    ("supplier_order", "state = 'maybe'", "state_is_a_known_word"),
    ("supplier_order", "position = 0", "position_is_positive"),
    ("supplier_order", "second_source = 2", "second_source_is_yes_or_no"),
    ("supplier_order_line", "unit_cost = 'NaN'", "amounts_are_plain_numbers"),
    ("supplier_order_line", "quantity = 0", "quantity_is_positive"),
    ("supplier_order_line", "unit_cost = '-1'", "unit_cost_is_not_negative"),
    ("shipment_line", "quantity = 0", "quantity_is_positive"),
    ("shipment_line", "position = 0", "position_is_positive"),
    ("shipment", "position = 0", "position_is_positive"),
    ("shipment_parcel", "position = 0", "position_is_positive"),
    ("cessation", "position = 0", "position_is_positive"),
    ("cessation", "kind = 'short'", "kind_is_a_known_word"),
    ("cessation", "fault = 'nobody'", "fault_is_a_known_word"),
    ("returns", "source = 'wind'", "source_is_a_known_word"),
    ("returns", "decision = 'perhaps'", "decision_is_a_known_word"),
    ("returns", "label_paid_by = 'broker'", "label_paid_by_is_a_known_word"),
    ("returns", "refund_declined = 'so'", "refund_declined_is_a_known_word"),
    ("returns", "loss = 'eaten'", "loss_is_a_known_word"),
    ("returns", "resolution = 'a hug'", "resolution_is_a_known_word"),
    ("returns", "outcome = 'lost'", "outcome_is_a_known_word"),
    ("returns", "fees = '-1'", "fees_is_not_negative"),
    ("returns", "fees = 'none'", "amounts_are_plain_numbers"),
    ("returns", "returnless = 3", "returnless_is_yes_or_no"),
    ("returns", "refunded_by_channel = 3", "refunded_by_channel_is_yes_or_no"),
    ("returns", "decision = 'approved'", "decision_is_whole"),
    ("returns", "refund_declined_by = 'x'", "refund_declined_is_whole"),
    ("returns", "split_from = return_id", "split_from_is_another"),
    ("returns", "run_id = NULL", "only_a_sibling_opens_later"),
    ("return_line", "quantity = 0", "quantity_is_positive"),
    ("return_line", "paid = '-1'", "amounts_are_not_negative"),
    ("return_line", "paid = ''", "amounts_are_plain_numbers"),
    ("return_line", "position = 0", "position_is_positive"),
    ("return_units", "quantity = -1", "quantity_is_positive"),
    ("reception", "quantity = 0", "quantity_is_positive"),
    ("reception", "position = -1", "position_is_not_negative"),
    ("reception", "reception = 'eaten'", "reception_is_a_known_word"),
    ("reception", "acceptance = 'perhaps'", "acceptance_is_a_known_word"),
    ("credit_memo", "amount = '0', total = NULL", "amount_is_positive"),
    ("credit_memo", "total = '9.99'", "part_is_within_its_paper"),
    ("credit_memo", "total = '99x'", "amounts_are_plain_numbers"),
    ("credit_memo", "currency = 'usd'", "currency_is_a_code"),
    ("credit_memo", "final = 2", "final_is_yes_or_no"),
    ("refund", "direction = 'sideways'", "direction_is_a_known_word"),
    ("refund", "way = 'cash'", "way_is_a_known_word"),
    ("refund", "state = 'in_doubt'", "state_is_a_known_word"),
    ("refund", "amount = '-1'", "amount_is_positive"),
    ("refund", "amount = '1x'", "amounts_are_plain_numbers"),
    ("refund", "currency = 'usd'", "currency_is_a_code"),
    ("refund", "over_refund = 2", "over_refund_is_yes_or_no"),
    (
        "refund",
        "over_limit = '0', confirmed_by = 'seller:tom', confirmed_at = reserved_at",
        "over_limit_is_positive",
    ),
    ("refund", "over_limit = '1' WHERE state = 'succeeded'", "over_limit_is_confirmed"),
    ("refund", "confirmed_by = 'seller:tom'", "confirmed_by_is_whole"),
    ("refund", "confirmed_by = requested_by, confirmed_at = reserved_at", "another_person_confirms"),
    ("refund", "settled_at = reserved_at WHERE state = 'pending'", "settled_is_dated"),
    ("refund_units", "quantity = 0", "quantity_is_positive"),
    ("ledger_line", "units = 0", "units_is_positive"),
    ("ledger_line", "debit = credit", "accounts_differ"),
    ("ledger_line", "debit = 'seller//available'", "debit_is_an_account"),
    ("ledger_line", "credit = 'pocket'", "credit_is_an_account"),
    ("ledger_line", "currency = 'us'", "currency_is_a_code"),
    ("ledger_line", "kind = 'lost', movement = 'charge/1'", "kind_is_"),
    ("ledger_line", "kind = 'credited' WHERE kind = 'paid'", "kind_is_one_of_its_movement"),
    ("ledger_line", "position = 0", "position_is_positive"),
    ("cost_review", "state = 'so', approved = NULL", "state_is_a_known_word"),
    ("cost_review", "amount = '0'", "amount_is_positive"),
    ("cost_review", "approved = '0'", "approved_is_positive"),
    ("cost_review", "approved = '1x'", "amounts_are_plain_numbers"),
    ("cost_review", "currency = 'usd'", "currency_is_a_code"),
    ("cost_review", "approved = NULL", "approved_is_whole"),
    ("cost_review", "approved = '0.51'", "approved_is_within_amount"),
    ("cost_review", "settled_at = NULL", "settled_is_dated"),
    ("claim", "state = 'so', approved = NULL", "state_is_a_known_word"),
    ("claim", "amount = '0'", "amount_is_positive"),
    ("claim", "approved = '0'", "approved_is_positive"),
    ("claim", "approved = '1x'", "amounts_are_plain_numbers"),
    ("claim", "currency = 'usd'", "currency_is_a_code"),
    ("claim", "approved = NULL", "approved_is_whole"),
    ("claim", "approved = '0.51'", "approved_is_within_amount"),
    ("claim", "settled_at = NULL", "settled_is_dated"),
    ("orphan", "about = 'weather'", "about_is_a_known_word"),
    ("orphan", "event = 'rain'", "event_is_a_known_word"),
]
OF_NOTHING = [
    ("orders", "order_id = '9', workflow_id = 'w', channel_order_id = NULL, seller_id = 'nobody'"),
    ("payment", "order_id = '9', reference = 'pi_9'"),
    ("payment", "position = 9, reference = 'pi_9', connection_id = 'nobody'"),
    ("charge", "charge_id = 'CH-9', position = 9, gateway_reference = NULL, connection_id = 'nobody'"),
    ("supplier_order", "number = '9', position = 9, connection_id = 'nobody'"),
    ("refund", "refund_id = 'RF-9', workflow_id = 'w', gateway_refund_id = NULL, connection_id = 'nobody'"),
    ("order_line", "order_id = '9'"),
    ("charge", "charge_id = 'CH-9', order_id = '9', gateway_reference = NULL"),
    ("supplier_order", "number = '9', order_id = '9'"),
    ("supplier_order_line", "number = '9'"),
    ("shipment", "order_id = '9'"),
    ("shipment_parcel", "shipment_id = '9'"),
    ("shipment_line", "position = 9, line_id = 'Z'"),
    ("shipment_line", "position = 9, shipment_id = '9'"),
    ("shipment_line", "position = 9, supplier_order_number = '9'"),
    ("cessation", "order_id = '9'"),
    ("returns", "return_id = 'RR-9', workflow_id = 'w', order_id = '1000'"),
    ("returns", "return_id = 'RR-9', workflow_id = 'w', supplier_id = 'nobody'"),
    ("returns", "return_id = 'RR-9', workflow_id = 'w', seller_id = 'another'"),
    ("returns", "return_id = 'RR-9', workflow_id = 'w', supplier_order_number = '1000-1'"),
    ("returns", "return_id = 'RR-9', workflow_id = 'w', split_from = 'RR-8'"),
    ("return_line", "return_id = 'RR-9'"),
    ("return_units", "line_id = 'B'"),
    ("return_units", "return_id = 'RR-9'"),
    ("return_units", "supplier_order_number = 'none'"),
    ("return_parcel", "return_id = 'RR-9'"),
    ("reception", "position = 9, line_id = 'B'"),
    ("reception", "return_id = 'RR-9'"),
    ("credit_memo", "supplier_id = 'nobody'"),
    ("credit_memo", "return_id = 'RR-9'"),
    ("refund", "refund_id = 'RF-9', workflow_id = 'w', gateway_refund_id = NULL, order_id = '9'"),
    ("refund", "refund_id = 'RF-9', workflow_id = 'w', gateway_refund_id = NULL, seller_id = 'another'"),
    ("refund", "refund_id = 'RF-9', workflow_id = 'w', gateway_refund_id = NULL, return_id = 'RR-9'"),
    ("refund_units", "refund_id = 'RF-9'"),
    ("cost_review", "review_id = 'CR-9', workflow_id = 'w', return_id = NULL, order_id = '9'"),
    ("cost_review", "review_id = 'CR-9', workflow_id = 'w', return_id = NULL, seller_id = 'another'"),
    ("cost_review", "review_id = 'CR-9', workflow_id = 'w', return_id = 'RR-9'"),
    ("claim", "claim_id = 'CL-9', workflow_id = 'w', order_id = '9'"),
    ("claim", "claim_id = 'CL-9', workflow_id = 'w', seller_id = 'another'"),
    ("ledger_line", "position = 9, order_id = '9'"),
    ("webhook", "connection_id = 'nobody'"),
    ("webhook_refusal", "connection_id = 'nobody'"),
]
TWICE = [
    ("orders", "order_id = '9', workflow_id = 'w' WHERE order_id = '1001'"),
    ("orders", "order_id = '9', channel_order_key = 'other' WHERE order_id = '1001'"),
    ("payment", "position = 2"),
    ("charge", "charge_id = 'CH-9', gateway_reference = NULL"),
    ("charge", "charge_id = 'CH-9', position = 9"),
    ("charge", "position = 9, gateway_reference = NULL"),
    ("order_line", "line_id = 'Z'"),
    ("supplier_order", "number = 'Z'"),
    ("return_line", "line_id = 'B'"),
    ("returns", "return_id = 'RR-9'"),
    ("credit_memo", "number = 'cm 1'"),
    ("refund", "refund_id = 'RF-9', workflow_id = 'w' WHERE direction = 'broker_to_seller'"),
    ("refund", "refund_id = 'RF-9', workflow_id = 'w' WHERE direction = 'seller_to_buyer'"),
    ("refund", "refund_id = 'RF-9', gateway_refund_id = NULL"),
    ("cost_review", "review_id = 'CR-9'"),
    ("claim", "claim_id = 'CL-9'"),
    ("orphan", "orphan_id = 'other'"),
    ("connection", "connection_id = 'other' WHERE kind = 'supplier'"),
    ("case_file", "kind = kind"),
    ("case_step", "what = 'other'"),
    ("mail_sent", "message_id = 'other'"),
    ("webhook", "state = 'ended'"),
]


SEEN_LATER = {("orders", "payment_amount_is_not_negative")}
"""PostgreSQL looks at conditions in the order of their names: more has moved than a negative amount."""


@pytest.mark.parametrize(("table", "wrong", "why"), WRONG)
def test_a_wrong_row_is_refused_by_the_database_itself(kept: Engine, table: str, wrong: str, why: str) -> None:
    with pytest.raises(BackhaulError) as refused:
        by_hand(kept, f"UPDATE {table} SET {wrong}")
    assert refused.value.category is Category.INTERNAL
    if f"ck_{table}_{why}" not in str(refused.value):
        # PostgreSQL's own types refuse a word where a number, and a number where a truth value, should be.
        assert kept.dialect.name == "postgresql"
        assert why.endswith(("numbers", "yes_or_no")) or (table, why) in SEEN_LATER


def test_every_condition_is_tried(kept: Engine) -> None:
    look = inspect_database(kept)
    known = {
        str(one["name"]): table
        for table in METADATA.tables
        for one in look.get_check_constraints(table)
        if str(one["name"]).startswith("ck_")
    }
    tried = {f"ck_{table}_{why}" for table, _, why in WRONG}
    # A word that is none fits no movement either.
    assert known.keys() - tried == {"ck_ledger_line_kind_is_a_known_word"}


@pytest.mark.parametrize(("table", "changes"), OF_NOTHING)
def test_what_belongs_to_nothing_is_refused(kept: Engine, table: str, changes: str) -> None:
    with pytest.raises(BackhaulError) as refused:
        copied(kept, table, changes)
    assert refused.value.category in (Category.NOT_FOUND, Category.INTERNAL)


@pytest.mark.parametrize(("table", "twice"), TWICE)
def test_what_belongs_to_one_can_not_be_given_to_two(kept: Engine, table: str, twice: str) -> None:
    with pytest.raises(BackhaulError) as refused:
        copied(kept, table, twice)
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


def test_the_migrations_go_down_and_up_again_with_a_row_in_each_table(two_urls: list[str]) -> None:
    used = next(databases := full_database(two_urls[0]))
    for _ in range(2):
        assert [table for table, rows in rows_by_table(used).items() if not rows] == []
        with writing(used).begin() as connection:
            command.downgrade(migrations_config(connection), "base")
        assert inspect_database(used).get_table_names() == ["alembic_version"]
        assert _functions(used) == 0
        upgrade(used)
        assert set(rows_by_table(used).values()) == {0}
        everything(Story(used).with_parties(), used)
    assert list(databases) == []


def _functions(engine: Engine) -> int:
    """Of triggers: SQLite has none."""
    if engine.dialect.name == "sqlite":
        return 0
    with engine.connect() as connection:
        count = (
            "SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname = 'public'"
        )
        return int(connection.exec_driver_sql(count).scalar_one())
