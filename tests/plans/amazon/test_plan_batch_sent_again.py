"""What was told Amazon before, on the plan alone: when its transactions are looked at (AMZ-11)."""

from models.amazon.batches import (
    BatchSettled,
    CreatedFeed,
    FeedStatus,
    FoundFeed,
    OpenedBatch,
    TransactionsSeen,
)
from models.failures import Category
from tests.plans.amazon.batch_rig import LOST, BatchRig
from tests.plans.rig import Troubled
from workflows.channel_batches.effects import (
    HandIn,
    LookAtTransactions,
    PutBack,
)
from workflows.channel_batches.view import projection, view
from workflows.engine.save import record_of

SENT_BEFORE = OpenedBatch(unexamined=("RF-1", "RF-2"))
COMPOSED = OpenedBatch(seller_id="acme", number=12, messages=2)


def test_AMZ_11_what_was_sent_before_is_looked_for_at_amazon_before_it_is_composed() -> None:
    batch = BatchRig(TakeEntries=[SENT_BEFORE, COMPOSED], LookAtTransactions=TransactionsSeen())
    batch.wait(seconds=15)
    assert batch.keys == ["open", "transactions:1", "open:2", "upload", "hand-in:1", "look:1", "read"]
    assert "Amazon shows nothing of 2 that may be sent again" in batch.steps
    assert batch.stage == "done"


def test_AMZ_11_what_moved_is_done_and_nothing_is_sent() -> None:
    nothing = OpenedBatch(reason="nothing that waits in the queue can be sent")
    batch = BatchRig(
        TakeEntries=[SENT_BEFORE, nothing], LookAtTransactions=TransactionsSeen(moved=("RF-1", "RF-2"))
    )
    assert batch.keys == ["open", "transactions:1", "open:2"]
    assert (batch.stage, batch.alerts) == ("done", [])
    assert batch.steps[-1] == "nothing is sent: Amazon shows that 2 moved already"


def test_AMZ_8_a_document_of_which_a_settlement_has_refunds_is_composed_anew_without_them() -> None:
    batch = BatchRig(HandIn=[CreatedFeed(outdated=True, left=1), CreatedFeed(feed_id="77")])
    batch.wait(seconds=15)
    assert batch.keys == ["open", "upload", "hand-in:1", "upload.2", "hand-in:1.2", "look:1", "read"]
    assert "1 of document 12 (2 refunds) stand in a settlement, or may have moved: not sent again" in batch.steps
    assert [one.ordinal for one in batch.begun if isinstance(one, HandIn)] == [1, 1], "nothing was tried yet"
    assert batch.stage == "done"


def test_AMZ_8_a_document_of_which_nothing_is_left_is_not_handed_in() -> None:
    batch = BatchRig(HandIn=CreatedFeed(outdated=True, left=0), PutBack=BatchSettled(done=2))
    assert batch.keys == ["open", "upload", "hand-in:1", "put-back"]
    assert (batch.stage, batch.alerts) == ("done", [])


def test_AMZ_11_what_may_have_moved_is_in_doubt_and_staff_are_told() -> None:
    batch = BatchRig(TakeEntries=[SENT_BEFORE, COMPOSED], LookAtTransactions=TransactionsSeen(held=("RF-2",)))
    assert batch.facts.held == ("RF-2",)
    batch.wait(seconds=15)
    assert "Amazon may have made 1 refund of amazon-acme already: look there, and record it of each" in str(
        batch.alerts
    )
    assert not any("can't be told Amazon" in one for one in batch.alerts)


def test_AMZ_11_what_amazon_may_show_late_is_not_sent_again_yet_also_when_it_is_named() -> None:
    nothing = OpenedBatch(reason="nothing that waits in the queue can be sent")
    seen = TransactionsSeen(early=("RF-1", "RF-2"))
    batch = BatchRig(TakeEntries=[SENT_BEFORE, nothing], LookAtTransactions=seen)
    assert batch.keys == ["open", "transactions:1", "open:2"]
    assert batch.facts.early == ("RF-1", "RF-2")
    assert not any("Amazon shows nothing of" in step for step in batch.steps)
    assert batch.stage == "refused"
    assert batch.steps[-1] == "nothing is sent: Amazon may show late what it did of 2"
    (told,) = batch.alerts
    assert "less than 48 hours ago, and may show late that it made them: send them again after that" in told
    other = BatchRig(TakeEntries=[SENT_BEFORE, COMPOSED], LookAtTransactions=TransactionsSeen(early=("RF-2",)))
    other.wait(seconds=15)
    assert (other.stage, "Amazon shows nothing of 1 that may be sent again" in other.steps) == ("done", True)


