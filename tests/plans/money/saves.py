"""What the engine saves of a case at each rest, in a transaction of its own."""

from models.claims import ClaimState
from models.cost_reviews import ReviewState
from tests.plans.money.book import Book
from workflows.claims.facts import ClaimFacts
from workflows.cost_reviews.facts import CostReviewFacts
from workflows.engine.case import CaseFacts
from workflows.orders.charges import records_of
from workflows.orders.facts import OrderFacts
from workflows.refunds.facts import RefundFacts


def save(book: Book, f: CaseFacts) -> None:
    """Done again, it changes nothing."""
    match f:
        case OrderFacts():
            if f.order_id in book.orders:
                order = book.orders[f.order_id]
                order.cancelled = {one.line_id: one.cancelled + one.voided for one in f.lines.counts}
                order.shipped = {one.line_id: one.shipped for one in f.lines.counts}
                book.charge(f.order_id, records_of(f.charges))
        case RefundFacts():
            if f.is_kept and not f.is_settling:
                book.settle(f.refund_id, f.state, f.gateway_refund_id)
        case ClaimFacts():
            if f.state is ClaimState.APPROVED and f.approved is not None:
                book.claim(f.request.claim_id, f.request.order_id, f.approved)
        case CostReviewFacts():
            if f.state is ReviewState.APPROVED and f.approved is not None:
                book.review(f.request.review_id, f.request.order_id, f.approved)
