"""PayPal as a payment gateway: the seller's charge and both kinds of refund.

Every movement carries our id: as the key of its request, which PayPal keeps for 45 days (of an order 6 hours),
and as its invoice id, by which it is found when the key is forgotten (REF-6).
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from activities.connectors.access import Access
from activities.connectors.http import tested
from activities.connectors.payment_gateway import HELD, declined
from activities.connectors.paypal import client as wire
from activities.connectors.paypal.client import Movement, PayPal, issue_of
from models.gateway_limits import require_movable
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

DECLINES: Final = frozenset(
    (
        "CARD_EXPIRED",
        "CURRENCY_NOT_SUPPORTED",
        "INSTRUMENT_DECLINED",
        "PAYEE_BLOCKED_TRANSACTION",
        "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
        "PAYER_ACCOUNT_RESTRICTED",
        "PAYER_CANNOT_PAY",
        "PAYMENT_DENIED",
        "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING",
        "TOKEN_ID_NOT_FOUND",
        "TRANSACTION_LIMIT_EXCEEDED",
        "TRANSACTION_REFUSED",
    )
)
"""Issues by which the order waits for another payment method of the seller, or is cancelled (ORD-3)."""

DISPUTED: Final = frozenset({"TRANSACTION_DISPUTED", "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK"})
"""Issues that only people can settle."""

LATER: Final = frozenset({"REFUND_FAILED_INSUFFICIENT_FUNDS", "PENDING_CAPTURE"})
"""Issues that pass: the seller's balance fills up, the payment arrives."""

MAY_BE_OURS: Final = frozenset(
    (
        "CAPTURE_FULLY_REFUNDED",
        "CAPTURED_AMOUNT_FULLY_REFUNDED",
        "DUPLICATE_INVOICE_ID",
        "MAX_NUMBER_OF_REFUNDS_EXCEEDED",
        "REFUND_AMOUNT_EXCEEDED",
    )
)
"""Issues that may be our own success of before: looked at before they are believed."""

ASK_AGAIN_AFTER: Final = timedelta(days=1)

_AUTHORIZATION_LASTS: Final = timedelta(days=29)
_REFUND_STATES: Final = {"COMPLETED": "succeeded", "PENDING": "pending", "FAILED": "failed", "CANCELLED": "failed"}


