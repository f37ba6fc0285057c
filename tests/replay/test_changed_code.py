"""The guard is not blind: code that gives other commands does not replay, unless it asks with which release's
procedure the case began; and a path that decides otherwise asks to be recorded anew."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from temporalio.workflow import NondeterminismError

from models import calls
from models.case import ReturnStage, Who
from tests.replay.paths import PATHS
from tests.replay.recording import assert_decides_as_recorded, history_in, history_of, newest
from tests.replay.replaying import replayer
from tests.world import World
from workflows.engine.pieces import just, wait
from workflows.engine.plan import Plan
from workflows.engine.run import Engine
from workflows.engine.save import Saves
from workflows.orders import seller_charge, sourcing
from workflows.orders.effects import StopShipping
from workflows.orders.facts import OrderFacts
from workflows.returns.facts import ReturnFacts

Change = Callable[[pytest.MonkeyPatch], None]


def asks_once_more(patch: pytest.MonkeyPatch, *, since_procedure: int = 0) -> None:
    """One effect more, before the charge is collected."""
    capture = seller_charge.capture

    def changed(f: OrderFacts) -> Plan:
        again = just(StopShipping(key="stop-shipping:again", reason="again"))
        return (again if f.procedure >= since_procedure else Plan()) + capture(f)

    patch.setattr(seller_charge, "capture", changed)


def asks_once_more_in_cases_of_the_next_release(patch: pytest.MonkeyPatch) -> None:
    asks_once_more(patch, since_procedure=1)


def leaves_out(step: str) -> Change:
    """A step of a plan asks for nothing any more."""
    return lambda patch: patch.setattr(f"workflows.{step}", lambda *_: Plan())


def collects_before_it_looks_for_stock(patch: pytest.MonkeyPatch) -> None:
    """The same commands in another order."""
    capture, search = seller_charge.capture, sourcing.search
    patch.setattr(seller_charge, "capture", search)
    patch.setattr(sourcing, "search", capture)


def asks_another(patch: pytest.MonkeyPatch) -> None:
    """Another activity in the place of the one that it was."""
    patch.setattr(calls, "SEND_REFUND", calls.LOOK_UP_REFUND)


def keeps_the_window_longer(patch: pytest.MonkeyPatch) -> None:
    """When the timer of before has fired, this code starts another one."""
    until: property = vars(OrderFacts)["cancel_until"]

    def later(f: OrderFacts) -> datetime | None:
        at: datetime | None = until.__get__(f)
        return at + timedelta(minutes=30) if at is not None else None

    patch.setattr(OrderFacts, "cancel_until", property(later))


def asks_no_service(patch: pytest.MonkeyPatch) -> None:
    """An effect is gone, while the wait for its answer stays."""

    def awaiting_rma(f: ReturnFacts) -> Plan:
        return wait(ReturnStage.AWAITING_RMA, Who.SUPPLIER, "issue the RMA number", f.now)

    patch.setattr("workflows.returns.plan.awaiting_rma", awaiting_rma)


def never_continues(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Engine, "_must_continue_as_new", lambda _: False)


def labels_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Engine, "_label", lambda *_: None)


def saves_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Saves, "next", lambda *_: None)


CHANGES: list[tuple[str, int, Change]] = [
    ("order_shipped", 0, asks_once_more),
    ("order_shipped", 0, collects_before_it_looks_for_stock),
    ("order_shipped", 0, leaves_out("orders.seller_charge.capture")),
    ("order_shipped", 0, leaves_out("orders.plan._cancel_window")),
    ("order_shipped", 0, keeps_the_window_longer),
    ("order_shipped", 0, labels_nothing),
    ("order_shipped", 0, saves_nothing),
    ("order_cancelled", 0, leaves_out("orders.seller_charge.release")),
    ("order_cancelled", 0, leaves_out("orders.ending._give_back")),
    ("order_cancelled_and_buyer_refunded", 0, leaves_out("orders.refunds.to_buyer")),
    ("refund_direct", 0, asks_another),
    ("order_cancelled_too_late", 0, leaves_out("orders.cancellation.late_cancel_return")),
    ("order_cancelled_with_the_end_of_its_window", 0, leaves_out("orders.cancellation.arrival")),
    ("order_stopped_while_its_charge_is_made", 0, leaves_out("orders.ending._give_back")),
    ("order_continued_as_new", 0, never_continues),
    ("return_with_rma_by_service", 0, asks_no_service),
    ("return_over_the_sla", 0, leaves_out("returns.plan.refund_sla")),
    ("return_completed", 0, leaves_out("returns.plan.credit_memos")),
    ("refund_pending_then_failed", 1, leaves_out("refunds.plan._report")),
    ("refund_taken_back_from_a_running_order", 0, leaves_out("refunds.plan._take_back")),
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
async def test_a_recorded_case_replays_on_code_that_gives_other_commands_to_later_cases(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    asks_once_more_in_cases_of_the_next_release(monkeypatch)

    await replayer().replay_workflow(history_in(newest(path)[0]))


async def test_a_path_that_decides_otherwise_asks_for_a_new_recording(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks_once_more(monkeypatch)
    world.task_queue = f"changed-{world.tag}"
    async with world.worker(world.task_queue):
        live = [await history_of(case) for case in await PATHS["order_shipped"](world)]

    with pytest.raises(AssertionError, match=r"order_shipped decides otherwise.*make histories"):
        assert_decides_as_recorded("order_shipped", live)
