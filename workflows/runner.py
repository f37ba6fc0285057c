"""How a worker runs workflows: in a sandbox or not, and what is refused before a case begins."""

from typing import Final, Literal

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from models.converter import NO_REQUEST

PASSED_THROUGH: Final = ("models", "iso4217", "pydantic", "pydantic_core", "pydantic_settings", "email_validator")
"""Modules that the workflow sandbox takes as they are: without side effects, and dear to import per case."""

LONGEST_TASK: Final = 8
"""Seconds."""

_NO_STORE: Final = StorageDriverStoreContext()


class OneRequestRunner(SandboxedWorkflowRunner):
    """Fails a case that was started with no argument, or with several, as one with a bad request.

    Otherwise its task would be tried for ever, and the id be taken.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _with_one_request(super().create_instance(det))


class OneRequestUnsandboxedRunner(UnsandboxedWorkflowRunner):
    """The same without a sandbox."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _with_one_request(super().create_instance(det))


def _with_one_request(instance: WorkflowInstance) -> WorkflowInstance:
    activate = instance.activate

    def at_the_door(act: WorkflowActivation) -> WorkflowActivationCompletion:
        for job in act.jobs:
            arguments = job.initialize_workflow.arguments
            if job.HasField("initialize_workflow") and len(arguments) != 1:
                del arguments[:]
                arguments.append(NO_REQUEST)
        return activate(act)

    instance.activate = at_the_door  # type: ignore[method-assign]
    # Our converters don't ask whose payload it is, nothing is stored outside; to tell them, the SDK would enter
    # the sandbox for each payload.
    instance.get_serialization_context = lambda _: None  # type: ignore[method-assign, assignment]
    instance.get_external_store_context = lambda _: _NO_STORE  # type: ignore[method-assign, assignment]
    return instance


def give_tasks_time(worker: Worker) -> None:
    """The SDK ends a workflow task after 2 seconds of the clock as a deadlock, be it only that the machine is
    busy; the next try then has still more to do. The server gives a task 10 seconds: nearly so does the worker."""
    tasks = worker._workflow_worker
    if tasks is None:
        return  # it has activities only
    assert hasattr(tasks, "_deadlock_timeout_seconds"), "the SDK has another name for it"
    tasks._deadlock_timeout_seconds = LONGEST_TASK


def workflow_runner(sandbox: Literal["strict", "on", "off"]) -> WorkflowRunner:
    """How workflows run under this setting."""
    if sandbox == "off":
        return OneRequestUnsandboxedRunner()
    passed = PASSED_THROUGH if sandbox == "strict" else (*PASSED_THROUGH, "workflows")
    return OneRequestRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*passed))
