"""`/v1/payment_intents`: reserving, taking and giving free the seller's money (ORD-3, CAN-1)."""

from collections.abc import Sequence

from starter.sandbox import stripe_objects as wire
from starter.sandbox.store import Store
from starter.sandbox.stripe_books import LIST_PARAMETERS, PaymentBooks
from starter.sandbox.stripe_errors import error_answer, invalid_parameter, no_such, not_possible
from starter.sandbox.stripe_objects import Charge, Intent, new_id
from starter.sandbox.stripe_params import Params, account_of
from starter.sandbox.wire import Answer, Asked, Refused

_CREATE = frozenset(
    {"amount", "currency", "payment_method", "customer", "capture_method", "confirm", "metadata", "description"}
    # Real ones that change nothing here:
    | {"off_session", "expand", "payment_method_types", "automatic_payment_methods", "confirmation_method"}
    | {"error_on_requires_action", "receipt_email", "statement_descriptor", "statement_descriptor_suffix"}
    | {"transfer_group", "on_behalf_of", "return_url", "setup_future_usage", "payment_method_options", "shipping"}
)
_CONFIRM = frozenset({"payment_method", "off_session", "expand", "return_url", "error_on_requires_action"})
_CAPTURE = frozenset({"amount_to_capture", "metadata", "expand", "statement_descriptor", "final_capture"})
_CANCELLABLE = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture")
_CANCEL_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")


