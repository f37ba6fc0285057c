"""A document to Amazon, on the plan alone: handed in once, looked for after a lost answer (AMZ-5..10)."""

import pytest

from models.amazon.batches import (
    BY_SCHEDULE,
    BatchSettled,
    BatchState,
    CreatedFeed,
    FeedStatus,
    FoundFeed,
    OpenedBatch,
    next_batch_id,
)
from models.failures import Category
from tests.plans.amazon.batch_rig import LOST, BatchRig
from tests.plans.rig import NOT_YET, Troubled
from workflows.channel_batches.effects import (
    PutBack,
)
from workflows.channel_batches.events import CUT_OFF
from workflows.channel_batches.view import facts_in_status, projection, view
from workflows.engine.save import record_of


def test_AMZ_5_one_document_is_composed_uploaded_handed_in_and_read() -> None:
    batch = BatchRig()
    assert batch.stage == "processing"
    assert batch.plan.waits[0].what == "process document 12 (2 refunds)"
    batch.wait(seconds=15)
    assert batch.keys == ["open", "upload", "hand-in:1", "look:1", "read"]
    assert (batch.stage, batch.steps[-1]) == ("done", "document 12 (2 refunds): 1 done, 1 refused")
    assert batch.alerts == [
        "1 of document 12 (2 refunds) are in the queue again: send them once more, or reject them"
    ]


def test_AMZ_10_a_second_document_of_its_kind_is_not_sent_beside_it() -> None:
    batch = BatchRig(TakeEntries=OpenedBatch(reason="document 11 (batch B-0) is under way"))
    assert (batch.stage, batch.keys) == ("refused", ["open"])
    kept = projection(batch.facts, record_of(batch.facts, batch.plan, view(batch.facts, batch.plan), "sending"))
    assert kept is None, "the id may be another's"


def test_AMZ_10_after_a_lost_answer_it_is_looked_for_and_found() -> None:
    batch = BatchRig(HandIn=LOST, Find=FoundFeed(feed_id="78"))
    batch.wait(seconds=15)
    assert batch.keys == ["open", "upload", "hand-in:1", "find:1", "look:1", "read"]
    assert batch.stage == "done"
    assert facts_in_status(batch.facts)["feed_id"] == "78"


def test_AMZ_10_while_it_is_in_doubt_nothing_is_sent_and_staff_see_it() -> None:
    batch = BatchRig(HandIn=LOST)
    assert (batch.stage, batch.plan.waits[0].who) == ("in_doubt", "staff")
    assert batch.alerts == [batch.plan.waits[0].what]
    assert "its answer was lost" in batch.alerts[0]
    batch.wait(days=2)
    assert [key for key in batch.keys if key.startswith("hand-in")] == ["hand-in:1"]
    assert [key for key in batch.keys if key.startswith("find")][:4] == ["find:1", "find:2", "find:3", "find:4"]
    assert 8 < len(batch.keys) < 16, "it goes on being looked for, seldom"
    assert len(batch.alerts) == 1


def test_AMZ_10_a_person_says_that_it_did_not_arrive_and_it_is_handed_in_once_more() -> None:
    batch = BatchRig(HandIn=[LOST, CreatedFeed(feed_id="79")])
    assert batch.says(outcome="not_handed_in")
    batch.wait(hours=49)
    assert [key for key in batch.keys if key.startswith("hand-in")] == ["hand-in:1", "hand-in:2"]
    assert batch.stage == "done"
    assert not batch.says(outcome="not_handed_in"), "nothing is in doubt any more"


def test_AMZ_10_a_person_names_its_feed_among_several() -> None:
    batch = BatchRig(HandIn=LOST, Find=FoundFeed(candidates=("80", "81")))
    assert "it may be feed 80 or 81" in batch.alerts[0]
    batch.says(outcome="handed_in", feed_id="81")
    batch.wait(seconds=15)
    assert (batch.stage, batch.facts.feed_id) == ("done", "81")


