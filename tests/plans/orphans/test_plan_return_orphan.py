"""RET-20: a return that a marketplace opened of an order that is not known here is kept, and starts once."""

from datetime import timedelta
from typing import Any

import pytest

from models.failures import InvalidInput
from models.marketplace_returns import ReturnAsked
from models.orphans import EventDelivered, Match, OrphanRequest, kept_request, kept_word
from models.records import Opening, ReturnOpening
from models.returns import ReturnRequest, ReturnTracking, Withdrawal
from tests.plans.orphans.test_plan_orphan import Orphan
from tests.plans.returns.return_rig import ReturnStory, unopened
from tests.plans.rig import NOT_YET
from workflows.orphans.effects import GiveToCase
from workflows.orphans.events import reply
from workflows.orphans.view import view
from workflows.returns.effects import KeepAsOrphan

ORDER, OTHER = "order-1001", "order-1002"
EARLY = EventDelivered(state="early", message="nothing has shipped yet")
TAKEN = EventDelivered(state="taken", message="return RR-E1 is open")


def asked(**fields: Any) -> dict[str, Any]:
    return {
        "event_id": "5000-1",
        "actor": "channel:ebay",
        "source": "ebay_return",
        "order_id": "12-34567-89012",
        "ebay_return_id": "5000123",
        "lines": [{"sku": "A", "quantity": 1, "reason": "NOT_AS_DESCRIBED"}],
        **fields,
    }


def report(**fields: Any) -> OrphanRequest:
    return OrphanRequest.of("ebay", "return_request", asked(**fields))


def of_unknown_order(source: str) -> ReturnStory:
    story = unopened(request={"source": source, "order_id": "12-345", "ebay_return_id": "5000123"})
    story.world.open = ReturnOpening(opening=Opening.UNKNOWN, reason="no order 12-345")
    story.rest()
    return story


def kept(story: ReturnStory) -> list[OrphanRequest]:
    return [one.request for one in story.begun if isinstance(one, KeepAsOrphan)]


# ---- the return ----


@pytest.mark.parametrize(
    ("source", "system"), [("ebay_return", "ebay"), ("ebay_case", "ebay"), ("amazon_report", "amazon")]
)
def test_RET_20_what_a_marketplace_opened_of_an_unknown_order_is_kept_with_all_its_numbers(
    source: str, system: str
) -> None:
    story = of_unknown_order(source)
    (orphan,) = kept(story)
    assert (orphan.source, orphan.known_by) == (system, ("12-345",)), "its case is looked for by the order alone"
    assert orphan.every_number == ("12-345", "RR-1", "5000123")
    assert (story.stage, story.templates) == ("refused", []), "and it moves nothing"
    assert orphan.orphan_id in story.facts.closing_message
    assert story.shown["orphan"] == orphan.orphan_id


@pytest.mark.parametrize("source", ["seller", "buyer", "manual"])
def test_RET_20_who_asks_here_for_an_unknown_order_is_refused_at_once(source: str) -> None:
    story = of_unknown_order(source)
    assert (story.stage, kept(story)) == ("refused", [])
    assert story.facts.closing_message == "no order 12-345"
    assert story.shown["orphan"] is None


def test_RET_20_the_same_request_twice_is_one_orphan() -> None:
    first, second = of_unknown_order("ebay_return"), of_unknown_order("ebay_return")
    assert kept(first)[0].orphan_id == kept(second)[0].orphan_id


def test_RET_20_the_return_that_it_starts_says_what_was_asked_for() -> None:
    request = ReturnRequest.at_the_door(
        {
            "return_id": "RR-1",
            "order_id": "12-345",
            "source": "ebay_return",
            "requested_by": "buyer:robin",
            "lines": [{"sku": "A", "quantity": 2, "reason": "worn", "buyer_words": "too old"}],
            "ebay_return_id": "5000123",
            "note": "as eBay says",
        }
    )
    told = kept_request(request).told
    assert isinstance(told, ReturnAsked)
    assert told.of_order("1001", "none") == request.model_copy(update={"order_id": "1001"})


def test_RET_20_nothing_of_a_request_is_lost_while_it_is_kept() -> None:
    of_a_run = {"reopened_by", "continued"}
    assert set(ReturnRequest.model_fields) - of_a_run <= set(ReturnAsked.model_fields)


def test_RET_20_a_request_without_a_number_gets_one_that_is_always_the_same() -> None:
    told = report().told
    assert isinstance(told, ReturnAsked)
    assert told.of_order("1001", "RR-ebay-5f3c").return_id == "RR-ebay-5f3c"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"source": "manual"}, "who asks here starts the return"),
        ({"actor": "carrier:ups"}, "only channel"),
        ({"actor": "buyer:robin"}, "buyers and sellers know their case"),
        ({"order_id": None}, "give one at least"),
        ({"lines": []}, "said.lines"),
    ],
)
def test_RET_20_what_could_start_no_return_is_refused_at_the_door(wrong: dict[str, Any], says: str) -> None:
    said = {name: value for name, value in asked(**wrong).items() if value is not None}
    with pytest.raises(InvalidInput) as refused:
        OrphanRequest.of("ebay", "return_request", said)
    assert says in str(refused.value)


# ---- what is said to the return meanwhile ----


TRACKING = {"event_id": "t1", "actor": "buyer:robin", "carrier": "UPS", "tracking_number": "1Z9"}


