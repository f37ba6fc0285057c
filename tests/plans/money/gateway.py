"""A payment gateway in memory: it moves money, loses nothing, and never does one thing twice."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from models.partners import AWAITS_SETTLEMENT, ChargeAnswer, ChargeState, RefundAnswer

Status = Literal["succeeded", "pending", "failed"]
ZERO: Final = Decimal(0)


@dataclass
class Given:
    """A refund as the gateway has it."""

    reference: str
    amount: Decimal
    status: Status
    number: str


class Gateway:
    """What it received by payment, and what it gave back by the id of each refund."""

    def __init__(self) -> None:
        self.received: dict[str, Decimal] = {}
        self.refunds: dict[str, Given] = {}
        self.charges: dict[str, tuple[ChargeState, Decimal]] = {}
        self.is_calm = False
        """All that is asked succeeds from now on."""

    # ---- the seller's charge ----

    def authorize(self, charge_id: str, amount: Decimal, chance: random.Random) -> ChargeAnswer:
        if charge_id not in self.charges:
            declined = not self.is_calm and chance.random() < 0.1
            self.charges[charge_id] = (ChargeState.DECLINED if declined else ChargeState.AUTHORIZED, amount)
        return self._charge(charge_id)

    def capture(self, charge_id: str, amount: Decimal, chance: random.Random) -> ChargeAnswer:
        state, asked = self.charges[charge_id]
        if state is ChargeState.AUTHORIZED:
            assert amount <= asked, f"{amount} of {asked} is taken of {charge_id}"
            if not self.is_calm and chance.random() < 0.04:
                self.charges[charge_id] = (ChargeState.EXPIRED, asked)
            else:
                self.charges[charge_id] = (ChargeState.CAPTURED, amount)
                self.received[charge_id] = amount
        return self._charge(charge_id)

    def void(self, charge_id: str) -> ChargeAnswer:
        state, amount = self.charges.get(charge_id, (ChargeState.VOIDED, ZERO))
        if state is not ChargeState.CAPTURED:
            self.charges[charge_id] = (ChargeState.VOIDED, amount)
        return self._charge(charge_id)

    def _charge(self, charge_id: str) -> ChargeAnswer:
        state, amount = self.charges[charge_id]
        captured = amount if state is ChargeState.CAPTURED else None
        reason = "card_declined" if state is ChargeState.DECLINED else None
        reference = charge_id if state is not ChargeState.DECLINED else None
        return ChargeAnswer(
            charge_id=charge_id, state=state, gateway_reference=reference, captured=captured, reason=reason
        )

    # ---- refunds ----

    def refund(
        self, refund_id: str, reference: str, amount: Decimal, now: datetime, chance: random.Random
    ) -> RefundAnswer:
        """Once by its id; the caller's cap is such that it never has to refuse."""
        if refund_id not in self.refunds:
            fate = 1.0 if self.is_calm else chance.random()
            if fate < 0.04:
                later = now + timedelta(days=1)
                return RefundAnswer(state="later", reason=AWAITS_SETTLEMENT, again_at=later)
            if fate < 0.08:
                return RefundAnswer(state="refused", reason="charge_disputed")
            left = self.received[reference] - self.given(reference)
            assert amount <= left, f"{amount} is asked of {reference}, which has {left} left (REF-3)"
            status: Status = "failed" if fate < 0.15 else "pending" if fate < 0.3 else "succeeded"
            self.refunds[refund_id] = Given(reference, amount, status, f"re_{len(self.refunds)}")
        one = self.refunds[refund_id]
        assert (one.reference, one.amount) == (reference, amount), f"{refund_id} is another refund now (REF-6)"
        return RefundAnswer(state=one.status, gateway_refund_id=one.number)

    def look_up(self, refund_id: str) -> RefundAnswer:
        one = self.refunds.get(refund_id)
        return RefundAnswer(state=one.status, gateway_refund_id=one.number) if one else RefundAnswer(state="none")

    def given(self, reference: str) -> Decimal:
        """What of a payment went back, or is on its way."""
        of_it = [one for one in self.refunds.values() if one.reference == reference and one.status != "failed"]
        return sum((one.amount for one in of_it), ZERO)
