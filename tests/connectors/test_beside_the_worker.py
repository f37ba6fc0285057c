"""What a worker does beside its tasks goes on, whatever goes wrong in one look (NTF-6, NTF-9)."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from activities import code_faults, worklist_numbers
from activities.code_faults import CodeFaults
from activities.worklist_numbers import tell_worklists
from models.failures import PartnerUnavailable
from models.worklists import Work


class Gauge:
    """Keeps what monitoring is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []
        self.any = asyncio.Event()

    def set(self, value: int, labels: dict[str, str]) -> None:
        self.told.append((value, labels["work"]))
        self.any.set()


@pytest.mark.parametrize("failure", [PartnerUnavailable("away"), KeyError("a fault of ours")])
async def test_NTF_6_worklists_are_counted_again_after_a_look_that_failed(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    looks: list[Any] = [failure, {Work.TO_APPROVE: 3}]

    async def count_work_once(*_: object) -> dict[Work, int]:
        look = looks.pop(0) if len(looks) > 1 else looks[0]
        if isinstance(look, Exception):
            raise look
        return cast(dict[Work, int], look)

    monkeypatch.setattr(worklist_numbers, "COUNT_WORK_SECONDS", 0.01)
    monkeypatch.setattr(worklist_numbers, "count_work", count_work_once)
    gauge = Gauge()
    runtime = SimpleNamespace(metric_meter=SimpleNamespace(create_gauge=lambda *_: gauge))
    counting = asyncio.create_task(tell_worklists(cast(Any, runtime), cast(Any, None), cast(Any, None)))
    await asyncio.wait_for(gauge.any.wait(), 20)
    counting.cancel()
    assert gauge.told[0] == (3, "to_approve")


@pytest.mark.parametrize("failure", [PartnerUnavailable("away"), KeyError("a fault of ours")])
async def test_NTF_9_failing_code_is_looked_for_again_after_a_look_that_failed(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    looked, failures = asyncio.Event(), [failure]

    async def tell_staff(self: CodeFaults) -> list[str]:
        if failures:
            raise failures.pop()
        looked.set()
        return []

    monkeypatch.setattr(code_faults, "LOOK_EVERY", timedelta(milliseconds=10))
    monkeypatch.setattr(CodeFaults, "tell_staff", tell_staff)
    watching = asyncio.create_task(CodeFaults(cast(Any, None), cast(Any, None)).watch())
    await asyncio.wait_for(looked.wait(), 20)
    watching.cancel()
