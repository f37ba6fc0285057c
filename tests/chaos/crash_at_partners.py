"""Crashes while partners are asked, many cases at a time.

Nothing in the product helps: the partners are told to dawdle, the server is frozen, and so each activity is
under way, or done and not yet told, when the processes are killed.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Final

from models import calls
from starter.sandbox.facts import Fault, FaultKind, PartnerName, RequestRecord
from tests.chaos.crash_coverage import AtPartner
from tests.chaos.crash_run import Moment, Play, at, end
from tests.chaos.rig import PARTNER_SECONDS, Rig, eventually
from tests.chaos.stories import patiently

UNTIL_TOLD: Final = 600.0
"""Seconds; longer than anybody waits."""
CATCHING_SECONDS: Final = PARTNER_SECONDS / 2
"""The clock is right here: who asked first gives up after PARTNER_SECONDS."""


async def crash_at_partners(rig: Rig, plays: Sequence[Play], *, patch: str = "") -> dict[str, str]:
    """Each play at its moment, and on to its end; gives which outcome each case must have.

    As many at a time as can be caught before the first of them gives up: on a slow machine, in more rounds. The
    worker that goes on has this patch.
    """
    left, expected = list(plays), dict[str, str]()
    while left:
        caught = await _catch(rig, left)
        await _crash(rig, caught, patch)
        expected |= await end(caught)
        left = [play for play in left if play not in caught]
    return expected


async def _catch(rig: Rig, plays: Sequence[Play]) -> dict[Play, Fault]:
    """Set plays off and hold each request, in lanes side by side."""
    clock = asyncio.get_running_loop().time
    began = clock()
    caught: dict[Play, Fault] = {}
    await asyncio.gather(
        *(
            _catch_one_by_one(rig, [play for play in plays if _lane(play) == lane], began, caught)
            for lane in {_lane(play) for play in plays}
        )
    )
    await eventually(lambda: _only_asking(rig, len(caught)), "nothing else is under way")
    assert clock() - began < PARTNER_SECONDS, (
        f"this machine is too slow: {clock() - began:.0f} s for {len(caught)}"
    )
    return caught


async def _catch_one_by_one(rig: Rig, plays: Sequence[Play], began: float, caught: dict[Play, Fault]) -> None:
    """One after the other, since some requests look alike."""
    for play in plays:
        if asyncio.get_running_loop().time() - began > CATCHING_SECONDS:
            return
        spot = _at_partner(play)
        fault = await rig.sandbox.add_fault(spot.partner, FaultKind.DELAY, spot.match, seconds=UNTIL_TOLD)
        play.set_off()
        await eventually(lambda fault=fault: _is_held(rig, fault), f"{play} asks its partner")  # type: ignore[misc]
        caught[play] = fault


def _lane(play: Play) -> str:
    """No play asks, on its way, what is held for a play of another lane: at Amazon it asks nothing else, and to a
    shop or a mail server it goes without stock, charge or refund."""
    match _at_partner(play).partner:
        case PartnerName.AMAZON:
            return "Amazon"
        case PartnerName.SHOP | PartnerName.MAIL:
            return "what is told"
        case _:
            return "goods and money"


async def _crash(rig: Rig, held: dict[Play, Fault], patch: str) -> None:
    """Worker, partners and server are killed while every one of these plays waits for a partner.

    The server is frozen, so that the worker can't tell it what is done AFTER that; the worker is killed; then
    what is DURING is done; then the partners are killed, and what is BEFORE never comes.
    """
    plays = list(held)
    earlier = {record.id for record in await rig.sandbox.requests()}
    answered: list[Play] = []

    async def answer(some: Sequence[Play]) -> None:
        for play in some:
            await rig.sandbox.take_back_fault(held[play].id)
        answered.extend(some)
        await eventually(lambda: _served(rig, answered, earlier), f"{len(some)} are done at their partners")

    rig.freeze("server")
    done_before = await rig.gauges.activities_done()
    await answer(at(Moment.AFTER, plays))
    await eventually(
        lambda: _have_ended(rig, done_before + len(at(Moment.AFTER, plays))), "the worker knows what was done"
    )
    await rig.kill("worker")
    await answer(at(Moment.DURING, plays))
    await rig.kill("partner")
    await rig.kill("server")
    await asyncio.gather(rig.start_server(), rig.start_partners())
    await patiently(rig.hurry)
    await rig.start_worker(patch)


async def _is_held(rig: Rig, fault: Fault) -> bool:
    return fault.id not in await rig.sandbox.faults()


async def _only_asking(rig: Rig, count: int) -> bool:
    return await rig.gauges.activities() == count


async def _have_ended(rig: Rig, count: int) -> bool:
    return await rig.gauges.activities_done() >= count


async def _served(rig: Rig, plays: Sequence[Play], earlier: set[str]) -> bool:
    """Whether the partners have done what these plays asked; a mail server drops it with the connection."""
    heard = [play for play in plays if not (play.call is calls.SEND_MAIL and play.moment is Moment.DURING)]
    new = [record for record in await rig.sandbox.requests() if record.id not in earlier]
    late = [record for record in new if record.fault is FaultKind.DELAY]
    return all(sum(_asked(play, record) for record in late) >= _alike(play, heard) for play in heard)


def _alike(play: Play, among: Sequence[Play]) -> int:
    """How many of these plays ask the same of the same partner."""
    return sum(_at_partner(other) == _at_partner(play) for other in among)


def _asked(play: Play, record: RequestRecord) -> bool:
    spot = _at_partner(play)
    return record.partner is spot.partner and bool(re.search(spot.match, f"{record.method} {record.path}"))


def _at_partner(play: Play) -> AtPartner:
    assert isinstance(play.spot, AtPartner), f"{play} is at a partner"
    return play.spot
