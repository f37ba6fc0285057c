"""Staff press Cancel in the Temporal UI, and what must hold of a case that they stopped."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError

from models.refunds import Direction, RefundState
from tests.case_story import CaseStory, OrderStory
from tests.eventually import PATIENCE, eventually


async def stopped(case: CaseStory) -> str:
    """Staff press Cancel in the UI; gives the stage at which it stood."""
    stage = (await case.status()).stage
    await case.handle.cancel()
    await comes_to_its_stop(case)
    return stage


async def comes_to_its_stop(case: CaseStory) -> None:
    """The workflow ends as cancelled, and the books say that it was stopped."""
    with pytest.raises(WorkflowFailureError) as ended:
        await asyncio.wait_for(case.handle.result(), PATIENCE)
    assert isinstance(ended.value.cause, CancelledError)
    status = await case.status()
    assert (status.stage, status.outcome) == ("stopped", "stopped")
    standing = await asyncio.to_thread(case.stack.reading.standing, status.workflow_id)
    assert standing is not None
    assert (standing.stage, standing.ended) == ("stopped", True)


async def started_again(case: CaseStory) -> str:
    """Somebody starts the same id again, past the starter and its reuse policy; gives what the new run says."""
    client = case.stack.client
    begun = await anext(case.handle.fetch_history_events(page_size=1))
    attributes = begun.workflow_execution_started_event_attributes
    (request,) = await client.data_converter.decode(attributes.input.payloads)
    kind = attributes.workflow_type.name
    again = await client.start_workflow(kind, request, id=case.handle.id, task_queue=case.stack.task_queue)
    result = await asyncio.wait_for(again.result(), PATIENCE)
    return str(result.get("outcome") or result["state"])


async def pauses_pass(case: CaseStory, stage: str = "") -> None:
    """Let the pauses between tries pass, for a case whose partners were out of order, until it has ended or
    stands at `stage`."""

    async def goes_on() -> bool:
        if (await case.handle.describe()).status is not WorkflowExecutionStatus.RUNNING:
            return True
        if stage and (await case.status()).stage == stage:
            return True
        with suppress(RPCError):  # it may have ended by now
            await case.stack.env.fast_forward(case.handle, timedelta(minutes=23))
        return False

    await eventually(goes_on, bool, f"{case.id} does not come to {stage or 'its end'}")


async def staff_letters(order: OrderStory) -> str:
    """All that staff were told about the order, in one text."""
    letters = await order.mails(to=str(order.stack.settings.mail_staff))
    return "\n".join(letter.text or "" for letter in letters if order.id in f"{letter.subject} {letter.text}")


async def assert_order_accounted_for(order: OrderStory) -> None:
    """Of a stopped order: nothing hangs in the air, what partners did is in the books, and what was neither
    finished nor given back is named to staff."""
    effects, books = await order.effects(), await order.books()
    assert not [one for one in effects.payment_intents if one.status == "requires_capture"], "money is still held"
    at_supplier = {one.number for one in effects.supplier_orders}
    in_books = {one.number: one.state for one in books.supplier_orders}
    assert at_supplier <= {number for number, state in in_books.items() if state in ("accepted", "unknown")}

    taken = sum((one.amount for one in effects.captures), Decimal(0))
    given_back = [one for one in effects.refunds if "-OS" in one.metadata["backhaul_id"]]
    assert set(Counter(one.metadata["backhaul_id"] for one in given_back).values()) <= {1}, "refunded twice"
    back = sum((one.amount for one in given_back), Decimal(0))
    told = await staff_letters(order)
    open_numbers = [number for number, state in in_books.items() if state != "refused"]
    if open_numbers or (taken and not back):
        told = await eventually(
            lambda: staff_letters(order), lambda seen: "nothing was called back" in seen, "told"
        )
        assert all(f"order {number} " in told for number in open_numbers)
        assert f"charged {taken}" in told
    else:
        assert taken == back
        assert [stop.state for stop in effects.stops] == ["stopped"]
    assert back <= taken
    in_refunds = [one for one in books.refunds.refunds if one.direction is Direction.BROKER_TO_SELLER]
    assert sorted(one.refund_id for one in in_refunds if one.state is not RefundState.REFUSED) == sorted(
        one.metadata["backhaul_id"] for one in given_back
    )
