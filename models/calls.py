"""Every activity by its name in Temporal, with what it takes and gives.

Workflows call activities through these, so they need not import what touches the outside world; a test
holds them against the activities that the worker really registers.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from models import (
    charges,
    claims,
    cost_reviews,
    event_times,
    marketplace_orders,
    orphans,
    partners,
    records,
    refunds,
    replacements,
    special_orders,
    splits,
)
from models.amazon import batches, queue, report_imports
from models.message import Message

Asked = TypeVar("Asked", bound=Message)
Given = TypeVar("Given", bound=Message)


class Queue(StrEnum):
    """Which task queue an activity is polled from: each kind of partner has slots of its own, so that one that
    hangs makes nobody else wait. The value is appended to the workflows' task queue (`queue_of`)."""

    MAIN = ""
    """The database and the Temporal server itself, beside the workflows."""
    PAYMENTS = "payments"
    SUPPLIERS = "suppliers"
    CHANNELS = "channels"
    MAIL = "mail"


def queue_of(task_queue: str, queue: Queue) -> str:
    """`backhaul` and PAYMENTS: `backhaul-payments`; MAIN: `backhaul`."""
    return f"{task_queue}-{queue.value}" if queue.value else task_queue


@dataclass(frozen=True)
class Call(Generic[Asked, Given]):
    """An activity: its type's name, what it takes, what it gives, and the queue that it is polled from."""

    name: str
    asks: type[Asked]
    gives: type[Given]
    queue: Queue = Queue.MAIN


OPEN_ORDER: Final = Call("open_order", records.OpenOrder, records.OpenedOrder)
CHOOSE_CONNECTION: Final = Call("choose_connection", charges.ChooseConnection, charges.ChargeConnection)
SPLIT_ORDER: Final = Call("split_order", splits.SplitOrder, splits.OrderSplit)
CHECK_SPECIAL_ORDER: Final = Call(
    "check_special_order", special_orders.CheckSpecialOrder, special_orders.SpecialOrderChecked
)
SAVE_ORDER: Final = Call("save_order", records.SaveOrder, records.Saved)
OPEN_RETURN: Final = Call("open_return", records.OpenReturn, records.ReturnOpening)
SAVE_RETURN: Final = Call("save_return", records.SaveReturn, records.Saved)
REOPEN_RETURN: Final = Call("reopen_return", records.ReopenReturn, records.ReturnReopened)
BOOK_CREDIT_MEMO: Final = Call("book_credit_memo", records.BookCreditMemo, records.CreditMemoBooked)
PREPARE_REPLACEMENT: Final = Call(
    "prepare_replacement", replacements.PrepareReplacement, replacements.PreparedReplacement
)
RESERVE_REFUND: Final = Call("reserve_refund", records.ReserveRefund, records.ReservedRefund)
TAKE_BACK_REFUND: Final = Call("take_back_refund", records.SettleRefund, records.RefundTakenBack)
SAVE_REFUND: Final = Call("save_refund", records.SaveRefund, records.Saved)
REFUND_OUTCOME: Final = Call("refund_outcome", refunds.RefundRequest, refunds.RefundResult)
OPEN_COST_REVIEW: Final = Call("open_cost_review", cost_reviews.OpenCostReview, cost_reviews.OpenedCostReview)
SAVE_COST_REVIEW: Final = Call("save_cost_review", cost_reviews.SaveCostReview, records.Saved)
OPEN_CLAIM: Final = Call("open_claim", claims.OpenClaim, claims.OpenedClaim)
SAVE_CLAIM: Final = Call("save_claim", claims.SaveClaim, records.Saved)
SAVE_CASE: Final = Call("save_case", records.SaveCase, records.Saved)

AUTHORIZE_CHARGE: Final = Call("authorize_charge", partners.AuthorizeCharge, partners.ChargeAnswer, Queue.PAYMENTS)
CAPTURE_CHARGE: Final = Call("capture_charge", partners.CaptureCharge, partners.ChargeAnswer, Queue.PAYMENTS)
VOID_CHARGE: Final = Call("void_charge", partners.VoidCharge, partners.ChargeAnswer, Queue.PAYMENTS)
SEND_REFUND: Final = Call("send_refund", partners.SendRefund, partners.RefundAnswer, Queue.PAYMENTS)
LOOK_UP_REFUND: Final = Call("look_up_refund", partners.SendRefund, partners.RefundAnswer, Queue.PAYMENTS)

