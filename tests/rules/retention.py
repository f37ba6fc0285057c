"""The server forgets a case that has ended, as it does after its retention."""

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from tests.case_story import CaseStory
from tests.eventually import eventually


async def forget(case: CaseStory) -> None:
    """Delete a case that has ended, and wait until it is gone."""
    service, execution = case.stack.client.workflow_service, WorkflowExecution(workflow_id=case.handle.id)
    await service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace=case.stack.client.namespace, workflow_execution=execution)
    )

    async def is_gone() -> bool:
        try:
            await case.handle.describe()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return False

    await eventually(is_gone, bool, f"the server still knows {case.id}")
