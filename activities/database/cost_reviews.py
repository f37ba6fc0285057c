"""Supplier-cost reviews in the database: asked for once, credited once (BAL-1, BAL-2)."""

from decimal import Decimal

from sqlmodel import Session, col, select

from activities.database import view_rows
from activities.database.case_numbers import add_numbers
from activities.database.cases import open_case, write_case
from activities.database.cost_review_views import CostReviewListed
from activities.database.ledger import post
from activities.database.ledger_facts import review_credited
from activities.database.lists import Page, of_page
from activities.database.refunds import refund_rows
from models.case import CostReviewStage
from models.cost_reviews import (
    CostReviewRequest,
    OpenCostReview,
    OpenedCostReview,
    ReviewState,
    SaveCostReview,
)
from models.failures import Conflict, NotFound
from models.ledger import cost_review_entries
from models.records import Saved
from models.refunds import Direction, RefundState
from models.tables import CaseRow, OrderRow, RefundRow, ReturnRow, SellerRow
from models.tables.cost_reviews import CostReviewRow


def open_cost_review(session: Session, ask: OpenCostReview) -> OpenedCostReview:
    """Write it down once: not more than the buyer was refunded, other reviews of it counted. `reason`: why not."""
    request = ask.request
    # The order's row is the lock: two reviews of one order are checked one after the other.
    order = session.exec(select(OrderRow).where(OrderRow.order_id == request.order_id).with_for_update()).first()
    if order is None:
        return OpenedCostReview(reason=f"no order {request.order_id}", refunded=Decimal(0))
    refunded = _refunded(session, request)
    before = session.get(CostReviewRow, request.review_id)
    if before is None and (why := _refusal(session, request, order, refunded)) is not None:
        return OpenedCostReview(reason=why, seller_id=order.seller_id, refunded=refunded)
    if before is not None and (before.run_id != ask.run_id or before.order_id != request.order_id):
        return OpenedCostReview(reason=f"review {request.review_id} exists already", refunded=refunded)
    if before is None:
        session.add(_row(ask, order))
        session.flush()
        stage = CostReviewStage.AWAITING_DECISION
        open_case(session, ask.workflow_id, ask.run_id, stage, order.seller_id, order.order_id, ask.at)
    seller = session.get(SellerRow, order.seller_id)
    settings = seller.settings if seller is not None else order.seller
    return OpenedCostReview(
        seller_id=order.seller_id,
        refunded=refunded,
        review_days=settings.review_days,
        review_reminder_days=settings.review_reminder_days,
    )


def save_cost_review(session: Session, ask: SaveCostReview) -> Saved:
    """Where it stands; what is approved is credited in the same transaction, once (BAL-1).

    Raises NotFound for a review that is not there, Conflict for one of another case.
    """
    # Before its review, as everywhere: the order stays locked.
    session.exec(
        select(OrderRow.order_id).where(OrderRow.order_id == ask.record.order_id).with_for_update()
    ).first()
    row = session.get(CostReviewRow, ask.review_id)
    if row is None:
        raise NotFound(f"no cost review {ask.review_id} in the database")
    if row.workflow_id != ask.record.workflow_id:
        raise Conflict(f"cost review {ask.review_id} is another case's")
    is_newest = write_case(session, ask.record)
    add_numbers(session, ask.record.workflow_id, ask.record.numbers)
    if not is_newest or row.state is not ReviewState.OPEN:
        return Saved(is_newest=is_newest)
    row.evidence = [one.model_dump(mode="json", exclude_none=True) for one in ask.evidence]
    if ask.state is not ReviewState.OPEN:
        row.state, row.approved, row.settled_at = ask.state, ask.approved, ask.at
        row.decided_by, row.reason = ask.decided_by, ask.reason
    session.add(row)
    session.flush()
    if row.approved is not None:
        post(session, cost_review_entries(review_credited(row)))
    return Saved()


def _refusal(session: Session, request: CostReviewRequest, order: OrderRow, refunded: Decimal) -> str | None:
    if request.return_id is not None:
        found = session.get(ReturnRow, request.return_id)
        if found is None or found.order_id != order.order_id:
            return f"no return {request.return_id} of order {order.order_id}"
    if request.currency != order.payment_currency:
        return f"the buyer was refunded in {order.payment_currency}, the review is in {request.currency}"
    if not refunded:
        return "the buyer was not refunded: there is no cost to review yet"
    left = refunded - _claimed(session, request)
    if request.amount > left:
        asked = f"{request.amount} {request.currency}"
        return (
            f"{asked} is more than the {max(left, Decimal(0))} that the buyer was refunded and no review is about"
        )
    return None


def _refunded(session: Session, request: CostReviewRequest) -> Decimal:
    """What the buyer has back, of the return or of the whole order."""
    return sum((row.amount for row in refund_rows(session, request.order_id) if _is_of(row, request)), Decimal(0))


def _is_of(row: RefundRow, request: CostReviewRequest) -> bool:
    to_buyer = row.direction is Direction.SELLER_TO_BUYER and row.state is RefundState.SUCCEEDED
    return to_buyer and request.return_id in (None, row.return_id)


def _claimed(session: Session, request: CostReviewRequest) -> Decimal:
    """By other reviews that are approved or still open. One of the whole order counts for each of its returns."""
    rows = (
        select(CostReviewRow, CaseRow.ended)
        .join(CaseRow, col(CaseRow.workflow_id) == col(CostReviewRow.workflow_id))
        .where(CostReviewRow.order_id == request.order_id)
    )
    taken = Decimal(0)
    for row, has_ended in session.exec(rows):
        if request.return_id is not None and row.return_id not in (None, request.return_id):
            continue
        if row.approved is not None:
            taken += row.approved
        elif row.state is ReviewState.OPEN and not has_ended:
            taken += row.amount
    return taken


def _row(ask: OpenCostReview, order: OrderRow) -> CostReviewRow:
    request = ask.request
    return CostReviewRow(
        review_id=request.review_id,
        workflow_id=ask.workflow_id,
        run_id=ask.run_id,
        order_id=order.order_id,
        return_id=request.return_id,
        seller_id=order.seller_id,
        amount=request.amount,
        currency=request.currency,
        state=ReviewState.OPEN,
        notes=request.notes,
        requested_by=request.requested_by,
        evidence=[one.model_dump(mode="json", exclude_none=True) for one in request.evidence],
        requested_at=ask.at,
    )


def cost_reviews(session: Session, page: Page, *, ended: bool) -> list[CostReviewListed]:
    """What is open first; without `ended`, that alone."""
    rows = select(CostReviewRow, CaseRow).join(CaseRow, col(CaseRow.workflow_id) == col(CostReviewRow.workflow_id))
    if not ended:
        rows = rows.where(col(CaseRow.ended).is_(False))
    return [_listed(row, case) for row, case in session.execute(of_page(rows, "cost-review", page))]


def cost_review(session: Session, review_id: str) -> CostReviewListed:
    """One review. Raises NotFound."""
    row = session.get(CostReviewRow, review_id)
    if row is None:
        raise NotFound(f"no cost review {review_id} in the database")
    return _listed(row, session.get(CaseRow, row.workflow_id))


def _listed(row: CostReviewRow, case: CaseRow | None) -> CostReviewListed:
    known = {name: getattr(row, name) for name in CostReviewListed.model_fields if name != "standing"}
    return CostReviewListed(**known, standing=view_rows.standing(case))
