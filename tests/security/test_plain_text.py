"""Nothing secret leaves this machine in plain text, and no file of ours is open to others."""

import os
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from activities.connectors.access import Access
from activities.connectors.clients import HttpClients
from activities.connectors.http import Partner
from activities.database.engines import upgrade
from models.environment import settings_from_environment
from models.failures import InvalidInput
from models.network import is_loopback
from models.settings import BUILT_IN_SECRET, Settings
from starter.ops.local_connections import sandbox_connections
from starter.ops.processes import Child
from starter.sandbox.store import Store

LONG = "s" * 32
REFUSED = {
    "links": (
        "BACKHAUL_FRONT_URL",
        {"BACKHAUL_FRONT_URL": "http://returns.example", "BACKHAUL_FRONT_SECRET": LONG},
        "ALLOW_PLAIN_HTTP",
    ),
    "mail login": (
        "BACKHAUL_SMTP_USER",
        {"BACKHAUL_SMTP_USER": "mailer", "BACKHAUL_SMTP_HOST": "mail.example"},
        "ALLOW_PLAIN_LOGIN",
    ),
}
ALLOWED = [
    {"BACKHAUL_SMTP_USER": "mailer", "BACKHAUL_SMTP_HOST": "mail.example", "BACKHAUL_SMTP_TLS": "true"},
    {"BACKHAUL_SMTP_HOST": "mail.example"},
    {"BACKHAUL_FRONT_URL": "https://returns.example", "BACKHAUL_FRONT_SECRET": f"{LONG},{LONG}2"},
]


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("BACKHAUL_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(("setting", "environment", "allows"), REFUSED.values(), ids=REFUSED)
def test_what_leaves_this_machine_in_plain_text_is_refused_unless_a_setting_says_so(
    monkeypatch: pytest.MonkeyPatch, setting: str, environment: dict[str, str], allows: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput, match=f"{setting}: .*BACKHAUL_{allows}=true"):
        settings_from_environment()
    monkeypatch.setenv(f"BACKHAUL_{allows}", "true")
    settings_from_environment()


@pytest.mark.parametrize("environment", ALLOWED, ids=lambda environment: " ".join(environment))
def test_what_stays_here_or_is_encrypted_is_taken(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings_from_environment()


def test_a_partner_whose_address_comes_from_elsewhere_is_held_to_the_same() -> None:
    def call(address: str, settings: Settings) -> None:
        (*_, shop) = sandbox_connections(address, "env:KEY")
        Partner("shop", Access(shop, SecretStr("k"), HttpClients(settings)), {})

    with pytest.raises(InvalidInput, match=r"sandbox-shop: base_url: .*BACKHAUL_ALLOW_PLAIN_HTTP=true"):
        call("http://shop.example", Settings())
    for address in ("https://shop.example", "http://127.0.0.1:1"):
        call(address, Settings())
    call("http://shop.example", Settings(allow_plain_http=True))


@pytest.mark.parametrize("secret", [None, BUILT_IN_SECRET, "s" * 31, f"{LONG},short"])
def test_NTF_2_links_that_others_reach_need_a_secret_that_nobody_guesses(
    monkeypatch: pytest.MonkeyPatch, secret: str | None
) -> None:
    monkeypatch.setenv("BACKHAUL_FRONT_URL", "https://returns.example")
    if secret is not None:
        monkeypatch.setenv("BACKHAUL_FRONT_SECRET", secret)
    with pytest.raises(InvalidInput, match=r"BACKHAUL_FRONT_SECRET: .*at least 32 characters") as refused:
        settings_from_environment()
    assert secret is None or secret not in str(refused.value)


def test_NTF_2_an_empty_secret_among_several_is_a_slip() -> None:
    for secret in ("", ",", f"{LONG},", f",{LONG}"):
        with pytest.raises(ValueError, match="none of them is empty"):
            Settings(front_secret=SecretStr(secret))


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("", False),
        (None, False),
    ],
)
def test_which_addresses_are_this_machine(host: str | None, here: bool) -> None:
    assert is_loopback(host) is here


# ---- files ----


@pytest.fixture(params=[0o022, 0o000])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever the user's own is."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """How open each file and folder is."""
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.stat().st_mode)) for path in sorted(folder.rglob("*"))
    }


@pytest.mark.usefixtures("umask")
def test_the_database_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "deep" / "books.db"
    upgrade(f"sqlite:///{file}")
    reader = sqlite3.connect(file)
    reader.execute("PRAGMA user_version").fetchone()
    found = modes(tmp_path)
    reader.close()
    assert found.pop("new") == found.pop("new/deep") == "0o700"
    assert found["new/deep/books.db"] == "0o600"
    assert set(found.values()) == {"0o600"}


@pytest.mark.usefixtures("umask")
def test_the_sandbox_is_its_owners_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "sandbox.db")
    found = modes(tmp_path)
    store.close()
    assert found.pop("new") == "0o700"
    assert set(found.values()) == {"0o600"}


@pytest.mark.usefixtures("umask")
async def test_what_a_part_of_the_stack_creates_is_its_owners_alone(tmp_path: Path) -> None:
    program = f"open({str(tmp_path / 'data' / 'temporal.db')!r}, 'w')"
    (tmp_path / "data").mkdir(mode=0o700)
    child = await Child.start(
        "part", [sys.executable, "-c", program], dict(os.environ), tmp_path / "l" / "part.log"
    )
    assert await child.wait() == 0
    assert modes(tmp_path) == {
        "data": "0o700",
        "data/temporal.db": "0o600",
        "l": "0o700",
        "l/part.log": "0o600",
    }


def test_a_file_that_is_there_keeps_the_mode_that_its_owner_gave_it(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    file.touch()
    file.chmod(0o640)
    Store(file).close()
    assert oct(stat.S_IMODE(file.stat().st_mode)) == "0o640"
