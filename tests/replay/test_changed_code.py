"""The guard is not blind: code that decides otherwise does not replay, unless a patch gates it; and then it is
asked to be recorded."""

from collections.abc import Callable
from typing import Any

import pytest
from temporalio import workflow
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import NondeterminismError

import worker
from models import calls
from models.case import OrderStage, Who
from models.converter import DATA_CONVERTER
from models.partners import FindStock
from tests.replay.paths import PATHS
from tests.replay.recording import assert_decides_as_recorded, decided, history_in, newest
from tests.world import World
from workflows.authorizing import Authorization
from workflows.cancelling import Cancels
from workflows.ceasing import Ceasing
from workflows.charging import SellerCharge
from workflows.order import Order
from workflows.refund import Refund
from workflows.registry import WORKFLOWS

Change = Callable[[pytest.MonkeyPatch], None]
PASSED_THROUGH = (*worker.PASSED_THROUGH, "workflows")
"""So that the sandbox runs the workflows as a test changed them, and not as they lie on the disk."""


async def look_once_more(order: Order) -> None:
    """One activity more than the procedure has."""
    await order.ask(
        calls.FIND_STOCK,
        FindStock(skus=tuple(order.lines.open), ship_to=order.request.buyer.address, second_source=True),
        stage=OrderStage.PLACING,
        who=Who.SUPPLIER,
        what="say once more who has the items",
    )


def asks_once_more(patch: pytest.MonkeyPatch, *, gated: bool = False) -> None:
    collect = Order._collect

    async def changed(order: Order) -> None:
        if not gated or workflow.patched("asks-once-more"):
            await look_once_more(order)
        await collect(order)

    patch.setattr(Order, "_collect", changed)


def asks_once_more_behind_a_patch(patch: pytest.MonkeyPatch) -> None:
    asks_once_more(patch, gated=True)


def waits_before_it_charges(patch: pytest.MonkeyPatch) -> None:
    """The same commands in another order."""
    authorize, wait = Order._authorize, Order._keep_cancel_window
    patch.setattr(Order, "_authorize", wait)
    patch.setattr(Order, "_keep_cancel_window", authorize)


def asks_another(patch: pytest.MonkeyPatch) -> None:
    """Another activity in the place of the one that it was."""
    patch.setattr("models.calls.SEND_REFUND", calls.LOOK_UP_REFUND)


def leaves_out(owner: type, step: str) -> Change:
    async def nothing(*_: Any) -> None:
        return

    return lambda patch: patch.setattr(owner, step, nothing)


def replayer() -> Replayer:
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return Replayer(
        workflows=WORKFLOWS,
        data_converter=DATA_CONVERTER,
        workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
    )


CHANGES: list[tuple[str, int, Change]] = [
    ("order_shipped", 0, asks_once_more),
    ("order_shipped", 0, waits_before_it_charges),
    ("order_shipped", 0, leaves_out(Order, "_collect")),
    ("order_cancelled", 0, leaves_out(Ceasing, "_stop_shipping")),
    ("order_cancelled", 0, leaves_out(SellerCharge, "void")),
    ("order_cancelled_and_buyer_refunded", 0, leaves_out(Ceasing, "_refund_buyer")),
    ("order_cancelled_and_buyer_refunded", 1, asks_another),
    ("order_cancelled_too_late", 0, leaves_out(Order, "_return_what_was_cancelled_late")),
    ("refund_pending_then_failed", 1, leaves_out(Refund, "_settle_pending")),
    ("return_with_rma_by_service", 0, leaves_out(Authorization, "_ask_service")),
    ("order_cancelled_with_the_end_of_its_window", 0, leaves_out(Cancels, "_in_time")),
    ("order_stopped_before_it_opened", 0, leaves_out(Order, "undo")),
    ("order_stopped_while_its_seller_is_refunded", 0, leaves_out(Ceasing, "finish_refunds")),
    ("refund_taken_back_from_a_running_order", 1, leaves_out(Refund, "_tell")),
]
"""A path, which of its cases, and a change of the commands that this case gave."""


@pytest.mark.parametrize(("path", "place", "change"), CHANGES)
async def test_a_recorded_case_does_not_replay_on_code_that_gives_other_commands(
    monkeypatch: pytest.MonkeyPatch, path: str, place: int, change: Change
) -> None:
    history = history_in(newest(path)[place])
    await replayer().replay_workflow(history)
    change(monkeypatch)

    with pytest.raises(NondeterminismError):
        await replayer().replay_workflow(history)


@pytest.mark.parametrize("path", ["order_shipped", "order_cancelled", "order_voided"])
async def test_a_recorded_case_replays_on_code_that_gives_other_commands_behind_a_patch(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    asks_once_more_behind_a_patch(monkeypatch)

    await replayer().replay_workflow(history_in(newest(path)[0]))


@pytest.mark.parametrize("change", [asks_once_more_behind_a_patch, asks_once_more])
async def test_a_path_that_decides_otherwise_asks_for_a_new_recording(
    world: World, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    """Also behind a patch: the old recording would say nothing about the new branch."""
    change(monkeypatch)
    monkeypatch.setattr(worker, "PASSED_THROUGH", PASSED_THROUGH)
    world.task_queue = f"changed-{world.tag}"
    async with world.worker(world.task_queue):
        live = await decided(await PATHS["order_shipped"](world))

    assert ("patch asks-once-more" in live[0]) == (change is asks_once_more_behind_a_patch)
    with pytest.raises(AssertionError, match=r"order_shipped decides otherwise.*make histories"):
        assert_decides_as_recorded("order_shipped", live)
