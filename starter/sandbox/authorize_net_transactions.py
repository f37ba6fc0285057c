"""What Authorize.Net does with a `createTransactionRequest`: authorize, capture, void, refund."""

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from starter.sandbox import authorize_net_books as books
from starter.sandbox.authorize_net_books import AuthorizeNetBooks, Transaction

DEFAULT_WINDOW: Final = 120
LONGEST_WINDOW: Final = 28_800

ERRORS: Final = {
    "2": "This transaction has been declined.",
    "5": "A valid amount is required.",
    "6": "The credit card number is invalid.",
    "11": "A duplicate transaction has been submitted.",
    "16": "The transaction cannot be found.",
    "47": "The amount requested for settlement cannot be greater than the original amount authorized.",
    "50": "This transaction is awaiting settlement and cannot be refunded.",
    "51": "The sum of all credits against this transaction is greater than the original transaction amount.",
    "54": "The referenced transaction does not meet the criteria for issuing a credit.",
    "55": "The sum of credits against the referenced transaction would exceed original debit amount.",
}
_MESSAGES: Final = {
    "1": "This transaction has been approved.",
    "252": "Your order has been received. Thank you for your business!",
    "310": "This transaction has already been voided.",
    "311": "This transaction has already been captured.",
}


class Rejected(Exception):
    """The gateway's no. `found`: the transaction that it is told with; none: nothing was kept of it."""

    def __init__(self, code: str, found: Transaction | None = None, response_code: str = "3") -> None:
        self.code, self.found, self.response_code = code, found, response_code
        super().__init__(code)


class Invalid(Exception):
    """What the request says is no valid value (E00013)."""


@dataclass(frozen=True)
class Done:
    """What became of it. `code`: of the message; `is_new`: money moves that did not before."""

    transaction: Transaction
    code: str = "1"
    response_code: str = "1"
    is_new: bool = True


