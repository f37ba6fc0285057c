"""The supplier's page, against a real Temporal server: one link, one field, one answer (RET-8, NTF-2)."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from temporalio import workflow
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from models.case import Answer, CaseStatus, ReturnStage, SlaState
from models.failures import Conflict
from models.links import BadLink, ExpiredLink, return_of, rma_link, rma_token
from models.returns import SupplierRma
from models.settings import Settings
from starter.front import create_app, page, serve
from starter.front.asked import LANGUAGES, TEMPLATES
from starter.ops.ports import free_port


@workflow.defn(name="Return")
class WaitingReturn:
    """A return that waits for its RMA number, and ends when told so."""

    def __init__(self) -> None:
        self.answers: dict[str, SupplierRma] = {}
        self.over = False
        self.language = "en"

    @workflow.run
    async def run(self, language: str) -> None:
        self.language = language
        await workflow.wait_condition(lambda: self.over)

    @workflow.signal
    def end(self) -> None:
        self.over = True

    @workflow.signal(name="supplier_rma")
    def hear(self, event: SupplierRma) -> None:
        self.answers.setdefault(event.event_id, event)

    @workflow.update(name="supplier_rma")
    def answer(self, event: SupplierRma) -> Answer:
        duplicate = event.event_id in self.answers
        self.hear(event)
        return Answer(duplicate=duplicate, stage=self.stage, message="recorded")

    @answer.validator
    def check(self, event: SupplierRma) -> None:
        if event.rma_number == "TAKEN":
            raise ApplicationError("that number belongs to another return", type="Conflict", non_retryable=True)

    @property
    def number(self) -> str | None:
        return next((event.rma_number for event in self.answers.values()), None)

    @property
    def stage(self) -> str:
        return ReturnStage.AWAITING_TRACKING if self.answers else ReturnStage.AWAITING_RMA

    @workflow.query
    def status(self) -> CaseStatus:
        return CaseStatus(
            workflow_id=workflow.info().workflow_id,
            stage=self.stage,
            outcome=ReturnStage.WITHDRAWN if self.over else None,
            waiting_for=None,
            also_waiting_for=(),
            deadlines={"rma_due": datetime(2026, 7, 1, 22, 30, tzinfo=UTC)},
            sla_state=SlaState.ON_TIME,
            timeline=(),
            rejected_events=(),
            rejected_count=0,
            facts={
                "rma_number": self.number,
                "answers": [event.model_dump(mode="json") for event in self.answers.values()],
                "order_id": "1001",
                "supplier_order_number": "1001-1",
                "supplier_language": self.language,
                "supplier_time_zone": "Europe/Berlin",
                "supplier_return_address": "Gate 4\n12 River Road",
                "lines": [
                    {"sku": "BRK-100", "title": "Brake pad <front>", "quantity": 2, "reason": "too <b>loud</b>"},
                    {"sku": "BRK-200", "quantity": 1, "reason": "worn", "paid": "45.00", "cost": "31.50"},
                ],
            },
        )


SETTINGS = Settings(front_secret=SecretStr("tests"))


class Scene:
    """A return, its link, and somebody with a browser."""

    def __init__(self, temporal: WorkflowEnvironment) -> None:
        self.temporal = temporal
        self.queue = f"returns-{uuid4()}"
        self.return_id = f"RR-{uuid4()}"
        self.path = f"/rma/{rma_token(SETTINGS, self.return_id)}"
        transport = httpx.ASGITransport(create_app(temporal.client, SETTINGS))
        self.browser = httpx.AsyncClient(transport=transport, base_url="http://front.example")

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        async with Worker(
            self.temporal.client,
            task_queue=self.queue,
            workflows=[WaitingReturn],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            yield

    @property
    def handle(self) -> WorkflowHandle[object, object]:
        return self.temporal.client.get_workflow_handle(f"return-{self.return_id}")

    async def answers(self) -> list[SupplierRma]:
        status = await self.handle.query("status", result_type=CaseStatus)
        return [SupplierRma.model_validate(answer) for answer in status.facts["answers"]]


@pytest.fixture
async def scene(temporal: WorkflowEnvironment) -> AsyncIterator[Scene]:
    scene = Scene(temporal)
    handle = await temporal.client.start_workflow(
        WaitingReturn.run, "en", id=f"return-{scene.return_id}", task_queue=scene.queue
    )
    yield scene
    await scene.browser.aclose()
    if (await handle.describe()).close_time is None:
        await handle.terminate()


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page waits for a worker only a moment."""
    monkeypatch.setattr(page, "LOOK_WITHIN", page.LOOK_WITHIN / 6)
    monkeypatch.setattr(page, "ANSWER_WITHIN", page.ANSWER_WITHIN / 10)


