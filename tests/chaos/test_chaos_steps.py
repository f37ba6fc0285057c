"""Every activity has its place in the crashes, and every victim in the storm: who is left out fails here."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from models import calls
from tests.chaos import storm
from tests.chaos.crash_points import SCENES
from tests.chaos.run import AT_PARTNERS, AT_WORKER, IN_BOOKS


def test_REF_6_every_activity_is_killed_at_its_step() -> None:
    assert {call.name for call in SCENES.values()} == {call.name for call in calls.CALLS}


def test_REF_6_every_activity_is_at_a_partner_in_the_books_or_at_the_worker() -> None:
    every = {call.name for call in calls.CALLS}

    assert every == AT_PARTNERS | IN_BOOKS | AT_WORKER
    assert every >= IN_BOOKS


async def test_REF_6_a_storm_that_spares_a_victim_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """All cases have ended before anybody was killed."""
    monkeypatch.setattr(storm, "MORE_CASES", 0)
    without_cases = storm.Weather(minutes=1, cases=0, seed=1)

    with pytest.raises(storm.Spared, match="worker, partner, server"):
        await storm.storm(cast(Any, SimpleNamespace(postgres=None)), cast(Any, None), without_cases)
