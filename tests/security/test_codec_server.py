"""The codec server: the UI and the real `temporal` command read encrypted cases through it."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from pydantic import HttpUrl, SecretStr
from temporalio.api.common.v1 import Payload, Payloads

from models.encryption import EncryptionCodec, read_keys
from models.failures import InvalidInput
from models.settings import Settings
from starter.ops.codec_server import LONGEST_BODY, create_app, serve
from starter.ops.dev_server import find_server, read_config, server_command
from starter.ops.ports import free_port
from starter.ops.stack import StackPlan
from tests.eventually import eventually
from tests.security.at_rest import KEY_1, KEY_2, SealedWorld, with_keys
from tests.security.buyer import BUYER, NAME, REASON

UI = "http://127.0.0.1:8233"
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'{"name": "Robin"}')
TOKEN = SecretStr("open-sesame")
KEYED = with_keys(Settings(), KEY_1)


def asking(settings: Settings, host: str = "127.0.0.1:8253") -> httpx.AsyncClient:
    """A client of the server, without a network between them."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_app(settings)), base_url=f"http://{host}")


async def sealed_json(key: str) -> dict[str, object]:
    sealed = await EncryptionCodec(read_keys(key)).encode([PLAIN])
    converted: dict[str, object] = MessageToDict(Payloads(payloads=sealed))
    return converted


async def test_it_decodes_what_it_encodes() -> None:
    plain = MessageToDict(Payloads(payloads=[PLAIN]))
    async with asking(KEYED) as codec:
        encoded = await codec.post("/encode", json=plain)
        assert encoded.status_code == 200
        assert encoded.json() != plain
        decoded = await codec.post("/decode", json=encoded.json())
    assert decoded.json() == plain
    assert decoded.headers["cache-control"] == "no-store"


async def test_pages_of_the_ui_may_read_the_answers_and_no_others() -> None:
    wish = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
    async with asking(KEYED) as codec:
        ours = await codec.options("/decode", headers={"Origin": UI} | wish)
        theirs = await codec.options("/decode", headers={"Origin": "https://evil.example"} | wish)
    assert ours.status_code == 200
    assert ours.headers["access-control-allow-origin"] == UI
    assert "access-control-allow-origin" not in theirs.headers


async def test_with_a_token_only_who_has_it_is_answered() -> None:
    sealed = await sealed_json(KEY_1)
    async with asking(KEYED.model_copy(update={"codec_token": TOKEN}), host="codec.example") as codec:
        for given in ({}, {"Authorization": "Bearer guess"}, {"Authorization": TOKEN.get_secret_value()}):
            refused = await codec.post("/decode", json=sealed, headers=given)
            assert refused.status_code == 401
            assert "Robin" not in refused.text
        answered = await codec.post("/decode", json=sealed, headers={"Authorization": "Bearer open-sesame"})
    assert answered.status_code == 200


async def test_without_a_token_no_foreign_name_of_this_machine_is_answered() -> None:
    async with asking(KEYED, host="rebound.evil.example") as codec:
        assert (await codec.post("/decode", json=await sealed_json(KEY_1))).status_code == 400


async def test_a_key_that_is_not_there_is_named() -> None:
    async with asking(KEYED) as codec:
        answer = await codec.post("/decode", json=await sealed_json(KEY_2))
    assert answer.status_code == 422
    assert "'k2'" in answer.text


DEEP = b'{"payloads": ' + b"[" * 100_000
HUGE_NUMBER = b'{"payloads": ' + b"9" * 10_000 + b"}"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"payloads": 7}', b"\xff\xfe", b"[1]", DEEP, HUGE_NUMBER],
    ids=["empty", "cut off", "a number", "no UTF-8", "a list", "deep", "a huge number"],
)
async def test_what_is_not_payloads_is_refused_without_quoting_it(body: bytes) -> None:
    async with asking(KEYED) as codec:
        answer = await codec.post("/decode", content=body)
    assert answer.status_code == 400
    assert answer.text == 'this is not {"payloads": [...]} in JSON'


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8233.evil.example"])
async def test_a_foreign_page_is_never_told_that_it_may_read_an_answer(origin: str) -> None:
    async with asking(KEYED) as codec:
        answer = await codec.post("/decode", json=await sealed_json(KEY_1), headers={"Origin": origin})
        ours = await codec.post("/decode", json=await sealed_json(KEY_1), headers={"Origin": UI})
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-credentials" not in answer.headers
    assert ours.headers["access-control-allow-origin"] == UI


