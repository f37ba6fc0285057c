"""Staff terminate a case: it gets no word of that, so `backhaul reconcile` finds it, the books and staff are told,
money that may have moved stays counted, and its id is no second case (NTF-3, REF-3, REF-6)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from activities.database import Alerts, Contacts, Database
from activities.database.reconciliation import Reconciling
from activities.database.views import OrderRefunds, Standing
from activities.mail.delivery import Mailer
from models.failures import Conflict
from models.records import Opening, OpenReturn
from models.refunds import COUNTS_AGAINST_CAP, RefundRequest, RefundState
from models.returns import ReturnRequest
from starter.client.start import open_refund, open_return
from starter.ops.reconcile import Lost, find_lost, note_lost, tell_staff
from starter.sandbox.facts import Effects, MailFact
from tests.case_story import CaseStory, OrderStory
from tests.eventually import eventually
from tests.return_story import returning
from tests.rules.retention import forget
from tests.rules.slow_partners import ASKS, asking, is_met
from tests.rules.staff_cancel import started_again
from tests.stack import Stack
from tests.stages import HOLDING, WAITS, order_at, refund_at, return_at, standing_at
from tests.world import World

pytestmark = pytest.mark.proof

NOT_ANSWERED = "asked, and the answer is not known"


async def lost_of(case: CaseStory) -> list[Lost]:
    """What a look at books and server tells of this case."""
    found = await find_lost(case.stack.client, Reconciling(case.stack.engine))
    return [one for one in found if one.case.workflow_id == case.handle.id]


async def reconciled(case: CaseStory) -> list[Lost]:
    """As `backhaul reconcile --write` does it, for this case; gives what was noted."""
    return await _noted(case.stack, await lost_of(case))


async def found_and_noted(case: CaseStory) -> Lost:
    """Where a save was under way it moved meanwhile, and the next look finds it."""
    (lost,) = await eventually(lambda: reconciled(case), bool, "it is not found")
    return lost  # type: ignore[no-any-return]


async def all_reconciled(world: World) -> list[Lost]:
    """The same for all of this test's cases."""
    found = await find_lost(world.client, Reconciling(world.engine))
    return await _noted(world, [one for one in found if world.tag in one.case.workflow_id])


async def _noted(stack: Stack, lost: list[Lost]) -> list[Lost]:
    books = Reconciling(stack.engine)
    noted = await note_lost(stack.client, books, lost)
    contacts = Contacts(stack.engine, stack.settings)
    mailer = Mailer(stack.settings, contacts, contacts, Alerts(stack.engine), stack.client.namespace)
    await tell_staff(mailer, books)
    return noted


async def alerts(case: CaseStory) -> list[MailFact]:
    staff = str(case.stack.settings.mail_staff)
    letters = await case.stack.sandbox.mails(to=staff, subject=f"{case.handle.id}: the case is terminated")
    return list(letters)


class Terminated(NamedTuple):
    """A case that staff terminated where it stood, and what was known of it then."""

    order: OrderStory
    case: CaseStory
    effects: Effects
    money: OrderRefunds
    standing: Standing | None

    @property
    def is_one_case(self) -> bool:
        """A refund that is started again goes on: see test_refund_resumed.py."""
        return not self.case.handle.id.startswith("refund-")


