"""The door of the suppliers' page: who is kept out, what every answer carries, whose links count (NTF-2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from pydantic import HttpUrl, SecretStr
from temporalio.testing import WorkflowEnvironment

from models.failures import InvalidInput
from models.links import BadLink, return_of, rma_token
from models.settings import BUILT_IN_SECRET, Settings
from starter.front import page, serve
from starter.front.page import security_headers
from starter.ops.guarded_server import Limits
from starter.ops.ports import free_port

SETTINGS = Settings(front_secret=SecretStr("tests"))
WANTED_HEADERS = security_headers(SETTINGS)


async def test_NTF_2_every_answer_carries_the_headers_also_an_error(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    async with served(temporal) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser:
        answers = [
            await browser.get("/health"),
            await browser.get("/rma/x"),
            await browser.get("/nowhere"),
            await browser.put("/rma/x"),
        ]
        monkeypatch.setattr(page.RmaPage, "_look", broken)
        answers.append(await browser.get(f"/rma/{rma_token(SETTINGS, 'RR-1')}"))
        no_http = await said_to(port, b"this is no HTTP\r\n\r\n")
    assert [answer.status_code for answer in answers] == [200, 404, 404, 405, 500]
    assert all("<html lang=" in answers[position].text for position in (1, 2, 4))
    for answer in answers:
        assert {name: answer.headers.get(name) for name in WANTED_HEADERS} == WANTED_HEADERS
        assert "fault of ours" not in answer.text
    assert no_http.startswith(b"HTTP/1.1 400")
    for name, value in WANTED_HEADERS.items():
        assert f"{name}: {value}".encode().lower() in no_http.lower()


def test_NTF_2_a_page_behind_TLS_says_that_it_is() -> None:
    settings = Settings(front_url=HttpUrl("https://returns.example"), front_secret=SecretStr("s" * 32))
    assert security_headers(settings)["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("limits", [Limits(per_address=5), Limits(connections=5)], ids=["address", "all"])
async def test_NTF_2_connections_that_say_nothing_keep_nobody_out(
    temporal: WorkflowEnvironment, limits: Limits
) -> None:
    slow = b"POST /rma/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nrma"
    async with served(temporal, limits) as port, AsyncExitStack() as stack:
        idle = []
        for number in range(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            writer.write(b"GET /hea" if number % 2 else b"" if number % 3 else slow.partition(b"rma")[0])
            idle.append(reader)
        for reader in idle[:20]:
            assert await cut(reader)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser:
            assert (await browser.get("/health")).status_code == 200


async def test_NTF_2_a_request_that_is_being_answered_never_gives_way(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on, may_end = asyncio.Event(), asyncio.Event()

    async def slowly(*_: object) -> object:
        going_on.set()
        await may_end.wait()
        return page._Looked()

    monkeypatch.setattr(page.RmaPage, "_look", slowly)
    async with (
        served(temporal, Limits(per_address=1, request_seconds=0.2)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser,
    ):
        answer = asyncio.create_task(browser.get(f"/rma/{rma_token(SETTINGS, 'RR-1')}"))
        await going_on.wait()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await cut(reader)
        writer.close()
        await asyncio.sleep(0.5)
        may_end.set()
        assert (await answer).status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /health HTTP/1.1\r\nHost: x\r\n",
        b"POST /rma/{token} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nrma",
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /hea",
    ],
    ids=["nothing", "headers", "body", "second request"],
)
async def test_NTF_2_a_request_that_does_not_come_is_not_waited_for(
    temporal: WorkflowEnvironment, said: bytes
) -> None:
    async with served(temporal, Limits(request_seconds=0.2)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said.replace(b"{token}", rma_token(SETTINGS, "RR-1").encode()))
        assert await cut(reader)
        writer.close()


@pytest.mark.parametrize("secret", [BUILT_IN_SECRET, "short", f"{'s' * 32},short"])
async def test_NTF_2_a_page_that_others_reach_needs_a_secret_that_nobody_guesses(
    temporal: WorkflowEnvironment, secret: str
) -> None:
    settings = Settings(front_secret=SecretStr(secret))
    for host in ("0.0.0.0", "::", "192.0.2.1", "front.example"):
        with pytest.raises(InvalidInput, match=r"BACKHAUL_FRONT_SECRET.*at least 32 characters") as refused:
            await serve(temporal.client, settings, host, free_port())
        assert secret not in str(refused.value)


async def test_NTF_2_with_a_long_secret_others_may_reach_it(temporal: WorkflowEnvironment) -> None:
    settings = Settings(front_secret=SecretStr("s" * 32))
    port = free_port()
    serving = asyncio.create_task(serve(temporal.client, settings, "0.0.0.0", port))
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=10)) as browser:
        assert (await browser.get(f"http://127.0.0.1:{port}/health")).status_code == 200
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


def test_NTF_2_the_secret_is_changed_without_a_link_that_dies() -> None:
    before, between, after = (Settings(front_secret=SecretStr(secret)) for secret in ("old", "new, old", "new"))
    assert return_of(between, rma_token(before, "RR-1")) == "RR-1"
    assert return_of(after, rma_token(between, "RR-1")) == "RR-1"
    with pytest.raises(BadLink):
        return_of(after, rma_token(before, "RR-1"))


@asynccontextmanager
async def served(temporal: WorkflowEnvironment, limits: Limits | None = None) -> AsyncIterator[int]:
    """The port of a page that is served."""
    port = free_port()
    serving = asyncio.create_task(serve(temporal.client, SETTINGS, port=port, limits=limits))
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=10)) as browser:
        await browser.get(f"http://127.0.0.1:{port}/health")
    yield port
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def said_to(port: int, request: bytes) -> bytes:
    """The answer to these very bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return answer


async def cut(reader: asyncio.StreamReader) -> bool:
    """Whether the other side ends the connection, whatever it said before."""
    try:
        await asyncio.wait_for(reader.read(), 3)
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True
