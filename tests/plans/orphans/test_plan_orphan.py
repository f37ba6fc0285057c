"""RET-20: what is said about a case that is not known is kept, finds its case by itself, and is never guessed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.contract import ORPHAN_KIND
from models.failures import Category, InvalidInput
from models.orphans import CaseNumbered, Dismiss, EventDelivered, FoundCases, Match, OrphanRequest
from models.worklists import Work
from tests.plans.rig import NOT_YET, Given, Pure, Rig, Troubled
from workflows.engine.case import Effect, SendMail
from workflows.engine.worklists import work_of
from workflows.orphans.effects import GiveToCase, LookForCase
from workflows.orphans.events import apply, check, reply
from workflows.orphans.facts import OrphanFacts
from workflows.orphans.plan import plan
from workflows.orphans.view import projection, view

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
A, B = "return-RR-1001-1", "return-RR-1002-1"
MEMO = {
    "event_id": "cm-1",
    "actor": "supplier:reno",
    "number": "CM-1",
    "date": "2026-03-01",
    "amount": "63.00",
    "currency": "USD",
    "note": "for Robin Buyer",
}


def report(**fields: Any) -> OrphanRequest:
    given: dict[str, Any] = {"source": "reno", "event": "credit_memo", "said": MEMO, "numbers": ["RMA-77"]}
    return OrphanRequest.of(**{**given, **fields})


class World:
    """Finds what the test says, and answers for the case."""

    def __init__(self) -> None:
        self.found = FoundCases()
        self.trouble: Troubled | None = None
        self.answer_of_case: EventDelivered | None = EventDelivered(
            state="taken", message="credit memo CM-1 booked"
        )

    def answer(self, effect: Effect, facts: OrphanFacts) -> Given:
        match effect:
            case LookForCase():
                return self.trouble or self.found
            case GiveToCase():
                return self.answer_of_case or NOT_YET
        return None


class Orphan:
    """One orphan in process."""

    def __init__(
        self,
        *fitting: str,
        candidates: tuple[str, ...] = (),
        request: OrphanRequest | None = None,
        rest: bool = True,
    ) -> None:
        self.world = World()
        self.fits(*fitting, candidates=candidates)
        facts = OrphanFacts(now=NOON, created_at=NOON, request=request or report())
        self.rig: Rig[OrphanFacts] = Rig(Pure(ORPHAN_KIND, check, apply, plan), facts, self.world)
        if rest:
            self.rig.rest()

    def called_by(self, case: str) -> None:
        """That case has one of its numbers now."""
        self.rig.take(CaseNumbered(workflow_id=case))
        self.rig.rest()

    def fits(self, *fitting: str, candidates: tuple[str, ...] = ()) -> None:
        self.world.found = FoundCases(fitting=fitting, candidates=candidates or fitting)

    def hears(self, event: type[Match] | type[Dismiss], **fields: Any) -> bool:
        given = {"event_id": "d1", "actor": "staff:kim", "reason": "seen on the label"}
        heard = self.rig.hear(event.at_the_door({**given, **fields}))
        self.rig.rest()
        return heard

    @property
    def given_to(self) -> list[str]:
        return [one.workflow_id for one in self.rig.begun if isinstance(one, GiveToCase)]

    @property
    def looks(self) -> int:
        return sum(isinstance(one, LookForCase) for one in self.rig.begun)

    @property
    def alerts(self) -> list[str]:
        return [one.facts["what"] for one in self.rig.begun if isinstance(one, SendMail)]

    @property
    def work(self) -> tuple[Work, ...]:
        return work_of(self.rig.facts, view(self.rig.facts, self.rig.plan), self.rig.plan.waits)


def test_RET_20_exactly_one_case_that_fits_gets_the_event_as_it_was_said() -> None:
    orphan = Orphan(A)
    (given,) = [one for one in orphan.rig.begun if isinstance(one, GiveToCase)]
    assert (given.workflow_id, given.name, given.said) == (A, "credit_memo", MEMO)
    assert orphan.rig.stage == "matched"
    assert orphan.rig.facts.taken_by == A


def test_RET_20_it_is_found_also_later() -> None:
    orphan = Orphan()
    assert (orphan.rig.stage, orphan.given_to) == ("unmatched", [])
    orphan.rig.clock(timedelta(days=5))
    assert orphan.rig.stage == "unmatched"
    orphan.fits(A)
    orphan.rig.clock(timedelta(days=1))
    assert (orphan.rig.stage, orphan.given_to) == ("matched", [A])


def test_RET_20_it_looks_at_once_then_with_growing_pauses() -> None:
    orphan = Orphan()
    assert orphan.looks == 1
    looks = []
    for hours in (1 / 60, 1, 6, 24):
        orphan.rig.clock(timedelta(hours=hours) - timedelta(seconds=1))
        looks.append(orphan.looks)
        orphan.rig.clock(timedelta(seconds=1))
    assert looks == [1, 2, 3, 4], "and none before its time"
    assert orphan.looks == 5


def test_RET_20_it_looks_at_once_when_a_case_has_one_of_its_numbers() -> None:
    orphan = Orphan()
    orphan.rig.clock(timedelta(minutes=10))
    orphan.called_by(A)
    assert (orphan.rig.stage, orphan.looks) == ("unmatched", 3), "it believes nothing, and looks"
    orphan.fits(A)
    orphan.called_by(A)
    assert (orphan.rig.stage, orphan.given_to) == ("matched", [A])


def test_RET_20_a_case_that_calls_it_while_it_looks_is_looked_for_again() -> None:
    orphan = Orphan(rest=False)
    orphan.rig.settle()
    orphan.rig.take(CaseNumbered(workflow_id=A))
    orphan.rig.answer_one()
    orphan.fits(A)
    orphan.rig.rest()
    assert (orphan.rig.stage, orphan.looks) == ("matched", 2)


def test_RET_20_a_case_that_could_not_take_it_is_asked_again_when_it_calls() -> None:
    orphan = Orphan()
    orphan.world.answer_of_case = EventDelivered(state="early", message="nothing has shipped yet")
    orphan.fits(A)
    orphan.called_by(A)
    assert (orphan.rig.stage, orphan.given_to) == ("unmatched", [A])
    orphan.world.answer_of_case = EventDelivered(state="taken", message="yes")
    orphan.called_by(A)
    assert (orphan.rig.stage, orphan.given_to) == ("matched", [A, A])


def test_RET_20_among_several_nothing_is_guessed() -> None:
    orphan = Orphan(A, B)
    assert (orphan.rig.stage, orphan.given_to) == ("several_fit", [])
    assert A in orphan.rig.plan.waits[0].what
    assert B in orphan.rig.plan.waits[0].what
    assert len(orphan.alerts) == 1
    orphan.rig.clock(timedelta(days=30))
    assert (orphan.given_to, len(orphan.alerts)) == ([], 1)


def test_RET_20_one_that_has_only_some_of_its_numbers_does_not_fit() -> None:
    orphan = Orphan(candidates=(A,))
    assert (orphan.rig.stage, orphan.given_to) == ("several_fit", [])


def test_RET_20_a_named_person_matches_it() -> None:
    orphan = Orphan(A, B)
    assert orphan.hears(Match, case_id=B)
    assert (orphan.rig.stage, orphan.given_to) == ("matched", [B])
    decided = reply(orphan.rig.facts, Match(event_id="d1", actor="staff:kim", case_id=B, reason="label"))
    assert decided is not None
    assert decided.accepted


def test_RET_20_a_named_person_dismisses_it() -> None:
    orphan = Orphan()
    assert orphan.hears(Dismiss)
    assert (orphan.rig.stage, orphan.given_to) == ("dismissed", [])


@pytest.mark.parametrize("actor", ["staff:cli", "script:nightly", "seller:jane", "supplier:reno"])
@pytest.mark.parametrize("event", [Match, Dismiss])
def test_RET_20_nobody_else_decides(event: type[Match] | type[Dismiss], actor: str) -> None:
    orphan = Orphan(A, B)
    fields = {"case_id": A} if event is Match else {}
    assert not orphan.hears(event, actor=actor, **fields)
    assert orphan.rig.stage == "several_fit"


@pytest.mark.parametrize("case_id", ["order-1001", "refund-RF-1", "RR-1001-1", "return-"])
def test_RET_20_it_goes_only_to_a_case_that_takes_such_an_event(case_id: str) -> None:
    orphan = Orphan()
    assert not orphan.hears(Match, case_id=case_id)
    assert orphan.given_to == []


@pytest.mark.parametrize("state", ["refused", "ended"])
def test_RET_20_a_case_that_does_not_take_it_is_told_to_staff(state: str) -> None:
    orphan = Orphan()
    orphan.world.answer_of_case = EventDelivered.model_validate({"state": state, "message": "no"})
    orphan.fits(A)
    orphan.rig.clock(timedelta(days=3))
    assert (orphan.rig.stage, orphan.given_to) == ("not_taken", [A]), "and it is not tried again by itself"
    assert len(orphan.alerts) == 1
    orphan.world.answer_of_case = EventDelivered(state="taken", message="yes")
    assert orphan.hears(Match, case_id=A), "a person may try again"
    assert (orphan.rig.stage, orphan.given_to) == ("matched", [A, A])


def test_RET_20_the_person_whose_case_does_not_take_it_is_answered_no() -> None:
    orphan = Orphan()
    orphan.world.answer_of_case = EventDelivered(state="refused", message="no such supplier")
    assert orphan.hears(Match, case_id=A)
    decided = reply(orphan.rig.facts, Match(event_id="d1", actor="staff:kim", case_id=A, reason="label"))
    assert decided is not None
    assert not decided.accepted
    assert "no such supplier" in decided.message


def test_RET_20_while_it_is_given_nobody_decides_otherwise() -> None:
    orphan = Orphan()
    orphan.world.answer_of_case = None
    orphan.fits(A)
    orphan.rig.clock(timedelta(hours=2))
    assert orphan.rig.stage == "delivering"
    assert not orphan.hears(Match, case_id=B)
    assert not orphan.hears(Dismiss, event_id="d2")


def test_RET_20_after_its_days_it_ends_and_staff_are_told() -> None:
    orphan = Orphan(request=report(look_days=10))
    orphan.rig.clock(timedelta(days=9, hours=23))
    assert (orphan.rig.stage, orphan.alerts) == ("unmatched", [])
    orphan.rig.clock(timedelta(hours=1))
    assert orphan.rig.stage == "expired"
    assert len(orphan.alerts) == 1


def test_RET_20_it_looks_after_the_pauses_that_are_set_and_then_once_a_day() -> None:
    orphan = Orphan(request=report(look_pauses_minutes=[5, 20]))
    moments: list[tuple[int, timedelta]] = []
    for _ in range(4 * 24 * 12):
        orphan.rig.clock(timedelta(minutes=5))
        if not moments or moments[-1][0] != orphan.rig.facts.looks:
            moments.append((orphan.rig.facts.looks, orphan.rig.now - orphan.rig.facts.created_at))
    after = [moment for _, moment in moments[1:]]
    minutes = [timedelta(minutes=25), *(timedelta(days=days, minutes=25) for days in (1, 2, 3))]
    assert after == minutes
    daily = Orphan(request=report(look_pauses_minutes=[]))
    daily.rig.clock(timedelta(hours=23))
    assert daily.rig.facts.looks == 1
    daily.rig.clock(timedelta(hours=1))
    assert daily.rig.facts.looks == 2


def test_NTF_9_what_thousands_of_orphans_tell_staff_is_told_for_all_of_them() -> None:
    several, refused, expired = Orphan(A, B), Orphan(), Orphan(request=report(look_days=1))
    refused.world.answer_of_case = EventDelivered(state="refused", message="no")
    refused.fits(A)
    for orphan in (refused, expired):
        orphan.rig.clock(timedelta(days=1))
    stages = [orphan.rig.stage for orphan in (several, refused, expired)]
    assert stages == ["several_fit", "not_taken", "expired"]
    topics = [[mail.topic and mail.topic.key for mail in one.rig.mails()] for one in (several, refused, expired)]
    assert topics == [[f"orphans:{stage}"] for stage in stages]


def test_RET_20_it_stands_in_its_worklist_until_somebody_decides() -> None:
    orphan = Orphan()
    assert list(orphan.work) == [Work.ORPHANS]
    orphan.hears(Dismiss)
    assert not orphan.work


def test_RET_20_it_goes_on_with_its_facts_alone() -> None:
    orphan = Orphan()
    orphan.rig.clock(timedelta(days=2))
    orphan.rig.restart()
    orphan.fits(A)
    orphan.rig.clock(timedelta(days=1))
    assert orphan.rig.stage == "matched"


def test_RET_20_staff_stop_it() -> None:
    orphan = Orphan(A, B)
    orphan.rig.press_cancel()
    orphan.rig.rest()
    assert (orphan.rig.stage, orphan.given_to) == ("stopped", [])


def test_RET_20_lists_show_its_numbers_and_never_what_was_said() -> None:
    orphan = Orphan()
    seen = view(orphan.rig.facts, orphan.rig.plan)
    assert seen.numbers == ("RMA-77",)
    assert "Robin" not in str(seen)
    assert "Robin" not in orphan.rig.facts.model_dump_json(include={"timeline"})


def test_RET_20_a_fault_of_ours_is_told_and_it_goes_on_when_it_is_mended() -> None:
    orphan = Orphan()
    orphan.world.trouble = Troubled("a fault of ours", Category.INTERNAL, alert=True)
    orphan.rig.clock(timedelta(hours=2))
    assert len(orphan.alerts) == 1
    assert Work.FAULTS_OF_OURS in orphan.work
    assert orphan.hears(Dismiss), "and a person may decide meanwhile"
    orphan.world.trouble = None
    orphan.rig.rest()
    assert orphan.rig.stage == "dismissed"


# ---- what may be reported ----


def test_RET_20_the_same_word_twice_is_one_orphan() -> None:
    again = report(numbers=["other"], said={**MEMO, "note": "said again"})
    assert again.orphan_id == report().orphan_id
    assert report(source="Reno").orphan_id != report(source="newark").orphan_id
    assert report(said={**MEMO, "event_id": "cm-2"}).orphan_id != report().orphan_id


def test_RET_20_it_is_known_by_the_numbers_in_the_event_too() -> None:
    shipment = {
        "event_id": "s1",
        "actor": "carrier:ups",
        "shipment_id": "s1",
        "carrier": "UPS",
        "tracking_number": "1Z9",
        "supplier_order_number": "1001-1",
        "lines": [{"sku": "A", "quantity": 1}],
    }
    assert report(event="shipment", said=shipment, numbers=["10 01 1"]).known_by == ("10 01 1",), "one, as typed"
    told = report(event="shipment", said=shipment, numbers=["#1071"])
    assert told.known_by == ("#1071", "1001-1"), "a tracking number that it brings names no case yet"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"event": "buyer_refund"}, "there is no 'buyer_refund' to report"),
        ({"said": {**MEMO, "amount": "-1"}}, "said.amount"),
        ({"said": {**MEMO, "actor": "seller:jane"}}, "buyers and sellers know their case"),
        ({"said": {**MEMO, "actor": "carrier:ups"}}, "only supplier"),
        ({"said": {}}, "said.event_id"),
        ({"numbers": []}, "give one at least"),
        ({"numbers": ["robin@mail.example"]}, "no number"),
        ({"orphan_id": "mine"}, "leave it out"),
    ],
)
def test_RET_20_what_its_case_could_not_read_is_refused_at_the_door(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        report(**wrong)
    assert says in str(refused.value)
    assert "robin" not in str(refused.value).lower()


def test_RET_20_the_database_keeps_the_event_as_it_was_said() -> None:
    from workflows.engine.save import record_of

    orphan = Orphan(A, B)
    facts = orphan.rig.facts
    record = record_of(facts, orphan.rig.plan, view(facts, orphan.rig.plan), "looking")
    _, kept = projection(facts, record)
    assert kept.model_dump(mode="json")["request"]["said"] == MEMO
    assert record.numbers == (facts.request.orphan_id, "RMA-77")
