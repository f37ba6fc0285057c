"""Personal data and secrets stand in payloads, books and mails, and in no open place.

One representative set of cases is played once, with every word of the buyer unmistakable; each test looks
into one place.
"""

import io
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import Engine
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from typer.testing import CliRunner

from models.converter import DATA_CONVERTER
from models.logs import configure_logs
from models.settings import Settings
from starter.cli.assembly import app
from starter.ports import free_port
from starter.sandbox import RunningSandbox, SandboxClient
from tests.rules.return_story import returning_from, shipped_order
from tests.security.buyer import BUYER, EMAIL, NAME, PHONE, REASON, said
from tests.world import OrderStory, Refused, World
from worker import build_worker, telemetry

SECRETS = {
    "gateway_key": "sk_test_verysecretgateway",
    "supplier_key": "verysecretsupplier",
    "shop_key": "verysecretshop",
    "smtp_password": "verysecretsmtp",
    "front_secret": "verysecretfront",
    "codec_token": "verysecretcodec",
}
SECRET_WORDS = (*SECRETS.values(), "verysecretdatabase")


@dataclass(frozen=True)
class Played:
    """What the cases left behind where anybody may look."""

    ids: frozenset[str]
    listed: bytes
    """The server's list of the cases: ids, search attributes, memo."""
    failures: str
    """Every failure in their histories: messages and stack traces."""
    payloads: str
    log: str
    metrics: str
    refusals: str
    """What senders of wrong events were answered."""


