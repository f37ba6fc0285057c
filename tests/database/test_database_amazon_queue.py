"""The queue to Amazon in the database: each refund once, rejected by a person while it waits (AMZ-5, AMZ-7)."""

import json

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, col
from typer.testing import CliRunner

from activities.database.amazon_queue import AmazonQueue, QueueFilter, queue_refund
from activities.database.transactions import write
from models.amazon.batches import BatchState
from models.amazon.queue import WAITING, QueueKind, QueueRefund, QueueState
from models.failures import Conflict, NotFound
from models.partners import RefundAnswer
from models.tables import AmazonBatchRow, AmazonQueueRow
from starter.cli import queue_to_amazon
from starter.cli.assembly import app
from tests.amazon_account import amazon
from tests.database.story import NOON, Story


@pytest.fixture
def queue(story: Story, engine: Engine) -> AmazonQueue:
    """Two refunds of order 1001 wait."""
    story.ordered(("A", 2, "50.00"), channel="amazon", channel_order_id="111-1234567-1234567")
    story.connections.put([amazon()])
    for refund_id in ("RF-1", "RF-2"):
        story.refunding(refund_id, "10.00")
        asked(engine, refund_id)
    return AmazonQueue(engine)


def asked(engine: Engine, refund_id: str, *, only_look: bool = False) -> RefundAnswer:
    ask = QueueRefund(refund_id=refund_id, connection_id="amazon-acme", at=NOON, only_look=only_look)
    return write(engine, lambda session: queue_refund(session, ask))


def stands(
    engine: Engine,
    state: QueueState,
    entry_id: str = "RF-1",
    reason: str | None = None,
    *,
    told_before: bool = False,
) -> None:
    """Without a batch, as far as the database takes that."""
    row = update(AmazonQueueRow).where(col(AmazonQueueRow.entry_id) == entry_id)

    def change(session: Session) -> None:
        session.execute(row.values(state=state, reason=reason, told_before=told_before))

    write(engine, change)


def sent(engine: Engine, entry_id: str) -> None:
    batch = AmazonBatchRow(
        batch_id="B-1",
        workflow_id="batch-B-1",
        connection_id="amazon-acme",
        kind=QueueKind.REFUND,
        number=7,
        state=BatchState.SENT,
        messages=1,
        requested_by="seller:jane",
        document_id="D-1",
        feed_id="1",
        opened_at=NOON,
    )
    row = update(AmazonQueueRow).where(col(AmazonQueueRow.entry_id) == entry_id)
    of_batch = {"state": "sent", "batch_id": "B-1", "message_id": 1, "content": {}}

    def send(session: Session) -> None:
        session.add(batch)
        session.flush()
        session.execute(row.values(of_batch))

    write(engine, send)


def test_AMZ_5_a_refund_stands_in_the_queue_once_and_is_listed_by_company_and_kind(
    queue: AmazonQueue, engine: Engine
) -> None:
    again = asked(engine, "RF-1")
    assert (again.state, again.gateway_refund_id, again.reason) == ("pending", "RF-1", "in the queue for Amazon")
    found = queue.find(QueueFilter("acme", QueueKind.REFUND))
    assert [(one.entry_id, str(one.amount), one.channel_order_id) for one in found] == [
        ("RF-1", "10.00", "111-1234567-1234567"),
        ("RF-2", "10.00", "111-1234567-1234567"),
    ]
    assert (found[0].document, found[0].batch_id) == (None, None)
    assert queue.find(QueueFilter("acme", QueueKind.CANCELLATION)) == queue.find(QueueFilter("other")) == []


def test_AMZ_5_looking_puts_nothing_into_the_queue(queue: AmazonQueue, story: Story, engine: Engine) -> None:
    story.refunding("RF-3", "1.00")
    assert asked(engine, "RF-3", only_look=True).state == "none"
    assert len(queue.find(QueueFilter(every=True))) == 2
    with pytest.raises(Exception, match="no refund RF-9"):
        asked(engine, "RF-9")


def test_AMZ_5_a_person_rejects_what_waits_with_the_reason(queue: AmazonQueue, engine: Engine) -> None:
    queue.reject(["RF-1"], "seller:jane", "done in Seller Central")
    queue.reject(["RF-1"], "seller:tom", "again")
    answer = asked(engine, "RF-1", only_look=True)
    assert (answer.state, answer.reason) == ("refused", "rejected by seller:jane: done in Seller Central")
    assert [one.entry_id for one in queue.find(QueueFilter())] == ["RF-2"]
    assert [one.state for one in queue.find(QueueFilter(every=True))] == [QueueState.REJECTED, QueueState.QUEUED]


def test_AMZ_7_what_amazon_refused_is_pending_until_a_person_rejects_it(
    queue: AmazonQueue, engine: Engine
) -> None:
    stands(engine, QueueState.REFUSED, reason="18021: too much", told_before=True)
    answer = asked(engine, "RF-1", only_look=True)
    assert (answer.state, answer.reason) == ("pending", "Amazon did not take it: 18021: too much")
    stands(engine, QueueState.REFUSED, "RF-2", reason="paid on delivery")
    kept_back = asked(engine, "RF-2", only_look=True)
    assert (kept_back.state, kept_back.reason) == ("pending", "it waits for a person: paid on delivery")
    queue.reject(["RF-1"], "seller:jane", "no")
    assert asked(engine, "RF-1").state == "refused"


def test_AMZ_7_all_are_rejected_or_none_and_nothing_that_is_on_its_way(queue: AmazonQueue, engine: Engine) -> None:
    with pytest.raises(NotFound, match="RF-9 is not in the queue"):
        queue.reject(["RF-1", "RF-9"], "seller:jane", "no")
    sent(engine, "RF-2")
    with pytest.raises(Conflict, match=r"RF-2 is sent \(batch B-1\)"):
        queue.reject(["RF-1", "RF-2"], "seller:jane", "no")
    assert [one.state for one in queue.find(QueueFilter())] == [QueueState.QUEUED, QueueState.SENT]


def test_AMZ_5_all_that_waits_is_found_behind_any_number_that_does_not(
    queue: AmazonQueue, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_to_amazon, "MOST_CHOSEN", 1)
    sent(engine, "RF-1")
    every = queue_to_amazon.Choice((), every=True, seller=None, kind=None)
    assert [one.entry_id for one in every.found(queue, WAITING)] == ["RF-2"]
    assert [one.entry_id for one in every.found(queue, (QueueState.QUEUED,))] == ["RF-2"]
    stands(engine, QueueState.REFUSED, "RF-2", "18021: too much")
    assert every.found(queue, (QueueState.QUEUED,)) == []


def test_AMZ_5_the_queue_is_listed_on_the_command_line(
    queue: AmazonQueue, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With document number and batch."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    sent(engine, "RF-2")
    told = CliRunner().invoke(app, ["amazon", "queue", "list", "--seller", "acme", "--json"])
    rows = [(row["entry_id"], row["state"], row["document"], row["batch_id"]) for row in json.loads(told.stdout)]
    assert rows == [("RF-1", "queued", None, None), ("RF-2", "sent", 7, "B-1")]
    table = CliRunner().invoke(app, ["amazon", "queue", "list", "--kind", "refund"]).stdout
    assert "111-1234567-1234567" in table
    assert "10.00 USD" in table
    none = CliRunner().invoke(app, ["amazon", "queue", "list", "--kind", "cancellation"])
    assert none.stdout.strip() == "nothing found"
