"""The RMA: whether one is needed, from whom it comes, and whom it is told (RET-3, RET-7, RET-8, RET-9)."""

import re

import pytest

from models.links import link_event_id, return_of
from models.parties import Fulfilment, RmaMethod, Supplier, needs_rma
from starter.sandbox.facts import RmaPolicy, SupplierSeed
from tests.case_story import Refused
from tests.eventually import eventually
from tests.return_story import ReturnStory, returning
from tests.world import World

pytestmark = pytest.mark.proof  # the plans try each of these without a server

ELSEWHERE = "Returns Centre, 9 Back Street, Fernley NV 89408"


async def by(world: World, method: str, **settings: object) -> ReturnStory:
    """An approved return of a supplier that gives its RMA numbers this way; it waits for one."""
    case = await returning(world, supplier=await world.supplier(rma=method, **settings))
    return await case.approved("awaiting_rma")


@pytest.mark.parametrize(
    ("fulfilment", "method", "needed"),
    [("broker", "none", True), ("broker", "manual", True), ("direct", "email", True), ("direct", "none", False)],
)
def test_RET_3_everything_from_the_broker_needs_an_rma_else_the_setting_decides(
    fulfilment: str, method: str, needed: bool
) -> None:
    supplier = Supplier(
        supplier_id="acme",
        name="Acme",
        email="dock@acme.example",
        return_address="1 Depot Way",
        fulfilment=Fulfilment(fulfilment),
        rma=RmaMethod(method),
    )

    assert needs_rma(supplier) is needed


@pytest.mark.parametrize("fulfilment", ["broker", "direct"])
async def test_RET_7_without_an_rma_the_brokers_order_number_is_the_number(world: World, fulfilment: str) -> None:
    case = await returning(world, supplier=await world.supplier(rma="none", fulfilment=fulfilment))

    status = await (await case.approved()).status()

    bought = [order.number for order in (await world.effects()).supplier_orders]
    assert status.facts["rma_number"] == f"{case.order.id}-1"
    assert status.facts["rma_number"] in bought


async def test_RET_8_a_web_service_issues_the_number(world: World) -> None:
    case = await returning(world, supplier=await world.supplier(rma="service"))

    status = await (await case.approved()).status()

    [issued] = [rma for rma in (await world.effects()).rmas if rma.return_id == case.id]
    assert issued.state == "issued"
    assert status.facts["rma_number"] == issued.rma_number


async def test_RET_8_a_web_service_may_say_later_and_then_send_the_number(world: World) -> None:
    supplier = await world.supplier(rma="service")
    await world.sandbox.put_supplier(supplier.supplier_id, SupplierSeed(rma=RmaPolicy.MANUAL))
    case = await (await returning(world, supplier=supplier)).approved("awaiting_rma")

    await case.issue_rma(f"LATER-{world.tag}")

    status = await case.reaches("awaiting_tracking")
    assert status.facts["rma_number"] == f"LATER-{world.tag}"


async def test_RET_8_staff_type_the_number_while_the_web_service_is_down(world: World) -> None:
    await world.sandbox.add_fault("supplier", "drop_before", match="/v1/rmas", times=None)
    case = await by(world, "service")

    await case.issue_rma(f"PHONE-{world.tag}", actor="staff:sam")

    status = await case.reaches("awaiting_tracking")
    assert status.facts["rma_number"] == f"PHONE-{world.tag}"


async def test_RET_8_a_service_that_is_down_is_shown_and_asked_again(world: World) -> None:
    await world.sandbox.add_fault("supplier", "error", match="/v1/rmas", times=1)
    case = await returning(world, supplier=await world.supplier(rma="service"))

    status = await (await case.approved()).status()

    assert status.facts["rma_number"] is not None
    assert len([rma for rma in (await world.effects()).rmas if rma.return_id == case.id]) == 1


async def test_RET_8_the_supplier_types_the_number_on_the_page_of_its_e_mail(world: World) -> None:
    case = await by(world, "email")
    letter = await case.supplier_letter("RMA number needed")
    assert letter.text is not None
    [token] = re.findall(r"/rma/(\S+)", letter.text)
    assert return_of(world.settings, token) == case.id

    await case.issue_rma(f"TYPED-{world.tag}", event_id=link_event_id(token))
    await case.reaches("awaiting_tracking")
    await case.signal(
        "supplier_rma",
        event_id=link_event_id(token),
        outcome="refused",
        reason="typed twice",
        actor="supplier:dock",
    )

    status = await case.status()
    assert status.facts["rma_number"] == f"TYPED-{world.tag}"
    assert status.rejected_count == 0


