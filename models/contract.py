"""Names that others rely on. Extend them; never rename one.

A kind of case is one record (`CaseKind`): all else about its names derives from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from temporalio.common import SearchAttributeKey

from models.amazon.batches import ChannelBatchRequest, FeedResolved
from models.amazon.report_imports import ReportImportRequest
from models.cancellations import CancelRequest
from models.case import (
    ChannelBatchStage,
    ClaimStage,
    CostReviewStage,
    OrderStage,
    OrphanStage,
    RefundStage,
    ReportImportStage,
    ReturnStage,
)
from models.claims import ClaimDecision, ClaimRequest, ClaimWithdrawn, ReceiptAdded
from models.cost_reviews import CostDecision, CostReviewRequest, EvidenceAdded, ReviewWithdrawn
from models.message import Event, Request
from models.order_events import AddressChanged, Delivered, ShipmentCorrected, SupplierShortage
from models.orders import Hold, OrderRequest, PaymentMethodUpdated, Release, Resume, Shipment
from models.orphans import Dismiss, Match, OrphanRequest
from models.refunds import GatewayUpdate, RefundConfirmed, RefundRejected, RefundRequest, RefundResolved
from models.returns import (
    BuyerRefund,
    ChannelUpdate,
    CreditMemo,
    GoodsReceived,
    RefundDeclined,
    ReturnRequest,
    ReturnTracking,
    SellerApproval,
    StaffOverride,
    SupplierRma,
    Withdrawal,
)
from models.senders import (
    BATCH_SENDERS,
    CLAIM_SENDERS,
    COST_REVIEW_SENDERS,
    ORDER_SENDERS,
    ORPHAN_SENDERS,
    REFUND_SENDERS,
    RETURN_SENDERS,
    Role,
    Roles,
    require_sender,
)
from models.special_orders import ChoiceAfterVoid, StockArrived

TASK_QUEUE: Final = "backhaul"

ORDER: Final = "Order"
RETURN: Final = "Return"
REFUND: Final = "Refund"
ORPHAN: Final = "Orphan"
COST_REVIEW: Final = "CostReview"
CLAIM: Final = "Claim"
CHANNEL_BATCH: Final = "ChannelBatch"
QUEUE_SUBMISSION: Final = "QueueSubmission"
"""Sends an account's queue when its schedule says so (AMZ-6); no case."""
REPORT_IMPORT: Final = "ReportImport"
RETURNS_DUE: Final = "ReturnsDue"
"""Begins the import of an account's returns by schedule; no case."""
ORDERS_DUE: Final = "OrdersDue"
"""The same of its orders (CAN-7); no case."""
SETTLEMENTS_DUE: Final = "SettlementsDue"
"""Begins the import of each settlement that Amazon has made of an account (AMZ-8); no case."""
DELIVERY: Final = "Delivery"
"""Writes down that a parcel of an order that has ended arrived; no case."""
CORRECTION: Final = "Correction"
"""Tells shop and seller the new number of a parcel of an order that has ended; no case."""

ORDER_EVENTS: Final[dict[str, type[Event]]] = {
    "release": Release,
    "cancel_request": CancelRequest,
    "payment_method_updated": PaymentMethodUpdated,
    "shipment": Shipment,
    "hold": Hold,
    "resume": Resume,
    "address_changed": AddressChanged,
    "shipment_corrected": ShipmentCorrected,
    "supplier_shortage": SupplierShortage,
    "choice_after_void": ChoiceAfterVoid,
    "stock_arrived": StockArrived,
    "delivered": Delivered,
}

RETURN_EVENTS: Final[dict[str, type[Event]]] = {
    "seller_approval": SellerApproval,
    "supplier_rma": SupplierRma,
    "return_tracking": ReturnTracking,
    "goods_received": GoodsReceived,
    "credit_memo": CreditMemo,
    "buyer_refund": BuyerRefund,
    "refund_declined": RefundDeclined,
    "withdrawal": Withdrawal,
    "channel_update": ChannelUpdate,
    "staff_override": StaffOverride,
}

GATEWAY_UPDATE: Final = "gateway_update"
REFUND_EVENTS: Final[dict[str, type[Event]]] = {
    GATEWAY_UPDATE: GatewayUpdate,
    "refund_confirmed": RefundConfirmed,
    "refund_rejected": RefundRejected,
    "refund_resolved": RefundResolved,
}

