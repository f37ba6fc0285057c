"""Lists and look-ups in a database of 200,000 orders: one played order and its return, copied so many times."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, event, text

from activities.database import Reading
from activities.database.engines import make_engine, writing
from bench.happy_cases import Case
from bench.measurements import Listing

ORDERS: Final = 200_000
_EACH: Final = 15
_OF_ORDER: Final = ("case_file", "orders", "order_line", "supplier_order", "supplier_order_line")
_OF_RETURN: Final = ("case_file", "returns", "return_line")
_STAGES: Final = {"order": "awaiting_shipment", "return": "in_transit"}
_ONE_OPEN_OF: Final = 20
_ONE_RETURNED_OF: Final = 10


def list_many(books: Engine, folder: Path, case: Case, orders: int = ORDERS) -> list[Listing]:
    """Of a copy of these books, in which the case has ended; `orders` more of it are put into the copy."""
    copy = folder / "many.db"
    with books.connect() as connection:
        connection.exec_driver_sql("COMMIT")  # SQLite copies outside a transaction only
        connection.exec_driver_sql(f"VACUUM INTO '{copy}'")
    engine = make_engine(f"sqlite:///{copy}")
    try:
        with writing(engine).begin() as connection:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            _multiply(connection, case, orders)
        return _lists(engine, orders)
    finally:
        engine.dispose()


def _multiply(connection: Connection, case: Case, orders: int) -> None:
    numbers = f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {orders})"
    of_order = {"case_file": f"workflow_id = 'order-{case.order_id}'", "supplier_order": "order_id = :id"}
    for table in _OF_ORDER:
        where = of_order.get(table, _where_order(table))
        _copy(connection, table, case, numbers, where)
    every = f"n % {_ONE_RETURNED_OF} = 0 AND "
    for table in _OF_RETURN:
        where = f"workflow_id = 'return-{case.return_id}'" if table == "case_file" else "return_id = :return_id"
        _copy(connection, table, case, numbers, every + where)


def _where_order(table: str) -> str:
    return "number LIKE :id || '-%'" if table == "supplier_order_line" else "order_id = :id"


def _copy(connection: Connection, table: str, case: Case, numbers: str, where: str) -> None:
    """Each row that belongs to the case, with another order's number wherever the case's stands."""
    columns = [row.name for row in connection.execute(text(f"SELECT name FROM pragma_table_info('{table}')"))]
    values = [_value(table, column, case) for column in columns]
    connection.execute(
        text(
            f"INSERT INTO {table} ({', '.join(columns)}) {numbers}"
            f" SELECT {', '.join(values)} FROM {table}, numbers WHERE {where}"
        ),
        {"id": case.order_id, "return_id": case.return_id} if ":" in where else {},
    )


def _value(table: str, column: str, case: Case) -> str:
    is_open = f"n % {_ONE_OPEN_OF} = 0"
    replaced = f"replace({column}, '{case.order_id}', 'many' || n)"
    renamed = f"CASE typeof({column}) WHEN 'text' THEN {replaced} ELSE {column} END"
    if column == "rma_number":
        return "'RMA-' || n"
    if table != "case_file":
        return renamed
    stage = f"CASE kind WHEN 'order' THEN '{_STAGES['order']}' ELSE '{_STAGES['return']}' END"
    varied = {
        "stage": f"CASE WHEN {is_open} THEN {stage} ELSE stage END",
        "ended": f"NOT ({is_open})",
        "urgency": f"CASE WHEN {is_open} THEN printf('0%018d', 1790000000000000 + n * 61000000) ELSE urgency END",
        "newness": "printf('%018d', 999999999999999999 - 1790000000000000 - n * 61000000)",
    }
    return varied.get(column, renamed)


def _lists(engine: Engine, orders: int) -> list[Listing]:
    reading = Reading(engine)
    first_page = reading.find_orders()
    cursor = first_page[-1].standing.cursor if first_page[-1].standing else None
    middle = orders // 2 - orders // 2 % _ONE_RETURNED_OF
    looks: dict[str, Callable[[], object]] = {
        "list": reading.find_orders,
        "list --stage awaiting_shipment": lambda: reading.find_orders(stage="awaiting_shipment"),
        "list --stage shipped": lambda: reading.find_orders(stage="shipped"),
        "list, second page": lambda: reading.find_orders(after=cursor),
        "returns by RMA number": lambda: _found(reading.find_return(f"RMA-{middle}")),
        "returns by order number": lambda: _found(reading.find_return(f"many{middle}")),
        "returns by tracking number": lambda: _found(reading.find_return(f"1ZBmany{middle}")),
    }
    return [_time(engine, orders, what, look) for what, look in looks.items()]


def _found(returns: list[Any]) -> None:
    if len(returns) != 1:
        raise LookupError(f"{len(returns)} returns are found, and not one")


def _time(engine: Engine, orders: int, what: str, look: Callable[[], object]) -> Listing:
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    look()
    event.listen(engine, "before_cursor_execute", note)
    look()
    event.remove(engine, "before_cursor_execute", note)
    whole = [_ms(look) for _ in range(_EACH)]
    with engine.connect() as connection:
        sql = [_ms(lambda: _run(connection, statements)) for _ in range(_EACH)]
    return Listing(orders=orders, what=what, sql_ms=statistics.median(sql), whole_ms=statistics.median(whole))


def _run(connection: Connection, statements: list[tuple[str, Any]]) -> None:
    """What the look asked of the database, with all rows, and nothing made of them."""
    for statement, parameters in statements:
        result = connection.exec_driver_sql(statement, parameters)
        if result.returns_rows:
            result.fetchall()


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
