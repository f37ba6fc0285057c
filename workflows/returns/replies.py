"""What the sender of an update to a return is told: of a refund of the buyer, once it is decided."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from models.message import Event
from models.returns import BuyerRefund
from workflows.engine.procedure import Reply, noted
from workflows.refunds.attempts import RefundAttempt
from workflows.returns.facts import ReturnFacts
from workflows.returns.records import EVENT_NAMES

REPLY_WITHIN: Final = timedelta(seconds=8)
"""A gateway that takes longer is not waited for: the sender sees later what became of it."""


def reply(f: ReturnFacts, event: Event) -> Reply | None:
    """What is told; none while it is undecided."""
    return _of_click(f, event) if isinstance(event, BuyerRefund) else noted(f, event)


def _of_click(f: ReturnFacts, click: BuyerRefund) -> Reply | None:
    """The cap is checked when the amount is reserved (REF-3); a rule may refuse it when its turn comes (REF-4)."""
    asked = [one for one in f.buyer_attempts if one.asked_by == click.event_id and not one.asked_anew]
    if any(one.state == "asked" for one in asked) or any(
        one.asked_by == click.event_id for one in f.refunds_to_renumber
    ):
        return None
    if len(asked) > 1:
        return _of_parts(asked)
    name = EVENT_NAMES[BuyerRefund]
    for one in reversed(f.rejected):
        if (one.name, one.event_id) == (name, click.event_id):
            return Reply(accepted=False, message=one.reason)
    for attempt in asked:
        return Reply(accepted=not _has_failed(attempt), message=_said(attempt))
    if any(one.event_id == click.event_id for one in f.clicks):
        decided_soon = f.opened is None or any(one.is_under_way for one in f.buyer_attempts)
        return None if decided_soon else noted(f, click)
    return noted(f, click)


def _of_parts(parts: Sequence[RefundAttempt]) -> Reply:
    """Of a refund that was divided (REF-3): no, if one of them did not succeed; its amount is refundable again."""
    failed = any(_has_failed(one) for one in parts)
    return Reply(accepted=not failed, message="; ".join(_said(one) for one in parts))


def _has_failed(attempt: RefundAttempt) -> bool:
    return attempt.state in ("failed", "refused")


def _said(attempt: RefundAttempt) -> str:
    said = f"refund {attempt.refund_id} of {attempt.amount} {attempt.currency}"
    if attempt.state == "to_confirm":
        return f"{said}: over the limit, waits for a second person (REF-12)"
    why = f" ({attempt.reason})" if attempt.part_of is not None and _has_failed(attempt) else ""
    return f"{said}: {attempt.state.replace('_', ' ')}{why}"
