"""The tables of the database. Workflows never import this: SQLModel is slow to load in their sandbox.

Amounts are exact (`Money`), times are in UTC (`UtcTime`), states are words, snapshots are JSON documents
read through their models. Nothing is deleted by a cascade. Written once and never changed: an order's
request and shares, shipments, cessations, credit memos, steps.
"""

from models.tables.amazon_queue import AmazonBatchRow, AmazonQueueRow
from models.tables.call_rates import CallRateRow
from models.tables.cases import CaseRow, StepRow, stands_in
from models.tables.claims import ClaimRow
from models.tables.columns import METADATA
from models.tables.connections import ConnectionRow
from models.tables.cost_reviews import CostReviewRow
from models.tables.fulfilment import (
    CessationRow,
    ShipmentLineRow,
    ShipmentParcelRow,
    ShipmentRow,
    SupplierOrderLineRow,
    SupplierOrderRow,
)
from models.tables.ledger import LedgerLineRow
from models.tables.mails import AlertRow, MailRow
from models.tables.orders import ChargeRow, OrderLineRow, OrderRow, PaymentRow
from models.tables.parties import SellerRow, SupplierRow
from models.tables.refunds import RefundRow, RefundUnitsRow
from models.tables.report_imports import RejectedRowRow, ReportedCaseRow, ReportImportRow
from models.tables.returns import (
    CreditMemoRow,
    ReceptionRow,
    ReturnLineRow,
    ReturnParcelRow,
    ReturnRow,
    ReturnUnitsRow,
)
from models.tables.settlements import SettledRefundRow, SettlementAmountRow, SettlementRow
from models.tables.webhooks import WebhookRefusalRow, WebhookRow

__all__ = [
    "METADATA",
    "AlertRow",
    "AmazonBatchRow",
    "AmazonQueueRow",
    "CallRateRow",
    "CaseRow",
    "CessationRow",
    "ChargeRow",
    "ClaimRow",
    "ConnectionRow",
    "CostReviewRow",
    "CreditMemoRow",
    "LedgerLineRow",
    "MailRow",
    "OrderLineRow",
    "OrderRow",
    "PaymentRow",
    "ReceptionRow",
    "RefundRow",
    "RefundUnitsRow",
    "RejectedRowRow",
    "ReportImportRow",
    "ReportedCaseRow",
    "ReturnLineRow",
    "ReturnParcelRow",
    "ReturnRow",
    "ReturnUnitsRow",
    "SellerRow",
    "SettledRefundRow",
    "SettlementAmountRow",
    "SettlementRow",
    "ShipmentLineRow",
    "ShipmentParcelRow",
    "ShipmentRow",
    "StepRow",
    "SupplierOrderLineRow",
    "SupplierOrderRow",
    "SupplierRow",
    "WebhookRefusalRow",
    "WebhookRow",
    "stands_in",
]
