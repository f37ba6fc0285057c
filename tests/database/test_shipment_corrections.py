"""ORD-20 in the database: a label that is replaced after the order's end counts once."""

from typing import Any

import pytest

from models.ids import order_workflow_id
from models.order_events import ShipmentCorrected
from models.orphans import FindCases
from models.records import NoteCorrection, NotedCorrection, NoteDelivery, SaveCase
from tests.database.story import NOON, Story, case_record

ORDER = order_workflow_id("1001")


def ended_order(story: Story) -> Story:
    story.ordered(("A", 2, "50.00"), ("B", 1, "20.00"))
    story.shipped_for(story.bought("north", A=2, B=1), B=1, A=2)
    _save_case(story, ended=True)
    return story


def _save_case(story: Story, *, ended: bool) -> None:
    stage = "shipped" if ended else "awaiting_shipment"
    story.database.save_case(SaveCase(record=case_record(ORDER, stage, ended=ended)))


def corrected(story: Story, number: str, event_id: str = "c1", **more: Any) -> NotedCorrection:
    event = {"event_id": event_id, "actor": "supplier:north", "shipment_id": "s-1", "carrier": "UPS", **more}
    return story.database.note_correction(
        NoteCorrection(order_id="1001", event=ShipmentCorrected.at_the_door({**event, "tracking_number": number}))
    )


def number_of(story: Story) -> str:
    (parcel,) = story.reading.order_view("1001").shipments
    return parcel.tracking_number


def test_ORD_20_a_number_that_is_replaced_after_the_end_is_written_down_and_announced(story: Story) -> None:
    noted = corrected(ended_order(story), "1Z9")
    assert noted.state == "noted"
    told = noted.announcement
    assert told is not None
    assert (told.shipment_id, told.tracking_number, told.correction) == ("S1", "1Z9", 1)
    assert [(line.sku, line.quantity) for line in told.lines] == [("B", 1), ("A", 2)], "as the order announced it"
    assert number_of(story) == "1Z9"
    found = story.database.find_cases(FindCases(about="order", numbers=("1z 9",)))
    assert found.fitting == (ORDER,)
    assert "goes under UPS 1Z9 now (was 1Z1)" in story.reading.timeline(ORDER)[-1].what


def test_ORD_20_the_same_correction_after_the_end_counts_once(story: Story) -> None:
    first = corrected(ended_order(story), "1Z9")
    assert corrected(story, "1Z9") == first, "an activity that is tried again announces the same"
    assert corrected(story, "1Z9", "c2").state == "known"
    assert sum("goes under" in step.what for step in story.reading.timeline(ORDER)) == 1


def test_ORD_20_an_older_correction_that_is_said_again_turns_nothing_back(story: Story) -> None:
    corrected(ended_order(story), "1Z8")
    second = corrected(story, "1Z9", "c2")
    assert second.announcement is not None
    assert second.announcement.correction == 2, "the shop takes the highest"
    assert corrected(story, "1Z8").state == "known"
    assert number_of(story) == "1Z9"


def test_ORD_20_what_the_order_itself_was_told_is_known_after_its_end(story: Story) -> None:
    ended_order(story)
    shipments = story.told["1001"].shipments or ()
    told = {"tracking_number": "1Z8", "corrections": 1, "corrected_by": ("c1",)}
    story.save(shipments=tuple(one.model_copy(update=told) for one in shipments))
    _save_case(story, ended=True)
    assert corrected(story, "1Z9", "c2").announcement is not None
    assert corrected(story, "1Z8").state == "known"
    assert number_of(story) == "1Z9"


def test_ORD_20_what_came_before_the_parcels_turn_turns_no_later_number_back(story: Story) -> None:
    ended_order(story)
    shipments = story.told["1001"].shipments or ()
    early = {"corrected_by": ("c1",)}
    story.save(shipments=tuple(one.model_copy(update=early) for one in shipments))
    _save_case(story, ended=True)
    again = corrected(story, "1Z1")
    assert (again.state, again.announcement) == ("known", None), "the order announced it with its first number"
    second = corrected(story, "1Z9", "c2")
    assert second.announcement is not None
    assert second.announcement.correction > 1
    assert corrected(story, "1Z1").state == "known"
    assert number_of(story) == "1Z9"


def test_ORD_20_a_correction_that_changed_nothing_turns_no_later_number_back(story: Story) -> None:
    first = corrected(ended_order(story), "1Z8")
    assert corrected(story, "1Z8", "c2").state == "known"
    assert corrected(story, "1Z8") == first, "its announcement may still be under way"
    corrected(story, "1Z9", "c3")
    assert corrected(story, "1Z8", "c2").state == "known"
    assert number_of(story) == "1Z9"


def test_ORD_20_what_the_order_says_late_forgets_no_correction(story: Story) -> None:
    corrected(ended_order(story), "1Z9")
    story.save(shipments=story.told["1001"].shipments)
    assert number_of(story) == "1Z9"


@pytest.mark.parametrize(
    ("shipment", "says"), [("S9", "has no shipment S9; known: S1"), ("S1", "is delivered: its number stays")]
)
def test_ORD_20_a_correction_that_can_t_be_is_answered(story: Story, shipment: str, says: str) -> None:
    ended_order(story)
    story.database.note_delivery(NoteDelivery(order_id="1001", number="S1", at=NOON))
    noted = corrected(story, "1Z9", shipment_id=shipment)
    assert (noted.state, noted.announcement) == ("refused", None)
    assert says in noted.message
    assert number_of(story) == "1Z1"


def test_ORD_20_an_order_that_is_under_way_hears_it_itself(story: Story) -> None:
    ended_order(story)
    _save_case(story, ended=False)
    assert "send the event to it" in corrected(story, "1Z9").message


def test_ORD_20_a_correction_of_an_order_that_is_not_known_is_answered(story: Story) -> None:
    assert corrected(story, "1Z9").state == "refused"