class PayPalGateway:
    """One PayPal account; answers as in `PaymentGateway`, errors as in `activities.connectors.http`."""

    provider: Final = PaidBy.PAYPAL

    def __init__(self, access: Access, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._paypal = PayPal(access, now)

    async def test(self) -> None:
        await tested(self._paypal.sign_in("sign in"))

    # ---- the seller's charge ----

    async def authorize(self, ask: AuthorizeCharge, *, looks: bool) -> ChargeAnswer:
        what = "authorize a charge"
        body = self._order_body(what, ask)
        if looks and (found := await self._find_authorization(what, ask.charge_id)) is not None:
            return await self._stands(what, ask.charge_id, found)
        answer = await self._paypal.post(
            what, "/v2/checkout/orders", body, key=ask.charge_id, expects={400, 404, 422}
        )
        if answer.is_success:
            order = self._paypal.partner.read(what, answer, wire.Order)
            made = order.payments.authorizations
            # Nobody is there who could confirm it.
            return (
                await self._stands(what, ask.charge_id, made[0])
                if made
                else declined(ask.charge_id, None, order.status)
            )
        issue = issue_of(answer)
        if issue in DECLINES:
            return declined(ask.charge_id, None, issue)
        if issue != "DUPLICATE_INVOICE_ID":
            raise self._paypal.partner.refused(what, answer)
        found = await self._find_authorization(what, ask.charge_id)
        if found is None:
            raise self._paypal.partner.unavailable(what, "made this charge before, and does not list it yet")
        return await self._stands(what, ask.charge_id, found)

    def _order_body(self, what: str, ask: AuthorizeCharge) -> dict[str, Any]:
        self._check_amount(what, ask)
        unit = {
            "amount": wire.money(ask.amount, ask.currency),
            "invoice_id": wire.shortened(ask.charge_id, wire.LONGEST_INVOICE_ID),
            "custom_id": ask.order_id,
        }
        return {
            "intent": "AUTHORIZE",
            "purchase_units": [unit],
            "payment_source": {"paypal": {"vault_id": ask.payment_method}},
        }

    async def capture(self, ask: CaptureCharge, *, looks: bool) -> ChargeAnswer:
        """What can be captured once only needs no look before; a no is followed by one."""
        what = "capture a charge"
        self._check_amount(what, ask)
        body = {
            "amount": wire.money(ask.amount, ask.currency),
            "invoice_id": wire.shortened(ask.charge_id, wire.LONGEST_INVOICE_ID),
            "final_capture": True,
        }
        answer = await self._paypal.post(
            what,
            wire.movement_path("authorizations", ask.gateway_reference, "capture"),
            body,
            key=f"{ask.charge_id}:capture:{ask.amount}",
            expects={404, 422},
        )
        if answer.is_success:
            return self._captured(what, ask.charge_id, self._paypal.partner.read(what, answer, Movement))
        issue = issue_of(answer)
        if issue in DECLINES or issue == "AUTHORIZATION_DENIED":
            return declined(ask.charge_id, ask.gateway_reference, issue)
        now = await self._paypal.movement(what, "authorizations", ask.gateway_reference)
        if now is None:
            return ChargeAnswer(charge_id=ask.charge_id, state=ChargeState.NONE)
        if now.status == "VOIDED" or issue == "AUTHORIZATION_EXPIRED":
            return ChargeAnswer(
                charge_id=ask.charge_id, state=ChargeState.EXPIRED, gateway_reference=now.id, reason=issue
            )
        if now.status == "CREATED":
            raise self._paypal.partner.refused(what, answer)
        return await self._stands(what, ask.charge_id, now)

    async def void(self, ask: VoidCharge) -> ChargeAnswer:
        what = "void a charge"
        reference = ask.gateway_reference
        if reference is None:
            found = await self._find_authorization(what, ask.charge_id)
            if found is None:
                return ChargeAnswer(charge_id=ask.charge_id, state=ChargeState.NONE)
            reference = found.id
        answer = await self._void(what, reference)
        if answer.is_success:
            return ChargeAnswer(charge_id=ask.charge_id, state=ChargeState.VOIDED, gateway_reference=reference)
        now = await self._paypal.movement(what, "authorizations", reference)
        if now is None:
            return ChargeAnswer(charge_id=ask.charge_id, state=ChargeState.NONE)
        if now.status == "CREATED":
            raise self._paypal.partner.refused(what, answer)
        return await self._stands(what, ask.charge_id, now)

    async def _void(self, what: str, authorization: str) -> httpx.Response:
        path = wire.movement_path("authorizations", authorization, "void")
        return await self._paypal.post(what, path, None, key=None, expects={404, 422})

    async def _find_authorization(self, what: str, charge_id: str) -> Movement | None:
        """By its invoice id; one that is older than authorizations live is of no interest."""
        since = self._paypal.now() - _AUTHORIZATION_LASTS
        invoice_id = wire.shortened(charge_id, wire.LONGEST_INVOICE_ID)
        found = await self._paypal.search(what, wire.AUTHORIZATIONS, invoice_id, since)
        return None if found is None else await self._paypal.movement(what, "authorizations", found)

    async def _stands(self, what: str, charge_id: str, authorization: Movement) -> ChargeAnswer:
        """Where a charge stands, as its authorization says."""
        match authorization.status:
            case "CREATED":
                state = ChargeState.AUTHORIZED
            case "VOIDED":
                state = ChargeState.VOIDED
            case "CAPTURED" | "PARTIALLY_CAPTURED":
                capture = await self._capture_of(what, authorization)
                return self._captured(what, charge_id, capture)
            case "PENDING":
                # PayPal looks at it for days, and may agree when the seller has paid by another method.
                await self._void(what, authorization.id)
                return declined(charge_id, authorization.id, HELD)
            case _:
                return declined(charge_id, authorization.id, authorization.status)
        return ChargeAnswer(charge_id=charge_id, state=state, gateway_reference=authorization.id)

    async def _capture_of(self, what: str, authorization: Movement) -> Movement:
        order_id = authorization.order_id
        order = None if order_id is None else await self._paypal.order(what, order_id)
        if order is None or not order.payments.captures:
            raise self._paypal.partner.unavailable(what, "does not show what was captured")
        return order.payments.captures[-1]

    def _captured(self, what: str, charge_id: str, capture: Movement) -> ChargeAnswer:
        """Its reference is the capture from now on: by it the money can be given back."""
        if capture.status in ("DECLINED", "FAILED"):
            return declined(charge_id, capture.id, capture.status)
        if capture.status == "PENDING" or capture.amount is None:
            raise self._paypal.partner.unavailable(what, "is still at work on it")
        return ChargeAnswer(
            charge_id=charge_id,
            state=ChargeState.CAPTURED,
            gateway_reference=capture.id,
            captured=capture.amount.value,
        )

    # ---- refunds ----

    async def refund(self, ask: SendRefund, *, looks: bool) -> RefundAnswer:
        what = "send a refund"
        self._check_amount(what, ask)
        if looks and (found := await self._refunded_before(what, ask)) is not None:
            return found
        body = {
            "amount": wire.money(ask.amount, ask.currency),
            "invoice_id": _invoice_id(ask),
            "custom_id": ask.order_id,
        }
        path = wire.movement_path("captures", ask.payment_reference, "refund")
        answer = await self._paypal.post(what, path, body, key=ask.refund_id, expects={404, 422})
        if answer.is_success:
            return _refund_answer(self._paypal.partner.read(what, answer, Movement))
        return await self._not_refunded(what, ask, issue_of(answer) or f"status_{answer.status_code}")

    async def _not_refunded(self, what: str, ask: SendRefund, issue: str) -> RefundAnswer:
        if issue in DISPUTED:
            return RefundAnswer(state="parked", reason=issue)
        if issue in LATER:
            return RefundAnswer(state="later", reason=issue, again_at=self._paypal.now() + ASK_AGAIN_AFTER)
        if issue in MAY_BE_OURS and (found := await self._refunded_before(what, ask)) is not None:
            return found
        if issue == "DUPLICATE_INVOICE_ID":
            raise self._paypal.partner.unavailable(what, "made this refund before, and does not show it")
        return RefundAnswer(state="refused", reason=issue)

    async def find_refund(self, ask: SendRefund) -> RefundAnswer:
        found = await self._refunded_before("look up a refund", ask)
        return found or RefundAnswer(state="none")

    async def _refunded_before(self, what: str, ask: SendRefund) -> RefundAnswer | None:
        """The refund with our invoice id among those of the capture's order, which PayPal shows without delay;
        without an order, by a search."""
        capture = await self._paypal.movement(what, "captures", ask.payment_reference)
        if capture is None:
            return None
        order = None if capture.order_id is None else await self._paypal.order(what, capture.order_id)
        if order is not None:
            ours = (one for one in order.payments.refunds if one.invoice_id == _invoice_id(ask))
            return next((_refund_answer(one) for one in ours), None)
        since = capture.create_time or self._paypal.now() - wire.SEARCHED_AT_ONCE
        refund_id = await self._paypal.search(what, wire.REFUNDS, _invoice_id(ask), since)
        refund = None if refund_id is None else await self._paypal.movement(what, "refunds", refund_id)
        return None if refund is None else _refund_answer(refund)

    def _check_amount(self, what: str, ask: AuthorizeCharge | CaptureCharge | SendRefund) -> None:
        try:
            require_movable(ask.amount, PaidBy.PAYPAL, ask.currency, "the amount")
        except ValueError as error:
            raise self._paypal.partner.invalid(what, str(error)) from None


def _invoice_id(ask: SendRefund) -> str:
    return wire.shortened(ask.refund_id, wire.LONGEST_INVOICE_ID)


def _refund_answer(refund: Movement) -> RefundAnswer:
    """A status that we don't know is a pending one: it is looked at again."""
    state = _REFUND_STATES.get(refund.status, "pending")
    reason = refund.status_details.reason if refund.status_details is not None else None
    if state == "failed":
        reason = reason or refund.status.lower()
    return RefundAnswer.model_validate(
        {"state": state, "gateway_refund_id": refund.id, "reason": None if state == "succeeded" else reason}
    )