class Transactions:
    """The four kinds. Amounts in the account's currency."""

    def __init__(self, kept: AuthorizeNetBooks) -> None:
        self._books = kept

    def create(self, request: dict[str, Any], login: str) -> Done:
        """Raises Rejected or Invalid."""
        kinds = {
            "authOnlyTransaction": self._authorize,
            "priorAuthCaptureTransaction": self._capture,
            "voidTransaction": self._void,
            "refundTransaction": self._refund,
        }
        kind = kinds.get(str(request.get("transactionType")))
        if kind is None:
            raise Invalid("transactionType is not supported.")
        return kind(request, login)

    # ---- charges ----

    def _authorize(self, request: dict[str, Any], login: str) -> Done:
        amount = _amount(request)
        profile = request.get("profile") or {}
        method = str((profile.get("paymentProfile") or {}).get("paymentProfileId") or "")
        customer = str(profile.get("customerProfileId") or "")
        if not method or not customer:
            raise Invalid("Customer Profile ID or Customer Payment Profile ID not found.")
        one = self._new(request, login, "authOnlyTransaction", amount, customer=customer, method=method)
        self._refuse_duplicate(request, one)
        if method.endswith("0002"):
            declined = one.model_copy(update={"status": "declined", "window_key": ""})
            self._put(declined)
            raise Rejected("2", declined, response_code="2")
        if method.endswith("0004"):
            held = one.model_copy(update={"status": "FDSAuthorizedPendingReview"})
            return Done(self._put(held), code="252", response_code="4")
        return Done(self._put(one))

    def _capture(self, request: dict[str, Any], login: str) -> Done:
        one = self._referenced(request, login)
        if one.status in ("capturedPendingSettlement", "settledSuccessfully"):
            return Done(one, code="311", is_new=False)
        if one.status != "authorizedPendingCapture":
            raise Rejected("16")
        amount = _amount(request) if "amount" in request else one.amount
        if amount > one.amount:
            raise Rejected("47")
        changes = {
            "status": "capturedPendingSettlement",
            "settle_amount": amount,
            "settles_from": self._books.store.timestamp(),
        }
        return Done(self._put(one.model_copy(update=changes)))

    def _void(self, request: dict[str, Any], login: str) -> Done:
        one = self._referenced(request, login)
        if one.status == "voided":
            return Done(one, code="310", is_new=False)
        unsettled = (
            "authorizedPendingCapture",
            "capturedPendingSettlement",
            "refundPendingSettlement",
            "FDSAuthorizedPendingReview",
        )
        if one.status not in unsettled:
            raise Rejected("16")
        return Done(self._put(one.model_copy(update={"status": "voided"})))

    # ---- refunds ----

    def _refund(self, request: dict[str, Any], login: str) -> Done:
        original, amount = self._referenced(request, login), _amount(request)
        card = (request.get("payment") or {}).get("creditCard") or {}
        if str(card.get("cardNumber", ""))[-4:] != original.last_four or card.get("expirationDate") != "XXXX":
            raise Rejected("6")
        one = self._new(request, login, "refundTransaction", amount, of=original)
        self._refuse_duplicate(request, one)
        too_old = one.submitted >= original.submitted + int(books.REFUND_WINDOW.total_seconds())
        refunded = self._books.refunded(original)
        if original.status != "settledSuccessfully" or too_old or refunded >= original.settle_amount:
            raise Rejected("54")
        if amount > original.settle_amount:
            raise Rejected("51")
        if refunded + amount > original.settle_amount:
            raise Rejected("55")
        return Done(self._put(one))

    def _referenced(self, request: dict[str, Any], login: str) -> Transaction:
        found = self._books.get(str(request.get("refTransId") or ""), login)
        if found is None:
            raise Rejected("16")
        return found

    # ---- one like another ----

    def _new(
        self,
        request: dict[str, Any],
        login: str,
        kind: Any,
        amount: Decimal,
        *,
        customer: str = "",
        method: str = "",
        of: Transaction | None = None,
    ) -> Transaction:
        now, order = self._books.store.timestamp(), request.get("order") or {}
        return Transaction(
            id=books.new_id(),
            space=login,
            type=kind,
            status="authorizedPendingCapture" if of is None else "refundPendingSettlement",
            amount=amount,
            settle_amount=Decimal(0) if of is None else amount,
            ref_trans_id="" if of is None else of.id,
            invoice_number=str(order.get("invoiceNumber") or ""),
            description=str(order.get("description") or ""),
            customer_profile_id=customer if of is None else of.customer_profile_id,
            payment_profile_id=method,
            last_four="1111" if of is None else of.last_four,
            submitted=now,
            settles_from=now,
            window_key=json.dumps([kind, str(amount), customer, method, "" if of is None else of.id]),
        )

    def _refuse_duplicate(self, request: dict[str, Any], one: Transaction) -> None:
        """The same content within the window. Who names the window is told which transaction it is taken for."""
        named = _setting(request, "duplicateWindow")
        window = min(int(named), LONGEST_WINDOW) if named is not None and named.isdecimal() else DEFAULT_WINDOW
        for before in reversed(self._books.transactions()):
            alike = before.space == one.space and before.window_key == one.window_key
            if alike and one.submitted - before.submitted < window:
                raise Rejected("11", before if named is not None else None)

    def _put(self, one: Transaction) -> Transaction:
        self._books.store.put(one)
        return one


def response_json(done: Done) -> dict[str, Any]:
    """A `transactionResponse`, in the order of the schema."""
    message = {"code": done.code, "description": _MESSAGES[done.code]}
    return _response(done.response_code, done.transaction) | {"messages": [message]}


def rejection_json(no: Rejected) -> dict[str, Any]:
    error = {"errorCode": no.code, "errorText": ERRORS.get(no.code, "The transaction was refused.")}
    return _response(no.response_code, no.found) | {"errors": [error]}


def _response(response_code: str, found: Transaction | None) -> dict[str, Any]:
    return {
        "responseCode": response_code,
        "authCode": "",
        "avsResultCode": "P",
        "transId": found.id if found is not None else "0",
        "refTransID": found.ref_trans_id if found is not None else "",
        "testRequest": "0",
        "accountNumber": f"XXXX{found.last_four}" if found is not None else "",
        "accountType": "Visa" if found is not None else "",
    }


def _amount(request: dict[str, Any]) -> Decimal:
    try:
        amount = Decimal(str(request.get("amount")))
    except InvalidOperation:
        raise Rejected("5") from None
    if amount <= 0 or amount != amount.quantize(Decimal("0.01")):
        raise Rejected("5")
    return amount


def _setting(request: dict[str, Any], name: str) -> str | None:
    settings = (request.get("transactionSettings") or {}).get("setting") or []
    for one in settings if isinstance(settings, list) else [settings]:
        if one.get("settingName") == name:
            return str(one.get("settingValue"))
    return None
