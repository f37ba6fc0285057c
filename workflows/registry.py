"""All workflows that a worker runs."""

from typing import Final

from workflows.channel_batches.workflow import ChannelBatch
from workflows.claims.workflow import Claim
from workflows.corrections.workflow import Correction
from workflows.cost_reviews.workflow import CostReview
from workflows.deliveries.workflow import Delivery
from workflows.orders.workflow import Order
from workflows.orphans.workflow import Orphan
from workflows.queue_submissions.workflow import QueueSubmission
from workflows.refunds.workflow import Refund
from workflows.report_imports.workflow import OrdersDue, ReportImport, ReturnsDue
from workflows.returns.workflow import Return
from workflows.settlement_looks.workflow import SettlementsDue

WORKFLOWS: Final[list[type]] = [
    Order,
    Return,
    Refund,
    Orphan,
    CostReview,
    Claim,
    ChannelBatch,
    QueueSubmission,
    ReportImport,
    ReturnsDue,
    OrdersDue,
    SettlementsDue,
    Delivery,
    Correction,
]
