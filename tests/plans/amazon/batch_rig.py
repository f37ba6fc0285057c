"""A batch on the plan alone; database and Amazon answer as they are told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models.amazon.batches import (
    BatchSettled,
    ChannelBatchRequest,
    CreatedFeed,
    FeedResolved,
    FeedStatus,
    FoundFeed,
    OpenedBatch,
    TransactionsSeen,
    UploadedFeed,
)
from models.contract import CHANNEL_BATCH_KIND
from tests.plans.rig import Given, Pure, Rig
from workflows.channel_batches.effects import (
    Find,
    HandIn,
    Look,
    LookAtTransactions,
    PutBack,
    ReadResults,
    TakeEntries,
    Upload,
)
from workflows.channel_batches.events import apply, check
from workflows.channel_batches.facts import BatchFacts
from workflows.channel_batches.plan import plan
from workflows.engine import case
from workflows.engine.case import Effect

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LOST = CreatedFeed(doubt="its answer was lost (HTTP 503)")


class World:
    """Database and Amazon: each answers as it is told, several answers one after the other."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[type[Effect], Any] = {
            TakeEntries: OpenedBatch(seller_id="acme", number=12, messages=2),
            LookAtTransactions: TransactionsSeen(),
            Upload: UploadedFeed(document_id="D-1"),
            HandIn: CreatedFeed(feed_id="77"),
            Find: FoundFeed(),
            Look: FeedStatus(status="done", has_report=True),
            ReadResults: BatchSettled(done=1, refused=1),
            PutBack: BatchSettled(returned=2),
        }
        by_name = {kind.__name__: kind for kind in self.answers}
        self.answers |= {by_name[name]: answer for name, answer in answers.items()}

    def answer(self, effect: Effect, facts: BatchFacts) -> Given:
        said = self.answers.get(type(effect))
        if not isinstance(said, list):
            return said
        first: Given = said.pop(0) if len(said) > 1 else said[0]
        return first


class BatchRig(Rig[BatchFacts]):
    def __init__(
        self,
        requested_by: str = "seller:jane",
        kind: str = "refund",
        entries: tuple[str, ...] = (),
        **answers: Any,
    ) -> None:
        told: dict[str, Any] = {"batch_id": "B-1", "connection_id": "amazon-acme", "kind": kind}
        told |= {"requested_by": requested_by, "entries": list(entries)}
        request = ChannelBatchRequest.at_the_door(told)
        facts = BatchFacts(now=NOON, created_at=NOON, run_id="run-1", request=request)
        self.amazon = World(**answers)
        super().__init__(Pure(CHANNEL_BATCH_KIND, check, apply, plan), facts, self.amazon)
        self.events = 0
        self.rest()

    def wait(self, **time: float) -> None:
        """Time goes by, moment by moment in which something is due."""
        until = self.now + timedelta(**time)
        while not self.is_over and self.plan.wake_at is not None and self.plan.wake_at <= until:
            self.now = max(self.plan.wake_at, self.now)
            self.rest()
        self.now = until
        self.rest()

    def says(self, actor: str = "staff:kim", **fields: Any) -> bool:
        self.events += 1
        told = {"event_id": f"e{self.events}", "actor": actor, "reason": "looked there", **fields}
        heard = self.hear(FeedResolved.at_the_door(told))
        self.rest()
        return heard

    def stop(self) -> None:
        self.take(case.StoppedByStaff())
        self.rest()

    @property
    def keys(self) -> list[str]:
        return [one.key for one in self.begun if not one.key.startswith(("mail:", "note:"))]

    @property
    def alerts(self) -> list[str]:
        return [one.facts["what"] for one in self.mails()]
