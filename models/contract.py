"""Names that others rely on. Extend them; never rename one."""

from typing import Final

from temporalio.common import SearchAttributeKey

from models.message import Event
from models.orders import CancelRequest, Hold, PaymentMethodUpdated, Release, Resume, Shipment
from models.refunds import GatewayUpdate
from models.returns import (
    BuyerRefund,
    ChannelUpdate,
    CreditMemo,
    GoodsReceived,
    ReturnTracking,
    SellerApproval,
    StaffOverride,
    SupplierRma,
    Withdrawal,
)

TASK_QUEUE: Final = "backhaul"

ORDER: Final = "Order"
RETURN: Final = "Return"
REFUND: Final = "Refund"

ORDER_EVENTS: Final[dict[str, type[Event]]] = {
    "release": Release,
    "cancel_request": CancelRequest,
    "payment_method_updated": PaymentMethodUpdated,
    "shipment": Shipment,
    "hold": Hold,
    "resume": Resume,
}

RETURN_EVENTS: Final[dict[str, type[Event]]] = {
    "seller_approval": SellerApproval,
    "supplier_rma": SupplierRma,
    "return_tracking": ReturnTracking,
    "goods_received": GoodsReceived,
    "credit_memo": CreditMemo,
    "buyer_refund": BuyerRefund,
    "withdrawal": Withdrawal,
    "channel_update": ChannelUpdate,
    "staff_override": StaffOverride,
}

GATEWAY_UPDATE: Final = "gateway_update"
REFUND_EVENTS: Final[dict[str, type[Event]]] = {GATEWAY_UPDATE: GatewayUpdate}

REFUND_TAKEN_BACK: Final = "refund_taken_back"
"""The signal by which a refund tells its order or return that it failed after all; no event of outsiders."""

EVENTS: Final[dict[str, dict[str, type[Event]]]] = {
    ORDER: ORDER_EVENTS,
    RETURN: RETURN_EVENTS,
    REFUND: REFUND_EVENTS,
}

STAGE: Final = SearchAttributeKey.for_keyword("Stage")
WAITING_ON: Final = SearchAttributeKey.for_keyword("WaitingOn")
SELLER_ID: Final = SearchAttributeKey.for_keyword("SellerId")
SUPPLIER_ID: Final = SearchAttributeKey.for_keyword("SupplierId")
ORDER_ID: Final = SearchAttributeKey.for_keyword("OrderId")
RETURN_ID: Final = SearchAttributeKey.for_keyword("ReturnId")
RMA_NUMBER: Final = SearchAttributeKey.for_keyword("RmaNumber")
CHANNEL: Final = SearchAttributeKey.for_keyword("Channel")
DUE_BY: Final = SearchAttributeKey.for_datetime("DueBy")
SLA_STATE: Final = SearchAttributeKey.for_keyword("SlaState")
REJECTED_EVENTS: Final = SearchAttributeKey.for_int("RejectedEvents")

SEARCH_ATTRIBUTES: Final = (
    STAGE,
    WAITING_ON,
    SELLER_ID,
    SUPPLIER_ID,
    ORDER_ID,
    RETURN_ID,
    RMA_NUMBER,
    CHANNEL,
    DUE_BY,
    SLA_STATE,
    REJECTED_EVENTS,
)
