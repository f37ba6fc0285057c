"""A representative set of cases, every word of the buyer and every secret unmistakable, and what it left."""

import base64
import io
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client

from models.encryption import EncryptionCodec, read_keys
from models.logs import configure_logs
from starter.front import create_app as front_app
from starter.ops.codec_server import create_app as codec_app
from starter.sandbox.facts import MailFact
from tests.case_story import OrderStory, Refused
from tests.eventually import eventually
from tests.return_story import returning_from, shipped_order
from tests.security.at_rest import KEY_1, with_keys
from tests.security.buyer import BUYER, EMAIL, NAME, PHONE, REASON, STREET
from tests.world import World

DATABASE_PASSWORD: Final = "verysecretdatabase"
SECRETS: Final = {
    "smtp_password": "verysecretsmtp",
    "front_secret": "verysecretfront",
    "codec_token": "verysecretcodec",
}
PARTNERS_KEY: Final = "sk_test_verysecretpartners"
SMTP_USER: Final = "mailer"


def disguised(secret: str) -> str:
    """As it travels when a name and it log in."""
    return base64.b64encode(f"\0{SMTP_USER}\0{secret}".encode()).decode()


SECRET_WORDS: Final = (
    *SECRETS.values(),
    PARTNERS_KEY,
    DATABASE_PASSWORD,
    KEY_1.partition(":")[2],
    disguised(SECRETS["smtp_password"]),
)
QUOTING: Final = f"no parcel for {NAME}, {STREET}"
"""What a partner answers that quotes what it was sent."""


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
    answers: str
    """What the page of the suppliers' links and the codec server answered."""
    mails: tuple[MailFact, ...]


@contextmanager
def logging_to(stream: io.StringIO) -> Iterator[None]:
    """The logs of a production process at their most talkative, in `stream`."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        configure_logs("json", "DEBUG")
        try:
            yield
        finally:
            root.handlers[:] = before
            root.setLevel(level)


async def left_by(client: Client, queue: str) -> tuple[frozenset[str], bytes, str, str]:
    """The cases of a task queue: their ids, the server's list of them, their failures, their histories."""
    request = ListWorkflowExecutionsRequest(namespace=client.namespace, query=f"TaskQueue = '{queue}'")
    listed = await client.workflow_service.list_workflow_executions(request)
    ids = frozenset(found.execution.workflow_id for found in listed.executions)
    failures, payloads = [], []
    for workflow_id in ids:
        for event in (await client.get_workflow_handle(workflow_id).fetch_history()).events:
            failures += [f"{failure}" for failure in failures_in(event)]
            payloads.append(f"{event}")
    return ids, listed.SerializeToString(), "\n".join(failures), "\n".join(payloads)


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

    await sandbox.add_fault("gateway", "error", "/refunds", times=1, code=QUOTING)
    await sandbox.add_fault("supplier", "error", times=1, code=QUOTING)
    await sandbox.add_fault("shop", "error", times=1, code=QUOTING)
    order, seller, supplier = await shipped_order(world, buyer=BUYER)
    reason = {"sku": order.request.lines[0].sku, "quantity": 1, "reason": REASON}
    done = await returning_from(world, order, seller, supplier, lines=[reason])
    await done.approved(note=REASON)
    await done.track(note=f"dropped by {NAME}")
    await done.receive({"quantity": 1})
    await done.credit("31.50")
    await done.click(note=REASON)
    await done.ends("completed")

    rejected = await returning_from(world, order, seller, supplier, lines=[reason])
    await rejected.reaches("awaiting_approval")
    await sandbox.add_fault("mail", "refuse", times=1, code=QUOTING)
    await rejected.update("seller_approval", decision="rejected", reason=REASON)
    await rejected.forward(minutes=1)
    await rejected.ends("rejected")

    refund = await world.refund(order, amount="9000.00", reason=REASON)
    await refund.ends("refused")
    await sandbox.add_fault("gateway", "refuse", "GET /v1/payment_intents/", times=1, code=QUOTING)
    refund = await world.refund(order, amount="1.00", reason=REASON)
    await refund.shows("the refusal", lambda seen: "RefusedByPartner" in f"{seen.timeline}")
    await refund.forward(minutes=23)
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


@asynccontextmanager
async def browsing(world: World) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Somebody at the suppliers' page, and somebody at the codec server."""
    apps = (front_app(world.client, world.settings), codec_app(with_keys(world.settings, KEY_1)))
    async with AsyncExitStack() as stack:
        front, codec = [
            await stack.enter_async_context(
                httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")
            )
            for app in apps
        ]
        yield front, codec


async def use_the_doors(world: World) -> str:
    """A supplier follows its signed link; staff decode with the token and without. Gives what was answered."""
    supplier = await world.supplier(rma="email")
    case = await returning_from(world, *await shipped_order(world, supplier=supplier, buyer=BUYER))
    await case.approved("awaiting_rma")
    letters = await eventually(lambda: case.mails(to=case.supplier.email), bool, "the supplier gets no link")
    link = next(word for word in (letters[0].text or "").split() if "/rma/" in word)
    path = "/rma/" + link.rpartition("/")[2]
    sealed = MessageToDict(Payloads(payloads=await EncryptionCodec(read_keys(KEY_1)).encode([Payload(data=b"x")])))
    async with browsing(world) as (front, codec):
        answers = [
            await front.get(path[:-1]),
            await front.get(path),
            await front.post(path, data={"outcome": "issued", "rma_number": "RMA-77"}),
            await codec.post("/decode", json=sealed, headers={"Authorization": "Bearer guess"}),
            await codec.post(
                "/decode", json=sealed, headers={"Authorization": f"Bearer {SECRETS['codec_token']}"}
            ),
            await codec.post("/decode", content=b"nonsense", headers={"Authorization": "Bearer guess"}),
        ]
    assert [answer.status_code for answer in answers[1:5]] == [200, 200, 401, 200]
    await case.reaches("awaiting_tracking")
    return "\n".join(f"{answer.headers} {answer.text}" for answer in answers)
