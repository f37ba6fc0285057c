"""What the database is given of a case, and when: one write at a time, only what is new, and not too early."""

from models.case import RefundStage
from models.failures import Category
from models.records import SaveRefund
from tests.plans.orders.order_rig import Order, Stock, request
from tests.plans.refunds.story import RefundStory, pending, says
from workflows.engine.case import SaveInTrouble, StepsSaved
from workflows.engine.save import Save, Saves
from workflows.orders.effects import SaveCharge
from workflows.refunds.effects import LookUp
from workflows.refunds.facts import RefundFacts
from workflows.refunds.view import view
from workflows.refunds.workflow import PROCEDURE


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
