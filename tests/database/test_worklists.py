"""Worklists: each is a range of its own small index, and a number for monitoring (NTF-6)."""

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session

from models.case import CaseRecord, Custody, MoneyState, OrderStage, RefundStage, ReturnStage
from models.records import SaveCase
from models.tables import CaseRow
from models.worklists import WORKLISTS, Work
from tests.database.story import NOON, Story, case_record


def record(number: int, *work: Work, stage: str = "awaiting_approval", ended: bool = False) -> CaseRecord:
    standing = case_record(f"return-RR-{number}", stage, "opened", ended=ended)
    return standing.model_copy(
        update={"work": work, "custody": Custody.WITH_BUYER, "money": MoneyState.NONE, "due_by": NOON}
    )


def save(story: Story, *records: CaseRecord) -> None:
    for one in records:
        story.database.save_case(SaveCase(record=one))


def test_NTF_6_a_case_stands_in_each_of_its_worklists_and_in_no_other(story: Story) -> None:
    save(
        story,
        record(1, Work.TO_APPROVE),
        record(2, Work.TO_APPROVE, Work.PROMISES_AT_RISK),
        record(3),
    )
    found = {work: [row.standing.workflow_id for row in story.reading.find_work(work)] for work in Work}
    assert found.pop(Work.TO_APPROVE) == ["return-RR-1", "return-RR-2"]
    assert found.pop(Work.PROMISES_AT_RISK) == ["return-RR-2"]
    assert not any(found.values())


def test_NTF_6_work_that_is_done_leaves_the_list(story: Story) -> None:
    save(story, record(1, Work.TO_APPROVE))
    later = record(1, stage="awaiting_tracking").model_copy(update={"first_step": 1})
    save(story, later)
    assert story.reading.find_work(Work.TO_APPROVE) == []
    assert story.reading.count_work()[Work.TO_APPROVE] == 0


def test_NTF_6_each_worklist_is_counted_the_empty_ones_too(story: Story) -> None:
    save(story, *(record(number, Work.MONEY_IN_DOUBT) for number in range(3)), record(9, Work.TO_APPROVE))
    expected = dict.fromkeys(Work, 0) | {Work.MONEY_IN_DOUBT: 3, Work.TO_APPROVE: 1}
    assert story.reading.count_work() == expected


def test_NTF_6_a_worklist_comes_page_by_page_and_by_seller(story: Story) -> None:
    save(story, *(record(number, Work.TO_APPROVE) for number in range(5)))
    first = story.reading.find_work(Work.TO_APPROVE, limit=2)
    rest = story.reading.find_work(Work.TO_APPROVE, after=first[-1].standing.cursor)
    assert len({row.standing.workflow_id for row in (*first, *rest)}) == 5
    assert story.reading.find_work(Work.TO_APPROVE, seller="nobody") == []


def test_NTF_5_where_goods_and_money_are_is_kept(story: Story) -> None:
    save(story, record(1, Work.TO_APPROVE))
    (row,) = story.reading.find_work(Work.TO_APPROVE)
    assert (row.standing.custody, row.standing.money) == (Custody.WITH_BUYER, MoneyState.NONE)
    assert row.standing.work == (Work.TO_APPROVE,)


@pytest.mark.parametrize("work", list(Work))
def test_NTF_6_a_worklist_is_read_from_its_own_index(story: Story, engine: Engine, work: Work) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("of SQLite")
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    story.reading.find_work(work)
    event.remove(engine, "before_cursor_execute", note)
    (statement,) = [one for one in asked if one.startswith("SELECT")]
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", (50, 0)).fetchall()
    assert f"ix_case_file_work_{work.value}" in str(plan), plan


def test_NTF_6_every_worklist_has_a_question_and_says_what_to_do() -> None:
    assert list(WORKLISTS) == list(Work)
    for one in WORKLISTS.values():
        assert f'Work="{one.work.value}"' in one.query
        assert one.query.endswith(' AND ExecutionStatus="Running"')
        assert one.question
        assert one.to_do
        link = one.link("http://ui.example/", "a b")
        assert link.startswith("http://ui.example/namespaces/a%20b/workflows?query=")


@pytest.mark.parametrize("kind", ["order", "return", "refund"])
def test_NTF_6_a_case_that_could_not_be_opened_takes_nothing_over_from_one_that_was(
    story: Story, engine: Engine, kind: str
) -> None:
    """Started a second time under its id, while our own code can't look who has it."""
    stage = {"order": "shipped", "return": "completed", "refund": "succeeded"}[kind]
    first = case_record(f"{kind}-7", stage, "opened", "done", ended=True)
    second = case_record(
        f"{kind}-7", next(iter(FIRST[kind])), "it fails", run_id="run-2", work=(Work.FAULTS_OF_OURS,)
    )
    save(story, first)
    saved = story.database.save_case(SaveCase(record=second, is_opened=False))
    assert saved.is_newest, "it is not made again, and staff hear of no fault (NTF-9)"
    assert standing(engine, kind) == (stage, True)
    assert story.reading.find_work(Work.FAULTS_OF_OURS) == []


@pytest.mark.parametrize("kind", ["order", "return", "refund"])
def test_NTF_9_a_case_that_could_not_be_opened_is_listed_until_it_has_ended(
    story: Story, engine: Engine, kind: str
) -> None:
    begun = case_record(f"{kind}-7", next(iter(FIRST[kind])), "it fails", work=(Work.FAULTS_OF_OURS,))
    story.database.save_case(SaveCase(record=begun, is_opened=False))
    assert [row.standing.workflow_id for row in story.reading.find_work(Work.FAULTS_OF_OURS)] == [f"{kind}-7"]
    ended = case_record(f"{kind}-7", "refused", "it is refused", first=1, ended=True)
    story.database.save_case(SaveCase(record=ended, is_opened=False))
    assert standing(engine, kind) == ("refused", True)


FIRST = {"order": OrderStage, "return": ReturnStage, "refund": RefundStage}


def standing(engine: Engine, kind: str) -> tuple[str, bool]:
    with Session(engine) as session:
        row = session.get(CaseRow, f"{kind}-7")
        assert row is not None
        return row.stage, row.ended
