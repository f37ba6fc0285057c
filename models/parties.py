"""Sellers and suppliers, with their settings. Every number of the rules is a default here, never a constant.

Settings are snapshotted into a case at the moment where they decide something: a later change never
rewrites the past.
"""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from zoneinfo import available_timezones

from pydantic import EmailStr, Field

from models.buyers import Language
from models.countries import Country
from models.failures import InvalidInput, Problem
from models.ids import CaseId
from models.message import Asker, GatewayId, LongText, Message, Number, Text
from models.money import Currency, NonNegativeAmount, PositiveAmount
from models.reasons import OwnReasons

Days = Annotated[int, Field(ge=1, le=3650)]
Minutes = Annotated[int, Field(ge=1, le=100_000)]


DEFAULT_MINIMUM_STOCK: Final = 2
"""Items with fewer in stock count as not in stock (ORD-5)."""


class OnBreach(StrEnum):
    """What happens when the refund SLA is breached (RET-13)."""

    WAIT = "wait"
    REFUND = "refund"


class FinalCredit(StrEnum):
    """What the seller gets when the supplier's last credit is below the cost (RET-28)."""

    CREDITED = "credited"
    """What the supplier credited."""
    AGREED = "agreed"
    """What was agreed: parts and tax; the broker bears the difference."""


class OutsideWindow(StrEnum):
    """What happens to a return that is asked for after its window (RET-22)."""

    DECIDE = "decide"
    """It is marked, and a person decides."""
    REJECT = "reject"
    """It is rejected, and the buyer is told the date."""


class ReplacementSent(StrEnum):
    """When the replacement of a return is sent (RET-24)."""

    AT_ONCE = "at_once"
    """On the seller's approval."""
    WHEN_RECEIVED = "when_received"
    """When the goods are back, and accepted."""


class SmallCharges(StrEnum):
    """What becomes of a charge under the gateway's minimum (REF-14)."""

    GIVE_UP = "give_up"
    """The broker bears it, and the order goes on."""
    WAIT = "wait"
    """The order waits until the broker says that it was collected otherwise."""


class Party(Message):
    """Somebody who is written to, in its language and in its own time."""

    time_zone: Annotated[str, Field(min_length=1, max_length=64)] = "UTC"
    """IANA name of the zone in which dates are told, such as `Europe/Berlin` (NTF-10); the buyers' is their
    seller's."""

    @classmethod
    def at_the_door(cls, data: Any) -> Self:
        """Read what somebody outside sent. Raises InvalidInput that names every wrong field.

        Zones are looked up here alone: a case that has the settings already never reads this machine's files.
        """
        party = super().at_the_door(data)
        if party.time_zone not in available_timezones():
            why = "is no zone of the IANA database: give a name such as Europe/Berlin, America/Chicago or UTC"
            raise InvalidInput(cls._title(), [Problem("time_zone", why)])
        return party


