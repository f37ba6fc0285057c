"""Stories of what Amazon says by its reports: returns of all kinds, buyers who want to cancel, a settlement."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from activities.report_imports.activities import RETURNS, SETTLEMENTS
from models.amazon.report_imports import ReportDue, ReportImportRequest
from models.contract import SETTLEMENTS_DUE
from starter.client.start import open_report_import
from starter.demo.sample_data import AT_AMAZON, BRAKE_PADS, CURRENCY, SUMMIT
from starter.demo.stories_amazon import order_at_amazon, ship_at_amazon
from starter.demo.story import NotAsExpected, Story, StoryCase, StoryRun
from starter.ops.local_connections import SANDBOX_KEY

_SELLER: Final = "seller:service-desk"
_LOOK_SECONDS: Final = 4.0
"""The sandbox's Amazon takes seven for a report."""
_HALF_A_MINUTE: Final = 31 / 60

Row = dict[str, str]


def _table(rows: Iterable[Row]) -> str:
    """Tab separated, with every column that one of them has."""
    every = list(rows)
    columns = list(dict.fromkeys(name for row in every for name in row))
    return "\n".join(["\t".join(columns), *("\t".join(row.get(name, "") for name in columns) for row in every)])


# ---- a report with ten kinds of rows ----

_KINDS: Final[tuple[Row, ...]] = (
    {},
    {"Resolution": "RefundAtFirstScan"},
    {"A-to-Z Claim": "Y"},
    {"Resolution": "ReturnlessRefund"},
    {"Return request status": "Pending"},
    {"Return request status": "Rejected"},
    {"Return request status": "Cancelled"},
    {"Return request status": "Closed"},
    {"Order ID": "999-{number}-0000001"},
    {"Order ID": "no number"},
)
"""What tells each kind from a return that is simply approved: four become returns, four are left out by their
status, one is of an order that nobody knows, one can't be read."""


async def returns_of_ten_kinds(story: StoryRun) -> None:
    """AMZ-1, AMZ-2, RET-18, RET-20: each row has what follows from it, and none stops another."""
    order = order_at_amazon(story, story.order_id, len(_KINDS))
    await ship_at_amazon(story, order)
    plain = {
        "Order ID": order.channel_order_id or "",
        "Return request status": "Approved",
        "Merchant SKU": BRAKE_PADS.sku,
        "Return quantity": "1",
        "Return Reason": "CR-DEFECTIVE",
        "Resolution": "StandardRefund",
        "A-to-Z Claim": "N",
    }
    rows = [
        plain | kind | {"Amazon RMA ID": f"D{story.order_id}R{place}"}
        for place, kind in enumerate(_KINDS, start=1)
    ]
    content = _table(rows).replace("{number}", f"{story.order_id:0>7}")
    await story.environment.sandbox.amazon_reports(RETURNS, content)
    request = ReportImportRequest(
        import_id=f"{AT_AMAZON}.{story.order_id}",
        connection_id=AT_AMAZON,
        seller_id=SUMMIT.seller_id,
        source="Amazon",
    )
    client, queue = story.environment.skipper.client, story.environment.task_queue
    case = story.case((await open_report_import(client, request, task_queue=queue)).workflow_id)
    await _is_made(case)
    await case.ends("imported")
    counted = (await case.status()).facts["counted"]
    found = [counted[name] for name in ("created", "orphans", "rejected")]
    if found != [4, 1, 1] or sum(counted["skipped"].values()) != 4:
        raise NotAsExpected(f"of the report's ten rows became {counted}")


async def _is_made(case: StoryCase) -> None:
    """Amazon makes the report, and it is looked for every half minute."""
    await case.reaches("in_the_making")
    while (await case.status()).stage == "in_the_making":
        await asyncio.sleep(_LOOK_SECONDS)
        await case.forward(minutes=_HALF_A_MINUTE)


# ---- buyers who want to cancel ----


