"""The audit of what is said about cases that were not known (RET-20), and of parcels of orders that have ended
(RET-22): each word once, where it belongs."""

from collections.abc import Iterator
from typing import Final

from activities.database.views import OrphanListed, ShipmentView
from models import calls
from models.case import OrphanStage
from models.ids import order_workflow_id, orphan_workflow_id
from models.message import folded
from models.orphans import RETURN_REQUEST
from models.records import NoteDelivery
from tests.chaos.audit_facts import Facts, Violation
from tests.chaos.evidence import Done

_AN_ORPHAN_DOES: Final = frozenset(
    call.name for call in (calls.SAVE_ORPHAN, calls.FIND_CASES, calls.DELIVER_EVENT, calls.SEND_MAIL)
)
_WITHOUT_UPDATE: Final = ("delivered", "shipment_corrected", RETURN_REQUEST)


class OrphansAudit:
    """An orphan's word reaches its case once, and no other; a delivery is noted once, as it was told."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._runs = facts.seen.cases

    def violations(self) -> Iterator[Violation]:
        for orphan in self._facts.seen.orphans:
            yield from self._given_once(orphan)
            yield from self._moved_nothing(orphan)
        yield from self._deliveries()

    def _given_once(self, orphan: OrphanListed) -> Iterator[Violation]:
        told = (orphan.event, str(orphan.said["event_id"]))
        takers = [run.workflow_id for run in self._runs for one in run.taken if (one.name, one.event_id) == told]
        takers += self._told_without_update(orphan)
        own = orphan.matched_to
        if (orphan.standing is not None and orphan.standing.stage == OrphanStage.MATCHED) != (own is not None):
            yield Violation("orphan ended otherwise than it was matched", orphan.orphan_id)
        for taker in set(takers) - {own}:
            yield Violation("orphan's word given to another case", orphan.orphan_id, taker)
        times = takers.count(own) if own is not None else 0
        if own is not None and times != 1:
            promise = "orphan's word given twice" if times else "orphan's word never given"
            yield Violation(promise, orphan.orphan_id, f"{own}, {times} times")

    def _told_without_update(self, orphan: OrphanListed) -> list[str]:
        """An order that has ended takes no update: what is true after its end is written down without it. A return
        that was asked for is started."""
        return [
            done.ask["workflow_id"]
            for done in self._done(orphan_workflow_id(orphan.orphan_id), calls.DELIVER_EVENT.name)
            if orphan.event in _WITHOUT_UPDATE and done.answer["state"] == "taken" and not self._took(done)
        ]

    def _took(self, done: Done) -> bool:
        runs = (run for run in self._runs if run.workflow_id == done.ask["workflow_id"])
        return any(one.event_id == done.ask["said"]["event_id"] for run in runs for one in run.taken)

    def _moved_nothing(self, orphan: OrphanListed) -> Iterator[Violation]:
        workflow_id = orphan_workflow_id(orphan.orphan_id)
        for run in self._runs:
            if run.workflow_id == workflow_id:
                for name in sorted({done.name for done in run.done} - _AN_ORPHAN_DOES):
                    yield Violation("orphan did more than look and tell", orphan.orphan_id, name)
        effects = self._facts.effects
        moved = [(one.id, one.metadata) for one in effects.payment_intents]
        moved += [(one.id, one.metadata) for one in effects.refunds]
        for reference, metadata in moved:
            if orphan.orphan_id in metadata.values():
                yield Violation("orphan moved money", orphan.orphan_id, reference)

    def _deliveries(self) -> Iterator[Violation]:
        """Of several words about a parcel the first one counts."""
        told: set[tuple[str, str]] = set()
        for run in sorted(self._runs, key=lambda run: run.started):
            noted = [done for done in run.done if done.name == calls.NOTE_DELIVERY.name]
            if len(noted) > 1:
                yield Violation("delivery noted twice", run.workflow_id, f"{len(noted)} times")
            for done in noted[:1]:
                order_id, number = str(done.ask["order_id"]), folded(done.ask["number"])
                if (order_id, number) not in told:
                    yield from self._noted_as_told(order_id, number, done)
                told.add((order_id, number))

    def _noted_as_told(self, order_id: str, number: str, done: Done) -> Iterator[Violation]:
        parcels = self._parcels(order_id, number)
        if not parcels or any(parcel.delivered_at is None for parcel in parcels):
            yield Violation("delivery noted, and not in the books", order_id, number)
            return
        heard = any(
            one.name == "delivered"
            for run in self._runs
            if run.workflow_id == order_workflow_id(order_id)
            for one in run.taken
        )
        at = NoteDelivery.model_validate(done.ask).at
        for parcel in parcels:
            if parcel.delivered_at != max(parcel.at, at) and not heard:
                yield Violation("books tell of another delivery", order_id, f"{parcel.delivered_at}")

    def _parcels(self, order_id: str, number: str) -> list[ShipmentView]:
        view = self._facts.orders.get(order_id)
        shipments = view.shipments if view is not None else ()
        return [one for one in shipments if number in (folded(one.shipment_id), folded(one.tracking_number))]

    def _done(self, workflow_id: str, name: str) -> Iterator[Done]:
        for run in self._runs:
            if run.workflow_id == workflow_id:
                yield from (done for done in run.done if done.name == name)
