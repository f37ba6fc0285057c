"""The seller's charge and both kinds of refund, through a gateway that speaks Stripe's protocol.

Every movement carries our id in its metadata, and every call looks for it there before it moves anything:
the gateway forgets idempotency keys after a day, a case goes on for months (REF-6).
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

import httpx
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.connectors.http import Trouble, code_in, error_code, error_of, failure
from activities.connectors.stripe import client as wire
from activities.connectors.stripe.client import OUR_ID, KeySpent, Stripe
from models.failures import HANDLING, Category
from models.partners import (
    AuthorizeCharge,
    CaptureCharge,
    ChargeAnswer,
    ChargeState,
    RefundAnswer,
    SendRefund,
    VoidCharge,
)
from models.refunds import Direction
from models.settings import Settings

LOOK_BACK: Final = timedelta(days=8)
"""A charge without a known reference is looked for among those so young: no card authorization lives longer."""

KEYS: Final = 200
"""How many keys one movement may use up: more than server errors can be met within the day that a key lives."""

NOBODY_PRESENT: Final = "authentication_required"
"""The bank wants the card's owner to confirm (3-D Secure), and nobody is there: a decline."""

_ABANDONED: Final = "abandoned"
"""Why we cancel an intent for which nobody was present; by this a later try knows it again."""

_UNFINISHED: Final = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
_BUSINESS_ERRORS: Final = frozenset({"invalid_request_error", "card_error"})

Given = TypeVar("Given")


