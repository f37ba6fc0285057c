"""An order of an order report: it hears its buyer's wish once, or that is kept, or ends in nothing (CAN-7)."""

from typing import Any

import pytest
from sqlalchemy import Engine

from activities.database.case_numbers import add_numbers
from activities.database.transactions import write
from activities.report_imports.order_taking import OrderTaking
from activities.report_imports.taking import Taken
from models.amazon.order_imports import news_of
from models.amazon.report_imports import ReportCounted
from models.case import CaseStatus, OrderStage, SlaState
from models.connections import amazon_options
from models.message import Event
from models.orphans import EventDelivered, OrphanRequest
from tests.amazon_account import amazon
from tests.connectors.amazon.order_reports import COLUMNS, WANTED, ordered
from tests.database.amazon_story import AmazonStory
from tests.database.story import Story

CANCELLED = {"order-status": "Cancelled"}


class Cases:
    """The order 1001, as it answers."""

    seller_id = "acme"

    def __init__(self) -> None:
        self.stage, self.outcome = "cancel_window", None
        self.heard: list[str] = []
        self.says = "taken"
        self.hears = True
        self.told: list[tuple[str, str]] = []
        self.kept: list[OrphanRequest] = []

    async def status(self, workflow_id: str) -> CaseStatus | None:
        assert workflow_id == "order-1001"
        told = {"stage": self.stage, "outcome": self.outcome, "facts": {"cancels_heard": list(self.heard)}}
        nothing: dict[str, Any] = {"waiting_for": None, "also_waiting_for": (), "deadlines": {}, "timeline": ()}
        more = {"sla_state": SlaState.ON_TIME, "rejected_events": (), "rejected_count": 0}
        return CaseStatus.model_validate({"workflow_id": workflow_id, **told, **nothing, **more})

    async def tell(self, workflow_id: str, name: str, event: Event) -> EventDelivered:
        self.told.append((workflow_id, name))
        if self.hears:
            self.heard.append(event.event_id)
        return EventDelivered.model_validate({"state": self.says, "message": "no"})

    async def keep(self, request: OrphanRequest) -> None:
        self.kept.append(request)


@pytest.fixture
def at(story: Story, engine: Engine) -> AmazonStory:
    known = AmazonStory(story, engine)
    found_by(known, "order-1001")
    return known


def found_by(at: AmazonStory, workflow_id: str, number: str = "111-1234567-1234567") -> None:
    write(at.engine, lambda session: add_numbers(session, workflow_id, [number]))


async def take(at: AmazonStory, cases: Cases, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Taken:
    taking = OrderTaking(cases, at.engine, amazon_options(amazon()))  # type: ignore[arg-type]
    return await taking.take(tuple(ordered(rows, columns)))


async def test_CAN_7_an_order_hears_of_the_wish_once(at: AmazonStory) -> None:
    cases = Cases()
    assert (await take(at, cases, WANTED)).counted == ReportCounted(updated=1)
    assert (await take(at, cases, WANTED)).counted == ReportCounted(known=1)
    assert (await take(at, cases, WANTED, {"order-item-id": "2"} | WANTED)).counted == ReportCounted(updated=1)
    assert cases.told == [("order-1001", "hold")] * 2


async def test_CAN_8_what_amazon_has_cancelled_is_told_as_that(at: AmazonStory) -> None:
    cases = Cases()
    taken = await take(at, cases, WANTED | CANCELLED, columns=(*COLUMNS, "order-status"))
    assert (taken.counted, cases.told) == (ReportCounted(updated=1), [("order-1001", "cancel_request")])


@pytest.mark.parametrize(
    ("stands", "counted"),
    [
        ({"outcome": "shipped"}, ReportCounted(skipped={"that have ended here": 1})),
        ({"stage": OrderStage.CANCELLING}, ReportCounted(known=1)),
        ({"says": "refused"}, ReportCounted(skipped={"too late to hold": 1})),
        ({"says": "ended", "hears": False}, ReportCounted(skipped={"that have ended here": 1})),
        ({"says": "refused", "hears": False}, ReportCounted(rejected=1)),
    ],
)
async def test_CAN_7_what_can_t_be_held_is_counted_by_why(
    at: AmazonStory, stands: dict[str, Any], counted: ReportCounted
) -> None:
    cases = Cases()
    for name, value in stands.items():
        setattr(cases, name, value)
    taken = await take(at, cases, WANTED)
    assert taken.counted == counted
    assert [(row.line, row.reason) for row in taken.rejected] == [(2, "no")] * counted.rejected


async def test_RET_20_a_wish_of_an_order_that_is_not_known_is_kept_with_its_number(at: AmazonStory) -> None:
    cases = Cases()
    unknown = WANTED | {"order-id": "999-1234567-1234567"}
    assert (await take(at, cases, unknown)).counted == ReportCounted(orphans=1)
    (kept,) = cases.kept
    assert (kept.event, kept.numbers, kept.source) == ("hold", ("999-1234567-1234567",), "amazon")
    assert kept.said["event_id"] == news_of(ordered([unknown]), 2)[1].event_id
    gone = await take(at, cases, unknown | CANCELLED, columns=(*COLUMNS, "order-status"))
    assert (gone.counted, len(cases.kept)) == (ReportCounted(skipped={"not known here": 1}), 1)


async def test_RET_20_among_several_orders_nobody_guesses(at: AmazonStory) -> None:
    at.ordered("1002", number="111-1234567-1234568")
    found_by(at, "order-1002")
    cases = Cases()
    taken = await take(at, cases, WANTED)
    assert (taken.counted, cases.told) == (ReportCounted(orphans=1), [])
