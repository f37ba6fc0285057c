"""Workers that dawdle where a return prepares the order that replaces its goods (RET-24)."""

import asyncio
from typing import Final

from temporalio import activity

from activities.database import Database
from models import calls
from models.replacements import PreparedReplacement, PrepareReplacement
from tests.chaos.slow_worker import dawdle


class DawdlesBeforePreparing(Database):
    """It is asked what the replacement is, and has not looked."""

    @activity.defn(name=calls.PREPARE_REPLACEMENT.name)
    def prepare_replacement(self, ask: PrepareReplacement) -> PreparedReplacement:
        asyncio.run(dawdle())
        return super().prepare_replacement(ask)


class DawdlesAfterPreparing(Database):
    """It knows what the replacement is, and has not told anybody."""

    @activity.defn(name=calls.PREPARE_REPLACEMENT.name)
    def prepare_replacement(self, ask: PrepareReplacement) -> PreparedReplacement:
        done = super().prepare_replacement(ask)
        asyncio.run(dawdle())
        return done


REPLACEMENT_DAWDLERS: Final[tuple[type, ...]] = (DawdlesBeforePreparing, DawdlesAfterPreparing)
