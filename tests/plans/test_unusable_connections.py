"""A connection that can't be used is mended by staff, never by developers (NTF-9).

Wherever a case needs one that is missing, not active, without a secret or with a wrong key, staff are told at once
with the command that mends it, lists show it, and it goes on by itself.
"""

from datetime import timedelta
from typing import Final

import pytest

from models.alerts import topic_of
from models.case import Who
from models.failures import Category
from models.worklists import Work
from tests.plans.refunds.story import RefundStory, direct
from tests.plans.rig import Given, Troubled
from tests.plans.test_faults_of_ours import TOURS, Faulty, Tour
from workflows.engine.calls import PARTNERS
from workflows.engine.case import CaseFacts, Effect
from workflows.engine.worklists import held_up_by, work_of
from workflows.refunds.view import view

HOW: Final = "connection acme is not active: activate it (backhaul connection set acme active=true)"
NEEDS_ONE: Final = (
    "choose_connection",
    "authorize",
    "search_stock",
    "capture",
    "place",
    "announce_tracking",
    "void_authorization",
    "stop_shipping",
    "request_rma",
    "reserve",
    "send",
    "look_up",
)
"""Kinds of effects that need a connection."""
WAITED_FOR: Final = ("choose_connection", "authorize", "search_stock", "capture", "place", "reserve", "send")
"""Those without whose answer the case does nothing else."""


class Unusable(Faulty):
    def answer(self, effect: Effect, facts: CaseFacts) -> Given:
        if self.mended or effect.model_dump()["kind"] != self.broken:
            return self.world.answer(effect, facts)
        unusable = Category.CONNECTION_UNUSABLE
        return Troubled(f"{unusable.value}: {HOW}", unusable, alert=True, topic=topic_of(unusable, "acme", "call"))


def held_up(kind: str) -> tuple[Tour, Unusable]:
    tour = TOURS[kind]()
    world = Unusable(tour.rig.world, kind)
    tour.rig.world = world
    tour.goes_on()
    assert tour.rig.facts.trouble, f"the tour never comes to {kind}"
    return tour, world


@pytest.mark.parametrize("kind", NEEDS_ONE)
def test_NTF_9_staff_are_told_at_once_how_to_mend_it_and_lists_show_it(kind: str) -> None:
    tour, _ = held_up(kind)
    facts = tour.rig.facts
    (told,) = tour.alerts()
    assert told["what"].endswith(HOW)
    assert told["who_acts"] == Who.STAFF
    work = work_of(facts, tour.view(facts, tour.rig.plan), tour.rig.plan.waits)
    assert Work.PARTNER_IN_TROUBLE in work
    assert Work.FAULTS_OF_OURS not in work, "no developer can mend it"
    assert held_up_by(facts) == ("connection:acme",)


@pytest.mark.parametrize("kind", WAITED_FOR)
def test_NTF_9_the_case_says_that_it_waits_for_staff_and_for_what(kind: str) -> None:
    tour, _ = held_up(kind)
    wait = tour.rig.plan.waits[0]
    assert (wait.who, wait.what) == (Who.STAFF, HOW)


@pytest.mark.parametrize("kind", NEEDS_ONE)
def test_NTF_9_it_goes_on_by_itself_when_the_connection_is_mended(kind: str) -> None:
    tour, world = held_up(kind)
    world.mended = True
    tour.goes_on()
    tour.rig.clock(timedelta(days=3))
    assert tour.rig.facts.outcome == tour.ends
    assert not tour.rig.facts.trouble


@pytest.mark.parametrize("asked", [False, True])
def test_REF_11_a_refund_that_was_never_sent_is_not_in_doubt(asked: bool) -> None:
    unusable = Troubled(f"ConnectionUnusable: {HOW}", Category.CONNECTION_UNUSABLE, alert=True, asked=asked)
    story = RefundStory(direct(), by_case=False, send=unusable)
    story.rest()
    assert story.facts.in_doubt is asked
    work = work_of(story.facts, view(story.facts, story.plan), story.plan.waits)
    assert (Work.MONEY_IN_DOUBT in work) is asked


def test_NTF_9_it_is_looked_at_again_within_minutes_however_long_it_lasts() -> None:
    unusable = [PARTNERS.pause_after(rounds, Category.CONNECTION_UNUSABLE) for rounds in (0, 1, 5, 50_000)]
    assert unusable == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=5)]
    assert PARTNERS.pause_after(50_000, Category.PARTNER_UNAVAILABLE) == timedelta(hours=6)
