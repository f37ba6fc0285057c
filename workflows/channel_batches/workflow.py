"""A batch: which facts, which plan, and how each of its effects is done (AMZ-5, AMZ-7, AMZ-10)."""

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.amazon import batches as asks
    from models.amazon.batches import (
        BatchStep,
        ChannelBatchRequest,
        CreateFeed,
        FindFeed,
        LookAtFeed,
        OpenBatch,
        ReturnEntries,
    )
    from models.case import Ended
    from models.message import Message
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
    from workflows.channel_batches.view import facts_in_status, projection, result, view
    from workflows.engine.case import Effect
    from workflows.engine.inbox import receives
    from workflows.engine.procedure import Ask, Procedure
    from workflows.engine.run import Engine, fresh_or_continued


async def perform(f: BatchFacts, effect: Effect, ask: Ask) -> Message | None:
    """Do an effect of a batch's own."""
    request = f.request
    step: dict[str, Any] = {
        "batch_id": request.batch_id,
        "connection_id": request.connection_id,
        "kind": request.kind,
    }
    match effect:
        case TakeEntries():
            taking = OpenBatch(
                request=request,
                workflow_id=f.case_id,
                run_id=f.run_id,
                at=f.done[effect.key],
                held=(*f.held, *f.early),
            )
            return await ask(calls.OPEN_BATCH, taking)
        case LookAtTransactions():
            looking = asks.LookAtTransactions(**step, entries=effect.entries, after=effect.after)
            return await ask(calls.LOOK_AT_TRANSACTIONS, looking)
        case Upload():
            return await ask(calls.UPLOAD_FEED, BatchStep(**step))
        case HandIn():
            assert f.document_id is not None, "it is uploaded"
            handing_in = CreateFeed(**step, document_id=f.document_id, ordinal=effect.ordinal)
            return await ask(calls.CREATE_FEED, handing_in)
        case Find():
            assert f.document_id is not None, "it is uploaded"
            return await ask(calls.FIND_FEED, FindFeed(**step, document_id=f.document_id))
        case Look():
            assert f.feed_id is not None, "Amazon has it"
            return await ask(calls.LOOK_AT_FEED, LookAtFeed(**step, feed_id=f.feed_id))
        case ReadResults():
            assert f.feed_id is not None, "Amazon has it"
            return await ask(calls.READ_FEED, LookAtFeed(**step, feed_id=f.feed_id))
        case PutBack():
            return await ask(calls.RETURN_ENTRIES, ReturnEntries(**step, why=effect.why, end=effect.end))
    raise AssertionError(f"a batch does not know the effect {effect.key}")


PROCEDURE = Procedure(
    kind=contract.CHANNEL_BATCH_KIND,
    check=check,
    apply=apply,
    plan=plan,
    view=view,
    facts_in_status=facts_in_status,
    projection=projection,
    perform=perform,
    result=result,
)


@workflow.defn(name=contract.CHANNEL_BATCH)
@receives(contract.CHANNEL_BATCH_KIND)
class ChannelBatch:
    """One document to one account at Amazon, from the queue to what became of each message in it."""

    @workflow.init
    def __init__(self, request: ChannelBatchRequest) -> None:
        # Each run receives staff's Cancel for itself, and answers it.
        facts = fresh_or_continued(BatchFacts, request)
        self.engine = Engine(PROCEDURE, request, facts.with_(stopped_at=None))

    @workflow.run
    async def run(self, request: ChannelBatchRequest) -> Ended:
        """Takes what to send; gives what became of it."""
        ended = await self.engine.run()
        assert isinstance(ended, Ended)
        return ended
