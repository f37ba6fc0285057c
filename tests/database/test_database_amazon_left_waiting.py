"""What waits in the queue of an account that is active again goes by itself (AMZ-5, AMZ-6)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, col

from activities.database.amazon_left_waiting import left_waiting
from activities.database.transactions import read, write
from models.amazon.batches import BY_SCHEDULE, ChannelBatchRequest
from models.amazon.queue import QueueKind, QueueState
from models.tables import AmazonQueueRow
from tests.amazon_account import amazon
from tests.database.amazon_story import AmazonStory
from tests.database.story import NOON, Story

LATER = NOON + timedelta(minutes=6)


@pytest.fixture
def at(story: Story, engine: Engine) -> AmazonStory:
    """Nothing waits for people."""
    return AmazonStory(story, engine, queue="false")


def left(at: AmazonStory, moment: datetime = LATER) -> list[ChannelBatchRequest]:
    return read(at.engine, lambda session: left_waiting(session, moment))


def becomes(at: AmazonStory, options: dict[str, str], *, active: bool = True) -> None:
    at.story.connections.put([amazon(options=options, active=active)])


def changed(at: AmazonStory, entry_id: str, **values: object) -> None:
    def change(session: Session) -> None:
        session.execute(update(AmazonQueueRow).where(col(AmazonQueueRow.entry_id) == entry_id).values(**values))

    write(at.engine, change)


def test_AMZ_6_what_was_queued_while_the_account_was_inactive_goes_when_it_is_active_again(
    at: AmazonStory,
) -> None:
    at.queued("RF-1")
    becomes(at, {"queue": "false"}, active=False)
    assert at.opened("B-RF-1").no_account
    assert left(at) == []
    becomes(at, {"queue": "false"})
    (batch,) = left(at)
    assert (batch.connection_id, batch.kind, batch.entries) == ("amazon-acme", QueueKind.REFUND, ())
    assert batch.requested_by == BY_SCHEDULE
    assert at.opened(batch.batch_id).messages == 1
    assert left(at) == [], "it is under way"


def test_AMZ_6_what_was_queued_just_now_is_being_sent(at: AmazonStory) -> None:
    at.queued("RF-1")
    assert left(at, NOON + timedelta(minutes=4)) == []


def test_AMZ_6_an_account_has_one_try_in_each_pause(at: AmazonStory) -> None:
    at.queued("RF-1")
    moments = [NOON + timedelta(minutes=minutes) for minutes in (6, 29, 31)]
    first, second, third = [left(at, moment)[0].batch_id for moment in moments]
    assert first == second != third


@pytest.mark.parametrize("settings", [{}, {"auto_submit": "true"}], ids=["a person", "a schedule"])
def test_AMZ_5_what_waits_for_a_person_or_a_schedule_is_left_to_it(
    at: AmazonStory, settings: dict[str, str]
) -> None:
    at.queued("RF-1")
    becomes(at, {"queue": "true", **settings})
    assert left(at) == []


def test_AMZ_5_what_a_person_chose_goes_alone(at: AmazonStory) -> None:
    at.queued("RF-1")
    at.queued("RF-2")
    becomes(at, {"queue": "true"})
    changed(at, "RF-2", chosen=True)
    assert [one.entries for one in left(at)] == [("RF-2",)]


@pytest.mark.parametrize("state", [QueueState.REFUSED, QueueState.REJECTED])
def test_AMZ_7_what_amazon_or_a_person_refused_does_not_go_by_itself(at: AmazonStory, state: QueueState) -> None:
    at.queued("RF-1")
    changed(at, "RF-1", state=state, reason="18021")
    assert left(at) == []
