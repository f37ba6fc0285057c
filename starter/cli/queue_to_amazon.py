"""What `amazon queue list` and `amazon queue reject` do."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError
from temporalio.client import Client

from activities.database.amazon_queue import AmazonQueue, QueueFilter
from models.amazon.batches import MOST_CHOSEN
from models.amazon.queue import WAITING, QueueKind, QueueListed, QueueState, word_of
from models.contract import GATEWAY_UPDATE
from models.failures import InvalidInput, NotFound, Problem
from models.ids import refund_workflow_id
from models.message import Asker, Text, problems_of
from starter.cli.case_lookup import opened_books
from starter.cli.output import money, say, show_json, show_table
from starter.client.connection import connect
from starter.client.send import CaseEnded, record_event

_ASKER: TypeAdapter[str] = TypeAdapter(Asker)
_TEXT: TypeAdapter[str] = TypeAdapter(Text)


class Choice(NamedTuple):
    """Which entries: those that are named, or all of a company and kind that stand in some states."""

    entries: tuple[str, ...]
    every: bool
    seller: str | None
    kind: QueueKind | None

    def found(self, queue: AmazonQueue, states: tuple[QueueState, ...]) -> list[QueueListed]:
        """`states`: which ones are meant where none is named; at most `MOST_CHOSEN`, the oldest first.

        Raises InvalidInput for a choice that says nothing or too much, NotFound where there is none.
        """
        if bool(self.entries) is self.every:
            raise InvalidInput("amazon queue", [Problem("--select", "name entries, or say --all")])
        if len(self.entries) > MOST_CHOSEN:
            raise InvalidInput(
                "amazon queue", [Problem("--select", f"{MOST_CHOSEN} entries can be named at once")]
            )
        wanted = states if self.every else ()
        found = queue.find(QueueFilter(self.seller, self.kind, wanted, self.entries, limit=MOST_CHOSEN))
        if missing := set(self.entries) - {one.entry_id for one in found}:
            raise NotFound(f"{min(missing)} is not in the queue to Amazon")
        return found


def show_queue(wanted: QueueFilter, as_json: bool) -> None:
    """Raises what `opened_books` raises."""
    with opened_books() as engine:
        found = AmazonQueue(engine).find(wanted)
    if as_json:
        show_json(found)
        return
    if not found:
        say("nothing found")
        return
    show_table(
        (
            "entry",
            "kind",
            "order",
            "at Amazon",
            "company",
            "amount",
            "state",
            "document",
            "batch",
            "reason",
            "queued (UTC)",
        ),
        (
            (
                one.entry_id,
                one.kind,
                one.order_id,
                one.channel_order_id,
                one.seller_id,
                money(one.amount, one.currency) if one.amount is not None and one.currency else None,
                one.state.replace("_", " "),
                one.document,
                one.batch_id,
                one.reason,
                one.queued_at,
            )
            for one in found
        ),
        right=("amount", "document"),
    )


async def reject_entries(choice: Choice, reason: str, actor: str, as_json: bool) -> None:
    """Raises InvalidInput, NotFound, Conflict, PartnerUnavailable."""
    by, why = _said(actor, reason)
    client = await connect()
    with opened_books() as engine:
        queue = AmazonQueue(engine)
        found = choice.found(queue, WAITING)
        entries = [one.entry_id for one in found]
        if entries:
            await asyncio.to_thread(queue.reject, entries, by, why)
            await _tell_refunds(client, found, f"rejected by {by}: {why}")
        now = queue.find(QueueFilter(entries=tuple(entries), every=True, limit=MOST_CHOSEN)) if entries else []
    if as_json:
        show_json(now)
        return
    for one in now:
        say(f"{one.entry_id}: {one.state.value}; nothing is sent")
    if not now:
        say("nothing waits")
    if choice.every and len(now) == MOST_CHOSEN:
        say(f"{MOST_CHOSEN} at a time: say it again for the rest")


def asker(actor: str) -> str:
    """Who asks. Raises InvalidInput."""
    return _said(actor, "it is asked")[0]


def _said(actor: str, reason: str) -> tuple[str, str]:
    """Who and why. Raises InvalidInput."""
    try:
        return _ASKER.validate_python(actor), _TEXT.validate_python(reason)
    except ValidationError as error:
        raise InvalidInput(
            "amazon queue", [Problem(problem.field, problem.message) for problem in problems_of(error)]
        ) from None


async def _tell_refunds(client: Client, entries: Sequence[QueueListed], reason: str) -> None:
    """Each refund looks how it stands in the queue; one that is over needs no word."""
    for one in entries:
        if one.kind is not QueueKind.REFUND:
            continue
        word = word_of(one.entry_id, QueueState.REJECTED, reason, cause=reason)
        try:
            await record_event(client, refund_workflow_id(one.entry_id), GATEWAY_UPDATE, word)
        except (NotFound, CaseEnded):
            continue
