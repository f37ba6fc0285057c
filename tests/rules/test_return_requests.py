"""A return request: who may make it, which units, one per supplier (RET-1, RET-2, RET-6, RET-17, RET-19)."""

from decimal import Decimal

import pytest

from tests.return_story import PAID_EACH, ReturnStory, returning, returning_from, shipped_order
from tests.world import NEWARK, RENO, World

EVIDENCE = {"kind": "photo", "reference": "s3://evidence/crack.jpg", "sha256": "ab" * 32}


@pytest.mark.parametrize(
    ("source", "by"),
    [
        ("seller", "seller:jane"),
        ("ebay_case", "channel:ebay"),
    ],
)
async def test_RET_1_each_source_makes_the_same_return_and_is_kept(world: World, source: str, by: str) -> None:
    case = await returning(world, source=source, requested_by=by)

    status = await case.reaches("awaiting_approval")

    assert status.facts["source"] == source
    view = world.reading.return_view(case.id)
    assert view.listed.source == source
    assert view.requested_by == by
    assert (view.lines[0].quantity, view.lines[0].paid) == (2, 2 * PAID_EACH)


@pytest.mark.proof
async def test_RET_2_more_than_was_shipped_is_refused(world: World) -> None:
    case = await returning(world, quantity=3)

    status = await case.ends("refused")

    assert "2 of 2 shipped" in status.timeline[-1].what
    assert world.reading.find_return(case.id) == []


@pytest.mark.proof
async def test_RET_2_a_second_return_counts_what_came_back_before(world: World) -> None:
    first = await returning(world, quantity=1)
    await first.reaches("awaiting_approval")

    too_many = await returning_from(world, first.order, first.seller, first.supplier, quantity=2)
    assert "1 returned already" in (await too_many.ends("refused")).timeline[-1].what

    the_rest = await returning_from(world, first.order, first.seller, first.supplier, quantity=1)
    await the_rest.reaches("awaiting_approval")


@pytest.mark.proof
async def test_RET_2_units_of_a_withdrawn_return_can_be_returned_again(world: World) -> None:
    first = await returning(world)
    await first.reaches("awaiting_approval")
    await first.withdraw()
    await first.ends("withdrawn")

    again = await returning_from(world, first.order, first.seller, first.supplier, quantity=2)

    await again.reaches("awaiting_approval")


@pytest.mark.proof
async def test_RET_2_an_item_that_the_order_does_not_have_is_refused(world: World) -> None:
    case = await returning(world, lines=[{"sku": "OTHER-1", "quantity": 1, "reason": "broken"}])

    status = await case.ends("refused")

    assert "there is no line OTHER-1" in status.timeline[-1].what


@pytest.mark.proof
async def test_RET_2_an_order_that_has_not_shipped_has_nothing_to_return(world: World) -> None:
    order = await world.simple_order()
    await order.placed()

    case = await world.return_of(order)

    assert "0 of 2 shipped" in (await case.ends("refused")).timeline[-1].what


async def test_RET_2_lines_of_two_suppliers_become_a_return_each(world: World) -> None:
    seller = await world.seller()
    reno, newark = await world.supplier(), await world.supplier(name="Newark Warehouse")
    discs, pads = world.sku(), world.sku()
    await world.stock(discs, 5, reno, at=RENO)
    await world.stock(pads, 5, newark, at=NEWARK)
    order = await world.order(seller, {"sku": discs, "quantity": 2}, {"sku": pads, "unit_price": "20.00"})
    await order.shipped()

    first = await world.return_of(order)
    status = await first.reaches("awaiting_approval")
    [other] = [await world.return_story(key).reaches("awaiting_approval") for key in status.facts["siblings"]]

    both = {facts["supplier_id"]: facts["lines"] for facts in (status.facts, other.facts)}
    assert {supplier: [(line["sku"], line["quantity"]) for line in lines] for supplier, lines in both.items()} == {
        reno.supplier_id: [(discs, 2)],
        newark.supplier_id: [(pads, 1)],
    }
    listed = world.reading.find_return(order.id)
    assert sorted(found.paid for found in listed) == [Decimal("20.00"), Decimal("100.00")]


@pytest.mark.proof
async def test_RET_6_a_matching_return_opens_in_the_sellers_account_at_the_broker(world: World) -> None:
    case = await returning(world, supplier=await world.supplier(fulfilment="broker"))

    await case.approved()

    assert world.reading.return_view(case.id).broker_return_number == f"BR-{case.id}"


@pytest.mark.proof
async def test_RET_6_a_direct_suppliers_return_is_not_opened_at_the_broker(world: World) -> None:
    case = await returning(world, supplier=await world.supplier(fulfilment="direct"))

    await case.approved()

    assert world.reading.return_view(case.id).broker_return_number is None


async def test_RET_6_the_return_is_passed_on_to_the_supplier(world: World) -> None:
    case = await returning(world)

    await case.approved()

    letter = await case.supplier_letter("is on its way")
    assert letter.text is not None
    assert f"Number on the parcel: {case.order.id}-1" in letter.text
    assert f"({case.sku}): does not fit" in letter.text


async def test_RET_17_a_return_is_found_by_each_of_its_numbers(world: World) -> None:
    case = await returning(
        world,
        supplier=await world.supplier(rma="manual"),
        amazon_rma_id=f"AMZ-{world.tag}",
        ebay_return_id=f"EBAY-{world.tag}",
    )
    await case.approved("awaiting_rma")
    await case.issue_rma(f"RMA-{world.tag}")
    await case.reaches("awaiting_tracking")

    numbers = (case.id, case.order.id, f"RMA-{world.tag}", f"AMZ-{world.tag}", f"EBAY-{world.tag}")

    for number in numbers:
        assert [found.return_id for found in world.reading.find_return(number)] == [case.id], number


async def test_RET_19_buyers_words_and_evidence_lie_in_the_books_by_reference(world: World) -> None:
    order, seller, supplier = await shipped_order(world)
    line = {"sku": order.request.lines[0].sku, "quantity": 1, "reason": "defect"}
    case = await world.return_of(
        order, lines=[line | {"buyer_words": "There is a crack in it.", "evidence": [EVIDENCE]}]
    )
    await ReturnStory.of(case, order, seller, supplier).approved()

    [kept] = world.reading.return_view(case.id).lines
    shown = (await case.handle.describe()).typed_search_attributes

    assert kept.buyer_words == "There is a crack in it."
    assert [piece.model_dump(exclude_none=True) for piece in kept.evidence] == [EVIDENCE]
    values = [str(pair.value) for pair in shown]
    assert not [value for value in values if "crack" in value or EVIDENCE["sha256"] in value]


@pytest.mark.proof
async def test_RET_19_the_correspondence_of_a_rejection_is_kept_with_it(world: World) -> None:
    case = await returning(world)
    await case.reaches("awaiting_approval")

    await case.update(
        "seller_approval", decision="rejected", reason="electrical part", note="told the buyer on the phone"
    )
    await case.ends("rejected")

    view = world.reading.return_view(case.id)
    assert (view.decision, view.decision_reason, view.decided_by) == ("rejected", "electrical part", "seller:jane")
    assert any("told the buyer on the phone" in step.what for step in view.timeline)
