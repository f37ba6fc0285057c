"""RET-22: the return window counts from delivery, per seller and country, with the law as its floor."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from models.ids import return_workflow_id
from models.parties import Seller
from models.records import NoteDelivery, OpenReturn
from models.return_windows import STATUTORY_DAYS, ReturnWindow, return_window, window_days
from models.returns import ReturnRequest
from tests.database.story import NOON, Story, seller

DAY = timedelta(days=1)


def window(story: Story, **fields: Any) -> ReturnWindow | None:
    """Of a return of one unit, opened at once."""
    request = ReturnRequest.at_the_door(
        {
            "return_id": "RR-1001-1",
            "order_id": "1001",
            "source": "buyer",
            "lines": [{"sku": "A", "quantity": 1, "reason": "does_not_fit"}],
            **fields,
        }
    )
    opened = story.database.open_return(
        OpenReturn(request=request, workflow_id=return_workflow_id("RR-1001-1"), run_id="run-r", created_at=NOON)
    ).opened
    assert opened is not None
    return opened.window


def delivered(story: Story, shipment_id: str, at: datetime) -> None:
    story.database.note_delivery(NoteDelivery(order_id="1001", number=shipment_id, at=at))


def settings(**changes: Any) -> Seller:
    return Seller.at_the_door({**seller().model_dump(mode="json"), **changes})


@pytest.mark.parametrize(
    ("changes", "country", "days"),
    [
        ({}, "US", 30),
        ({"return_days": 10}, "US", 10),
        ({"return_days": 10}, "DE", 14),
        ({"return_days": 20}, "DE", 20),
        ({"return_days_by_country": {"DE": 60}}, "DE", 60),
        ({"return_days_by_country": {"DE": 7}}, "DE", 14),
        ({"return_days_by_country": {"DE": 60}}, "US", 30),
    ],
)
def test_RET_22_days_are_the_sellers_by_country_and_never_under_the_law(
    changes: dict[str, Any], country: str, days: int
) -> None:
    assert window_days(settings(**changes), country) == days


def test_RET_22_the_law_of_every_country_of_the_union_is_in_the_table() -> None:
    assert len(STATUTORY_DAYS) == 27 + 3 + 1, "the union, those where its law counts too, and the United Kingdom"
    assert {STATUTORY_DAYS[country] for country in ("AT", "DE", "FR", "IE", "SI", "NO", "GB")} == {14}
    assert "US" not in STATUTORY_DAYS


def test_RET_22_it_ends_with_its_last_day_in_the_sellers_zone() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # March 2 in Berlin
    found = return_window(settings(time_zone="Europe/Berlin"), "DE", shipped_at=NOON, delivered_at=late)
    assert found.until.isoformat() == "2026-04-01T23:59:59+02:00"
    assert found.is_delivery_known


def test_RET_22_without_a_word_of_the_delivery_it_counts_from_shipping_and_the_days_for_the_way(
    story: Story,
) -> None:
    story.delivered(("A", 2, "50.00"))
    found = window(story)
    assert found is not None
    assert (found.counts_from, found.is_delivery_known, found.days) == (NOON + 5 * DAY, False, 30)


def test_RET_22_a_delivery_after_the_orders_end_counts_once(story: Story) -> None:
    story.delivered(("A", 2, "50.00"))
    delivered(story, "s 1", NOON + 9 * DAY)
    delivered(story, "S1", NOON + 20 * DAY)
    found = window(story)
    assert found is not None
    assert (found.counts_from, found.is_delivery_known) == (NOON + 9 * DAY, True)


def test_RET_22_a_carrier_knows_a_parcel_by_its_tracking_number(story: Story) -> None:
    story.delivered(("A", 2, "50.00"))
    delivered(story, "1z-1", NOON + 9 * DAY)
    found = window(story)
    assert found is not None
    assert found.counts_from == NOON + 9 * DAY


def test_RET_22_of_several_parcels_the_last_one_counts(story: Story) -> None:
    story.ordered(("A", 2, "50.00"))
    number = story.bought("north", A=2)
    story.shipped_for(number, A=1)
    story.shipped_for(number, A=1)
    delivered(story, "S2", NOON + 9 * DAY)
    delivered(story, "S1", NOON + 3 * DAY)
    found = window(story)
    assert found is not None
    assert found.counts_from == NOON + 9 * DAY


def test_RET_22_what_the_order_says_later_forgets_no_delivery(story: Story) -> None:
    story.ordered(("A", 2, "50.00"))
    number = story.bought("north", A=2)
    story.shipped_for(number, A=1)
    delivered(story, "S1", NOON + 9 * DAY)
    story.shipped_for(number, A=1)
    shipments = story.told["1001"].shipments or ()
    corrected = tuple(one.model_copy(update={"tracking_number": "1Z9"}) for one in shipments)
    story.save(shipments=corrected)
    found = window(story)
    assert found is not None
    assert (found.counts_from, found.is_delivery_known) == (NOON + 9 * DAY, True)


def test_RET_22_what_the_order_says_of_a_delivery_is_kept(story: Story) -> None:
    story.delivered(("A", 2, "50.00"))
    shipments = story.told["1001"].shipments or ()
    story.save(shipments=tuple(one.model_copy(update={"delivered_at": NOON + 2 * DAY}) for one in shipments))
    found = window(story)
    assert found is not None
    assert found.counts_from == NOON + 2 * DAY


def test_RET_22_a_cancel_that_came_too_late_has_no_window(story: Story) -> None:
    story.delivered(("A", 2, "50.00"))
    assert window(story, source="late_cancel") is None


def test_RET_22_a_delivery_of_no_shipment_is_refused_with_those_there_are(story: Story) -> None:
    story.delivered(("A", 2, "50.00"))
    with pytest.raises(ApplicationError) as refused:
        delivered(story, "S9", NOON)
    assert refused.value.type == "NotFound"
    assert "known: S1" in str(refused.value)


def test_RET_22_after_the_orders_end_too_nothing_arrives_before_it_left(story: Story) -> None:
    story.delivered(("A", 2, "50.00"))
    with pytest.raises(ApplicationError, match="shipment S1 left at 2026-03-0"):
        delivered(story, "S1", NOON - 3 * DAY)
    found = window(story)
    assert found is not None
    assert not found.is_delivery_known
