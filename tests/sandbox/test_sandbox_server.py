"""The sandbox as a program: ports, pages, and a state that survives a restart."""

import socket
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from models.failures import BackhaulError, InvalidInput
from starter.sandbox import PortInUse, RunningSandbox, SandboxClient, running_sandbox
from starter.sandbox.facts import PaymentSeed


async def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    database = tmp_path / "kept" / "sandbox.db"
    form, headers = {"payment_intent": "pi_buyer"}, {"Idempotency-Key": "RF-1"}
    auth = ("sk_test_sandbox", "")
    async with running_sandbox(database=database) as first, SandboxClient(first.http_url) as sandbox:
        await sandbox.seed_payment(PaymentSeed(id="pi_buyer", amount=Decimal("50.00"), currency="USD"))
        await sandbox.advance_clock(3600)
        await sandbox.add_fault("shop", "error", times=None)
        before = (await sandbox.advance_clock(0)).now
        async with httpx.AsyncClient(base_url=first.gateway_url, auth=auth) as gateway:
            refund = (await gateway.post("/v1/refunds", data=form, headers=headers)).json()
    async with running_sandbox(database=database) as second, SandboxClient(second.http_url) as sandbox:
        async with httpx.AsyncClient(base_url=second.gateway_url, auth=auth) as gateway:
            again = await gateway.post("/v1/refunds", data=form, headers=headers)
        assert (again.json(), again.headers["Idempotent-Replayed"]) == (refund, "true")
        assert [one.id for one in (await sandbox.effects()).refunds] == [refund["id"]]
        assert (await sandbox.advance_clock(0)).now >= before
        assert [one.work_done for one in await sandbox.requests("gateway")] == [True, False]
        async with httpx.AsyncClient(base_url=second.shop_url) as shop:
            assert (await shop.get("/v1/anything")).status_code == 500


@pytest.mark.parametrize("which", ["http_port", "smtp_port"])
async def test_a_port_in_use_is_named(tmp_path: Path, which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {which: port}
        with pytest.raises(PortInUse, match=f"port {port} on 127.0.0.1") as refused:
            async with running_sandbox(database=tmp_path / "sandbox.db", **ports):
                pass
    error: BackhaulError = refused.value
    assert error.exit_code == 4


async def test_an_impossible_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="http_port"):
        async with running_sandbox("192.0.2.1", database=tmp_path / "sandbox.db"):
            pass


async def test_the_home_page_shows_partners_and_counts(running: RunningSandbox, sandbox: SandboxClient) -> None:
    await sandbox.seed_payment(PaymentSeed(id="pi_buyer", amount=Decimal("50.00"), currency="USD"))
    await sandbox.add_fault("mail", "refuse", "<script>", times=None)
    async with httpx.AsyncClient(base_url=running.http_url) as browser:
        await browser.post("/stripe/v1/refunds", data={"payment_intent": "pi_buyer"}, auth=("sk_test_x", ""))
        home = await browser.get("/")
    assert home.status_code == 200
    assert "1 payments, 0 captures" in home.text
    assert "50.00 USD" in home.text
    assert f"{running.http_url}/stripe" in home.text
    assert "<script>" not in home.text


async def test_a_reset_forgets_everything(sandbox: SandboxClient) -> None:
    await sandbox.seed_payment(PaymentSeed(id="pi_buyer", amount=Decimal("50.00"), currency="USD"))
    await sandbox.list_for_shipping("site", "1001")
    await sandbox.reset()
    assert (await sandbox.effects()).payment_intents == ()
    assert await sandbox.shipping_list() == []


async def test_a_file_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "other").write_text("this is no database, it is a letter to somebody" * 100)
    for database in (tmp_path / "file" / "sandbox.db", tmp_path, tmp_path / "other"):
        with pytest.raises(InvalidInput, match=f"{database} can't be used: .*; give another file"):
            async with running_sandbox(database=database):
                pass
