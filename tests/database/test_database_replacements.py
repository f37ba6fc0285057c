"""The order that replaces what comes back, in the database (RET-24, REF-13)."""

from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from models.buyers import Address
from models.message import LineUnits
from models.orders import OrderRequest
from models.records import Opening, ReservedRefund, SaveCase, SaveOrder
from models.replacements import PreparedReplacement, PrepareReplacement
from models.returns import Resolution, ReturnRequest
from models.tables import OrderRow
from tests.database.story import NOON, Story, case_record, order_request

ID = "RP.RR-1"


def returned(story: Story, *lines: tuple[str, int], return_id: str = "RR-1") -> None:
    said = [{"sku": sku, "quantity": count, "reason": "worn"} for sku, count in lines]
    request = ReturnRequest.model_validate({"return_id": return_id, "order_id": "1001", "lines": said})
    assert story.open_return(request).opening is Opening.OPENED


def prepared(story: Story, *lines: tuple[str, int], return_id: str = "RR-1") -> PreparedReplacement:
    units = tuple(LineUnits(line_id=sku, sku=sku, quantity=count) for sku, count in lines)
    ask = PrepareReplacement(return_id=return_id, replacement_id=f"RP.{return_id}", lines=units)
    return story.database.prepare_replacement(ask)


def request_of(answer: PreparedReplacement) -> OrderRequest:
    assert answer.request is not None, answer.reason
    return answer.request


def refund(story: Story, refund_id: str, *lines: tuple[str, int]) -> ReservedRefund:
    story.order_id = "1001"
    return story.refunding(refund_id, lines=[{"sku": sku, "quantity": count} for sku, count in lines])


def test_RET_24_ORD_15_it_is_made_of_the_original_order_to_the_cent(story: Story) -> None:
    story.delivered(("A", 3, "10.00"), ("B", 1, "7.01"), cost_tax="1.00", estimated_shipping="5.00")
    returned(story, ("A", 2), ("B", 1))
    made = request_of(prepared(story, ("A", 2), ("B", 1)))
    before = story.reading.order_view("1001").request
    assert (made.order_id, made.replaces, made.buyer, made.channel) == (ID, "RR-1", before.buyer, before.channel)
    assert [(one.line_id, one.sku, one.quantity, one.unit_price) for one in made.lines] == [
        ("A", "A", 2, Decimal(0)),
        ("B", "B", 1, Decimal(0)),
    ]
    assert (made.paid, made.paid_with, made.channel_order_id) == (Decimal(0), (), None)
    cost = sum((one.unit_cost * one.quantity for one in made.lines), made.cost_tax)
    assert cost == sum((line.cost for line in story.reading.return_view("RR-1").lines), Decimal(0))
    assert Decimal(0) < made.estimated_shipping < Decimal(5)


