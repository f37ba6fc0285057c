"""Crashes while partners are asked, many cases at a time.

Nothing in the product helps: the partners are told to dawdle, the server is frozen, and so each activity is
under way, or done and not yet told, when the processes are killed.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Final

from models import calls
from starter.sandbox.facts import FaultKind, RequestRecord
from tests.chaos.plays import Moment, Play, at
from tests.chaos.rig import PARTNER_SECONDS, Rig, eventually
from tests.chaos.scenes import AtPartner
from tests.chaos.stories import patiently

UNTIL_TOLD: Final = 600.0
"""Seconds; longer than anybody waits."""


async def crash_at_partners(rig: Rig, plays: Sequence[Play], *, patch: str = "") -> None:
    """Worker, partners and server are killed while every one of these plays waits for a partner.

    All partners dawdle. Then the server is frozen, so that the worker can't tell it what is done AFTER that;
    the worker is killed; then what is DURING is done; then the partners are killed, and what is BEFORE never
    comes. The worker that goes on has this patch.
    """
    began = asyncio.get_running_loop().time()
    delays: dict[Play, str] = {}
    answered: list[Play] = []

    async def catch(play: Play) -> None:
        spot = _at_partner(play)
        fault = await rig.sandbox.add_fault(spot.partner, FaultKind.DELAY, spot.match, seconds=UNTIL_TOLD)
        delays[play] = fault.id
        play.set_off()

        async def is_in() -> bool:
            return fault.id not in await rig.sandbox.faults()

        await eventually(is_in, f"{play} asks its partner")

    async def answer(some: Sequence[Play]) -> None:
        for play in some:
            await rig.sandbox.take_back_fault(delays[play])
        answered.extend(some)
        await eventually(lambda: _served(rig, answered), f"{len(some)} are done at their partners")

    await asyncio.gather(*(catch(play) for play in plays if _at_partner(play).named))
    for play in plays:  # one after the other: their requests look alike
        if not _at_partner(play).named:
            await catch(play)
    await eventually(lambda: _only_asking(rig, len(plays)), "nothing else is under way")
    took = asyncio.get_running_loop().time() - began
    assert took < PARTNER_SECONDS, f"this machine is too slow: {took:.0f} s to catch {len(plays)} requests"

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


async def _only_asking(rig: Rig, count: int) -> bool:
    return await rig.gauges.activities() == count


async def _have_ended(rig: Rig, count: int) -> bool:
    return await rig.gauges.activities_done() >= count


async def _served(rig: Rig, plays: Sequence[Play]) -> bool:
    """Whether the partners have done what these plays asked; a mail server drops it with the connection."""
    late = [record for record in await rig.sandbox.requests() if record.fault is FaultKind.DELAY]
    heard = [play for play in plays if not (play.call is calls.SEND_MAIL and play.moment is Moment.DURING)]
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