FIND_SOURCES: Final = Call("find_sources", partners.FindSources, partners.FoundSources, Queue.SUPPLIERS)
PLACE_SUPPLIER_ORDER: Final = Call(
    "place_supplier_order", partners.PlaceSupplierOrder, partners.PlacedOrder, Queue.SUPPLIERS
)
REQUEST_RMA: Final = Call("request_rma", partners.RequestRma, partners.RmaAnswer, Queue.SUPPLIERS)

QUEUE_REFUND: Final = Call("queue_refund", queue.QueueRefund, partners.RefundAnswer)
OPEN_BATCH: Final = Call("open_batch", batches.OpenBatch, batches.OpenedBatch)
LOOK_AT_TRANSACTIONS: Final = Call(
    "look_at_transactions", batches.LookAtTransactions, batches.TransactionsSeen, Queue.CHANNELS
)
RETURN_ENTRIES: Final = Call("return_entries", batches.ReturnEntries, batches.BatchSettled)
UPLOAD_FEED: Final = Call("upload_feed", batches.BatchStep, batches.UploadedFeed, Queue.CHANNELS)
CREATE_FEED: Final = Call("create_feed", batches.CreateFeed, batches.CreatedFeed, Queue.CHANNELS)
FIND_FEED: Final = Call("find_feed", batches.FindFeed, batches.FoundFeed, Queue.CHANNELS)
LOOK_AT_FEED: Final = Call("look_at_feed", batches.LookAtFeed, batches.FeedStatus, Queue.CHANNELS)
READ_FEED: Final = Call("read_feed", batches.LookAtFeed, batches.BatchSettled, Queue.CHANNELS)

ANNOUNCE_TRACKING: Final = Call("announce_tracking", partners.AnnounceTracking, records.Saved, Queue.CHANNELS)
STOP_SHIPPING: Final = Call("stop_shipping", partners.StopShipping, records.Saved, Queue.CHANNELS)
LOOK_AT_MARKETPLACE: Final = Call(
    "look_at_marketplace_order",
    marketplace_orders.LookAtMarketplace,
    marketplace_orders.MarketplaceOrder,
    Queue.CHANNELS,
)

SEND_MAIL: Final = Call("send_mail", partners.Mail, partners.MailSent, Queue.MAIL)

SAVE_ORPHAN: Final = Call("save_orphan", orphans.SaveOrphan, records.Saved)
FIND_CASES: Final = Call("find_cases", orphans.FindCases, orphans.FoundCases)
DELIVER_EVENT: Final = Call("deliver_event", orphans.DeliverEvent, orphans.EventDelivered)

REQUEST_REPORT: Final = Call(
    "request_returns_report", report_imports.RequestReport, report_imports.ReportRequested, Queue.CHANNELS
)
LOOK_AT_REPORT: Final = Call(
    "look_at_report", report_imports.LookAtReport, report_imports.ReportStands, Queue.CHANNELS
)
READ_REPORT: Final = Call(
    "read_returns_report", report_imports.ReadReport, report_imports.StagedReport, Queue.CHANNELS
)
TAKE_RETURNS: Final = Call("take_returns", report_imports.TakeReturns, report_imports.CasesTaken)
REQUEST_ORDER_REPORT: Final = Call(
    "request_order_report", report_imports.RequestReport, report_imports.ReportRequested, Queue.CHANNELS
)
READ_ORDER_REPORT: Final = Call(
    "read_order_report", report_imports.ReadReport, report_imports.StagedReport, Queue.CHANNELS
)
TAKE_ORDERS: Final = Call("take_orders", report_imports.TakeOrders, report_imports.CasesTaken)
FIND_SETTLEMENTS: Final = Call(
    "find_settlement_reports", report_imports.FindSettlements, report_imports.SettlementsFound, Queue.CHANNELS
)
READ_SETTLEMENT: Final = Call(
    "read_settlement_report", report_imports.ReadReport, report_imports.StagedReport, Queue.CHANNELS
)
BOOK_SETTLEMENT: Final = Call("book_settlement", report_imports.BookSettlement, report_imports.CasesTaken)
SAVE_REPORT_IMPORT: Final = Call("save_report_import", report_imports.SaveReportImport, records.Saved)

NOTE_DELIVERY: Final = Call("note_delivery", records.NoteDelivery, records.Saved)
NOTE_CORRECTION: Final = Call("note_correction", records.NoteCorrection, records.NotedCorrection)

EVENT_ARRIVAL: Final = Call("event_arrival", event_times.AskArrival, event_times.Arrival)

CALLS: Final[tuple[Call[Message, Message], ...]] = tuple(
    value for value in list(globals().values()) if isinstance(value, Call)
)