@pytest.mark.parametrize("way", ["/encode", "/decode"])
async def test_nothing_is_read_of_who_has_no_token(way: str) -> None:
    async with asking(KEYED.model_copy(update={"codec_token": TOKEN})) as codec:
        refused = await codec.post(way, content=b"{", headers={b"Authorization": "Bearer ope\u0144".encode()})
        assert (refused.status_code, refused.text) == (401, "wrong or no token")
        assert (await codec.get(way)).status_code == 405


async def test_too_much_is_refused() -> None:
    async with asking(KEYED) as codec:
        assert (await codec.post("/decode", content=b" " * (LONGEST_BODY + 1))).status_code == 413


async def test_it_serves_neither_without_keys_nor_to_other_machines_without_a_token() -> None:
    with pytest.raises(InvalidInput, match="BACKHAUL_PAYLOAD_KEYS: is not set"):
        await serve(Settings(payload_keys=None))
    with pytest.raises(InvalidInput, match=r"BACKHAUL_CODEC_TOKEN: is not set, and 0\.0\.0\.0"):
        await serve(KEYED, host="0.0.0.0", port=free_port())


async def test_an_empty_token_is_no_token() -> None:
    empty = Settings.model_validate(KEYED.model_dump() | {"codec_token": SecretStr("")})
    with pytest.raises(InvalidInput, match="BACKHAUL_CODEC_TOKEN: is not set"):
        await serve(empty, host="0.0.0.0", port=free_port())


async def test_unless_told_otherwise_it_listens_on_this_machine_only() -> None:
    async with serving(KEYED) as endpoint:
        port = int(endpoint.rpartition(":")[2])
        assert listening_at(port) == {"127.0.0.1"}


def listening_at(port: int) -> set[str]:
    """At which addresses of this machine somebody listens; Linux tells."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        address, _, number = local.partition(":")
        if (int(number, 16), state) == (port, "0A"):
            found.add(socket.inet_ntoa(bytes.fromhex(address)[::-1]))
    return found


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    port = free_port()
    task = asyncio.create_task(serve(settings, port=port))

    async def is_up() -> bool:
        assert not task.done(), "the codec server ended"
        async with httpx.AsyncClient() as http:
            with contextlib.suppress(httpx.ConnectError):
                return (await http.get(f"http://127.0.0.1:{port}/health")).status_code == 200
        return False

    try:
        await eventually(is_up, bool, "the codec server is up")
        yield f"http://127.0.0.1:{port}"
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def temporal(sealed: SealedWorld, *arguments: str) -> str:
    """What the real `temporal` command prints; it must succeed."""
    address = sealed.env.client.service_client.config.target_host
    process = await asyncio.create_subprocess_exec(
        find_server(),
        "workflow",
        *arguments,
        "--address",
        address,
        "--namespace",
        sealed.env.client.namespace,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    assert process.returncode == 0, error.decode()
    return out.decode()


async def test_the_temporal_command_reads_and_writes_through_it(sealed: SealedWorld) -> None:
    async with sealed.worker_with(KEY_1), serving(with_keys(sealed.settings, KEY_1)) as endpoint:
        order = await sealed.simple_order(buyer=BUYER)
        await order.reaches("cancel_window")
        through = ("-w", order.handle.id, "--codec-endpoint", endpoint)
        assert NAME not in await temporal(sealed, "show", "-w", order.handle.id, "--detailed")
        assert NAME in await temporal(sealed, "show", *through, "--detailed")
        event = json.dumps(order.event(reason=REASON))
        await temporal(sealed, "signal", "--name", "cancel_request", "-i", event, *through)
        await order.ends("cancelled")
    assert REASON.encode() not in await sealed.at_rest(order.handle.id)


def test_the_local_stack_tells_its_ui_where_the_codec_server_is_when_payloads_are_encrypted() -> None:
    plain = StackPlan(server=read_config(), settings=Settings(payload_keys=None))
    assert "--ui-codec-endpoint" not in server_command(plain.served)
    assert all(use.purpose != "the codec server" for use in plain.port_uses())
    keyed = StackPlan(server=read_config(), settings=KEYED, codec_port=9321)
    command = server_command(keyed.served)
    assert command[command.index("--ui-codec-endpoint") + 1] == "http://127.0.0.1:9321"
    elsewhere = read_config().model_copy(update={"ui_codec_endpoint": HttpUrl("https://codec.example/x")})
    command = server_command(StackPlan(server=elsewhere, settings=KEYED).served)
    assert command[command.index("--ui-codec-endpoint") + 1] == "https://codec.example/x"