class Payments:
    """Activities towards the payment gateway; errors as in `activities.connectors.http`."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._stripe = Stripe(settings, transport)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._stripe.partner.aclose()

    @activity.defn(name="authorize_charge")
    async def authorize_charge(self, ask: AuthorizeCharge) -> ChargeAnswer:
        """Reserve the broker's charge on the seller's payment method (ORD-3).

        `authorized`, or `declined` with the gateway's reason: a value, for the order then waits. A charge
        that an earlier try made is found by its id and told as it stands.
        """
        what = "authorize a charge"
        return await self._with_fresh_key(
            what, ask.charge_id, lambda key: self._look_and_authorize(what, ask, key)
        )

    async def _look_and_authorize(self, what: str, ask: AuthorizeCharge, key: str) -> ChargeAnswer:
        found = await self._find_charge(what, ask.charge_id, ask.gateway_customer)
        if found is not None:
            return await self._authorized(ask.charge_id, found)
        form = {
            "amount": self._units(what, ask.amount, ask.currency),
            "currency": ask.currency.lower(),
            "payment_method": ask.payment_method,
            "capture_method": "manual",
            "confirm": "true",
            "off_session": "true",
            f"metadata[{OUR_ID}]": ask.charge_id,
            "metadata[order_id]": ask.order_id,
        }
        if ask.gateway_customer:
            form["customer"] = ask.gateway_customer
        answer = await self._stripe.post(what, "/v1/payment_intents", form, key=key, expects={400, 402, 404})
        if answer.is_success:
            return await self._authorized(ask.charge_id, self._stripe.intent_in(what, answer))
        error = self._stripe.card_error_in(what, answer)
        # A token that the gateway no longer takes is no fault of ours: the seller has no valid method on file.
        if answer.status_code != 402 and error.param != "payment_method":
            raise self._stripe.partner.refused(what, answer)
        intent = error.payment_intent
        reason = code_in(error.decline_code) or error_code(error)
        if NOBODY_PRESENT in (error.code, error.decline_code):
            reason = NOBODY_PRESENT
            if intent is not None:
                await self._cancel(what, ask.charge_id, intent, _ABANDONED)
        return _declined(ask.charge_id, intent.id if intent else None, reason)

    @activity.defn(name="capture_charge")
    async def capture_charge(self, ask: CaptureCharge) -> ChargeAnswer:
        """Take `amount` of an authorized charge; the rest is given free.

        `captured` says how much was really taken, also when an earlier try did it; `expired` when the
        authorization is gone; `none` when the gateway doesn't know it.
        """
        what = "capture a charge"
        units = self._units(what, ask.amount, ask.currency)
        return await self._with_fresh_key(
            what, f"{ask.charge_id}:capture:{units}", lambda key: self._look_and_capture(what, ask, units, key)
        )

    async def _look_and_capture(self, what: str, ask: CaptureCharge, units: str, key: str) -> ChargeAnswer:
        intent = await self._stripe.intent(what, ask.gateway_reference)
        if intent is None or intent.status != "requires_capture":
            return self._captured(ask, intent)
        answer = await self._stripe.post(
            what,
            wire.intent_path(intent.id, "capture"),
            {"amount_to_capture": units},
            key=key,
            expects={400, 402},
        )
        if answer.is_success:
            return self._captured(ask, self._stripe.intent_in(what, answer))
        if answer.status_code == 402:
            why = code_in(self._stripe.card_error_in(what, answer).decline_code)
            return _declined(ask.charge_id, intent.id, why)
        if error_of(answer).code == "charge_expired_for_capture":
            return _expired(ask.charge_id, intent)
        # It changed between the look and the call: what it is now decides.
        now = await self._stripe.intent(what, intent.id)
        if now is not None and now.status == "requires_capture":
            raise self._stripe.partner.refused(what, answer)
        return self._captured(ask, now)

    @activity.defn(name="void_charge")
    async def void_charge(self, ask: VoidCharge) -> ChargeAnswer:
        """Give an authorization free (CAN-1, ORD-7).

        `voided` (also if it was before), `captured` (too late: refund it), or `none` (it never got there).
        """
        what = "void a charge"
        if ask.gateway_reference:
            intent = await self._stripe.intent(what, ask.gateway_reference)
        else:
            intent = await self._find_charge(what, ask.charge_id, ask.gateway_customer)
        if intent is None:
            return ChargeAnswer(charge_id=ask.charge_id, state=ChargeState.NONE)
        if intent.status not in ("canceled", "succeeded"):
            intent = await self._cancel(what, ask.charge_id, intent, "requested_by_customer")
        return self._told(ask.charge_id, intent)

    @activity.defn(name="send_refund")
    async def send_refund(self, ask: SendRefund) -> RefundAnswer:
        """Refund a payment, exactly once per `refund_id`, however often and however late it is tried (REF-6).

        `refused`: the gateway says no for good (REF-9). `failed`: it was sent under this id, and failed; it
        is never sent again under the same id (REF-7).
        """
        what = "send a refund"
        payment = wire.payment_of(ask.payment_reference)
        if payment is None:
            return RefundAnswer(state="refused", reason="payment_not_at_this_gateway")
        return await self._with_fresh_key(
            what, ask.refund_id, lambda key: self._look_and_refund(what, ask, payment, key)
        )

    async def _look_and_refund(
        self, what: str, ask: SendRefund, payment: dict[str, str], key: str
    ) -> RefundAnswer:
        account = _account(ask)
        found = await self._find_refund(what, ask.refund_id, payment, account)
        if found is not None:
            return _refund_answer(found)
        # The gateway refunds in the payment's currency and is not told ours: a wrong one can't be taken back.
        if await self._stripe.currency_of(what, payment, account) not in (None, ask.currency):
            return RefundAnswer(state="refused", reason="currency_mismatch")
        form = {
            **payment,
            "amount": self._units(what, ask.amount, ask.currency),
            "reason": "requested_by_customer",
            f"metadata[{OUR_ID}]": ask.refund_id,
            "metadata[order_id]": ask.order_id,
        }
        answer = await self._stripe.post(
            what, "/v1/refunds", form, key=key, account=account, expects={400, 402, 404}
        )
        if answer.is_success:
            return _refund_answer(self._stripe.refund_in(what, answer))
        error = error_of(answer)
        if error.type not in _BUSINESS_ERRORS:
            raise self._stripe.partner.refused(what, answer)
        if not error.code and "greater than unrefunded amount" in (error.message or ""):
            return RefundAnswer(state="refused", reason="amount_too_large")
        return RefundAnswer(state="refused", reason=error_code(error))

    @activity.defn(name="look_up_refund")
    async def look_up_refund(self, ask: SendRefund) -> RefundAnswer:
        """Where the refund with this `refund_id` stands; sends nothing. `none`: it never got there."""
        payment = wire.payment_of(ask.payment_reference)
        if payment is None:
            return RefundAnswer(state="none")
        found = await self._find_refund("look up a refund", ask.refund_id, payment, _account(ask))
        return RefundAnswer(state="none") if found is None else _refund_answer(found)

    async def _with_fresh_key(
        self, what: str, key: str, look_and_send: Callable[[str], Awaitable[Given]]
    ) -> Given:
        """Look and send under `key`, or, while a server error is saved under it, under `key:2`, `key:3`, ...

        Two tries at once use the same key, so the gateway still does the work of one only.
        """
        for number in range(1, KEYS + 1):
            try:
                return await look_and_send(key if number == 1 else f"{key}:{number}")
            except KeySpent:
                continue
        raise self._stripe.partner.unavailable(what, f"has answered with errors to {KEYS} tries")

    async def _find_charge(self, what: str, charge_id: str, customer: str | None) -> wire.PaymentIntent | None:
        since = int((datetime.now(UTC) - LOOK_BACK).timestamp())
        async for intent in self._stripe.intents(what, since, customer):
            if intent.metadata.get(OUR_ID) == charge_id:
                return intent
        return None

    async def _find_refund(
        self, what: str, refund_id: str, payment: dict[str, str], account: str | None
    ) -> wire.Refund | None:
        async for refund in self._stripe.refunds(what, payment, account):
            if refund.metadata.get(OUR_ID) == refund_id:
                return refund
        return None

    async def _cancel(
        self, what: str, charge_id: str, intent: wire.PaymentIntent, reason: str
    ) -> wire.PaymentIntent:
        """Cancel an intent; gives what it is afterwards, also when it could not be cancelled any more."""
        return await self._with_fresh_key(
            what, f"{charge_id}:cancel:{reason}", lambda key: self._look_and_cancel(what, intent, reason, key)
        )

    async def _look_and_cancel(
        self, what: str, intent: wire.PaymentIntent, reason: str, key: str
    ) -> wire.PaymentIntent:
        before = await self._stripe.intent(what, intent.id)
        if before is not None and before.status in ("canceled", "succeeded"):
            return before
        answer = await self._stripe.post(
            what,
            wire.intent_path(intent.id, "cancel"),
            {"cancellation_reason": reason},
            key=key,
            expects={400},
        )
        if answer.is_success:
            return self._stripe.intent_in(what, answer)
        now = await self._stripe.intent(what, intent.id)
        if now is None or now.status not in ("canceled", "succeeded"):
            raise self._stripe.partner.refused(what, answer)
        return now

    async def _authorized(self, charge_id: str, intent: wire.PaymentIntent) -> ChargeAnswer:
        """An intent that this or an earlier try made, in the terms of an authorization."""
        if intent.status == "requires_action":
            await self._cancel("authorize a charge", charge_id, intent, _ABANDONED)
            return _declined(charge_id, intent.id, NOBODY_PRESENT)
        if intent.status in _UNFINISHED:
            error = intent.last_payment_error
            return _declined(
                charge_id, intent.id, (code_in(error.decline_code) or error_code(error)) if error else None
            )
        if intent.status == "canceled" and intent.cancellation_reason == _ABANDONED:
            return _declined(charge_id, intent.id, NOBODY_PRESENT)
        if intent.status == "canceled" and intent.cancellation_reason == "automatic":
            return _expired(charge_id, intent)
        return self._told(charge_id, intent)

    def _captured(self, ask: CaptureCharge, intent: wire.PaymentIntent | None) -> ChargeAnswer:
        if intent is None:
            return ChargeAnswer(charge_id=ask.charge_id, state=ChargeState.NONE)
        if intent.status == "canceled":
            return _expired(ask.charge_id, intent)
        return self._told(ask.charge_id, intent)

    def _told(self, charge_id: str, intent: wire.PaymentIntent) -> ChargeAnswer:
        """Where a charge stands. Raises PartnerUnavailable while the gateway itself doesn't know yet."""
        if intent.status == "requires_capture":
            return ChargeAnswer(charge_id=charge_id, state=ChargeState.AUTHORIZED, gateway_reference=intent.id)
        if intent.status == "succeeded":
            return ChargeAnswer(
                charge_id=charge_id,
                state=ChargeState.CAPTURED,
                gateway_reference=intent.id,
                captured=wire.from_stripe_units(intent.amount_received, intent.currency),
            )
        if intent.status == "canceled":
            return ChargeAnswer(charge_id=charge_id, state=ChargeState.VOIDED, gateway_reference=intent.id)
        if intent.status in _UNFINISHED:
            return _declined(charge_id, intent.id, None)
        raise self._stripe.partner.unavailable("see where a charge stands", "is still at work on it")

    def _units(self, what: str, amount: Decimal, currency: str) -> str:
        try:
            return str(wire.to_stripe_units(amount, currency))
        except ValueError as error:
            raise _unsayable(what, str(error)) from None


