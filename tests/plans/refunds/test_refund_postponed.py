"""A gateway that moves nothing yet: before the settlement, without funds, or while a dispute is open (REF-6)."""

from datetime import timedelta

from models.partners import AWAITS_SETTLEMENT, RefundAnswer
from models.refunds import RefundState
from tests.plans.refunds.story import NOON, OUTAGE, RefundStory, direct, says
from workflows.refunds.effects import Send

TONIGHT = NOON + timedelta(hours=14)


def later(reason: str = AWAITS_SETTLEMENT, hours: float = 14) -> RefundAnswer:
    return RefundAnswer(state="later", reason=reason, again_at=NOON + timedelta(hours=hours))


def parked(reason: str = "TRANSACTION_DISPUTED") -> RefundAnswer:
    return RefundAnswer(state="parked", reason=reason)


def sends(story: RefundStory) -> list[Send]:
    return [one for one in story.begun if isinstance(one, Send)]


# ---- the nightly settlement ----


def test_REF_6_part_of_an_unsettled_payment_waits_for_the_settlement_and_shows_it() -> None:
    story = RefundStory(send=later())
    story.rest()
    (shown,) = story.plan.waits
    assert (shown.who, shown.due) == ("gateway", TONIGHT)
    assert shown.what == "the gateway refunds part of a payment only after its settlement"
    assert (story.plan.wake_at, story.plan.timer) == (TONIGHT, "The payment's settlement")
    assert story.facts.timeline[-1].what == shown.what
    assert story.mailed == [], "that is how it goes every day"
    assert story.saved.state is RefundState.RESERVED, "it counts against the cap (REF-3)"
    assert not story.facts.in_doubt


def test_REF_6_after_the_settlement_it_is_looked_for_and_sent_once_more() -> None:
    story = RefundStory(send=later())
    story.rest()
    story.world.send = says("succeeded")
    story.clock(timedelta(hours=13))
    assert len(sends(story)) == 1, "not before"
    story.clock(timedelta(hours=2))
    assert [(one.key, one.again) for one in sends(story)] == [("send", False), ("send:2", True)]
    assert story.result[0] is RefundState.SUCCEEDED


def test_REF_6_a_settlement_that_is_late_is_waited_for_again_and_said_once() -> None:
    story = RefundStory(send=later())
    story.rest()
    story.world.send = later(hours=38)
    story.clock(timedelta(hours=15))
    assert story.plan.wake_at == TONIGHT + timedelta(days=1)
    assert story.steps.count(str(story.facts.postponement)) == 1
    story.restart()
    story.world.send = says("succeeded")
    story.clock(timedelta(days=1))
    assert (len(sends(story)), story.stage) == (3, "succeeded")


def test_REF_11_its_case_is_told_that_it_takes_longer_and_nothing_is_in_doubt() -> None:
    story = RefundStory(send=later())
    story.rest()
    (report,) = story.reports
    assert (report.result.state, report.result.unknown) == (RefundState.PENDING, False)
    assert "settlement" in str(report.result.reason)


def test_REF_6_an_outage_after_the_settlement_is_one_like_any_other() -> None:
    story = RefundStory(send=later())
    story.rest()
    story.world.send = OUTAGE
    story.clock(timedelta(hours=15))
    assert story.facts.in_doubt
    story.world.send = says("succeeded")
    story.rest()


# ---- no funds ----


def test_REF_6_a_seller_without_funds_at_the_gateway_is_waited_for_and_staff_are_told_once() -> None:
    story = RefundStory(send=later("REFUND_FAILED_INSUFFICIENT_FUNDS", hours=24))
    story.rest()
    assert story.mailed == ["mail:alert-postponed-later"]
    story.world.send = later("REFUND_FAILED_INSUFFICIENT_FUNDS", hours=48)
    story.days(1.1)
    assert (len(sends(story)), story.mailed) == (2, ["mail:alert-postponed-later"])
    story.world.send = says("succeeded")
    story.days(1)
    assert story.stage == "succeeded"


# ---- disputes ----


def test_REF_6_a_disputed_payment_is_left_to_people_and_never_tried_again_by_itself() -> None:
    story = RefundStory(send=parked())
    story.rest()
    assert story.mailed == ["mail:alert-postponed-parked"]
    assert "TRANSACTION_DISPUTED" in next(story.mails()).facts["what"]
    assert (story.waits_for, story.plan.wake_at) == (["staff"], None)
    story.days(200)
    assert (len(sends(story)), story.stage) == (1, "sending")


def test_REF_11_a_person_records_what_the_dispute_made_of_the_money() -> None:
    for outcome, state in (("moved", RefundState.SUCCEEDED), ("not_moved", RefundState.FAILED)):
        story = RefundStory(direct(), by_case=False, send=parked(), look=says("none"))
        story.rest()
        story.resolve(outcome)
        story.rest()
        assert story.result[0] is state
        assert (len(sends(story)), story.keys[-1]) == (1, "look:0"), "the gateway is asked first, nothing is sent"


# ---- pending, with a moment ----


def test_REF_7_a_gateway_that_says_when_it_knows_more_is_asked_then() -> None:
    story = RefundStory(send=RefundAnswer(state="pending", gateway_refund_id="re_1", again_at=TONIGHT))
    story.rest()
    assert story.plan.wake_at == TONIGHT
    story.clock(timedelta(hours=15))
    assert (story.keys, story.stage) == (["reserve", "send", "report:1", "look:0"], "succeeded")
