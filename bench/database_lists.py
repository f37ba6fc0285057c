"""How long lists and look-ups take in a large database: `python -m bench.database_lists [--orders N] [--url URL]`.

Makes the database (a SQLite file that is deleted afterwards, or the one at URL, which must be empty), then asks
each question some times and shows the milliseconds of SQL, the median and the slowest, with the plan of each
statement that takes longer than the aim of 5 ms.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Engine, event

from activities.database import Reading, upgrade
from activities.database.cases import newness_of, urgency_of
from activities.database.engines import make_engine, writing
from models.message import folded
from models.tables import METADATA
from models.tables.columns import Document

ORDERS: Final = 200_000
AIM_MS: Final = 5.0
RETURNED: Final = 10
"""Every tenth order comes back."""
SELLERS: Final = 40
NOW: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TIMES: Final = 15

Values = dict[str, Any]


def say(*lines: str) -> None:
    sys.stdout.write("\n    ".join(lines) + "\n")


def fill(engine: Engine, orders: int) -> None:
    """Write the orders with one line, one parcel and their cases; some with a return and its two refunds."""
    chance = random.Random(1)
    with writing(engine).begin() as connection:
        for table, rows in _parties():
            connection.execute(_plain(table).insert(), rows)
        batch: dict[str, list[Values]] = {}
        for number in range(orders):
            for table, row in _order(number, chance):
                batch.setdefault(table, []).append(_whole(table, row))
            if number % 5000 == 4999 or number == orders - 1:
                for name in [one.name for one in METADATA.sorted_tables]:
                    if rows := batch.pop(name, []):
                        connection.execute(_plain(name).insert(), rows)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _plain(name: str) -> sa.TableClause:
    """The table with documents as they are stored: to validate so many takes minutes."""
    columns = [
        sa.column(column.name, sa.JSON() if isinstance(column.type, Document) else column.type)
        for column in METADATA.tables[name].columns
    ]
    return sa.table(name, *columns)


def _whole(name: str, row: Values) -> Values:
    """With the defaults of what it does not say. Raises KeyError for what the table does not have."""
    columns = METADATA.tables[name].columns
    if unknown := row.keys() - columns.keys():
        raise KeyError(f"{name} has no {', '.join(sorted(unknown))}")
    defaults = {column.name: getattr(column.default, "arg", None) for column in columns}
    return defaults | row


def _parties() -> Iterator[tuple[str, list[Values]]]:
    yield (
        "seller",
        [{"seller_id": f"s{n}", "name": f"Seller {n}", "settings": {}, "updated_at": NOW} for n in range(SELLERS)],
    )
    yield "supplier", [{"supplier_id": "north", "name": "North", "settings": {}, "updated_at": NOW}]
    stripe = {"connection_id": "broker-stripe", "kind": "payments", "provider": "stripe", "owner": "broker"}
    yield "connection", [{**stripe, "options": {}, "active": True, "created_at": NOW, "updated_at": NOW}]


def _order(number: int, chance: random.Random) -> Iterator[tuple[str, Values]]:
    order_id, seller_id = str(number), f"s{min(int(chance.expovariate(0.2)), SELLERS - 1)}"
    at = NOW - timedelta(minutes=number)
    stage = (
        "shipped" if chance.random() < 0.9 else chance.choice(["cancel_window", "placing", "awaiting_shipment"])
    )
    yield (
        "orders",
        {
            "order_id": order_id,
            "seller_id": seller_id,
            "channel": "ebay",
            "channel_order_id": f"E-{number}",
            "channel_order_key": folded(f"E-{number}"),
            "workflow_id": f"order-{order_id}",
            "run_id": "run",
            "received_at": at,
            "request": {"padding": "x" * 1500},
            "seller": {"padding": "x" * 500},
            "payment_amount": Decimal("100.00"),
            "payment_currency": "USD",
            "charge_currency": "USD",
            "cancel_until": at,
            "handoff_due": at,
            "handed_off_at": at,
        },
    )
    payment = {"paid_by": "stripe", "reference": f"pi_{number}", "amount": Decimal("100.00"), "currency": "USD"}
    yield "payment", {"order_id": order_id, "position": 1, **payment}
    yield "order_line", _line(order_id)
    yield "charge", _charge(order_id, number)
    yield from _numbers(f"order-{order_id}", order_id, f"E-{number}")
    due = at + timedelta(days=chance.randint(0, 90)) if stage != "shipped" else None
    yield "case_file", _case(f"order-{order_id}", "order", stage, seller_id, order_id, at, due)
    if number % RETURNED == 0:
        yield from _return(order_id, seller_id, at, chance)


def _line(order_id: str) -> Values:
    worth = {name: Decimal("0.00") for name in ("paid_shipping", "cost_shipping")}
    return {
        "order_id": order_id,
        "line_id": "1",
        "sku": "A",
        "position": 1,
        "title": "Item A",
        "quantity": 1,
        "paid_goods": Decimal("100.00"),
        "cost_goods": Decimal("50.00"),
        "shipped": 1,
        "cancelled": 0,
        "voided": 0,
        **worth,
    }


def _charge(order_id: str, number: int) -> Values:
    amount = Decimal("50.00")
    return {
        "charge_id": f"CH-{order_id}-1",
        "order_id": order_id,
        "position": 1,
        "state": "captured",
        "amount": amount,
        "captured": amount,
        "currency": "USD",
        "gateway_reference": f"pi_charge_{number}",
        "connection_id": "broker-stripe",
    }


def _return(order_id: str, seller_id: str, at: datetime, chance: random.Random) -> Iterator[tuple[str, Values]]:
    return_id, bought = f"RR-{order_id}-1", f"{order_id}-1"
    yield (
        "supplier_order",
        {
            "number": bought,
            "order_id": order_id,
            "position": 1,
            "supplier_id": "north",
            "warehouse_id": "north-1",
            "second_source": False,
            "state": "accepted",
            "supplier_reference": None,
            "reason": None,
            "at": at,
        },
    )
    stage = chance.choice(["completed", "completed", "completed", "awaiting_credit", "awaiting_tracking"])
    numbers = {
        "amazon_rma_id": f"A-{order_id}",
        "ebay_return_id": f"ER-{order_id}",
        "rma_number": f"RMA-{order_id}",
        "tracking_number": f"1Z{order_id}",
        "broker_return_number": f"BR-{return_id}",
    }
    yield (
        "returns",
        {
            **numbers,
            "return_id": return_id,
            "order_id": order_id,
            "seller_id": seller_id,
            "supplier_id": "north",
            "supplier_order_number": bought,
            "workflow_id": f"return-{return_id}",
            "run_id": "run",
            "source": "buyer",
            "requested_by": "seller:jane",
            "request": {"padding": "x" * 500},
            "opened": {"padding": "x" * 1500},
            "created_at": at,
            "returnless": False,
            "refunded_by_channel": False,
        },
    )
    yield (
        "return_line",
        {
            "return_id": return_id,
            "line_id": "1",
            "sku": "A",
            "position": 1,
            "quantity": 1,
            "reason": "does not fit",
            "buyer_words": None,
            "evidence": [],
            "paid": Decimal("100.00"),
            "cost": Decimal("50.00"),
        },
    )
    yield from _numbers(f"return-{return_id}", return_id, *numbers.values())
    due = None if stage == "completed" else at + timedelta(days=60)
    yield "case_file", _case(f"return-{return_id}", "return", stage, seller_id, order_id, at, due)
    for refund_id, direction in (
        (f"RF-{return_id}-B1", "seller_to_buyer"),
        (f"RF-{return_id}-S1", "broker_to_seller"),
    ):
        yield (
            "refund",
            {
                "refund_id": refund_id,
                "order_id": order_id,
                "return_id": return_id,
                "seller_id": seller_id,
                "workflow_id": f"refund-{refund_id}",
                "run_id": "run",
                "direction": direction,
                "way": "gateway",
                "amount": Decimal("50.00"),
                "currency": "USD",
                "state": "succeeded",
                "reason": "returned",
                "requested_by": "seller:jane",
                "lines": [],
                "reference": None,
                "over_refund": False,
                "payment_reference": None,
                "connection_id": None,
                "gateway_refund_id": f"re_{refund_id}",
                "failure_reason": None,
                "reserved_at": at,
                "settled_at": at,
            },
        )
        yield "case_file", _case(f"refund-{refund_id}", "refund", "succeeded", seller_id, order_id, at, None)


def _numbers(workflow_id: str, *numbers: str) -> Iterator[tuple[str, Values]]:
    for number in numbers:
        yield "case_number", {"workflow_id": workflow_id, "folded": folded(number), "number": number}


def _case(
    workflow_id: str, kind: str, stage: str, seller_id: str, order_id: str, at: datetime, due: datetime | None
) -> Values:
    ended = stage in ("shipped", "completed", "succeeded")
    return {
        "workflow_id": workflow_id,
        "run_id": "run",
        "kind": kind,
        "stage": stage,
        "seller_id": seller_id,
        "order_id": order_id,
        "waiting_on": None if ended else "supplier",
        "waiting_for": None if ended else "ship",
        "waiting_since": None if ended else at,
        "due_by": due,
        "sla_state": "on_time",
        "ended": ended,
        "last_step": 5,
        "asked_at": at,
        "urgency": urgency_of(due, ended=ended),
        "newness": newness_of(at),
    }


class Asked:
    """The statements that an engine executes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.statements: list[tuple[str, Any]] = []
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            self.statements.append((statement, parameters))

    def milliseconds(self) -> float:
        """What these statements take with all of their rows, and nothing made of them."""
        asked, self.statements = self.statements, []
        with self._engine.connect() as connection:
            began = time.perf_counter()
            for statement, parameters in asked:
                connection.exec_driver_sql(statement, parameters).fetchall()
            took = (time.perf_counter() - began) * 1000
        self.statements = asked
        return took


