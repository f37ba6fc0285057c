"""What `cost-review request` and `cost-review list` do."""

from functools import partial

from models.cost_reviews import CostReviewRequest
from models.ids import cost_review_id, cost_review_workflow_id
from starter.cli.case_filter import Filter
from starter.cli.case_lookup import books
from starter.cli.opened_cases import next_free, say_opening
from starter.cli.output import money, remark, say, show_json, show_table
from starter.client.connection import connect
from starter.client.start import open_cost_review


async def request_review(order: str, evidence: list[dict[str, str]], said: dict[str, str | None]) -> None:
    """`said`: what else was typed. Raises InvalidInput, NotFound (no such order), EventRefused (BAL-2),
    PartnerUnavailable."""
    with books() as reading:
        view = reading.order_view(order)
        free = next_free(reading, partial(cost_review_id, order), cost_review_workflow_id)
    data = {
        **said,
        "review_id": said["review_id"] or free,
        "order_id": order,
        "currency": said["currency"] or view.request.paid_currency,
        "evidence": evidence,
    }
    request = CostReviewRequest.at_the_door(data)
    client = await connect()
    command = f"backhaul cost-review show {request.review_id}"
    await say_opening(client, await open_cost_review(client, request), f"review {request.review_id}", command)


def list_reviews(wanted: Filter, as_json: bool, *, every: bool = True) -> None:
    """Raises what `books` raises."""
    with books() as reading:
        found = reading.find_cost_reviews(**wanted.as_arguments(), ended=every)
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
    if len(found) == wanted.limit and last is not None:
        remark(f"there may be more: --after {last.cursor}")
