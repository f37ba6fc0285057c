"""What every payment gateway does for us, whatever its protocol (REF-6, REF-7, ORD-3).

Amounts that a provider can't move, and its minimum, are data: `models.gateway_limits`. A gateway's business "no"
is a value of the answer; an outage raises as in `activities.connectors.http`.
"""

from typing import Final, Protocol

from models.partners import (
    AuthorizeCharge,
    CaptureCharge,
    ChargeAnswer,
    ChargeState,
    RefundAnswer,
    SendRefund,
    VoidCharge,
)
from models.payments import PaidBy

CURRENCY_NOT_TAKEN: Final = "currency_not_supported"
"""Why a charge is declined that is in another currency than the account takes."""
HELD: Final = "held_for_review"
"""Why a charge is declined that a person at the gateway would have to agree to."""


class PaymentGateway(Protocol):
    """One connection to a gateway. `looks`: it may have been tried before, so what was done is looked for first;
    a first try is one call, which its id protects (REF-6)."""

    @property
    def provider(self) -> PaidBy:
        """Whose protocol it speaks."""
        ...

    async def authorize(self, ask: AuthorizeCharge, *, looks: bool) -> ChargeAnswer:
        """Reserve the broker's charge on the seller's payment method (ORD-3).

        `authorized`, or `declined` with the gateway's reason: a value, for the order then waits. A charge that an
        earlier try made is found by its id and told as it stands.
        """
        ...

    async def capture(self, ask: CaptureCharge, *, looks: bool) -> ChargeAnswer:
        """Take `amount` of an authorized charge; the rest is given free.

        `captured` says how much was really taken, also when an earlier try did it; `expired` when the
        authorization is gone; `none` when the gateway doesn't know it.
        """
        ...

    async def void(self, ask: VoidCharge) -> ChargeAnswer:
        """Give an authorization free (CAN-1, ORD-7).

        `voided` (also if it was before), `captured` (too late: refund it), or `none` (it never got there).
        """
        ...

    async def refund(self, ask: SendRefund, *, looks: bool) -> RefundAnswer:
        """Refund a payment, exactly once per `refund_id`, however often and however late it is tried (REF-6).

        `refused`: the gateway says no for good (REF-9). `failed`: it was sent under this id, and failed; it is
        never sent again under the same id (REF-7).
        """
        ...

    async def find_refund(self, ask: SendRefund) -> RefundAnswer:
        """Where the refund with this `refund_id` stands; sends nothing. `none`: it never got there."""
        ...

    async def test(self) -> None:
        """Call the partner, changing nothing. Raises a BackhaulError that says in words what is wrong."""
        ...


def declined(charge_id: str, reference: str | None, reason: str | None) -> ChargeAnswer:
    """The gateway's no to a charge, with its reason if it gives one: another method may do (ORD-3)."""
    return ChargeAnswer(
        charge_id=charge_id,
        state=ChargeState.DECLINED,
        gateway_reference=reference,
        reason=reason or "declined",
    )
