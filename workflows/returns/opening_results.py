"""What the database says when a return wants to open, or to open again."""

from models import contract
from models.failures import BackhaulError
from models.marketplace_returns import OPENED_BY_MARKETPLACES
from models.orphans import kept_request
from models.records import Opening, ReturnOpening, ReturnReopened
from models.returns import ChannelUpdate
from workflows.engine.case import CaseFacts
from workflows.returns.checks import check
from workflows.returns.describe import items_in_words
from workflows.returns.event_facts import record
from workflows.returns.facts import ReturnFacts
from workflows.returns.records import EarlyEvent
from workflows.returns.refund_results import refund_reported, reopened_by
from workflows.returns.return_window import last_day, missed_window

OF_THIS_RUN = frozenset(
    {
        "now",
        "run_id",
        "procedure",
        "in_flight",
        "trouble",
        "timeline",
        "steps_before",
        "steps_saved",
        "rejected",
        "rejected_count",
        "outcome",
        "closing_message",
        "stopped_at",
        "request",
        "is_order_unknown",
        "opening_had_trouble",
        "early",
        "reported_early",
    }
)
"""Facts of one run, or of one moment: they are not kept for the run that opens the return again."""


def opened(f: ReturnFacts, answer: ReturnOpening) -> ReturnFacts:
    """The return is written down, with the snapshots that decide; or it is refused (RET-2)."""
    if answer.opening is Opening.UNKNOWN and f.request.source in OPENED_BY_MARKETPLACES:
        orphan = kept_request(f.request).orphan_id
        why = f"{answer.reason} is known here: kept as orphan {orphan}, and opened when it is (RET-20)"
        return f.with_(refusal=why, is_order_unknown=True)
    if answer.opening is not Opening.OPENED or answer.opened is None:
        return f.with_(refusal=answer.reason or "a return with this id exists already")
    common = {name: getattr(f, name) for name in CaseFacts.model_fields}
    fresh = ReturnFacts(
        **common,
        request=f.request,
        opened=answer.opened,
        opened_at=f.now,
        opening_had_trouble=f.opening_had_trouble,
    )
    items = items_in_words(fresh)
    fresh = fresh.step(f"return requested by {f.request.source.value}: {items}", f.request.requested_by)
    if (missed := missed_window(fresh)) is not None:
        fresh = fresh.step(
            f"asked for after the return window, which ended on {last_day(missed)} ({missed.in_words})"
        )
    return _judge(fresh, f.early)


def reopened(f: ReturnFacts, answer: ReturnReopened) -> ReturnFacts:
    """The last facts of a completed return, but for the refunds that failed since (REF-7).

    What failed says the database, how much it was the last facts: nothing is believed from who asks.
    """
    if answer.opening is not Opening.OPENED or answer.facts is None:
        return f.with_(refusal=answer.reason or "the return can't be opened again")
    ours = {name: getattr(f, name) for name in ReturnFacts.model_fields if name in OF_THIS_RUN}
    kept = {name: value for name, value in answer.facts.items() if name not in OF_THIS_RUN}
    last = ReturnFacts.model_validate({**kept, "now": f.now, "request": f.request})
    last = last.with_(
        **ours | {"early": (), "reported_early": ()},
        done=last.done | f.done,
        seen_events=last.seen_events | f.seen_events,
        times_opened=last.times_opened + 1,
    )
    if last.attempt(str(f.request.reopened_by)) is None:
        why = f"the return made no refund {f.request.reopened_by} (REF-7)"
        last = last.reject(contract.REFUND_TAKEN_BACK, why, None)
    for result in answer.failed:
        last = reopened_by(last, result)
    for result in f.reported_early:
        last = refund_reported(last, result)
    known = frozenset(answer.facts.get("seen_events") or ())
    return _judge(last, tuple(one for one in f.early if one.event.event_id not in known))


def _judge(f: ReturnFacts, early: tuple[EarlyEvent, ...]) -> ReturnFacts:
    """What came before it was known what the return has is judged now (RET-16)."""
    for one in early:
        try:
            if not isinstance(one.event, ChannelUpdate):  # the marketplace refunded, whatever its amount
                check(f, one.event)
        except BackhaulError as error:
            f = f.reject(one.name, str(error), one.event.event_id)
        else:
            f = record(f, one.event)
    return f
