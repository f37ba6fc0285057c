"""After a reset the database follows the newer run; what the older one still writes late comes to nothing."""

import dataclasses
from datetime import timedelta

from temporalio.testing import ActivityEnvironment

from activities.database.views import Standing
from models.case import CaseRecord
from models.records import SaveCase, Saved, SaveOrder
from tests.database.story import NOON, Story, case_record

CASE = "order-1001"


def written(story: Story, record: CaseRecord, by: str, minute: int) -> bool:
    """Written down by this run, which asked for it at this minute; whether it was the newest."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        environment.info, workflow_run_id=by, scheduled_time=NOON + timedelta(minutes=minute), is_local=False
    )
    saved: Saved = environment.run(story.database.save_case, SaveCase(record=record))
    return saved.is_newest


def order_saved(story: Story, stage: str, minute: int) -> bool:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        environment.info, workflow_run_id="run-1", scheduled_time=NOON + timedelta(minutes=minute), is_local=False
    )
    record = case_record(CASE, stage)
    ask = SaveOrder(order_id="1001", record=record, cancel_until=None, handoff_due=None, handed_off_at=None)
    saved: Saved = environment.run(story.database.save_order, ask)
    return saved.is_newest


def stage(story: Story) -> str:
    standing = story.reading.standing(CASE)
    assert isinstance(standing, Standing)
    return standing.stage


def told(story: Story) -> list[str]:
    return [step.what for step in story.reading.timeline(CASE)]


def test_NTF_3_after_a_reset_the_newer_run_counts_though_its_timeline_is_shorter(story: Story) -> None:
    written(story, case_record(CASE, "placing", "received", "charged", "bought"), "run-1", 1)
    written(story, case_record(CASE, "received", "received"), "run-2", 2)
    assert stage(story) == "received"


def test_NTF_3_a_write_of_the_run_before_the_reset_that_comes_late_does_not_count(story: Story) -> None:
    written(story, case_record(CASE, "received", "received"), "run-2", 2)
    written(story, case_record(CASE, "placing", "received", "charged", "bought"), "run-1", 1)
    assert stage(story) == "received"
    written(story, case_record(CASE, "cancel_window", "charged again", first=1), "run-2", 3)
    assert stage(story) == "cancel_window"


def test_NTF_3_steps_of_both_runs_are_kept_each_once(story: Story) -> None:
    written(story, case_record(CASE, "cancel_window", "received", "charged"), "run-1", 1)
    again = case_record(CASE, "on_hold", "received", "put on hold")
    for _ in range(2):
        written(story, again, "run-2", 2)
    assert sorted(told(story)) == ["charged", "put on hold", "received"]


def test_NTF_3_a_write_of_a_run_that_was_terminated_does_not_turn_the_next_one_back(story: Story) -> None:
    next_run = case_record(CASE, "shipped", "sent", run_id="run-2", ended=True)
    written(story, next_run, "run-2", 2)
    written(story, case_record(CASE, "placing", "sent"), "run-1", 1)
    assert stage(story) == "shipped"


def test_NTF_9_whoever_writes_late_is_told_so(story: Story) -> None:
    assert written(story, case_record(CASE, "received", "received"), "run-1", 2)
    assert not written(story, case_record(CASE, "placing", "received", "charged"), "run-1", 1)
    assert written(story, case_record(CASE, "placing", "received", "charged"), "run-1", 2), "a later try of it"
    assert stage(story) == "placing"


def test_NTF_9_whoever_writes_an_order_late_is_told_so(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    saves = [
        order_saved(story, stage, minute) for stage, minute in (("placing", 2), ("received", 1), ("shipped", 3))
    ]
    assert saves == [True, False, True]
    assert stage(story) == "shipped"
