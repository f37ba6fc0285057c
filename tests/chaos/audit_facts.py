"""What every room of the audit looks at: one body of evidence, and the same facts by their ids."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from activities.connectors.stripe.client import OUR_ID
from activities.database.views import OrderView, RefundListed
from models.refunds import RefundState
from starter.sandbox.facts import PaymentFact, RefundFact
from tests.chaos.evidence import CaseFacts, Evidence

MOVED: Final = (RefundState.SUCCEEDED, RefundState.PENDING)
"""A refund whose money is given, or on its way."""
UNSENT: Final = ("cancelled", "voided")
HELD: Final = "requires_capture"
"""The gateway's word for a charge that is authorized and not collected."""

Thing = TypeVar("Thing")
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Violation:
    """A promise that was not kept: which one (`charge twice`), about what, and how it shows."""

    promise: str
    subject: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.promise}: {self.subject}" + (f" ({self.detail})" if self.detail else "")


class Facts:
    """The evidence, and its orders, refunds, charges and cases by their ids."""

    def __init__(self, evidence: Evidence) -> None:
        self.seen = evidence
        self.effects = evidence.effects
        self.orders = {view.listed.order_id: view for view in evidence.orders}
        self.returns = {view.listed.return_id: view for view in evidence.returns}
        self.refunds: dict[str, RefundListed] = {
            refund.refund_id: refund for view in evidence.orders for refund in view.refunds.refunds
        }
        self.charges = [one for one in self.effects.payment_intents if not one.seeded]
        runs = sorted(evidence.cases, key=lambda case: case.started)
        self.last_runs = {case.workflow_id: case for case in runs}


def our_id(one: PaymentFact | RefundFact) -> str:
    """What we call this charge or refund; the gateway's own id, if we never named it."""
    return one.metadata.get(OUR_ID, one.id)


def doubled(things: Iterable[Thing], key: Callable[[Thing], Key]) -> list[Key]:
    return [one for one, count in Counter(key(thing) for thing in things).items() if count > 1]


def stage_of(view: OrderView) -> str:
    return view.listed.standing.stage if view.listed.standing is not None else "unknown"


def has_ended(view: OrderView) -> bool:
    return view.listed.standing is not None and view.listed.standing.ended


def outcome_of(case: CaseFacts) -> str:
    """An order or return says its outcome, a refund its state; a case that runs, its stage."""
    if case.result:
        return str(case.result.get("outcome") or case.result.get("state"))
    return case.standing.stage if case.standing is not None else "unknown"
