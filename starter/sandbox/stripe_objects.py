"""Payment intents, charges and refunds: what the gateway keeps, and how they look on the wire."""

import re
import secrets
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import Field

from models.money import minor_digits
from starter.sandbox.store import Document

AUTHORIZATION_LASTS = timedelta(days=7)
REFUND_FAILS_AFTER = timedelta(days=3)
"""How long a refund to `pm_card_refundFail` stays pending, unless it is told to end before."""

# Where Stripe's minor units are not ISO 4217's: docs.stripe.com/currencies, "special cases".
_OTHER_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
# docs.stripe.com/currencies, "minimum charge amount", in minor units; of the others nothing is asked here. PHP: as
# an account meets it that is paid out in USD.
MINIMUM = {"USD": 50, "EUR": 50, "GBP": 30, "JPY": 50, "CAD": 50, "PHP": 3000}
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def stripe_digits(currency: str) -> int:
    """Digits after the point in Stripe's amounts: as ISO 4217, but ISK and UGX 2, MGA 0."""
    code = currency.upper()
    return _OTHER_DIGITS.get(code, minor_digits(code))


def smallest_step(currency: str) -> int:
    """Amounts are multiples of this: 10 where there are three decimals, 100 for ISK and UGX, else 1."""
    if currency.upper() in ("ISK", "UGX"):
        return 100
    return 10 if stripe_digits(currency) == 3 else 1


def as_decimal(units: int, currency: str) -> Decimal:
    """1050 usd -> 10.50."""
    return Decimal(units).scaleb(-stripe_digits(currency))


def said(units: int, currency: str) -> str:
    """1050 usd -> `$10.50`."""
    code = currency.upper()
    amount = f"{as_decimal(units, code):f}"
    return f"{_SYMBOLS[code]}{amount}" if code in _SYMBOLS else f"{amount} {code}"


def new_id(prefix: str) -> str:
    """`re` -> `re_3f0c...`."""
    return f"{prefix}_{secrets.token_hex(12)}"


class Decline(NamedTuple):
    """Why the card's bank said no."""

    code: str
    decline_code: str
    message: str


