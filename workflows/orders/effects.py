"""What an order does beside its refunds and mails: each begun once, by its key."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models.cancellations import SplitFrom
from models.case import Who
from models.ids import CaseId, DerivedId, ReturnId
from models.message import Message, Number
from models.money import Currency, PositiveAmount
from models.replacements import ReplacementNews
from workflows.engine.case import Effect, Note, RejectEvent, SendMail
from workflows.refunds.attempts import MakeRefund


class WriteDown(Effect):
    """Write the order down, with the seller's settings as they are now (ORD-1). Given up when staff stop the order
    while the database does not take it."""

    kind: Literal["write_down"] = "write_down"
    who: ClassVar[Who] = Who.BOOKS
    cancellable: ClassVar[bool] = True
    key: str = "open"

    @property
    def summary(self) -> str:
        return "write the order down"


# ---- the seller's charge (ORD-3) ----


class ChooseConnection(Effect):
    """Decide by which connection the seller is charged, where there was none when the order was opened. It is kept
    before the gateway is asked: a lost answer is never looked for at another one (REF-6)."""

    kind: Literal["choose_connection"] = "choose_connection"
    who: ClassVar[Who] = Who.BOOKS
    cancellable: ClassVar[bool] = True
    key: str = "charge-connection"

    @property
    def summary(self) -> str:
        return "say by which connection the seller is charged"


class Authorize(Effect):
    """Reserve the broker's charge on the seller's payment method.

    `method_number`: which of the methods that were given.
    """

    kind: Literal["authorize"] = "authorize"
    who: ClassVar[Who] = Who.GATEWAY
    charge_id: DerivedId
    amount: PositiveAmount
    currency: Currency
    payment_method: Number
    method_number: int
    connection_id: CaseId

    @property
    def summary(self) -> str:
        return "charge the seller: parts, shipping and tax"


class Capture(Effect):
    """Take the money for what can be bought; the rest of the authorization is released."""

    kind: Literal["capture"] = "capture"
    who: ClassVar[Who] = Who.GATEWAY
    charge_id: DerivedId
    amount: PositiveAmount

    @property
    def summary(self) -> str:
        return "collect the seller's charge"


class VoidAuthorization(Effect):
    """Release an authorization; it may turn out to be captured."""

    kind: Literal["void_authorization"] = "void_authorization"
    who: ClassVar[Who] = Who.GATEWAY
    charge_id: DerivedId

    @property
    def summary(self) -> str:
        return "void the seller's charge"


class SaveCharge(Effect):
    """Wait until the database has what was captured: only what it knows to be paid can be refunded (REF-3)."""

    kind: Literal["save_charge"] = "save_charge"
    quick: ClassVar[bool] = False
    who: ClassVar[Who] = Who.BOOKS
    charge_id: DerivedId

    @property
    def summary(self) -> str:
        return "keep the seller's charge before it is refunded"


# ---- suppliers (ORD-5, ORD-6) ----


class SearchStock(Effect):
    """Ask which warehouses ship these units; given up when nothing is bought any more.

    `second_source`: ask the whole network, whatever the price.
    """

    kind: Literal["search_stock"] = "search_stock"
    who: ClassVar[Who] = Who.SUPPLIER
    cancellable: ClassVar[bool] = True
    units: dict[str, int]
    """By `line_id`."""
    second_source: bool = False

    @property
    def summary(self) -> str:
        return "say who has a second source" if self.second_source else "say who has the items in stock"


class Place(Effect):
    """Send one purchase order to its supplier. Given up when staff stop the order: then nobody waits for its
    answer, and it may be with the supplier all the same."""

    kind: Literal["place"] = "place"
    who: ClassVar[Who] = Who.SUPPLIER
    cancellable: ClassVar[bool] = True
    number: Number

    @property
    def summary(self) -> str:
        return f"accept order {self.number}"


class CheckSpecialOrder(Effect):
    """Ask whether these units, by `line_id`, may wait for stock: none is claimed, or refunded (ORD-8)."""

    kind: Literal["check_special_order"] = "check_special_order"
    quick: ClassVar[bool] = False
    """It is asked once the database has the units as open: so that is saved meanwhile."""
    who: ClassVar[Who] = Who.BOOKS
    cancellable: ClassVar[bool] = True
    event_id: str
    units: dict[str, int]

    @property
    def summary(self) -> str:
        return "see that what shall wait for stock is neither claimed nor refunded"


class LookForStock(Effect):
    """See whether what a special order waits for is in stock; nothing is bought (ORD-8)."""

    kind: Literal["look_for_stock"] = "look_for_stock"
    who: ClassVar[Who] = Who.SUPPLIER
    cancellable: ClassVar[bool] = True
    quick: ClassVar[bool] = False
    units: dict[str, int]
    """By `line_id`."""

    @property
    def summary(self) -> str:
        return "say whether what the buyer waits for is in stock"


class BeginSpecialOrder(Effect):
    """Stock is there: the units that waited for it are charged and bought (ORD-8)."""

    kind: Literal["begin_special_order"] = "begin_special_order"
    instant: ClassVar[bool] = True


class ReportLateHandoff(Effect):
    """The order is not with a supplier in time (ORD-4)."""

    kind: Literal["report_late_handoff"] = "report_late_handoff"
    instant: ClassVar[bool] = True
    key: str = "late-handoff"
    limit: str


# ---- cancellation (CAN) ----


class LookUpArrival(Effect):
    """Read in the order's own history when the server received this cancel request (CAN-3)."""

    kind: Literal["look_up_arrival"] = "look_up_arrival"
    cancellable: ClassVar[bool] = True
    event_id: str

    @property
    def summary(self) -> str:
        return "look up when the server received the cancel request"


