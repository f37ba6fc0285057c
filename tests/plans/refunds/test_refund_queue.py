"""A refund that goes back through an account at Amazon: the queue is its gateway (AMZ-5, AMZ-7, REF-11)."""

from models.partners import RefundAnswer
from models.refunds import RefundState, Way
from tests.plans.refunds.story import RefundStory, direct, reserved

QUEUED = RefundAnswer(state="pending", gateway_refund_id="RF-1001-D1", reason="in the queue for Amazon")


def queued(**known: object) -> RefundStory:
    through = reserved(way=Way.MARKETPLACE, connection_id="amazon-acme", payment_reference="111-1234567-1234567")
    story = RefundStory(direct(), by_case=False, reservation=through, send=QUEUED, **known)
    story.rest()
    return story


def test_AMZ_5_it_is_pending_while_it_waits_and_says_so() -> None:
    story = queued()
    assert (story.stage, story.facts.state) == ("pending", RefundState.PENDING)
    assert story.facts.goes_by_queue
    assert story.steps[-1] == "in the queue for Amazon"


def test_AMZ_7_what_became_of_its_message_settles_it() -> None:
    story = queued(look=RefundAnswer(state="succeeded", gateway_refund_id="RF-1001-D1"))
    story.claim("succeeded", "RF-1001-D1", actor="gateway:amazon")
    story.rest()
    assert (story.stage, story.rejections) == ("succeeded", [])


def test_AMZ_7_what_amazon_refused_stays_pending_until_a_person_rejects_it() -> None:
    story = queued(look=QUEUED.model_copy(update={"reason": "Amazon did not take it: 18021"}))
    story.claim("pending", "RF-1001-D1", actor="gateway:amazon", reason="18021: too much")
    story.rest()
    assert (story.stage, story.rejections) == ("pending", [])
    assert "18021: too much" in story.steps[-1]
    story.world.look = RefundAnswer(
        state="refused", gateway_refund_id="RF-1001-D1", reason="rejected by seller:jane"
    )
    story.claim("failed", "RF-1001-D1", actor="gateway:amazon")
    story.rest()
    assert (story.stage, story.facts.result.reason) == ("refused", "rejected by seller:jane")


def test_REF_11_what_amazon_does_not_tell_is_in_doubt_and_a_person_records_it() -> None:
    story = queued(look=RefundAnswer(state="none", reason="the counts do not agree"))
    story.claim("pending", "RF-1001-D1", actor="gateway:amazon")
    story.rest()
    assert story.facts.in_doubt
    assert (story.facts.doubt, story.steps[-1]) == ("the counts do not agree", "in doubt: the counts do not agree")
    story.resolve("moved")
    story.rest()
    assert story.stage == "succeeded"