async def test_RET_8_the_supplier_types_its_number(scene: Scene) -> None:
    async with scene.worker():
        form = await scene.browser.get(scene.path)
        assert (form.status_code, 'name="rma_number"' in form.text) == (200, True)
        done = await scene.browser.post(scene.path, data={"outcome": "issued", "rma_number": "  RMA-77 "})
        assert "We have recorded the RMA number RMA-77." in done.text
        (answer,) = await scene.answers()
    assert (answer.outcome, answer.rma_number, answer.actor) == ("issued", "RMA-77", "supplier:link")


async def test_RET_8_the_supplier_may_refuse_with_a_reason(scene: Scene) -> None:
    async with scene.worker():
        done = await scene.browser.post(scene.path, data={"outcome": "refused", "reason": "older than a year"})
        assert "you refuse the return" in done.text
        (answer,) = await scene.answers()
    assert (answer.outcome, answer.reason) == ("refused", "older than a year")


async def test_NTF_2_a_link_used_twice_says_so(scene: Scene) -> None:
    async with scene.worker():
        await scene.browser.post(scene.path, data={"outcome": "issued", "rma_number": "RMA-77"})
        again = await scene.browser.post(scene.path, data={"outcome": "issued", "rma_number": "RMA-88"})
        seen = await scene.browser.get(scene.path)
        assert len(await scene.answers()) == 1
    assert "used already" in again.text
    assert "used already" in seen.text


async def test_NTF_2_a_double_click_counts_once(scene: Scene) -> None:
    async with scene.worker():
        form = {"outcome": "issued", "rma_number": "RMA-77"}
        both = await asyncio.gather(*(scene.browser.post(scene.path, data=form) for _ in range(2)))
        assert [answer.status_code for answer in both] == [200, 200]
        assert len(await scene.answers()) == 1


async def test_RET_16_without_a_worker_the_answer_is_recorded_and_counts_once_it_is_back(
    scene: Scene, short_patience: None
) -> None:
    form = {"outcome": "issued", "rma_number": "RMA-77"}
    for _ in range(2):
        received = await scene.browser.post(scene.path, data=form)
        assert (received.status_code, "Received" in received.text) == (202, True)
    async with scene.worker():
        assert [answer.rma_number for answer in await scene.answers()] == ["RMA-77"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "enter your RMA number"),
        ({"rma_number": "   "}, "enter your RMA number"),
        ({"rma_number": "x" * 161}, "enter your RMA number"),
        ({"outcome": "refused", "reason": ""}, "say why"),
        ({"outcome": "refused", "reason": "x" * 2001}, "say why"),
    ],
)
async def test_RET_8_an_answer_that_does_not_fit_is_asked_again(
    scene: Scene, fields: dict[str, str], problem: str
) -> None:
    async with scene.worker():
        asked = await scene.browser.post(scene.path, data=fields)
        assert (asked.status_code, problem in asked.text) == (422, True)
        assert await scene.answers() == []


async def test_RET_8_an_answer_that_the_return_refuses_says_why(scene: Scene) -> None:
    async with scene.worker():
        refused = await scene.browser.post(scene.path, data={"rma_number": "TAKEN"})
    assert (refused.status_code, "belongs to another return" in refused.text) == (409, True)


async def test_RET_8_a_return_that_has_ended_needs_no_number(scene: Scene) -> None:
    async with scene.worker():
        await scene.handle.signal("end")
        await scene.handle.result()
        for answer in (
            await scene.browser.get(scene.path),
            await scene.browser.post(scene.path, data={"rma_number": "RMA-77"}),
        ):
            assert (answer.status_code, "has ended" in answer.text) == (409, True)


async def test_NTF_2_what_was_typed_is_shown_as_text(scene: Scene) -> None:
    async with scene.worker():
        shown = await scene.browser.post(scene.path, data={"rma_number": '"><script>' + "x" * 100})
    assert "<script>" not in shown.text
    assert "&lt;script&gt;" in shown.text


async def test_NTF_2_the_page_is_kept_out_of_caches_referrers_and_frames(scene: Scene) -> None:
    async with scene.worker():
        form = await scene.browser.get(scene.path)
    assert form.headers["Cache-Control"] == "no-store"
    assert form.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in form.headers["Content-Security-Policy"]
    assert "http" not in form.text.replace("http-equiv", "")


async def test_NTF_2_a_flood_is_cut_off(scene: Scene) -> None:
    flood = await scene.browser.post(scene.path, data={"rma_number": "x" * 20_000})
    assert flood.status_code == 413


@pytest.mark.parametrize("change", ["forged", "cut", "other secret", "nonsense"])
async def test_NTF_2_a_link_that_we_did_not_make_opens_nothing(scene: Scene, change: str) -> None:
    token = rma_token(SETTINGS, "RR-1")
    wrong = {
        "forged": rma_token(SETTINGS, "RR-2").partition(".")[0] + "." + token.partition(".")[2],
        "cut": token[:-5],
        "other secret": rma_token(Settings(front_secret=SecretStr("another")), "RR-1"),
        "nonsense": "x",
    }[change]
    with pytest.raises(BadLink):
        return_of(SETTINGS, wrong)
    for answer in (await scene.browser.get(f"/rma/{wrong}"), await scene.browser.post(f"/rma/{wrong}")):
        assert (answer.status_code, "does not work" in answer.text) == (404, True)


