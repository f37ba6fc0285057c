"""The server's own time of an event, read from real histories (CAN-3)."""

import base64
import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RawValue
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.event_arrival import Arrivals
from models.cancellations import CancelRequest
from models.converter import DATA_CONVERTER
from models.encryption import EncryptionCodec, read_keys
from models.event_times import Arrival, AskArrival


@workflow.defn
class Listening:
    """Hears whatever is sent, and ends when told so."""

    def __init__(self) -> None:
        self.over = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.over)

    @workflow.signal
    def end(self) -> None:
        self.over = True

    @workflow.signal(dynamic=True)
    def hear(self, name: str, payload: Sequence[RawValue]) -> None:
        return

    @workflow.update(dynamic=True)
    def answer(self, name: str, payload: Sequence[RawValue]) -> str:
        return name


def cancel(event_id: str, channel_reference: str | None = None) -> CancelRequest:
    return CancelRequest(
        event_id=event_id, actor="seller:jane", reason="changed their mind", channel_reference=channel_reference
    )


async def arrival(
    temporal: WorkflowEnvironment,
    workflow_id: str,
    run_id: str,
    event_id: str,
    name: str = "cancel_request",
    event: CancelRequest | None = None,
    client: Client | None = None,
) -> Arrival:
    ask = AskArrival(workflow_id=workflow_id, run_id=run_id, event_name=name, event_id=event_id, event=event)
    return await ActivityEnvironment().run(Arrivals(client or temporal.client).event_arrival, ask)


async def test_CAN_3_a_signal_arrives_when_the_server_recorded_it_and_not_when_a_worker_got_round_to_it(
    temporal: WorkflowEnvironment,
) -> None:
    handle = await temporal.client.start_workflow(
        Listening.run, id=f"order-{uuid4()}", task_queue=f"none-{uuid4()}"
    )
    run_id = handle.result_run_id or ""
    for junk in ([], [1], "text", {"event_id": 7}, {"other": "c-1"}):
        await handle.signal("cancel_request", junk)
    await handle.signal("cancel_request", args=[{"event_id": "c-1"}, {"event_id": "c-1"}])
    await handle.signal("hold", {"event_id": "c-1", "actor": "seller:jane", "reason": "ask"})
    await handle.signal("cancel_request", cancel("c-0"))
    await handle.signal("cancel_request", {**cancel("c-1").model_dump(mode="json"), "event_id": " c-1 "})
    await handle.signal("cancel_request", cancel("c-1"))
    signals = [
        event.event_time.ToDatetime(tzinfo=UTC)
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    ]

    found = await arrival(temporal, handle.id, run_id, "c-1")

    assert found.at == signals[8].isoformat(timespec="microseconds")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(found.at)) < timedelta(minutes=1)
    assert await arrival(temporal, handle.id, run_id, "c-2") == Arrival(at=None)
    assert (await arrival(temporal, handle.id, run_id, "c-1", name="hold")).at == signals[6].isoformat(
        timespec="microseconds"
    )
    await handle.terminate()


async def signals_of(handle: WorkflowHandle[Any, Any]) -> list[str]:
    """When the server recorded each signal."""
    return [
        event.event_time.ToDatetime(tzinfo=UTC).isoformat(timespec="microseconds")
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    ]


@pytest.mark.parametrize("encrypted", [False, True])
async def test_CAN_3_CAN_5_a_mended_request_does_not_count_from_the_refused_one_of_the_same_id(
    temporal: WorkflowEnvironment, encrypted: bool
) -> None:
    key = f"k1:{base64.b64encode(bytes(32)).decode()}"
    codec = EncryptionCodec(read_keys(key if encrypted else ""))
    client = Client(
        temporal.client.service_client, data_converter=dataclasses.replace(DATA_CONVERTER, payload_codec=codec)
    )
    handle = await client.start_workflow(Listening.run, id=f"order-{uuid4()}", task_queue=f"none-{uuid4()}")
    run_id = handle.result_run_id or ""
    mended = cancel("c-1", "5001")
    without_reason = mended.model_dump(mode="json", exclude={"reason"})
    for sent in (without_reason, cancel("c-1"), mended, mended):
        await handle.signal("cancel_request", sent)
    times = await signals_of(handle)

    found = await arrival(temporal, handle.id, run_id, "c-1", event=mended, client=client)

    assert found.at == times[2]
    assert (await arrival(temporal, handle.id, run_id, "c-1", client=client)).at == times[1]
    await handle.terminate()


async def test_CAN_3_an_update_arrives_when_the_server_recorded_that_it_was_accepted(
    temporal: WorkflowEnvironment,
) -> None:
    queue = f"listening-{uuid4()}"
    async with Worker(
        temporal.client, task_queue=queue, workflows=[Listening], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        handle = await temporal.client.start_workflow(Listening.run, id=f"order-{uuid4()}", task_queue=queue)
        await handle.execute_update("cancel_request", cancel("u-1"))
        await handle.execute_update("cancel_request", cancel("u-1"))
        await handle.signal(Listening.end)
        await handle.result()
    accepted = [
        event.event_time.ToDatetime(tzinfo=UTC)
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    ]
    found = await arrival(temporal, handle.id, handle.result_run_id or "", "u-1")
    assert found.at == accepted[0].isoformat(timespec="microseconds")


async def test_CAN_3_a_history_that_is_gone_has_no_answer(temporal: WorkflowEnvironment) -> None:
    assert await arrival(temporal, "order-none", str(uuid4()), "c-1") == Arrival(at=None)
