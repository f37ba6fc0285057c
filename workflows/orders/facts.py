"""All that an order knows, and what follows from it (ORD, CAN)."""

from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Self

from pydantic import Field

from models.buyers import Address
from models.charges import ChargeConnection
from models.gateway_limits import movable
from models.ids import order_workflow_id
from models.naming import by_line
from models.orders import Hold, OrderRequest, ShipmentFact
from models.parties import Seller, SmallCharges
from models.partners import ChargeState, RefusedSource
from models.payments import PaidBy
from models.records import Cessation, Opening
from workflows.engine.case import CaseFacts, Effect
from workflows.orders import lines as order_lines
from workflows.orders.charges import ChargeAttempt, is_too_small
from workflows.orders.effects import Authorize, Capture, OrderEffect, SearchStock, WriteDown
from workflows.orders.lines import Lines
from workflows.orders.records import AddressAsked, CancelAsked, Parcel, Purchase, StockSearch
from workflows.refunds.attempts import BUYER, SELLER, MakeRefund, RefundAttempt, attempt_of


class OrderFacts(CaseFacts):
    """The facts of one order; where it stands, and what may still be done, are properties."""

    in_flight: dict[str, OrderEffect] = Field(default_factory=dict)
    request: OrderRequest
    opening: Opening | None = None
    opened_at: datetime | None = None
    refusal: str | None = None
    seller_settings: Seller | None = None
    """The seller and its settings, as they were when the order was written down."""
    charge_connection: ChargeConnection | None = None
    """By which the broker charges the seller: known before the gateway is asked, and never another one."""
    lines: Lines
    released_at: datetime | None = None
    """From here on the broker has it, and its clocks run (ORD-2, ORD-4)."""
    payment_method: str | None = None
    """Token of the seller's card or PayPal that is charged next."""
    methods_given: int = 0
    charges: tuple[ChargeAttempt, ...] = ()
    collected_otherwise: bool = False
    """The broker said so of a charge that is too small for the gateway (REF-14)."""
    corrected_address: Address | None = None
    addresses: tuple[AddressAsked, ...] = ()
    """Corrections of the address that were asked for, with what was decided (ORD-18)."""
    hold: Hold | None = None
    held_at: datetime | None = None
    cancels: tuple[CancelAsked, ...] = ()
    searches: tuple[StockSearch, ...] = ()
    purchases: tuple[Purchase, ...] = ()
    handed_off_at: datetime | None = None
    """When the first supplier accepted (ORD-4)."""
    handed_off_late_at: datetime | None = None
    """When the limit passed without it."""
    last_supplier: str | None = None
    """The one that accepted last."""
    parcels: tuple[Parcel, ...] = ()
    """Shipments that wait for their turn."""
    shipments: tuple[ShipmentFact, ...] = ()
    """Those that the shop is told of."""
    cessations: tuple[Cessation, ...] = ()
    refunds: tuple[RefundAttempt, ...] = ()
    late_cancel_return: str | None = None

    # ---- what it is about ----

    @property
    def case_id(self) -> str:
        return order_workflow_id(self.request.order_id)

    @property
    def order_id(self) -> str:
        return self.request.order_id

    @property
    def seller_id(self) -> str:
        return self.request.seller_id

    @property
    def ship_to(self) -> Address:
        """The buyer's address, as it was corrected last (ORD-18)."""
        return self.corrected_address or self.request.buyer.address

    @property
    def is_open(self) -> bool:
        """It is written down."""
        return self.opening is Opening.OPENED

    @property
    def opening_is_in_trouble(self) -> bool:
        """The database does not take it; or staff stopped it meanwhile."""
        key = WriteDown().key
        return self.opening is None and key in self.done and (key in self.trouble or key not in self.in_flight)

    @property
    def seller(self) -> Seller:
        assert self.seller_settings is not None, "the order is written down"
        return self.seller_settings

    @property
    def currency(self) -> str:
        """Of the broker's charge."""
        return self.request.charge_currency

    def is_slow(self, effect: Effect) -> bool:
        """A refund that is pending takes days (REF-7)."""
        if isinstance(effect, MakeRefund) and (attempt := attempt_of(self.refunds, effect.refund_id)):
            return attempt.state != "asked" or super().is_slow(effect)
        return super().is_slow(effect)

    # ---- release and clocks (ORD-2, ORD-4, ORD-10) ----

    @property
    def is_domestic(self) -> bool:
        """The buyer is in a country of automatic fulfilment."""
        return self.ship_to.country in self.seller.automatic_countries

    @property
    def cancel_until(self) -> datetime | None:
        if self.released_at is None or self.seller_settings is None:
            return None
        return self.released_at + self.seller.cancel_window

    @property
    def window_is_closed(self) -> bool:
        return self.cancel_until is not None and self.now >= self.cancel_until

    @property
    def handoff_due(self) -> datetime | None:
        if self.released_at is None or self.seller_settings is None:
            return None
        return self.released_at + self.seller.handoff_limit

    # ---- the seller's charge (ORD-3) ----

    @property
    def charge_gateway(self) -> PaidBy | None:
        """Which gateway charges the seller; none: it is not known yet."""
        return None if self.charge_connection is None else self.charge_connection.provider

    @property
    def charge(self) -> ChargeAttempt | None:
        """The charge that holds money now."""
        return next((one for one in reversed(self.charges) if one.holds_money), None)

    @property
    def captured(self) -> Decimal:
        return sum((one.captured for one in self.charges if one.state is ChargeState.CAPTURED), Decimal(0))

    @cached_property
    def cost_due(self) -> Decimal:
        """What the seller owes, as the gateway can move it (REF-14); units that came to nothing are not owed."""
        return movable(self.lines.cost_due, self.charge_gateway, self.currency)

    @cached_property
    def has_small_charge(self) -> bool:
        """What is owed is less than the gateway takes (REF-14)."""
        if self.cost_due <= 0 or self.captured:
            return False
        return is_too_small(self.cost_due, self.currency, self.charge_gateway, self.charges)

    @property
    def awaits_small_charge(self) -> bool:
        """Somebody must collect it otherwise, by the seller's setting."""
        waits = self.has_small_charge and self.seller.small_charges is SmallCharges.WAIT
        return waits and not self.collected_otherwise

    @property
    def charge_due(self) -> Decimal:
        """What is charged: nothing where a small charge is given up, or was collected otherwise."""
        if self.has_small_charge and not self.awaits_small_charge:
            return Decimal(0)
        return self.cost_due

    @property
    def needs_charge(self) -> bool:
        return self.charge_due > 0 and self.charge is None

    @property
    def needs_connection(self) -> bool:
        """There is something to charge, and there was no connection to do it by when the order was opened."""
        return self.charge_connection is None and self.needs_charge

    @property
    def has_new_method(self) -> bool:
        """A payment method that was not tried yet; or a good one, whose authorization grew too old."""
        if self.payment_method is None:
            return False
        last = self.charges[-1] if self.charges else None
        return last is None or last.method_number != self.methods_given or last.state is ChargeState.EXPIRED

    @property
    def awaits_payment(self) -> bool:
        if self.released_at is None or not self.is_open or self.is_in_flight(Authorize):
            return False
        if self.needs_connection:
            return False
        return self.needs_charge and (self.awaits_small_charge or not self.has_new_method)

    # ---- cancellation (CAN) ----

    @property
    def accepted_cancel(self) -> CancelAsked | None:
        return next((one for one in self.cancels if one.decision == "accepted"), None)

    @property
    def undecided_cancel(self) -> CancelAsked | None:
        """The first one that is not decided; one is decided after the other."""
        return next((one for one in self.cancels if one.decision is None), None)

    @property
    def splitting(self) -> CancelAsked | None:
        """The one whose units are moving to an order of their own; nothing else is decided meanwhile (CAN-10)."""
        return next((one for one in self.cancels if one.split is not None and one.decision is None), None)

    @property
    def open_units(self) -> dict[str, int]:
        """Units by `line_id` that are open and not moving to an order of their own."""
        moving = self.splitting.units if self.splitting is not None else {}
        left = {line_id: count - moving.get(line_id, 0) for line_id, count in self.lines.open.items()}
        return {line_id: count for line_id, count in left.items() if count > 0}

    @property
    def late_cancels(self) -> list[CancelAsked]:
        return [one for one in self.cancels if one.decision == "too_late"]

    @property
    def is_given_up(self) -> bool:
        """Nothing more is bought: it is cancelled, or staff stopped it."""
        return self.stopped_at is not None or self.accepted_cancel is not None

    @property
    def is_on_hold(self) -> bool:
        """A person must release it before it goes on; what was asked before the hold is answered first."""
        if self.hold is None or self.is_with_supplier or self.is_given_up or not self.lines.has_open:
            return False
        if not self.window_is_closed or self.needs_charge:
            return False
        return not self.is_in_flight(Authorize, SearchStock, Capture)

    @property
    def awaits_people(self) -> bool:
        """Nothing is on its way, a person is waited for: a cancel is never too late."""
        return self.released_at is None or self.awaits_payment or self.is_on_hold or self.needs_connection

    # ---- purchase orders (ORD-5, ORD-6) ----

    @property
    def is_with_supplier(self) -> bool:
        """The first purchase order is on its way: it is too late to cancel (CAN-2, CAN-4)."""
        return any(one.state != "found" for one in self.purchases)

    @property
    def unsourced(self) -> dict[str, int]:
        """Open units that no warehouse is to ship yet, by `line_id`."""
        bought: dict[str, int] = {}
        for purchase in self.purchases:
            if purchase.state != "refused":
                for line_id, count in purchase.deliverable.items():
                    bought[line_id] = bought.get(line_id, 0) + count
        left = {
            one.line_id: one.open + one.shipped - bought.get(one.line_id, 0)
            for one in self.lines.counts
            if one.open
        }
        return {line_id: count for line_id, count in left.items() if count > 0}

    @property
    def refused_sources(self) -> tuple[RefusedSource, ...]:
        """They are not chosen again."""
        return tuple(
            RefusedSource(supplier_id=one.order.supplier_id, warehouse_id=one.order.warehouse_id, sku=line.sku)
            for one in self.purchases
            for line in one.order.lines
            if one.state == "refused" or line.line_id in one.short
        )

    @property
    def open_purchases(self) -> list[Purchase]:
        """Those whose supplier has still to answer, or to be asked."""
        return [one for one in self.purchases if one.is_open]

    @property
    def lacks_second_source(self) -> bool:
        """What was searched for last is not in stock everywhere; the whole network was not asked yet (ORD-6)."""
        if not self.searches or self.looks_again is not None:
            return False
        return not self.searches[-1].second_source and bool(self.searches[-1].missing)

    @property
    def looks_again(self) -> StockSearch | None:
        """The last search, if what it did not find is looked for in the same way again."""
        last = self.searches[-1] if self.searches else None
        return last if last is not None and last.look_again_at is not None else None

    def purchase_of(self, number: str) -> Purchase:
        return next(one for one in self.purchases if one.order.number == number)

    # ---- shipments (ORD-11) ----

    @property
    def is_bought(self) -> bool:
        """Every open unit is with a supplier that accepted it."""
        return self.is_with_supplier and not self.open_purchases and not self.unsourced

    @property
    def can_ship(self) -> dict[str, int]:
        """Units that may ship now, by `line_id`: all that are open once all is bought; before that, those that a
        supplier accepted."""
        if not self.is_with_supplier:
            return {}
        if self.is_bought:
            return self.lines.open
        accepted: dict[str, int] = {}
        for purchase in self.purchases:
            if purchase.state == "accepted":
                for line_id, count in purchase.deliverable.items():
                    accepted[line_id] = accepted.get(line_id, 0) + count
        return {
            one.line_id: accepted[one.line_id] - one.shipped
            for one in self.lines.counts
            if one.line_id in accepted
        }

    # ---- money back ----

    @property
    def is_void(self) -> bool:
        """Nothing of it is left: all units are cancelled or voided."""
        return self.is_open and not self.lines.has_open and not self.lines.has_shipped

    @property
    def seller_refunds(self) -> list[RefundAttempt]:
        """Those of the seller, but for ids that belong to other requests."""
        return [one for one in self.refunds if one.direction is SELLER and not one.renumbered]

    @property
    def seller_refunds_asked(self) -> Decimal:
        return sum((one.amount for one in self.seller_refunds), Decimal(0))

    @property
    def seller_refund_due(self) -> Decimal:
        """What was collected for units that came to nothing, and was not asked for yet."""
        return max(self.captured - self.cost_due - self.seller_refunds_asked, Decimal(0))

    @property
    def unsaved_charge(self) -> ChargeAttempt | None:
        """What was captured, and the database does not have yet."""
        return next(
            (
                one
                for one in self.charges
                if one.state is ChargeState.CAPTURED
                and one.captured_step > self.steps_saved
                and not self.is_answered(one.save_key)
            ),
            None,
        )

    @property
    def buyer_refund(self) -> RefundAttempt | None:
        """The automatic one (CAN-6)."""
        return next((one for one in self.refunds if one.direction is BUYER and not one.renumbered), None)

    @property
    def buyer_refund_is_due(self) -> bool:
        """The seller's setting refunds the buyer of an order that was cancelled, if it paid anything (ORD-15)."""
        automatic = self.accepted_cancel is not None and self.seller.auto_refund_buyer
        return automatic and self.request.paid > 0

    # ---- units that come to nothing (CAN-12) ----

    def with_cessation(self, cessation: Cessation) -> Self:
        lines = order_lines.drop(self.lines, cessation.kind, by_line(cessation.lines))
        return self.with_(lines=lines, cessations=(*self.cessations, cessation))


def first_lines(request: OrderRequest) -> Lines:
    """The lines with which an order begins."""
    return order_lines.lines_of(request.items, request.charge_currency)
