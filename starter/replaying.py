"""Before a deploy: would the code at hand go on with the cases that are open on a server?"""

from collections.abc import AsyncIterator

from temporalio.client import Client
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from models.contract import ORDER, REFUND, RETURN
from models.message import Message
from worker import PASSED_THROUGH
from workflows.registry import WORKFLOWS

OPEN_CASES = f'ExecutionStatus="Running" AND WorkflowType IN ("{ORDER}", "{RETURN}", "{REFUND}")'


class Replayed(Message):
    """One open case; `broken_by` says why this code can't go on with it, none: it can."""

    workflow_id: str
    run_id: str
    broken_by: str | None


async def replay_open_cases(client: Client) -> AsyncIterator[Replayed]:
    """Replay each open case of the server on the code at hand; nothing is changed there.

    Replay sees commands: another activity, another order, one more or less. It does not see a changed
    duration or argument.
    """
    replayer = Replayer(
        workflows=WORKFLOWS,
        namespace=client.namespace,
        data_converter=client.data_converter,
        workflow_runner=SandboxedWorkflowRunner(
            restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
        ),
    )
    histories = client.list_workflows(OPEN_CASES).map_histories()
    async with replayer.workflow_replay_iterator(histories) as results:
        async for result in results:
            failure = result.replay_failure
            yield Replayed(
                workflow_id=result.history.workflow_id,
                run_id=result.history.run_id,
                broken_by=None if failure is None else str(failure).splitlines()[0][:300],
            )
