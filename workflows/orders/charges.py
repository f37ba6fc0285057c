"""The broker's charge on the seller's payment method: one attempt per method, at most one of which holds money.

Pure functions of the attempts (ORD-3, CAN-1).
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from models.charges import ChargeRecord
from models.gateway_limits import minimum_charge
from models.ids import CaseId, DerivedId
from models.message import Message, Number
from models.money import Currency, NonNegativeAmount, PositiveAmount
from models.partners import TOO_SMALL, ChargeAnswer, ChargeState
from models.payments import PaidBy
from workflows.orders.effects import Authorize

HOLDS_MONEY = (ChargeState.AUTHORIZED, ChargeState.CAPTURED)


class ChargeAttempt(Message):
    """One charge, from its authorization on. `state`: `asked` until the gateway has answered."""

    charge_id: DerivedId
    method_number: int
    """Which of the payment methods that were given."""
    state: ChargeState | Literal["asked"]
    amount: PositiveAmount
    captured: NonNegativeAmount = Decimal(0)
    currency: Currency
    gateway_reference: Number | None = None
    connection_id: CaseId
    """By which it is made, and given back."""
    reason: str | None = None
    """Why the gateway said no, in its word."""
    at: datetime
    """When it came to this state."""
    captured_step: int = 0
    """Which step of the timeline says that it was captured: the database has the money once it has this step."""

    @property
    def save_key(self) -> str:
        return f"save:{self.charge_id}"

    @property
    def holds_money(self) -> bool:
        return self.state in HOLDS_MONEY

    @property
    def was_good(self) -> bool:
        """Its payment method was taken: it may be charged again."""
        return self.holds_money or self.state in (ChargeState.EXPIRED, ChargeState.VOIDED)


Charges = tuple[ChargeAttempt, ...]


def asked(charges: Charges, effect: Authorize, now: datetime) -> Charges:
    """The gateway is asked to authorize."""
    attempt = ChargeAttempt(
        charge_id=effect.charge_id,
        method_number=effect.method_number,
        state="asked",
        amount=effect.amount,
        currency=effect.currency,
        connection_id=effect.connection_id,
        at=now,
    )
    return (*charges, attempt)


def authorized(charges: Charges, answer: ChargeAnswer, now: datetime, step: int) -> Charges:
    """What the gateway said to an authorization; `step`: which line of the timeline will say so."""
    return _changed(
        charges,
        answer.charge_id,
        state=answer.state,
        captured=answer.captured or Decimal(0),
        gateway_reference=answer.gateway_reference,
        reason=answer.reason,
        at=now,
        captured_step=step,
    )


def captured(charges: Charges, answer: ChargeAnswer, amount: Decimal, now: datetime, step: int) -> Charges:
    """What the gateway said when `amount` was to be captured; `step`: which line of the timeline will say so. A
    capture that has a number of its own is what is given back."""
    attempt = attempt_of(charges, answer.charge_id)
    reference = attempt.gateway_reference if attempt is not None else None
    if answer.state is ChargeState.CAPTURED:
        taken = answer.captured or amount
        return _changed(
            charges,
            answer.charge_id,
            state=answer.state,
            captured=taken,
            gateway_reference=answer.gateway_reference or reference,
            reason=None,
            at=now,
            captured_step=step,
        )
    return _changed(charges, answer.charge_id, state=answer.state, reason=answer.reason, at=now)


def voided(charges: Charges, answer: ChargeAnswer, now: datetime, step: int) -> Charges:
    """What the gateway said when the authorization was to be released: it may be captured already."""
    attempt = attempt_of(charges, answer.charge_id)
    if answer.state is ChargeState.CAPTURED and attempt is not None:
        return captured(charges, answer, attempt.amount, now, step)
    return _changed(charges, answer.charge_id, state=ChargeState.VOIDED, at=now)


def is_too_small(amount: Decimal, currency: str, by: PaidBy | None, charges: Charges) -> bool:
    """Whether the gateway takes no charge of so little: by its own published minimum, or because it said so
    (REF-14)."""
    if amount < minimum_charge(by, currency):
        return True
    return any(one.reason == TOO_SMALL and amount <= one.amount for one in charges)


def attempt_of(charges: Charges, charge_id: str) -> ChargeAttempt | None:
    return next((one for one in charges if one.charge_id == charge_id), None)


def records_of(charges: Charges) -> tuple[ChargeRecord, ...]:
    """Those that the gateway has answered, as the database keeps them."""
    return tuple(
        ChargeRecord(
            charge_id=one.charge_id,
            state=one.state,
            amount=one.amount,
            captured=one.captured,
            currency=one.currency,
            gateway_reference=one.gateway_reference,
            connection_id=one.connection_id,
            reason=one.reason,
        )
        for one in charges
        if one.state != "asked"
    )


def _changed(charges: Charges, charge_id: str, **changes: object) -> Charges:
    return tuple(one.model_copy(update=changes) if one.charge_id == charge_id else one for one in charges)
