"""What follows from the facts of a batch: compose, upload, hand in, wait, read; and what breaks in between."""

from collections.abc import Sequence
from datetime import datetime

from models.amazon.batches import BY_SCHEDULE
from models.case import ChannelBatchStage as Stage
from models.case import Who
from models.text import counted
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
from workflows.channel_batches.facts import OLD, BatchFacts
from workflows.engine.case import Effect
from workflows.engine.pieces import alert, at, in_flight, just, troubles, wait
from workflows.engine.plan import End, Plan


def plan(facts: BatchFacts, now: datetime) -> Plan:
    """AMZ-7, AMZ-10: no document is handed in twice, and none beside another one of its kind and account."""
    f = facts.as_of(now)
    return _procedure(f) + troubles(f)


def _procedure(f: BatchFacts) -> Plan:
    if f.opened is None:
        return _begin(f, Stage.SENDING, TakeEntries(key=f.opening_key))
    if f.opened.unexamined:
        return _examined(f, f.opened.unexamined)
    if f.opened.reason is not None:
        return _alert_of_what_waits(f) + Plan(end=_nothing_sent(f, f.opened.reason))
    if f.settled is not None:
        return _alert_of_what_waits(f) + _alert_of_results(f) + _end(f)
    if f.is_stopped:
        return _begin(f, Stage.SENDING, PutBack(why="stopped by staff", end="queued"))
    if f.feed_id is not None:
        return _processed(f)
    is_in_doubt = f.doubt is not None and (f.evident_at is None or f.now < f.evident_at)
    return _searched(f) if is_in_doubt else _handed_in(f)


def _begin(f: BatchFacts, stage: Stage, effect: Effect) -> Plan:
    return just(effect) + in_flight(f, stage, effect)


def _examined(f: BatchFacts, entries: Sequence[str] = (), after: int = 0) -> Plan:
    """AMZ-11: what Amazon was told before is looked for among its transactions, before it is told again."""
    if f.stopped_at is not None and entries:
        return Plan(end=End(Stage.STOPPED, "stopped by staff: nothing was taken out of the queue"))
    look = next((one for one in f.in_flight.values() if isinstance(one, LookAtTransactions)), None)
    key = f"transactions:{f.examinations + 1}"
    return _begin(f, Stage.SENDING, look or LookAtTransactions(key=key, entries=tuple(entries), after=after))


def _handed_in(f: BatchFacts) -> Plan:
    """AMZ-10: the document's number is known before it is handed in, so that it can be looked for."""
    assert f.opened is not None, "the database has answered"
    if not f.opened.messages:
        return _begin(f, Stage.SENDING, PutBack(why="nothing of it is left to be sent", end="queued"))
    if f.document_id is None:
        return _begin(f, Stage.SENDING, Upload(key=f.step_of("upload")))
    if f.contradiction is not None:
        return _begin(f, Stage.SENDING, PutBack(why=f.contradiction, end="in_doubt"))
    if f.examined_up_to is not None:
        return _examined(f, after=f.examined_up_to)
    under_way = next((one for one in f.in_flight.values() if isinstance(one, HandIn)), None)
    ordinal = f.tries + 1
    return _begin(f, Stage.SENDING, under_way or HandIn(key=f.step_of(f"hand-in:{ordinal}"), ordinal=ordinal))


def _searched(f: BatchFacts) -> Plan:
    """After a lost answer it is looked for, and nothing of its kind is sent until it is found, or a person says
    what became of it."""
    since = f.doubt_since or f.now
    search = next((one for one in f.in_flight.values() if isinstance(one, Find)), None)
    if search is not None:
        due = just(search)
    else:
        due = at(f, f.next_search, "Look for the document again", Find(key=f"find:{f.searches + 1}"))
    if f.evident_at is not None:
        return due + _not_evident(f, f.evident_at)
    if f.searched_at is None:
        return due + wait(Stage.IN_DOUBT, Who.SHOP, f"say whether it has {f.what}", since)
    what = f"find out whether Amazon has {f.what}, and say so (feed_resolved): {f.doubt}"
    if f.found.candidates:
        what += f"; it may be feed {' or '.join(f.found.candidates)}"
    again = f"-{f.resolution.event_id}" if f.resolution is not None else ""
    told = just(alert(f, f"in-doubt-{f.tries}{again}", what, Who.STAFF))
    return due + told + wait(Stage.IN_DOUBT, Who.STAFF, what, since)


def _not_evident(f: BatchFacts, moment: datetime) -> Plan:
    assert f.resolution is not None, "a person said that it did not arrive"
    said = f"{f.resolution.actor} says that {f.what} did not arrive; Amazon shows its refunds up to 48 hours late"
    what = (
        f"{said}: unless it shows one on {moment:%Y-%m-%d %H:%M} UTC the document is handed in once more; if you "
        "find its feed before, say so (feed_resolved)"
    )
    told = just(alert(f, f"not-evident-{f.resolution.event_id}", what, Who.SHOP))
    timer = "Look at Amazon's transactions"
    return told + wait(Stage.IN_DOUBT, Who.SHOP, what, f.doubt_since or f.now, moment, timer)


