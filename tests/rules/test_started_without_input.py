"""A case that is started with no input, or with two, fails at once and says why; it is not tried for ever."""

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from models import contract
from tests.world import PATIENCE, World


@pytest.mark.parametrize("inputs", [[], [{}, {}]], ids=["none", "two"])
@pytest.mark.parametrize("kind", list(contract.EVENTS))
async def test_RET_16_a_case_started_without_its_one_input_fails_with_its_type_and_does_not_loop(
    world: World, kind: str, inputs: list[Any]
) -> None:
    handle = await world.client.start_workflow(
        kind, args=inputs, id=f"{kind.lower()}-{world.tag}", task_queue=world.task_queue
    )
    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(handle.result(), PATIENCE)
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, f"{len(inputs)} arguments were sent" in str(cause)) == ("InvalidInput", True)
