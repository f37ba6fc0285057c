"""What `cost-review request` and `cost-review list` do."""

from functools import partial

from models.cost_reviews import CostReviewRequest
from models.ids import cost_review_id, cost_review_workflow_id
from starter.cli.case_lookup import books
from starter.cli.opened_cases import next_free, say_opening
from starter.cli.output import money, remark, say, show_json, show_table
from starter.client.connection import connect
from starter.client.start import open_cost_review


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
        free = next_free(reading, partial(cost_review_id, order), cost_review_workflow_id)
    data = {
        "review_id": review_id or free,
        "order_id": order,
        "return_id": return_id,
        "amount": amount,
        "currency": currency or view.request.paid_currency,
        "notes": notes,
        "requested_by": requested_by,
    }
    request = CostReviewRequest.at_the_door(data)
    client = await connect()
    command = f"backhaul cost-review show {request.review_id}"
    await say_opening(client, await open_cost_review(client, request), f"review {request.review_id}", command)


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
