"""What a batch makes of events and answers (AMZ-7, AMZ-10). Pure."""

from collections.abc import Sequence
from typing import Final

from models.amazon.batches import (
    BatchSettled,
    CreatedFeed,
    FeedResolved,
    FeedStatus,
    FoundFeed,
    OpenedBatch,
    TransactionsSeen,
    UploadedFeed,
)
from models.amazon.queue import QueueKind
from models.case import Who
from models.failures import RefusedByRule
from models.message import Event, Message
from workflows.channel_batches.effects import Find, HandIn, Look, LookAtTransactions, TakeEntries, Upload
from workflows.channel_batches.facts import BatchFacts
from workflows.engine.case import Answered, Started, StoppedByStaff
from workflows.engine.common_facts import apply_common

GOES_ON: Final = "it can't be stopped any more: Amazon has the document, or may have it; it goes on"
_NAMED: Final = 5
"""So many entries are named in a step."""
CUT_OFF: Final = "an earlier run was cut off while the document was handed in"


def check(f: BatchFacts, event: Event) -> None:
    """Raises RefusedByRule: only while it is not known whether the document arrived is a person asked."""
    if isinstance(event, FeedResolved) and f.doubt is None:
        raise RefusedByRule("AMZ-10", "nothing is in doubt: it is known whether Amazon has the document")


def apply(f: BatchFacts, fact: Message) -> BatchFacts:
    """The facts after this one."""
    match fact:
        case FeedResolved():
            return _resolved(f, fact)
        case StoppedByStaff():
            after = f.with_(stopped_at=f.now)
            what = "stopped by staff: nothing is handed in" if after.is_stopped else GOES_ON
            return after.step(what, "staff:temporal")
        case Started(effect=LookAtTransactions()):
            return apply_common(f, fact).with_(examinations=f.examinations + 1, doubt=None)
        case Started(effect=HandIn()):
            return apply_common(f, fact).with_(tries=f.tries + 1)
        case Started(effect=Find()):
            return apply_common(f, fact).with_(searches=f.searches + 1)
        case Started(effect=Look()):
            return apply_common(f, fact).with_(looks=f.looks + 1)
        case Answered(effect=TakeEntries(), answer=OpenedBatch() as answer):
            return _opened(apply_common(f, fact), answer)
        case Answered(effect=LookAtTransactions() as effect, answer=TransactionsSeen() as answer):
            return _examined(apply_common(f, fact), effect, answer)
        case Answered(effect=Upload(), answer=UploadedFeed() as answer):
            return apply_common(f, fact).with_(document_id=answer.document_id)
        case Answered(effect=HandIn(), answer=CreatedFeed() as answer):
            after = apply_common(f, fact)
            if answer.outdated:
                return _outdated(after, answer.left)
            if answer.feed_id is not None:
                return _sent(after, answer.feed_id)
            return _in_doubt(after.with_(told_at=f.now), answer.doubt or "its answer was lost")
        case Answered(effect=Find(), answer=FoundFeed() as answer):
            return _searched(apply_common(f, fact), answer)
        case Answered(effect=Look(), answer=FeedStatus() as answer):
            return _looked(apply_common(f, fact), answer)
        case Answered(answer=BatchSettled() as answer):
            return apply_common(f, fact).with_(settled=answer)
    return apply_common(f, fact)


def _opened(f: BatchFacts, answer: OpenedBatch) -> BatchFacts:
    after = f.with_(opened=answer, document_id=answer.document_id, tries=answer.tries)
    if answer.reason is not None or answer.unexamined:
        return after
    beside = [f"{answer.kept_back} wait for a person"] if answer.kept_back else []
    beside += [f"{answer.left} go in the next document"] if answer.left else []
    after = after.step("; ".join([f"composed {after.what}", *beside]), f.request.requested_by)
    if answer.feed_id is not None:
        return _sent(after, answer.feed_id)
    return _in_doubt(after.with_(told_at=f.now), CUT_OFF) if after.may_have_been_handed_in else after