async def buyers_want_to_cancel(story: StoryRun) -> None:
    """CAN-7, CAN-8: one seller answers within two days; another after them, when staff know of it already."""
    in_time = await _asked(story, story.order_id)
    late = await _asked(story, f"{story.order_id}-2")
    await in_time.forward(days=1)
    await in_time.receives("cancel_request", _SELLER, reason="granted")
    await in_time.ends("cancelled")
    await late.forward(days=3)
    await late.shows("that nobody has answered", lambda status: status.stage == "on_hold")
    await late.receives("cancel_request", _SELLER, reason="granted")
    await late.ends("cancelled")


async def _asked(story: StoryRun, order_id: str) -> StoryCase:
    """An order that waits for the answer."""
    order = await story.arrives(order_at_amazon(story, order_id), SUMMIT)
    await order.reaches("cancel_window")
    await order.receives("hold", "channel:amazon", reason="ordered by mistake", answer_days=2)
    await order.forward(minutes=31)
    await order.reaches("on_hold")
    return order


# ---- a settlement with a difference ----


async def settlement_with_a_difference(story: StoryRun) -> None:
    """AMZ-8, RET-18: one settlement does not add up, and is held; the next one has a refund that nobody made here,
    and the return hears of it."""
    order = order_at_amazon(story, story.order_id)
    await ship_at_amazon(story, order)
    back = await story.ask_to_return({BRAKE_PADS: 1}, "defective")
    sold = {
        "transaction-type": "Order",
        "order-id": order.channel_order_id or "",
        "amount-type": "ItemPrice",
        "amount-description": "Principal",
        "amount": f"{2 * BRAKE_PADS.price}",
        "order-item-code": order.lines[0].line_id or "",
    }
    refunded = sold | {"transaction-type": "Refund", "amount": f"{-BRAKE_PADS.price}"}
    held = _settlement(f"{story.order_id}1", f"{2 * BRAKE_PADS.price + 1}", [sold])
    right = _settlement(f"{story.order_id}2", f"{BRAKE_PADS.price}", [sold, refunded])
    for content, days_ago in ((held, 1), (right, 0)):
        of_summit: dict[str, Any] = {"ready": True, "days_ago": days_ago, "account": SANDBOX_KEY}
        await story.environment.sandbox.amazon_reports(SETTLEMENTS, content, **of_summit)
    story.step("the schedule looks for settlements at Amazon")
    client, queue = story.environment.skipper.client, story.environment.task_queue
    due = ReportDue(connection_id=AT_AMAZON, seller_id=SUMMIT.seller_id)
    looks = f"settlements-due-{AT_AMAZON}-{story.order_id}"
    await client.start_workflow(SETTLEMENTS_DUE, due, id=looks, task_queue=queue)
    await back.shows("that Amazon refunded", lambda status: bool(status.facts["refunded_by_channel"]))
    story.note_end(back.workflow_id, "knows by the settlement that Amazon refunded", as_expected=True)


def _settlement(number: str, total: str, rows: Iterable[Row]) -> str:
    head = {
        "settlement-id": number,
        "settlement-start-date": "2026-03-01 00:00:00 UTC",
        "settlement-end-date": "2026-03-15 00:00:00 UTC",
        "deposit-date": "2026-03-17 00:00:00 UTC",
        "total-amount": total,
        "currency": CURRENCY,
    }
    posted = {"settlement-id": number, "posted-date-time": "2026-03-04 05:23:19 UTC"}
    named = ("merchant-adjustment-item-id", "sku", "quantity-purchased")
    return _table([head, *(posted | row | dict.fromkeys(named, "") for row in rows)])


STORIES: Final = (
    Story("Amazon's returns report has rows of ten kinds: each has what follows from it", returns_of_ten_kinds),
    Story("Buyers want to cancel at Amazon: one is answered in time, one too late", buyers_want_to_cancel),
    Story(
        "A settlement that does not add up is held; another tells what Amazon refunded",
        settlement_with_a_difference,
    ),
)
