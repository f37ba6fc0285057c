"""The demo on the real local stack, with encryption off and on: what it leaves in every store that it has.

The buyers are not looked for in the books and in the sandbox's own state: the books keep them by design, under
their own access rights, and the sandbox plays the world outside (shop, suppliers, gateway, and the mails that
people got). Secrets are looked for there too.
"""

import asyncio
import base64
import re
import signal
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client
from typer.testing import CliRunner

from models.encryption import new_key
from starter.cli.assembly import app
from starter.demo import sample_data as scene
from starter.demo.play import STORIES
from starter.ops.ports import free_port
from tests.demo.folder import DemoFolder
from tests.security.buyer import said

BUYERS = [one for one in vars(scene).values() if isinstance(one, scene.Person)]
WORDS = tuple(
    word
    for buyer in BUYERS
    for word in (buyer.email, buyer.email.split("@")[0], buyer.address.name, buyer.address.line1)
)
SECRETS = {
    "BACKHAUL_SMTP_PASSWORD": "verysecretsmtp",
    "BACKHAUL_FRONT_SECRET": "verysecretfront",
    "BACKHAUL_CODEC_TOKEN": "verysecretcodec",
}
SMTP_USER = "mailer"
KEEPS_BUYERS = re.compile(r"(books|sandbox)\.db(-wal|-shm)?\b")


class Left(NamedTuple):
    """What one run of the demo left, by store, and its secrets."""

    encrypted: bool
    stores: dict[str, bytes]
    secrets: tuple[str, ...]

    def find(self, words: tuple[str, ...]) -> dict[str, list[str]]:
        """Which of these words stand where."""
        found = {store: said(content, words) for store, content in self.stores.items()}
        return {store: words for store, words in found.items() if words}


async def listed(address: str) -> bytes:
    """The server's list of the cases: ids, types, search attributes, memo."""
    client = await Client.connect(address)
    request = ListWorkflowExecutionsRequest(namespace="default", page_size=1000)
    answer = await client.workflow_service.list_workflow_executions(request)
    assert len(answer.executions) >= 26
    return answer.SerializeToString()


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()
    }


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "encrypted"])
def left(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """The demo played once, looked into while it is up and after it has ended."""
    demo = DemoFolder(tmp_path_factory.mktemp("demo"))
    key = new_key("demo")
    metrics = f"127.0.0.1:{free_port()}"
    environment = SECRETS | {
        "BACKHAUL_SMTP_USER": SMTP_USER,
        "BACKHAUL_METRICS_ADDRESS": metrics,
        "BACKHAUL_LOG_LEVEL": "DEBUG",
    }
    if request.param:
        environment["BACKHAUL_PAYLOAD_KEYS"] = key
    process = demo.start(**environment)
    try:
        output = demo.read_until(process, "The stack stays up.")
        stores = {
            "the list of cases": asyncio.run(listed(f"127.0.0.1:{demo.server_ports[0]}")),
            "metrics": httpx.get(f"http://{metrics}/metrics").content,
        }
        stores |= {f"{name}, while it is up": content for name, content in files(demo.folder).items()}
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert f"All {len(STORIES)} stories ended as expected." in output
    stores |= files(demo.folder) | {"what the command said": (output + rest).encode()}
    login = base64.b64encode(f"\0{SMTP_USER}\0{SECRETS['BACKHAUL_SMTP_PASSWORD']}".encode()).decode()
    return Left(request.param, stores, (*SECRETS.values(), login, key.partition(":")[2]))


def test_every_store_is_looked_into(left: Left) -> None:
    searched = {name: len(content) for name, content in left.stores.items()}
    for store in (".backhaul/temporal.db", ".backhaul/temporal.db-wal, while it is up", "metrics"):
        assert searched[store], store
    assert {f".backhaul/logs/{part}.log" for part in ("temporal", "worker-1", "front", "sandbox")} <= set(searched)
    assert b"temporal_workflow_completed" in left.stores["metrics"]
    assert b"order-1001" in left.stores["the list of cases"]
    assert {".backhaul/books.db", ".backhaul/sandbox.db"} <= set(searched)


def test_the_demos_buyers_stand_only_in_payloads_and_with_encryption_nowhere(left: Left) -> None:
    found = {store: words for store, words in left.find(WORDS).items() if not KEEPS_BUYERS.search(store)}
    if left.encrypted:
        assert found == {}
    else:
        # Not blind: they do stand in the server's database, which holds the payloads, and nowhere else.
        assert set(found) <= {name for name in left.stores if "temporal.db" in name}
        assert {word for words in found.values() for word in words} == set(WORDS)


def test_the_demos_mails_were_sent_by_who_had_logged_in(left: Left) -> None:
    assert f'"login":"{SMTP_USER}"'.encode() in left.stores[".backhaul/sandbox.db"].replace(b": ", b":")


def test_the_demos_secrets_stand_nowhere(left: Left) -> None:
    assert left.find(left.secrets) == {}


def test_no_help_shows_a_secret_of_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    shown = CliRunner().invoke(app, ["demo", "--help"]).output
    assert "--no-wait" in shown
    assert said(shown, tuple(SECRETS.values())) == []
