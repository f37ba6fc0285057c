"""What `cost-review request` and `cost-review list` do."""

from datetime import timedelta
from typing import Final

from models.case import CostReviewStage
from models.cost_reviews import CostReviewRequest
from models.failures import Category
from models.ids import cost_review_id, cost_review_workflow_id
from starter.cli.case_lookup import books
from starter.cli.output import money, remark, say, show_json, show_table
from starter.client.connection import connect
from starter.client.send import EventRefused
from starter.client.start import open_cost_review
from starter.client.status import ending_of, until_past

_OPENS_WITHIN: Final = timedelta(seconds=15)


async def request_review(
    order: str,
    return_id: str | None,
    amount: str,
    currency: str | None,
    notes: str,
    review_id: str | None,
    requested_by: str,
) -> None:
    """Raises InvalidInput, NotFound (no such order), EventRefused (BAL-2), PartnerUnavailable."""
    with books() as reading:
        view = reading.order_view(order)
        ordinal = 1
        while reading.standing(cost_review_workflow_id(cost_review_id(order, ordinal))) is not None:
            ordinal += 1
    data = {
        "review_id": review_id or cost_review_id(order, ordinal),
        "order_id": order,
        "return_id": return_id,
        "amount": amount,
        "currency": currency or view.request.paid_currency,
        "notes": notes,
        "requested_by": requested_by,
    }
    await _start(CostReviewRequest.at_the_door(data))


async def _start(request: CostReviewRequest) -> None:
    client = await connect()
    opened = await open_cost_review(client, request)
    if opened.already:
        say(f"review {request.review_id} already exists; see `backhaul cost-review show {request.review_id}`")
        return
    status = await until_past(client, opened.workflow_id, {CostReviewStage.OPENING}, _OPENS_WITHIN)
    if status is None or status.stage != CostReviewStage.REFUSED:
        say(f"review {request.review_id}: {status.stage if status is not None else 'recorded'}")
        return
    ended = await ending_of(client, opened.workflow_id)
    why = ended.message if ended is not None else "see its status"
    raise EventRefused(f"review {request.review_id}: {why}", Category.REFUSED_BY_RULE)


def list_reviews(*, every: bool, seller: str | None, limit: int, after: str | None, as_json: bool) -> None:
    """Raises what `books` raises."""
    with books() as reading:
        found = reading.find_cost_reviews(ended=every, seller=seller, limit=limit, after=after)
    if as_json:
        show_json(found)
        return
    if not found:
        say("nothing found")
        return
    show_table(
        ("review", "order", "return", "seller", "asked for", "approved", "state", "decided by", "due (UTC)"),
        (
            (
                row.review_id,
                row.order_id,
                row.return_id,
                row.seller_id,
                money(row.amount, row.currency),
                money(row.approved, row.currency) if row.approved is not None else None,
                row.state,
                row.decided_by,
                row.standing.due_by if row.standing is not None else None,
            )
            for row in found
        ),
        right=("asked for", "approved"),
    )
    last = found[-1].standing
    if len(found) == limit and last is not None:
        remark(f"there may be more: --after {last.cursor}")
