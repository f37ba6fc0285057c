"""A connection is tried out by calling its partner, and what is wrong with it is said in words."""

import socket
import ssl
from collections.abc import Callable

import httpx
import pytest
from pydantic import HttpUrl, SecretStr

from activities.connectors.access import Access
from activities.connectors.clients import HttpClients
from activities.connectors.stripe.gateway import StripeGateway
from models.connections import BROKER, Connection, ConnectionKind, Provider
from models.failures import BackhaulError, InvalidInput
from models.settings import Settings
from starter.sandbox import RunningSandbox

KEY = "sk_test_verysecret"


def stripe(base_url: str, account: str | None = None) -> Connection:
    return Connection(
        connection_id="stripe-acme",
        kind=ConnectionKind.PAYMENTS,
        provider=Provider.STRIPE,
        owner=BROKER,
        base_url=HttpUrl(base_url),
        account=account,
    )


async def said(connection: Connection, transport: httpx.AsyncBaseTransport | None = None, key: str = KEY) -> str:
    """What the test of this connection says; nothing: it works."""
    settings = Settings(partner_timeout_seconds=0.2)
    clients = HttpClients(settings, transport)
    gateway = StripeGateway(Access(connection, SecretStr(key), clients))
    try:
        await gateway.test()
    except BackhaulError as error:
        return str(error)
    finally:
        await clients.aclose()
    return ""


def answers(status: int, body: object = None) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, json=body if body is not None else {}))


def fails(error: Exception, cause: Exception | None = None) -> httpx.MockTransport:
    def respond(_: httpx.Request) -> httpx.Response:
        raise error from cause

    return httpx.MockTransport(respond)


async def test_the_test_of_a_connection_that_works_says_nothing(running: RunningSandbox) -> None:
    assert await said(stripe(running.gateway_url), key="sk_test_sandbox") == ""


ANSWERS: dict[str, tuple[Callable[[], httpx.AsyncBaseTransport], str]] = {
    "a wrong key": (lambda: answers(401), "does not take the key"),
    "a wrong account": (lambda: answers(403, {"error": {"code": "account_invalid"}}), "account_invalid"),
    "a wrong path": (lambda: answers(404), "check base_url"),
    "a redirection": (lambda: answers(301), "check base_url"),
    "an outage": (lambda: answers(503), "try again later"),
    "another page": (lambda: answers(200, {"hello": 1}), "something else"),
    "no such host": (lambda: fails(httpx.ConnectError("x"), socket.gaierror(-2, "x")), "no such host"),
    "a certificate": (lambda: fails(httpx.ConnectError("x"), ssl.SSLCertVerificationError("x")), "certificate"),
    "no TLS": (lambda: fails(httpx.ConnectError("x"), ssl.SSLError("x")), "does not speak TLS"),
    "a time-out": (lambda: fails(httpx.ReadTimeout("x")), "did not answer in time"),
    "nobody there": (lambda: fails(httpx.ConnectError("x")), "nothing answers there"),
}


@pytest.mark.parametrize(("transport", "words"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_the_test_of_a_connection_says_what_is_wrong(
    transport: Callable[[], httpx.AsyncBaseTransport], words: str
) -> None:
    message = await said(stripe("https://api.stripe.example", "acct_1"), transport())
    assert words in message
    assert KEY not in message


async def test_the_test_of_a_connection_to_nobody_says_so_over_the_real_network() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert "nothing answers there" in await said(stripe(f"http://127.0.0.1:{port}"))


async def test_a_connection_in_plain_text_to_another_machine_is_refused() -> None:
    with pytest.raises(InvalidInput, match="plain text"):
        await said(stripe("http://api.stripe.example"))
