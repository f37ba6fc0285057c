"""Cases on the real server with encrypted payloads: what is kept, who reads it, how keys are rotated."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from models.converter import DATA_CONVERTER, data_converter
from models.encryption import KeyMissing
from models.ids import order_workflow_id
from tests.case_story import CaseStory, OrderStory
from tests.eventually import eventually
from tests.return_story import Money, ReturnStory, returning
from tests.security.at_rest import KEY_1, KEY_2, SealedWorld, with_keys
from tests.security.buyer import BUYER, NAME, REASON, said
from workflows.registry import WORKFLOWS
from workflows.runner import PASSED_THROUGH


async def order_of(sealed: SealedWorld) -> OrderStory:
    return await sealed.simple_order(buyer=BUYER)


async def completed_return(sealed: SealedWorld) -> ReturnStory:
    """A return with the buyer's own words in it, refunded on both sides."""
    back = await returning(sealed)
    await back.approved(note=REASON)
    await back.track()
    await back.receive()
    await back.credit("63.00")
    await back.click(note=REASON)
    await back.ends("completed")
    return back


async def task_failures(sealed: SealedWorld, case: CaseStory) -> list[str]:
    """What the server keeps of why a worker could not go on with the case."""
    history = await sealed.history(case.handle.id)
    return [
        f"{event.workflow_task_failed_event_attributes.failure}"
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]


def key_ids(kept: bytes) -> set[bytes]:
    """Which keys the payloads were encrypted with."""
    return set(re.findall(rb"encryption-key-id\x12\x02(k\d)", kept))


async def test_an_encrypted_order_shows_nothing_of_its_buyer_and_reads_with_the_key(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await order.reaches("cancel_window")
        await order.signal("cancel_request", reason=REASON)
        await order.ends("cancelled")
    kept = await sealed.at_rest(order.handle.id)
    assert said(kept) == []
    assert b"brake disc" not in kept.lower()
    read = await sealed.read_with(order.handle.id, KEY_1)
    assert NAME in read
    assert REASON in read


async def test_an_encrypted_return_pays_as_any_other_and_shows_no_words(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1):
        back = await completed_return(sealed)
    assert await back.money() == Money(buyer=Decimal(100), seller=Decimal(63))
    kept = await sealed.at_rest(back.handle.id)
    assert said(kept) == []
    assert b"does not fit" not in kept
    assert b"Dock 4" not in kept  # the supplier's return address


async def test_messages_of_failures_are_encrypted_too(sealed: SealedWorld) -> None:
    workflow_id = order_workflow_id(f"{sealed.tag}-bad")
    async with sealed.worker_with(KEY_1):
        handle = await sealed.client.start_workflow(
            "Order", {REASON: "no such field"}, id=workflow_id, task_queue=sealed.task_queue
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, ApplicationError)
    assert "order_id" in caught.value.cause.message
    kept = await sealed.at_rest(workflow_id)
    assert b"Encoded failure" in kept
    assert b"is missing" not in kept
    assert said(kept) == []


async def test_a_signal_in_plain_json_still_counts(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await order.reaches("cancel_window")
        plain = sealed.env.client.get_workflow_handle(order.handle.id)
        await plain.signal("cancel_request", order.event(reason="no stock"))
        await order.ends("cancelled")


async def test_CAN_3_an_encrypted_request_in_time_counts_although_every_worker_was_down(
    sealed: SealedWorld,
) -> None:
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await order.reaches("cancel_window")
    until = (await order.books()).cancel_until
    assert until is not None
    await order.forward_to(until - timedelta(seconds=1))
    await order.signal("cancel_request", reason="no stock")
    await eventually(order.now, lambda now: now > until, "the window closes")
    async with sealed.worker_with(KEY_1):
        await order.ends("cancelled")
    assert (await order.effects()).supplier_orders == ()


async def test_a_case_of_the_old_key_goes_on_under_the_new_one(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await order.reaches("cancel_window")
    assert key_ids(await sealed.at_rest(order.handle.id)) == {b"k1"}
    async with sealed.worker_with(KEY_2, KEY_1):
        sealed.client = sealed.client_with(KEY_2, KEY_1)
        order.handle = sealed.client.get_workflow_handle(order.handle.id)
        await order.shipped()
    kept = await sealed.at_rest(order.handle.id)
    assert key_ids(kept) == {b"k1", b"k2"}
    assert said(kept) == []


async def test_a_case_waits_for_a_key_that_is_missing_and_loses_nothing(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await order.reaches("cancel_window")
    await order.signal("cancel_request", reason=REASON)
    async with sealed.worker_with():
        failures = await eventually(
            lambda: task_failures(sealed, order), bool, "the worker does not say that it can't go on"
        )
    assert "'k1', which is not in BACKHAUL_PAYLOAD_KEYS (there: none)" in failures[0].replace("\\'", "'")
    with pytest.raises(KeyMissing, match="'k1'"):
        await sealed.read_with(order.handle.id, KEY_2)
    async with sealed.worker_with(KEY_1):
        await order.ends("cancelled")


async def test_a_damaged_encrypted_event_is_recorded_as_rejected(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await order.reaches("cancel_window")
        damaged = Payload(
            metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"k1"}, data=b"not what was sent"
        )
        plain = sealed.env.client.get_workflow_handle(order.handle.id)
        await plain.signal("cancel_request", RawValue(damaged))
        status = await order.shows("the rejection", lambda seen: seen.rejected_count == 1)
        assert "is not one JSON object" in status.rejected_events[0].reason
        await order.shipped()


async def test_an_encrypted_history_replays_with_its_key_only(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1):
        order = await order_of(sealed)
        await order.shipped()
    history = await sealed.history(order.handle.id)
    runner = SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )
    keyed = data_converter(with_keys(sealed.settings, KEY_1))
    await Replayer(workflows=WORKFLOWS, data_converter=keyed, workflow_runner=runner).replay_workflow(history)
    unkeyed = Replayer(workflows=WORKFLOWS, data_converter=DATA_CONVERTER, workflow_runner=runner)
    with pytest.raises(RuntimeError, match="BACKHAUL_PAYLOAD_KEYS"):
        await unkeyed.replay_workflow(history)
