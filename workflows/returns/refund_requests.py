"""How a return asks for a refund: under an id made before, again when it is in doubt, under the next id when that
belongs to another request (REF-6, REF-11)."""

from decimal import Decimal

from models import ids
from models.case import ReturnStage as Stage
from models.case import Who
from models.message import Quantity
from models.refunds import Direction, Way
from workflows.engine.pieces import just, wait
from workflows.engine.plan import Plan
from workflows.refunds.attempts import (
    BUYER,
    MakeRefund,
    RefundAttempt,
    awaiting_second_person,
    in_flight_refund,
    next_ordinal,
)
from workflows.returns.facts import ReturnFacts


def make_refund(
    f: ReturnFacts,
    direction: Direction,
    amount: Decimal,
    reason: str,
    requested_by: str,
    *,
    way: Way = Way.GATEWAY,
    lines: tuple[Quantity, ...] = (),
    less_moved: bool = False,
    asked_by: str | None = None,
) -> MakeRefund:
    """A new refund; `amount` in the currency that the buyer paid, or that the seller was charged. `less_moved`: it
    is what the lines are worth, and nobody named it."""
    refund_id = _next_id(f, direction)
    return MakeRefund(
        key=f"refund:{refund_id}",
        refund_id=refund_id,
        direction=direction,
        way=way,
        amount=amount,
        currency=f.snapshot.currency if direction is BUYER else f.snapshot.charge_currency,
        reason=reason,
        requested_by=requested_by,
        lines=lines,
        less_moved=less_moved and bool(lines),
        asked_by=asked_by,
    )


def under_next_id(f: ReturnFacts, direction: Direction, way: Way = Way.GATEWAY) -> MakeRefund | None:
    """The refund whose id belongs to another request, asked for under the next one."""
    for one in f.refunds_to_renumber:
        if one.direction is direction and one.way is way:
            refund_id = _next_id(f, direction)
            return one.model_copy(update={"key": f"refund:{refund_id}", "refund_id": refund_id, "again": False})
    return None


def asked_again(f: ReturnFacts, attempt: RefundAttempt, asked_by: str | None = None) -> Plan:
    """A refund in doubt is asked for with the very same words: it looks before it sends."""
    before = f.refunds_in_doubt[attempt.refund_id]
    key = f"refund:{attempt.refund_id}:{attempt.tries + 1}"
    return just(before.model_copy(update={"key": key, "again": True, "asked_by": asked_by}))


def refund_under_way(stage: Stage, attempt: RefundAttempt) -> Plan:
    if attempt.state == "to_confirm":
        return wait(stage, Who.SELLER, awaiting_second_person(attempt), attempt.at)
    whom = "buyer" if attempt.direction is BUYER else "seller"
    if (held := attempt.held_up) is not None:
        return wait(stage, held.who, f"{held.what} (refund {attempt.refund_id} of the {whom})", attempt.at)
    return wait(stage, Who.GATEWAY, f"refund the {whom} ({attempt.refund_id})", attempt.at)


def last_refunds(f: ReturnFacts) -> Plan:
    """What became of them is known by what they reported; their workflows have not ended yet."""
    waiting = Plan()
    for attempt in f.refunds:
        if in_flight_refund(f, attempt.refund_id) is not None:
            stage = Stage.REFUNDING_BUYER if attempt.direction is BUYER else Stage.REFUNDING_SELLER
            waiting += refund_under_way(stage, attempt)
    return waiting


def _next_id(f: ReturnFacts, direction: Direction) -> str:
    ordinal = next_ordinal(f.refunds, direction)
    return ids.return_refund_id(f.return_id, "buyer" if direction is BUYER else "seller", ordinal)
