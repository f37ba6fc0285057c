"""The world of an order in process: its database, gateway, suppliers and shop."""

import random
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache

from models.event_times import Arrival
from models.failures import Category
from models.orders import OrderRequest, share_out
from models.parties import Seller
from models.partners import ChargeAnswer, ChargeState, FoundSources, PlacedOrder, Source
from models.records import OpenedOrder, Opening, Saved
from models.refunds import Direction, RefundResult, RefundState
from models.special_orders import SpecialOrderChecked
from tests.model.order_state import BUYER, CHOICE, PAID, SELLER, UNITS, OrderSetup
from tests.plans.order_messages import CARDS
from tests.plans.orders.order_rig import BY_STRIPE
from tests.plans.rig import NOT_YET, Failed, Given, NotYet, Troubled
from workflows.engine.case import Effect, SendMail
from workflows.orders.effects import (
    AnnounceTracking,
    Authorize,
    Capture,
    CheckSpecialOrder,
    LookUpArrival,
    OpenLateCancelReturn,
    Place,
    ReturnOpened,
    SaveCharge,
    SearchStock,
    StopShipping,
    VoidAuthorization,
    WriteDown,
)
from workflows.orders.facts import OrderFacts
from workflows.refunds.attempts import MakeRefund

REQUEST = OrderRequest.model_validate(
    {
        "order_id": "1001",
        "seller_id": "acme",
        "buyer": {
            "email": "robin@buyer.example",
            "address": {
                "name": "Robin",
                "line1": "1 Main St",
                "city": "Reno",
                "postal_code": "89501",
                "country": "US",
            },
        },
        "lines": [
            {
                "line_id": "A",
                "sku": "A",
                "title": "Part",
                "quantity": UNITS,
                "unit_price": "50.00",
                "unit_cost": "31.50",
            }
        ],
        "payment": {"paid_by": "stripe", "reference": "pi_b", "amount": "100.00", "currency": "USD"},
    }
)
SHARES = share_out(REQUEST)
TROUBLE = 0.02
UNDELIVERABLE = 0.02
FAILED_AFTERWARDS = "failed afterwards"