_DECLINES = {
    "chargeDeclined": Decline("card_declined", "generic_decline", "Your card was declined."),
    "chargeCustomerFail": Decline("card_declined", "generic_decline", "Your card was declined."),
    "chargeDeclinedInsufficientFunds": Decline(
        "card_declined", "insufficient_funds", "Your card has insufficient funds."
    ),
    "chargeDeclinedLostCard": Decline("card_declined", "lost_card", "Your card was declined."),
    "chargeDeclinedStolenCard": Decline("card_declined", "stolen_card", "Your card was declined."),
    "chargeDeclinedExpiredCard": Decline("expired_card", "expired_card", "Your card has expired."),
    "chargeDeclinedIncorrectCvc": Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is wrong."),
    "chargeDeclinedProcessingError": Decline(
        "processing_error", "processing_error", "An error occurred while processing your card."
    ),
}
_CARD = {"brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2040, "funding": "credit", "last4": "4242"}
_CARD_TOKEN = re.compile(r"^pm_card_(?:visa_)?(\w+)$")


def decline_of(payment_method: str) -> Decline | None:
    """What Stripe's test token makes the bank say; none: the payment works."""
    match = _CARD_TOKEN.match(payment_method)
    return _DECLINES.get(match[1]) if match else None


def refunds_stay_pending(payment_method: str | None) -> bool:
    return payment_method in ("pm_card_pendingRefund", "pm_card_refundFail")


def refunds_fail(payment_method: str | None) -> bool:
    return payment_method == "pm_card_refundFail"


class Intent(Document):
    """A payment intent; `space` is the account. Amounts in minor units, times in seconds since 1970."""

    kind = "payment_intent"
    amount: int
    currency: str
    capture_method: str
    status: str
    created: int
    customer: str | None = None
    payment_method: str | None = None
    description: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    amount_capturable: int = 0
    amount_received: int = 0
    charge_id: str | None = None
    authorized_at: int | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None
    last_error: dict[str, Any] | None = None
    seeded: bool = False

    @property
    def owner(self) -> str:
        return self.customer or ""


class Charge(Document):
    """One attempt to take or reserve the money of an intent."""

    kind = "charge"
    intent_id: str
    amount: int
    currency: str
    status: str
    created: int
    amount_captured: int = 0
    captured: bool = False
    released: bool = False
    """The authorization was given free."""
    customer: str | None = None
    payment_method: str | None = None
    decline: Decline | None = None
    metadata: dict[str, str] = Field(default_factory=dict)

    @property
    def owner(self) -> str:
        return self.intent_id


class Refund(Document):
    """Money going back to the payer."""

    kind = "refund"
    intent_id: str
    charge_id: str
    amount: int
    currency: str
    status: str
    created: int
    reason: str | None = None
    failure_reason: str | None = None
    fails_at: int | None = None
    metadata: dict[str, str] = Field(default_factory=dict)

    @property
    def owner(self) -> str:
        return self.intent_id

    @property
    def counts(self) -> bool:
        """Whether it uses up the charge: pending ones do, failed and cancelled ones do not."""
        return self.status in ("pending", "succeeded")


def method_type(payment_method: str | None) -> str:
    return "paypal" if payment_method and payment_method.startswith("pm_paypal") else "card"


def list_json(url: str, data: list[dict[str, Any]], has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "url": url, "has_more": has_more, "data": data}


def refund_json(refund: Refund) -> dict[str, Any]:
    """A refund on the wire."""
    body: dict[str, Any] = {
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": f"txn_{refund.id}" if refund.status == "succeeded" else None,
        "charge": refund.charge_id,
        "created": refund.created,
        "currency": refund.currency,
        "metadata": refund.metadata,
        "payment_intent": refund.intent_id,
        "reason": refund.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": refund.status,
        "transfer_reversal": None,
    }
    if refund.failure_reason is not None:
        body["failure_reason"] = refund.failure_reason
        body["failure_balance_transaction"] = f"txn_{refund.id}_failed"
    return body


def charge_json(charge: Charge, refunds: list[Refund]) -> dict[str, Any]:
    """A charge on the wire, with its refunds, newest first."""
    refunded = charge.amount if charge.released else sum(refund.amount for refund in refunds if refund.counts)
    kind = method_type(charge.payment_method)
    details: dict[str, Any] = dict(_CARD) if kind == "card" else {}
    decline = charge.decline
    return {
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.amount_captured,
        "amount_refunded": refunded,
        "balance_transaction": f"txn_{charge.id}" if charge.captured else None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "captured": charge.captured,
        "created": charge.created,
        "currency": charge.currency,
        "customer": charge.customer,
        "disputed": False,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "livemode": False,
        "metadata": charge.metadata,
        "outcome": {
            "network_status": "declined_by_network" if decline else "approved_by_network",
            "reason": decline.decline_code if decline else None,
            "type": "issuer_declined" if decline else "authorized",
        },
        "paid": charge.status == "succeeded",
        "payment_intent": charge.intent_id,
        "payment_method": charge.payment_method,
        "payment_method_details": {"type": kind, kind: details},
        "refunded": refunded > 0 and refunded >= (charge.amount_captured or charge.amount),
        "refunds": list_json(f"/v1/charges/{charge.id}/refunds", [refund_json(one) for one in refunds]),
        "status": charge.status,
    }


def intent_json(intent: Intent, charges: list[dict[str, Any]]) -> dict[str, Any]:
    """A payment intent on the wire. Both `latest_charge` (newer versions) and `charges` (older) are there."""
    return {
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_capturable": intent.amount_capturable,
        "amount_received": intent.amount_received,
        "canceled_at": intent.canceled_at,
        "cancellation_reason": intent.cancellation_reason,
        "capture_method": intent.capture_method,
        "charges": list_json(f"/v1/charges?payment_intent={intent.id}", charges),
        "client_secret": f"{intent.id}_secret_sandbox",
        "confirmation_method": "automatic",
        "created": intent.created,
        "currency": intent.currency,
        "customer": intent.customer,
        "description": intent.description,
        "last_payment_error": intent.last_error,
        "latest_charge": intent.charge_id,
        "livemode": False,
        "metadata": intent.metadata,
        "next_action": None,
        "payment_method": intent.payment_method,
        "payment_method_types": [method_type(intent.payment_method)],
        "status": intent.status,
    }
