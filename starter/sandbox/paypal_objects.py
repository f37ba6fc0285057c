"""What the sandbox's PayPal keeps, and how it shows it: orders, authorizations, captures, refunds."""

import secrets
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from starter.sandbox.store import Document

AUTHORIZATION_LASTS: Final = timedelta(days=29)
REFUND_WINDOW: Final = timedelta(days=180)
CURRENCIES: Final = frozenset(
    (
        *("AUD", "BRL", "CAD", "CNY", "CZK", "DKK", "EUR", "HKD", "HUF", "ILS", "JPY", "MYR", "MXN", "TWD"),
        *("NZD", "NOK", "PHP", "PLN", "GBP", "SGD", "SEK", "CHF", "THB", "USD"),
    )
)
WITHOUT_DECIMALS: Final = frozenset({"HUF", "JPY", "TWD"})

Dispute = Literal["", "dispute", "chargeback"]


class PayPalOrder(Document):
    """Its space is the account; so too of the others."""

    kind = "paypal_order"
    amount: Decimal
    currency: str
    vault_id: str
    invoice_id: str | None
    custom_id: str | None
    created: int


class Authorization(Document):
    kind = "paypal_authorization"
    order_id: str
    amount: Decimal
    currency: str
    status: Literal["CREATED", "CAPTURED", "PARTIALLY_CAPTURED", "VOIDED"] = "CREATED"
    captured: Decimal = Decimal(0)
    capturable: bool = True
    invoice_id: str | None
    custom_id: str | None
    created: int

    @property
    def owner(self) -> str:
        return self.order_id


class Capture(Document):
    kind = "paypal_capture"
    order_id: str | None
    authorization_id: str | None = None
    amount: Decimal
    currency: str
    status: Literal["COMPLETED", "PENDING"] = "COMPLETED"
    echeck: bool = False
    """Paid from a bank account: its refunds are pending for days."""
    dispute: Dispute = ""
    payee_is_short: bool = False
    invoice_id: str | None = None
    custom_id: str | None = None
    created: int
    seeded: bool = False
    """Paid before, elsewhere."""

    @property
    def owner(self) -> str:
        return self.order_id or ""


class PayPalRefund(Document):
    kind = "paypal_refund"
    capture_id: str
    amount: Decimal
    currency: str
    status: Literal["COMPLETED", "PENDING", "FAILED", "CANCELLED"]
    invoice_id: str | None
    custom_id: str | None
    note: str | None
    created: int

    @property
    def owner(self) -> str:
        return self.capture_id

    @property
    def counts(self) -> bool:
        """Against what was captured."""
        return self.status in ("COMPLETED", "PENDING")


def new_id() -> str:
    """`5O190127TN364715T`: 17 capital letters and digits."""
    return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(17))


def money(amount: Decimal, currency: str) -> dict[str, str]:
    value = f"{amount:.0f}" if currency in WITHOUT_DECIMALS else f"{amount:.2f}"
    return {"currency_code": currency, "value": value}


def moment(timestamp: int) -> str:
    """`2026-03-02T12:00:00Z`."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat().replace("+00:00", "Z")


def _link(base: str, path: str, rel: str, method: str = "GET") -> dict[str, str]:
    return {"href": f"{base}{path}", "rel": rel, "method": method}


def _known(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def authorization_json(one: Authorization, base: str) -> dict[str, Any]:
    path = f"/v2/payments/authorizations/{one.id}"
    return _known(
        id=one.id,
        status=one.status,
        amount=money(one.amount, one.currency),
        invoice_id=one.invoice_id,
        custom_id=one.custom_id,
        create_time=moment(one.created),
        update_time=moment(one.created),
        expiration_time=moment(one.created + int(AUTHORIZATION_LASTS.total_seconds())),
        supplementary_data={"related_ids": {"order_id": one.order_id}},
        links=[
            _link(base, path, "self"),
            _link(base, f"{path}/capture", "capture", "POST"),
            _link(base, f"{path}/void", "void", "POST"),
            _link(base, f"/v2/checkout/orders/{one.order_id}", "up"),
        ],
    )


def capture_json(one: Capture, refunded: Decimal, base: str) -> dict[str, Any]:
    path, status = f"/v2/payments/captures/{one.id}", str(one.status)
    if refunded:
        status = "REFUNDED" if refunded >= one.amount else "PARTIALLY_REFUNDED"
    links = [_link(base, path, "self"), _link(base, f"{path}/refund", "refund", "POST")]
    related: dict[str, str] = {}
    if one.authorization_id is not None:
        links.append(_link(base, f"/v2/payments/authorizations/{one.authorization_id}", "up"))
        related["authorization_id"] = one.authorization_id
    if one.order_id is not None:
        links.append(_link(base, f"/v2/checkout/orders/{one.order_id}", "up"))
        related["order_id"] = one.order_id
    return _known(
        id=one.id,
        status=status,
        status_details={"reason": "ECHECK"} if one.status == "PENDING" else None,
        amount=money(one.amount, one.currency),
        final_capture=True,
        invoice_id=one.invoice_id,
        custom_id=one.custom_id,
        create_time=moment(one.created),
        update_time=moment(one.created),
        supplementary_data={"related_ids": related} if related else None,
        links=links,
    )


def refund_json(one: PayPalRefund, base: str) -> dict[str, Any]:
    return _known(
        id=one.id,
        status=one.status,
        status_details={"reason": "ECHECK"} if one.status == "PENDING" else None,
        amount=money(one.amount, one.currency),
        invoice_id=one.invoice_id,
        custom_id=one.custom_id,
        note_to_payer=one.note,
        create_time=moment(one.created),
        update_time=moment(one.created),
        links=[
            _link(base, f"/v2/payments/refunds/{one.id}", "self"),
            _link(base, f"/v2/payments/captures/{one.capture_id}", "up"),
        ],
    )
