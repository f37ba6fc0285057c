"""The return request is written down, or a completed return is opened again (RET-1, RET-2, REF-7)."""

from models.case import ReturnStage as Stage
from models.orphans import REPORTABLE, kept_request, kept_word
from models.partners import Recipient
from workflows.engine.pieces import in_flight, just, notify
from workflows.engine.plan import Plan
from workflows.refunds.attempts import owed
from workflows.returns.effects import KeepAsOrphan, OpenReturn, OpenSplitReturn, ReopenReturn
from workflows.returns.ending import ended, stopped
from workflows.returns.facts import ReturnFacts


def opening(f: ReturnFacts) -> Plan:
    """Staff's stop waits for it, so that the database can say what became of it; not when it is in trouble."""
    if f.refusal is not None:
        return _kept(f) or ended(f, Stage.REFUSED, f.refusal)
    if f.stopped_at is not None and f.opening_is_in_trouble:
        return stopped(f)
    failed = f.request.reopened_by
    if failed is not None:
        return _begin(f, ReopenReturn(key=f"reopen:{failed}", refund_id=failed))
    return _begin(f, OpenReturn(key="open"))


def _kept(f: ReturnFacts) -> Plan | None:
    """RET-20: what a marketplace opened of an order that is not known here is not lost, nor is what was said to
    the return meanwhile (RET-16). None: all of it is kept."""
    if not f.is_order_unknown:
        return None
    keep = [KeepAsOrphan(key="orphan", request=kept_request(f.request))]
    keep += [
        KeepAsOrphan(
            key=f"orphan:{one.name}:{one.event.event_id}", request=kept_word(f.case_id, one.name, one.event)
        )
        for one in f.early
        if one.name in REPORTABLE
    ]
    left = [one for one in keep if one.key not in f.done or one.key in f.in_flight]
    return just(*left) + in_flight(f, Stage.OPENING, left[0]) if left else None


def _begin(f: ReturnFacts, effect: OpenReturn | ReopenReturn) -> Plan:
    return just(effect) + in_flight(f, Stage.OPENING, effect)


def split_returns(f: ReturnFacts) -> Plan:
    """RET-2: lines of different suppliers become one return per supplier."""
    return just(*(OpenSplitReturn(key=f"split:{one.return_id}", request=one) for one in f.snapshot.siblings))


def reopening(f: ReturnFacts) -> Plan:
    """REF-7: the seller is told that a completed return is open again."""
    failed = owed(f.refunds)
    if f.times_opened == 1 or not failed:
        return Plan()
    reason = f"refund {failed[0].refund_id} failed"
    return just(
        notify(f"reopened:{f.times_opened}", "return_reopened", Recipient.SELLER, reason=reason),
    )
