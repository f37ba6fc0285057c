"""An order in process: its database, gateway, suppliers and shop, and what the model expects to see of it."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from models import contract
from models.event_times import Arrival
from models.failures import Category
from models.ids import supplier_order_number
from models.message import Event
from models.orders import OrderRequest, share_out
from models.parties import Seller
from models.partners import ChargeAnswer, ChargeState, FoundSources, PlacedOrder, Source
from models.records import OpenedOrder, Opening, Saved
from models.refunds import Direction, RefundResult, RefundState
from tests.model import order_procedure
from tests.model.order_procedure import (
    ADDRESSES,
    BUYER,
    FATES,
    IN_TIME,
    PAID,
    SELLER,
    STOCKS,
    TAKEN_BACK,
    UNITS,
    WORDS,
    OrderProcedure,
    OrderSetup,
    OrderState,
    Refund,
    label_of,
)
from tests.model.procedure import Happening
from tests.plans.against_model import Kind
from tests.plans.orders.order_rig import BY_STRIPE
from tests.plans.rig import NOT_YET, Failed, Given, NotYet, Pure, Rig, Troubled
from tests.senders import sender_of
from workflows.engine.case import Effect, SendMail
from workflows.orders.effects import (
    AnnounceTracking,
    Authorize,
    Capture,
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
from workflows.orders.events import apply, check
from workflows.orders.facts import OrderFacts, first_lines
from workflows.orders.plan import plan
from workflows.refunds.attempts import MakeRefund

BASE = datetime(2026, 3, 1, tzinfo=UTC)
PURE = Pure(contract.ORDER_KIND, check, apply, plan)
CARDS = {"good": "pm_card_visa", "declined": "pm_card_chargeDeclined"}
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
STATES = {"in_doubt": "in doubt", "failed_afterwards": FAILED_AFTERWARDS}
"""The plan's words for the state of a refund that are not the model's."""


class Order:
    """One order of two units, and its world."""

    def __init__(self, setup: OrderSetup, careful: bool) -> None:
        self.setup = setup
        self.chance = random.Random(0)
        self.troubled: set[str] = set()
        self.charges: dict[str, str] = {}
        self.expired = 0
        self.placed: dict[str, str] = {}
        self.returns = 0
        self.refunds: dict[str, str] = {}
        self.made: dict[str, MakeRefund] = {}
        self.told: set[str] = set()
        self.tries = {BUYER: 0, SELLER: 0}
        self.arrived_in_time: set[str] = set()
        facts = OrderFacts(now=BASE, created_at=BASE, request=REQUEST, lines=first_lines(REQUEST))
        self.rig = Rig(PURE, facts, self, careful=careful)

    # ---- the world ----

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
                at = until - timedelta(seconds=1) if until is not None and early else self.rig.now
                return Arrival(at=at.isoformat())
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
        for warehouse, units in self.setup.warehouses(second_source=effect.second_source):
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
            return NotYet(self._result(effect))
        return self._result(effect, conflict=conflict)

    def _fate(self, whom: str) -> str:
        fates = self.setup.buyer_fates if whom == BUYER else self.setup.seller_fates
        nth = self.tries[whom]
        self.tries[whom] += 1
        return fates[nth] if nth < len(fates) else "succeeds"

    def _result(self, effect: MakeRefund, *, conflict: bool = False) -> RefundResult:
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

    # ---- what happens ----

    @property
    def stages(self) -> tuple[str, ...]:
        return (self.rig.stage,)

    @property
    def rejected(self) -> int:
        return self.rig.rejected

    def happens(self, happening: Happening) -> None:
        match happening.name:
            case "stop":
                self.rig.press_cancel()
            case "refund_word":
                self._word(*happening.variant.split(" ", maxsplit=1))
            case _:
                if happening.variant == IN_TIME:
                    self.arrived_in_time.add(f"h{happening.ident}")
                self.rig.hear(event_of(happening))

    def _word(self, whom: str, word: str) -> None:
        """The last refund that can still change so says that it did."""
        fits = ["silent", "pending", "in doubt"] + (["succeeded"] if word == "failed" else [])
        asked = {one.refund_id for one in self.rig.facts.refunds if one.state == "asked"}
        found = [
            refund_id
            for refund_id, state in self.refunds.items()
            if state in fits
            and whose(self.made[refund_id]) == whom
            and not (state == "in doubt" and refund_id in asked)
        ]
        if not found:
            return
        effect = self.made[max(found, key=ordinal)]
        before = self.refunds[effect.refund_id]
        taken_back = before == "succeeded" or word == TAKEN_BACK
        self.refunds[effect.refund_id] = FAILED_AFTERWARDS if taken_back else word
        by_its_end = before in ("pending", "silent") and not taken_back and self.chance.random() < 0.6
        if not by_its_end:
            self.rig.report(self._result(effect))
        elif not self.rig.is_over and effect.key in self.rig.facts.in_flight:
            self.rig.answer(self.rig.facts.in_flight[effect.key])

    def goes_on(self, chance: random.Random) -> None:
        self.chance = chance
        for _ in range(chance.randint(0, 3)):
            self.rig.settle()
            if self.rig.pending and chance.random() < 0.7:
                self.rig.answer_one(chance.randrange)

    def rests(self, chance: random.Random) -> None:
        self.chance = chance
        self.rig.rest(chance.randrange)
        while any(effect.key in self.troubled for effect in self.rig.pending) and not self.rig.is_over:
            self.rig.rest(chance.randrange)

    def clock(self, amount: int, chance: random.Random) -> None:
        """A partner's trouble is over before time goes on: the model has none, and what comes after it in time."""
        self.rig.clock(timedelta(minutes=amount), chance.randrange, lambda: self.rests(chance))
        self.rests(chance)

    def restart(self) -> None:
        self.rig.restart()

    # ---- what is seen ----

    def seen(self) -> tuple[Any, ...]:
        facts = self.rig.facts
        refunds = sorted(
            (
                BUYER if one.direction is Direction.SELLER_TO_BUYER else SELLER,
                ordinal(one.refund_id),
                int(one.amount * 100),
                STATES.get(one.state, one.state),
            )
            for one in facts.refunds
        )
        line = facts.lines.counts[0]
        return (
            self.rig.stage,
            (line.shipped, line.cancelled + line.voided),
            tuple(sorted((one.state, sum(one.short.values())) for one in facts.purchases)),
            tuple(
                sorted(
                    [(one.shipment_id, one.tracking_number) for one in facts.shipments]
                    + [(one.shipment_id, one.tracking_number) for one in facts.parcels]
                )
            ),
            (facts.ship_to.line1, sum(not one.accepted for one in facts.addresses)),
            int(facts.captured * 100),
            tuple(refunds),
            facts.late_cancel_return is not None,
            self.rejected,
        )

    @staticmethod
    def expected(procedure: OrderProcedure, state: OrderState) -> tuple[Any, ...]:
        return (
            procedure.stage(state),
            (state.shipped, state.dropped),
            tuple(sorted((one.state, one.short) for one in state.purchases)),
            tuple(sorted(state.labels)),
            (ADDRESSES[state.address]["line1"] if state.address else "1 Main St", state.late_addresses),
            state.captured,
            tuple(sorted((one.whose, one.number, one.cents, shown(one)) for one in state.refunds)),
            state.late_return,
            state.rejected,
        )

    def audit(self) -> None:
        facts = self.rig.facts
        assert self.returns <= 1, "two returns of one late cancel"
        sent = any(one.state != "found" for one in facts.purchases)
        assert not (facts.accepted_cancel and sent), "cancelled, and sent to a supplier (CAN-4)"
        if sent:
            assert "captured" in self.charges.values(), "sent without a charge (ORD-3)"
        if facts.outcome in ("shipped", "voided", "cancelled"):
            accepted = [one for one in facts.purchases if self.placed.get(one.order.number) == "accepted"]
            coming = sum(sum(one.deliverable.values()) for one in accepted)
            shipped = sum(line.quantity for parcel in facts.shipments for line in parcel.lines)
            assert coming == shipped, f"suppliers are to ship {coming}, {shipped} have shipped (ORD-19)"
        if self.rig.is_over and facts.outcome in ("cancelled", "voided", "stopped") and facts.is_void:
            assert "authorized" not in self.charges.values(), "an authorization is left behind (CAN-1)"

    @property
    def timeline(self) -> list[str]:
        return self.rig.steps


