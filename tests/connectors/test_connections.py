"""Which connection a call goes through, with which key, and what is said when it can't (REF-6, REF-9, NTF-9)."""

import asyncio
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from pydantic import HttpUrl
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.connectors.connections import BELIEVED_SECONDS, Connections
from activities.connectors.payments import Payments
from activities.connectors.secret_reference import read_secret
from activities.connectors.suppliers import Suppliers
from models.connections import BROKER, Connection, ConnectionKind, Provider
from models.failures import NotFound, PartnerUnavailable
from models.partners import FindSources, SendRefund
from models.refunds import Direction
from models.settings import Settings
from tests.connections import FixedDirectory, key

HANGING = 3


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Gateway:
    """A gateway that takes every refund, and remembers keys and accounts."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.accounts: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers["Authorization"].removeprefix("Bearer "))
        self.accounts.append(request.headers.get("Stripe-Account"))
        if request.method == "GET":
            return httpx.Response(200, json={"currency": "usd"})
        refund = {"id": "re_1", "status": "succeeded", "currency": "usd", "amount": 1000}
        return httpx.Response(200, json=refund)


def stripe(connection_id: str, owner: str, secret: str | None = None, **more: object) -> Connection:
    told = {"connection_id": connection_id, "kind": "payments", "provider": "stripe", "owner": owner}
    return Connection.model_validate({**told, "secret": secret or key(), **more})


def refund(connection_id: str, direction: Direction = Direction.SELLER_TO_BUYER) -> SendRefund:
    return SendRefund(
        refund_id="RF-1",
        order_id="1001",
        direction=direction,
        payment_reference="pi_1",
        amount=Decimal(10),
        currency="USD",
        connection_id=connection_id,
    )


async def said(activities: ActivityEnvironment, payments: Payments, ask: SendRefund) -> str:
    with pytest.raises(ApplicationError) as raised:
        await activities.run(payments.send_refund, ask)
    assert (raised.value.type, raised.value.non_retryable) == ("ConnectionUnusable", True)
    return raised.value.message


# ---- the way back ----


async def test_REF_9_a_refund_goes_through_the_connection_of_the_payment_though_the_seller_has_a_newer_one(
    activities: ActivityEnvironment,
) -> None:
    gateway = Gateway()
    old = stripe("acme-old", "seller:acme", account="acct_old")
    new = stripe("acme-new", "seller:acme", account="acct_new")
    partners = Connections(FixedDirectory(old, new), Settings(), httpx.MockTransport(gateway))
    await activities.run(Payments(partners).send_refund, refund("acme-old"))
    assert set(gateway.accounts) == {"acct_old"}


async def test_REF_9_the_brokers_money_and_a_sellers_are_never_mixed(activities: ActivityEnvironment) -> None:
    gateway = Gateway()
    directory = FixedDirectory(stripe("ours", BROKER), stripe("acme", "seller:acme"))
    payments = Payments(Connections(directory, Settings(), httpx.MockTransport(gateway)))
    assert "is the broker's" in await said(activities, payments, refund("ours"))
    assert "is that of seller:acme" in await said(activities, payments, refund("acme", Direction.BROKER_TO_SELLER))
    assert gateway.keys == []
    await activities.run(payments.send_refund, refund("ours", Direction.BROKER_TO_SELLER))


# ---- keys ----


async def test_REF_6_a_key_that_is_rotated_counts_for_the_next_call_without_a_restart(
    activities: ActivityEnvironment, tmp_path: Path
) -> None:
    gateway, file = Gateway(), tmp_path / "key"
    file.write_text("sk_test_old\n")
    directory = FixedDirectory(stripe("acme", "seller:acme", f"file:{file}"))
    payments = Payments(Connections(directory, Settings(), httpx.MockTransport(gateway)))
    await activities.run(payments.send_refund, refund("acme"))
    file.write_text("sk_test_new\n")
    await activities.run(payments.send_refund, refund("acme"))
    assert gateway.keys == ["sk_test_old", "sk_test_old", "sk_test_new", "sk_test_new"]


def test_a_secret_is_read_without_the_end_of_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    for content in ("verysecret", "verysecret\n", "verysecret\r\n"):
        file.write_text(content, newline="")
        assert read_secret(f"file:{file}").get_secret_value() == "verysecret"
    monkeypatch.setenv("PARTNERS_KEY", "verysecret")
    assert read_secret("env:PARTNERS_KEY").get_secret_value() == "verysecret"


UNREADABLE = {
    "empty": (b"", "is empty"),
    "an empty line": (b"\n", "is empty"),
    "two lines": (b"verysecret\nverysecret\n", "one line"),
    "a space before it": (b" verysecret", "one line"),
    "no ASCII": ("verysecrét".encode(), "one line"),
    "too long": (b"verysecret" * 2000, "longer than"),
}


@pytest.mark.parametrize(("content", "words"), UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_NTF_9_a_secret_that_can_t_be_used_is_told_by_its_place_and_never_shown(
    activities: ActivityEnvironment, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    directory = FixedDirectory(stripe("acme", "seller:acme", f"file:{file}"))
    payments = Payments(Connections(directory, Settings(), httpx.MockTransport(Gateway())))
    message = await said(activities, payments, refund("acme"))
    assert message.startswith(f"connection acme of seller:acme: the secret at file:{file}")
    assert message.endswith("(backhaul connection set acme secret=env:NAME or secret=file:/PATH)")
    assert words in message
    assert "verysecr" not in message


def test_a_secret_that_is_not_there_is_told_by_its_place(tmp_path: Path) -> None:
    for reference, words in (
        (f"file:{tmp_path}/none", "can't be read: No such file"),
        (f"file:{tmp_path}", "is no file"),
        ("env:NOT_SET_ANYWHERE", "no environment variable NOT_SET_ANYWHERE"),
    ):
        with pytest.raises(NotFound, match=words):
            read_secret(reference)


# ---- deactivated, unknown, and a database that is away ----


async def test_NTF_9_a_connection_that_is_deactivated_stops_the_next_call_in_words_and_goes_on_when_mended(
    activities: ActivityEnvironment,
) -> None:
    gateway, clock = Gateway(), Clock()
    there = stripe("acme", "seller:acme")
    directory = FixedDirectory(there)
    payments = Payments(Connections(directory, Settings(), httpx.MockTransport(gateway), clock))
    await activities.run(payments.send_refund, refund("acme"))
    directory.connections = (there.model_copy(update={"active": False}),)
    clock.now += BELIEVED_SECONDS
    message = await said(activities, payments, refund("acme"))
    assert message == (
        "connection acme of seller:acme is not active: activate it (backhaul connection set acme active=true)"
    )
    directory.connections = (there,)
    clock.now += BELIEVED_SECONDS
    await activities.run(payments.send_refund, refund("acme"))
    assert "there is no connection nobody" in await said(activities, payments, refund("nobody"))


async def test_NTF_9_who_was_listed_a_moment_ago_is_not_read_again_by_name_and_is_believed_no_longer() -> None:
    class Counting(FixedDirectory):
        found = 0

        def find(self, connection_id: str) -> Connection | None:
            self.found += 1
            return super().find(connection_id)

    clock, there = Clock(), supplier(1)
    directory = Counting(there)
    partners = Connections(directory, Settings(), clock=clock)
    assert await partners.active(ConnectionKind.SUPPLIER) == (there,)
    clock.now += BELIEVED_SECONDS / 2
    assert await partners.named(there.connection_id) == there
    assert directory.found == 0
    directory.connections = (there.model_copy(update={"active": False}),)
    clock.now += BELIEVED_SECONDS / 2
    with pytest.raises(ApplicationError, match="is not active"):
        await partners.named(there.connection_id)


async def test_a_database_that_is_away_stops_no_call_through_a_connection_that_is_known(
    activities: ActivityEnvironment,
) -> None:
    class Away(FixedDirectory):
        away = False

        def find(self, connection_id: str) -> Connection | None:
            if self.away:
                raise PartnerUnavailable("the database does not answer")
            return super().find(connection_id)

    clock, directory = Clock(), Away(stripe("acme", "seller:acme"))
    payments = Payments(Connections(directory, Settings(), httpx.MockTransport(Gateway()), clock))
    await activities.run(payments.send_refund, refund("acme"))
    directory.away = True
    clock.now += BELIEVED_SECONDS
    await activities.run(payments.send_refund, refund("acme"))
    with pytest.raises(ApplicationError) as raised:
        await activities.run(payments.send_refund, refund("other"))
    assert (raised.value.type, raised.value.non_retryable) == ("PartnerUnavailable", False)


# ---- stock of many suppliers ----


def supplier(number: int, **more: object) -> Connection:
    return Connection(
        connection_id=f"s{number}-api",
        kind=ConnectionKind.SUPPLIER,
        provider=Provider.SUPPLIER_JSON,
        owner=f"supplier:s{number}",
        base_url=HttpUrl(f"http://s{number}.localhost/api"),
        secret=key(),
    ).model_copy(update=more)


def offers(supplier_id: str, quantity: int = 10) -> httpx.Response:
    one = {"supplier_id": supplier_id, "warehouse_id": f"{supplier_id}-w", "sku": "A", "quantity": quantity}
    return httpx.Response(200, json={"offers": [{**one, "unit_cost": "9.00", "currency": "USD"}]})


ASK = FindSources.model_validate(
    {
        "wanted": [{"sku": "A", "quantity": 950, "unit_cost": "9.00"}],
        "ship_to": {"name": "Eve", "line1": "1 Main St", "city": "Reno", "country": "US", "postal_code": "89501"},
        "minimum_stock": 2,
        "currency": "USD",
    }
)


async def test_ORD_5_of_a_hundred_suppliers_three_that_hang_stop_none_of_the_others(
    activities: ActivityEnvironment,
) -> None:
    async def respond(request: httpx.Request) -> httpx.Response:
        number = request.url.host.removesuffix(".localhost")
        if int(number.removeprefix("s")) < HANGING:
            await asyncio.sleep(60)
        return offers(number)

    async def with_time_out(request: httpx.Request) -> httpx.Response:
        try:
            return await asyncio.wait_for(respond(request), 0.2)
        except TimeoutError:
            raise httpx.ReadTimeout("x") from None

    directory = FixedDirectory(*map(supplier, range(100)))
    suppliers = Suppliers(Connections(directory, Settings(), httpx.MockTransport(with_time_out)))
    found = await asyncio.wait_for(activities.run(suppliers.find_sources, ASK), 10)
    assert found.in_stock == {"A": 970}
    assert sorted(found.not_known) == ["s0-api", "s1-api", "s2-api"]
    assert "did not answer in time" in found.not_known["s0-api"]
    assert set(found.through.values()) <= {f"s{n}-api" for n in range(HANGING, 100)}


async def test_ORD_5_when_no_supplier_answers_it_is_an_outage(activities: ActivityEnvironment) -> None:
    directory = FixedDirectory(supplier(0), supplier(1))
    suppliers = Suppliers(Connections(directory, Settings(), httpx.MockTransport(lambda _: httpx.Response(503))))
    with pytest.raises(ApplicationError, match="answered 503"):
        await activities.run(suppliers.find_sources, ASK)


async def test_ORD_5_a_supplier_speaks_for_its_own_stock_alone_and_no_stock_counts_twice(
    activities: ActivityEnvironment,
) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        match request.url.host.split(".")[0]:
            case "s1":
                return offers("s1", 3)
            case "s2":
                return offers("s1", 500)
        return httpx.Response(200, json={"offers": [*_offers("s1", 40), *_offers("s9", 7)]})

    network = supplier(3, owner=BROKER)
    second = supplier(4, owner=BROKER)
    directory = FixedDirectory(supplier(1), supplier(2), network, second)
    suppliers = Suppliers(Connections(directory, Settings(), httpx.MockTransport(respond)))
    found = await activities.run(suppliers.find_sources, ASK)
    assert found.in_stock == {"A": 3 + 7}
    assert found.through == {"s1/s1-w": "s1-api", "s9/s9-w": "s4-api"}


def _offers(supplier_id: str, quantity: int) -> list[object]:
    answer: list[object] = offers(supplier_id, quantity).json()["offers"]
    return answer