async def terminated_at(world: World, kind: str, stage: str) -> Terminated:
    order, case = await standing_at(world, kind, stage)
    effects, money = await order.effects(), (await order.books()).refunds

    async def standing_now() -> Standing | None:
        return world.reading.standing(case.handle.id)

    # A case that asks a partner writes that down only when there is trouble.
    if stage not in HOLDING:
        standing = await eventually(standing_now, lambda one: one is None or one.stage == stage, "it is saved")
        assert standing is None or not standing.ended
    assert await lost_of(case) == [], "it runs"
    await case.handle.terminate("by mistake")
    await world.sandbox.clear_faults()
    standing = world.reading.standing(case.handle.id)  # a save may have been under way until now
    one = Terminated(order, case, effects, money, standing)
    if one.is_one_case:
        assert await started_again(case) == "refused"
    assert world.reading.standing(case.handle.id) == standing
    return one


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in WAITS}))
async def test_NTF_3_a_case_that_staff_terminate_is_found_and_noted_at_every_stage(
    world: World, kind: str
) -> None:
    every = [await terminated_at(world, kind, stage) for one, stage in WAITS if one == kind]

    noted = {lost.case.workflow_id: lost for lost in await all_reconciled(world)}

    books = {}
    for one in every:
        books[one.case.id] = await one.order.books()
        await assert_noted(one, noted[one.case.handle.id])
    again = {lost.case.workflow_id for lost in await all_reconciled(world)}
    for one in every:
        if one.is_one_case:
            assert await started_again(one.case) == "refused"
    again |= {lost.case.workflow_id for lost in await all_reconciled(world)}
    assert not again & noted.keys()
    for one in every:
        assert await one.order.books() == books[one.case.id]
        assert len(await alerts(one.case)) == 1
        assert counted(books[one.case.id].refunds) == counted(one.money)
        after = await one.order.effects()
        assert after.model_copy(update={"mails": ()}) == one.effects.model_copy(update={"mails": ()})


def counted(money: OrderRefunds) -> list[tuple[str, Decimal, bool]]:
    """Whether each refund counts against the cap; one that is reserved may be pending a moment later."""
    return [(one.refund_id, one.amount, one.state in COUNTS_AGAINST_CAP) for one in money.refunds]


async def assert_noted(one: Terminated, lost: Lost) -> None:
    """Database and staff are told, with all that hangs on it."""
    reading, workflow_id = one.case.stack.reading, one.case.handle.id
    assert lost.server_says == "terminated"
    noted = reading.standing(workflow_id)
    assert noted is not None
    assert (noted.stage, noted.ended, noted.waiting_on, noted.due_by) == ("terminated", True, None, None)
    step = reading.timeline(workflow_id)[-1]
    assert (step.who, step.what) == ("staff:temporal", f"the case is terminated: {lost.in_words}")
    assert all(what in step.what for what in lost.hangs_on_it)
    (letter,) = await alerts(one.case)
    assert step.what in str(letter.text)


# ---- the work was done, and the answer lost ----


@pytest.mark.parametrize("name", [name for name in ASKS if name != "stock"])
async def test_NTF_3_what_a_partner_did_for_an_order_that_was_terminated_is_named_though_no_answer_came(
    world: World, name: str
) -> None:
    await world.sandbox.clear_requests()
    if name == "charge":  # the next try would look for it, and find it: that may come before the end
        await world.sandbox.add_fault("gateway", "drop_before", "GET /v1/payment_intents", times=None)
    async with asking(world, ASKS[name], "drop_after") as order:
        await order.handle.terminate("by mistake")
    lost = await found_and_noted(order)
    assert any(ASKS[name].word in what for what in lost.unanswered), lost
    (letter,) = await alerts(order)
    assert f"{NOT_ANSWERED}: {', '.join(lost.unanswered)}" in str(letter.text)
    effects = await order.effects()
    if name == "purchase":
        # The books were written last before it was asked: only the server's history knows of it.
        assert len(effects.supplier_orders) == 1
        assert any("collect" in what for what in lost.answered)
    if name == "void":
        assert [one.status for one in effects.payment_intents] == ["canceled"]
        assert any("is authorized" in what for what in lost.case.holds), "it is what the books know"


async def test_REF_6_a_refund_that_was_terminated_before_its_answer_came_counts_as_reserved(world: World) -> None:
    await world.sandbox.clear_requests()
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "drop_after", "POST /v1/refunds", times=None)
    refund = await world.refund(order, amount="40.00")
    await is_met(refund, "gateway", "drop_after")
    await refund.handle.terminate("by mistake")
    await world.sandbox.clear_faults()

    lost = await found_and_noted(refund)

    assert lost.unanswered == ("refund the buyer",)
    assert "40.00 USD for the buyer is reserved, and stays so: look at the gateway" in lost.hangs_on_it
    assert world.reading.refund(refund.id).state is RefundState.RESERVED
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("40.00")]
    too_much = await world.refund(order, amount="60.01")
    await too_much.ends("refused")
    rest = await world.refund(order)
    await rest.ends("succeeded")
    assert world.reading.refund(rest.id).amount == Decimal("60.00")
    assert sum(one.amount for one in (await order.effects()).refunds) == Decimal(100)