@contextmanager
def logging_to(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The logs of a production process at their most talkative, in `stream`."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("json", "DEBUG")
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        structlog.reset_defaults()


@pytest.fixture(scope="module")
async def played(
    env: WorkflowEnvironment,
    stack_sandbox: RunningSandbox,
    stack_client: SandboxClient,
    stack_books: Engine,
    stack_settings: Settings,
) -> Played:
    port = free_port()
    settings = stack_settings.model_copy(
        update={name: SecretStr(value) for name, value in SECRETS.items()}
        | {"metrics_address": f"127.0.0.1:{port}"}
    )
    client = await Client.connect(
        env.client.service_client.config.target_host,
        namespace=env.client.namespace,
        data_converter=DATA_CONVERTER,
        runtime=telemetry(settings),
    )
    queue = f"personal-{uuid4().hex[:8]}"
    world = World(env, stack_sandbox, stack_client, stack_books, settings, queue)
    log = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, logging_to(log, patch):
        async with build_worker(client, settings, stack_books, task_queue=queue):
            refusals = await play(world)
            async with httpx.AsyncClient() as http:
                metrics = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    await stack_client.clear_faults()
    # Every case of this world carries its tag in its id.
    listed = await env.client.workflow_service.list_workflow_executions(
        ListWorkflowExecutionsRequest(namespace=env.client.namespace, query=f"TaskQueue = '{queue}'")
    )
    ids = frozenset(found.execution.workflow_id for found in listed.executions)
    failures, payloads = [], []
    for workflow_id in ids:
        history = await env.client.get_workflow_handle(workflow_id).fetch_history()
        for event in history.events:
            failures += [f"{failure}" for failure in failures_in(event)]
            payloads.append(f"{event}")
    return Played(
        ids=ids,
        listed=listed.SerializeToString(),
        failures="\n".join(failures),
        payloads="\n".join(payloads),
        log=log.getvalue(),
        metrics=metrics,
        refusals=refusals,
    )


def failures_in(event: HistoryEvent) -> Iterator[Failure]:
    """The failures that this event of a history holds."""
    for _, attributes in event.ListFields():
        if hasattr(attributes, "ListFields"):
            yield from (value for _, value in attributes.ListFields() if isinstance(value, Failure))


async def play(world: World) -> str:
    """Cancelled, shipped, returned, rejected, a refund that fails, lost partners, mails that fail, wrong events.

    Gives what the senders of wrong events were answered.
    """
    sandbox = world.sandbox
    cancelled = await world.simple_order(buyer=BUYER)
    await cancelled.reaches("cancel_window")
    answers = await wrong_events(cancelled)
    await cancelled.signal("cancel_request", reason=REASON, note=f"says {NAME}, {EMAIL}")
    await cancelled.ends("cancelled")

    await sandbox.add_fault("gateway", "error", "/refunds", times=1)
    order, seller, supplier = await shipped_order(world, buyer=BUYER)
    reason = {"sku": order.request.lines[0].sku, "quantity": 1, "reason": REASON}
    done = await returning_from(order, seller, supplier, lines=[reason])
    await done.approved(note=REASON)
    await done.track(note=f"dropped by {NAME}")
    await done.receive({"quantity": 1})
    await done.credit("31.50")
    await done.click(note=REASON)
    await done.ends("completed")

    rejected = await returning_from(order, seller, supplier, lines=[reason])
    await rejected.reaches("awaiting_approval")
    await sandbox.add_fault("mail", "refuse", times=1)
    await rejected.update("seller_approval", decision="rejected", reason=REASON)
    await rejected.forward(minutes=1)
    await rejected.ends("rejected")

    refund = await world.refund(order, amount="9000.00", reason=REASON)
    await refund.ends("refused")
    await sandbox.add_fault("gateway", "refuse", "/refunds", times=1)
    refund = await world.refund(order, amount="1.00", reason=REASON)
    await refund.shows("the refusal", lambda seen: "RefusedByPartner" in f"{seen.timeline}")
    await refund.forward(minutes=16)
    await refund.ends("succeeded")
    return answers


async def wrong_events(order: OrderStory) -> str:
    """Damaged events that quote the buyer, each as a signal and as an update; gives the answers."""
    answers = []
    for fields in (
        {"reason": [NAME]},
        {"reason": REASON, "phone": PHONE},
        {"reason": "r", "lines": [{"sku": NAME, "quantity": EMAIL}]},
        {"reason": "r", "actor": NAME},
        {"reason": "r", "occurred_at": PHONE},
    ):
        await order.signal("cancel_request", **fields)
        with pytest.raises(Refused) as caught:
            await order.update("cancel_request", **fields)
        answers.append(f"{caught.value} {caught.value.details}")
    await order.handle.signal("cancel_request", REASON)
    await order.handle.signal("cancel_request", args=[NAME, EMAIL])
    await order.handle.signal("no_such_event", {"reason": REASON})
    status = await order.shows("the rejections", lambda seen: seen.rejected_count == 8)
    answers += [f"{one}" for one in status.rejected_events]
    return "\n".join(answers)


def test_the_cases_do_hold_what_is_looked_for(played: Played) -> None:
    assert said(played.payloads) == said(f"{BUYER} {REASON}")
    assert len(played.ids) >= 6


def test_no_id_search_attribute_or_memo_is_personal(played: Played) -> None:
    assert said(" ".join(played.ids)) == []
    assert said(played.listed) == []


def test_no_log_line_is_personal_also_at_debug(played: Played) -> None:
    lines = [line for line in played.log.splitlines() if said(line)]
    assert lines == []


def test_no_metric_is_personal(played: Played) -> None:
    assert "temporal_workflow_completed" in played.metrics
    assert said(played.metrics) == []


def test_no_failure_in_a_history_is_personal(played: Played) -> None:
    assert "RefusedByPartner" in played.failures
    assert said(played.failures) == []


def test_no_answer_to_a_wrong_event_quotes_it(played: Played) -> None:
    assert said(played.refusals) == []


def test_no_secret_stands_anywhere(played: Played) -> None:
    everywhere = f"{played.listed!r} {played.failures} {played.payloads} {played.log} {played.metrics}"
    assert said(everywhere, SECRET_WORDS) == []


def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"BACKHAUL_{name.upper()}", value)
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://books:verysecretdatabase@127.0.0.1:1/books")


def test_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    settings = Settings()
    assert settings.front_secret.get_secret_value() == "verysecretfront"
    assert (
        said(f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}", SECRET_WORDS) == []
    )


def test_no_help_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    runner = CliRunner()
    overview = runner.invoke(app, ["--help"]).output
    commands = re.findall(r"^│ ([a-z-]+) ", overview, re.MULTILINE)
    assert "worker" in commands
    for command in commands:
        shown = runner.invoke(app, [command, "--help"]).output
        assert shown
        assert said(shown, SECRET_WORDS) == []


def test_books_that_can_not_be_reached_are_named_without_their_password(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    result = CliRunner().invoke(app, ["refunds", "1001"])
    assert result.exit_code == 7
    assert "book" in result.output
    assert said(result.output, SECRET_WORDS) == []
