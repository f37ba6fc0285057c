"""An order of several lines in process: its database, gateway and suppliers, and what the model expects of it."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from models import contract
from models.event_times import Arrival
from models.ids import supplier_order_number
from models.message import Event
from models.naming import by_sku
from models.orders import OrderRequest, share_out
from models.parties import Seller
from models.partners import ChargeAnswer, ChargeState, FoundSources, PlacedOrder, Source
from models.records import OpenedOrder, Opening, Saved
from models.refunds import RefundResult, RefundState
from tests.model import order_lines_procedure
from tests.model.order_lines_procedure import LinesProcedure, LinesState
from tests.model.procedure import Happening
from tests.model.sold_lines import COMPONENTS, SOLD, TARGETS
from tests.plans.against_model import Kind
from tests.plans.one_case import OneCase
from tests.plans.orders.order_rig import BY_STRIPE
from tests.plans.rig import Given, Pure, Rig
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
from workflows.orders.facts import OrderFacts
from workflows.orders.lines import first_lines
from workflows.orders.plan import plan
from workflows.refunds.attempts import MakeRefund

BASE = datetime(2026, 3, 1, tzinfo=UTC)
PURE = Pure(contract.ORDER_KIND, check, apply, plan)
ADDRESS = {"name": "Robin", "line1": "1 Main St", "city": "Reno", "postal_code": "89501", "country": "US"}


def _line(line_id: str, sku: str, quantity: int, price: str, cost: str) -> dict[str, Any]:
    line: dict[str, Any] = {"line_id": line_id, "sku": sku, "title": sku, "quantity": quantity}
    line |= {"unit_price": price, "unit_cost": cost}
    if sku == "KIT":
        parts = [{"sku": sku, "title": sku, "quantity": each, "unit_cost": cost} for sku, each, cost in COMPONENTS]
        line["components"] = parts
    return line


REQUEST = OrderRequest.model_validate(
    {
        "order_id": "1001",
        "seller_id": "acme",
        "buyer": {"email": "robin@buyer.example", "address": ADDRESS},
        "lines": [_line(*sold) for sold in SOLD],
        "payment": {"paid_by": "stripe", "reference": "pi_b", "amount": "200.04", "currency": "USD"},
    }
)
SHARES = share_out(REQUEST)
SELLER = Seller.model_validate(
    {
        "seller_id": "acme",
        "name": "Acme",
        "email": "office@acme.example",
        "auto_release": True,
        "payment_method": "pm_card_visa",
        "choice_days": 0,
    }
)


class OrderOfLines(OneCase):
    """One order, and a world that takes all it is sent; it begins in its cancel window."""

    unit = timedelta(minutes=1)
    most_answers = 3

    def __init__(self, setup: object, careful: bool) -> None:
        self.placed: set[str] = set()
        self.refunds: dict[str, MakeRefund] = {}
        facts = OrderFacts(now=BASE, created_at=BASE, request=REQUEST, lines=first_lines(REQUEST))
        self.rig = Rig(PURE, facts, self, careful=careful)
        self.rig.rest()

    # ---- the world ----

    def answer(self, effect: Effect, facts: OrderFacts) -> Given:
        match effect:
            case WriteDown():
                return OpenedOrder(
                    opening=Opening.OPENED, seller=SELLER, shares=SHARES, charge_connection=BY_STRIPE
                )
            case Authorize() | Capture() | VoidAuthorization():
                state = {"authorize": "authorized", "capture": "captured"}.get(effect.kind, "voided")
                captured = effect.amount if isinstance(effect, Capture) else None
                return ChargeAnswer(charge_id=effect.charge_id, state=ChargeState(state), captured=captured)
            case SearchStock():
                return _found(effect, facts)
            case Place():
                assert effect.number not in self.placed, f"order {effect.number} is placed twice"
                self.placed.add(effect.number)
                return PlacedOrder.model_validate({"state": "accepted"})
            case LookUpArrival():
                return Arrival(at=self.rig.now.isoformat())
            case AnnounceTracking() | StopShipping() | SaveCharge():
                return Saved()
            case OpenLateCancelReturn():
                return ReturnOpened(return_id="RR-1001-late-cancel")
            case MakeRefund():
                assert effect.refund_id not in self.refunds, f"{effect.refund_id} is made twice (REF-6)"
                self.refunds[effect.refund_id] = effect
                assert effect.amount is not None, "an order says how much of its cost comes back"
                return RefundResult(
                    refund_id=effect.refund_id,
                    state=RefundState.SUCCEEDED,
                    amount=effect.amount,
                    currency=effect.currency,
                    direction=effect.direction,
                )
            case SendMail():
                return None
        raise AssertionError(f"an order of lines did {effect.key}")

    # ---- what happens ----

    def happens(self, happening: Happening) -> None:
        self.rig.hear(event_of(happening))

    # ---- what is seen ----

    def seen(self) -> tuple[Any, ...]:
        facts = self.rig.facts
        counts = facts.lines.counts
        return (
            self.rig.stage,
            tuple(one.shipped for one in counts),
            tuple(one.cancelled + one.voided for one in counts),
            int(sum(one.amount for one in facts.refunds) * 100),
            facts.late_cancel_return is not None,
            self.rejected,
        )

    @staticmethod
    def expected(procedure: LinesProcedure, state: LinesState) -> tuple[Any, ...]:
        late = state.late and state.outcome == "shipped"
        return procedure.stage(state), state.shipped, state.dropped, sum(state.asked), late, state.rejected

    def audit(self) -> None:
        facts = self.rig.facts
        shipped = {one.line_id: 0 for one in facts.lines.counts}
        for line in (line for shipment in facts.shipments for line in shipment.lines):
            shipped[line.line_id] += line.quantity
        assert shipped == {one.line_id: one.shipped for one in facts.lines.counts}, "a unit has two fates (ORD-11)"


def _found(effect: SearchStock, facts: OrderFacts) -> FoundSources:
    """One warehouse has all items, but for those that it could not deliver; the network has none."""
    wanted = by_sku(facts.lines.units(effect.units))
    refused = {one.sku for one in facts.refused_sources}
    there = {} if effect.second_source else {sku: count for sku, count in wanted.items() if sku not in refused}
    place = {"supplier_id": "reno", "warehouse_id": "near", "unit_cost": "1.00"}
    sources = [Source.model_validate(place | {"sku": sku, "quantity": count}) for sku, count in there.items()]
    missing = {sku: count for sku, count in wanted.items() if sku not in there}
    return FoundSources(sources=tuple(sources), missing=missing, in_stock=dict.fromkeys(wanted, 0))


@lru_cache(maxsize=4096)
def event_of(happening: Happening) -> Event:
    """What is sent for a happening."""
    name, variant = happening.name, happening.variant
    common: dict[str, Any] = {"event_id": f"h{happening.ident}", "actor": sender_of(name)}
    match name:
        case "shipment":
            parcel = {"shipment_id": f"s{happening.ident}", "carrier": "UPS", "tracking_number": "1Z"}
            item, count, *by = variant.split(":")
            actor = "supplier:dock" if by else "carrier:ups"
            common |= {"actor": actor, "lines": [_named(item, count)], **parcel}
        case "supplier_shortage":
            common |= {"supplier_order_number": supplier_order_number("1001", 1), "reason": "sold twice"}
            if variant:
                common["lines"] = [_named(*variant.split(":"))]
        case _:
            common["reason"] = "changed their mind"
    return contract.ORDER_EVENTS[name].model_validate(common)


def _named(item: str, count: str) -> dict[str, Any]:
    return {"line_id" if item in TARGETS else "sku": item, "quantity": int(count)}


ORDERS_OF_LINES = Kind(
    name="order of lines",
    choices=order_lines_procedure.EVENTS,
    clock=order_lines_procedure.CLOCK,
    guide=order_lines_procedure.GUIDE,
    setup=lambda chance: None,
    procedure=LinesProcedure,
    subject=OrderOfLines,
    check=lambda state, _setup: order_lines_procedure.check(state),
)