class Seller(Party):
    """A seller (an affiliate of the broker) and its settings."""

    seller_id: CaseId
    name: Text
    email: EmailStr
    language: Language = "en"
    payment_method: Number | None = None
    """Token of the card or PayPal on file that the broker charges (ORD-3)."""
    gateway_customer: GatewayId | None = None
    """The broker's customer number of this seller at the gateway."""

    auto_release: bool = True
    """Orders go to the broker by themselves; otherwise they wait for `release` (ORD-2)."""
    automatic_countries: tuple[Country, ...] = ("US",)
    """Automatic fulfilment is for buyers there; an order to any other country waits for `release` (ORD-10)."""
    cancel_window_minutes: Minutes = 30
    """ORD-4."""
    handoff_minutes: Minutes = 60
    """An order must be with a supplier by then (ORD-4)."""
    small_charges: SmallCharges = SmallCharges.GIVE_UP
    """What becomes of a charge under the gateway's minimum, which can't be made (REF-14)."""
    minimum_stock: Annotated[int, Field(ge=2, le=100_000)] = DEFAULT_MINIMUM_STOCK
    """Items with fewer in stock count as not in stock (ORD-5)."""
    stock_retry_minutes: Minutes = 5
    """Where a supplier does not say its stock, what is missing is looked for again after this, until the order
    must be with a supplier; after that its stock counts as none (ORD-4, ORD-6)."""

    shipment_reminder_days: tuple[Days, ...] = (5, 14)
    """Staff are told when an order has not shipped by then."""

    choice_days: Annotated[int, Field(ge=0, le=3650)] = 7
    """So long the seller may choose what becomes of units that nobody had; after that they stay voided. 0: they
    stay voided at once, and the order ends when nothing else is open (ORD-7, ORD-8)."""
    choice_reminder_days: tuple[Days, ...] = (2, 5)
    """The seller is reminded of it after so many days."""
    stock_look_days: Days = 1
    """How often it is looked by itself whether what a special order waits for is in stock (ORD-8)."""

    auto_refund_buyer: bool = False
    """The buyer is refunded without a person's review (REF-1, CAN-6)."""
    cancel_without_sending: bool = False
    """An order may be cancelled without telling its marketplace (CAN-9)."""
    zero_out_inventory: bool = False
    """Who cancels an order for no stock may ask that its items be offered no more at Amazon (CAN-9)."""
    allow_over_refund: bool = False
    """More than was paid may be refunded, marked and with a reason (REF-5)."""
    may_over_refund: tuple[Asker, ...] = ()
    """Who may do so, such as `seller:jane`; none named: every person of the seller and of staff (REF-12)."""
    refund_limits: dict[Currency, PositiveAmount] = Field(default_factory=dict)
    """A refund of the buyer over the amount of its currency needs a second person; no limit in a currency that
    has none (REF-12)."""
    reserved_funds: dict[Currency, NonNegativeAmount] = Field(default_factory=dict)
    """How far a refund of the buyer may bring the available balance of its currency below nothing; one that would
    bring it lower waits until it is covered. A currency that has none: a refund waits for no balance (BAL-1)."""

    approval_reminder_days: tuple[Days, ...] = (2, 5)
    tracking_days: Days = 30
    """A return without tracking number expires after this (RET-10)."""
    tracking_reminder_days: tuple[Days, ...] = (7, 21, 28)
    reopen_days: Days = 30
    """How long an expired return can still be reopened by its tracking number (RET-10)."""
    inspection_days: Days = 30
    """The supplier receives, inspects and credits within this (RET-11)."""
    refund_sla_days: Days = 60
    """The broker refunds the seller within this, from the creation of the RR (RET-13)."""
    refund_reminder_days_before: tuple[Days, ...] = (14, 7, 1)
    on_refund_breach: OnBreach = OnBreach.WAIT
    refund_retry_days: Days = 3
    """After this a refund of the seller that failed is made again, and one in doubt is looked for (RET-13)."""
    final_credit: FinalCredit = FinalCredit.CREDITED
    """What the seller gets of a supplier's last credit that is below the cost (RET-28)."""
    buyer_refund_reminder_days: tuple[Days, ...] = (3, 10)
    """The seller is reminded to refund the buyer, or to decline (REF-1, RET-27)."""
    buyer_refund_staff_days: Days = 30
    """Staff are told when it has done neither by then, and each time that it has passed again (RET-27)."""
    refund_look_again_days: Days = 1
    """How long a gateway may say nothing about a pending refund before it is asked (REF-7)."""
    refund_looks_before_alert: Days = 7
    """After so many looks in vain staff are told, and the refund is in doubt (REF-11)."""

    review_days: Days = 30
    """A supplier-cost review is decided within this (BAL-2)."""
    review_reminder_days: tuple[Days, ...] = (14, 25)
    """Staff are reminded of one that is open after so many days."""

    claim_without_approval: NonNegativeAmount = Decimal("100.00")
    """In USD: a claim of no more needs no person, if a receipt, a card on file and the next one hold (CLM-1)."""
    claim_minimum_stock: Annotated[int, Field(ge=2, le=100_000)] = 3
    """The `minimum_stock` from which on that holds."""
    claim_days: Days = 30
    """A claim is decided within this (CLM-2)."""
    claim_reminder_days: tuple[Days, ...] = (14, 25)
    """Staff are reminded of one that is open after so many days."""

    replacement_sent: ReplacementSent = ReplacementSent.WHEN_RECEIVED
    """When the replacement of a return is sent (RET-24)."""
    return_days: Days = 30
    """For so long after delivery a return may be asked for (RET-22)."""
    return_days_by_country: dict[Country, Days] = Field(default_factory=dict)
    """The same, where it is otherwise for buyers in some country. The law's days there are the least."""
    delivery_days: Days = 5
    """So many days after shipping a parcel counts as delivered when nobody says when it was."""
    outside_window: OutsideWindow = OutsideWindow.DECIDE
    """What happens to a return that is asked for later."""
    reasons: OwnReasons = ()
    """Its own reasons for returns, and its changes of the default ones (RET-21)."""

    @property
    def cancel_window(self) -> timedelta:
        return timedelta(minutes=self.cancel_window_minutes)

    @property
    def handoff_limit(self) -> timedelta:
        return timedelta(minutes=self.handoff_minutes)


class RmaMethod(StrEnum):
    """How a supplier gives its RMA number (RET-7, RET-8)."""

    NONE = "none"
    """It needs none: the number of the order that the broker sent is the RMA number."""
    SERVICE = "service"
    """From the supplier's web service."""
    EMAIL = "email"
    """By an e-mail with a link where the supplier types the number."""
    MANUAL = "manual"
    """Typed by staff."""


class Fulfilment(StrEnum):
    """Who stands behind the supplier in the seller's books (RET-3, RET-6)."""

    BROKER = "broker"
    DIRECT = "direct"


class Supplier(Party):
    """A manufacturer or warehouse that picks, packs, ships and takes returns, and its settings."""

    supplier_id: CaseId
    name: Text
    email: EmailStr
    language: Language = "en"
    fulfilment: Fulfilment = Fulfilment.BROKER
    rma: RmaMethod = RmaMethod.NONE
    return_address: LongText
    """Where returns go; may differ from where it ships from (RET-9)."""
    rma_reminder_days: tuple[Days, ...] = (3, 7)
    rma_days: Days = 14
    """Without an RMA number by then, staff are alerted (RET-8)."""


def needs_rma(supplier: Supplier) -> bool:
    """RET-3: everything fulfilled by the broker needs an RMA; else the supplier's setting decides."""
    return supplier.fulfilment is Fulfilment.BROKER or supplier.rma is not RmaMethod.NONE
