"""What PayPal does with payments: orders by a vaulted payment token, authorizations, captures, refunds."""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from starter.sandbox import paypal_objects as wire
from starter.sandbox.paypal_books import PayPalBooks
from starter.sandbox.paypal_errors import malformed, unprocessable
from starter.sandbox.paypal_objects import Authorization, Capture, PayPalOrder, PayPalRefund
from starter.sandbox.store import Store
from starter.sandbox.wire import Answer, Asked

DECLINES: Final = {
    "vault_declined": "INSTRUMENT_DECLINED",
    "vault_closed": "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
    "vault_cannot_pay": "PAYER_CANNOT_PAY",
}
"""Payment tokens that are no good, and the issue with which an order by them is refused."""

LISTED_AFTER: Final = timedelta(hours=3)
"""A transaction is found by a search so much later."""


class PayPalPayments:
    """The work behind each route. `base`: where links point to."""

    def __init__(self, store: Store, books: PayPalBooks) -> None:
        self._store = store
        self._books = books

    # ---- orders ----

    def create_order(self, asked: Asked) -> Answer:
        body = _body(asked)
        if body.get("intent") != "AUTHORIZE":
            raise unprocessable("UNSUPPORTED_INTENT", "/intent")
        unit = _first(body.get("purchase_units"))
        amount, currency = _amount(unit.get("amount"), "/purchase_units/@reference_id=='default'/amount/value")
        vault_id = ((body.get("payment_source") or {}).get("paypal") or {}).get("vault_id")
        if not isinstance(vault_id, str) or not vault_id:
            raise malformed("MISSING_REQUIRED_PARAMETER", "/payment_source/paypal/vault_id")
        if not asked.headers.get("paypal-request-id"):
            raise malformed("PAYPAL_REQUEST_ID_REQUIRED")
        if vault_id in DECLINES:
            raise unprocessable(DECLINES[vault_id], "/payment_source/paypal/vault_id")
        names = {"invoice_id": unit.get("invoice_id"), "custom_id": unit.get("custom_id")}
        order = PayPalOrder(
            id=wire.new_id(),
            space=account_of(asked),
            amount=amount,
            currency=currency,
            vault_id=vault_id,
            created=self._store.timestamp(),
            **names,
        )
        self._store.put(order)
        self._store.put(
            Authorization(
                id=wire.new_id(),
                space=order.space,
                order_id=order.id,
                amount=amount,
                currency=currency,
                created=order.created,
                **names,
            )
        )
        return Answer(201, self.order_json(order, asked), changed=True)

    def get_order(self, asked: Asked) -> Answer:
        order = self._books.get(PayPalOrder, asked.parts["id"], account_of(asked))
        return Answer(200, self.order_json(order, asked))

    def order_json(self, order: PayPalOrder, asked: Asked) -> dict[str, Any]:
        base = base_of(asked)
        captures = self._store.find(Capture, owner=order.id)
        payments = {
            "authorizations": [
                wire.authorization_json(one, base) for one in self._store.find(Authorization, owner=order.id)
            ],
            "captures": [wire.capture_json(one, self._books.refunded(one), base) for one in captures],
            "refunds": [
                wire.refund_json(refund, base) for one in captures for refund in self._books.refunds_of(one)
            ],
        }
        unit = {
            "reference_id": "default",
            "amount": wire.money(order.amount, order.currency),
            "payments": {name: found for name, found in payments.items() if found},
        }
        for name in ("invoice_id", "custom_id"):
            if (value := getattr(order, name)) is not None:
                unit[name] = value
        return {
            "id": order.id,
            "intent": "AUTHORIZE" if order.vault_id else "CAPTURE",
            "status": "COMPLETED",
            "purchase_units": [unit],
            "create_time": wire.moment(order.created),
            "links": [{"href": f"{base}/v2/checkout/orders/{order.id}", "rel": "self", "method": "GET"}],
        }

    # ---- authorizations ----

    def get_authorization(self, asked: Asked) -> Answer:
        return Answer(200, wire.authorization_json(self._authorization(asked), base_of(asked)))

    def capture(self, asked: Asked) -> Answer:
        one, body = self._authorization(asked), _body(asked)
        if one.status == "VOIDED":
            raise unprocessable("AUTHORIZATION_VOIDED")
        if not one.capturable:
            raise unprocessable("AUTHORIZATION_ALREADY_CAPTURED")
        if self._store.timestamp() >= one.created + int(wire.AUTHORIZATION_LASTS.total_seconds()):
            raise unprocessable("AUTHORIZATION_EXPIRED")
        left = one.amount - one.captured
        amount, currency = _amount(body["amount"], "/amount/value") if body.get("amount") else (left, one.currency)
        if currency != one.currency:
            raise unprocessable("AUTH_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
        if amount > left:
            raise unprocessable("MAX_CAPTURE_AMOUNT_EXCEEDED", "/amount/value")
        capture = Capture(
            id=wire.new_id(),
            space=one.space,
            order_id=one.order_id,
            authorization_id=one.id,
            amount=amount,
            currency=currency,
            invoice_id=body.get("invoice_id") or one.invoice_id,
            custom_id=one.custom_id,
            created=self._store.timestamp(),
        )
        self._store.put(capture)
        done = bool(body.get("final_capture")) or amount == left
        changes = {
            "captured": one.captured + amount,
            "status": "CAPTURED" if done else "PARTIALLY_CAPTURED",
            "capturable": not done,
        }
        self._store.put(one.model_copy(update=changes))
        return Answer(201, wire.capture_json(capture, Decimal(0), base_of(asked)), changed=True)

    def void(self, asked: Asked) -> Answer:
        one = self._authorization(asked)
        if one.status == "VOIDED":
            raise unprocessable("PREVIOUSLY_VOIDED")
        if one.status == "CAPTURED":
            raise unprocessable("PREVIOUSLY_CAPTURED")
        self._store.put(one.model_copy(update={"status": "VOIDED", "capturable": False}))
        return Answer(204, {}, changed=True)

    def _authorization(self, asked: Asked) -> Authorization:
        return self._books.get(Authorization, asked.parts["id"], account_of(asked))

    # ---- captures and refunds ----

    def get_capture(self, asked: Asked) -> Answer:
        one = self._books.get(Capture, asked.parts["id"], account_of(asked))
        return Answer(200, wire.capture_json(one, self._books.refunded(one), base_of(asked)))

    def refund(self, asked: Asked) -> Answer:
        capture, body = self._books.get(Capture, asked.parts["id"], account_of(asked)), _body(asked)
        left = capture.amount - self._books.refunded(capture)
        if not left:
            raise unprocessable("CAPTURE_FULLY_REFUNDED")
        amount, currency = (
            _amount(body["amount"], "/amount/value") if body.get("amount") else (left, capture.currency)
        )
        self._check_refund(capture, amount, currency, left)
        invoice_id = body.get("invoice_id")
        if invoice_id is not None and self._is_used(invoice_id, account_of(asked)):
            raise unprocessable("DUPLICATE_INVOICE_ID", "/invoice_id")
        refund = PayPalRefund(
            id=wire.new_id(),
            space=capture.space,
            capture_id=capture.id,
            amount=amount,
            currency=currency,
            status="PENDING" if capture.echeck else "COMPLETED",
            invoice_id=invoice_id,
            custom_id=body.get("custom_id"),
            note=body.get("note_to_payer"),
            created=self._store.timestamp(),
        )
        self._store.put(refund)
        return Answer(201, wire.refund_json(refund, base_of(asked)), changed=True)

    def _check_refund(self, capture: Capture, amount: Decimal, currency: str, left: Decimal) -> None:
        if currency != capture.currency:
            raise unprocessable("REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
        if capture.status == "PENDING":
            raise unprocessable("PENDING_CAPTURE")
        if self._store.timestamp() >= capture.created + int(wire.REFUND_WINDOW.total_seconds()):
            raise unprocessable("REFUND_TIME_LIMIT_EXCEEDED")
        if capture.dispute == "chargeback":
            raise unprocessable("REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK")
        if capture.dispute == "dispute" and amount < capture.amount:
            raise unprocessable("TRANSACTION_DISPUTED")
        if amount > left:
            raise unprocessable("REFUND_AMOUNT_EXCEEDED", "/amount/value")
        if capture.payee_is_short:
            raise unprocessable("REFUND_FAILED_INSUFFICIENT_FUNDS")

    def _is_used(self, invoice_id: str, account: str) -> bool:
        refunds = self._books.refunds()
        return any(one.invoice_id == invoice_id and one.space in ("", account) for one in refunds)

    def get_refund(self, asked: Asked) -> Answer:
        one = self._books.get(PayPalRefund, asked.parts["id"], account_of(asked))
        return Answer(200, wire.refund_json(one, base_of(asked)))

    # ---- the search, which lags ----

    def transactions(self, asked: Asked) -> Answer:
        """Authorizations, captures and refunds of at most 31 days, of three hours ago and before."""
        start, end = (_time(asked, name) for name in ("start_date", "end_date"))
        if end - start > 31 * 86_400:
            raise malformed("INVALID_REQUEST_DATE_RANGE")
        end = min(end, self._store.timestamp() - int(LISTED_AFTER.total_seconds()))
        found = [_transaction(one, "T1300", "P") for one in self._books.authorizations()]
        found += [_transaction(one, "T0006", "S") for one in self._books.captures()]
        found += [
            _transaction(one, "T1107", {"COMPLETED": "S", "PENDING": "P"}.get(one.status, "D"))
            for one in self._books.refunds()
        ]
        wanted = {"transaction_event_code": asked.query.get("transaction_type", [None])[0]}
        listed = [
            info
            for created, space, info in found
            if start <= created <= end and space in ("", account_of(asked)) and _is_wanted(info, wanted)
        ]
        body = {
            "transaction_details": [{"transaction_info": info} for info in listed],
            "start_date": wire.moment(start),
            "end_date": wire.moment(max(end, start)),
            "last_refreshed_datetime": wire.moment(end),
            "page": 1,
            "total_items": len(listed),
            "total_pages": 1,
        }
        return Answer(200, body)


def _transaction(
    one: Authorization | Capture | PayPalRefund, code: str, status: str
) -> tuple[int, str, dict[str, Any]]:
    info: dict[str, Any] = {
        "transaction_id": one.id,
        "transaction_event_code": code,
        "transaction_initiation_date": wire.moment(one.created),
        "transaction_amount": wire.money(-one.amount if code == "T1107" else one.amount, one.currency),
        "transaction_status": status,
    }
    if isinstance(one, PayPalRefund):
        info |= {"paypal_reference_id": one.capture_id, "paypal_reference_id_type": "TXN"}
    if one.invoice_id is not None:
        info["invoice_id"] = one.invoice_id
    if one.custom_id is not None:
        info["custom_field"] = one.custom_id
    return one.created, one.space, info


def _is_wanted(info: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(value is None or info[name] == value for name, value in wanted.items())


def account_of(asked: Asked) -> str:
    """The client whose token it is."""
    return str(asked.parts.get("account", ""))


def base_of(asked: Asked) -> str:
    return f"http://{asked.headers.get('host', '')}/paypal"


def _body(asked: Asked) -> dict[str, Any]:
    return asked.body if isinstance(asked.body, dict) else {}


def _first(units: Any) -> dict[str, Any]:
    if not isinstance(units, list) or len(units) != 1 or not isinstance(units[0], dict):
        raise malformed("INVALID_ARRAY_MIN_ITEMS", "/purchase_units")
    return units[0]


def _amount(value: Any, field: str) -> tuple[Decimal, str]:
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        raise malformed("MISSING_REQUIRED_PARAMETER", field)
    currency = value.get("currency_code")
    if currency not in wire.CURRENCIES:
        raise unprocessable("CURRENCY_NOT_SUPPORTED", field.replace("value", "currency_code"))
    try:
        amount = Decimal(value["value"])
    except InvalidOperation:
        raise malformed("INVALID_PARAMETER_SYNTAX", field) from None
    if currency in wire.WITHOUT_DECIMALS and "." in value["value"]:
        raise unprocessable("DECIMALS_NOT_SUPPORTED", field)
    if amount != amount.quantize(Decimal("0.01")):
        raise unprocessable("DECIMAL_PRECISION", field)
    if amount <= 0:
        raise unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE", field)
    return amount, currency


def _time(asked: Asked, name: str) -> int:
    try:
        return int(datetime.fromisoformat(asked.query.get(name, [""])[0]).timestamp())
    except ValueError:
        raise malformed("INVALID_REQUEST", name) from None
