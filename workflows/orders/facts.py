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
from workflows.orders import purchases as bought
from workflows.orders.charges import ChargeAttempt, is_too_small
from workflows.orders.effects import Authorize, Capture, OrderEffect, SearchStock, WriteDown
from workflows.orders.lines import Lines
from workflows.orders.records import (
    AddressAsked,
    BuyerAsked,
    CancelAsked,
    ChoiceMade,
    Parcel,
    Purchase,
    SpecialOrder,
    StockSearch,
)
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
    settled_otherwise: Decimal = Decimal(0)
    """Of charges that are too small for the gateway (REF-14): given up, or collected otherwise. Never charged."""
    corrected_address: Address | None = None
    addresses: tuple[AddressAsked, ...] = ()
    """Corrections of the address that were asked for, with what was decided (ORD-18)."""
    hold: Hold | None = None
    held_at: datetime | None = None
    buyer_asked: BuyerAsked | None = None
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
    choices: tuple[ChoiceMade, ...] = ()
    special: SpecialOrder | None = None
    stock_told: dict[str, int] = Field(default_factory=dict)
    """Units, by `line_id`, that were said to be there before the seller has chosen (ORD-8)."""
    refunds: tuple[RefundAttempt, ...] = ()
    refunds_to_begin: tuple[MakeRefund, ...] = ()
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
        """What the seller owes, as the gateway can move it (REF-14): not for units that are gone, or wait."""
        lines = order_lines.drop(self.lines, "voided", self.waiting) if self.waiting else self.lines
        return movable(lines.cost_due, self.charge_gateway, self.currency)

    @property
    def kept(self) -> Decimal:
        """What was collected, and did not go back."""
        back = (one.amount for one in self.seller_refunds if one.may_have_moved_money)
        return self.captured - sum(back, Decimal(0))

    @property
    def uncollected(self) -> Decimal:
        """What is still to be collected. A special order is charged for what went back, or never came (ORD-8)."""
        if self.captured and self.special is None:
            return Decimal(0)
        return max(self.cost_due - self.kept - self.settled_otherwise, Decimal(0))

    @cached_property
    def has_small_charge(self) -> bool:
        """What is owed is less than the gateway takes (REF-14)."""
        due = self.uncollected
        return due > 0 and is_too_small(due, self.currency, self.charge_gateway, self.charges)

    @property
    def awaits_small_charge(self) -> bool:
        """Somebody must collect it otherwise, by the seller's setting."""
        return self.has_small_charge and self.seller.small_charges is SmallCharges.WAIT

    @property
    def charge_due(self) -> Decimal:
        """What is charged: nothing where a small charge is given up."""
        if self.has_small_charge and not self.awaits_small_charge:
            return Decimal(0)
        return self.uncollected

    @property
    def needs_charge(self) -> bool:
        return self.charge_due > 0 and not any(one.state is ChargeState.AUTHORIZED for one in self.charges)

    @property
    def needs_connection(self) -> bool:
        """There is something to charge, and there was no connection to do it by when the order was opened."""
        return self.charge_connection is None and self.needs_charge

    @property
    def has_new_method(self) -> bool:
        """One that was not tried yet; or a good one, whose authorization grew too old or whose money went back."""
        if self.payment_method is None:
            return False
        last = self.charges[-1] if self.charges else None
        return last is None or last.method_number != self.methods_given or last.was_good

    @property
    def awaits_payment(self) -> bool:
        if self.released_at is None or not self.is_open or self.needs_connection or self.is_in_flight(Authorize):
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
        return bought.less(self.lines.open, self.splitting.units if self.splitting is not None else {})

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

    # ---- a special order (ORD-8) ----

    @property
    def waiting(self) -> dict[str, int]:
        """Open units, by `line_id`, that wait for stock."""
        return bought.waiting(self.lines, self.special) if self.special is not None else {}

    @property
    def wanted_now(self) -> dict[str, int]:
        """Open units, by `line_id`, that don't wait for stock."""
        return bought.less(self.lines.open, self.waiting)

    @property
    def waits_for_stock(self) -> bool:
        """All that is open does."""
        return bool(self.waiting) and not self.wanted_now

    @property
    def only_special_order_left(self) -> bool:
        """What was bought first has shipped, or came to nothing: the promise of ORD-4 is about that alone."""
        return self.waits_for_stock or (self.special is not None and self.special.round > 0)

    @property
    def buys_special_order(self) -> bool:
        """Stock has arrived, and what waited for it is charged and bought."""
        return self.only_special_order_left and bool(self.wanted_now)

    # ---- purchase orders (ORD-5, ORD-6) ----

    @property
    def is_with_supplier(self) -> bool:
        """The first purchase order is on its way: it is too late to cancel (CAN-2, CAN-4)."""
        if self.waits_for_stock:
            return False
        before = self.special.purchases_before if self.special is not None else 0
        return any(one.state != "found" for one in self.purchases[before:])

    @property
    def unsourced(self) -> dict[str, int]:
        """Open units that no warehouse is to ship yet, by `line_id`."""
        return bought.unsourced(self.lines, self.waiting, self.purchases)

    @property
    def refused_sources(self) -> tuple[RefusedSource, ...]:
        """They are not chosen again, until somebody says that they have stock again (ORD-8)."""
        before = self.special.refusals_before if self.special is not None else 0
        return bought.refused_sources(self.purchases[before:])

    @property
    def open_purchases(self) -> list[Purchase]:
        """Those whose supplier has still to answer, or to be asked."""
        return [one for one in self.purchases if one.is_open]

    @property
    def lacks_second_source(self) -> bool:
        """What was searched for last is not in stock everywhere; the whole network was not asked yet (ORD-6)."""
        if not self.searches or self.looks_again is not None:
            return False
        return not self.searches[-1].second_source and self._is_missing(self.searches[-1])

    @property
    def looks_again(self) -> StockSearch | None:
        """The last search, if what it did not find is looked for in the same way again."""
        last = self.searches[-1] if self.searches else None
        return last if last is not None and last.look_again_at and self._is_missing(last) else None

    def _is_missing(self, search: StockSearch) -> bool:
        """What it did not find is still to be bought: it may be cancelled by now (CAN-10)."""
        return bool(search.missing.keys() & self.unsourced.keys())

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
        return self.wanted_now if self.is_bought else bought.accepted(self.lines, self.purchases)

    # ---- money back ----

    @property
    def is_void(self) -> bool:
        """Nothing of it is left: all units are cancelled or voided."""
        return self.is_open and not self.lines.has_open and not self.lines.has_shipped

    @property
    def seller_refunds(self) -> list[RefundAttempt]:
        """Those of the seller, but for what was asked for anew."""
        return [one for one in self.refunds if one.direction is SELLER and not one.asked_anew]

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
    def buyer_refunds(self) -> list[RefundAttempt]:
        """The automatic one (CAN-6), or its parts."""
        return [one for one in self.refunds if one.direction is BUYER and not one.asked_anew]

    # ---- units that come to nothing (CAN-12) ----

    def with_cessation(self, cessation: Cessation) -> Self:
        lines = order_lines.drop(self.lines, cessation.kind, by_line(cessation.lines))
        return self.with_(lines=lines, cessations=(*self.cessations, cessation))