COST_REVIEW_EVENTS: Final[dict[str, type[Event]]] = {
    "cost_decision": CostDecision,
    "review_withdrawn": ReviewWithdrawn,
    "evidence_added": EvidenceAdded,
}

CLAIM_EVENTS: Final[dict[str, type[Event]]] = {
    "claim_decision": ClaimDecision,
    "claim_withdrawn": ClaimWithdrawn,
    "receipt_added": ReceiptAdded,
}

BATCH_EVENTS: Final[dict[str, type[Event]]] = {"feed_resolved": FeedResolved}

ORPHAN_EVENTS: Final[dict[str, type[Event]]] = {"match": Match, "dismiss": Dismiss}

REFUND_TAKEN_BACK: Final = "refund_taken_back"
"""The signal by which a refund tells its order or return that it failed after all, or that it is pending, in doubt
or known at last; no event of outsiders."""

REPLACEMENT_NEWS: Final = "replacement_news"
"""The signal by which a replacement tells its return how it stands (RET-24); no event of outsiders."""


CASE_NUMBERED: Final = "case_numbered"
"""The signal by which a case tells an orphan that it can be found by one of its numbers now (RET-20); no event of
outsiders."""


@dataclass(frozen=True)
class CaseKind:
    """A kind of case: its workflow type, the prefix of its workflow ids, the request that starts it (and which of
    its fields is the business id), its events, the stages it can stand at, those that are ends, and which roles
    may send each event."""

    name: str
    prefix: str
    request: type[Request]
    id_field: str
    events: Mapping[str, type[Event]]
    stages: type[StrEnum]
    ends: frozenset[StrEnum]
    senders: Mapping[str, Roles] = field(default_factory=dict)

    def may_send(self, event: str) -> Roles:
        """The roles that may send this event; one that the table does not know is staff's alone."""
        return self.senders.get(event, (Role.STAFF,))

    def require_sender(self, name: str, event: Event) -> None:
        """Raise NotTheirs when the sender of this event may not say it."""
        require_sender(name, event, self.may_send(name))

    def workflow_id(self, business_id: str) -> str:
        """`1001` -> `order-1001`."""
        return f"{self.prefix}{business_id}"

    def workflow_id_of(self, request: Request) -> str:
        """The one workflow id under which this request may run."""
        return self.workflow_id(str(getattr(request, self.id_field)))


