"""Is something still under way? And when a run does not come to its end: who waits for what, and why."""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Final

from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.database import Reading
from tests.chaos.evidence import PROBLEMS
from tests.chaos.rig import Rig, eventually
from tests.chaos.stories import PATIENCE_SECONDS, patiently

LAST_KILLS: Final = 12
LAST_LOGS: Final = 4
LAST_LINES: Final = 25
"""Of each log."""


async def under_way(client: Client, tag: str = "") -> list[str]:
    """What is not calm: a line for each activity or workflow task that is under way, or waits for its next try.

    A case that waits for people, partners or its own timer is calm, however long it may stay open.
    """
    found: list[str] = []
    async for case in client.list_workflows("ExecutionStatus = 'Running'"):
        if tag not in case.id:
            continue
        try:
            raw = (await client.get_workflow_handle(case.id, run_id=case.run_id).describe()).raw_description
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        else:
            found += [f"{case.id}: {what}" for what in _pending(raw)]
    return found


async def calm(rig: Rig) -> None:
    """Until nothing is under way, so that books and partners can be compared.

    What failed while parts were away is tried again at once: its next pause may be long by now. Raises
    AssertionError naming what is still under way after more than an activity's minute, and its retries.
    """
    left: list[str] = []

    async def is_calm() -> bool:
        await patiently(rig.try_again_now)
        left[:] = await patiently(lambda: under_way(rig.client))
        return not left

    try:
        await eventually(is_calm, "nothing is under way", PATIENCE_SECONDS, every=0.5)
    except AssertionError as error:
        raise AssertionError(f"{error}, but {'; '.join(left)}") from None


async def situation(rig: Rig) -> str:
    """For people: the open cases, the last kills, and what the processes wrote last. Never raises."""
    for frozen in ("server", "worker"):
        with contextlib.suppress(ProcessLookupError):  # it may be the one that is dead
            rig.thaw(frozen)
    parts = [_killed(rig)]
    try:
        async with asyncio.timeout(60):
            parts.append(await _open_cases(rig))
    except Exception as error:
        parts.append(f"the open cases can't be listed: {type(error).__name__}: {error}")
    for log in rig.logs()[-LAST_LOGS:]:
        lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        parts.append("\n".join([f"--- the end of {log}", *(line[:400] for line in lines)]))
    return "\n".join(parts)


def _killed(rig: Rig) -> str:
    kills = [f"    {kill.at:%H:%M:%S.%f} {kill.what}" for kill in rig.kills[-LAST_KILLS:]]
    return "\n".join([f"--- the last of {len(rig.kills)} kills", *kills])


async def _open_cases(rig: Rig) -> str:
    lines = [f"--- open cases at {datetime.now(UTC):%H:%M:%S}; those that are not calm with what is pending"]
    for case in await rig.running_cases():
        described = await rig.client.get_workflow_handle(case.id, run_id=case.run_id).describe()
        problems = described.typed_search_attributes.get(PROBLEMS) or ()
        lines.append(
            f"{case.id}: {await asyncio.to_thread(_stands, rig, case.id)}{''.join(f', {one}' for one in problems)}"
        )
        lines += [f"    {what}" for what in _pending(described.raw_description)]
    return "\n".join(lines)


def _stands(rig: Rig, workflow_id: str) -> str:
    try:
        standing = Reading(rig.engine).standing(workflow_id)
    except Exception as error:
        return f"the books do not answer ({type(error).__name__})"
    if standing is None:
        return "not in the books"
    return f"at {standing.stage}, waits for {standing.waiting_on}: {standing.waiting_for}"


def _pending(raw: DescribeWorkflowExecutionResponse) -> list[str]:
    lines = [_in_words(one) for one in raw.pending_activities]
    if raw.HasField("pending_workflow_task"):
        task = raw.pending_workflow_task
        state = PendingWorkflowTaskState.Name(task.state).removeprefix("PENDING_WORKFLOW_TASK_STATE_").lower()
        lines.append(f"workflow task, {state}, attempt {task.attempt}")
    return lines


def _in_words(one: PendingActivityInfo) -> str:
    state = PendingActivityState.Name(one.state).removeprefix("PENDING_ACTIVITY_STATE_").lower()
    words = [f"{one.activity_type.name}, {state}, attempt {one.attempt}"]
    if one.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
        words.append(f"since {one.last_started_time.ToDatetime():%H:%M:%S} at {one.last_worker_identity}")
    elif one.HasField("next_attempt_schedule_time"):
        words.append(f"next try at {one.next_attempt_schedule_time.ToDatetime():%H:%M:%S}")
    if one.HasField("last_failure"):
        words.append(f"last failure: {_reasons(one.last_failure)}")
    return ", ".join(words)


def _reasons(failure: Failure) -> str:
    cause = f" <- {_reasons(failure.cause)}" if failure.HasField("cause") else ""
    return failure.message + cause
