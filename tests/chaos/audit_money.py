"""The audit of money: charges of sellers, refunds of sellers and buyers, and their sums."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from activities.database.views import OrderView, RefundListed
from models.money import share_of_units
from models.orders import share_out
from models.partners import ChargeState
from models.refunds import Direction, RefundState, Way
from starter.sandbox.facts import PaymentFact
from tests.chaos.audit_facts import HELD, MOVED, UNSENT, Facts, Violation, doubled, has_ended, our_id, stage_of

AT_GATEWAY: Final = {
    ChargeState.AUTHORIZED: HELD,
    ChargeState.CAPTURED: "succeeded",
    ChargeState.VOIDED: "canceled",
}


class MoneyAudit:
    """Each charge and refund once, with its amount, in books and at the gateway."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def violations(self) -> Iterator[Violation]:
        yield from self._each_charge_once()
        yield from self._the_seller_pays_what_is_bought()
        yield from self._each_refund_once()
        yield from self._never_over_the_cap()

    def _each_charge_once(self) -> Iterator[Violation]:
        at_gateway: dict[str, list[PaymentFact]] = defaultdict(list)
        for intent in self._facts.charges:
            at_gateway[our_id(intent)].append(intent)
        for charge_id in doubled(self._facts.charges, our_id):
            yield Violation("charge twice", charge_id)
        for view in self._facts.seen.orders:
            for charge in view.charges:
                made = at_gateway.pop(charge.charge_id, [])
                if charge.state not in AT_GATEWAY:
                    if any(one.amount_received or one.status == HELD for one in made):
                        yield Violation("money held without a charge", charge.charge_id, charge.state)
                elif not made:
                    yield Violation("charge missing at the gateway", charge.charge_id, charge.state)
                elif made[0].status != AT_GATEWAY[charge.state]:
                    yield Violation("charge differs", charge.charge_id, f"{charge.state}, {made[0].status}")
                elif charge.state is ChargeState.CAPTURED and (
                    (charge.captured, charge.currency) != (made[0].amount_received, made[0].currency)
                ):
                    detail = f"{charge.captured} in the books, {made[0].amount_received} at the gateway"
                    yield Violation("captured amount differs", charge.charge_id, detail)
                elif made[0].status == HELD and has_ended(view):
                    yield Violation("money held by an order that has ended", charge.charge_id)
        for charge_id in at_gateway:
            yield Violation("charge missing in the books", charge_id)

    def _the_seller_pays_what_is_bought(self) -> Iterator[Violation]:
        """ORD-3, ORD-7: what was taken, less what the order itself gave back, is the cost of what was bought."""
        for view in self._facts.seen.orders:
            bought = any(order.state == "accepted" for order in view.supplier_orders)
            if not bought and not has_ended(view):
                continue
            taken = sum((charge.captured for charge in view.charges), Decimal(0))
            given = sum((one.amount for one in self._given_by_the_order(view)), Decimal(0))
            owed = Decimal(0) if stage_of(view) in UNSENT else _cost_of_what_is_bought(view)
            if taken - given == owed:
                continue
            promise = "money kept for nothing" if not owed else "charge is not the cost of what was bought"
            yield Violation(promise, view.listed.order_id, f"{taken} taken, {given} given back, {owed} owed")

    @staticmethod
    def _given_by_the_order(view: OrderView) -> list[RefundListed]:
        """The seller's refunds for what was cancelled or voided; those of returns come later."""
        return [
            one
            for one in view.refunds.refunds
            if one.direction is Direction.BROKER_TO_SELLER and one.return_id is None and one.state in MOVED
        ]

    def _each_refund_once(self) -> Iterator[Violation]:
        made = self._facts.effects.refunds
        for refund_id in doubled(made, our_id):
            yield Violation("refund twice", refund_id)
        at_gateway = {our_id(one): one for one in made}
        for refund_id, one in at_gateway.items():
            booked = self._facts.refunds.get(refund_id)
            if booked is None:
                yield Violation("refund missing in the books", refund_id, f"{one.amount} {one.currency}")
            elif (booked.amount, booked.currency) != (one.amount, one.currency):
                detail = f"{booked.amount} in the books, {one.amount} at the gateway"
                yield Violation("refund amount differs", refund_id, detail)
            elif booked.state.value != one.status:
                yield Violation("refund state differs", refund_id, f"{booked.state.value}, {one.status}")
            elif one.payment_intent not in self._payments_of(booked):
                yield Violation("refund of another payment", refund_id, one.payment_intent)
        for booked in self._facts.refunds.values():
            if booked.way is Way.GATEWAY and booked.state in MOVED and booked.refund_id not in at_gateway:
                yield Violation("refund missing at the gateway", booked.refund_id, booked.state.value)
            if booked.state is RefundState.RESERVED and booked.standing is not None and booked.standing.ended:
                yield Violation("amount reserved for ever", booked.refund_id)

    def _payments_of(self, refund: RefundListed) -> tuple[str, ...]:
        """What this refund may give back: the buyer's payment, or the seller's charge. Never the other."""
        view = self._facts.orders[refund.order_id]
        if refund.direction is Direction.SELLER_TO_BUYER:
            return tuple(str(one.reference) for one in view.request.paid_with)
        return tuple(one.id for one in self._facts.charges if one.metadata.get("order_id") == refund.order_id)

    def _never_over_the_cap(self) -> Iterator[Violation]:
        given: dict[str, Decimal] = defaultdict(Decimal)
        for refund in self._facts.effects.refunds:
            if refund.status in ("succeeded", "pending"):
                given[refund.payment_intent] += refund.amount
        for intent in self._facts.effects.payment_intents:
            if given[intent.id] > intent.amount_received:
                detail = f"{given[intent.id]} of {intent.amount_received}"
                yield Violation("refunded more than was taken", intent.id, detail)
        for view in self._facts.seen.orders:
            for totals in (view.refunds.buyer, view.refunds.seller):
                moved = [one for one in view.refunds.refunds if one.direction is totals.direction]
                moved = [one for one in moved if one.state in MOVED]
                total = sum((one.amount for one in moved), Decimal(0))
                subject = f"{view.listed.order_id}, {totals.direction.value}"
                if total > totals.paid and not any(one.over_refund for one in moved):
                    yield Violation("over the cap", subject, f"{total} of {totals.paid}")
        yield from self._sums_by_payment(given)

    def _sums_by_payment(self, given: dict[str, Decimal]) -> Iterator[Violation]:
        """A payment may be of several orders: each that was split off has its part of it (CAN-10)."""
        booked: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
        for one in self._facts.refunds.values():
            if one.way is Way.GATEWAY and one.state in MOVED:
                booked[self._payments_of(one)] += one.amount
        for payments, total in booked.items():
            at_gateway = sum((given[payment] for payment in payments), Decimal(0))
            if total != at_gateway:
                detail = f"{total} in the books, {at_gateway} at the gateway"
                yield Violation("sum of refunds differs", ", ".join(payments), detail)


def _cost_of_what_is_bought(view: OrderView) -> Decimal:
    """From the request alone, and what the books say is cancelled or voided; in the charge's currency."""
    shares = {share.sku: share for share in share_out(view.request)}
    currency, due = view.request.charge_currency, Decimal(0)
    for line in view.lines:
        share, kept = shares[line.sku], line.quantity - line.cancelled - line.voided - line.moved
        for total in (share.cost_goods, share.cost_shipping):
            # Units that come to nothing are counted from the end of the line.
            due += share_of_units(total, line.quantity, 0, kept, currency)
    return due