async def test_RET_8_an_rma_that_was_issued_for_a_return_that_was_terminated_is_named(world: World) -> None:
    await world.sandbox.clear_requests()
    await world.sandbox.add_fault("supplier", "drop_after", "PUT /v1/rmas/", times=None)
    case = await returning(world, supplier=await world.supplier(rma="service"))
    await case.approved("awaiting_rma")
    await is_met(case, "supplier", "drop_after")
    await case.handle.terminate("by mistake")
    lost = await found_and_noted(case)
    assert lost.unanswered == ("issue the RMA number by its web service",)
    assert [rma.return_id for rma in (await world.effects()).rmas if rma.return_id == case.id] == [case.id]


async def test_RET_2_a_return_that_was_terminated_gives_its_units_free_and_is_not_opened_again_by_a_late_failure(
    world: World,
) -> None:
    case = await return_at(world, "awaiting_tracking")
    await case.handle.terminate("by mistake")
    await reconciled(case)
    view = world.reading.return_view(case.id)
    assert (view.outcome, view.listed.rma_number) == ("terminated", f"{case.order.id}-1")
    again = await world.return_of(case.order)
    await again.reaches("awaiting_approval")


async def test_REF_6_a_return_that_was_terminated_leaves_its_refund_to_go_on(world: World) -> None:
    case = await return_at(world, "refunding_buyer")
    refund = world.refund_story(f"RF-{case.id}-B1")
    await case.handle.terminate("by mistake")
    await reconciled(case)
    assert await lost_of(refund) == []
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=25)
    await refund.ends("succeeded")
    assert world.reading.refund(refund.id).state is RefundState.SUCCEEDED


# ---- what is not touched ----


async def test_NTF_3_a_case_that_was_started_again_meanwhile_is_not_touched_while_that_runs(world: World) -> None:
    order = await order_at(world, "awaiting_shipment")
    await order.handle.terminate("by mistake")
    queue = f"away-{world.tag}"
    again = await world.client.start_workflow("Order", order.request, id=order.handle.id, task_queue=queue)
    assert await lost_of(order) == []
    async with world.worker(queue):
        assert (await again.result())["outcome"] == "refused"
    lost = await found_and_noted(order)
    assert lost.server_says == "terminated"


async def test_NTF_3_a_case_that_moved_since_it_was_looked_at_is_not_touched(world: World) -> None:
    order = await order_at(world, "cancel_window")
    books = Reconciling(world.engine)
    (before,) = [one for one in books.open_cases() if one.workflow_id == order.handle.id]
    await order.update("hold", reason="ask the buyer")
    await order.forward(minutes=31)
    await order.reaches("on_hold")
    assert not books.note_terminated(before, datetime.now(UTC), "the case is terminated: wrong")
    standing = world.reading.standing(order.handle.id)
    assert standing is not None
    assert (standing.stage, standing.ended) == ("on_hold", False)


async def test_NTF_3_a_case_that_staff_reset_after_it_was_noted_goes_on_and_the_books_follow(world: World) -> None:
    order = await order_at(world, "cancel_window")
    await order.handle.terminate("by mistake")
    await reconciled(order)
    history = await order.handle.fetch_history()
    completed = [
        one.event_id for one in history.events if one.HasField("workflow_task_completed_event_attributes")
    ]
    await world.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=world.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=order.handle.id),
            reason="it was a mistake",
            workflow_task_finish_event_id=completed[-1],
            request_id=f"reset-{world.tag}",
        )
    )
    assert await lost_of(order) == []
    await order.placed()
    await order.ship_all()
    standing = world.reading.standing(order.handle.id)
    assert standing is not None
    assert (standing.stage, standing.ended) == ("shipped", True)
    assert len((await order.effects()).payment_intents) == 1


