"""`/v1/refunds` and `/v1/charges`: money going back to the payer, and what it came from (REF-3, REF-7)."""

from starter.sandbox import stripe_objects as wire
from starter.sandbox.store import Store
from starter.sandbox.stripe_books import LIST_PARAMETERS, PaymentBooks
from starter.sandbox.stripe_errors import invalid_parameter, no_such, not_possible
from starter.sandbox.stripe_objects import Charge, Intent, Refund, new_id
from starter.sandbox.stripe_params import Params, account_of
from starter.sandbox.wire import Answer, Asked

_REFUND_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
_REFUND = frozenset({"payment_intent", "charge", "amount", "metadata", "reason", "expand"})


class Charges:
    """Retrieve, list."""

    def __init__(self, store: Store, books: PaymentBooks) -> None:
        self._store = store
        self._books = books

    def retrieve(self, asked: Asked) -> Answer:
        Params(asked.query, frozenset({"expand"}))
        return Answer(
            200, self._books.charge_json(self._books.charge(account_of(asked), asked.parts["id"], "charge"))
        )

    def list(self, asked: Asked) -> Answer:
        params = Params(asked.query, LIST_PARAMETERS | {"payment_intent", "customer"})
        found = self._store.find(Charge, owner=params.text("payment_intent"), space=account_of(asked))
        customer = params.text("customer")
        charges = [charge for charge in found if customer is None or charge.customer == customer]
        return self._books.page(params, "/v1/charges", charges, self._books.charge_json)


class Refunds:
    """Create, retrieve, list, cancel."""

    def __init__(self, store: Store, books: PaymentBooks) -> None:
        self._store = store
        self._books = books

    def create(self, asked: Asked) -> Answer:
        params = Params(asked.body, _REFUND)
        reason = params.choice("reason", _REFUND_REASONS)
        intent, charge = self._what_to_refund(asked, params)
        amount = params.amount("amount", intent.currency)
        if not charge.captured:
            raise not_possible(
                f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.",
                "charge_not_refundable",
                "payment_intent",
            )
        left = charge.amount_captured - sum(one.amount for one in self._books.refunds_of(charge) if one.counts)
        if left <= 0:
            message = f"Charge {charge.id} has already been refunded."
            raise not_possible(message, "charge_already_refunded", charge=charge.id)
        amount = left if amount is None else amount
        if amount > left:
            raise not_possible(
                f"Refund amount ({wire.said(amount, intent.currency)}) is greater than unrefunded amount on "
                f"charge ({wire.said(left, intent.currency)})",
                "amount_too_large",
                "amount",
                charge=charge.id,
            )
        now = self._store.timestamp()
        fails = wire.refunds_fail(charge.payment_method)
        refund = Refund(
            id=new_id("re"),
            space=intent.space,
            intent_id=intent.id,
            charge_id=charge.id,
            amount=amount,
            currency=intent.currency,
            status="pending" if wire.refunds_stay_pending(charge.payment_method) else "succeeded",
            created=now,
            reason=reason,
            fails_at=now + int(wire.REFUND_FAILS_AFTER.total_seconds()) if fails else None,
            metadata=params.metadata(),
        )
        self._store.put(refund)
        return Answer(200, wire.refund_json(refund), changed=True)

    def retrieve(self, asked: Asked) -> Answer:
        Params(asked.query, frozenset({"expand"}))
        return Answer(200, wire.refund_json(self._books.refund(account_of(asked), asked.parts["id"])))

    def list(self, asked: Asked) -> Answer:
        params = Params(asked.query, LIST_PARAMETERS | {"payment_intent", "charge"})
        charge = params.text("charge")
        found = self._store.find(Refund, owner=params.text("payment_intent"), space=account_of(asked))
        refunds = [self._books.aged_refund(one) for one in found if charge is None or one.charge_id == charge]
        return self._books.page(params, "/v1/refunds", refunds, wire.refund_json)

    def cancel(self, asked: Asked) -> Answer:
        Params(asked.body, frozenset({"expand"}))
        refund = self._books.refund(account_of(asked), asked.parts["id"])
        if refund.status != "pending":
            message = f"A refund with a status of {refund.status} can't be canceled."
            raise not_possible(message, "charge_not_refundable")
        refund = refund.model_copy(update={"status": "canceled", "fails_at": None})
        self._store.put(refund)
        return Answer(200, wire.refund_json(refund), changed=True)

    def _what_to_refund(self, asked: Asked, params: Params) -> tuple[Intent, Charge]:
        space, intent_id, charge_id = account_of(asked), params.text("payment_intent"), params.text("charge")
        if intent_id is not None:
            intent = self._books.intent(space, intent_id, "payment_intent")
            if intent.charge_id is None:
                raise not_possible(
                    f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.",
                    "charge_not_refundable",
                    "payment_intent",
                )
            charge = self._books.charge(space, intent.charge_id, "charge")
            if charge_id not in (None, charge.id):
                raise no_such("charge", charge_id or "", "charge")
            return intent, charge
        if charge_id is None:
            message = "One of the following params should be provided: payment_intent or charge."
            raise invalid_parameter(message, "payment_intent", "parameter_missing")
        charge = self._books.charge(space, charge_id, "charge")
        return self._books.intent(space, charge.intent_id, "charge"), charge
