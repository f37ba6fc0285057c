"""Workers that dawdle where it is asked whether units may wait for stock (ORD-8)."""

import asyncio
from typing import Final

from temporalio import activity

from activities.database import Database
from models import calls
from models.special_orders import CheckSpecialOrder, SpecialOrderChecked
from tests.chaos.slow_worker import dawdle


class DawdlesBeforeChecking(Database):
    """It is asked whether they may wait, and has not looked."""

    @activity.defn(name=calls.CHECK_SPECIAL_ORDER.name)
    def check_special_order(self, ask: CheckSpecialOrder) -> SpecialOrderChecked:
        asyncio.run(dawdle())
        return super().check_special_order(ask)


class DawdlesAfterChecking(Database):
    """It knows whether they may wait, and has not told anybody."""

    @activity.defn(name=calls.CHECK_SPECIAL_ORDER.name)
    def check_special_order(self, ask: CheckSpecialOrder) -> SpecialOrderChecked:
        done = super().check_special_order(ask)
        asyncio.run(dawdle())
        return done


SPECIAL_ORDER_DAWDLERS: Final[tuple[type, ...]] = (DawdlesBeforeChecking, DawdlesAfterChecking)
