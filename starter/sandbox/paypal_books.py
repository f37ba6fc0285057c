"""The payments of the sandbox's PayPal: finding, seeding, disputing and ending them."""

from decimal import Decimal
from typing import TypeVar

from starter.sandbox.facts import PaymentSeed, RefundEnd
from starter.sandbox.paypal_errors import no_such
from starter.sandbox.paypal_objects import Authorization, Capture, Dispute, PayPalOrder, PayPalRefund
from starter.sandbox.store import Store

R = TypeVar("R", PayPalOrder, Authorization, Capture, PayPalRefund)

ECHECK = "echeck"
SHORT_OF_FUNDS = "short_of_funds"


class PayPalBooks:
    """Of all accounts. What was seeded without an account belongs to whoever asks."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def seed(self, seed: PaymentSeed) -> Capture:
        """A buyer's payment, captured elsewhere. `payment_method`: `echeck`, its refunds are pending;
        `short_of_funds`, the seller has not enough to refund it. The same seed twice changes nothing."""
        capture = Capture(
            id=seed.id,
            space=seed.account or "",
            order_id=f"O{seed.id}"[:17],
            amount=seed.amount,
            currency=seed.currency,
            echeck=seed.payment_method == ECHECK,
            payee_is_short=seed.payment_method == SHORT_OF_FUNDS,
            created=self.store.timestamp(),
            seeded=True,
        )
        known = self.store.get(Capture, capture.id, capture.space)
        if known is not None:
            if (known.amount, known.currency) != (capture.amount, capture.currency):
                raise ValueError(f"{seed.id} is taken by another payment")
            return known
        order = PayPalOrder(
            id=f"O{seed.id}"[:17],
            space=capture.space,
            amount=seed.amount,
            currency=seed.currency,
            vault_id="",
            invoice_id=None,
            custom_id=None,
            created=capture.created,
        )
        self.store.put(order)
        self.store.put(capture)
        return capture

    def settle(self, id: str, end: RefundEnd) -> PayPalRefund | None:
        """End a refund, by its id or by its invoice id; a completed one may still fail. None: no such refund."""
        refund = next((one for one in self.refunds() if id in (one.id, one.invoice_id)), None)
        if refund is None:
            return None
        status = "COMPLETED" if end.status == "succeeded" else "FAILED"
        refund = refund.model_copy(update={"status": status})
        self.store.put(refund)
        return refund

    def dispute(self, id: str, dispute: Dispute) -> Capture | None:
        """Open a case on a capture, or close it. None: no such capture."""
        found = self.store.find(Capture, id=id)
        for one in found:
            self.store.put(one.model_copy(update={"dispute": dispute}))
        return found[0] if found else None

    def fund(self, id: str, *, has_funds: bool) -> None:
        for one in self.store.find(Capture, id=id):
            self.store.put(one.model_copy(update={"payee_is_short": not has_funds}))

    def captures(self) -> list[Capture]:
        return self.store.find(Capture)

    def authorizations(self) -> list[Authorization]:
        return self.store.find(Authorization)

    def refunds(self) -> list[PayPalRefund]:
        return self.store.find(PayPalRefund)

    def get(self, model: type[R], id: str, account: str) -> R:
        """One of this account. Raises Refused (404)."""
        found = self.store.get(model, id, account) or self.store.get(model, id, "")
        if found is None:
            raise no_such(id)
        return found

    def refunds_of(self, capture: Capture) -> list[PayPalRefund]:
        """Oldest first."""
        return self.store.find(PayPalRefund, owner=capture.id)

    def refunded(self, capture: Capture) -> Decimal:
        return sum((one.amount for one in self.refunds_of(capture) if one.counts), Decimal(0))
