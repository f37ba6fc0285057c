"""What the code promises stands in the database too: whoever writes a wrong row, it is refused, and said aloud."""

from collections.abc import Iterator
from enum import StrEnum

import pytest
from alembic import command
from sqlalchemy import CheckConstraint, Engine, Integer
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
from tests.database.wrong_rows import OF_NOTHING, TWICE, WHOLE, WRONG
from tests.postgres import EmptyPostgres

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
        assert why.endswith(("numbers", "yes_or_no", "are_whole")) or (table, why) in SEEN_LATER


def test_the_database_keeps_a_fraction_in_no_column_of_whole_numbers() -> None:
    whole = {
        name: " ".join(column.name for column in table.columns if isinstance(column.type, Integer))
        for name, table in METADATA.tables.items()
    }
    assert {name: columns for name, columns in whole.items() if columns} == WHOLE


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
