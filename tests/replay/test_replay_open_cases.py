"""`backhaul replay` tries the code on the open cases of a server: on those, and on no others."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from models.failures import PartnerUnavailable
from starter.ops import replay as replaying
from starter.ops.replay import Replayed, replay_open_cases
from tests.case_story import CaseStory
from tests.eventually import eventually
from tests.return_story import returning
from tests.world import World


@pytest.fixture
def queue(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """A task queue of this test; only its cases are replayed."""
    queue = f"replay-{world.tag}"
    monkeypatch.setattr(replaying, "OPEN_CASES", f'{replaying.OPEN_CASES} AND TaskQueue="{queue}"')
    return queue


async def replayed(world: World) -> dict[str, Replayed]:
    return {case.workflow_id: case async for case in replay_open_cases(world.client)}


async def listed(world: World, *cases: CaseStory) -> None:
    """The server's list knows a case a moment after the case is there."""

    async def ids() -> set[str]:
        return {case.id async for case in world.client.list_workflows(replaying.OPEN_CASES)}

    wanted = {case.handle.id for case in cases}
    await eventually(ids, lambda seen: seen == wanted, f"open cases are not {wanted}")


async def test_open_cases_of_a_server_can_go_on_with_this_code(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    back = await (await returning(world)).approved()

    seen = await replayed(world)

    mine = [seen[order.handle.id], seen[back.handle.id]]
    assert [(case.broken_by, case.unread_for) for case in mine] == [(None, None), (None, None)]
    assert back.order.handle.id not in seen, "a closed case is not replayed"


async def test_a_case_that_no_worker_has_looked_at_can_go_on(world: World, queue: str) -> None:
    order = await world.simple_order(task_queue=queue)
    await listed(world, order)

    (seen,) = (await replayed(world)).values()

    assert (seen.workflow_id, seen.broken_by) == (order.handle.id, None)


def before_it_is_read(monkeypatch: pytest.MonkeyPatch, happens: dict[str, Callable[[], Awaitable[Any]]]) -> None:
    """Let something happen to a case between the server's list and the reading of its history."""
    fetch = WorkflowHandle.fetch_history

    async def later(handle: WorkflowHandle[Any, Any], **options: Any) -> Any:
        if handle.id in happens:
            await happens.pop(handle.id)()
        return await fetch(handle, **options)

    monkeypatch.setattr(WorkflowHandle, "fetch_history", later)


async def test_a_case_that_ends_or_is_deleted_after_it_was_listed_is_no_open_case(
    world: World, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending, deleted, open_still = [await world.simple_order(task_queue=queue) for _ in range(3)]
    await listed(world, ending, deleted, open_still)

    async def delete() -> None:
        case = WorkflowExecution(workflow_id=deleted.handle.id)
        await world.client.workflow_service.delete_workflow_execution(
            DeleteWorkflowExecutionRequest(namespace=world.client.namespace, workflow_execution=case)
        )

        async def is_gone() -> bool:
            try:
                await deleted.handle.describe()
            except RPCError as error:
                return error.status is RPCStatusCode.NOT_FOUND
            return False

        await eventually(is_gone, bool, "it is not deleted")

    before_it_is_read(monkeypatch, {ending.handle.id: ending.handle.terminate, deleted.handle.id: delete})

    assert set(await replayed(world)) == {open_still.handle.id}


async def test_a_server_that_goes_away_meanwhile_is_told(
    world: World, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await world.simple_order(task_queue=queue)
    await listed(world, order)

    async def goes_away() -> None:
        raise RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")

    before_it_is_read(monkeypatch, {order.handle.id: goes_away})

    with pytest.raises(PartnerUnavailable, match=r"could not be replayed.*UNAVAILABLE"):
        await replayed(world)
