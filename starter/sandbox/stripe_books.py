"""The payments of one Stripe: finding them, showing them, letting time pass over them."""

from collections.abc import Callable
from typing import Any, TypeVar

from starter.sandbox import stripe_objects as wire
from starter.sandbox.facts import PaymentSeed, RefundEnd
from starter.sandbox.store import Store
from starter.sandbox.stripe_errors import no_such
from starter.sandbox.stripe_objects import Charge, Intent, Refund
from starter.sandbox.stripe_params import Params
from starter.sandbox.wire import Answer

LIST_PARAMETERS = frozenset({"limit", "starting_after", "ending_before", "created", "expand"})

L = TypeVar("L", Intent, Charge, Refund)


class PaymentBooks:
    """Payment intents, charges and refunds of all accounts."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def seed(self, seed: PaymentSeed) -> Intent:
        """A payment that was made elsewhere; the same seed twice changes nothing.

        Raises ValueError when the id is taken by another payment, or the amount is finer than the
        currency allows at Stripe.
        """
        by_charge = seed.id.startswith("ch_")
        units = seed.amount.scaleb(wire.stripe_digits(seed.currency))
        if units % wire.smallest_step(seed.currency):
            raise ValueError(f"the amount is finer than Stripe allows in {seed.currency}")
        now = self.store.timestamp()
        intent = Intent(
            id=f"pi_{seed.id[3:]}" if by_charge else seed.id,
            space=seed.account or "",
            amount=int(units),
            currency=seed.currency.lower(),
            capture_method="automatic",
            status="succeeded",
            created=now,
            customer=seed.customer,
            payment_method=seed.payment_method,
            metadata=seed.metadata,
            amount_received=int(units),
            charge_id=seed.id if by_charge else f"ch_{seed.id.removeprefix('pi_')}",
            authorized_at=now,
            seeded=True,
        )
        known = self.store.get(Intent, intent.id, intent.space)
        if known is not None:
            if (known.amount, known.currency, known.seeded) != (intent.amount, intent.currency, True):
                raise ValueError(f"{seed.id} is taken by another payment")
            return known
        self.store.put(intent)
        self.store.put(
            Charge(
                id=intent.charge_id or "",
                space=intent.space,
                intent_id=intent.id,
                amount=intent.amount,
                currency=intent.currency,
                status="succeeded",
                created=now,
                captured=True,
                amount_captured=intent.amount,
                customer=intent.customer,
                payment_method=intent.payment_method,
                metadata=intent.metadata,
            )
        )
        return intent

    def settle(self, id: str, end: RefundEnd) -> Refund | None:
        """End a refund, by its id or by a value of its metadata. A succeeded one may still fail, as at Stripe.

        None: no such refund. Raises ValueError when it has ended otherwise.
        """
        refunds = self.refunds()
        refund = next((one for one in refunds if one.id == id or id in one.metadata.values()), None)
        if refund is None or refund.status == end.status:
            return refund
        if refund.status not in ("pending", "succeeded"):
            raise ValueError(f"refund {id} has ended as {refund.status}")
        refund = refund.model_copy(
            update={
                "status": end.status,
                "failure_reason": end.failure_reason if end.status == "failed" else None,
                "fails_at": None,
            }
        )
        self.store.put(refund)
        return refund

    def intents(self) -> list[Intent]:
        """All, of every account, oldest first."""
        return [self.aged_intent(intent) for intent in self.store.find(Intent)]

    def charges(self) -> list[Charge]:
        return self.store.find(Charge)

    def refunds(self) -> list[Refund]:
        return [self.aged_refund(refund) for refund in self.store.find(Refund)]

    def intent(self, space: str, id: str, param: str) -> Intent:
        intent = self.store.get(Intent, id, space)
        if intent is None:
            raise no_such("payment_intent", id, param)
        return self.aged_intent(intent)

    def charge(self, space: str, id: str, param: str) -> Charge:
        charge = self.store.get(Charge, id, space)
        if charge is None:
            raise no_such("charge", id, param)
        return charge

    def refund(self, space: str, id: str) -> Refund:
        refund = self.store.get(Refund, id, space)
        if refund is None:
            raise no_such("refund", id, "refund")
        return self.aged_refund(refund)

    def aged_intent(self, intent: Intent) -> Intent:
        """An authorization that nobody captured in time ends by itself."""
        if intent.status != "requires_capture" or intent.authorized_at is None:
            return intent
        ends = intent.authorized_at + int(wire.AUTHORIZATION_LASTS.total_seconds())
        return intent if self.store.timestamp() < ends else self.canceled(intent, "automatic", ends)

    def aged_refund(self, refund: Refund) -> Refund:
        if refund.status != "pending" or refund.fails_at is None or self.store.timestamp() < refund.fails_at:
            return refund
        refund = refund.model_copy(update={"status": "failed", "failure_reason": "unknown", "fails_at": None})
        self.store.put(refund)
        return refund

    def refunds_of(self, charge: Charge) -> list[Refund]:
        """Newest first."""
        found = self.store.find(Refund, owner=charge.intent_id, space=charge.space)
        return [self.aged_refund(one) for one in reversed(found) if one.charge_id == charge.id]

    def charge_json(self, charge: Charge) -> dict[str, Any]:
        return wire.charge_json(charge, self.refunds_of(charge))

    def intent_json(self, intent: Intent) -> dict[str, Any]:
        charges = self.store.find(Charge, owner=intent.id, space=intent.space)
        return wire.intent_json(intent, [self.charge_json(charge) for charge in reversed(charges)])

    def page(self, params: Params, url: str, oldest_first: list[L], show: Callable[[L], dict[str, Any]]) -> Answer:
        """One page, newest first."""
        limit = params.integer("limit", 1, 100) or 10
        found = [one for one in reversed(oldest_first) if params.created(one.created)]
        after, before = params.text("starting_after"), params.text("ending_before")
        ids = [one.id for one in found]
        for name, id in (("starting_after", after), ("ending_before", before)):
            if id is not None and id not in ids:
                raise no_such(url.rsplit("/", 1)[1].removesuffix("s"), id, name)
        if after is not None:
            found = found[ids.index(after) + 1 :]
            page, more = found[:limit], len(found) > limit
        elif before is not None:
            found = found[: ids.index(before)]
            page, more = found[-limit:], len(found) > limit
        else:
            page, more = found[:limit], len(found) > limit
        return Answer(200, wire.list_json(url, [show(one) for one in page], more))

    def canceled(self, intent: Intent, reason: str | None, at: int | None = None) -> Intent:
        if intent.status == "requires_capture" and intent.charge_id is not None:
            charge = self.charge(intent.space, intent.charge_id, "charge")
            self.store.put(charge.model_copy(update={"released": True}))
        intent = intent.model_copy(
            update={
                "status": "canceled",
                "amount_capturable": 0,
                "canceled_at": self.store.timestamp() if at is None else at,
                "cancellation_reason": reason,
            }
        )
        self.store.put(intent)
        return intent