def _processed(f: BatchFacts) -> Plan:
    """Amazon is asked how far it is; how it ended decides what is read."""
    if f.status is not None and f.status.is_over:
        if f.status.status == "cancelled":
            why = f"Amazon cancelled feed {f.feed_id}: nothing of it was done"
            return _begin(f, Stage.PROCESSING, PutBack(why=why, end="refused"))
        if not f.status.has_report:
            why = f"Amazon ended feed {f.feed_id} ({f.status.status}) without saying what became of its messages"
            return _begin(f, Stage.PROCESSING, PutBack(why=why, end="in_doubt"))
        return _begin(f, Stage.PROCESSING, ReadResults())
    since = f.sent_at or f.now
    what = f"feed {f.feed_id} ({f.what}) is open at Amazon since {since:%Y-%m-%d %H:%M} UTC: look there"
    old = at(f, since + OLD, "It takes long at Amazon", alert(f, "old", what, Who.SHOP))
    look = next((one for one in f.in_flight.values() if isinstance(one, Look)), None)
    if look is not None:
        return _begin(f, Stage.PROCESSING, look) + old
    waiting = wait(Stage.PROCESSING, Who.SHOP, f"process {f.what}", since)
    return at(f, f.next_look, "Ask how far Amazon is", Look(key=f"look:{f.looks + 1}")) + waiting + old


def _nothing_sent(f: BatchFacts, reason: str) -> End:
    assert f.opened is not None, "the database has answered"
    if f.opened.nothing_queued:
        return End(Stage.DONE, "nothing was queued")
    if f.moved:
        return End(Stage.DONE, f"nothing is sent: Amazon shows that {len(f.moved)} moved already")
    if f.early:
        return End(Stage.REFUSED, f"nothing is sent: Amazon may show late what it did of {len(f.early)}")
    if f.request.requested_by == BY_SCHEDULE and not (f.opened.no_account or f.opened.kept_back):
        return End(Stage.DONE, f"its turn is another time: {reason}")
    return End(Stage.REFUSED, f"nothing is sent: {reason}")


def _alert_of_what_waits(f: BatchFacts) -> Plan:
    """Of what stays in the queue and does not go by itself, staff are told (NTF-9)."""
    assert f.opened is not None, "the database has answered"
    told = Plan()
    account, queue = f.request.connection_id, "backhaul amazon queue list"
    if f.opened.no_account:
        then = f"send it ({queue})" if f.request.entries else "it goes by itself"
        what = f"{f.opened.reason}: what waits in its queue is not sent; set it right, then {then}"
        told += just(alert(f, "no-account", what, Who.STAFF))
    if count := len(f.held):
        refunds = f"{counted(count, 'refund')} of {account}"
        what = (
            f"Amazon may have made {refunds} already: look there, and record it of each (backhaul refund resolve)"
        )
        told += just(alert(f, "held", what, Who.STAFF))
    if count := len(f.early):
        refunds = f"{counted(count, 'refund')} of {account}"
        what = (
            f"Amazon was told {refunds} less than 48 hours ago, and may show late that it made them: send them "
            f"again after that ({queue})"
        )
        told += just(alert(f, "early", what, Who.SELLER))
    if count := f.opened.kept_back:
        what = f"{count} in the queue of {account} can't be told Amazon, and wait for a person ({queue})"
        told += just(alert(f, "kept-back", what, Who.SELLER))
    return told


def _alert_of_results(f: BatchFacts) -> Plan:
    """Staff are told what a person has to do now."""
    assert f.settled is not None, "it is settled"
    told = Plan()
    if f.settled.refused:
        what = f"{f.settled.refused} of {f.what} are in the queue again: send them once more, or reject them"
        told += just(alert(f, "refused", what, Who.SELLER))
    if f.settled.in_doubt:
        what = f"what became of {f.settled.in_doubt} of {f.what} is not known: look there, and record it of each"
        said = f"; {f.settled.words}" if f.settled.words else ""
        told += just(alert(f, "unknown", f"{what}{said}", Who.STAFF))
    return told


def _end(f: BatchFacts) -> Plan:
    assert f.settled is not None, "it is settled"
    counts = {
        "done": f.settled.done,
        "refused": f.settled.refused,
        "in doubt": f.settled.in_doubt,
        "back in the queue": f.settled.returned,
    }
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    if f.is_stopped:
        return Plan(end=End(Stage.STOPPED, f"stopped by staff: {said}"))
    more = f"; the rest goes in batch {f.settled.next_batch}" if f.settled.next_batch else ""
    return Plan(end=End(Stage.DONE, f"{f.what}: {said}{more}"))
