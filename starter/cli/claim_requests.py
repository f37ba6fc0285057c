"""What `claim request` and `claim list` do."""

from datetime import timedelta
from typing import Any, Final

from models.case import ClaimStage
from models.claims import ClaimRequest
from models.failures import Category
from models.ids import claim_id as numbered_claim
from models.ids import claim_workflow_id
from starter.cli.case_lookup import books
from starter.cli.events import quantity_line
from starter.cli.output import money, remark, say, show_json, show_table
from starter.client.connection import connect
from starter.client.send import EventRefused
from starter.client.start import open_claim
from starter.client.status import ending_of, until_past

_OPENS_WITHIN: Final = timedelta(seconds=15)


async def request_claim(
    order: str, lines: list[str], receipt: dict[str, str] | None, said: dict[str, str | None]
) -> None:
    """`said`: what else was typed. Raises InvalidInput, NotFound (no such order), EventRefused (CLM-1),
    PartnerUnavailable."""
    with books() as reading:
        view = reading.order_view(order)
        ordinal = 1
        while reading.standing(claim_workflow_id(numbered_claim(order, ordinal))) is not None:
            ordinal += 1
    data: dict[str, Any] = {
        **said,
        "claim_id": said["claim_id"] or numbered_claim(order, ordinal),
        "order_id": order,
        "seller_id": said["seller_id"] or view.request.seller_id,
        "currency": said["currency"] or view.request.charge_currency,
        "lines": [quantity_line(line) for line in lines],
        "receipt": receipt,
    }
    await _start(ClaimRequest.at_the_door(data))


async def _start(request: ClaimRequest) -> None:
    client = await connect()
    opened = await open_claim(client, request)
    if opened.already:
        say(f"claim {request.claim_id} already exists; see `backhaul claim show {request.claim_id}`")
        return
    status = await until_past(client, opened.workflow_id, {ClaimStage.OPENING}, _OPENS_WITHIN)
    if status is None or status.stage != ClaimStage.REFUSED:
        say(f"claim {request.claim_id}: {status.stage if status is not None else 'recorded'}")
        return
    ended = await ending_of(client, opened.workflow_id)
    why = ended.message if ended is not None else "see its status"
    raise EventRefused(f"claim {request.claim_id}: {why}", Category.REFUSED_BY_RULE)


def list_claims(*, every: bool, seller: str | None, limit: int, after: str | None, as_json: bool) -> None:
    """Raises what `books` raises."""
    with books() as reading:
        found = reading.find_claims(ended=every, seller=seller, limit=limit, after=after)
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
    if len(found) == limit and last is not None:
        remark(f"there may be more: --after {last.cursor}")
