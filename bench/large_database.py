"""A large database for measuring: orders with one line, one parcel, their cases and what they are entered as."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Engine

from activities.database.cases import newness_of, urgency_of
from activities.database.engines import writing
from models.message import folded
from models.tables import METADATA
from models.tables.columns import Document

RETURNED: Final = 10
"""Every tenth order comes back."""
SELLERS: Final = 40
NOW: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

Values = dict[str, Any]


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
    own = f"seller/{seller_id}"
    yield (
        "ledger_line",
        _entry(f"payment/{order_id}/1", "paid", order_id, "buyers/payments", f"{own}/available", at),
    )
    charge = f"charge/CH-{order_id}-1"
    yield "ledger_line", _entry(charge, "authorized", order_id, f"{own}/available", f"{own}/pending", at)
    yield "ledger_line", _entry(charge, "captured", order_id, f"{own}/pending", "broker/revenue", at)
    yield from _numbers(f"order-{order_id}", order_id, f"E-{number}")
    due = at + timedelta(days=chance.randint(0, 90)) if stage != "shipped" else None
    yield "case_file", _case(f"order-{order_id}", "order", stage, seller_id, order_id, at, due)
    if number % RETURNED == 0:
        yield from _return(order_id, seller_id, at, chance)


def _entry(movement: str, kind: str, order_id: str, debit: str, credit: str, at: datetime) -> Values:
    names = {"movement": movement, "kind": kind, "position": 1, "order_id": order_id, "currency": "USD"}
    return {**names, "debit": debit, "credit": credit, "units": 5000, "at": at}


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
            "refund_due": at + timedelta(days=60),
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
        own = f"seller/{seller_id}"
        source = "broker/expense" if direction == "broker_to_seller" else f"{own}/reserved"
        target = f"{own}/available" if direction == "broker_to_seller" else "buyers/refunds"
        yield "ledger_line", _entry(f"refund/{refund_id}", "refunded", order_id, source, target, at)


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
