"""What a case shows from its start fits the server's limits, however long people write (RET-2)."""

from typing import Any

import pytest

from models.converter import DATA_CONVERTER
from models.refunds import RefundRequest
from models.returns import ReturnRequest
from starter.client.start import open_refund, open_return
from tests.case_story import CaseStory
from tests.world import World

SUMMARY_LIMIT, DETAILS_LIMIT = 400, 20_000
"""Bytes that Temporal promises to keep."""


async def shown(case: CaseStory) -> tuple[str, str]:
    """Summary and details of the case's page."""
    told = await case.handle.describe()
    return await told.static_summary() or "", await told.static_details() or ""


def stored(text: str) -> int:
    """How many bytes of the server it takes, with its encoding's name."""
    payload = DATA_CONVERTER.payload_converter.to_payload(text)
    return payload.ByteSize()


@pytest.mark.parametrize("letter", ["x", "ü", "€", "🚗", '"'])
async def test_RET_2_a_return_with_long_reasons_on_a_hundred_lines_is_opened(world: World, letter: str) -> None:
    lines = [{"sku": f"{number:03}" + letter * 90, "quantity": 1, "reason": letter * 500} for number in range(100)]
    request = ReturnRequest.at_the_door(
        {"return_id": f"RR-{world.tag}-1", "order_id": world.tag, "lines": lines, "source": "seller"}
    )

    opened = await open_return(world.client, request, task_queue=world.task_queue)

    assert not opened.already
    summary, details = await shown(world.return_story(request.return_id))
    assert summary.endswith("100 lines")
    assert details.startswith(f"- 1 x 000{letter}")
    assert details.endswith("…")
    assert 19_500 < stored(details) <= DETAILS_LIMIT
    assert stored(summary) <= SUMMARY_LIMIT


async def test_REF_2_a_refund_with_the_longest_ids_and_reason_is_opened(world: World) -> None:
    long: dict[str, Any] = {
        "refund_id": f"RF-{world.tag}".ljust(160, "9"),
        "order_id": world.tag.ljust(100, "9"),
        "currency": "USD",
        "reason": "€" * 500,
        "requested_by": "seller:jane",
    }
    request = RefundRequest.at_the_door(long)

    await open_refund(world.client, request, task_queue=world.task_queue)

    summary, details = await shown(world.refund_story(request.refund_id))
    assert details == "seller to buyer: " + "€" * 500
    assert summary.startswith(f"Refund {request.refund_id} · order ")
    assert stored(summary) <= SUMMARY_LIMIT