def _account(ask: SendRefund) -> str | None:
    """The seller's own account refunds the buyer; the broker's refunds the seller. They are never mixed."""
    return ask.gateway_account if ask.direction is Direction.SELLER_TO_BUYER else None


def _declined(charge_id: str, reference: str | None, reason: str | None) -> ChargeAnswer:
    return ChargeAnswer(
        charge_id=charge_id,
        state=ChargeState.DECLINED,
        gateway_reference=reference,
        reason=reason or "declined",
    )


def _expired(charge_id: str, intent: wire.PaymentIntent) -> ChargeAnswer:
    return ChargeAnswer(
        charge_id=charge_id,
        state=ChargeState.EXPIRED,
        gateway_reference=intent.id,
        reason=intent.cancellation_reason,
    )


def _refund_answer(refund: wire.Refund) -> RefundAnswer:
    if refund.status == "succeeded":
        return RefundAnswer(state="succeeded", gateway_refund_id=refund.id)
    if refund.status in ("failed", "canceled"):
        return RefundAnswer(
            state="failed", gateway_refund_id=refund.id, reason=code_in(refund.failure_reason) or refund.status
        )
    return RefundAnswer(state="pending", gateway_refund_id=refund.id)


def _unsayable(what: str, why: str) -> ApplicationError:
    category = Category.INVALID_INPUT
    return failure(
        category,
        f"{what}: {why}",
        Trouble(who_acts=HANDLING[category].who_acts, partner="payment gateway", call=what),
    )
