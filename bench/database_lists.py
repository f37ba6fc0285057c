"""How long lists and look-ups take in a large database: `python -m bench.database_lists [--orders N] [--url URL]`.

Makes the database (a SQLite file that is deleted afterwards, or the one at URL, which must be empty), then asks
each question some times and shows the milliseconds of SQL, the median and the slowest, with the plan of each
statement that takes longer than the aim: 5 ms, a second for a report.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, event

from activities.database import Reading, upgrade
from activities.database.engines import make_engine
from activities.database.money_report import Period
from activities.database.reports import Reports
from bench.large_database import NOW, RETURNED, fill

ORDERS: Final = 200_000
AIM_MS: Final = 5.0
REPORT_AIM_MS: Final = 1000.0
TIMES: Final = 15


def say(*lines: str) -> None:
    sys.stdout.write("\n    ".join(lines) + "\n")


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


def reports(engine: Engine) -> Iterator[tuple[str, Callable[[], Any]]]:
    """They look at all that is open, and add up all that moved."""
    asked = Reports(engine)
    yield "report sla", lambda: asked.sla().rows
    yield "report sla --seller s0", lambda: asked.sla(seller="s0").rows
    yield "report money", lambda: asked.money().sellers
    yield "report money --seller s0", lambda: asked.money(seller="s0").sellers
    month = Period(since=NOW - timedelta(days=30))
    yield "report money --since 30d", lambda: asked.money(period=month).sellers
    yield "report page", lambda: asked.figures().ageing


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
    for name, ask in [*questions(reading, orders), *reports(engine)]:
        asked.statements = []
        rows = len(ask())
        times = [asked.milliseconds() for _ in range(TIMES)]
        found.append((name, statistics.median(times), max(times), rows))
        if statistics.median(times) > aim_of(name):
            for statement, parameters in list(asked.statements):
                say(name, *_plan(engine, statement, parameters))
    return found


def aim_of(question: str) -> float:
    return REPORT_AIM_MS if question.startswith("report") else AIM_MS


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
        mark = " !" if milliseconds > aim_of(name) else ""
        say(f"{name:<50} {milliseconds:8.2f} {slowest:8.2f} {rows:5}{mark}")


if __name__ == "__main__":
    main()