def test_AMZ_10_a_wrong_number_that_a_person_names_puts_it_in_doubt_again() -> None:
    unknown, done = FeedStatus(status="unknown"), FeedStatus(status="done", has_report=True)
    batch = BatchRig(HandIn=LOST, Look=[unknown, done])
    batch.says(outcome="handed_in", feed_id="4771")
    batch.wait(seconds=16)
    assert (batch.stage, batch.facts.feed_id) == ("in_doubt", None)
    assert "Amazon has no feed 4771 that could be it, which staff:kim named" in batch.alerts[-1]
    assert len(batch.alerts) == 2, "staff are told once more"
    assert batch.says(outcome="handed_in", feed_id="4711")
    batch.wait(seconds=16)
    assert (batch.stage, batch.facts.feed_id) == ("done", "4711")


def test_AMZ_10_a_feed_of_its_own_that_amazon_does_not_show_yet_is_looked_for_on() -> None:
    batch = BatchRig(Look=[FeedStatus(status="unknown"), FeedStatus(status="done", has_report=True)])
    batch.wait(minutes=2)
    assert (batch.stage, batch.facts.doubt) == ("done", None)


@pytest.mark.parametrize(
    ("opened", "told"),
    [
        (OpenedBatch(reason="amazon-acme is no active connection to Amazon", no_account=True), "is not sent"),
        (OpenedBatch(reason="nothing that waits in the queue can be sent", kept_back=2), "2 in the queue of"),
        (OpenedBatch(seller_id="acme", number=12, messages=2, kept_back=1), "1 in the queue of amazon-acme can't"),
        (OpenedBatch(reason="nothing that waits in the queue can be sent"), None),
        (OpenedBatch(reason="document 11 is under way: one document of a kind at a time (AMZ-10)"), None),
    ],
)
def test_NTF_9_staff_are_told_of_what_stays_in_the_queue_and_does_not_go_by_itself(
    opened: OpenedBatch, told: str | None
) -> None:
    batch = BatchRig(TakeEntries=opened, ReadResults=BatchSettled(done=2))
    batch.wait(minutes=1)
    assert batch.is_over
    assert [one for one in batch.alerts if told is None or told in one] == batch.alerts
    assert len(batch.alerts) == (told is not None)


@pytest.mark.parametrize(
    ("entries", "then"), [(("RF-1",), "then send it (backhaul amazon queue list)"), ((), "then it goes by itself")]
)
def test_AMZ_6_what_nobody_chose_goes_by_itself_once_the_account_is_active(
    entries: tuple[str, ...], then: str
) -> None:
    inactive = OpenedBatch(reason="amazon-acme is no active connection to Amazon", no_account=True)
    batch = BatchRig(TakeEntries=inactive, entries=entries)
    (told,) = batch.alerts
    assert told.endswith(f"is not sent; set it right, {then}")


def test_AMZ_10_nobody_else_may_say_so_and_only_while_it_is_in_doubt() -> None:
    batch = BatchRig(HandIn=LOST)
    assert not batch.says("seller:jane", outcome="not_handed_in")
    with pytest.raises(Exception, match="feed_id: is told where"):
        batch.says(outcome="handed_in")
    clear = BatchRig()
    assert not clear.says(outcome="not_handed_in")
    assert "AMZ-10" in clear.facts.rejected[-1].reason


def test_AMZ_7_a_run_that_was_cut_off_while_it_was_handed_in_looks_before_anything_else() -> None:
    was = OpenedBatch(
        seller_id="acme", number=12, messages=2, state=BatchState.HANDING_IN, document_id="D-1", tries=1
    )
    batch = BatchRig(TakeEntries=was)
    assert (batch.stage, batch.facts.doubt, batch.keys) == ("in_doubt", CUT_OFF, ["open", "find:1"])
    batch.says(outcome="not_handed_in")
    batch.wait(hours=48)
    assert "hand-in:2" in batch.keys, "no try is made a second time"
    assert "hand-in:1" not in batch.keys


def test_AMZ_7_a_run_that_was_cut_off_later_goes_on_where_it_was() -> None:
    was = OpenedBatch(
        seller_id="acme", number=12, messages=2, state=BatchState.SENT, document_id="D", feed_id="77"
    )
    batch = BatchRig(TakeEntries=was)
    batch.wait(seconds=15)
    assert batch.keys == ["open", "look:1", "read"]