def test_RET_24_ORD_18_it_goes_where_the_buyer_is_now(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    moved = story.told["1001"].model_copy(
        update={
            "corrected_address": Address(name="Bo", line1="9 Oak", city="Elko", postal_code="89801", country="US"),
            "record": case_record("order-1001", "shipped", "moved", first=50, ended=True),
        }
    )
    story.database.save_order(moved)
    returned(story, ("A", 1))
    assert request_of(prepared(story, ("A", 1))).buyer.address.city == "Elko"


def test_CAN_12_why_a_replacement_was_voided_is_read_of_every_item(story: Story) -> None:
    story.delivered(("A", 1, "10.00"), ("B", 1, "10.00"))
    returned(story, ("A", 1), ("B", 1))
    story.order_request_opened(request_of(prepared(story, ("A", 1), ("B", 1))))
    ceased = [
        {"kind": "voided", "at": NOON, "reason": reason, "fault": fault, "by": "broker:backhaul", "evidence": {}}
        | {"quantities": {sku: 1}, "lines": [{"line_id": sku, "sku": sku, "quantity": 1}]}
        for sku, reason, fault in (
            ("A", "no warehouse has it", "stock_feed"),
            ("B", "the supplier refused it", "supplier"),
        )
    ]
    told = SaveOrder.model_validate(story.told[ID].model_dump() | {"cessations": ceased})
    story.database.save_order(told)
    known = prepared(story, ("A", 1)).known
    assert known is not None
    assert known.reason == "1 x A: no warehouse has it; 1 x B: the supplier refused it"


def test_RET_24_one_that_is_there_already_is_told_as_it_stands(story: Story) -> None:
    story.delivered(("A", 2, "10.00"))
    returned(story, ("A", 2))
    story.order_request_opened(request_of(prepared(story, ("A", 2))))
    again = prepared(story, ("A", 2))
    assert again.request is None
    assert again.known is not None
    assert [(one.line_id, one.open) for one in again.known.lines] == [("A", 2)]
    assert (again.known.with_supplier, again.known.outcome) == (False, None)


def test_RET_24_an_unknown_return_is_not_replaced(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    assert "no return RR-1" in prepared(story, ("A", 1)).reason
    paid = order_request(("A", 1, "0"), order_id="free")
    free = paid.model_copy(update={"order_id": ID, "replaces": "RR-1"})
    opened = story.order_request_opened(free)
    assert (opened.opening, opened.reason) == (Opening.REFUSED, "no return RR-1 of seller acme (RET-24)")


def test_RET_24_REF_13_units_whose_money_went_back_are_not_replaced(story: Story) -> None:
    story.delivered(("A", 2, "10.00"))
    returned(story, ("A", 2))
    assert refund(story, "RF-1001-D1", ("A", 1)).opening is Opening.OPENED
    opened = story.order_request_opened(request_of(prepared(story, ("A", 2))))
    assert opened.opening is Opening.REFUSED
    assert "2 of A can't be replaced: money was refunded for them" in str(opened.reason)


def test_RET_24_REF_13_units_that_are_replaced_are_not_refunded(story: Story) -> None:
    story.delivered(("A", 3, "10.00"))
    returned(story, ("A", 2))
    made = request_of(prepared(story, ("A", 2)))
    story.order_request_opened(made)
    refused = refund(story, "RF-1001-D1", ("A", 2))
    assert refused.opening is Opening.REFUSED
    assert "2 are replaced (RET-24)" in str(refused.reason)
    assert refund(story, "RF-1001-D2", ("A", 1)).opening is Opening.OPENED, "the third is nobody's"


@pytest.mark.parametrize(("stage", "cancelled"), [("cancelled", 2), ("terminated", 0)])
def test_RET_24_what_came_to_nothing_can_be_refunded_again(story: Story, stage: str, cancelled: int) -> None:
    story.delivered(("A", 2, "10.00"))
    returned(story, ("A", 2))
    story.order_request_opened(request_of(prepared(story, ("A", 2))))
    (line,) = story.told[ID].lines or ()
    if cancelled:
        lines = (line.model_copy(update={"cancelled": cancelled}),)
        record = case_record(f"order-{ID}", stage, "over", ended=True)
        story.database.save_order(story.told[ID].model_copy(update={"lines": lines, "record": record}))
    else:
        story.database.save_case(SaveCase(record=case_record(f"order-{ID}", stage, "gone", ended=True)))
    assert refund(story, "RF-1001-D1", ("A", 2)).opening is Opening.OPENED


def test_RET_24_the_database_itself_takes_one_replacement_for_a_return(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    returned(story, ("A", 1))
    story.order_request_opened(request_of(prepared(story, ("A", 1))))
    with Session(story.database._engine) as session:
        row = session.get(OrderRow, ID)
        assert row is not None
        values = {name: getattr(row, name) for name in OrderRow.model_fields}
        session.add(OrderRow(**values | {"order_id": "another", "workflow_id": "order-another"}))
        with pytest.raises(IntegrityError):
            session.flush()


def test_RET_24_both_rows_name_each_other(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    returned(story, ("A", 1))
    story.order_request_opened(request_of(prepared(story, ("A", 1))))
    story.return_reaches("RR-1", "replacing", resolution=Resolution.REPLACEMENT, replacement_order=ID)
    assert story.reading.order_view(ID).replaces == "RR-1"
    view = story.reading.return_view("RR-1")
    assert (view.resolution, view.replacement_order) == ("replacement", ID)
