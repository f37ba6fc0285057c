"""What one row does not show is guarded by triggers: what is written once, where a refund may go, and sums."""

import threading

import pytest
from sqlalchemy import JSON, Boolean, Date, Engine, Integer
from sqlalchemy.exc import DBAPIError

from activities.database.engines import writing
from migrations.triggers_0001 import MAY_CHANGE, NEVER_DELETED, triggers
from models.failures import BackhaulError
from models.tables import METADATA
from models.tables.columns import Document, Money, UtcTime
from tests.database.full_database import by_hand, copied
from tests.database.story import Story

OTHERWISE = {
    Money: "'77'",
    UtcTime: "'2001-01-01 00:00:00'",
    Date: "'2001-01-01'",
    Integer: "77",
    Boolean: "true",
    Document: "'[77]'",
    JSON: "'[77]'",
}
WRITTEN_ONCE = [
    (table, column.name, next((one for kind, one in OTHERWISE.items() if isinstance(column.type, kind)), "'Z'"))
    for table, may_change in MAY_CHANGE.items()
    for column in METADATA.tables[table].columns
    if column.name not in may_change
]


@pytest.mark.parametrize(("table", "column", "news"), WRITTEN_ONCE)
def test_what_is_written_once_never_changes(kept: Engine, table: str, column: str, news: str) -> None:
    with pytest.raises(BackhaulError) as refused:
        by_hand(kept, f'UPDATE {table} SET "{column}" = {news}')
    # A word that is none, or what it does not belong to, is found before.
    assert f"{table}_is_written_once" in str(refused.value) or any(
        word in str(refused.value) for word in ("ck_", "fk_", "UNIQUE", "uq_", "FOREIGN KEY", "pk_")
    )


def test_some_column_of_each_table_is_guarded_by_nothing_else(kept: Engine) -> None:
    """So the trigger is there, and does it."""
    free = {
        "connection": "account = 'acct_other'",
        "orders": "received_at = '2001-01-01 00:00:00'",
        "order_line": "title = 'Z'",
        "payment": "reference = 'Z' WHERE order_id = '1001'",
        "cessation": "reason = 'Z'",
        "case_step": "what = 'Z'",
        "mail_sent": "message_id = 'Z'",
        "shipment": "at = '2001-01-01 00:00:00'",
        "shipment_parcel": "carrier = 'Z'",
        "shipment_line": "sku = 'Z'",
        "return_line": "buyer_words = 'Z'",
        "return_units": "quantity = 77",
        "credit_memo": "actor = 'Z'",
        "refund": "reason = 'Z'",
        "refund_units": "quantity = 77",
        "cost_review": "notes = 'Z'",
        "claim": "dealer = 'Z'",
        "ledger_line": "units = 77",
        "amazon_batch": "requested_by = 'Z'",
        "amazon_queue": "queued_at = '2001-01-01 00:00:00'",
        "webhook": "type = 'Z'",
        "webhook_refusal": "day = '2001-01-01'",
    }
    assert free.keys() == MAY_CHANGE.keys()
    for table, change in free.items():
        with pytest.raises(BackhaulError, match=f"tr_{table}_is_written_once"):
            by_hand(kept, f"UPDATE {table} SET {change}")


@pytest.mark.parametrize("table", NEVER_DELETED)
def test_what_happened_is_never_deleted(kept: Engine, table: str) -> None:
    with pytest.raises(BackhaulError) as refused:
        by_hand(kept, f"DELETE FROM {table}")
    assert f"tr_{table}_is_never_deleted" in str(refused.value) or "fk_" in str(refused.value)


