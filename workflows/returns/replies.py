"""What the sender of an update to a return is told: of a refund of the buyer, once it is decided."""

from datetime import timedelta
from typing import Final

from models.message import Event
from models.returns import BuyerRefund
from workflows.engine.procedure import Reply, noted
from workflows.returns.facts import ReturnFacts
from workflows.returns.records import EVENT_NAMES

REPLY_WITHIN: Final = timedelta(seconds=8)
"""A gateway that takes longer is not waited for: the sender sees later what became of it."""


def reply(f: ReturnFacts, event: Event) -> Reply | None:
    """What is told; none while it is undecided."""
    return _of_click(f, event) if isinstance(event, BuyerRefund) else noted(f, event)


def _of_click(f: ReturnFacts, click: BuyerRefund) -> Reply | None:
    """The cap is checked when the amount is reserved (REF-3); a rule may refuse it when its turn comes (REF-4)."""
    name = EVENT_NAMES[BuyerRefund]
    for one in reversed(f.rejected):
        if (one.name, one.event_id) == (name, click.event_id):
            return Reply(accepted=False, message=one.reason)
    attempt = next((one for one in f.buyer_attempts if one.asked_by == click.event_id), None)
    if attempt is not None:
        if attempt.state == "asked":
            return None
        said = f"refund {attempt.refund_id} of {attempt.amount} {attempt.currency}"
        if attempt.state == "to_confirm":
            return Reply(accepted=True, message=f"{said}: over the limit, waits for a second person (REF-12)")
        failed = attempt.state in ("failed", "refused")
        return Reply(accepted=not failed, message=f"{said}: {attempt.state.replace('_', ' ')}")
    if any(one.event_id == click.event_id for one in f.clicks):
        decided_soon = f.opened is None or any(one.is_under_way for one in f.buyer_attempts)
        return None if decided_soon else noted(f, click)
    return noted(f, click)