class OrderWorld:
    """All that lies outside one order of two units."""

    def __init__(self, setup: OrderSetup) -> None:
        self.setup = setup
        self.chance = random.Random(0)
        self.troubled: set[str] = set()
        """Effects whose partner did not answer at first."""
        self.charges: dict[str, str] = {}
        self.expired = 0
        self.placed: dict[str, str] = {}
        self.returns = 0
        self.refunds: dict[str, str] = {}
        self.made: dict[str, MakeRefund] = {}
        self.told: set[str] = set()
        self.tries = {BUYER: 0, SELLER: 0}
        self.arrived_in_time: set[str] = set()

    def answer(self, effect: Effect, facts: OrderFacts) -> Given:
        match effect:
            case MakeRefund():
                return self._refund(effect)
            case SendMail():
                return Failed("no such mailbox") if self.chance.random() < UNDELIVERABLE else None
        if effect.key not in self.troubled and self.chance.random() < TROUBLE:
            self.troubled.add(effect.key)
            category = self.chance.choice((Category.PARTNER_UNAVAILABLE, Category.INTERNAL))
            return Troubled("it does not answer", category, self.chance.random() < 0.5)
        match effect:
            case WriteDown() if self.setup.refused:
                return OpenedOrder(opening=Opening.REFUSED, reason="there is no seller acme")
            case WriteDown():
                return OpenedOrder(
                    opening=Opening.OPENED, seller=seller(self.setup), shares=SHARES, charge_connection=BY_STRIPE
                )
            case Authorize() | Capture() | VoidAuthorization():
                return self._charge(effect)
            case SearchStock():
                return self._search(effect, facts)
            case Place():
                return self._place(effect, facts)
            case LookUpArrival():
                until = facts.cancel_until
                early = until is not None and effect.event_id in self.arrived_in_time
                at = until - timedelta(seconds=1) if until is not None and early else facts.now
                return Arrival(at=at.isoformat())
            case CheckSpecialOrder():
                return SpecialOrderChecked(reason="2 of A are claimed (CLM-1)" if self.setup.claimed else None)
            case AnnounceTracking() | StopShipping() | SaveCharge():
                return Saved()
            case OpenLateCancelReturn():
                self.returns += 1
                return ReturnOpened(return_id="RR-1001-late-cancel")
        raise AssertionError(f"an order did {effect.key}")

    def _charge(self, effect: Authorize | Capture | VoidAuthorization) -> ChargeAnswer:
        state = self.charges.get(effect.charge_id)
        match effect:
            case Authorize():
                assert state is None, "charged twice under one id (ORD-3)"
                assert "authorized" not in self.charges.values(), "two authorizations hold money (ORD-3)"
                state = "authorized" if effect.payment_method == CARDS["good"] else "declined"
            case Capture():
                assert state == "authorized", f"captured what is {state}"
                too_old = self.expired < self.setup.expires
                self.expired += too_old
                state = "expired" if too_old else "captured"
            case VoidAuthorization():
                assert state == "authorized", f"voided what is {state}"
                state = "voided"
        self.charges[effect.charge_id] = state
        captured = effect.amount if isinstance(effect, Capture) and state == "captured" else None
        return ChargeAnswer(
            charge_id=effect.charge_id,
            state=ChargeState(state),
            gateway_reference="pi_1",
            captured=captured,
            reason=None if state in ("authorized", "captured", "voided") else "as it is",
        )

    def _search(self, effect: SearchStock, facts: OrderFacts) -> FoundSources:
        refused = {one.warehouse_id for one in facts.refused_sources}
        left = effect.units["A"]
        sources = []
        for warehouse, units in self._warehouses(effect, facts):
            bought = sum(
                line.quantity
                for one in facts.purchases
                if one.order.warehouse_id == warehouse and one.state != "refused"
                for line in one.order.lines
            )
            count = min(left, units - bought)
            if warehouse not in refused and count > 0:
                left -= count
                source = {"supplier_id": "reno", "warehouse_id": warehouse, "sku": "A", "quantity": count}
                sources.append(Source.model_validate(source | {"unit_cost": "31.50"}))
        return FoundSources(sources=tuple(sources), missing={"A": left} if left else {}, in_stock={"A": 0})

    def _warehouses(self, effect: SearchStock, facts: OrderFacts) -> tuple[tuple[str, int], ...]:
        arrived = facts.special is not None and facts.special.round > 0
        return self.setup.warehouses(second_source=effect.second_source, arrived=arrived)

    def _place(self, effect: Place, facts: OrderFacts) -> PlacedOrder:
        assert effect.number not in self.placed, f"order {effect.number} is placed twice"
        warehouse = facts.purchase_of(effect.number).order.warehouse_id
        state = "refused" if warehouse in self.setup.refusing else "accepted"
        self.placed[effect.number] = state
        return PlacedOrder.model_validate({"state": state, "reason": "out_of_stock"})

    def _refund(self, effect: MakeRefund) -> Given:
        before = self.made.get(effect.refund_id)
        if before is None or (effect.again and before.key != effect.key):
            self.made[effect.refund_id] = effect
            self.refunds.setdefault(effect.refund_id, "asked")
            if before is not None and self.refunds[effect.refund_id] == "in doubt":
                self.refunds[effect.refund_id] = "asked"
        assert self.made[effect.refund_id].key == effect.key, f"{effect.refund_id} is made twice (REF-6)"
        state, conflict = self.refunds[effect.refund_id], False
        if state == "asked":
            fate = self._fate(whose(effect))
            conflict = fate == "id taken"
            state = {"succeeds": "succeeded", "fails": "failed", "id taken": "refused"}.get(fate, fate)
            self.refunds[effect.refund_id] = state
        if state in ("pending", "silent"):
            if effect.key in self.told:
                return NOT_YET
            self.told.add(effect.key)
            return NotYet(self.result(effect))
        return self.result(effect, conflict=conflict)

    def _fate(self, whom: str) -> str:
        fates = self.setup.buyer_fates if whom == BUYER else self.setup.seller_fates
        nth = self.tries[whom]
        self.tries[whom] += 1
        return fates[nth] if nth < len(fates) else "succeeds"

    def result(self, effect: MakeRefund, *, conflict: bool = False) -> RefundResult:
        state = self.refunds[effect.refund_id]
        states = {"in doubt": "reserved", "silent": "pending", FAILED_AFTERWARDS: "failed"}
        known = RefundState(states.get(state, state))
        unknown = known in (RefundState.RESERVED, RefundState.PENDING)
        amount = effect.amount if effect.amount is not None else Decimal(PAID) / 100
        return RefundResult(
            refund_id=effect.refund_id,
            state=known,
            amount=Decimal(0) if known is RefundState.REFUSED else amount,
            currency=effect.currency,
            reason=f"as it is: {state}",
            direction=effect.direction,
            unknown=unknown and state != "pending",
            conflict=conflict,
            taken_back=state == FAILED_AFTERWARDS,
        )

    def last_to_change(self, whom: str, word: str, asked: set[str]) -> MakeRefund | None:
        """The last refund that can still change so; `asked`: those that are looked for just now."""
        fits = ["silent", "pending", "in doubt"] + (["succeeded"] if word == "failed" else [])
        found = [
            refund_id
            for refund_id, state in self.refunds.items()
            if state in fits
            and whose(self.made[refund_id]) == whom
            and not (state == "in doubt" and refund_id in asked)
        ]
        return self.made[max(found, key=ordinal)] if found else None


def ordinal(refund_id: str) -> int:
    return int(refund_id.rpartition("-")[2][2:])


def whose(effect: MakeRefund) -> str:
    return BUYER if effect.direction is Direction.SELLER_TO_BUYER else SELLER


@lru_cache(maxsize=64)
def seller(setup: OrderSetup) -> Seller:
    return Seller.model_validate(
        {
            "seller_id": "acme",
            "name": "Acme",
            "email": "office@acme.example",
            "auto_release": setup.auto_release,
            "payment_method": CARDS.get(setup.card),
            "auto_refund_buyer": setup.auto_refund,
            "choice_days": CHOICE // (24 * 60) if setup.chooses else 0,
            "stock_look_days": 3650,
        }
    )