WRONG = [
    ("UPDATE refund SET state = 'pending', settled_at = NULL WHERE state = 'succeeded'", "refund_goes_forward"),
    ("UPDATE refund SET state = 'reserved' WHERE state = 'pending'", "refund_goes_forward"),
    ("UPDATE refund SET state = 'refused' WHERE state = 'succeeded'", "refund_goes_forward"),
]
NEW_REFUND = "refund_id = 'RF-9', workflow_id = 'w', gateway_refund_id = NULL, return_id = NULL"
NEW_ORDER = "order_id = 'RP.X', workflow_id = 'order-RP.X', channel_order_id = NULL, channel_order_key = NULL"
TO_BUYER, TO_SELLER = "WHERE refund_id = 'RF-RR-1-B1'", "WHERE refund_id = 'RF-RR-1-S1'"
TOO_MUCH = [
    # 170.00 were paid, 11.00 are refunded; 60.00 were captured, 11.00 are refunded.
    ("refund", f"{NEW_REFUND}, amount = '159.01' {TO_BUYER}", "refund_of_buyer_is_within_payment"),
    ("refund", f"{NEW_REFUND}, amount = '1.00', currency = 'EUR' {TO_BUYER}", "refund_of_buyer_is_within_payment"),
    ("refund", f"{NEW_REFUND}, amount = '49.01' {TO_SELLER}", "refund_of_seller_is_within_charges"),
    ("refund", f"{NEW_REFUND}, amount = '1', currency = 'EUR' {TO_SELLER}", "refund_of_seller_is_within_charges"),
    # One of three A is refunded.
    ("refund_units", "refund_id = 'RF-2', quantity = 3", "refund_units_are_of_order"),
    ("refund_units", "refund_id = 'RF-2', line_id = 'Z'", "refund_units_are_of_order"),
    ("return_line", "line_id = 'B', position = 2, quantity = 2", "return_line_is_of_order"),
    ("return_line", "line_id = 'Z', position = 2", "return_line_is_of_order"),
    ("return_units", "supplier_order_number = '1000-1'", "return_units_are_of_line"),
    ("orders", f"{NEW_ORDER}, replaces = 'RR-none' WHERE order_id = '1001'", "orders_replaces_a_return"),
    (
        "payment",
        "position = 9, amount = '170.01', of_order_id = '1001', of_position = 1 WHERE order_id = '1001'",
        "payment_parts_are_within_it",
    ),
    # 10.00 of a paper over 10.00 are credited.
    ("credit_memo", "return_id = 'RR-2', amount = '0.01', total = NULL", "credit_memo_is_within_its_paper"),
]


@pytest.mark.parametrize(("statement", "why"), WRONG)
def test_REF_7_a_refund_never_goes_back(kept: Engine, statement: str, why: str) -> None:
    with pytest.raises(BackhaulError, match=f"tr_{why}"):
        by_hand(kept, statement)


def test_CAN_10_units_move_to_an_order_that_has_them(kept: Engine) -> None:
    with pytest.raises(BackhaulError, match="tr_order_line_units_move_to_split_orders"):
        by_hand(kept, "UPDATE order_line SET moved = 1 WHERE order_id = '1000'")


@pytest.mark.parametrize(("table", "changes", "why"), TOO_MUCH)
def test_no_sum_is_more_than_there_is(kept: Engine, table: str, changes: str, why: str) -> None:
    with pytest.raises(BackhaulError, match=f"tr_{why}"):
        copied(kept, table, changes)


def test_REF_3_what_is_left_may_be_refunded_to_the_cent(story: Story, engine: Engine) -> None:
    story.delivered(("A", 1, "0.30"))
    story.refunding("RF-1", "0.10")
    copied(engine, "refund", "refund_id = 'RF-2', workflow_id = 'w', amount = '0.20'")
    with pytest.raises(BackhaulError, match="within_payment"):
        copied(engine, "refund", "refund_id = 'RF-3', workflow_id = 'w3', amount = '0.01'")
    copied(engine, "refund", "refund_id = 'RF-3', workflow_id = 'w3', amount = '0.01', over_refund = true")


def test_every_trigger_is_tried() -> None:
    columns = {table: tuple(METADATA.tables[table].columns.keys()) for table in MAY_CHANGE}
    tried = {f"tr_{one[-1]}" for one in (*WRONG, *TOO_MUCH)}
    tried |= {f"tr_{table}_is_written_once" for table in MAY_CHANGE}
    tried |= {f"tr_{table}_is_never_deleted" for table in NEVER_DELETED}
    tried |= {"tr_order_line_units_move_to_split_orders"}
    tried |= {"tr_ledger_line_is_never_replaced"}  # tests/database/test_ledger.py
    assert tried == {one.name for one in triggers(columns)}


def test_RET_28_two_who_book_parts_of_a_paper_at_once_book_no_more_than_the_paper(
    story: Story, engine: Engine
) -> None:
    story.delivered(("A", 3, "50.00"))
    story.returned("RR-1", A=1)
    story.returned("RR-2", A=1)
    columns = "supplier_id, number_folded, return_id, number, date, amount, currency, final, total, actor, at"
    day, moment = "'2026-03-20'", "'2026-03-20 12:00:00'"

    def book(return_id: str) -> None:
        values = f"'north', 'cm1', '{return_id}', 'CM-1', {day}, '6.00', 'USD', false, '10.00', 'x', {moment}"
        with writing(engine).begin() as connection:
            together.wait(10)
            connection.exec_driver_sql(f"INSERT INTO credit_memo ({columns}) VALUES ({values})")

    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    together = threading.Barrier(2)
    failed: list[DBAPIError] = []

    def attempt(return_id: str) -> None:
        try:
            book(return_id)
        except DBAPIError as error:
            failed.append(error)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in ("RR-1", "RR-2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ["within_its_paper" in str(error) for error in failed] == [True]
