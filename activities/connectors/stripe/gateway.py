"""Stripe as a payment gateway: the seller's charge and both kinds of refund.

Every movement carries our id, as its idempotency key and in its metadata. The first try is protected by the key
and looks for nothing. The gateway forgets keys after a day, a case goes on for months: whatever may have been
tried before is looked for by its metadata first (REF-6).
"""

import re
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Final, TypeVar

import httpx

from activities.connectors.access import Access
from activities.connectors.http import SAVED, code_in, error_code, error_of
from activities.connectors.payment_gateway import declined
from activities.connectors.stripe import client as wire
from activities.connectors.stripe.client import OUR_ID, KeySpent, Stripe
from models.gateway_limits import require_movable
from models.partners import (
    TOO_SMALL,
    AuthorizeCharge,
    CaptureCharge,
    ChargeAnswer,
    ChargeState,
    RefundAnswer,
    SendRefund,
    VoidCharge,
)
from models.payments import PaidBy
from models.refunds import Direction

KEYS: Final = 200
"""How many keys one movement may use up: more than server errors can be met within the day that a key lives."""

NOBODY_PRESENT: Final = "authentication_required"
"""The bank wants the card's owner to confirm (3-D Secure), and nobody is there: a decline."""

_ABANDONED: Final = "abandoned"
"""Why we cancel an intent for which nobody was present; by this a later try knows it again."""

_TAKEN_BACK: Final = "requested_by_customer"
_ENDED: Final = frozenset({"canceled", "succeeded"})
_UNFINISHED: Final = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
_BUSINESS_ERRORS: Final = frozenset({"invalid_request_error", "card_error"})
_ID: Final = re.compile(r"[!-~]{1,160}")
"""An id of the gateway's: printable ASCII without spaces, fit for a header."""

Given = TypeVar("Given")