class PaymentIntents:
    """Create, retrieve, list, confirm, capture, cancel."""

    def __init__(self, store: Store, books: PaymentBooks) -> None:
        self._store = store
        self._books = books

    def create(self, asked: Asked) -> Answer:
        params = Params(asked.body, _CREATE)
        currency = params.currency()
        amount = params.required_amount("amount", currency)
        least = wire.MINIMUM.get(currency.upper(), 1)
        if amount < least:
            raise not_possible(
                f"Amount must be at least {wire.said(least, currency)}", "amount_too_small", "amount"
            )
        payment_method = params.text("payment_method")
        self._check_payment_method(payment_method)
        confirm = params.flag("confirm")
        if confirm and payment_method is None:
            raise invalid_parameter(
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                "payment_method",
                "parameter_missing",
            )
        intent = Intent(
            id=new_id("pi"),
            space=account_of(asked),
            amount=amount,
            currency=currency,
            capture_method=params.choice("capture_method", ("automatic", "manual"), "automatic") or "automatic",
            status="requires_confirmation" if payment_method else "requires_payment_method",
            created=self._store.timestamp(),
            customer=params.text("customer"),
            payment_method=payment_method,
            description=params.text("description"),
            metadata=params.metadata(),
        )
        if confirm:
            return self._confirmed(intent)
        self._store.put(intent)
        return Answer(200, self._books.intent_json(intent), changed=True)

    def retrieve(self, asked: Asked) -> Answer:
        Params(asked.query, frozenset({"expand", "client_secret"}))
        return Answer(
            200, self._books.intent_json(self._books.intent(account_of(asked), asked.parts["id"], "intent"))
        )

    def list(self, asked: Asked) -> Answer:
        params = Params(asked.query, LIST_PARAMETERS | {"customer"})
        found = self._store.find(Intent, owner=params.text("customer"), space=account_of(asked))
        aged = [self._books.aged_intent(intent) for intent in found]
        return self._books.page(params, "/v1/payment_intents", aged, self._books.intent_json)

    def confirm(self, asked: Asked) -> Answer:
        params = Params(asked.body, _CONFIRM)
        intent = self._books.intent(account_of(asked), asked.parts["id"], "intent")
        payment_method = params.text("payment_method") or intent.payment_method
        self._check_payment_method(payment_method)
        if intent.status not in ("requires_payment_method", "requires_confirmation"):
            raise self._unexpected(intent, "confirm", ("requires_payment_method", "requires_confirmation"))
        if payment_method is None:
            raise invalid_parameter(
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                "payment_method",
                "parameter_missing",
            )
        return self._confirmed(intent.model_copy(update={"payment_method": payment_method}))

    def capture(self, asked: Asked) -> Answer:
        params = Params(asked.body, _CAPTURE)
        intent = self._books.intent(account_of(asked), asked.parts["id"], "intent")
        amount = params.amount("amount_to_capture", intent.currency)
        if intent.status == "canceled" and intent.cancellation_reason == "automatic":
            raise not_possible(
                "The authorization of this payment has expired and can no longer be captured.",
                "charge_expired_for_capture",
                charge=intent.charge_id,
                payment_intent=self._books.intent_json(intent),
            )
        if intent.status != "requires_capture":
            raise self._unexpected(intent, "capture", ("requires_capture",))
        amount = intent.amount_capturable if amount is None else amount
        if amount > intent.amount_capturable:
            raise not_possible(
                f"The amount to capture ({wire.said(amount, intent.currency)}) is greater than the capturable "
                f"amount ({wire.said(intent.amount_capturable, intent.currency)}).",
                "amount_too_large",
                "amount_to_capture",
            )
        intent = intent.model_copy(
            update={
                "status": "succeeded",
                "amount_received": amount,
                "amount_capturable": 0,
                "metadata": intent.metadata | params.metadata(),
            }
        )
        charge = self._books.charge(intent.space, intent.charge_id or "", "charge")
        self._store.put(charge.model_copy(update={"captured": True, "amount_captured": amount}))
        self._store.put(intent)
        return Answer(200, self._books.intent_json(intent), changed=True)

    def cancel(self, asked: Asked) -> Answer:
        params = Params(asked.body, frozenset({"cancellation_reason", "expand"}))
        reason = params.choice("cancellation_reason", _CANCEL_REASONS)
        intent = self._books.intent(account_of(asked), asked.parts["id"], "intent")
        if intent.status not in _CANCELLABLE:
            raise self._unexpected(intent, "cancel", _CANCELLABLE)
        return Answer(200, self._books.intent_json(self._books.canceled(intent, reason)), changed=True)

    def _confirmed(self, intent: Intent) -> Answer:
        """Ask the card's bank, and reserve or take the money."""
        now = self._store.timestamp()
        decline = wire.decline_of(intent.payment_method or "")
        automatic = intent.capture_method == "automatic"
        charge = Charge(
            id=new_id("ch"),
            space=intent.space,
            intent_id=intent.id,
            amount=intent.amount,
            currency=intent.currency,
            status="failed" if decline else "succeeded",
            created=now,
            captured=automatic and decline is None,
            amount_captured=intent.amount if automatic and decline is None else 0,
            customer=intent.customer,
            payment_method=intent.payment_method,
            decline=decline,
            metadata=intent.metadata,
        )
        self._store.put(charge)
        if decline is not None:
            return self._declined(intent, charge, decline)
        intent = intent.model_copy(
            update={
                "status": "succeeded" if automatic else "requires_capture",
                "amount_received": intent.amount if automatic else 0,
                "amount_capturable": 0 if automatic else intent.amount,
                "charge_id": charge.id,
                "authorized_at": now,
                "last_error": None,
            }
        )
        self._store.put(intent)
        return Answer(200, self._books.intent_json(intent), changed=True)

    def _declined(self, intent: Intent, charge: Charge, decline: wire.Decline) -> Answer:
        last_error = {
            "type": "card_error",
            "code": decline.code,
            "decline_code": decline.decline_code,
            "message": decline.message,
            "charge": charge.id,
        }
        intent = intent.model_copy(
            update={
                "status": "requires_payment_method",
                "charge_id": charge.id,
                "payment_method": None,
                "last_error": last_error,
            }
        )
        self._store.put(intent)
        return error_answer(
            402,
            "card_error",
            decline.message,
            code=decline.code,
            decline_code=decline.decline_code,
            charge=charge.id,
            payment_intent=self._books.intent_json(intent),
            changed=True,
        )

    def _check_payment_method(self, payment_method: str | None) -> None:
        if payment_method is not None and not payment_method.startswith(("pm_", "card_")):
            raise no_such("PaymentMethod", payment_method, "payment_method")

    def _unexpected(self, intent: Intent, verb: str, states: Sequence[str]) -> Refused:
        return not_possible(
            f"This PaymentIntent can't be used to {verb} because it has a status of {intent.status}. Only a "
            f"PaymentIntent with one of the following statuses may be: {', '.join(states)}.",
            "payment_intent_unexpected_state",
            payment_intent=self._books.intent_json(intent),
        )
