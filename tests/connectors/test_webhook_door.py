"""The door of the gateways' webhooks, without a server: who is let in, what is done, and what is answered."""

import asyncio
import hashlib
import hmac
import json
import random
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from temporalio.client import Client

from activities.connectors.paypal.webhooks import PayPalWebhooks
from activities.connectors.webhooks import LONGEST_BODY, NotSigned, Webhook
from activities.database import WebhookRegister, upgrade
from activities.database.engines import make_engine
from models.failures import NotFound, PartnerUnavailable
from models.refunds import Direction, GatewayUpdate, RefundState
from models.settings import Settings
from models.webhooks import Refusal, WebhookState
from starter.client.send import CaseEnded
from starter.front import create_app, webhooks
from tests.database.story import Story

DELIVERIES, EACH = 10_000, 8
SECRET = "whsec_now"
NEXT = "whsec_next"
BUYERS = "RF-1001-D1"


class Door:
    """The door, a provider before it, and Temporal behind it, which notes what it is given."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.story = Story(engine).with_parties()
        self.kept = WebhookRegister(engine)
        self.told: list[tuple[str, GatewayUpdate]] = []
        self.reported: list[tuple[str, GatewayUpdate, Any]] = []
        self.reopened: list[str] = []
        self.failure: Exception | None = None
        self.engine, self.settings = engine, settings
        self.starts()

    def starts(self) -> None:
        """The front, anew."""
        transport = httpx.ASGITransport(create_app(cast(Client, None), self.settings))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://front.example")

    async def tell(self, _: Client, workflow_id: str, name: str, event: GatewayUpdate) -> None:
        assert name == "gateway_update"
        if self.failure is not None:
            raise self.failure
        self.told.append((workflow_id, event))

    async def report(
        self, _: Client, source: str, event: str, said: GatewayUpdate, numbers: tuple[str, ...], **more: Any
    ) -> None:
        if self.failure is not None:
            raise self.failure
        self.reported.append((source, said, more["seller_id"]))

    async def reopen(self, _: Client, request: Any, event: GatewayUpdate, **more: Any) -> None:
        self.reopened.append(request.refund_id)

    async def post(
        self, event: dict[str, Any] | bytes, path: str = "acme-stripe", secret: str = SECRET, **headers: str
    ) -> int:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        now = int(time.time())
        signed = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        signature = {"Stripe-Signature": f"t={now},v1={signed}"}
        answer = await self.http.post(f"/webhooks/{path}", content=body, headers=signature | headers)
        return answer.status_code

    async def states(self) -> dict[str, tuple[WebhookState, int]]:
        found = await asyncio.to_thread(self.kept.listed, None, None, 100)
        return {one.event_id: (one.state, one.times) for one in found}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without rows, which each test copies."""
    path = tmp_path_factory.mktemp("empty") / "books.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