class SplitOff(Effect):
    """Move these units, by `line_id`, to an order of their own, and start it: it is cancelled (CAN-10)."""

    kind: Literal["split_off"] = "split_off"
    who: ClassVar[Who] = Who.BOOKS
    split_from: SplitFrom
    units: dict[str, int]

    @property
    def summary(self) -> str:
        return f"move what is cancelled to order {self.split_from.own_id}"


class LookAtMarketplace(Effect):
    """See whether the marketplace has cancelled the order, whose buyer asks it to (CAN-8)."""

    kind: Literal["look_at_marketplace"] = "look_at_marketplace"
    who: ClassVar[Who] = Who.SHOP
    cancellable: ClassVar[bool] = True

    @property
    def summary(self) -> str:
        return "say whether it has cancelled the order"


class StopShipping(Effect):
    """Take the order off the shop's shipping list (CAN-11)."""

    kind: Literal["stop_shipping"] = "stop_shipping"
    who: ClassVar[Who] = Who.SHOP
    key: str = "stop-shipping"
    reason: str
    without_sending: bool = False
    """The marketplace is not told: it has cancelled it itself, or its seller wants it so."""

    @property
    def summary(self) -> str:
        return "take the order off the shipping list"


class OpenLateCancelReturn(Effect):
    """What was asked for too late goes on as a return, once all is shipped and saved (CAN-2)."""

    kind: Literal["open_late_cancel_return"] = "open_late_cancel_return"
    key: str = "late-cancel-return"

    @property
    def summary(self) -> str:
        return "open the return of what was cancelled too late"


# ---- shipments (ORD-9) ----


class AnnounceTracking(Effect):
    """Give the shop the tracking number of a shipment, as if the seller had typed it."""

    kind: Literal["announce_tracking"] = "announce_tracking"
    who: ClassVar[Who] = Who.SHOP
    shipment_id: Number

    @property
    def summary(self) -> str:
        return "take the tracking number"


class ReturnOpened(Message):
    """The return of what was cancelled too late is open."""

    return_id: str


class TellReturn(Effect):
    """Tell the return whose goods this order replaces how it stands (RET-24)."""

    kind: Literal["tell_return"] = "tell_return"
    return_id: ReturnId
    news: ReplacementNews

    @property
    def summary(self) -> str:
        return f"Tell return {self.return_id} how its replacement stands"


OrderEffect = Annotated[
    WriteDown
    | ChooseConnection
    | Authorize
    | Capture
    | VoidAuthorization
    | SaveCharge
    | SearchStock
    | Place
    | CheckSpecialOrder
    | LookForStock
    | BeginSpecialOrder
    | ReportLateHandoff
    | LookUpArrival
    | SplitOff
    | LookAtMarketplace
    | StopShipping
    | OpenLateCancelReturn
    | AnnounceTracking
    | TellReturn
    | MakeRefund
    | SendMail
    | Note
    | RejectEvent,
    Field(discriminator="kind"),
]
