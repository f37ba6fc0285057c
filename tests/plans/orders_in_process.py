"""An order in process, and what the model expects to see of it."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from models import contract
from models.refunds import Direction
from tests.model import order_happenings, order_state
from tests.model.order_happenings import ADDRESSES, FATES, IN_TIME, TAKEN_BACK, WORDS
from tests.model.order_procedure import OrderProcedure
from tests.model.order_state import BUYER, SELLER, STOCKS, OrderSetup, OrderState, Refund
from tests.model.procedure import Happening
from tests.plans.against_model import Kind
from tests.plans.one_case import OneCase
from tests.plans.order_messages import event_of
from tests.plans.order_world import FAILED_AFTERWARDS, REQUEST, OrderWorld, ordinal
from tests.plans.rig import Pure, Rig
from workflows.orders.events import apply, check
from workflows.orders.facts import OrderFacts
from workflows.orders.lines import first_lines
from workflows.orders.plan import plan

BASE = datetime(2026, 3, 1, tzinfo=UTC)
PURE = Pure(contract.ORDER_KIND, check, apply, plan)
STATES = {"in_doubt": "in doubt", "failed_afterwards": FAILED_AFTERWARDS}
"""The plan's words for the state of a refund that are not the model's."""


class Order(OneCase):
    """One order of two units, and its world."""

    unit = timedelta(minutes=1)
    most_answers = 3

    def __init__(self, setup: OrderSetup, careful: bool) -> None:
        self.world = OrderWorld(setup)
        facts = OrderFacts(now=BASE, created_at=BASE, request=REQUEST, lines=first_lines(REQUEST))
        self.rig = Rig(PURE, facts, self.world, careful=careful)

    # ---- what happens ----

    def happens(self, happening: Happening) -> None:
        match happening.name:
            case "stop":
                self.rig.press_cancel()
            case "refund_word":
                self._word(*happening.variant.split(" ", maxsplit=1))
            case _:
                if happening.variant == IN_TIME:
                    self.world.arrived_in_time.add(f"h{happening.ident}")
                self.rig.hear(event_of(happening))

    def _word(self, whom: str, word: str) -> None:
        """The last refund that can still change so says that it did."""
        asked = {one.refund_id for one in self.rig.facts.refunds if one.state == "asked"}
        effect = self.world.last_to_change(whom, word, asked)
        if effect is None:
            return
        before = self.world.refunds[effect.refund_id]
        taken_back = before == "succeeded" or word == TAKEN_BACK
        self.world.refunds[effect.refund_id] = FAILED_AFTERWARDS if taken_back else word
        by_its_end = before in ("pending", "silent") and not taken_back and self.world.chance.random() < 0.6
        if not by_its_end:
            self.rig.report(self.world.result(effect))
        elif not self.rig.is_over and effect.key in self.rig.facts.in_flight:
            self.rig.answer(self.rig.facts.in_flight[effect.key])

    def goes_on(self, chance: random.Random) -> None:
        self.world.chance = chance
        super().goes_on(chance)

    def rests(self, chance: random.Random) -> None:
        self.world.chance = chance
        self.rig.rest(chance.randrange)
        while any(effect.key in self.world.troubled for effect in self.rig.pending) and not self.rig.is_over:
            self.rig.rest(chance.randrange)

    def clock(self, amount: int, chance: random.Random) -> None:
        """A partner's trouble is over before time goes on: the model has none, and what comes after it in time."""
        self.rig.clock(amount * self.unit, chance.randrange, lambda: self.rests(chance))
        self.rests(chance)

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
            (sum(facts.waiting.values()), line.voided, facts.special.round if facts.special else 0),
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
            (state.waiting, state.voided, state.round),
            (ADDRESSES[state.address]["line1"] if state.address else "1 Main St", state.late_addresses),
            state.captured,
            tuple(sorted((one.whose, one.number, one.cents, shown(one)) for one in state.refunds)),
            state.late_return,
            state.rejected,
        )

    def audit(self) -> None:
        facts = self.rig.facts
        assert self.world.returns <= 1, "two returns of one late cancel"
        sent = any(one.state != "found" for one in facts.purchases)
        with_supplier = [one for one in facts.purchases if one.state in ("sent", "accepted")]
        units = sum(sum(one.deliverable.values()) for one in with_supplier)
        gone = facts.lines.counts[0].shipped
        assert not (facts.accepted_cancel and units > gone), "cancelled, and sent to a supplier (CAN-4)"
        if sent:
            assert "captured" in self.world.charges.values(), "sent without a charge (ORD-3)"
        if facts.outcome in ("shipped", "voided", "cancelled"):
            accepted = [one for one in facts.purchases if self.world.placed.get(one.order.number) == "accepted"]
            coming = sum(sum(one.deliverable.values()) for one in accepted)
            shipped = sum(line.quantity for parcel in facts.shipments for line in parcel.lines)
            assert coming == shipped, f"suppliers are to ship {coming}, {shipped} have shipped (ORD-19)"
        if self.rig.is_over and facts.outcome in ("cancelled", "voided", "stopped") and facts.is_void:
            assert "authorized" not in self.world.charges.values(), "an authorization is left behind (CAN-1)"


def shown(refund: Refund) -> str:
    """What may have been sent, and was not answered, is in doubt (REF-11)."""
    return "in doubt" if refund.state == "silent" else refund.state


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
        chooses=chance.random() < 0.6,
        claimed=chance.random() < 0.15,
        restocked=chance.choice((0, 1, 2, 2)),
        buyer_fates=tuple(chance.choice(FATES) for _ in range(chance.randint(0, 3))),
        seller_fates=tuple(chance.choice(FATES) for _ in range(chance.randint(0, 3))),
    )


ORDERS = Kind(
    name="order",
    choices={
        **order_happenings.EVENTS,
        "cancel_request": ("", "", IN_TIME),
        "refund_word": WORDS,
        "stop": ("",),
    },
    clock=(*order_happenings.CLOCK, 4400),
    guide=order_happenings.GUIDE,
    setup=setup,
    procedure=OrderProcedure,
    subject=Order,
    check=lambda state, _setup: order_state.check(state),
)