async def door(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    """An order of acme's with a refund that is pending at Stripe."""
    url = f"sqlite:///{shutil.copy(empty, tmp_path / 'books.db')}"
    engine = make_engine(url)
    door = Door(engine, Settings(database_url=SecretStr(url)))
    for name, value in (("record_event", door.tell), ("report", door.report), ("reopen_refund", door.reopen)):
        monkeypatch.setattr(webhooks, name, value)
    monkeypatch.setattr(webhooks, "COUNT_EVERY", 0.0)
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    door.story.connected("acme-stripe", "seller:acme", webhook_secrets=["env:WEBHOOK_SECRET"])
    door.story.delivered(("A", 3, "50.00"))
    door.story.refunding(BUYERS, "10.00", direction=Direction.SELLER_TO_BUYER)
    door.story.refund_reaches(BUYERS, "pending", RefundState.PENDING, gateway_refund_id="re_1")
    yield door
    await door.http.aclose()
    engine.dispose()


def refund_event(event_id: str = "evt_1", refund: str = "re_1", **more: Any) -> dict[str, Any]:
    said = {"id": refund, "object": "refund", "status": "succeeded", **more}
    return {"id": event_id, "type": "refund.updated", "data": {"object": said}}


# ---- what is done ----


async def test_REF_7_a_refund_is_told_what_its_gateway_says_and_by_whom(door: Door) -> None:
    assert await door.post(refund_event()) == 200
    ((case, update),) = door.told
    assert case == f"refund-{BUYERS}"
    assert (update.event_id, update.actor) == ("evt_1", "gateway:stripe")
    assert (update.status, update.gateway_refund_id) == ("succeeded", "re_1")
    assert await door.states() == {"evt_1": (WebhookState.DELIVERED, 1)}


async def test_REF_7_said_three_times_it_is_told_once(door: Door) -> None:
    assert [await door.post(refund_event()) for _ in range(3)] == [200, 200, 200]
    assert len(door.told) == 1
    assert await door.states() == {"evt_1": (WebhookState.DELIVERED, 3)}


async def test_REF_7_before_the_gateways_number_is_known_ours_finds_the_refund(door: Door) -> None:
    assert await door.post(refund_event(refund="re_2", metadata={"backhaul_id": BUYERS})) == 200
    assert [case for case, _ in door.told] == [f"refund-{BUYERS}"]


async def test_RET_20_a_refund_that_is_not_known_is_kept_as_an_orphan(door: Door) -> None:
    assert await door.post(refund_event(refund="re_9")) == 200
    ((source, said, seller),) = door.reported
    assert (source, said.gateway_refund_id, seller) == ("acme-stripe", "re_9", "acme")
    assert await door.states() == {"evt_1": (WebhookState.ORPHAN, 1)}


async def test_RET_20_of_another_connections_refund_nobody_is_told(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHERS_SECRET", NEXT)
    door.story.connected("other", "broker", webhook_secrets=["env:OTHERS_SECRET"])
    event = refund_event(status="failed", metadata={"backhaul_id": BUYERS})
    assert await door.post(event, "other", NEXT) == 200
    assert door.told == []
    assert [(source, seller) for source, _, seller in door.reported] == [("other", None)]


async def test_what_nobody_listens_to_is_answered_and_listed(door: Door) -> None:
    assert await door.post({"id": "evt_7", "type": "payout.paid", "data": {"object": {}}}) == 200
    assert (door.told, door.reported) == ([], [])
    assert await door.states() == {"evt_7": (WebhookState.IGNORED, 1)}


async def test_RET_20_a_void_that_is_no_refunds_is_no_orphan(door: Door) -> None:
    keys = ["env:WEBHOOK_SECRET"]
    door.story.connected("acme-net", "seller:acme", provider="authorize_net", webhook_secrets=keys)
    said = {"notificationId": "n1", "eventType": "net.authorize.payment.void.created", "payload": {"id": "601"}}
    signed = hmac.new(SECRET.encode(), json.dumps(said).encode(), hashlib.sha512).hexdigest().upper()
    assert await door.post(said, "acme-net", **{"X-ANET-Signature": f"sha512={signed}"}) == 200
    assert door.reported == []
    assert await door.states() == {"n1": (WebhookState.IGNORED, 1)}


async def test_REF_7_a_refund_that_has_ended_is_told_nothing_new(door: Door) -> None:
    door.failure = CaseEnded(f"refund-{BUYERS}")
    assert await door.post(refund_event()) == 200
    assert await door.states() == {"evt_1": (WebhookState.ENDED, 1)}


async def test_REF_7_a_refund_that_failed_is_not_started_again(door: Door) -> None:
    door.story.refund_reaches(BUYERS, "failed", RefundState.FAILED, ended=True, gateway_refund_id="re_1")
    assert await door.post(refund_event(status="failed")) == 200
    assert door.told == []


async def test_REF_7_a_late_failure_of_a_refund_that_the_server_forgot_starts_it_again(door: Door) -> None:
    door.story.refund_reaches(BUYERS, "succeeded", RefundState.SUCCEEDED, ended=True, gateway_refund_id="re_1")
    door.failure = NotFound("no such case")
    assert await door.post(refund_event()) == 200
    assert door.reopened == []
    assert await door.post(refund_event("evt_2", status="failed")) == 200
    assert door.reopened == [BUYERS]
    assert await door.states() == {"evt_1": (WebhookState.ENDED, 1), "evt_2": (WebhookState.DELIVERED, 1)}


@pytest.mark.proof
async def test_REF_7_ten_thousand_deliveries_in_any_order_are_told_once_each(door: Door) -> None:
    """Every event eight times, all mixed, some at once; of a hundred refunds, some of which nobody here knows."""
    chance = random.Random(7)
    refunds = [f"RF-1001-D{number}" for number in range(2, 82)]
    for refund_id in refunds:
        door.story.refunding(refund_id, "1.00", direction=Direction.SELLER_TO_BUYER)
        number = refund_id.replace("RF-1001-D", "re_")
        door.story.refund_reaches(refund_id, "pending", RefundState.PENDING, gateway_refund_id=number)
    statuses = ("succeeded", "pending", "failed")
    events = [
        refund_event(f"evt_{one}", f"re_{2 + one % 100}", status=statuses[one % 3])
        for one in range(DELIVERIES // EACH)
    ]
    deliveries = events * EACH
    chance.shuffle(deliveries)
    for first in range(0, DELIVERIES, 8):
        answers = await asyncio.gather(*(door.post(one) for one in deliveries[first : first + 8]))
        assert set(answers) == {200}
    told = Counter(update.event_id for _, update in door.told)
    orphans = Counter(said.event_id for _, said, _ in door.reported)
    kept = {one.event_id: one for one in await asyncio.to_thread(door.kept.listed, None, None, DELIVERIES)}
    assert kept.keys() == {one["id"] for one in events} == told.keys() | orphans.keys()
    assert all(one.times == EACH for one in kept.values()), "each delivery is counted"
    ours = {f"re_{number}" for number in range(2, 82)}
    assert {said.gateway_refund_id for _, said, _ in door.reported}.isdisjoint(ours)
    at_once = sum(many - 1 for many in (told + orphans).values())
    assert at_once < DELIVERIES // 100, "only two of one event in the same moment are told twice, and count once"


async def test_what_came_long_ago_is_forgotten_once_a_day(
    door: Door,
) -> None:
    assert await door.post(refund_event("evt_1")) == 200
    assert await door.post(refund_event("evt_2")) == 200
    door.kept.count_refusals({("acme-stripe", date(2020, 1, 1), Refusal.NOT_SIGNED): 3})
    with door.engine.begin() as connection:
        connection.execute(text("UPDATE webhook SET last_at = '2020-01-01 00:00:00' WHERE event_id = 'evt_1'"))
    assert await door.post(refund_event("evt_3")) == 200
    assert set(await door.states()) == {"evt_1", "evt_2", "evt_3"}, "it was done today"
    door.starts()
    assert await door.post(refund_event("evt_4")) == 200
    assert set(await door.states()) == {"evt_2", "evt_3", "evt_4"}
    assert await asyncio.to_thread(door.kept.refused, None, 10) == []


# ---- outages ----


async def test_REF_7_while_temporal_is_away_the_provider_is_to_say_it_again(door: Door) -> None:
    door.failure = PartnerUnavailable("no Temporal")
    assert await door.post(refund_event()) == 503
    assert await door.post(refund_event("evt_2", refund="re_9")) == 503
    assert await door.states() == {}
    door.failure = None
    assert await door.post(refund_event()) == 200
    assert len(door.told) == 1


async def test_REF_7_while_the_database_is_away_the_provider_is_to_say_it_again(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise PartnerUnavailable("no database")

    with monkeypatch.context() as outage:
        outage.setattr(WebhookRegister, "keep", away)
        assert await door.post(refund_event()) == 503
    assert await door.post(refund_event()) == 200
    assert {update.event_id for _, update in door.told} == {"evt_1"}, "told twice, which the case counts once"


async def test_without_a_database_the_page_of_the_links_goes_on(tmp_path: Path) -> None:
    settings = Settings(database_url=SecretStr(f"sqlite:///{tmp_path / 'none.db'}"))
    transport = httpx.ASGITransport(create_app(cast(Client, None), settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://front.example") as http:
        assert (await http.post("/webhooks/acme-stripe", content=b"{}")).status_code == 503
        assert (await http.get("/health")).status_code == 200


# ---- who is let in ----


async def test_REF_7_what_nobody_signed_is_counted_and_nothing_else(door: Door) -> None:
    assert await door.post(refund_event(), secret="another") == 401
    assert await door.post(refund_event(), **{"Stripe-Signature": "t=1,v1=0"}) == 401
    assert await door.post(b"not JSON at all") == 400
    await asyncio.sleep(0.2)
    assert await door.post(refund_event(), secret="another") == 401
    await asyncio.sleep(0.2)
    refused = {one.why: one.times for one in await asyncio.to_thread(door.kept.refused, "acme-stripe", 10)}
    assert refused == {Refusal.NOT_SIGNED: 3, Refusal.UNREADABLE: 1}
    assert (door.told, door.reported) == ([], [])
    assert await door.states() == {}


async def test_a_secret_takes_the_place_of_another_without_a_word_lost(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "next"
    door.story.connected("acme-stripe", "seller:acme", webhook_secrets=["env:WEBHOOK_SECRET", f"file:{file}"])
    assert await door.post(refund_event("a")) == 200
    assert await door.post(refund_event("b"), secret=NEXT) == 503, "one of the secrets can't be read"
    file.write_text(f"{NEXT}\n")
    assert await door.post(refund_event("b"), secret=NEXT) == 200
    assert await door.post(refund_event("c"), secret="another") == 401
    monkeypatch.delenv("WEBHOOK_SECRET")
    assert await door.post(refund_event("d"), secret=NEXT) == 200


@pytest.mark.parametrize("path", ["nobody", "..%2Frma", "a%00b", "x" * 500, "%F0%9F%92%A9", "north-api"])
async def test_there_is_no_door_where_there_is_no_gateway(door: Door, path: str) -> None:
    door.story.connected("north-api", "supplier:north", kind="supplier", provider="supplier_json")
    assert await door.post(refund_event(), path) == 404


@pytest.mark.parametrize(
    "changes", [{"active": False}, {"webhook_secrets": []}, {"webhook_secrets": ["env:NONE"]}]
)
async def test_what_staff_have_to_mend_is_said_again_until_they_have(door: Door, changes: dict[str, Any]) -> None:
    door.story.connected("acme-stripe", "seller:acme", **{"webhook_secrets": ["env:WEBHOOK_SECRET"], **changes})
    assert await door.post(refund_event()) == 503
    assert door.told == []


async def test_paypal_is_asked_itself_and_its_no_is_final(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Exception | None] = [PartnerUnavailable("PayPal is away"), NotSigned("no"), None]

    async def verify(_: PayPalWebhooks, webhook: Webhook) -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    monkeypatch.setattr(PayPalWebhooks, "verify", verify)
    options = {"client_id": "acme", "webhook_id": "WH1"}
    door.story.connected("acme-paypal", "seller:acme", provider="paypal", options=options)
    resource = {"id": "R1", "status": "COMPLETED"}
    said = {
        "id": "WH-1",
        "event_type": "PAYMENT.CAPTURE.REFUNDED",
        "resource_type": "refund",
        "resource": resource,
    }
    assert [await door.post(said, "acme-paypal") for _ in range(3)] == [503, 401, 200]
    assert len(door.reported) == 1


@pytest.mark.parametrize("body", [b"x" * (LONGEST_BODY + 1), b"[" * LONGEST_BODY, b"\xff" * 100, b"", b"null"])
@pytest.mark.parametrize("kind", ["application/json", "text/html", "multipart/form-data; boundary=x", "\x01"])
async def test_a_body_of_any_kind_hurts_nobody(door: Door, body: bytes, kind: str) -> None:
    signed, unsigned = (413, 413) if len(body) > LONGEST_BODY else (400, 401)
    assert await door.post(body, **{"Content-Type": kind}) == signed
    assert await door.post(body, secret="another", **{"Content-Type": kind}) == unsigned
    assert await door.post(refund_event(), **{"Content-Type": kind}) == 200
