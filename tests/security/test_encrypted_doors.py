"""What comes to an encrypted case by its doors: unreadable, in plain JSON, under a key that nobody has."""

import asyncio
import json
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.workflowservice.v1 import QueryWorkflowRequest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from models.encryption import EncryptionCodec, KeyMissing, new_key, read_keys
from models.failures import InvalidInput
from models.ids import order_workflow_id
from tests.case_story import OrderStory
from tests.eventually import eventually
from tests.security.at_rest import KEY_1, SealedWorld
from tests.security.buyer import NAME, REASON, said
from tests.security.test_encrypted_cases import key_ids, order_of, task_failures

DAMAGED = Payload(
    metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"k1"}, data=b"not what was sent"
)
OF_NO_KEY = Payload(metadata={"encoding": b"binary/encrypted"}, data=b"of a codec that is not ours")
OF_ANOTHER_FORM = Payload(metadata={"encoding": b"binary/plain"}, data=b"{}")


async def sealed_with(key: str, event: dict[str, Any]) -> RawValue:
    plain = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(event).encode())
    [sealed] = await EncryptionCodec(read_keys(key)).encode([plain])
    return RawValue(sealed)


async def test_what_a_case_is_asked_and_told_is_encrypted_on_its_way_and_at_rest(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await order.reaches("cancel_window")
        await order.update("cancel_request", reason=REASON, note=NAME)
        await order.ends("cancelled")
        answer = await sealed.env.client.workflow_service.query_workflow(
            QueryWorkflowRequest(
                namespace=sealed.env.client.namespace,
                execution=WorkflowExecution(workflow_id=order.handle.id),
                query=WorkflowQuery(query_type="status"),
            )
        )
    assert [one.metadata["encoding"] for one in answer.query_result.payloads] == [b"binary/encrypted"]
    kept = await sealed.at_rest(order.handle.id)
    assert key_ids(kept) == {b"k1"}
    assert said(kept) == []
    assert open_payloads(await sealed.history(order.handle.id)) == []


def open_payloads(history: Any) -> list[str]:
    """Payloads of a history that can be read without a key; search attributes and patches of the code apart."""
    found = []
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            continue
        for part in payloads_in(event):
            if part.metadata["encoding"] != b"binary/encrypted":
                found.append(f"{event.event_type}: {part}"[:200])
    return found


def payloads_in(message: Any) -> list[Payload]:
    """Every payload below a message of the protocol, but search attributes."""
    if isinstance(message, Payload):
        return [message]
    if message.DESCRIPTOR.name == "SearchAttributes":
        return []
    found: list[Payload] = []
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            values = [one for one in value.values() if hasattr(one, "DESCRIPTOR")]
        elif hasattr(value, "DESCRIPTOR"):
            values = [value]
        else:
            values = list(value)
        for one in values:
            found += payloads_in(one)
    return found


async def test_a_partners_failure_and_a_heartbeat_are_encrypted_in_the_history(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await sealed.sandbox.add_fault("supplier", "error", times=None)
        await order.forward(minutes=31)
        kept = await eventually(
            lambda: sealed.at_rest(order.handle.id), lambda kept: b"Encoded failure" in kept, "no failure"
        )
        assert b"the supplier" not in kept
        assert b"Traceback" not in kept
        assert b".py" not in kept
        await sealed.sandbox.clear_faults()


@pytest.mark.parametrize("payload", [DAMAGED, OF_NO_KEY, OF_ANOTHER_FORM], ids=["damaged", "no key", "bytes"])
async def test_an_event_that_no_key_opens_is_refused_and_stops_nothing(
    sealed: SealedWorld, payload: Payload
) -> None:
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await order.reaches("cancel_window")
        plain = sealed.env.client.get_workflow_handle(order.handle.id)
        await plain.signal("cancel_request", RawValue(payload))
        await order.shows("the rejection", lambda seen: seen.rejected_count == 1)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await order.handle.execute_update("cancel_request", RawValue(payload))
        assert "is not one JSON object" in f"{refused.value.cause}"
        await order.shipped()


@pytest.mark.parametrize("payload", [DAMAGED, OF_NO_KEY, OF_ANOTHER_FORM], ids=["damaged", "no key", "bytes"])
async def test_a_start_that_no_key_opens_fails_at_the_door(sealed: SealedWorld, payload: Payload) -> None:
    async with sealed.worker_with(KEY_1):
        handle = await sealed.env.client.start_workflow(
            "Order",
            RawValue(payload),
            id=order_workflow_id(f"{sealed.tag}-damaged"),
            task_queue=sealed.task_queue,
        )
        handle = sealed.client.get_workflow_handle(handle.id)
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(handle.result(), 20)
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == InvalidInput.category.value


async def test_an_update_in_plain_json_is_answered(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await order.reaches("cancel_window")
        plain = sealed.env.client.get_workflow_handle(order.handle.id)
        with pytest.raises(KeyMissing, match="'k1'"):  # the answer is encrypted
            await plain.execute_update("cancel_request", order.event(reason="no stock"))
        await order.ends("cancelled")


@pytest.mark.parametrize("way", ["signal", "update"])
async def test_an_event_under_a_key_that_is_lost_holds_the_case_until_any_key_has_its_name(
    sealed: SealedWorld, way: str
) -> None:
    """Whoever runs it makes a key of that name: it opens nothing, so the event is refused, and all goes on."""
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await order.reaches("cancel_window")
        plain = sealed.env.client.get_workflow_handle(order.handle.id)
        lost = await sealed_with(new_key("lost"), order.event(reason=REASON))
        telling = asyncio.create_task(
            plain.signal("cancel_request", lost)
            if way == "signal"
            else plain.execute_update("cancel_request", lost)
        )
        failures = await eventually(lambda: task_failures(sealed, order), bool, "it does not say that it waits")
    assert "KeyMissing" in failures[0]
    async with sealed.worker_with(KEY_1, new_key("lost")):
        if way == "signal":
            await telling
            status = await order.shows("the rejection", lambda seen: seen.rejected_count == 1)
            assert "is not one JSON object" in status.rejected_events[0].reason
        else:
            with pytest.raises(KeyMissing, match="'k1'"):  # the refusal is encrypted too
                await asyncio.wait_for(telling, 60)
        await order.shipped()


async def test_a_question_under_a_key_that_is_not_there_harms_nothing(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1):
        order: OrderStory = await order_of(sealed)
        await order.reaches("cancel_window")
        service = sealed.env.client.workflow_service
        lost = await sealed_with(new_key("lost"), {"x": 1})
        with pytest.raises(RPCError, match="Encoded failure"):
            await service.query_workflow(
                QueryWorkflowRequest(
                    namespace=sealed.env.client.namespace,
                    execution=WorkflowExecution(workflow_id=order.handle.id),
                    query=WorkflowQuery(query_type="status", query_args=Payloads(payloads=[lost.payload])),
                )
            )
        await order.shipped()
