"""The import of a returns report, on the plan alone: from its file, or asked of Amazon by itself (AMZ-1)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.amazon.report_imports import (
    CasesTaken,
    ReportCounted,
    ReportImportRequest,
    ReportKind,
    ReportRequested,
    ReportStands,
    StagedReport,
)
from models.case import ReportImportStage as Stage
from models.contract import REPORT_IMPORT_KIND
from tests.plans.rig import NOT_YET, Given, Pure, Rig
from workflows.engine.case import Effect
from workflows.engine.save import record_of
from workflows.report_imports.effects import (
    AskForReport,
    DownloadReport,
    ImportOrders,
    ImportReturns,
    ImportSettlement,
    LookForReport,
)
from workflows.report_imports.events import apply, check
from workflows.report_imports.facts import SOON, ReportImportFacts
from workflows.report_imports.plan import plan
from workflows.report_imports.view import facts_in_status, projection, view

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MADE = ReportStands(state="made", document_id="D1")
MAKING = ReportStands(state="in_the_making")


class World:
    """Amazon and the database: the report stands as it is told, and returns are taken 40 at a time."""

    def __init__(self, stands: ReportStands, staged: StagedReport) -> None:
        self.stands, self.staged = stands, staged
        self.takes = True
        self.aside = self.failed = self.in_doubt = self.held = 0

    def answer(self, effect: Effect, facts: ReportImportFacts) -> Given:
        match effect:
            case AskForReport():
                return ReportRequested(report_id="R1")
            case LookForReport():
                return self.stands
            case DownloadReport():
                return self.staged
            case ImportOrders():
                end = min(effect.start + 40, self.staged.orders)
                counted = ReportCounted(updated=end - effect.start, skipped={"too late to hold": 1})
                return CasesTaken(next=end, counted=counted)
            case ImportSettlement():
                end = min(effect.start + 40, self.staged.amounts)
                settled = {"amounts": end - effect.start, "moved_though_failed": self.failed}
                settled |= {"in_doubt": self.in_doubt, "held": self.held}
                counted = ReportCounted(settled={k: n for k, n in settled.items() if n}, rejected=self.aside)
                return CasesTaken(next=end, counted=counted)
            case ImportReturns():
                if not self.takes:
                    return NOT_YET
                end = min(effect.start + 40, self.staged.returns)
                counted = ReportCounted(created=end - effect.start, skipped={"Pending": 1})
                return CasesTaken(next=end, counted=counted)
        return None


class Import(Rig[ReportImportFacts]):
    """Of 100 returns and 3 rows that could not be read."""

    world: World

    def __init__(
        self,
        *,
        kind: ReportKind = ReportKind.RETURNS,
        by_itself: bool = False,
        stands: ReportStands = MADE,
        takes: bool = True,
        aside: int = 0,
        report_id: str | None = None,
        failed: int = 0,
        in_doubt: int = 0,
        held: int = 0,
        **staged: Any,
    ) -> None:
        report = StagedReport(**({"returns": 100, "rejected": 3} | staged))
        request = ReportImportRequest(
            import_id="acme-na.1",
            kind=kind,
            connection_id="acme-na",
            seller_id="acme",
            source="Amazon" if by_itself else "returns.txt",
            staged=None if by_itself else report,
            report_id=report_id,
        )
        facts = ReportImportFacts(now=NOON, created_at=NOON, run_id="run-1", request=request)
        world = World(stands, report)
        world.takes, world.aside = takes, aside
        world.failed, world.in_doubt, world.held = failed, in_doubt, held
        super().__init__(Pure(REPORT_IMPORT_KIND, check, apply, plan), facts, world)
        self.world = world
        self.rest()

    @property
    def alerts(self) -> list[str]:
        return [one.facts["what"] for one in self.mails()]


def test_AMZ_1_a_file_is_imported_some_returns_at_a_time_until_none_is_left() -> None:
    done = Import()
    assert [key for key in done.facts.done if key.startswith("returns:")] == [
        "returns:0",
        "returns:40",
        "returns:80",
    ]
    assert done.facts.outcome == Stage.IMPORTED
    assert done.facts.closing_message == (
        "100 created, 0 updated, 0 known before, 0 kept as orphans, 3 not taken; skipped: 3 Pending"
    )
    assert done.alerts == [], "who imports a file sees what was not taken"


def test_AMZ_1_a_report_in_which_nothing_stands_is_imported_at_once() -> None:
    assert Import(returns=0, rejected=0).facts.outcome == Stage.IMPORTED


def test_AMZ_1_a_report_is_asked_for_waited_for_and_downloaded() -> None:
    asked = Import(by_itself=True, stands=MAKING)
    assert asked.stage == Stage.IN_THE_MAKING
    asked.clock(timedelta(seconds=31))
    assert asked.stage == Stage.IN_THE_MAKING
    asked.world.stands = MADE
    asked.clock(timedelta(seconds=31))
    assert asked.facts.outcome == Stage.IMPORTED
    assert asked.facts.looks == 2
    assert "3 rows of a returns report were not taken: backhaul amazon rejected acme-na.1" in asked.alerts


def test_AMZ_1_a_report_that_hangs_is_looked_for_less_often_and_told_after_a_day() -> None:
    asked = Import(by_itself=True, stands=MAKING)
    asked.clock(timedelta(hours=23))
    assert asked.facts.looks < 170
    assert asked.alerts == []
    asked.clock(timedelta(hours=2))
    assert asked.alerts == ["Amazon has not made report R1 for a day"]
    assert asked.facts.outcome is None


@pytest.mark.parametrize(("state", "outcome"), [("none", Stage.NO_DATA), ("failed", Stage.REFUSED)])
def test_AMZ_1_amazon_may_have_no_returns_or_no_report(state: Any, outcome: Stage) -> None:
    asked = Import(by_itself=True, stands=ReportStands(state=state))
    asked.clock(SOON)
    assert asked.facts.outcome == outcome
    assert len(asked.alerts) == (outcome is Stage.REFUSED)


def test_AMZ_1_a_report_of_another_kind_is_refused_and_staff_are_told() -> None:
    wrong = Import(by_itself=True, returns=0, rejected=0, refused="it seems to be an order report")
    wrong.clock(SOON)
    assert wrong.facts.outcome == Stage.REFUSED
    assert wrong.alerts == ["it seems to be an order report"]


def test_AMZ_1_staff_stop_an_import_between_two_lots() -> None:
    running = Import(takes=False)
    assert running.stage == Stage.IMPORTING
    running.press_cancel()
    running.rest()
    assert (running.facts.outcome, running.facts.position) == (Stage.STOPPED, 0)


def test_an_import_shows_how_far_it_came_and_what_became_of_the_returns() -> None:
    running = Import(takes=False)
    told = facts_in_status(running.facts)
    assert (told["cases"], told["done"], told["counted"]["rejected"]) == (100, 0, 3)
    shown = view(running.facts, running.plan)
    _, saved = projection(running.facts, record_of(running.facts, running.plan, shown, "asking"))
    assert saved.record.seller_id == "acme"  # type: ignore[attr-defined]
    assert saved.record.order_id == ""  # type: ignore[attr-defined]


def test_CAN_7_an_order_report_is_imported_in_the_same_way_and_says_what_it_did_not_say() -> None:
    calm = {"of which it is not said": 7}
    done = Import(kind=ReportKind.ORDERS, by_itself=True, returns=0, orders=50, skipped=calm)
    done.clock(SOON)
    assert [key for key in done.facts.done if key.startswith("orders:")] == ["orders:0", "orders:40"]
    assert done.facts.closing_message == (
        "50 put on hold or cancelled, 0 known before, 0 kept as orphans, 3 not taken; "
        "skipped: 7 of which it is not said, 2 too late to hold"
    )
    assert "3 rows of an order report were not taken: backhaul amazon rejected acme-na.1" in done.alerts
    assert facts_in_status(done.facts)["kind"] == "orders"


def test_AMZ_8_a_settlement_is_booked_some_amounts_at_a_time() -> None:
    done = Import(kind=ReportKind.SETTLEMENT, returns=0, amounts=50, rejected=0)
    assert [key for key in done.facts.done if key.startswith("settlement:")] == ["settlement:0", "settlement:40"]
    assert done.facts.outcome == Stage.IMPORTED
    assert done.facts.closing_message == "50 amounts booked; refunds: none"


def test_AMZ_8_staff_hear_of_a_return_that_could_not_hear_what_a_settlement_says() -> None:
    done = Import(kind=ReportKind.SETTLEMENT, returns=0, amounts=50, rejected=3, aside=1)
    assert done.alerts == ["2 rows of a settlement report were not taken: backhaul amazon rejected acme-na.1"]
    assert Import(kind=ReportKind.SETTLEMENT, returns=0, amounts=50, rejected=3).alerts == []


def settlement_by_itself(stands: ReportStands = MADE, **staged: Any) -> Import:
    rows = {"returns": 0, "rejected": 0} | staged
    return Import(kind=ReportKind.SETTLEMENT, by_itself=True, stands=stands, report_id="R7", **rows)


def test_AMZ_8_a_settlement_that_amazon_made_by_itself_is_not_asked_for_and_read_at_once() -> None:
    done = settlement_by_itself(amounts=50)
    assert [key for key in done.facts.done if not key.startswith("note")] == [
        *("look:1", "download", "settlement:0", "settlement:40")
    ]
    assert (done.facts.outcome, facts_in_status(done.facts)["report_id"]) == (Stage.IMPORTED, "R7")


def test_AMZ_8_one_that_is_held_is_told_staff_and_one_that_was_known_says_so() -> None:
    held = settlement_by_itself(rejected=2, refused="settlement 18 is held")
    assert (held.facts.outcome, held.alerts) == (Stage.REFUSED, ["settlement 18 is held"])
    known = settlement_by_itself(skipped={"known before": 5})
    assert (known.facts.outcome, known.alerts) == (Stage.IMPORTED, [])
    assert known.facts.closing_message == "0 amounts booked, 5 known before; refunds: none"


def test_AMZ_8_staff_are_told_what_to_do_with_one_that_amazon_could_not_make() -> None:
    failed = settlement_by_itself(ReportStands(state="failed"))
    assert failed.alerts == [
        "Amazon could not make report R7: download the settlement in Seller Central, and import its file"
    ]


def test_REF_11_staff_hear_of_refunds_that_moved_though_they_had_failed() -> None:
    done = Import(kind=ReportKind.SETTLEMENT, returns=0, amounts=50, rejected=0, failed=1)
    assert done.facts.closing_message == "50 amounts booked; refunds: 2 moved though failed"
    (told,) = done.alerts
    assert told.startswith("2 refunds of the settlement in returns.txt moved though they had failed here: look")


def test_REF_11_staff_hear_of_refunds_of_which_a_settlement_has_a_part_only() -> None:
    done = Import(kind=ReportKind.SETTLEMENT, returns=0, amounts=50, rejected=0, in_doubt=1)
    assert done.facts.closing_message == "50 amounts booked; refunds: none; 2 in doubt"
    (told,) = done.alerts
    assert told.startswith(
        "2 refunds stand in the settlement in returns.txt only in part, or otherwise than asked"
    )


def test_AMZ_8_staff_hear_of_refunds_that_wait_while_amazon_refunded_the_same() -> None:
    done = Import(kind=ReportKind.SETTLEMENT, returns=0, amounts=30, rejected=0, held=1)
    assert done.facts.closing_message == "30 amounts booked; refunds: none; 1 held in the queue"
    (told,) = done.alerts
    assert "an order item of 1 refund that waits in the queue: send what is due still, or reject it" in told