async def test_RET_8_staff_are_asked_to_type_the_number(world: World) -> None:
    case = await by(world, "manual")

    wait = (await case.status()).waiting_for
    assert wait is not None
    assert wait.who == "staff"
    await case.alerts_staff("type the RMA number")

    await case.issue_rma(f"STAFF-{world.tag}", actor="staff:sam")
    await case.reaches("awaiting_tracking")


async def test_RET_8_no_answer_brings_reminders_and_then_an_alert(world: World) -> None:
    case = await by(world, "email", rma_reminder_days=[3, 7], rma_days=14)

    await case.forward(days=8)
    reminders = await eventually(
        lambda: case.mails("RMA number needed for order", case.supplier.email),
        lambda seen: len(seen) == 2,
        "two reminders",
    )
    await case.forward(days=7)

    await case.alerts_staff("no RMA number for return")
    assert len(reminders) == 2
    assert (await case.status()).stage == "awaiting_rma"


async def test_RET_8_after_the_alert_the_number_may_still_come(world: World) -> None:
    case = await by(world, "manual", rma_days=14)
    await case.forward(days=40)

    await case.issue_rma(f"AT-LAST-{world.tag}")

    await case.reaches("awaiting_tracking")


async def test_RET_8_a_service_refuses_and_staff_get_a_number_after_all(world: World) -> None:
    supplier = await world.supplier(rma="service")
    refusing = SupplierSeed(rma=RmaPolicy.REFUSED, rma_refusal="opened box")
    await world.sandbox.put_supplier(supplier.supplier_id, refusing)
    case = await (await returning(world, supplier=supplier)).approved("rma_refused")
    letter = await case.seller_letter("refuses an RMA number")
    assert letter.text is not None
    assert "opened box" in letter.text
    await case.alerts_staff("opened box")

    await case.issue_rma(f"AFTER-ALL-{world.tag}", actor="staff:sam")

    status = await case.reaches("awaiting_tracking")
    assert status.facts["rma_number"] == f"AFTER-ALL-{world.tag}"


async def test_RET_8_a_refusal_that_nobody_turns_ends_the_return(world: World) -> None:
    case = await by(world, "manual", rma_days=14)
    await case.refuse_rma("not bought from us")
    await case.reaches("rma_refused")

    await case.forward(days=13)
    await case.reaches("rma_refused")
    await case.forward(days=2)
    await case.ends("refused_by_supplier")

    letter = await case.buyer_letter("Your return request")
    assert letter.text is not None
    assert "can't be taken back" in letter.text
    assert "not bought from us" not in letter.text, "the buyer does not know the supplier"


async def test_RET_8_staff_may_do_without_an_rma(world: World) -> None:
    case = await by(world, "email")

    await case.override(waive="rma")

    status = await case.reaches("awaiting_tracking")
    assert status.facts["rma_number"] is None
    letter = await case.buyer_letter("How to send back")
    assert letter.text is not None
    assert case.id in letter.text, "the buyer needs some number for the parcel"


async def test_RET_9_buyer_and_seller_are_told_the_number_and_where_to_send_it(world: World) -> None:
    case = await by(world, "manual", return_address=ELSEWHERE)

    await case.issue_rma("RMA-4711")
    await case.reaches("awaiting_tracking")

    to_buyer = await case.buyer_letter("How to send back")
    to_seller = await case.seller_letter("RMA number RMA-4711")
    assert to_buyer.text is not None
    assert "RMA number: RMA-4711" in to_buyer.text
    assert all(line in to_buyer.text.splitlines() for line in ELSEWHERE.split(", "))
    assert to_seller.text is not None
    assert "RMA-4711" in to_seller.text


async def test_RET_9_the_suppliers_word_wins_over_its_settings(world: World) -> None:
    case = await by(world, "manual")

    await case.issue_rma("RMA-4712", return_address=ELSEWHERE)
    await case.reaches("awaiting_tracking")

    to_buyer = await case.buyer_letter("How to send back")
    assert to_buyer.text is not None
    assert all(line in to_buyer.text.splitlines() for line in ELSEWHERE.split(", "))
    assert world.reading.return_view(case.id).return_address == ELSEWHERE


async def test_RET_9_the_address_is_frozen_once_it_is_mailed(world: World) -> None:
    case = await by(world, "manual")
    await case.issue_rma("RMA-4713")
    await case.reaches("awaiting_tracking")
    before = world.reading.return_view(case.id).return_address

    with pytest.raises(Refused, match="has its RMA number already"):
        await case.issue_rma("RMA-9999", return_address=ELSEWHERE)
    await case.track()
    await case.reaches("in_transit")

    after = world.reading.return_view(case.id)
    assert (after.return_address, after.listed.rma_number) == (before, "RMA-4713")