async def test_REF_6_a_refund_that_went_on_and_was_terminated_again_is_found_again(world: World) -> None:
    order, refund = await refund_at(world, "sending")
    await refund.handle.terminate("by mistake")
    assert len(await reconciled(refund)) == 1
    request = world.reading.refund_request(refund.id)
    await open_refund(world.client, request, task_queue=world.task_queue)
    await refund.reaches("sending")
    assert await lost_of(refund) == [], "it runs"
    await refund.handle.terminate("by mistake again")
    lost = await found_and_noted(refund)
    assert (lost.server_says, lost.unanswered) == ("terminated", ("refund the buyer",))
    assert await reconciled(refund) == []
    assert len(await alerts(refund)) == 2
    assert (await order.books()).refunds.buyer.left == Decimal(60)


# ---- what the server does not know ----


async def test_NTF_3_a_refund_that_the_server_has_forgotten_is_found_and_goes_on_when_started_again(
    world: World,
) -> None:
    order, refund = await refund_at(world, "pending")
    await refund.handle.terminate("by mistake")
    request = RefundRequest.model_validate(
        {
            "refund_id": refund.id,
            "order_id": order.id,
            "amount": "40.00",
            "currency": "USD",
            "reason": "goodwill",
            "requested_by": "seller:jane",
        }
    )
    await forget(refund)
    lost = await found_and_noted(refund)
    assert (lost.server_says, lost.unanswered) == ("not found", ())
    assert len(await alerts(refund)) == 1

    opened = await open_refund(world.client, request, task_queue=world.task_queue)
    assert not opened.already, "the server does not know it any more"
    await refund.reaches("pending")
    standing = world.reading.standing(refund.handle.id)
    assert standing is not None
    assert (standing.stage, standing.ended) == ("pending", False)
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=25)
    await refund.ends("succeeded")
    assert len((await order.effects()).refunds) == 1
    assert world.reading.refunds_of(order.id).buyer.refunded == Decimal(40)
    assert await lost_of(refund) == []


async def test_RET_2_what_was_split_off_a_return_that_died_before_it_opened_its_sibling_is_found_too(
    world: World,
) -> None:
    suppliers, skus = [await world.supplier() for _ in range(2)], [world.sku() for _ in range(2)]
    for sku, supplier in zip(skus, suppliers, strict=True):
        await world.stock(sku, 5, supplier)
    order = await world.order(await world.seller(), *({"sku": sku, "quantity": 1} for sku in skus))
    await order.shipped()
    lines = [{"sku": sku, "quantity": 1, "reason": "does not fit"} for sku in skus]
    request = ReturnRequest.model_validate({"return_id": f"RR-{order.id}", "order_id": order.id, "lines": lines})
    first, sibling = world.return_story(request.return_id), world.return_story(f"{request.return_id}.2")
    # All that is left of a return that was terminated, and forgotten, right after the books had it.
    opening = OpenReturn(request=request, workflow_id=first.handle.id, run_id="gone", created_at=datetime.now(UTC))
    assert Database(world.engine).open_return(opening).opening is Opening.OPENED

    for case in (first, sibling):
        lost = await found_and_noted(case)
        assert (lost.server_says, lost.case.stage) == ("not found", "opening")

    again = await world.return_of(order)
    await again.reaches("awaiting_approval")
    request_of_sibling = request.model_copy(update={"return_id": sibling.id, "lines": request.lines[1:]})
    await open_return(world.client, request_of_sibling, task_queue=world.task_queue)
    await sibling.ends("refused")


async def test_NTF_3_books_of_another_server_are_not_believed(world: World) -> None:
    order = await order_at(world, "cancel_window")
    elsewhere = await world.env.connect_client(
        namespace=f"elsewhere-{world.tag}", data_converter=world.client.data_converter
    )
    with pytest.raises(Conflict, match="knows none of the newest"):
        await find_lost(elsewhere, Reconciling(world.engine))
    assert await lost_of(order) == []
