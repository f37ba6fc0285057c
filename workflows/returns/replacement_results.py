"""What a return learns of its replacement: when it is ordered, and whenever its order says how it stands
(RET-24)."""

from models import contract
from models.message import Message
from models.records import LineQuantities
from models.replacements import ReplacementNews
from workflows.returns.effects import StartReplacement
from workflows.returns.facts import ReturnFacts
from workflows.returns.records import Replacement


class ReplacementReported(Message):
    """What the order of the replacement says of itself."""

    news: ReplacementNews


def started(f: ReturnFacts, effect: StartReplacement) -> ReturnFacts:
    """From now on it may be sent."""
    lines = tuple(LineQuantities(**dict(line)) for line in effect.lines)
    return f.with_(replacement=Replacement(replacement_id=effect.replacement_id, lines=lines, at=f.now))


def reported(f: ReturnFacts, news: ReplacementNews) -> ReturnFacts:
    """A word about an order that this return did not start moves nothing."""
    one = f.replacement
    if one is None or one.replacement_id != news.replacement_id:
        why = f"this return has not ordered {news.replacement_id} (RET-24)"
        return f.reject(contract.REPLACEMENT_NEWS, why, None)
    return f.with_(replacement=_together(one, news))


def not_there(f: ReturnFacts) -> ReturnFacts:
    """Its order could not be told: it has ended, and what it has not sent by now it never sends."""
    one = f.replacement
    if one is None or not one.open:
        return f
    gone = one.model_copy(update={"outcome": one.outcome or "ended", "abandoned": True})
    return f.with_(replacement=gone).step(f"order {one.replacement_id} has ended: it can't be cancelled any more")


def _together(one: Replacement, news: ReplacementNews) -> Replacement:
    said = {line.line_id: line for line in news.lines}
    lines = tuple(_more(line, said.get(line.line_id, line)) for line in one.lines)
    known = {box.tracking_number for box in one.parcels}
    return one.model_copy(
        update={
            "lines": lines,
            "with_supplier": one.with_supplier or news.with_supplier,
            "parcels": (*one.parcels, *(box for box in news.parcels if box.tracking_number not in known)),
            "cancel_refused": one.cancel_refused or news.cancel_refused,
            "outcome": news.outcome or one.outcome,
            "reason": news.reason or one.reason,
        }
    )


def _more(line: LineQuantities, said: LineQuantities) -> LineQuantities:
    fates = ("shipped", "cancelled", "voided")
    return line.model_copy(update={name: max(getattr(line, name), getattr(said, name)) for name in fates})