ORDER_KIND: Final = CaseKind(
    ORDER,
    "order-",
    OrderRequest,
    "order_id",
    ORDER_EVENTS,
    OrderStage,
    frozenset(
        {
            OrderStage.SHIPPED,
            OrderStage.CANCELLED,
            OrderStage.VOIDED,
            OrderStage.REFUSED,
            OrderStage.STOPPED,
            OrderStage.TERMINATED,
        }
    ),
    ORDER_SENDERS,
)
RETURN_KIND: Final = CaseKind(
    RETURN,
    "return-",
    ReturnRequest,
    "return_id",
    RETURN_EVENTS,
    ReturnStage,
    frozenset(
        {
            ReturnStage.COMPLETED,
            ReturnStage.REJECTED,
            ReturnStage.WITHDRAWN,
            ReturnStage.EXPIRED,
            ReturnStage.REFUSED_BY_SUPPLIER,
            ReturnStage.REFUSED,
            ReturnStage.STOPPED,
            ReturnStage.TERMINATED,
        }
    ),
    RETURN_SENDERS,
)
REFUND_KIND: Final = CaseKind(
    REFUND,
    "refund-",
    RefundRequest,
    "refund_id",
    REFUND_EVENTS,
    RefundStage,
    frozenset(
        {
            RefundStage.SUCCEEDED,
            RefundStage.FAILED,
            RefundStage.REFUSED,
            RefundStage.TERMINATED,
        }
    ),
    REFUND_SENDERS,
)
ORPHAN_KIND: Final = CaseKind(
    ORPHAN,
    "orphan-",
    OrphanRequest,
    "orphan_id",
    ORPHAN_EVENTS,
    OrphanStage,
    frozenset(
        {
            OrphanStage.MATCHED,
            OrphanStage.DISMISSED,
            OrphanStage.EXPIRED,
            OrphanStage.STOPPED,
            OrphanStage.TERMINATED,
        }
    ),
    ORPHAN_SENDERS,
)
COST_REVIEW_KIND: Final = CaseKind(
    COST_REVIEW,
    "cost-review-",
    CostReviewRequest,
    "review_id",
    COST_REVIEW_EVENTS,
    CostReviewStage,
    frozenset(
        {
            CostReviewStage.APPROVED,
            CostReviewStage.REJECTED,
            CostReviewStage.WITHDRAWN,
            CostReviewStage.REFUSED,
            CostReviewStage.STOPPED,
            CostReviewStage.TERMINATED,
        }
    ),
    COST_REVIEW_SENDERS,
)
CLAIM_KIND: Final = CaseKind(
    CLAIM,
    "claim-",
    ClaimRequest,
    "claim_id",
    CLAIM_EVENTS,
    ClaimStage,
    frozenset(
        {
            ClaimStage.APPROVED,
            ClaimStage.REJECTED,
            ClaimStage.WITHDRAWN,
            ClaimStage.REFUSED,
            ClaimStage.STOPPED,
            ClaimStage.TERMINATED,
        }
    ),
    CLAIM_SENDERS,
)
CHANNEL_BATCH_KIND: Final = CaseKind(
    CHANNEL_BATCH,
    "batch-",
    ChannelBatchRequest,
    "batch_id",
    BATCH_EVENTS,
    ChannelBatchStage,
    frozenset(
        {
            ChannelBatchStage.DONE,
            ChannelBatchStage.REFUSED,
            ChannelBatchStage.STOPPED,
            ChannelBatchStage.TERMINATED,
        }
    ),
    BATCH_SENDERS,
)
REPORT_IMPORT_KIND: Final = CaseKind(
    REPORT_IMPORT,
    "report-import-",
    ReportImportRequest,
    "import_id",
    {},
    ReportImportStage,
    frozenset(
        {
            ReportImportStage.IMPORTED,
            ReportImportStage.NO_DATA,
            ReportImportStage.REFUSED,
            ReportImportStage.STOPPED,
            ReportImportStage.TERMINATED,
        }
    ),
)
KINDS: Final = (
    ORDER_KIND,
    RETURN_KIND,
    REFUND_KIND,
    ORPHAN_KIND,
    COST_REVIEW_KIND,
    CLAIM_KIND,
    CHANNEL_BATCH_KIND,
    REPORT_IMPORT_KIND,
)

EVENTS: Final[dict[str, dict[str, type[Event]]]] = {kind.name: dict(kind.events) for kind in KINDS}

STAGE: Final = SearchAttributeKey.for_keyword("Stage")
CUSTODY: Final = SearchAttributeKey.for_keyword("Custody")
MONEY: Final = SearchAttributeKey.for_keyword("Money")
WAITING_ON: Final = SearchAttributeKey.for_keyword_list("WaitingOn")
"""All on whom it waits."""
WORK: Final = SearchAttributeKey.for_keyword_list("Work")
"""The worklists that it stands in (`models/worklists.py`)."""
SELLER_ID: Final = SearchAttributeKey.for_keyword("SellerId")
SUPPLIER_ID: Final = SearchAttributeKey.for_keyword("SupplierId")
ORDER_ID: Final = SearchAttributeKey.for_keyword("OrderId")
RETURN_ID: Final = SearchAttributeKey.for_keyword("ReturnId")
NUMBERS: Final = SearchAttributeKey.for_keyword_list("Numbers")
"""Every number by which it can be found (RET-17), as it was typed."""
CHANNEL: Final = SearchAttributeKey.for_keyword("Channel")
DUE_BY: Final = SearchAttributeKey.for_datetime("DueBy")
SLA_STATE: Final = SearchAttributeKey.for_keyword("SlaState")
REJECTED_EVENTS: Final = SearchAttributeKey.for_int("RejectedEvents")

MOST_NUMBERS: Final = 50
"""So many numbers of one case can be searched for in the Temporal UI; the database knows them all."""

SEARCH_ATTRIBUTES: Final = (
    STAGE,
    CUSTODY,
    MONEY,
    WAITING_ON,
    WORK,
    SELLER_ID,
    SUPPLIER_ID,
    ORDER_ID,
    RETURN_ID,
    NUMBERS,
    CHANNEL,
    DUE_BY,
    SLA_STATE,
    REJECTED_EVENTS,
)
