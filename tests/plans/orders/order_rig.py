"""An order in process, and the world in which it lives: database, gateway, suppliers, shop, refunds."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from models.charges import ChargeConnection
from models.contract import ORDER_KIND
from models.event_times import Arrival
from models.marketplace_orders import MarketplaceOrder
from models.message import Event
from models.naming import by_sku
from models.orders import OrderRequest, share_out
from models.parties import Seller
from models.partners import ChargeAnswer, ChargeState, FoundSources, PlacedOrder, Source
from models.payments import PaidBy
from models.records import OpenedOrder, Opening, Saved
from models.refunds import RefundResult, RefundState
from models.special_orders import SpecialOrderChecked
from models.splits import OrderSplit
from tests.plans.divided import divided
from tests.plans.orders.no_connection import NO_CONNECTION
from tests.plans.orders.split_orders import order_split
from tests.plans.rig import NOT_YET, Failed, Given, NotYet, Pure, Rig, Troubled
from tests.senders import sender_of
from workflows.engine.case import Effect, SendMail
from workflows.orders.effects import (
    AnnounceTracking,
    Authorize,
    Capture,
    CheckSpecialOrder,
    ChooseConnection,
    LookAtMarketplace,
    LookForStock,
    LookUpArrival,
    OpenLateCancelReturn,
    Place,
    ReturnOpened,
    SaveCharge,
    SearchStock,
    SplitOff,
    StopShipping,
    TellReturn,
    VoidAuthorization,
    WriteDown,
)
from workflows.orders.events import apply, check, reply
from workflows.orders.facts import OrderFacts
from workflows.orders.lines import first_lines
from workflows.orders.partner_calls import call_of
from workflows.orders.plan import plan
from workflows.orders.splitting import first_cancels
from workflows.refunds.attempts import MakeRefund

BY_STRIPE = ChargeConnection(connection_id="broker-stripe", provider=PaidBy.STRIPE)
PURE = Pure(ORDER_KIND, check, apply, plan)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
ADDRESS = {"name": "Robin", "line1": "1 Main St", "city": "Reno", "postal_code": "89501", "country": "US"}
A_LINE: dict[str, Any] = {"sku": "A", "quantity": 2, "unit_price": "50.00", "unit_cost": "31.50"}


def request(*lines: dict[str, Any], country: str = "US", **fields: Any) -> OrderRequest:
    """An order of these lines; of two units of A, unless said."""
    told = [{"line_id": line.get("sku", "A"), **A_LINE, "title": "Part"} | line for line in lines or ({},)]
    paid = sum((Decimal(line["unit_price"]) * line["quantity"] for line in told), Decimal(0))
    given: dict[str, Any] = {
        "order_id": "1001",
        "seller_id": "acme",
        "buyer": {"email": "robin@buyer.example", "address": ADDRESS | {"country": country}},
        "lines": told,
        "payment": {"paid_by": "stripe", "reference": "pi_b", "amount": f"{paid}", "currency": "USD"},
    }
    return OrderRequest.at_the_door(given | fields)


def seller(**settings: Any) -> Seller:
    given = {"seller_id": "acme", "name": "Acme", "email": "office@acme.example", "payment_method": "pm_1"}
    return Seller.model_validate({**given, "choice_days": 0, **settings})


@dataclass(frozen=True)
class Stock:
    """What one warehouse has of an item; `refuses`: it says no all the same."""

    sku: str
    quantity: int = 100
    warehouse: str = "reno"
    second_source: bool = False
    refuses: bool = False


class Order:
    """One order and its world, as it is told to answer. `held`: kinds of effects that are not answered now."""

    def __init__(
        self,
        order: OrderRequest | None = None,
        *,
        stock: tuple[Stock, ...] = (Stock("A"),),
        careful: bool = True,
        **settings: Any,
    ) -> None:
        self.request = order or request()
        self.seller: Seller | None = seller(**settings)
        self.stock = list(stock)
        self.passed_over: dict[str, dict[str, int]] = {}
        """Units by SKU that are there and can't be taken, by why."""
        self.not_known: dict[str, str] = {}
        """Connections of suppliers that do not answer, and why."""
        self.through: dict[str, str] = {}
        """By which connection warehouses are offered."""
        self.held: set[type[Effect]] = set()
        self.troubled: dict[type[Effect], Troubled] = {}
        self.good_methods = {"pm_1", "pm_2"}
        self.authorizations_age = False
        """A capture finds that the authorization is too old, once."""
        self.capture_says: ChargeAnswer | None = None
        self.authorization_says: ChargeAnswer | None = None
        self.void_finds_captured = False
        self.arrivals: dict[str, datetime | None] = {}
        self.refund_states: list[RefundState | str] = []
        """What becomes of the next refunds; they succeed, unless said. `pending` and `not yet` last;
        `60.00+40.00`: it is made in these parts."""
        self.opening = OpenedOrder(opening=Opening.OPENED, charge_connection=BY_STRIPE)
        self.connections = [BY_STRIPE]
        """The broker's, the newest first; which is asked only where there was none when the order was opened."""
        self.return_exists = False
        self.split_refused: str | None = None
        self.special_order_refused: str | None = None
        """Why the database does not let units wait for stock."""
        self.marketplace = MarketplaceOrder()
        self.split_off: list[OrderRequest] = []
        self.idents = 0
        self.answered: list[Effect] = []
        facts = OrderFacts(
            now=NOON,
            created_at=NOON,
            request=self.request,
            lines=first_lines(self.request),
            cancels=first_cancels(self.request.split_from),
        )
        self.rig = Rig(PURE, facts, self, careful=careful)

    # ---- the world ----

    def answer(self, effect: Effect, facts: OrderFacts) -> Given:
        kind = type(effect)
        if kind in self.troubled:
            return self.troubled.pop(kind)
        if kind in self.held:
            return NOT_YET
        given = self._given(effect, facts)
        if not isinstance(given, Troubled | NotYet):
            self.answered.append(effect)
        return given

    def _given(self, effect: Effect, facts: OrderFacts) -> Given:
        if not isinstance(effect, SendMail | MakeRefund | OpenLateCancelReturn | SaveCharge | TellReturn):
            call_of(facts, effect, "run-1")  # what is asked can be said
        match effect:
            case WriteDown():
                if self.opening.opening is not Opening.OPENED:
                    return self.opening
                shares = share_out(self.request)
                return self.opening.model_copy(update={"seller": self.seller, "shares": shares})
            case ChooseConnection():
                return self.connections[0] if self.connections else NO_CONNECTION
            case Authorize():
                if self.authorization_says is not None:
                    return self.authorization_says
                good = effect.payment_method in self.good_methods
                state = ChargeState.AUTHORIZED if good else ChargeState.DECLINED
                told = {"gateway_reference": "pi_1", "reason": None if good else "insufficient_funds"}
                return ChargeAnswer(charge_id=effect.charge_id, state=state, **told)
            case Capture():
                return self._captured(effect)
            case VoidAuthorization():
                state = ChargeState.CAPTURED if self.void_finds_captured else ChargeState.VOIDED
                return ChargeAnswer(charge_id=effect.charge_id, state=state)
            case SearchStock():
                return self._found(effect.units, facts, second_source=effect.second_source)
            case LookForStock():
                return self._found(effect.units, facts)
            case CheckSpecialOrder():
                return SpecialOrderChecked(reason=self.special_order_refused)
            case Place():
                return self._placed(effect, facts)
            case LookUpArrival():
                at = self.arrivals.get(effect.event_id)
                return Arrival(at=at.isoformat() if at else None)
            case SplitOff():
                if self.split_refused is not None:
                    return OrderSplit(reason=self.split_refused)
                self.split_off.append(order_split(self.request, facts, effect))
                return OrderSplit(request=self.split_off[-1])
            case LookAtMarketplace():
                return self.marketplace
            case AnnounceTracking() | StopShipping():
                return Saved()
            case TellReturn():
                return Failed(f"return-{effect.return_id} has ended") if self.return_exists else None
            case OpenLateCancelReturn():
                if self.return_exists:
                    return Failed("return RR-1001-late-cancel exists already")
                return ReturnOpened(return_id="RR-1001-late-cancel")
            case MakeRefund():
                return self._refunded(effect)
        return None

    def _captured(self, effect: Capture) -> ChargeAnswer:
        if self.capture_says is not None:
            said, self.capture_says = self.capture_says, None
            return said.model_copy(update={"charge_id": effect.charge_id})
        if self.authorizations_age:
            self.authorizations_age = False
            return ChargeAnswer(charge_id=effect.charge_id, state=ChargeState.EXPIRED, reason="too old")
        return ChargeAnswer(charge_id=effect.charge_id, state=ChargeState.CAPTURED, captured=effect.amount)

    def _found(self, units: dict[str, int], facts: OrderFacts, *, second_source: bool = False) -> FoundSources:
        refused = {(one.warehouse_id, one.sku) for one in facts.refused_sources}
        here = [one for one in self.stock if one.second_source is second_source]
        offered = [one for one in here if (one.warehouse, one.sku) not in refused]
        sources, missing = [], {}
        wanted = by_sku(facts.lines.units(units))
        for sku, left in wanted.items():
            for one in offered:
                if one.sku == sku and (count := min(left, one.quantity)):
                    left -= count
                    sources.append(
                        Source(
                            supplier_id=f"sup-{one.warehouse}",
                            warehouse_id=one.warehouse,
                            sku=sku,
                            quantity=count,
                            unit_cost=Decimal("31.50"),
                        )
                    )
            if left:
                missing[sku] = left
        feed = {sku: sum(one.quantity for one in here if one.sku == sku) for sku in wanted}
        return FoundSources(
            sources=tuple(sources),
            missing=missing,
            in_stock=feed,
            passed_over=self.passed_over,
            through=self.through,
            not_known=self.not_known,
        )

    def _placed(self, effect: Place, facts: OrderFacts) -> PlacedOrder:
        order = facts.purchase_of(effect.number).order
        refuses = {(one.warehouse, one.sku) for one in self.stock if one.refuses}
        if any((order.warehouse_id, line.sku) in refuses for line in order.lines):
            return PlacedOrder(state="refused", reason="out_of_stock")
        return PlacedOrder(state="accepted", supplier_reference=f"S-{effect.number}")

    def _refunded(self, effect: MakeRefund) -> Given:
        said = self.refund_states[0] if self.refund_states else RefundState.SUCCEEDED
        if said == "not yet":
            return NOT_YET
        if said == "to confirm":
            return NotYet(self.result_of(effect, RefundState.RESERVED, to_confirm=True))
        if said in ("pending", "no answer"):
            return NotYet(self.result_of(effect, RefundState.PENDING, unknown=said == "no answer"))
        self.refund_states = self.refund_states[1:]
        if "+" in said:
            return divided(effect, said)
        if said == "in doubt":
            return self.result_of(effect, RefundState.REFUSED, unknown=True)
        if said == "id taken":
            return self.result_of(effect, RefundState.REFUSED, conflict=True)
        return self.result_of(effect, RefundState(said))

    def result_of(self, effect: MakeRefund, state: RefundState, **more: Any) -> RefundResult:
        amount = effect.amount if effect.amount is not None else self.request.paid
        return RefundResult(
            refund_id=effect.refund_id,
            state=state,
            amount=amount,
            currency=effect.currency,
            reason=f"as it is: {state}",
            direction=effect.direction,
            **more,
        )

    # ---- what happens ----

    def event(self, name: str, **fields: Any) -> Event:
        self.idents += 1
        given = {"event_id": f"e{self.idents}", "actor": sender_of(name)}
        if name == "cancel_request":
            given |= {"actor": "buyer:robin", "reason": "changed their mind"}
        return ORDER_KIND.events[name].at_the_door(given | fields)

    def says(self, name: str, **fields: Any) -> bool:
        """An event comes, alone in its task, and nobody answers yet; whether it could be used."""
        heard = self.hears(name, **fields)
        self.rig.settle()
        return heard

    def hears(self, name: str, **fields: Any) -> bool:
        """An event comes, in one task with what follows."""
        return self.rig.hear(self.event(name, **fields))

    def happens(self, name: str, **fields: Any) -> bool:
        """An event comes, and all that follows is answered."""
        heard = self.hears(name, **fields)
        self.rest()
        return heard

    def ships(self, ident: str, **units: int) -> bool:
        lines = [{"sku": sku, "quantity": count} for sku, count in units.items()]
        parcel = {"shipment_id": ident, "carrier": "UPS", "tracking_number": f"1Z{ident}", "lines": lines}
        return self.happens("shipment", **parcel)

    def rest(self) -> "Order":
        self.rig.rest()
        return self

    def passes(self, **time: float) -> "Order":
        self.rig.clock(timedelta(**time))
        return self

    def time_jumps(self, **time: float) -> "Order":
        """Time passes while no worker looks: what was due is seen with the next task."""
        self.rig.now += timedelta(**time)
        return self

    def stops(self) -> "Order":
        """Staff press Cancel in the Temporal UI."""
        self.rig.press_cancel()
        return self

    # ---- stages ----

    def in_its_window(self) -> "Order":
        self.rest()
        assert self.stage == "cancel_window", self.stage
        return self

    def placed(self) -> "Order":
        self.rest().passes(minutes=31)
        assert self.stage == "awaiting_shipment", self.stage
        return self

    # ---- what is seen ----

    @property
    def facts(self) -> OrderFacts:
        return self.rig.facts

    @property
    def stage(self) -> str:
        return self.rig.stage

    @property
    def outcome(self) -> str | None:
        return self.facts.outcome

    @property
    def steps(self) -> list[str]:
        return self.rig.steps

    @property
    def begun(self) -> list[str]:
        """The keys of all effects but mails and lines of the timeline, in their order."""
        return [one.key for one in self.rig.begun if not one.key.startswith(("mail:", "note:"))]

    @property
    def mails(self) -> list[str]:
        """`template to whom`, in their order."""
        return [f"{one.template} to {one.to.value}" for one in self.rig.mails()]

    def mail(self, key: str) -> dict[str, str]:
        """What the e-mail with this key says."""
        return next(one.facts for one in self.rig.mails() if one.key == f"mail:{key}")

    def items(self, key: str) -> dict[str, int]:
        """Units by SKU of which the e-mail with this key speaks."""
        found = (one.lines for one in self.rig.mails() if one.key == f"mail:{key}")
        return {line.sku: line.quantity for line in next(found)}

    @property
    def money(self) -> tuple[Decimal, Decimal]:
        """What was collected from the seller, and what of it was asked for to go back."""
        return self.facts.captured, self.facts.seller_refunds_asked

    def reply(self, ident: str) -> tuple[bool, str] | None:
        """What the sender of a cancel request, or of a choice, was told."""
        cancels, choices = self.facts.cancels, self.facts.choices
        events: list[Event] = [*(one.event for one in cancels), *(one.event for one in choices)]
        said = reply(self.facts, next(one for one in events if one.event_id == ident))
        return (said.accepted, said.message) if said else None

    @property
    def was_sent(self) -> bool:
        return any(isinstance(one, Place) for one in self.rig.begun)
