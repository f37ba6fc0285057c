"""Workers that dawdle where words about unknown cases, and about parcels after the end, are noted (RET-20)."""

import asyncio
from typing import Final

from temporalio import activity

from activities.database import Database
from activities.event_delivery import EventDelivery
from models import calls
from models.orphans import DeliverEvent, EventDelivered, FindCases, FoundCases, SaveOrphan
from models.records import NoteCorrection, NotedCorrection, NoteDelivery, Saved
from tests.chaos.slow_worker import dawdle


class DawdlesBeforeSavingAnOrphan(Database):
    """It is asked to write an orphan down, and has not."""

    @activity.defn(name=calls.SAVE_ORPHAN.name)
    def save_orphan(self, ask: SaveOrphan) -> Saved:
        asyncio.run(dawdle())
        return super().save_orphan(ask)


class DawdlesAfterSavingAnOrphan(Database):
    """It has written an orphan down, and has not told anybody."""

    @activity.defn(name=calls.SAVE_ORPHAN.name)
    def save_orphan(self, ask: SaveOrphan) -> Saved:
        done = super().save_orphan(ask)
        asyncio.run(dawdle())
        return done


class DawdlesBeforeLookingForACase(Database):
    """It is asked which cases fit, and has not looked."""

    @activity.defn(name=calls.FIND_CASES.name)
    def find_cases(self, ask: FindCases) -> FoundCases:
        asyncio.run(dawdle())
        return super().find_cases(ask)


class DawdlesAfterLookingForACase(Database):
    """It knows which cases fit, and has not told anybody."""

    @activity.defn(name=calls.FIND_CASES.name)
    def find_cases(self, ask: FindCases) -> FoundCases:
        done = super().find_cases(ask)
        asyncio.run(dawdle())
        return done


class DawdlesBeforeNotingADelivery(Database):
    """It is asked to note a delivery, and has not."""

    @activity.defn(name=calls.NOTE_DELIVERY.name)
    def note_delivery(self, ask: NoteDelivery) -> Saved:
        asyncio.run(dawdle())
        return super().note_delivery(ask)


class DawdlesAfterNotingADelivery(Database):
    """It has noted a delivery, and has not told anybody."""

    @activity.defn(name=calls.NOTE_DELIVERY.name)
    def note_delivery(self, ask: NoteDelivery) -> Saved:
        done = super().note_delivery(ask)
        asyncio.run(dawdle())
        return done


class DawdlesBeforeNotingACorrection(Database):
    """It is asked to note a parcel's new number, and has not."""

    @activity.defn(name=calls.NOTE_CORRECTION.name)
    def note_correction(self, ask: NoteCorrection) -> NotedCorrection:
        asyncio.run(dawdle())
        return super().note_correction(ask)


class DawdlesAfterNotingACorrection(Database):
    """It has noted a parcel's new number, and has not told anybody."""

    @activity.defn(name=calls.NOTE_CORRECTION.name)
    def note_correction(self, ask: NoteCorrection) -> NotedCorrection:
        done = super().note_correction(ask)
        asyncio.run(dawdle())
        return done


class DawdlesBeforeDelivering(EventDelivery):
    """It is asked to give an event to its case, and has not."""

    @activity.defn(name=calls.DELIVER_EVENT.name)
    async def deliver_event(self, ask: DeliverEvent) -> EventDelivered:
        await dawdle()
        return await super().deliver_event(ask)


class DawdlesAfterDelivering(EventDelivery):
    """It has given an event to its case, and has not told anybody."""

    @activity.defn(name=calls.DELIVER_EVENT.name)
    async def deliver_event(self, ask: DeliverEvent) -> EventDelivered:
        given = await super().deliver_event(ask)
        await dawdle()
        return given


ORPHAN_DAWDLERS: Final[tuple[type, ...]] = (
    DawdlesBeforeSavingAnOrphan,
    DawdlesAfterSavingAnOrphan,
    DawdlesBeforeLookingForACase,
    DawdlesAfterLookingForACase,
    DawdlesBeforeNotingADelivery,
    DawdlesAfterNotingADelivery,
    DawdlesBeforeNotingACorrection,
    DawdlesAfterNotingACorrection,
    DawdlesBeforeDelivering,
    DawdlesAfterDelivering,
)
