"""A case that is started with anything but one request fails at once, and its id is free again (RET-16)."""

import asyncio
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from models.contract import EVENTS, ORDER
from models.ids import order_workflow_id
from starter.client.start import open_order
from tests.eventually import PATIENCE
from tests.world import World

UNREADABLE = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{"))
UNKNOWN = RawValue(Payload(metadata={"encoding": b"of/another"}, data=b"{}"))
WRONG: dict[str, list[Any]] = {
    "nothing": [],
    "null": [None],
    "two": [{}, {}],
    "a text": ["1001"],
    "a list": [[1, 2]],
    "a number": [7],
    "empty": [{}],
    "bytes": [b"1001"],
    "unreadable": [UNREADABLE],
    "unknown": [UNKNOWN],
}


async def refusal(world: World, kind: str, workflow_id: str, args: list[Any]) -> ApplicationError:
    """How the workflow that is started so fails."""
    handle = await world.client.start_workflow(kind, args=args, id=workflow_id, task_queue=world.task_queue)
    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(handle.result(), PATIENCE)
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


@pytest.mark.parametrize("args", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("kind", EVENTS)
async def test_RET_16_a_case_that_is_started_wrongly_fails_at_once(
    world: World, kind: str, args: list[Any]
) -> None:
    error = await refusal(world, kind, f"{kind.lower()}-{world.tag}", args)
    assert (error.type, error.non_retryable) == ("InvalidInput", True)
    assert error.message.startswith(f"{kind}Request: ")


async def test_RET_16_the_real_order_is_opened_after_a_wrong_one_took_its_number(world: World) -> None:
    known = await world.simple_order()
    request = known.request.model_copy(update={"order_id": f"{world.tag}-1x"})
    await refusal(world, ORDER, order_workflow_id(request.order_id), [])

    opened = await open_order(world.client, request, task_queue=world.task_queue)

    assert not opened.already
    status = await world.client.get_workflow_handle(opened.workflow_id).query("status")
    assert status["stage"] in ("received", "cancel_window")
