"""Random histories of one sale: what people, suppliers and the gateway may do next, in any order."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from models.claims import ClaimRequest
from models.cost_reviews import CostReviewRequest
from models.money import smallest_unit
from models.refunds import RefundRequest, RefundState, Way
from models.returns import ReturnRequest
from tests.plans.money.book import BUYER_GETS
from tests.plans.money.proof import proved
from tests.plans.money.sale import Sale
from tests.plans.money.sold import CURRENCIES, request_of, seller_of
from tests.plans.rig import Rig
from tests.senders import sender_of
from workflows.claims.facts import ClaimFacts
from workflows.cost_reviews.facts import CostReviewFacts
from workflows.orders.facts import OrderFacts
from workflows.refunds.facts import RefundFacts
from workflows.returns.facts import ReturnFacts

APPROVALS: Final = ("approved", "approved", "fee", "percent", "returnless", "replacement", "rejected")
SHORTEST, LONGEST = 8, 22
SHIPS_FIRST, GOES_ON = 0.6, 0.75
PASSES = (timedelta(minutes=10), timedelta(minutes=31), timedelta(days=1), timedelta(days=20))


class History:
    """One sale, and a hand that does the next thing to it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.currency = CURRENCIES[seed % len(CURRENCIES)]
        self.unit = smallest_unit(self.currency)
        self.done: list[str] = []
        self.reached: Counter[str] = Counter()
        self.ordinals: Counter[str] = Counter()
        self.clicked_amounts: set[str] = set()
        """Returns in which somebody asked for an amount."""
        flags = [self.chance.random() < 0.5 for _ in range(2)]
        seller = seller_of(flags[0], self.chance.random() < 0.85, flags[1])
        self.sale = Sale(request_of(self.chance, self.currency), seller, self.chance)
        self.sale.rests()

    def play(self) -> None:
        if self.chance.random() < SHIPS_FIRST:
            self._is_shipped()
        acts: list[Callable[[], str | None]] = [
            *(self.refund,) * 2,
            *(self.cancel,) * 2,
            *(self.ship,) * 3,
            *(self.ask_return,) * 2,
            *(self.tell_return,) * 3,
            *(self.gateway_decides,) * 3,
            *(self.claim,) * 4,
            *(self.review, self.pay_anew),
            *(self.decide,) * 3,
            *(self.wait,) * 3,
        ]
        act = self.ask_return
        for _ in range(self.chance.randint(SHORTEST, LONGEST)):
            # A return goes on: it has the longest way of all.
            goes_on = act in (self.ask_return, self.tell_return) and self.chance.random() < GOES_ON
            act = self.tell_return if goes_on else self.chance.choice(acts)
            said = act()
            if said is not None:
                self.done.append(said)
                self.reached[said.split()[0]] += 1
            if self.chance.random() < 0.8:
                self.sale.rests()
        self.sale.rests()

    def _is_shipped(self) -> None:
        """What has been bought by the end of the cancel window leaves."""
        for _ in range(3):
            self.pay_anew()
            self.sale.passes(timedelta(minutes=31))
        for _ in range(2):
            said = self.ship()
            self.done.append(said or "nothing ships")
            self.sale.rests()
        self.done.append(self.ask_return() or "nothing comes back")
        self.sale.rests()

    def _next(self, prefix: str) -> int:
        self.ordinals[prefix] += 1
        return self.ordinals[prefix]

    def _orders(self, *, replacing: bool = False) -> list[OrderFacts]:
        found = [one.facts for one in self.sale.of_kind(OrderFacts)]
        return [
            one
            for one in found
            if one.order_id in self.sale.book.orders and bool(one.request.replaces) is replacing
        ]

    def _amount(self, most: Decimal) -> Decimal:
        """Some of it, mostly movable."""
        step = self.unit * (10 if self.currency == "KWD" and self.chance.random() < 0.9 else 1)
        return max(self.chance.randint(1, max(int(most / step), 1)) * step, step)

    def _hears(self, rig: Rig[Any], name: str, **fields: Any) -> str:
        model = rig.pure.kind.events[name]
        said = {"event_id": f"e{self._next('event')}", "actor": sender_of(name), **fields}
        rig.hear(model.model_validate(said))
        return f"{name} {fields}"

    # ---- the acts ----

    def wait(self) -> str:
        time = self.chance.choice(PASSES)
        self.sale.passes(time)
        return f"wait {time}"

    def refund(self) -> str | None:
        """REF-2, REF-3, REF-8, REF-9: part, units, or all that is left."""
        orders = self._orders()
        if not orders:
            return None
        order = self.sale.book.orders[self.chance.choice(orders).order_id]
        given: dict[str, Any] = {}
        kind = self.chance.choice(("amount", "amount", "units", "units", "all"))
        if kind == "amount":
            given["amount"] = self._amount(max(order.paid / 2, self.unit))
        elif kind == "units":
            line = self.chance.choice(list(order.shares.values()))
            units = self.chance.randint(1, line.quantity)
            given["lines"] = [{"line_id": line.line_id, "sku": line.sku, "quantity": units}]
        if self.chance.random() < 0.15:
            given |= {"way": Way.MANUAL, "reference": "cash"}
        return self._refund(order.request.order_id, **given)

    def _refund(self, order_id: str, **given: Any) -> str:
        refund_id = f"RF-{order_id}-D{self._next(f'refund {order_id}')}"
        said = {"refund_id": refund_id, "order_id": order_id, "currency": self.currency, **given}
        words = {"reason": "goodwill", "requested_by": "seller:jane", "asked_for": True}
        self.sale.start_refund(RefundRequest.model_validate(said | words))
        return f"refund {refund_id} {given}"

    def cancel(self) -> str | None:
        """CAN-1, CAN-10: the whole, or some units."""
        orders = [one for one in self._orders() if one.outcome is None and one.request.split_from is None]
        if not orders:
            return None
        f = self.chance.choice(orders)
        fields: dict[str, Any] = {"reason": "changed their mind"}
        left = {line_id: count for line_id, count in f.lines.open.items() if count}
        if left and self.chance.random() < 0.8:
            line_id = self.chance.choice(sorted(left))
            units = self.chance.randint(1, left[line_id])
            fields["lines"] = [{"line_id": line_id, "quantity": units}]
        return self._hears(self.sale.cases[f.case_id], "cancel_request", **fields)

    def ship(self) -> str | None:
        for rig in self.sale.of_kind(OrderFacts):
            left = {line_id: count for line_id, count in rig.facts.lines.open.items() if count}
            if rig.facts.outcome is None and left and any(one.state == "accepted" for one in rig.facts.purchases):
                number = self._next("parcel")
                lines = [
                    {"line_id": line_id, "quantity": self.chance.randint(1, count)}
                    for line_id, count in left.items()
                ]
                parcel = {"shipment_id": f"S{number}", "carrier": "UPS", "tracking_number": f"1Z{number}"}
                return self._hears(rig, "shipment", **parcel, lines=lines)
        return None

    def ask_return(self) -> str | None:
        shipped = [one for one in self._orders() if any(line.shipped for line in one.lines.counts)]
        if not shipped:
            return None
        f = self.chance.choice(shipped)
        line = self.chance.choice([one for one in f.lines.counts if one.shipped])
        units = self.chance.randint(1, line.shipped)
        return_id = f"RR-{f.order_id}-{self._next('return')}"
        told = {"line_id": line.line_id, "sku": line.sku, "quantity": units, "reason": "does not fit"}
        said = {"return_id": return_id, "order_id": f.order_id, "lines": [told]}
        self.sale.start_return(ReturnRequest.model_validate(said))
        return f"return {return_id} of {units} x {line.line_id}"

    def tell_return(self) -> str | None:
        """Whatever its stage calls for; sometimes another thing."""
        found = [one for one in self.sale.of_kind(ReturnFacts) if one.facts.opened and not one.is_over]
        if not found:
            return None
        rig = self.chance.choice(found)
        calls = {
            "awaiting_approval": "seller_approval",
            "awaiting_tracking": "return_tracking",
            "in_transit": "goods_received",
            "awaiting_credit": "credit_memo",
            "awaiting_buyer_refund": "buyer_refund",
        }
        stages = [calls[one.stage] for one in rig.plan.waits if one.stage in calls]
        anything = (*calls.values(), "withdrawal", "credit_memo", "buyer_refund")
        name = self.chance.choice(stages if stages and self.chance.random() < 0.85 else anything)
        return self._hears(rig, name, **self._said_of_return(rig.facts, name))

    def _said_of_return(self, f: ReturnFacts, name: str) -> dict[str, Any]:
        chance, line = self.chance, f.snapshot.lines[0]
        match name:
            case "seller_approval":
                kind = chance.choice(APPROVALS)
                said: dict[str, Any] = {
                    "decision": "rejected" if kind == "rejected" else "approved",
                    "reason": "x",
                }
                if kind == "fee":
                    said["return_fee"] = self._amount(max(line.paid / 3, self.unit))
                if kind == "percent":
                    said["restocking_percent"] = Decimal(chance.randint(1, 30))
                if kind == "returnless":
                    said["returnless"] = True
                if kind == "replacement":
                    said["resolution"] = "replacement"
                return said
            case "return_tracking":
                return {"carrier": "UPS", "tracking_number": f"1ZBACK{self._next('back')}"}
            case "goods_received":
                accepted = chance.choice(("accepted", "accepted", "accepted", "rejected"))
                units = chance.randint(1, line.quantity)
                arrived = {
                    "line_id": line.line_id,
                    "quantity": units,
                    "reception": "received",
                    "acceptance": accepted,
                }
                return {"lines": [arrived]}
            case "credit_memo":
                number = f"CM-{self._next('memo') if chance.random() < 0.8 else 1}"
                amount = (
                    max(line.cost, self.unit) if chance.random() < 0.5 else self._amount(line.cost + self.unit)
                )
                paper = {"number": number, "date": "2026-03-10", "amount": amount, "currency": self.currency}
                return paper | {"final": chance.random() < 0.3}
            case "buyer_refund":
                part = {"amount": self._amount(max(line.paid, self.unit))} if chance.random() < 0.4 else {}
                if part:
                    self.clicked_amounts.add(f.request.return_id)
                return {"reason": "goods are back", **part}
        return {"reason": "changed their mind"}

    def gateway_decides(self) -> str | None:
        """What was pending ends; now and then a success is taken back days later (REF-7)."""
        known = self.sale.book.refunds
        open_ones = [
            (refund_id, one)
            for refund_id, one in self.sale.gateway.refunds.items()
            if one.status == "pending" or (one.status == "succeeded" and self.chance.random() < 0.25)
        ]
        open_ones = [(refund_id, one) for refund_id, one in open_ones if known[refund_id].gateway_refund_id]
        if not open_ones:
            return None
        refund_id, one = self.chance.choice(open_ones)
        if one.status == "succeeded" and known[refund_id].state is not RefundState.SUCCEEDED:
            return None
        status = "failed" if one.status == "succeeded" else self.chance.choice(("succeeded", "failed"))
        self.sale.gateway_says(refund_id, status, f"g{self._next('word')}")
        return f"gateway says {refund_id} {status}"

    def claim(self) -> str | None:
        for f in self._orders():
            voided = {one.line_id: one.voided for one in f.lines.counts if one.voided}
            if voided:
                line_id = self.chance.choice(sorted(voided))
                claim_id = f"CL-1001-{self._next('claim')}"
                said = {
                    "claim_id": claim_id,
                    "order_id": f.order_id,
                    "seller_id": "acme",
                    "lines": [{"line_id": line_id, "quantity": self.chance.randint(1, voided[line_id])}],
                    "amount": self._amount(self.unit * 15_000),
                    "currency": self.currency,
                    "dealer": "Reno Auto Parts",
                    "requested_by": "seller:jane",
                }
                receipt = {"kind": "document", "reference": "s3://r.pdf", "sha256": "a" * 64}
                more = {"receipt": receipt} if self.chance.random() < 0.7 else {}
                self.sale.start_claim(ClaimRequest.model_validate(said | more))
                return f"claim {claim_id} {said['lines']} {said['amount']}"
        return None

    def review(self) -> str | None:
        back = [one for one in self.sale.book.refunds.values() if one.request.direction is BUYER_GETS]
        if not back:
            return None
        row = self.chance.choice(back)
        review_id = f"CR-1001-{self._next('review')}"
        said = {
            "review_id": review_id,
            "order_id": row.request.order_id,
            "amount": self._amount(row.amount),
            "currency": self.currency,
            "notes": "the wrong part was packed",
            "requested_by": "seller:jane",
        }
        self.sale.start_review(CostReviewRequest.model_validate(said))
        return f"review {review_id} {said['amount']}"

    def decide(self) -> str | None:
        """A claim or a review, by a person, for all of it or less; or it is withdrawn."""
        found = [*self.sale.of_kind(ClaimFacts), *self.sale.of_kind(CostReviewFacts)]
        waiting = [one for one in found if not one.is_over and one.facts.opened is not None]
        if not waiting:
            return None
        rig = self.chance.choice(waiting)
        of_claim = isinstance(rig.facts, ClaimFacts)
        if self.chance.random() < 0.15:
            return self._hears(rig, "claim_withdrawn" if of_claim else "review_withdrawn", reason="mistake")
        said: dict[str, Any] = {
            "decision": self.chance.choice(("approved", "approved", "rejected")),
            "reason": "x",
        }
        if said["decision"] == "approved" and self.chance.random() < 0.5:
            said["amount"] = self._amount(rig.facts.request.amount)
        return self._hears(rig, "claim_decision" if of_claim else "cost_decision", **said)

    def pay_anew(self) -> str | None:
        """ORD-3: after a decline."""
        for rig in self.sale.of_kind(OrderFacts):
            if not rig.is_over and any(one.state == "declined" for one in rig.facts.charges):
                return self._hears(rig, "payment_method_updated", payment_method=f"pm_{self._next('card')}")
        return None

    # ---- its end ----

    def close(self) -> None:
        """Nothing breaks any more, the gateway decides what is pending, and the buyer gets all that is left: the
        parts add up to what was paid, to the smallest unit (REF-8, CAN-10)."""
        sale = self.sale
        sale.is_calm = sale.gateway.is_calm = True
        for _ in range(3):
            sale.passes(timedelta(days=1))
            for refund_id, one in list(sale.gateway.refunds.items()):
                if one.status == "pending":
                    sale.gateway_says(refund_id, "succeeded", f"g{self._next('word')}")
        sale.rests()
        for order_id, order in list(sale.book.orders.items()):
            if order.request.replaces is None and sale.book.taken(order_id, BUYER_GETS) < order.paid:
                self._refund(order_id)
                sale.rests()
            rest = order.paid - sale.book.taken(order_id, BUYER_GETS)
            if rest and order.request.replaces is None:
                self._refund(order_id, amount=rest, way=Way.MANUAL, reference="transfer")
                sale.rests()
        proved(sale, self.clicked_amounts)

    @property
    def cases(self) -> int:
        return len(self.sale.of_kind(RefundFacts)) + len(
            [one for one in self.sale.cases.values() if not isinstance(one.facts, RefundFacts)]
        )
