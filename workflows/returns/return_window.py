"""The window in which a return may be asked for, and what follows when it is over (RET-22)."""

from models.case import ReturnStage as Stage
from models.parties import OutsideWindow
from models.partners import Recipient
from models.return_windows import ReturnWindow
from models.returns import ASKED_HERE
from workflows.engine.pieces import just, notify
from workflows.engine.plan import Plan
from workflows.returns.ending import ended
from workflows.returns.facts import ReturnFacts


def missed_window(f: ReturnFacts) -> ReturnWindow | None:
    """The window after which it was asked for; none: it came in time."""
    window = f.opened.window if f.opened is not None else None
    return window if window is not None and f.created_at > window.until else None


def last_day(window: ReturnWindow) -> str:
    """Such as 2026-03-01, in the seller's zone."""
    return window.until.isoformat()[:10]


def rejected_late(f: ReturnFacts) -> Plan:
    """By the seller's setting it is rejected, and the buyer is told the date; nobody need decide.

    Nothing, when it came in time or the seller has decided; what a marketplace opened is never ours to reject.
    """
    window = missed_window(f)
    if window is None or f.approval is not None or f.request.source not in ASKED_HERE:
        return Plan()
    if f.seller.outside_window is not OutsideWindow.REJECT:
        return Plan()
    told = just(
        notify("too-late", "return_too_late", Recipient.BUYER, lines=f.mail_lines, until=window.until),
        notify("rejected-late", "return_rejected_late", Recipient.SELLER, lines=f.mail_lines, until=window.until),
    )
    return told + ended(f, Stage.REJECTED, f"rejected: the return window ended on {last_day(window)}")
