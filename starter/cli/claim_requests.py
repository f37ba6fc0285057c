"""What `claim request` and `claim list` do."""

from functools import partial
from typing import Any

from models.claims import ClaimRequest
from models.ids import claim_id as numbered_claim
from models.ids import claim_workflow_id
from starter.cli.case_filter import Filter
from starter.cli.case_lookup import books
from starter.cli.events import quantity_line
from starter.cli.opened_cases import next_free, say_opening
from starter.cli.output import money, remark, say, show_json, show_table
from starter.client.connection import connect
from starter.client.start import open_claim


async def request_claim(
    order: str, lines: list[str], receipt: dict[str, str] | None, said: dict[str, str | None]
) -> None:
    """`said`: what else was typed. Raises InvalidInput, NotFound (no such order), EventRefused (CLM-1),
    PartnerUnavailable."""
    with books() as reading:
        view = reading.order_view(order)
        free = next_free(reading, partial(numbered_claim, order), claim_workflow_id)
    data: dict[str, Any] = {
        **said,
        "claim_id": said["claim_id"] or free,
        "order_id": order,
        "seller_id": said["seller_id"] or view.request.seller_id,
        "currency": said["currency"] or view.request.charge_currency,
        "lines": [quantity_line(line) for line in lines],
        "receipt": receipt,
    }
    request = ClaimRequest.at_the_door(data)
    client = await connect()
    command = f"backhaul claim show {request.claim_id}"
    await say_opening(client, await open_claim(client, request), f"claim {request.claim_id}", command)


def list_claims(wanted: Filter, as_json: bool, *, every: bool = True) -> None:
    """Raises what `books` raises."""
    with books() as reading:
        found = reading.find_claims(**wanted.as_arguments(), ended=every)
    if as_json:
        show_json(found)
        return
    if not found:
        say("nothing found")
        return
    show_table(
        (
            "claim",
            "order",
            "seller",
            "units",
            "claimed",
            "approved",
            "state",
            "receipts",
            "decided by",
            "due (UTC)",
        ),
        (
            (
                row.claim_id,
                row.order_id,
                row.seller_id,
                ", ".join(f"{one.quantity} x {one.sku}" for one in row.units),
                money(row.amount, row.currency),
                money(row.approved, row.currency) if row.approved is not None else None,
                row.state,
                len(row.receipts),
                row.decided_by,
                row.standing.due_by if row.standing is not None else None,
            )
            for row in found
        ),
        right=("claimed", "approved", "receipts"),
    )
    last = found[-1].standing
    if len(found) == wanted.limit and last is not None:
        remark(f"there may be more: --after {last.cursor}")
