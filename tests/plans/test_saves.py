"""What the database is given of a case, and when: one write at a time, only what is new, and not too early."""

import asyncio

import pytest

from models.case import OrderStage, RefundStage, ReturnStage
from models.failures import Category
from models.records import SaveOrder, SaveRefund, SaveReturn
from tests.plans.orders.order_rig import Order, Stock, request
from tests.plans.refunds.story import RefundStory, pending, says
from tests.plans.returns.return_rig import requested
from workflows.engine.case import SaveInTrouble, StepsSaved
from workflows.engine.save import Save, Saves, record_of
from workflows.orders.effects import SaveCharge
from workflows.orders.view import projection
from workflows.orders.view import view as order_view
from workflows.refunds.effects import LookUp
from workflows.refunds.facts import RefundFacts
from workflows.refunds.view import view
from workflows.refunds.workflow import PROCEDURE
from workflows.returns.facts import ReturnFacts
from workflows.returns.view import view as return_view
from workflows.returns.workflow import RETURN_PROCEDURE


def saves() -> Saves[RefundFacts]:
    return Saves(PROCEDURE, RefundStage.RESERVING.value)


def next_of(saves: Saves[RefundFacts], story: RefundStory) -> Save | None:
    return saves.next(story.facts, story.plan, view(story.facts, story.plan))


def test_the_next_save_waits_for_an_answer_that_is_a_matter_of_seconds_as_the_first_one_does() -> None:
    story, known = pending(), saves()
    first = next_of(known, story)
    assert first is not None
    known.done(first)
    story.world.look = None
    story.claim("succeeded")
    story.settle()
    assert story.facts.is_in_flight(LookUp)
    assert story.facts.is_settling
    assert next_of(known, story) is None, "where it stands after the look is saved, and not before"
    story.world.look = says("succeeded")
    story.rest()
    last = next_of(known, story)
    assert last is not None
    assert isinstance(last.message, SaveRefund)
    assert (last.message.state, last.message.record.ended) == ("succeeded", True)


async def test_steps_alone_are_written_at_once_where_somebody_waits_for_them() -> None:
    story, known = pending(), saves()
    first = next_of(known, story)
    assert first is not None
    known.done(first)
    story.take(StepsSaved(count=first.steps_saved))
    story.facts = story.facts.step("nothing that lists show")
    assert next_of(known, story) is None, "they wait for the next write"
    waiting = asyncio.ensure_future(known.until(story.facts.steps))
    await asyncio.sleep(0)
    save = next_of(known, story)
    assert save is not None
    assert save.steps_saved == story.facts.steps
    known.done(save)
    await waiting


@pytest.mark.parametrize("took_over", [False, True])
def test_RET_17_a_save_tells_the_numbers_and_the_sections_that_are_new(took_over: bool) -> None:
    """A run that took over, as after a reset, does not know what the database has, and tells all."""
    known: Saves[ReturnFacts] = Saves(RETURN_PROCEDURE, ReturnStage.OPENING.value, took_over=took_over)
    story = requested()
    first = known.next(story.facts, story.plan, return_view(story.facts, story.plan))
    assert first is not None
    known.done(first)
    story.approved().sent()
    later = known.next(story.facts, story.plan, return_view(story.facts, story.plan))
    assert later is not None
    assert isinstance(first.message, SaveReturn)
    assert isinstance(later.message, SaveReturn)
    news, parcels = set(later.message.record.numbers), later.message.parcels or ()
    assert {one.tracking_number for one in parcels} <= news
    assert parcels
    assert later.message.kept is not None
    assert (first.message.record.numbers[0] in news) is took_over
    assert (later.message.receptions is not None) is took_over, "nothing has arrived, as before"


def test_ORD_11_of_an_order_the_lines_are_saved_once_something_became_of_them() -> None:
    """The opening has written them."""
    order = Order(request({}), stock=(Stock("A"),)).in_its_window()
    assert saved(order).as_opened == ("lines",)
    order.placed().ships("s1", A=1)
    assert saved(order).as_opened == ()


def saved(order: Order) -> SaveOrder:
    plan = order.rig.plan
    record = record_of(order.facts, plan, order_view(order.facts, plan), OrderStage.RECEIVED.value)
    given = projection(order.facts, record)
    assert given is not None
    assert isinstance(given[1], SaveOrder)
    return given[1]


def test_nothing_is_left_unsaved_at_the_end() -> None:
    """Of a case that has ended nothing waits, whatever is still in flight."""
    story, known = RefundStory(), saves()
    story.rest()
    story.facts = story.facts.with_(in_flight={"look:0": LookUp(key="look:0")})
    assert not story.facts.is_settling
    assert next_of(known, story) is not None


def test_a_save_that_an_effect_waits_for_waits_for_nothing_but_quick_answers() -> None:
    """ORD-7: the seller's refund waits until the database knows what was collected."""
    stock = (Stock("A"), Stock("LAMP", warehouse="omaha", refuses=True))
    order = Order(request({}, {"sku": "LAMP", "quantity": 3}), stock=stock).in_its_window()
    order.held.add(SaveCharge)
    order.passes(minutes=31)
    assert order.facts.is_in_flight(SaveCharge)
    assert not order.facts.is_settling, "else it would be waited for for ever"


def test_a_database_that_takes_saves_again_is_not_shown_in_trouble_any_more() -> None:
    story = pending()
    story.take(SaveInTrouble(reason="no answer", category=Category.PARTNER_UNAVAILABLE, alert=True))
    story.settle()
    assert story.facts.save_trouble is not None
    assert "mail:alert-trouble-save" in story.mailed
    story.take(StepsSaved(count=story.facts.steps))
    assert story.facts.save_trouble is None
