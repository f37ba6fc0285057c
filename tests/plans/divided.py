"""What the database answers where no single payment can carry a refund: the parts that it reserved (REF-3)."""

from decimal import Decimal

from models.ids import refund_part_id
from models.refunds import RefundPart, RefundResult, RefundState
from workflows.refunds.attempts import MakeRefund


def divided(effect: MakeRefund, amounts: str) -> RefundResult:
    """`amounts` of the payments, in their order: `60.00+40.00`."""
    parts = tuple(
        RefundPart(
            refund_id=refund_part_id(effect.refund_id, number),
            amount=Decimal(amount),
            lines=effect.lines if number == 1 else (),
        )
        for number, amount in enumerate(amounts.split("+"), start=1)
    )
    return RefundResult(
        refund_id=effect.refund_id,
        state=RefundState.REFUSED,
        amount=Decimal(0),
        currency=effect.currency,
        reason="no single payment can carry it",
        direction=effect.direction,
        parts=parts,
    )