def test_RET_16_what_was_said_before_its_order_was_found_unknown_is_kept_too() -> None:
    story = unopened(request={"source": "ebay_return", "order_id": "12-345"})
    story.world.open = NOT_YET
    story.says("return_tracking", **TRACKING)
    story.says("seller_approval", event_id="a1", actor="seller:jane", decision="approved")
    story.world.open = ReturnOpening(opening=Opening.UNKNOWN, reason="no order 12-345")
    story.rest()
    request, word = kept(story)
    assert (request.event, word.event, word.said) == ("return_request", "return_tracking", TRACKING)
    assert word.sent_to == story.facts.case_id
    assert story.stage == "refused"
    assert [(one.name, one.event_id) for one in story.facts.rejected] == [("seller_approval", "a1")]


def test_RET_16_what_is_said_while_it_is_being_kept_is_kept_before_its_end() -> None:
    story = unopened(request={"source": "ebay_return", "order_id": "12-345"})
    story.world.open = ReturnOpening(opening=Opening.UNKNOWN, reason="no order 12-345")
    story.world.keep = NOT_YET
    story.rest()
    assert story.stage == "opening"
    assert story.says("return_tracking", **TRACKING)
    story.world.keep = None
    story.rest()
    assert ([one.event for one in kept(story)], story.stage) == (["return_request", "return_tracking"], "refused")


def word(said: dict[str, Any] = TRACKING, to: str = "return-RR-1") -> OrphanRequest:
    return kept_word(to, "return_tracking", ReturnTracking.at_the_door(said))


def test_RET_16_a_word_that_is_kept_for_a_return_is_given_to_it_when_it_has_started() -> None:
    kept = Orphan("return-RR-1", request=word())
    assert kept.rig.stage == "matched"
    waiting = Orphan(request=word())
    waiting.world.answer_of_case = EventDelivered(state="early", message="its order is not known here yet")
    waiting.fits("return-RR-1")
    waiting.rig.clock(timedelta(days=2))
    assert (waiting.rig.stage, waiting.alerts) == ("unmatched", [])
    waiting.world.answer_of_case = TAKEN
    waiting.rig.clock(timedelta(days=1))
    assert waiting.rig.stage == "matched"


def test_RET_16_an_event_id_is_the_returns_own() -> None:
    assert word().orphan_id == word().orphan_id
    assert word().orphan_id != word(to="return-RR-2").orphan_id
    withdrawal = Withdrawal.at_the_door({"event_id": "t1", "actor": "buyer:robin", "reason": "changed"})
    assert word().orphan_id != kept_word("return-RR-1", "withdrawal", withdrawal).orphan_id


def test_RET_16_only_what_was_sent_to_a_return_is_a_buyers_orphan() -> None:
    with pytest.raises(InvalidInput, match="workflow id of a return"):
        OrphanRequest.of("buyer", "return_tracking", TRACKING, numbers=["RR-1"], sent_to="order-1")


# ---- its orphan ----


def orphan(*fitting: str, answer: EventDelivered = TAKEN) -> Orphan:
    found = Orphan(request=report())
    found.world.answer_of_case = answer
    found.fits(*fitting)
    return found


def test_RET_20_its_order_arrives_later_and_the_return_starts_once() -> None:
    kept = orphan()
    assert (kept.rig.stage, kept.given_to) == ("unmatched", [])
    kept.fits(ORDER)
    kept.rig.clock(timedelta(hours=1))
    assert (kept.rig.stage, kept.given_to) == ("matched", [ORDER])
    kept.rig.clock(timedelta(days=30))
    assert kept.given_to == [ORDER]


def test_RET_20_an_order_that_has_not_shipped_yet_is_asked_again() -> None:
    kept = orphan(ORDER, answer=EARLY)
    kept.rig.clock(timedelta(hours=7))
    assert (kept.rig.stage, kept.given_to) == ("unmatched", [ORDER, ORDER]), "at each of its looks"
    assert kept.alerts == []
    assert sum("nothing has shipped yet" in step for step in kept.rig.steps) == 1
    kept.rig.restart()
    kept.world.answer_of_case = TAKEN
    kept.rig.clock(timedelta(days=1))
    assert (kept.rig.stage, kept.rig.facts.taken_by) == ("matched", ORDER)
    keys = [one.key for one in kept.rig.begun if isinstance(one, GiveToCase)]
    assert len(set(keys)) == len(keys)


def test_RET_20_among_several_orders_no_return_is_guessed() -> None:
    kept = orphan(ORDER, OTHER)
    kept.rig.clock(timedelta(hours=2))
    assert (kept.rig.stage, kept.given_to, len(kept.alerts)) == ("several_fit", [], 1)
    assert kept.hears(Match, case_id=OTHER)
    assert (kept.rig.stage, kept.given_to) == ("matched", [OTHER])


def test_RET_20_a_person_matches_it_to_an_order_that_ships_later() -> None:
    kept = orphan(answer=EARLY)
    assert kept.hears(Match, case_id=ORDER)
    match = kept.rig.facts.match
    assert match is not None
    told = reply(kept.rig.facts, match)
    assert told is not None
    assert told.accepted
    assert kept.hears(Match, event_id="d2", case_id=OTHER), "and may say another one meanwhile"
    kept.world.answer_of_case = TAKEN
    kept.rig.clock(timedelta(days=2))
    assert (kept.rig.stage, kept.rig.facts.taken_by) == ("matched", OTHER)


def test_RET_20_a_return_that_its_order_refuses_is_a_persons_business() -> None:
    kept = orphan(answer=EventDelivered(state="refused", message="0 of 1 shipped (RET-2)"))
    kept.fits(ORDER)
    kept.rig.clock(timedelta(days=3))
    assert (kept.rig.stage, kept.given_to, len(kept.alerts)) == ("not_taken", [ORDER], 1)


def test_RET_20_a_return_request_is_matched_to_an_order() -> None:
    kept = orphan()
    assert not kept.hears(Match, case_id="return-RR-1001-1")
    assert view(kept.rig.facts, kept.rig.plan).numbers == ("12-34567-89012", "5000123")