async def test_NTF_2_a_link_expires(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    token = rma_token(SETTINGS, "RR-1")
    later = time.time() + SETTINGS.rma_link_days * 86_400
    monkeypatch.setattr(time, "time", lambda: later - 60)
    assert return_of(SETTINGS, token) == "RR-1"
    monkeypatch.setattr(time, "time", lambda: later + 60)
    with pytest.raises(ExpiredLink):
        return_of(SETTINGS, token)
    expired = await scene.browser.get(f"/rma/{token}")
    assert (expired.status_code, "has expired" in expired.text) == (410, True)


def test_NTF_2_a_link_holds_the_returns_number_and_stands_under_the_address_of_the_settings() -> None:
    link = rma_link(SETTINGS, "RR-1")
    assert link.startswith(f"{str(SETTINGS.front_url).rstrip('/')}/rma/")
    assert return_of(SETTINGS, link.rpartition("/")[2]) == "RR-1"


async def test_NTF_2_the_page_is_served_until_it_is_stopped_and_tells_a_port_in_use(
    temporal: WorkflowEnvironment,
) -> None:
    port = free_port()
    serving = asyncio.create_task(serve(temporal.client, SETTINGS, port=port))
    transport = httpx.AsyncHTTPTransport(retries=10)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{port}") as browser:
        assert (await browser.get("/health")).text == "ok"
        with pytest.raises(Conflict, match=str(port)):
            await serve(temporal.client, SETTINGS, port=port)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


async def test_NTF_2_the_page_says_who_asks_which_order_which_items_why_and_until_when(scene: Scene) -> None:
    async with scene.worker():
        form = await scene.browser.get(scene.path)
    said = re.sub(r"<[^>]+>", " ", form.text)
    for words in (
        "Backhaul, returns@backhaul.example",
        "1001-1",
        "Brake pad &lt;front&gt;",
        "BRK-100",
        "too &lt;b&gt;loud&lt;/b&gt;",
        "BRK-200",
        "2026-07-02 00:30 (Europe/Berlin)",
        "Gate 4\n12 River Road",
    ):
        assert words in said
    assert "45.00" not in said
    assert "31.50" not in said


async def test_RET_8_the_supplier_may_give_another_return_address(scene: Scene) -> None:
    form = {"outcome": "issued", "rma_number": "RMA-77", "return_address": " Dock 9\r\n1 Lake Road "}
    async with scene.worker():
        assert (await scene.browser.post(scene.path, data=form)).status_code == 200
        (answer,) = await scene.answers()
    assert answer.return_address == "Dock 9\n1 Lake Road"


async def test_RET_8_a_wrong_return_address_is_named_and_what_was_typed_stays(scene: Scene) -> None:
    form = {"rma_number": "RMA-77", "return_address": "x" * 2001}
    async with scene.worker():
        asked = await scene.browser.post(scene.path, data=form)
    assert (asked.status_code, "return address of at most 2000" in asked.text) == (422, True)
    assert 'value="RMA-77"' in asked.text


@pytest.mark.parametrize(("language", "accepted", "spoken"), [("de", "en", "de"), ("fr", "de-AT,en;q=0.5", "de")])
async def test_NTF_2_the_page_speaks_the_suppliers_language(
    temporal: WorkflowEnvironment, language: str, accepted: str, spoken: str
) -> None:
    scene = Scene(temporal)
    await temporal.client.start_workflow(
        WaitingReturn.run, language, id=f"return-{scene.return_id}", task_queue=scene.queue
    )
    scene.browser.headers["Accept-Language"] = accepted
    async with scene.worker():
        form = await scene.browser.get(scene.path)
        thanks = await scene.browser.post(scene.path, data={"rma_number": "RMA-77"})
        again = await scene.browser.get(scene.path)
    await scene.handle.terminate()
    for page_shown, words in ((form, "Ihre RMA-Nummer"), (thanks, "RMA-77 gespeichert"), (again, "schon benutzt")):
        assert f'<html lang="{spoken}">' in page_shown.text
        assert words in page_shown.text


async def test_NTF_2_who_has_no_link_is_answered_in_the_browsers_language(scene: Scene) -> None:
    for accepted, words in (
        ("de", "funktioniert nicht"),
        ("xx, de;q=0.1", "funktioniert nicht"),
        ("", "not work"),
    ):
        shown = await scene.browser.get("/rma/x", headers={"Accept-Language": accepted})
        assert words in shown.text


def test_NTF_2_every_language_says_everything() -> None:
    folders = sorted(folder for folder in TEMPLATES.iterdir() if folder.is_dir())
    english = {file.name for file in (TEMPLATES / "en").iterdir()}
    assert {folder.name for folder in folders} == LANGUAGES
    for folder in folders:
        assert {file.name for file in folder.iterdir()} == english, folder.name