def shown(refund: Refund) -> str:
    """What may have been sent, and was not answered, is in doubt (REF-11)."""
    return "in doubt" if refund.state == "silent" else refund.state


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
        }
    )


@lru_cache(maxsize=4096)
def event_of(happening: Happening) -> Event:
    """What is sent for a happening."""
    model = contract.ORDER_EVENTS[happening.name]
    common: dict[str, Any] = {"event_id": f"h{happening.ident}", "actor": sender_of(happening.name)}
    match happening.name:
        case "payment_method_updated":
            common["payment_method"] = CARDS[happening.variant]
        case "shipment":
            parcel, units, *other = happening.variant.split(":")
            lines = [{"sku": "A", "quantity": int(units)}]
            number = label_of(parcel, *other)
            common |= {"shipment_id": parcel, "carrier": "UPS", "tracking_number": number, "lines": lines}
        case "shipment_corrected":
            number = label_of(happening.variant, "new")
            common |= {"shipment_id": happening.variant, "carrier": "UPS", "tracking_number": number}
        case "supplier_shortage":
            ordinal, _, units = happening.variant.partition(":")
            common |= {
                "supplier_order_number": supplier_order_number("1001", int(ordinal)),
                "reason": "sold twice",
            }
            if units:
                common["lines"] = [{"sku": "A", "quantity": int(units)}]
        case "address_changed":
            common["address"] = ADDRESSES[happening.variant]
        case "cancel_request" | "hold" | "resume":
            common["reason"] = "changed their mind"
    return model.model_validate(common)


def setup(chance: random.Random) -> OrderSetup:
    warehouses = ("near", "far", "network")
    return OrderSetup(
        auto_release=chance.random() < 0.7,
        refused=chance.random() < 0.03,
        card=chance.choice(("good", "good", "good", "", "declined")),
        stock=chance.choice(tuple(STOCKS)),
        refusing=frozenset(one for one in warehouses if chance.random() < 0.25),
        expires=chance.choice((0, 0, 0, 1)),
        auto_refund=chance.random() < 0.5,
        buyer_fates=tuple(chance.choice(FATES) for _ in range(chance.randint(0, 3))),
        seller_fates=tuple(chance.choice(FATES) for _ in range(chance.randint(0, 3))),
    )


ORDERS = Kind(
    name="order",
    choices={
        **order_procedure.EVENTS,
        "cancel_request": ("", "", IN_TIME),
        "refund_word": WORDS,
        "stop": ("",),
    },
    clock=(*order_procedure.CLOCK, 4400),
    guide=order_procedure.GUIDE,
    setup=setup,
    procedure=OrderProcedure,
    subject=Order,
    check=lambda state, _setup: order_procedure.check(state),
)
