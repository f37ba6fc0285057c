"""The bench runs from end to end and says all that it should; no time is ever compared."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bench import report
from bench.measurements import Measurements, kept
from starter.ops.processes import Child

pytestmark = pytest.mark.proof

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 15 * float(os.environ.get("BACKHAUL_TEST_PATIENCE", "20"))


@pytest.fixture(scope="module")
async def measured(tmp_path_factory: pytest.TempPathFactory) -> Measurements:
    """What a quick bench of one round and three cases has kept."""
    folder = tmp_path_factory.mktemp("bench")
    numbers = folder / "numbers.json"
    options = ["--quick", "--rounds", "1", "--cases", "3", "--no-docs", "--json", str(numbers)]
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    bench = await Child.start("bench", [sys.executable, "-m", "bench", *options], environment, folder / "log")
    try:
        async with asyncio.timeout(PATIENCE):
            code = await bench.wait()
    finally:
        await bench.stop(30)
    assert code == 0, bench.log.read_text()[-3000:]
    assert not list(folder.glob("bench-*")), "its folder is removed"
    return kept(numbers)


async def test_counts_both_sides_of_each_case(measured: Measurements) -> None:
    assert {(one.case, one.worker) for one in measured.rounds} == {
        (case, worker) for case in ("order", "return") for worker in ("backhaul", "bare")
    }
    for pair in (measured.order, measured.returns):
        for side in (pair.backhaul, pair.bare):
            assert side.actions == sum(side.kinds.values()) > 0
            assert side.events > side.actions
            assert side.statements > 0
            assert side.history_bytes > 0


async def test_bare_cases_do_the_same_as_ours(measured: Measurements) -> None:
    """Else the comparison compares nothing: who changes a procedure changes `bench/bare_workflows.py` with it."""
    assert measured.order.backhaul.kinds == measured.order.bare.kinds
    assert measured.returns.backhaul.kinds == measured.returns.bare.kinds


async def test_names_each_action(measured: Measurements) -> None:
    costs = [*measured.order_costs["backhaul"], *measured.return_costs["backhaul"]]
    assert len(costs) == 4, "an order, a return and its two refunds"
    for cost in costs:
        for action in cost.actions:
            assert action.name, action
            assert action.says or action.kind in ("update", "signal"), action


async def test_writes_the_numbers_between_the_marks(measured: Measurements, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"above\n\n{report.BEGIN}\nold\n{report.END}\n\nbelow\n")
    report.write_document(measured, page)
    written = page.read_text()
    assert written.startswith("above\n")
    assert written.endswith("\nbelow\n")
    assert "old" not in written
    assert "| billable actions |" in written
    assert "`capture_charge`" in written