class StripeGateway:
    """One Stripe account; answers as in `PaymentGateway`, errors as in `activities.connectors.http`."""

    provider: Final = PaidBy.STRIPE

    def __init__(self, access: Access) -> None:
        self._stripe = Stripe(access)

    async def test(self) -> None:
        await self._stripe.test()

    async def authorize(self, ask: AuthorizeCharge, *, looks: bool) -> ChargeAnswer:
        what = "authorize a charge"
        self._check_id(what, "the seller's customer id", ask.gateway_customer)
        form = self._charge_form(what, ask)
        found = await self._stripe.intent_by_our_id(what, ask.charge_id) if looks else None
        if found is not None:
            return await self._authorized(ask.charge_id, found)
        return await self._with_fresh_key(
            what,
            ask.charge_id,
            lambda key: self._authorize(what, ask, form, key),
            lambda: self._authorized_before(what, ask),
        )

    def _charge_form(self, what: str, ask: AuthorizeCharge) -> dict[str, str]:
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
        return form

    async def _authorized_before(self, what: str, ask: AuthorizeCharge) -> ChargeAnswer | None:
        found = await self._find_charge(what, ask.charge_id, ask.gateway_customer)
        return None if found is None else await self._authorized(ask.charge_id, found)

    async def _authorize(self, what: str, ask: AuthorizeCharge, form: dict[str, str], key: str) -> ChargeAnswer:
        answer = await self._stripe.post(what, "/v1/payment_intents", form, key=key, expects={400, 402, 404})
        if answer.is_success:
            made = self._stripe.intent_in(what, answer)
            # What was saved under the key is how it was then.
            now = await self._stripe.intent(what, made.id) if SAVED in answer.headers else made
            return await self._authorized(ask.charge_id, now or made)
        error = self._stripe.card_error_in(what, answer)
        if error.code == TOO_SMALL:
            return declined(ask.charge_id, None, TOO_SMALL)
        # A token that the gateway no longer takes is no fault of ours: the seller has no valid method on file.
        if answer.status_code != 402 and error.param != "payment_method":
            raise self._stripe.partner.refused(what, answer)
        intent = error.payment_intent
        reason = code_in(error.decline_code) or error_code(error)
        if NOBODY_PRESENT in (error.code, error.decline_code):
            reason = NOBODY_PRESENT
            if intent is not None:
                await self._cancel(what, ask.charge_id, intent.id, _ABANDONED)
        return declined(ask.charge_id, intent.id if intent else None, reason)

    async def capture(self, ask: CaptureCharge, *, looks: bool) -> ChargeAnswer:
        """What can be captured once only needs no look before."""
        what = "capture a charge"
        units = self._units(what, ask.amount, ask.currency)
        return await self._with_fresh_key(
            what, f"{ask.charge_id}:capture:{units}", lambda key: self._capture(what, ask, units, key)
        )

    async def _capture(self, what: str, ask: CaptureCharge, units: str, key: str) -> ChargeAnswer:
        """A no is followed by a look."""
        answer = await self._stripe.post(
            what,
            wire.intent_path(ask.gateway_reference, "capture"),
            {"amount_to_capture": units},
            key=key,
            expects={400, 402, 404},
        )
        if answer.is_success:
            return self._captured(ask, self._stripe.intent_in(what, answer))
        if answer.status_code == 402:
            why = code_in(self._stripe.card_error_in(what, answer).decline_code)
            return declined(ask.charge_id, ask.gateway_reference, why)
        if error_of(answer).code == TOO_SMALL:
            await self._cancel(what, ask.charge_id, ask.gateway_reference, _ABANDONED)
            return declined(ask.charge_id, ask.gateway_reference, TOO_SMALL)
        now = await self._stripe.intent(what, ask.gateway_reference)
        if now is not None and error_of(answer).code == "charge_expired_for_capture":
            return _expired(ask.charge_id, now)
        if now is not None and now.status == "requires_capture":
            raise self._no_to(what, answer)
        return self._captured(ask, now)

    async def void(self, ask: VoidCharge) -> ChargeAnswer:
        what = "void a charge"
        self._check_id(what, "the seller's customer id", ask.gateway_customer)
        reference = ask.gateway_reference
        if reference is None:
            found = await self._find_charge(what, ask.charge_id, ask.gateway_customer)
            if found is not None and found.status in _ENDED:
                return self._told(ask.charge_id, found)
            reference = None if found is None else found.id
        intent = None if reference is None else await self._cancel(what, ask.charge_id, reference, _TAKEN_BACK)
        if intent is None:
            return ChargeAnswer(charge_id=ask.charge_id, state=ChargeState.NONE)
        return self._told(ask.charge_id, intent)

    async def refund(self, ask: SendRefund, *, looks: bool) -> RefundAnswer:
        what = "send a refund"
        payment = wire.payment_of(ask.payment_reference)
        if payment is None:
            return _refused("payment_not_at_this_gateway")
        form = self._refund_form(what, ask, payment)
        found = None
        if looks:
            found = await self._refunded_before(what, ask, payment)
        # The gateway refunds in the payment's currency and is not told ours: a wrong one can't be taken back. The
        # seller's charge is our own, in the currency that we gave it.
        if found is None and ask.direction is Direction.SELLER_TO_BUYER:
            currency = await self._stripe.currency_of(what, payment)
            found = None if currency in (None, ask.currency) else _refused("currency_mismatch")
        if found is not None:
            return found
        return await self._with_fresh_key(
            what,
            ask.refund_id,
            lambda key: self._refund(what, form, key),
            lambda: self._refunded_before(what, ask, payment),
        )

    def _refund_form(self, what: str, ask: SendRefund, payment: dict[str, str]) -> dict[str, str]:
        return {
            **payment,
            "amount": self._units(what, ask.amount, ask.currency),
            "reason": "requested_by_customer",
            f"metadata[{OUR_ID}]": ask.refund_id,
            "metadata[order_id]": ask.order_id,
        }

    async def _refund(self, what: str, form: dict[str, str], key: str) -> RefundAnswer:
        answer = await self._stripe.post(what, "/v1/refunds", form, key=key, expects={400, 402, 404})
        if answer.is_success:
            made = self._stripe.refund_in(what, answer)
            now = await self._stripe.refund(what, made.id) if SAVED in answer.headers else made
            return _refund_answer(now or made)
        error = error_of(answer)
        if error.type not in _BUSINESS_ERRORS:
            raise self._stripe.partner.refused(what, answer)
        if not error.code and "greater than unrefunded amount" in (error.message or ""):
            return _refused("amount_too_large")
        return _refused(error_code(error))

    async def find_refund(self, ask: SendRefund) -> RefundAnswer:
        payment = wire.payment_of(ask.payment_reference)
        if payment is None:
            return RefundAnswer(state="none")
        what = "look up a refund"
        found = await self._refunded_before(what, ask, payment)
        return found or RefundAnswer(state="none")

    async def _refunded_before(self, what: str, ask: SendRefund, payment: dict[str, str]) -> RefundAnswer | None:
        """The refund with this id among those of its payment, which the gateway lists without delay."""
        async for refund in self._stripe.refunds(what, payment):
            if refund.metadata.get(OUR_ID) == ask.refund_id:
                return _refund_answer(refund)
        return None

    async def _with_fresh_key(
        self,
        what: str,
        key: str,
        send: Callable[[str], Awaitable[Given]],
        look: Callable[[], Awaitable[Given | None]] | None = None,
    ) -> Given:
        """Send under `key`, or, while a server error is saved under it, under `key:2`, `key:3`, ...

        Two tries at once use the same key, so the gateway still does the work of one only. The work behind a
        server error may have been done: `look` finds it. What can be done once only needs no look.
        """
        for number in range(1, KEYS + 1):
            if number > 1 and look is not None and (found := await look()) is not None:
                return found
            try:
                return await send(key if number == 1 else f"{key}:{number}")
            except KeySpent:
                continue
        raise self._stripe.partner.unavailable(what, f"has answered with errors to {KEYS} tries")

    async def _find_charge(self, what: str, charge_id: str, customer: str | None) -> wire.PaymentIntent | None:
        """The charge that carries this id, however young it is."""
        found = await self._stripe.intent_by_our_id(what, charge_id)
        if found is None:
            async for intent in self._stripe.recent_intents(what, customer):
                if intent.metadata.get(OUR_ID) == charge_id:
                    return intent
        return found

    async def _cancel(self, what: str, charge_id: str, intent_id: str, reason: str) -> wire.PaymentIntent | None:
        """Cancel an intent; gives what it is afterwards, also when it could not be cancelled any more; none if the
        gateway doesn't know it."""
        return await self._with_fresh_key(
            what, f"{charge_id}:cancel:{reason}", lambda key: self._cancel_once(what, intent_id, reason, key)
        )

    async def _cancel_once(self, what: str, intent_id: str, reason: str, key: str) -> wire.PaymentIntent | None:
        answer = await self._stripe.post(
            what,
            wire.intent_path(intent_id, "cancel"),
            {"cancellation_reason": reason},
            key=key,
            expects={400, 404},
        )
        if answer.is_success:
            return self._stripe.intent_in(what, answer)
        now = await self._stripe.intent(what, intent_id)
        if now is not None and now.status not in _ENDED:
            raise self._no_to(what, answer)
        return now

    def _no_to(self, what: str, answer: httpx.Response) -> Exception:
        """The gateway's no to what looks possible: one that was saved under the key was true then."""
        return KeySpent() if SAVED in answer.headers else self._stripe.partner.refused(what, answer)

    async def _authorized(self, charge_id: str, intent: wire.PaymentIntent) -> ChargeAnswer:
        """An intent that this or an earlier try made, in the terms of an authorization."""
        if intent.status == "requires_action":
            await self._cancel("authorize a charge", charge_id, intent.id, _ABANDONED)
            return declined(charge_id, intent.id, NOBODY_PRESENT)
        if intent.status in _UNFINISHED:
            error = intent.last_payment_error
            return declined(
                charge_id, intent.id, (code_in(error.decline_code) or error_code(error)) if error else None
            )
        if intent.status == "canceled" and intent.cancellation_reason == _ABANDONED:
            return declined(charge_id, intent.id, NOBODY_PRESENT)
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
            return declined(charge_id, intent.id, None)
        raise self._stripe.partner.unavailable("see where a charge stands", "is still at work on it")

    def _units(self, what: str, amount: Decimal, currency: str) -> str:
        try:
            require_movable(amount, PaidBy.STRIPE, currency, "the amount")
            return str(wire.to_stripe_units(amount, currency))
        except ValueError as error:
            raise self._stripe.partner.invalid(what, str(error)) from None

    def _check_id(self, what: str, name: str, value: str | None) -> None:
        if value is not None and not _ID.fullmatch(value):
            raise self._stripe.partner.invalid(
                what, f"{name} at the gateway must be printable ASCII, without spaces"
            )


def _expired(charge_id: str, intent: wire.PaymentIntent) -> ChargeAnswer:
    return ChargeAnswer(
        charge_id=charge_id,
        state=ChargeState.EXPIRED,
        gateway_reference=intent.id,
        reason=intent.cancellation_reason,
    )


def _refused(reason: str | None) -> RefundAnswer:
    return RefundAnswer(state="refused", reason=reason)


def _refund_answer(refund: wire.Refund) -> RefundAnswer:
    if refund.status == "succeeded":
        return RefundAnswer(state="succeeded", gateway_refund_id=refund.id)
    if refund.status in ("failed", "canceled"):
        return RefundAnswer(
            state="failed", gateway_refund_id=refund.id, reason=code_in(refund.failure_reason) or refund.status
        )
    return RefundAnswer(state="pending", gateway_refund_id=refund.id)