def test_AMZ_10_a_feed_that_hangs_is_told_staff_and_never_sent_again() -> None:
    batch = BatchRig(Look=FeedStatus(status="in_progress"))
    batch.wait(hours=7)
    assert ["open at Amazon since 2026-03-02 12:00 UTC" in one for one in batch.alerts] == [True]
    assert [key for key in batch.keys if key.startswith("hand-in")] == ["hand-in:1"]
    looks = [key for key in batch.keys if key.startswith("look")]
    assert 25 < len(looks) < 40, "the pauses grow to a quarter of an hour"


def test_AMZ_7_a_feed_that_amazon_cancelled_goes_back_to_the_queue_with_the_reason() -> None:
    batch = BatchRig(Look=FeedStatus(status="cancelled"), PutBack=BatchSettled(refused=2))
    batch.wait(seconds=15)
    (back,) = [one for one in batch.begun if isinstance(one, PutBack)]
    assert (back.end, "cancelled feed 77" in back.why) == ("refused", True)
    assert batch.steps[-1] == "document 12 (2 refunds): 2 refused"


@pytest.mark.parametrize("status", ["fatal", "done"])
def test_REF_11_without_a_report_nobody_knows_what_was_done(status: str) -> None:
    batch = BatchRig(Look=FeedStatus.model_validate({"status": status}), PutBack=BatchSettled(in_doubt=2))
    batch.wait(seconds=15)
    (back,) = [one for one in batch.begun if isinstance(one, PutBack)]
    assert back.end == "in_doubt"
    assert "what became of 2 of document 12 (2 refunds) is not known" in batch.alerts[-1]


def test_staff_stop_it_before_it_is_handed_in_and_its_entries_wait_again() -> None:
    batch = BatchRig(Upload=Troubled("Amazon does not answer", Category.PARTNER_UNAVAILABLE))
    batch.stop()
    assert batch.keys == ["open", "upload", "put-back"]
    assert (batch.stage, batch.steps[-1]) == ("stopped", "stopped by staff: 2 back in the queue")


def test_AMZ_7_staff_can_t_stop_what_amazon_has_or_may_have() -> None:
    for answers in ({}, {"HandIn": LOST}, {"HandIn": NOT_YET}):
        batch = BatchRig(**answers)
        batch.stop()
        assert "put-back" not in batch.keys
        assert "it goes on" in batch.steps[-1]
        assert not batch.is_over


def test_AMZ_5_what_does_not_fit_goes_in_the_next_document() -> None:
    batch = BatchRig(
        TakeEntries=OpenedBatch(seller_id="acme", number=1, messages=2, left=3, kept_back=1),
        ReadResults=BatchSettled(done=2, next_batch="B-1.2"),
    )
    assert "1 wait for a person; 3 go in the next document" in batch.steps[0]
    batch.wait(seconds=15)
    assert batch.steps[-1].endswith("2 done; the rest goes in batch B-1.2")
    assert [next_batch_id(one) for one in ("B-1", "B-1.2", "B-1.9")] == ["B-1.2", "B-1.3", "B-1.10"]
    longest = "B" * 100
    assert len(next_batch_id(longest)) == 100


# ---- a schedule's turn ----


@pytest.mark.parametrize(
    ("by", "opened", "stage"),
    [
        (BY_SCHEDULE, OpenedBatch(reason="nothing is queued", nothing_queued=True), "done"),
        (BY_SCHEDULE, OpenedBatch(reason="document 11 (batch B-0) is under way"), "done"),
        (BY_SCHEDULE, OpenedBatch(reason="nothing can be sent", kept_back=1), "refused"),
        (BY_SCHEDULE, OpenedBatch(reason="no active connection", no_account=True), "refused"),
        ("seller:jane", OpenedBatch(reason="document 11 (batch B-0) is under way"), "refused"),
    ],
)
def test_AMZ_6_a_turn_that_finds_nothing_to_do_leaves_nothing_that_looks_like_a_fault(
    by: str, opened: OpenedBatch, stage: str
) -> None:
    batch = BatchRig(requested_by=by, TakeEntries=opened)
    assert batch.stage == stage