def test_AMZ_11_while_amazon_does_not_tell_its_transactions_nothing_is_sent_and_that_is_seen() -> None:
    silent = Troubled("Amazon does not answer", Category.PARTNER_UNAVAILABLE)
    batch = BatchRig(TakeEntries=SENT_BEFORE, LookAtTransactions=silent)
    assert batch.keys == ["open", "transactions:1"]
    assert (batch.stage, batch.plan.waits[0].who) == ("sending", "shop")
    assert "look what Amazon shows" in batch.plan.waits[0].what
    kept = projection(batch.facts, record_of(batch.facts, batch.plan, view(batch.facts, batch.plan), "sending"))
    assert kept is None, "the database has no such batch yet"
    batch.stop()
    assert (batch.stage, batch.steps[-1]) == ("stopped", "stopped by staff: nothing was taken out of the queue")


def test_AMZ_11_before_a_document_is_handed_in_again_its_orders_are_looked_at() -> None:
    seen = [TransactionsSeen(after=10), TransactionsSeen()]
    batch = BatchRig(HandIn=[LOST, CreatedFeed(feed_id="79")], LookAtTransactions=seen)
    batch.says(outcome="not_handed_in")
    batch.wait(hours=48)
    looks = [one for one in batch.begun if isinstance(one, LookAtTransactions)]
    assert [(one.key, one.after) for one in looks] == [("transactions:1", 0), ("transactions:2", 10)]
    assert batch.keys[-1] == "hand-in:2"


def test_AMZ_11_what_amazon_does_not_show_is_no_evidence_before_48_hours_have_gone_by() -> None:
    """Its transactions come so late: what arrived is not handed in once more in between."""
    batch = BatchRig(HandIn=[LOST, LOST, CreatedFeed(feed_id="79")])
    batch.wait(hours=1)
    batch.says(outcome="not_handed_in")
    batch.wait(hours=46, minutes=59)
    assert [key for key in batch.keys if key.startswith(("hand-in", "transactions"))] == ["hand-in:1"]
    assert batch.stage == "in_doubt"
    assert "2026-03-04 12:00 UTC" in batch.plan.waits[0].what
    assert batch.alerts[-1] == batch.plan.waits[0].what, "staff are told"
    batch.wait(minutes=1)
    assert [key for key in batch.keys if key.startswith(("hand-in", "transactions"))][-1] == "hand-in:2"
    batch.says(outcome="not_handed_in")
    batch.wait(hours=47, minutes=59)
    assert "hand-in:3" not in batch.keys, "counted from the last try"
    batch.wait(minutes=1)
    assert batch.keys[-1] == "hand-in:3"


def test_AMZ_10_while_it_waits_for_transactions_its_feed_is_looked_for_and_may_be_named() -> None:
    batch = BatchRig(HandIn=LOST, Find=[FoundFeed(), FoundFeed(feed_id="78")])
    batch.says(outcome="not_handed_in")
    batch.wait(minutes=3)
    assert (batch.stage, batch.facts.feed_id) == ("done", "78")
    named = BatchRig(HandIn=LOST, Look=FeedStatus(status="unknown"))
    named.says(outcome="not_handed_in")
    assert named.says(outcome="handed_in", feed_id="4771")
    named.wait(hours=72)
    assert (named.stage, "hand-in:2" in named.keys) == ("in_doubt", False), "the last word is that it arrived"


def test_AMZ_10_a_document_of_cancellations_waits_for_no_transactions() -> None:
    batch = BatchRig(HandIn=[LOST, CreatedFeed(feed_id="79")], kind="cancellation")
    batch.says(outcome="not_handed_in")
    assert batch.keys[-1] == "hand-in:2"


def test_AMZ_11_a_document_that_amazon_shows_refunds_of_is_not_handed_in_again() -> None:
    moved = TransactionsSeen(moved=("RF-1",))
    batch = BatchRig(HandIn=LOST, LookAtTransactions=moved, PutBack=BatchSettled(done=1, in_doubt=1))
    batch.says(outcome="not_handed_in")
    batch.wait(hours=48)
    assert (batch.stage, batch.plan.waits[0].who) == ("in_doubt", "staff")
    assert "it was said not to have arrived, and Amazon shows RF-1" in batch.alerts[-1]
    assert "hand-in:2" not in batch.keys
    batch.says(outcome="not_handed_in")
    (back,) = [one for one in batch.begun if isinstance(one, PutBack)]
    assert back.end == "in_doubt", "said once more, people look of each refund"
    assert "hand-in:2" not in batch.keys
    assert batch.is_over


def test_AMZ_11_the_feed_that_a_person_names_then_settles_it() -> None:
    batch = BatchRig(HandIn=LOST, LookAtTransactions=TransactionsSeen(moved=("RF-1",)))
    batch.says(outcome="not_handed_in")
    batch.wait(hours=48)
    batch.says(outcome="handed_in", feed_id="81")
    batch.wait(seconds=15)
    assert (batch.stage, batch.facts.feed_id) == ("done", "81")
