"""The triggers of the first migration: what one row does not show, on SQLite and PostgreSQL.

A name says what is so; whoever writes otherwise gets it as the name of a constraint. A sum is guarded under a
lock, so that two who write at once are guarded too: SQLite has one writer; PostgreSQL locks what they belong to.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

Event = Literal["INSERT", "UPDATE", "DELETE"]


class Trigger(NamedTuple):
    """After `event` on a row of `table`: `wrong` must not be so. NEW and OLD are the row, after and before.

    `lock`: what PostgreSQL does first.
    """

    name: str
    table: str
    event: Event
    wrong: str
    lock: str = ""

    def create(self, dialect: str) -> list[str]:
        if dialect == "sqlite":
            refuse = f"SELECT RAISE(ABORT, 'trigger failed: {self.name}') WHERE {_of(self.wrong, dialect)};"
            return [f"CREATE TRIGGER {self.name} AFTER {self.event} ON {self.table} BEGIN {refuse} END"]
        refuse = (
            f"RAISE EXCEPTION 'trigger failed: {self.name}' "
            f"USING ERRCODE = 'check_violation', CONSTRAINT = '{self.name}', TABLE = TG_TABLE_NAME;"
        )
        body = f"BEGIN {self.lock} IF {_of(self.wrong, dialect)} THEN {refuse} END IF; RETURN NULL; END"
        return [
            f"CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
            f"CREATE TRIGGER {self.name} AFTER {self.event} ON {self.table} "
            f"FOR EACH ROW EXECUTE FUNCTION {self.name}()",
        ]

    def drop(self, dialect: str) -> list[str]:
        if dialect == "sqlite":
            return [f"DROP TRIGGER {self.name}"]
        return [f"DROP TRIGGER {self.name} ON {self.table}", f"DROP FUNCTION {self.name}()"]


def _of(condition: str, dialect: str) -> str:
    """`<=>`: differs, where nothing differs from something; SQLite adds amounts as floats."""
    words = {"sqlite": ("IS NOT", " + 0.0000005"), "postgresql": ("IS DISTINCT FROM", "")}
    differs, rounding = words[dialect]
    return condition.replace("<=>", differs).replace("{rounding}", rounding)


class Kept(NamedTuple):
    """What triggers after a row do not see: on SQLite a row that replaces one of the same key is passed over; on
    PostgreSQL nobody empties the table at one go."""

    table: str
    key: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"tr_{self.table}_is_never_replaced"

    def create(self, dialect: str) -> list[str]:
        if dialect == "sqlite":
            same = " AND ".join(f"{name} = NEW.{name}" for name in self.key)
            return [
                f"CREATE TRIGGER {self.name} BEFORE INSERT ON {self.table} BEGIN "
                f"SELECT RAISE(IGNORE) WHERE EXISTS (SELECT 1 FROM {self.table} WHERE {same}); END"
            ]
        refuse = (
            f"RAISE EXCEPTION 'trigger failed: {self.name}' "
            f"USING ERRCODE = 'check_violation', CONSTRAINT = '{self.name}', TABLE = TG_TABLE_NAME;"
        )
        return [
            f"CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refuse} END $$",
            f"CREATE TRIGGER {self.name} BEFORE TRUNCATE ON {self.table} EXECUTE FUNCTION {self.name}()",
        ]

    def drop(self, dialect: str) -> list[str]:
        return Trigger(self.name, self.table, "INSERT", "").drop(dialect)


# ---- written once ----

MAY_CHANGE: Final[Mapping[str, frozenset[str]]] = {
    "connection": frozenset({"base_url", "secret", "webhook_secrets", "options", "active", "updated_at"}),
    "webhook": frozenset({"times", "last_at"}),
    "webhook_refusal": frozenset({"times", "last_at"}),
    "orders": frozenset({"cancel_until", "handoff_due", "handed_off_at", "corrected_address", "payment_moved"}),
    "order_line": frozenset({"shipped", "cancelled", "voided", "moved"}),
    "payment": frozenset(),
    "cessation": frozenset(),
    "case_step": frozenset(),
    "mail_sent": frozenset(),
    "shipment": frozenset({"carrier", "tracking_number", "corrected_by", "delivered_at"}),
    "shipment_parcel": frozenset(),
    "shipment_line": frozenset(),
    "return_line": frozenset(),
    "return_units": frozenset(),
    "credit_memo": frozenset(),
    "refund": frozenset({"run_id", "state", "gateway_refund_id", "failure_reason", "settled_at"}),
    "refund_units": frozenset(),
    "cost_review": frozenset({"state", "approved", "evidence", "decided_by", "reason", "settled_at"}),
    "claim": frozenset({"state", "approved", "receipts", "decided_by", "reason", "settled_at"}),
    "ledger_line": frozenset(),
    "amazon_batch": frozenset(
        {"state", "messages", "document_id", "tries", "feed_id", "words", "handed_in_at", "ended_at"}
    ),
    "amazon_queue": frozenset(
        {
            *("state", "reason", "chosen", "batch_id", "message_id", "content"),
            *("told_before", "told_at", "examined_by", "changed_at"),
        }
    ),
}
"""Of these tables nothing else ever changes, and no row goes but what is kept for some time only."""
KEPT_FOR_SOME_TIME: Final = frozenset({"webhook", "webhook_refusal"})
"""What a gateway said goes when it is old (`BACKHAUL_WEBHOOK_DAYS`)."""
DECIDED_LATER: Final[Mapping[str, frozenset[str]]] = {
    "orders": frozenset({"charge_connection_id", "run_id"}),
    "refund": frozenset({"confirmed_by", "confirmed_at"}),
}
"""May be empty at first; once they say something, they say so for ever."""
NEVER_DELETED: Final = (
    *(table for table in MAY_CHANGE if table not in KEPT_FOR_SOME_TIME),
    *("charge", "supplier_order", "supplier_order_line", "returns", "orphan"),
)
_JSON: Final = {
    "orders": ("request", "seller"),
    "claim": ("units",),
    "cessation": ("quantities", "lines", "evidence"),
    "shipment": ("substitutes",),
    "return_line": ("evidence",),
    "refund": ("lines",),
}
"""PostgreSQL compares JSON as text."""


def _written_once(columns: Mapping[str, tuple[str, ...]]) -> Iterator[Trigger]:
    for table, may_change in MAY_CHANGE.items():
        later = DECIDED_LATER.get(table, frozenset())
        fixed = [name for name in columns[table] if name not in may_change]
        json = _JSON.get(table, ())
        same = [
            f'CAST(NEW."{name}" AS TEXT) <=> CAST(OLD."{name}" AS TEXT)'
            if name in json
            else f'(OLD."{name}" IS NOT NULL AND NEW."{name}" <=> OLD."{name}")'
            if name in later
            else f'NEW."{name}" <=> OLD."{name}"'
            for name in fixed
        ]
        yield Trigger(f"tr_{table}_is_written_once", table, "UPDATE", " OR ".join(same))
    for table in NEVER_DELETED:
        yield Trigger(f"tr_{table}_is_never_deleted", table, "DELETE", "true")


# ---- sums and states ----

_COUNTS: Final = "('reserved', 'pending', 'succeeded')"
_ORDER_OF_REFUND: Final = "(SELECT order_id FROM refund WHERE refund_id = NEW.refund_id)"
_REFUNDED: Final = (
    "(SELECT SUM(CAST(amount AS NUMERIC)) FROM refund WHERE order_id = NEW.order_id "
    f"AND direction = NEW.direction AND currency = NEW.currency AND state IN {_COUNTS})"
)
_SAME_PAYMENT: Final = "of_order_id = NEW.of_order_id AND of_position = NEW.of_position"
_SAME_PAPER: Final = "supplier_id = NEW.supplier_id AND number_folded = NEW.number_folded"

_SUMS: Final = (
    # Returns and orders name each other: a foreign key would be a circle (RET-24).
    Trigger(
        "tr_orders_replaces_a_return",
        "orders",
        "INSERT",
        "NEW.replaces IS NOT NULL AND NOT EXISTS (SELECT 1 FROM returns r "
        "JOIN orders o ON o.order_id = r.order_id "
        "WHERE r.return_id = NEW.replaces AND o.seller_id = NEW.seller_id)",
    ),
    Trigger(
        "tr_refund_goes_forward",
        "refund",
        "UPDATE",
        "NEW.state <> OLD.state AND NOT (OLD.state = 'reserved' "
        "OR (OLD.state = 'pending' AND NEW.state <> 'reserved') "
        "OR (OLD.state = 'succeeded' AND NEW.state = 'failed'))",
    ),
    # More than was paid goes back only marked (REF-3, REF-5).
    Trigger(
        "tr_refund_of_buyer_is_within_payment",
        "refund",
        "INSERT",
        "NEW.direction = 'seller_to_buyer' AND (NOT EXISTS (SELECT 1 FROM orders WHERE order_id = NEW.order_id "
        f"AND payment_currency = NEW.currency) OR (NOT NEW.over_refund AND {_REFUNDED} > "
        "(SELECT CAST(payment_amount AS NUMERIC) - CAST(payment_moved AS NUMERIC) FROM orders "
        "WHERE order_id = NEW.order_id){rounding}))",
        lock="PERFORM 1 FROM orders WHERE order_id = NEW.order_id FOR UPDATE;",
    ),
    Trigger(
        "tr_refund_of_seller_is_within_charges",
        "refund",
        "INSERT",
        f"NEW.direction = 'broker_to_seller' AND {_REFUNDED} > COALESCE((SELECT SUM(CAST(captured AS NUMERIC)) "
        "FROM charge WHERE order_id = NEW.order_id AND currency = NEW.currency), 0){rounding}",
        lock="PERFORM 1 FROM orders WHERE order_id = NEW.order_id FOR UPDATE;",
    ),
    # What is split off an order is of it: its payments and its units, each once (CAN-10).
    Trigger(
        "tr_payment_parts_are_within_it",
        "payment",
        "INSERT",
        f"(SELECT SUM(CAST(amount AS NUMERIC)) FROM payment WHERE {_SAME_PAYMENT}) > "
        "(SELECT CAST(amount AS NUMERIC) FROM payment "
        "WHERE order_id = NEW.of_order_id AND position = NEW.of_position){rounding}",
        lock="PERFORM 1 FROM orders WHERE order_id = NEW.of_order_id FOR UPDATE;",
    ),
    Trigger(
        "tr_order_line_units_move_to_split_orders",
        "order_line",
        "UPDATE",
        "NEW.moved <> OLD.moved AND NEW.moved <> COALESCE((SELECT SUM(l.quantity) FROM order_line l "
        "JOIN orders o ON o.order_id = l.order_id WHERE o.split_from = NEW.order_id "
        "AND l.line_id = NEW.line_id), 0)",
    ),
    # No unit of an order is refunded twice (REF-13).
    Trigger(
        "tr_refund_units_are_of_order",
        "refund_units",
        "INSERT",
        "(SELECT SUM(u.quantity) FROM refund_units u JOIN refund r ON r.refund_id = u.refund_id "
        f"WHERE r.order_id = {_ORDER_OF_REFUND} AND r.state IN {_COUNTS} AND u.line_id = NEW.line_id) > "
        f"COALESCE((SELECT quantity - moved FROM order_line WHERE order_id = {_ORDER_OF_REFUND} "
        "AND line_id = NEW.line_id), 0)",
        lock=f"PERFORM 1 FROM orders WHERE order_id = {_ORDER_OF_REFUND} FOR UPDATE;",
    ),
    Trigger(
        "tr_return_line_is_of_order",
        "return_line",
        "INSERT",
        "NEW.quantity > COALESCE((SELECT l.quantity FROM order_line l JOIN returns r ON r.order_id = l.order_id "
        "WHERE r.return_id = NEW.return_id AND l.line_id = NEW.line_id), 0)",
    ),
    Trigger(
        "tr_return_units_are_of_line",
        "return_units",
        "INSERT",
        "(SELECT SUM(quantity) FROM return_units WHERE return_id = NEW.return_id AND line_id = NEW.line_id) > "
        "(SELECT quantity FROM return_line WHERE return_id = NEW.return_id AND line_id = NEW.line_id)",
        lock="PERFORM 1 FROM returns WHERE return_id = NEW.return_id FOR UPDATE;",
    ),
    # The parts of a paper are no more than the paper (RET-28).
    Trigger(
        "tr_credit_memo_is_within_its_paper",
        "credit_memo",
        "INSERT",
        f"(SELECT SUM(CAST(amount AS NUMERIC)) FROM credit_memo WHERE {_SAME_PAPER} "
        "AND currency = NEW.currency) > "
        f"(SELECT MIN(CAST(total AS NUMERIC)) FROM credit_memo WHERE {_SAME_PAPER}){{rounding}}",
        lock="PERFORM pg_advisory_xact_lock(hashtext(NEW.supplier_id || ':' || NEW.number_folded));",
    ),
)


def triggers(columns: Mapping[str, tuple[str, ...]]) -> list[Trigger | Kept]:
    """All of them; `columns` of each table that is written once."""
    return [*_written_once(columns), *_SUMS, Kept("ledger_line", ("movement", "kind", "position"))]
