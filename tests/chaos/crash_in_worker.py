"""Crashes of a worker that dawdles itself: where neither a partner, the books nor the server can for it.

The server can't dawdle for one question alone; and the books, locked, would hold up the write that comes first.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from models import calls
from tests.chaos.choosing_dawdlers import DawdlesAfterChoosing, DawdlesBeforeChoosing
from tests.chaos.crash_run import Moment, Play
from tests.chaos.import_dawdlers import (
    DawdlesAfterTakingReturns,
    DawdlesAfterTellingOrders,
    DawdlesBeforeTakingReturns,
    DawdlesBeforeTellingOrders,
)
from tests.chaos.orphan_dawdlers import (
    DawdlesAfterDelivering,
    DawdlesAfterLookingForACase,
    DawdlesAfterNotingACorrection,
    DawdlesAfterNotingADelivery,
    DawdlesAfterSavingAnOrphan,
    DawdlesBeforeDelivering,
    DawdlesBeforeLookingForACase,
    DawdlesBeforeNotingACorrection,
    DawdlesBeforeNotingADelivery,
    DawdlesBeforeSavingAnOrphan,
)
from tests.chaos.patched_worker import (
    DawdlesAfterLookingForARefund,
    DawdlesAfterReading,
    DawdlesAfterReopening,
    DawdlesAfterSavingACase,
    DawdlesAfterTakingBack,
    DawdlesBeforeLookingForARefund,
    DawdlesBeforeReading,
    DawdlesBeforeReopening,
    DawdlesBeforeSavingACase,
    DawdlesBeforeTakingBack,
)
from tests.chaos.queue_dawdlers import DawdlesAfterQueueing, DawdlesBeforeQueueing
from tests.chaos.replacement_dawdlers import DawdlesAfterPreparing, DawdlesBeforePreparing
from tests.chaos.rig import Rig, eventually
from tests.chaos.settlement_dawdlers import DawdlesAfterBooking, DawdlesBeforeBooking
from tests.chaos.slow_worker import DAWDLES
from tests.chaos.special_order_dawdlers import DawdlesAfterChecking, DawdlesBeforeChecking
from tests.chaos.stories import PATIENCE_SECONDS, patiently

_PATCHES: Final = {
    (calls.EVENT_ARRIVAL.name, Moment.BEFORE): DawdlesBeforeReading,
    (calls.EVENT_ARRIVAL.name, Moment.AFTER): DawdlesAfterReading,
    (calls.TAKE_BACK_REFUND.name, Moment.BEFORE): DawdlesBeforeTakingBack,
    (calls.TAKE_BACK_REFUND.name, Moment.AFTER): DawdlesAfterTakingBack,
    (calls.REFUND_OUTCOME.name, Moment.BEFORE): DawdlesBeforeLookingForARefund,
    (calls.REFUND_OUTCOME.name, Moment.AFTER): DawdlesAfterLookingForARefund,
    (calls.SAVE_CASE.name, Moment.BEFORE): DawdlesBeforeSavingACase,
    (calls.SAVE_CASE.name, Moment.AFTER): DawdlesAfterSavingACase,
    (calls.SAVE_ORPHAN.name, Moment.BEFORE): DawdlesBeforeSavingAnOrphan,
    (calls.SAVE_ORPHAN.name, Moment.AFTER): DawdlesAfterSavingAnOrphan,
    (calls.FIND_CASES.name, Moment.BEFORE): DawdlesBeforeLookingForACase,
    (calls.FIND_CASES.name, Moment.AFTER): DawdlesAfterLookingForACase,
    (calls.DELIVER_EVENT.name, Moment.BEFORE): DawdlesBeforeDelivering,
    (calls.DELIVER_EVENT.name, Moment.AFTER): DawdlesAfterDelivering,
    (calls.NOTE_DELIVERY.name, Moment.BEFORE): DawdlesBeforeNotingADelivery,
    (calls.NOTE_DELIVERY.name, Moment.AFTER): DawdlesAfterNotingADelivery,
    (calls.NOTE_CORRECTION.name, Moment.BEFORE): DawdlesBeforeNotingACorrection,
    (calls.NOTE_CORRECTION.name, Moment.AFTER): DawdlesAfterNotingACorrection,
    (calls.CHOOSE_CONNECTION.name, Moment.BEFORE): DawdlesBeforeChoosing,
    (calls.CHOOSE_CONNECTION.name, Moment.AFTER): DawdlesAfterChoosing,
    (calls.CHECK_SPECIAL_ORDER.name, Moment.BEFORE): DawdlesBeforeChecking,
    (calls.CHECK_SPECIAL_ORDER.name, Moment.AFTER): DawdlesAfterChecking,
    (calls.PREPARE_REPLACEMENT.name, Moment.BEFORE): DawdlesBeforePreparing,
    (calls.PREPARE_REPLACEMENT.name, Moment.AFTER): DawdlesAfterPreparing,
    (calls.REOPEN_RETURN.name, Moment.BEFORE): DawdlesBeforeReopening,
    (calls.REOPEN_RETURN.name, Moment.AFTER): DawdlesAfterReopening,
    (calls.TAKE_RETURNS.name, Moment.BEFORE): DawdlesBeforeTakingReturns,
    (calls.TAKE_RETURNS.name, Moment.AFTER): DawdlesAfterTakingReturns,
    (calls.TAKE_ORDERS.name, Moment.BEFORE): DawdlesBeforeTellingOrders,
    (calls.TAKE_ORDERS.name, Moment.AFTER): DawdlesAfterTellingOrders,
    (calls.BOOK_SETTLEMENT.name, Moment.BEFORE): DawdlesBeforeBooking,
    (calls.BOOK_SETTLEMENT.name, Moment.AFTER): DawdlesAfterBooking,
    (calls.QUEUE_REFUND.name, Moment.BEFORE): DawdlesBeforeQueueing,
    (calls.QUEUE_REFUND.name, Moment.AFTER): DawdlesAfterQueueing,
}


def has_dawdler(play: Play) -> bool:
    return (play.call.name, play.moment) in _PATCHES


async def crash_at_dawdlers(rig: Rig, plays: Sequence[Play]) -> None:
    """The worker is killed right before, or right after, the activity has done its work."""
    for play in plays:
        await rig.kill("worker")
        await patiently(rig.hurry)
        play.set_off()
        await asyncio.wait_for(asyncio.shield(play.trigger), PATIENCE_SECONDS)
        await rig.start_worker(_PATCHES[play.call.name, play.moment].__name__)

        async def dawdles() -> bool:
            return DAWDLES in rig.worker_log()

        await eventually(dawdles, f"{play} is under way")
        await rig.kill("worker")
        await patiently(rig.hurry)
        await rig.start_worker()
