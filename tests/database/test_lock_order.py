"""One order of locks, for all who write (docs/database.md): nobody waits for somebody who waits for it."""

from sqlalchemy import Engine, select, update
from sqlmodel import Session, col

from models.tables import CaseRow, OrderRow
from tests.database.full_database import everything
from tests.database.lock_order import Mode, Row, recorded
from tests.database.story import Story

ORDER, FILE = Row("orders", "1001"), Row("case_file", "refund-RF-1")


def test_all_who_write_an_order_and_what_comes_of_it_lock_in_one_order(engine: Engine) -> None:
    with recorded(engine) as recorder:
        everything(Story(engine).with_parties(), engine)
    assert len(recorder.found) > 20
    tables = {row.table for locks in recorder.found for row, _ in locks}
    assert tables >= {"orders", "case_file", "refund", "returns", "charge", "credit_memo", "claim", "ledger_line"}
    assert recorder.inversions() == []


def test_what_is_locked_the_other_way_round_is_seen(engine: Engine, story: Story) -> None:
    story.ordered(("A", 1, "50.00"))
    lock = select(OrderRow).where(col(OrderRow.order_id) == "1001").with_for_update()
    write = update(CaseRow).where(col(CaseRow.workflow_id) == "refund-RF-1").values(stage="sending")
    with recorded(engine) as recorder:
        for statements in ((lock, write), (write, lock)):
            with Session(engine) as session, session.begin():
                for statement in statements:
                    session.execute(statement)
    assert set(recorder.found) == {
        ((ORDER, Mode.ALONE), (FILE, Mode.WRITE)),
        ((FILE, Mode.WRITE), (ORDER, Mode.ALONE)),
    }
    assert len(recorder.inversions()) == 1


def test_whoever_waits_for_the_same_row_before_does_not_count(engine: Engine, story: Story) -> None:
    story.ordered(("A", 1, "50.00"))
    lock = select(OrderRow).where(col(OrderRow.order_id) == "1001").with_for_update()
    one, other = (
        update(CaseRow).where(col(CaseRow.workflow_id) == name).values(stage="sending")
        for name in ("refund-A", "refund-B")
    )
    with recorded(engine) as recorder:
        for statements in ((lock, one, other), (lock, other, one)):
            with Session(engine) as session, session.begin():
                for statement in statements:
                    session.execute(statement)
    assert recorder.inversions() == []
