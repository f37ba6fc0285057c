"""What people are told who send, and ask: the answer once it is decided, and never how the code is laid out."""

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models.case import Answer
from models.ids import order_workflow_id
from starter.client.status import ask_status, failure_of_case
from tests.return_story import returning
from tests.rules.test_started_wrongly import refusal
from tests.world import World


async def test_REF_3_a_click_over_the_cap_is_answered_with_the_refusal(world: World) -> None:
    case = await (await returning(world)).approved()
    await case.track()
    answer = await case.click(amount="5000.00")
    assert not answer.accepted
    assert "5000.00" in answer.message or "refundable" in answer.message, answer.message
    answer = await case.click(amount="5.00")
    assert answer.accepted
    assert "succeeded" in answer.message


async def test_RET_16_a_form_of_the_ui_needs_only_the_reason(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    for _ in range(2):
        answer: Answer = await order.handle.execute_update(
            "hold", {"reason": "ask the buyer"}, id="form-1", result_type=Answer
        )
        assert answer.accepted
    held = [step for step in (await order.status()).timeline if "on hold" in step.what]
    assert [step.who for step in held] == ["staff:temporal-ui"]


async def test_a_refused_update_says_nothing_of_the_code(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await order.handle.execute_update("resume", {"reason": "go on"})
    cause = refused.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.failure is not None
    assert (cause.type, cause.failure.stack_trace) == ("Conflict", "")


async def test_the_status_of_an_order_that_was_started_wrongly_says_why(world: World) -> None:
    workflow_id = order_workflow_id(f"{world.tag}-wrong")
    assert await failure_of_case(world.client, workflow_id) is None, "there is none"
    await refusal(world, "Order", workflow_id, [{}])
    status = await failure_of_case(world.client, workflow_id)
    assert status is not None
    assert (status.stage, status.outcome) == ("failed", "failed")
    assert status.timeline[-1].what.startswith("it failed: OrderRequest: ")
    assert "order_id" in status.timeline[-1].what


async def test_the_status_of_an_order_under_anothers_id_says_why(world: World) -> None:
    known = await world.simple_order()
    assert await failure_of_case(world.client, known.handle.id) is None, "it runs"
    wrong = order_workflow_id(f"{world.tag}-another")
    await refusal(world, "Order", wrong, [known.request.model_dump(mode="json")])
    status = await ask_status(world.client, wrong)
    assert status is not None
    assert status.outcome == "failed"
    assert "start it as" in status.timeline[-1].what