def _examined(f: BatchFacts, effect: LookAtTransactions, answer: TransactionsSeen) -> BatchFacts:
    """AMZ-11: what Amazon shows is not sent a second time."""
    if not effect.entries:
        return _document_examined(f, answer)
    after = f.with_(
        opened=None,
        moved=(*f.moved, *answer.moved),
        held=(*f.held, *answer.held),
        early=(*f.early, *answer.early),
    )
    if answer.moved:
        after = after.step(f"Amazon shows that {_listed(answer.moved)} moved: not sent again, but done", Who.SHOP)
    if answer.held:
        after = after.step(f"Amazon may have done {_listed(answer.held)}: not sent again by itself", Who.SHOP)
    if answer.early:
        what = f"Amazon was told {_listed(answer.early)} less than 48 hours ago, and may show late what it did"
        after = after.step(f"{what}: not sent again yet", Who.SHOP)
    if absent := len(effect.entries) - len(answer.moved) - len(answer.held) - len(answer.early):
        after = after.step(f"Amazon shows nothing of {absent} that may be sent again", Who.SHOP)
    return after


def _document_examined(f: BatchFacts, answer: TransactionsSeen) -> BatchFacts:
    seen = (*answer.moved, *answer.held)
    if not seen:
        return f.with_(examined_up_to=answer.after)
    why = f"it was said not to have arrived, and Amazon shows {_listed(seen)}"
    if f.contradicted:
        return f.with_(contradiction=why)
    return _in_doubt(f.with_(contradicted=True), why)


def _listed(entries: Sequence[str]) -> str:
    more = f" and {len(entries) - _NAMED} more" if len(entries) > _NAMED else ""
    return ", ".join(entries[:_NAMED]) + more


def _in_doubt(f: BatchFacts, why: str) -> BatchFacts:
    after = f.with_(doubt=why, doubt_since=f.now, searched_at=None, found=FoundFeed(), examined_up_to=None)
    return after.step(f"whether Amazon has {after.what} is not known: {why}")


def _sent(f: BatchFacts, feed_id: str) -> BatchFacts:
    after = f.with_(feed_id=feed_id, sent_at=f.now, doubt=None)
    return after.step(f"Amazon has {after.what} as feed {feed_id}", Who.SHOP)


def _outdated(f: BatchFacts, left: int) -> BatchFacts:
    """It was not handed in: it is composed anew, without what moved (AMZ-8)."""
    assert f.opened is not None, "it is open"
    opened = f.opened.model_copy(update={"messages": left})
    after = f
    if moved := f.opened.messages - left:
        after = f.step(f"{moved} of {f.what} stand in a settlement, or may have moved: not sent again", Who.SHOP)
    return after.with_(opened=opened, document_id=None, outdated=f.outdated + 1, tries=f.tries - 1)


def _searched(f: BatchFacts, answer: FoundFeed) -> BatchFacts:
    after = f.with_(searched_at=f.now, found=answer)
    if f.doubt is None or answer.feed_id is None:
        return after
    return _sent(after, answer.feed_id)


def _looked(f: BatchFacts, answer: FeedStatus) -> BatchFacts:
    if answer.status == "unknown" and f.resolution is not None and f.resolution.feed_id == f.feed_id:
        why = f"Amazon has no feed {f.feed_id} that could be it, which {f.resolution.actor} named"
        return _in_doubt(f.with_(feed_id=None, sent_at=None, status=None, looked_at=None), why)
    after = f.with_(looked_at=f.now, status=answer)
    if f.status is not None and f.status.status == answer.status:
        return after
    return after.step(f"Amazon says of feed {f.feed_id}: {answer.status.replace('_', ' ')}", Who.SHOP)


def _resolved(f: BatchFacts, event: FeedResolved) -> BatchFacts:
    """That refunds did not arrive is believed when Amazon's transactions could show them (AMZ-11): until then they
    are in doubt as before."""
    after = f.with_(resolution=event)
    if event.feed_id is not None:
        found = after.with_(feed_id=event.feed_id, sent_at=f.now, doubt=None, examined_up_to=None)
        return found.step(f"says that Amazon has it as feed {event.feed_id}: {event.reason}", event.actor)
    is_refund = f.request.kind is QueueKind.REFUND
    after = after.with_(examined_up_to=0) if is_refund else after.with_(doubt=None)
    return after.step(f"says that it did not reach Amazon: {event.reason}", event.actor)
