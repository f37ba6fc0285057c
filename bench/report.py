"""The numbers for people: on the terminal, and between the marks of `docs/performance.md`."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bench.database_lists import ORDERS
from bench.histories import Cost
from bench.measurements import Cliffs, Measured, Measurements, Pair, Spread, Took

DOCUMENT: Final = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN: Final = "<!-- numbers: written by `make bench` -->"
END: Final = "<!-- end of the numbers -->"

Row = Sequence[str]


def table(measured: Measurements) -> str:
    """All but the single actions, as text of fixed width."""
    parts = [("", _about(measured))]
    parts += [(title, _fixed(rows)) for title, rows in _tables(measured)]
    return "\n".join(f"\n{title}\n{body}" if title else body for title, body in parts)


def write_document(measured: Measurements, path: Path = DOCUMENT) -> None:
    """Put the numbers between the marks; the text round them stays. Raises ValueError without the marks."""
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path} has no marks for the numbers: {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n\n{_markdown(measured)}\n{END}{after}")


def _markdown(measured: Measurements) -> str:
    parts = [_about(measured)]
    parts += [f"### {title}\n\n{_marked_down(rows)}" for title, rows in _tables(measured)]
    parts.append(f"### Every billable action\n\n{measured.definition}")
    for title, costs in (("order", measured.order_costs), ("return", measured.return_costs)):
        parts += [f"#### {_title(title, cost)}\n\n{_marked_down(_actions(cost))}" for cost in costs["backhaul"]]
    return "\n\n".join(parts) + "\n"


def _about(measured: Measurements) -> str:
    about = measured.about
    return (
        f"Measured {about.at} at commit {about.commit}: Python {about.python}, Temporal SDK {about.sdk}, "
        f"{about.server}, {about.processors} processors ({about.processor}), load {about.load_before:.1f} before. "
        f"{about.rounds} rounds of {about.cases} orders and {about.cases} returns on each worker, "
        f"{about.at_once} at a time, cancel window {about.cancel_window_seconds:g} s."
    )


def _tables(measured: Measurements) -> list[tuple[str, list[Row]]]:
    tables = [
        ("A happy order", _pair(measured.order)),
        ("A happy return with both refunds", _pair(measured.returns)),
    ]
    if measured.open_cases:
        tables.append(("Open cases: orders that wait for their release", _open_cases(measured)))
    if measured.replays or measured.starts:
        tables.append(("Starting, and coming back to memory", _starts(measured)))
    if measured.cliffs:
        tables += _cliffs(measured.cliffs)
    return tables


# ---- Backhaul beside bare ----


def _pair(pair: Pair) -> list[Row]:
    ours, bare = pair.backhaul, pair.bare
    return [
        ("", "Backhaul", "bare", "ratio"),
        ("worker CPU, ms", _around(ours.worker_ms), _around(bare.worker_ms), _ratio(pair.worker_ratio)),
        ("server CPU, ms", _around(ours.server_ms), _around(bare.server_ms), _ratio(pair.server_ratio)),
        ("cases per second", _around(ours.per_second), _around(bare.per_second), ""),
        ("update, median, ms", f"{ours.update_p50_ms:.0f}", f"{bare.update_p50_ms:.0f}", ""),
        ("update, 99 of 100 within, ms", f"{ours.update_p99_ms:.0f}", f"{bare.update_p99_ms:.0f}", ""),
        _counted("billable actions", ours.actions, bare.actions),
        *_kinds(ours, bare),
        _counted("events", ours.events, bare.events),
        _counted("workflow tasks", ours.workflow_tasks, bare.workflow_tasks),
        _counted("history, bytes", ours.history_bytes, bare.history_bytes),
        _counted("SQL statements", ours.statements, bare.statements),
    ]


def _kinds(ours: Measured, bare: Measured) -> Iterable[Row]:
    for kind in dict.fromkeys([*ours.kinds, *bare.kinds]):
        yield f"- {kind}", f"{ours.kinds.get(kind, 0)}", f"{bare.kinds.get(kind, 0)}", ""


def _counted(what: str, ours: int, bare: int) -> Row:
    return what, f"{ours:,}", f"{bare:,}", f"{ours / bare:.2f}" if bare else ""


def _around(spread: Spread) -> str:
    return f"{spread.median:.1f} ({spread.low:.1f} to {spread.high:.1f})"


def _ratio(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f} to {spread.high:.2f})"


# ---- what stands, what starts ----


def _open_cases(measured: Measurements) -> list[Row]:
    head = ("open", "worker", "memory each, kB", "Temporal's database each, kB", "SQL each, kB", "query, ms")
    rows = [
        (
            f"{one.cases:,}",
            one.worker,
            f"{one.memory_kb:.0f}",
            f"{one.temporal_kb:.1f}",
            f"{one.books_kb:.1f}",
            f"{one.query_p50_ms:.0f}",
        )
        for one in measured.open_cases
    ]
    return [head, *rows]


def _starts(measured: Measurements) -> list[Row]:
    took: dict[str, Took] = {}
    if (replays := measured.replays) is not None:
        took |= {
            "cold replay of the order": replays.order,
            "cold replay of the return": replays.returns,
            "cold replay of a refund": replays.refund,
        }
    if (starts := measured.starts) is not None:
        took |= {"`backhaul worker` until it is ready": starts.worker, "`backhaul --help`": starts.help}
    return [
        ("what", "CPU, ms", "by the clock, ms"),
        *((what, f"{one.cpu_ms:.0f}", f"{one.clock_ms:.0f}") for what, one in took.items()),
    ]


# ---- cliffs ----


def _cliffs(cliffs: Cliffs) -> list[tuple[str, list[Row]]]:
    tables: list[tuple[str, list[Row]]] = []
    if cliffs.sourcing:
        rows = [
            (
                f"{one.lines} lines x {one.warehouses} warehouses",
                f"{one.seconds:.1f}" if one.seconds is not None else f"never: {one.stuck_at}",
                f"{one.history_bytes:,}",
            )
            for one in cliffs.sourcing
        ]
        head = ("order", "with its suppliers after, s", "history, bytes")
        tables.append(("Sourcing", [head, *rows]))
    if (hanging := cliffs.hanging) is not None:
        rows_ = [
            ("a new order is in the database after", "median, s", "longest, s"),
            _waited("nothing hangs", hanging.undisturbed_seconds),
            _waited(f"{hanging.calls} calls to a supplier hang", hanging.seconds),
        ]
        tables.append(("A supplier that hangs", rows_))
    if (first := cliffs.first_try) is not None:
        calls = [(call, f"{times}") for call, times in sorted(first.calls.items())]
        title = f"Calls of the gateway for an order's charge, beside {first.payments:,} payments of others"
        tables.append((title, [("call", "times"), *calls]))
    if cliffs.lists:
        listed = [(one.question, f"{one.ms:.2f}", f"{one.slowest_ms:.2f}") for one in cliffs.lists]
        title = f"Lists and look-ups in a database of {ORDERS:,} orders"
        tables.append((title, [("question", "SQL, ms", "the slowest, ms"), *listed]))
    return tables


def _waited(what: str, seconds: list[float]) -> Row:
    return what, f"{sorted(seconds)[len(seconds) // 2]:.2f}", f"{max(seconds):.2f}"


# ---- each action ----


def _title(case: str, cost: Cost) -> str:
    name = "Its refund" if cost.workflow_id.startswith("refund-") else f"The {case}"
    which = cost.workflow_id.rpartition("-")[2]
    whose = {"S1": " of the seller", "B1": " of the buyer"}.get(which, "") if name == "Its refund" else ""
    return f"{name}{whose}: {len(cost.actions)} actions"


def _actions(cost: Cost) -> list[Row]:
    rows = [
        (f"{number}", action.kind, f"`{action.name}`", action.says)
        for number, action in enumerate(cost.actions, 1)
    ]
    return [("", "action", "name", "what people read of it"), *rows]


# ---- tables ----


def _marked_down(rows: list[Row]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def _fixed(rows: list[Row]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
