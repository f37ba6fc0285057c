"""A save that the database takes for a late one is made again, and staff hear when that does not help (NTF-9)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from tests.engine.test_engine import Yard, reaches, scan, status, yard
from tests.eventually import eventually

__all__ = ["yard"]


async def test_NTF_9_a_save_that_came_late_to_the_database_is_made_again_at_once(yard: Yard) -> None:
    yard.scales.late = 1
    async with yard.worker():
        handle = await yard.parcel()
        await reaches(handle, "on_its_way")
        await eventually(_saves_of(yard), lambda count: count == 1, "its save")
        assert "database" not in str((await status(handle)).also_waiting_for)
        await handle.signal("delivered", {"event_id": "d", "actor": "carrier:ups"})
        await handle.result()
    steps = [step.what for record in yard.scales.saved for step in record.steps]
    assert steps == ["500 grams", "delivered", "delivered after 0 scans"], "none is lost, none is there twice"


async def test_NTF_9_of_a_save_that_is_late_again_staff_hear_and_it_goes_on_by_itself(yard: Yard) -> None:
    yard.scales.late = 3
    async with yard.worker():
        handle = await yard.parcel()
        seen = await eventually(
            lambda: status(handle),
            lambda seen: "later record" in str(seen.waiting_for) + str(seen.also_waiting_for),
            "it",
        )
        assert seen.stage == "on_its_way"
        await handle.signal("scanned", scan(1))
        await yard.env.fast_forward(handle, timedelta(minutes=8))
        await yard.env.fast_forward(handle, timedelta(minutes=8))
        await eventually(_saves_of(yard), lambda count: count >= 1, "its save")
        await handle.signal("delivered", {"event_id": "d", "actor": "carrier:ups"})
        await handle.result()
    assert yard.scales.saved[-1].ended


def _saves_of(yard: Yard) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return len(yard.scales.saved)

    return count
