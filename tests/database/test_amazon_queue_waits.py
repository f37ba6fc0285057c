"""Whom an entry of the queue to Amazon waits for, and with which command it goes on (AMZ-5, AMZ-7)."""

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, col

from activities.database.amazon_queue_waits import changed_by_opening
from activities.database.transactions import write
from models.amazon.batches import ChannelBatchRequest
from models.amazon.queue import QueueKind, QueueState
from models.case import Who
from models.refunds import HeldUp
from models.tables import AmazonQueueRow
from tests.amazon_account import amazon
from tests.database.amazon_story import AmazonStory
from tests.database.story import Story


@pytest.fixture
def at(story: Story, engine: Engine) -> AmazonStory:
    return AmazonStory(story, engine, queue="true")


def becomes(at: AmazonStory, options: dict[str, str], *, active: bool = True) -> None:
    at.story.connections.put([amazon(options=options, active=active)])


def held_up(at: AmazonStory) -> HeldUp | None:
    answer = at.stands("RF-1")
    assert answer.state == "pending"
    return answer.held_up


def words(at: AmazonStory) -> tuple[Who, str]:
    held = held_up(at)
    assert held is not None
    return held.who, held.what


def changed(at: AmazonStory, **values: object) -> None:
    def change(session: Session) -> None:
        session.execute(update(AmazonQueueRow).where(col(AmazonQueueRow.entry_id) == "RF-1").values(**values))

    write(at.engine, change)


def told(at: AmazonStory, batch_id: str = "B-1", *, no_account: bool = False) -> list[str]:
    request = ChannelBatchRequest(
        batch_id=batch_id, connection_id="amazon-acme", kind=QueueKind.REFUND, requested_by="seller:jane"
    )
    rows = write(at.engine, lambda session: changed_by_opening(session, request, no_account=no_account))
    return [row.entry_id for row in rows]


def test_AMZ_5_what_is_queued_waits_for_the_seller_who_processes_or_rejects_it(at: AmazonStory) -> None:
    held = at.queued("RF-1").held_up
    assert held is not None
    assert (held.by, held.who) == ("queue", Who.SELLER)
    assert held.what.startswith("process or reject it: backhaul amazon queue process --select RF-1, or: ")
    assert "backhaul amazon queue reject --select RF-1 --reason ..." in held.what


@pytest.mark.parametrize("settings", [{"queue": "false"}, {"queue": "true", "auto_submit": "true"}])
def test_AMZ_6_what_goes_by_itself_waits_for_nobody(at: AmazonStory, settings: dict[str, str]) -> None:
    becomes(at, settings)
    assert at.queued("RF-1").held_up is None


def test_AMZ_5_while_its_account_is_inactive_staff_make_it_active(at: AmazonStory) -> None:
    at.queued("RF-1")
    becomes(at, {"queue": "true"}, active=False)
    who, what = words(at)
    assert who is Who.STAFF
    assert what.startswith(
        "amazon-acme is not active: backhaul connection set amazon-acme active=true; then backhaul"
    )
    assert told(at, no_account=True) == ["RF-1"]
    becomes(at, {"queue": "false"}, active=False)
    assert words(at)[1].endswith("active=true; it goes by itself then")


def test_AMZ_7_what_amazon_refused_waits_with_its_reason(at: AmazonStory) -> None:
    at.queued("RF-1")
    changed(at, state=QueueState.REFUSED, reason="18021: too much", told_before=True)
    assert words(at)[0] is Who.SELLER
    assert words(at)[1].startswith(
        "send it again or reject it: Amazon did not take it (18021: too much): backhaul"
    )


def test_AMZ_7_what_was_kept_back_waits_with_its_reason_and_its_refund_hears_it(at: AmazonStory) -> None:
    at.queued("RF-1")
    changed(at, state=QueueState.REFUSED, reason="a promotion was used", examined_by="B-1")
    assert words(at)[1].startswith("send it or reject it: it was kept back (a promotion was used): backhaul")
    assert told(at) == ["RF-1"]


def test_AMZ_5_in_a_document_it_waits_for_nobody_and_its_refund_hears_it(at: AmazonStory) -> None:
    at.queued("RF-1")
    at.queued("RF-2")
    at.opened("B-1", "RF-1")
    assert held_up(at) is None
    assert told(at) == ["RF-1"]
