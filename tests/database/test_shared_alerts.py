"""Of alerts that many cases have in common so many go in an hour, with the number of cases (NTF-9)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session

from activities.database import Alerts, Contacts
from models.alerts import WORKLIST_OF, AlertKind, AlertTopic, alert_key, topic_of
from models.failures import Category
from models.ids import orphan_workflow_id
from models.orphans import OrphanRequest, SaveOrphan
from models.records import SaveCase
from models.settings import Settings
from models.tables import AlertRow
from tests.database.story import Story, case_record

HOUR = datetime(2026, 3, 2, 14, tzinfo=UTC)
GATEWAY = AlertTopic(kind=AlertKind.OUTAGE, name="payment gateway")
A_FAULT = AlertTopic(kind=AlertKind.FAULT, name="send_refund")


@pytest.fixture
def alerts(story: Story, engine: Engine) -> Alerts:
    return Alerts(engine)


def sent(engine: Engine, topic: AlertTopic, number: int = 1) -> None:
    Contacts(engine, Settings()).mark_sent(alert_key(topic.key, HOUR, number), "<1@backhaul.example>")


def held_up(story: Story, number: int, *topics: AlertTopic, ended: bool = False) -> None:
    record = case_record(f"return-RR-{number}", "awaiting_approval", "opened", ended=ended)
    work = tuple({WORKLIST_OF[topic.kind] for topic in topics}) if not ended else ()
    keys = tuple(topic.key for topic in topics)
    story.database.save_case(SaveCase(record=record.model_copy(update={"work": work, "held_up_by": keys})))


def test_NTF_9_of_many_cases_one_tells_of_an_outage(alerts: Alerts) -> None:
    with ThreadPoolExecutor(8) as threads:
        turns = list(threads.map(lambda case: alerts.turn(GATEWAY, f"case-{case}", HOUR, 1), range(40)))
    assert [turn.number for turn in turns if turn.number is not None] == [1]


def test_NTF_9_of_one_fault_of_ours_a_few_cases_tell(alerts: Alerts) -> None:
    turns = [alerts.turn(A_FAULT, f"case-{case}", HOUR, 3) for case in range(9)]
    assert [turn.number for turn in turns] == [1, 2, 3, None, None, None, None, None, None]


def test_NTF_9_each_partner_and_each_hour_has_its_own(alerts: Alerts) -> None:
    other = topic_of(Category.PARTNER_UNAVAILABLE, "supplier brembo", "place_supplier_order")
    assert alerts.turn(GATEWAY, "case-1", HOUR, 1).number == 1
    assert alerts.turn(other, "case-1", HOUR, 1).number == 1
    assert alerts.turn(GATEWAY, "case-2", HOUR, 1).number is None
    assert alerts.turn(GATEWAY, "case-2", HOUR + timedelta(hours=1), 1).number == 1


def test_NTF_9_who_has_the_turn_keeps_it_until_its_mail_is_out(alerts: Alerts, engine: Engine) -> None:
    assert [alerts.turn(GATEWAY, "case-1", HOUR, 1).number for _ in range(2)] == [1, 1]
    sent(engine, GATEWAY)
    assert alerts.turn(GATEWAY, "case-2", HOUR, 1).number is None


@pytest.mark.parametrize(("is_sent", "number"), [(False, 1), (True, None)])
def test_NTF_9_a_turn_whose_case_sends_nothing_is_another_ones(
    alerts: Alerts, engine: Engine, is_sent: bool, number: int | None
) -> None:
    alerts.turn(A_FAULT, "case-1", HOUR, 2)
    alerts.turn(A_FAULT, "case-2", HOUR, 2)
    sent(engine, A_FAULT, number=2)
    if is_sent:
        sent(engine, A_FAULT, number=1)
    assert alerts.turn(A_FAULT, "case-3", HOUR, 2).number is None
    with Session(engine) as session, session.begin():
        session.execute(update(AlertRow).values(claimed_at=datetime.now(UTC) - timedelta(minutes=6)))
    assert alerts.turn(A_FAULT, "case-3", HOUR, 2).number == number
    assert alerts.turn(A_FAULT, "case-4", HOUR, 2).number is None


def test_NTF_9_the_open_cases_that_this_partner_holds_up_are_counted(alerts: Alerts, story: Story) -> None:
    gateways = AlertTopic(kind=AlertKind.OUTAGE, name="payment_gateway")
    held_up(story, 1, GATEWAY)
    held_up(story, 2, A_FAULT, GATEWAY)
    held_up(story, 3, A_FAULT)
    held_up(story, 4, GATEWAY, ended=True)
    held_up(story, 5)
    assert alerts.turn(GATEWAY, "case-1", HOUR, 1).cases == 2
    assert alerts.turn(gateways, "case-1", HOUR, 1).cases == 0, "no letter stands for any other"


def test_NTF_9_what_holds_a_case_up_no_more_is_not_counted(alerts: Alerts, story: Story) -> None:
    held_up(story, 1, GATEWAY)
    later = case_record("return-RR-1", "awaiting_tracking", "went on").model_copy(update={"first_step": 1})
    story.database.save_case(SaveCase(record=later))
    assert alerts.turn(GATEWAY, "case-1", HOUR, 1).cases == 0


@pytest.mark.parametrize(("stage", "count"), [("expired", 4), ("several_fit", 1), ("not_taken", 0)])
def test_NTF_9_the_orphans_that_came_to_the_same_point_are_counted(
    alerts: Alerts, story: Story, stage: str, count: int
) -> None:
    """Of those that expire all of the hour, also those whose turn comes yet."""
    for number, (minutes, where) in enumerate(
        [(0, "expired"), (1, "expired"), (30, "unmatched"), (59, "several_fit"), (30, "matched"), (-1, "expired")]
    ):
        orphan(story, number, HOUR + timedelta(minutes=minutes), where)
    topic = AlertTopic(kind=AlertKind.ORPHANS, name=stage)
    assert alerts.turn(topic, "orphan-1", HOUR, 1).cases == count


def orphan(story: Story, number: int, expires_at: datetime, stage: str) -> None:
    said = {"event_id": f"cm-{number}", "actor": "supplier:north", "number": "CM-1", "date": "2026-03-01"}
    request = OrphanRequest.of(
        source="north",
        event="credit_memo",
        said={**said, "amount": "63.00", "currency": "USD"},
        numbers=["RMA-77"],
    )
    record = case_record(
        orphan_workflow_id(request.orphan_id), stage, "reported", ended=stage in ("expired", "matched")
    )
    story.database.save_orphan(
        SaveOrphan(
            orphan_id=request.orphan_id,
            record=record.model_copy(update={"order_id": ""}),
            request=request,
            reported_at=HOUR,
            expires_at=expires_at,
        )
    )