def questions(reading: Reading, orders: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    middle = orders // 2 // RETURNED * RETURNED
    return_id = f"RR-{middle}-1"
    yield "list orders", lambda: reading.find_orders()
    yield "list orders --stage placing", lambda: reading.find_orders(stage="placing")
    yield "list orders --stage shipped", lambda: reading.find_orders(stage="shipped")
    yield "list orders --stage on_hold", lambda: reading.find_orders(stage="on_hold")
    yield "list orders --seller s0", lambda: reading.find_orders(seller="s0")
    yield "list orders --seller s39", lambda: reading.find_orders(seller="s39")
    yield "list orders --seller s0 --stage placing", lambda: reading.find_orders(seller="s0", stage="placing")
    yield "list orders --due-before", lambda: reading.find_orders(due_before=NOW)
    page = reading.find_orders(stage="shipped", limit=orders // 4)[-1].standing
    assert page is not None
    yield "list orders --stage shipped --after", lambda: reading.find_orders(stage="shipped", after=page.cursor)
    yield "list returns", lambda: reading.find_returns()
    yield "list returns --stage awaiting_credit", lambda: reading.find_returns(stage="awaiting_credit")
    yield "list refunds --stage succeeded", lambda: reading.find_refunds(stage="succeeded")
    for number in (
        return_id,
        f"RMA-{middle}",
        str(middle),
        f"E-{middle}",
        f"A-{middle}",
        f"ER-{middle}",
        f"1Z{middle}",
        f"BR-{return_id}",
        "nothing",
    ):
        yield f"return find {number}", lambda number=number: reading.find_return(number)  # type: ignore[misc]


def measure(engine: Engine, orders: int) -> list[tuple[str, float, float, int]]:
    """Each question with the median and the slowest, in milliseconds of SQL, and how many rows it gave."""
    found = []
    reading = Reading(engine)
    asked = Asked(engine)
    for name, ask in list(questions(reading, orders)):
        asked.statements = []
        rows = len(ask())
        times = [asked.milliseconds() for _ in range(TIMES)]
        found.append((name, statistics.median(times), max(times), rows))
        if statistics.median(times) > AIM_MS:
            for statement, parameters in list(asked.statements):
                say(name, *_plan(engine, statement, parameters))
    return found


def _plan(engine: Engine, statement: str, parameters: Any) -> list[str]:
    verb = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN (ANALYZE, BUFFERS)"
    with engine.connect() as connection:
        return [str(row[-1]) for row in connection.exec_driver_sql(f"{verb} {statement}", parameters)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--url")
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(asked.url or f"sqlite:///{Path(folder) / 'large.db'}")
        upgrade(engine)
        began = time.perf_counter()
        fill(engine, asked.orders)
        if not asked.as_json:
            say(f"{asked.orders} orders on {engine.dialect.name}, made in {time.perf_counter() - began:.0f} s")
        found = measure(engine, asked.orders)
        engine.dispose()
    if asked.as_json:
        say(json.dumps([{"question": name, "ms": ms, "slowest_ms": worst} for name, ms, worst, _ in found]))
        return
    say(f"{'question':<50} {'ms':>8} {'slowest':>8} {'rows':>5}")
    for name, milliseconds, slowest, rows in found:
        mark = " !" if milliseconds > AIM_MS else ""
        say(f"{name:<50} {milliseconds:8.2f} {slowest:8.2f} {rows:5}{mark}")


if __name__ == "__main__":
    main()
