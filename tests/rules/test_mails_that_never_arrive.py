"""A mail that can't go, on the running stack: the seller and staff have it instead (NTF-8)."""

import asyncio
from typing import Any

import pytest

from models.worklists import Work
from tests.eventually import eventually
from tests.return_story import ReturnStory, returning_from, shipped_order
from tests.world import World


async def waiting_for_rma(world: World, **order: Any) -> ReturnStory:
    """An approved return whose supplier's number is typed by staff."""
    supplier = await world.supplier(rma="manual")
    shipped = await shipped_order(world, supplier=supplier, **order)
    return await (await returning_from(world, *shipped)).approved("awaiting_rma")


async def test_NTF_8_RET_9_what_does_not_reach_the_buyer_reaches_seller_and_staff(world: World) -> None:
    case = await waiting_for_rma(world)
    buyer = str(case.order.request.buyer.email)
    await world.sandbox.add_fault("mail", "refuse", f"SMTP {buyer}")

    await case.issue_rma("RMA-4711")
    status = await case.reaches("awaiting_tracking")

    told = await case.seller_letter("our e-mail did not reach the buyer")
    assert f"({buyer}): the mail server refused the mail (550)" in (told.text or "")
    assert "> RMA number: RMA-4711" in (told.text or "")
    assert "> 1 Depot Way" in (told.text or "")
    (to_staff,) = await case.alerts_staff("did not arrive")
    assert "> RMA number: RMA-4711" in (to_staff.text or "")
    assert f"/workflows/return-{case.id}" in (to_staff.text or "")
    assert await case.mails("How to send back", to=buyer) == []
    assert status.waiting_for is not None
    assert status.waiting_for.who == "buyer"


async def in_trouble(case: ReturnStory) -> bool:
    found = await asyncio.to_thread(case.stack.reading.find_work, Work.PARTNER_IN_TROUBLE, limit=1_000)
    return case.handle.id in {one.standing.workflow_id for one in found}


@pytest.mark.proof
async def test_NTF_8_NTF_9_a_mail_that_the_server_does_not_take_is_shown_and_after_days_counts_as_undeliverable(
    world: World,
) -> None:
    case = await waiting_for_rma(world)
    buyer = str(case.order.request.buyer.email)
    await world.sandbox.add_fault("mail", "error", f"SMTP {buyer}", times=None)
    await case.issue_rma("RMA-4712")
    await case.reaches("awaiting_tracking")

    await case.forward(minutes=11)
    await eventually(lambda: in_trouble(case), bool, "it does not stand in the list of partners in trouble")
    await case.forward(days=3)

    told = await case.seller_letter("our e-mail did not reach the buyer")
    assert "> RMA number: RMA-4712" in (told.text or "")
    status = await case.status()
    assert any("E-mail buyer: rma for buyer: could not be sent" in step.what for step in status.timeline)
    await eventually(lambda: in_trouble(case), lambda still: not still, "it still stands in that list")


async def test_NTF_8_a_buyer_with_an_address_beyond_ascii_gets_number_and_address(world: World) -> None:
    home = {"name": "Jörg Ünal", "line1": "Hafen 1", "city": "Reno", "postal_code": "89501", "country": "US"}
    buyer = {"email": f"jörg-{world.tag}@shop-mail.example", "address": home}
    case = await waiting_for_rma(world, buyer=buyer)
    await case.issue_rma("RMA-4713")
    await case.reaches("awaiting_tracking")
    (letter,) = await eventually(
        lambda: case.mails("How to send back", to=f"jörg-{world.tag}@"), bool, "the buyer has no mail"
    )
    assert "RMA number: RMA-4713" in (letter.text or "")
