"""Every activity by its name in Temporal, with what it takes and gives.

Workflows call activities through these, so they need not import what touches the outside world; a test
holds them against the activities that the worker really registers.
"""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from models import partners, records
from models.message import Message

Asked = TypeVar("Asked", bound=Message)
Given = TypeVar("Given", bound=Message)


@dataclass(frozen=True)
class Call(Generic[Asked, Given]):
    """An activity: its type's name, what it takes, what it gives."""

    name: str
    asks: type[Asked]
    gives: type[Given]


OPEN_ORDER: Final = Call("open_order", records.OpenOrder, records.OpenedOrder)
SAVE_ORDER: Final = Call("save_order", records.SaveOrder, records.Saved)
OPEN_RETURN: Final = Call("open_return", records.OpenReturn, records.ReturnOpening)
SAVE_RETURN: Final = Call("save_return", records.SaveReturn, records.Saved)
REOPEN_RETURN: Final = Call("reopen_return", records.ReopenReturn, records.ReturnReopened)
BOOK_CREDIT_MEMO: Final = Call("book_credit_memo", records.BookCreditMemo, records.CreditMemoBooked)
RESERVE_REFUND: Final = Call("reserve_refund", records.ReserveRefund, records.ReservedRefund)
SETTLE_REFUND: Final = Call("settle_refund", records.SettleRefund, records.Saved)
TAKE_BACK_REFUND: Final = Call("take_back_refund", records.SettleRefund, records.RefundTakenBack)
SAVE_CASE: Final = Call("save_case", records.SaveCase, records.Saved)

AUTHORIZE_CHARGE: Final = Call("authorize_charge", partners.AuthorizeCharge, partners.ChargeAnswer)
CAPTURE_CHARGE: Final = Call("capture_charge", partners.CaptureCharge, partners.ChargeAnswer)
VOID_CHARGE: Final = Call("void_charge", partners.VoidCharge, partners.ChargeAnswer)
SEND_REFUND: Final = Call("send_refund", partners.SendRefund, partners.RefundAnswer)
LOOK_UP_REFUND: Final = Call("look_up_refund", partners.SendRefund, partners.RefundAnswer)

FIND_STOCK: Final = Call("find_stock", partners.FindStock, partners.Stock)
PLACE_SUPPLIER_ORDER: Final = Call("place_supplier_order", partners.PlaceSupplierOrder, partners.PlacedOrder)
REQUEST_RMA: Final = Call("request_rma", partners.RequestRma, partners.RmaAnswer)

ANNOUNCE_TRACKING: Final = Call("announce_tracking", partners.AnnounceTracking, records.Saved)
STOP_SHIPPING: Final = Call("stop_shipping", partners.StopShipping, records.Saved)

SEND_MAIL: Final = Call("send_mail", partners.Mail, partners.MailSent)

EVENT_ARRIVAL: Final = Call("event_arrival", partners.AskArrival, partners.Arrival)

CALLS: Final[tuple[Call[Message, Message], ...]] = tuple(
    value for value in list(globals().values()) if isinstance(value, Call)
)
