"""What the database keeps of parcels, receipts, papers and declined refunds (RET-25 to RET-29)."""

from datetime import timedelta
from decimal import Decimal

from models.message import LineUnits
from models.records import ReceptionRecord, ReturnParcel
from models.returns import Acceptance, DeclineKind, Reception
from tests.database.story import NOON, Story


def test_RET_28_one_paper_credits_several_returns_each_with_its_part(story: Story) -> None:
    story.delivered(("A", 2, "10.00"))
    story.returned("RR-1", A=1)
    story.returned("RR-2", A=1)
    assert story.credited("CM-1", "RR-1", "6.00").state == "booked"
    assert story.credited("cm1", "RR-2", "4.00", total="10.00").state == "booked"
    (first,) = story.reading.return_view("RR-1").credit_memos
    (second,) = story.reading.return_view("RR-2").credit_memos
    assert (first.amount, first.total, second.amount, second.total) == (
        Decimal("6.00"),
        None,
        Decimal("4.00"),
        Decimal("10.00"),
    )


def test_RET_28_the_parts_of_a_paper_are_no_more_than_the_paper(story: Story) -> None:
    story.delivered(("A", 2, "10.00"))
    story.returned("RR-1", A=1)
    story.returned("RR-2", A=1)
    story.credited("CM-1", "RR-1", "6.00", total="9.00")
    refused = story.credited("CM-1", "RR-2", "4.00")
    assert (refused.state, refused.reason) == (
        "over_total",
        "the paper is over 9.00 USD, and credits 6.00 for return RR-1 and 4.00 here",
    )
    assert story.reading.return_view("RR-2").credited == Decimal(0)


def test_RET_25_units_of_one_line_in_different_condition_are_kept_apart(story: Story) -> None:
    story.delivered(("A", 3, "10.00"))
    story.returned("RR-1", A=3)
    fine, broken, later = (
        ReceptionRecord(
            event_id=event, line_id="A", sku="A", quantity=1, reception=Reception.RECEIVED, acceptance=what
        )
        for event, what in (("e1", Acceptance.ACCEPTED), ("e1", Acceptance.REJECTED), ("e2", Acceptance.ACCEPTED))
    )
    story.return_reaches("RR-1", "in_transit", receptions=(fine, broken))
    story.return_reaches("RR-1", "awaiting_credit", receptions=(fine, broken, later))
    (line,) = story.reading.return_view("RR-1").lines
    groups = [(one.event_id, one.quantity, one.acceptance.value) for one in line.receipts]
    assert groups == [("e1", 1, "accepted"), ("e1", 1, "rejected"), ("e2", 1, "accepted")]
    assert (line.received, line.reception, line.acceptance) == (3, Reception.RECEIVED, None)
    story.return_reaches("RR-1", "awaiting_credit", receptions=(broken, later))
    (line,) = story.reading.return_view("RR-1").lines
    assert [(one.event_id, one.acceptance.value) for one in line.receipts] == [
        ("e1", "rejected"),
        ("e2", "accepted"),
    ]


def test_RET_29_parcels_back_are_kept_each_number_once(story: Story) -> None:
    story.delivered(("A", 2, "10.00"))
    story.returned("RR-1", A=2)
    units = (LineUnits(line_id="A", sku="A", quantity=1),)
    one = ReturnParcel(carrier="UPS", tracking_number="1Z-1", lines=units, at=NOON)
    two = ReturnParcel(carrier="USPS", tracking_number="9400", at=NOON + timedelta(days=1))
    story.return_reaches("RR-1", "in_transit", parcels=(one,))
    story.return_reaches("RR-1", "in_transit", parcels=(one.model_copy(update={"carrier": "DHL"}), two))
    kept = story.reading.return_view("RR-1").parcels
    assert [(parcel.carrier, parcel.tracking_number, parcel.items) for parcel in kept] == [
        ("DHL", "1Z-1", {"A": 1}),
        ("USPS", "9400", {}),
    ]


def test_RET_27_which_way_a_return_ended_without_a_refund_is_kept(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    story.returned("RR-1", A=1)
    said = {
        "refund_declined": "replaced",
        "refund_declined_reason": "a new one",
        "refund_declined_by": "seller:jo",
    }
    story.return_reaches("RR-1", "completed", ended=True, **said)
    view = story.reading.return_view("RR-1")
    assert (view.refund_declined, view.refund_declined_reason) == (DeclineKind.REPLACED, "a new one")
