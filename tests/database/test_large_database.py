"""The large database of the bench holds what its questions ask for: a measure of nothing is quick."""

from pathlib import Path

from activities.database import Reading, upgrade
from activities.database.engines import make_engine
from bench.database_lists import questions, reports
from bench.large_database import fill

ORDERS = 200
EMPTY = {
    "list orders --stage on_hold",
    "list orders --seller s39",
    "list orders --seller s0 --stage placing",
    "list orders --due-before",
    "return find nothing",
}


def test_each_question_finds_what_it_asks_for(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'large.db'}")
    upgrade(engine)
    fill(engine, ORDERS)
    found = {name: len(ask()) for name, ask in questions(Reading(engine), ORDERS)}
    reported = {name: len(ask()) for name, ask in reports(engine)}
    engine.dispose()
    assert reported.pop("report sla --seller s0") < reported["report sla"]
    assert all(reported.values())
    assert {name for name, rows in found.items() if not rows} == EMPTY
    assert {rows for name, rows in found.items() if name.startswith("return find") and rows} == {1}
