"""Partners fail when told to, in each of the ways that real ones do, and the record says what really happened."""

import asyncio
from decimal import Decimal

import httpx
import pytest

from starter.sandbox import SandboxClient
from starter.sandbox.client import SandboxError
from starter.sandbox.facts import FaultKind, PaymentSeed
from tests.eventually import eventually

FORM = {"payment_intent": "pi_buyer", "amount": "1000"}


@pytest.fixture
async def paid(sandbox: SandboxClient) -> SandboxClient:
    await sandbox.seed_payment(PaymentSeed(id="pi_buyer", amount=Decimal("50.00"), currency="USD"))
    return sandbox


async def test_REF_6_a_cut_before_the_work_does_nothing(gateway: httpx.AsyncClient, paid: SandboxClient) -> None:
    await paid.add_fault("gateway", "drop_before", "POST /v1/refunds")
    with pytest.raises(httpx.TransportError):
        await gateway.post("/v1/refunds", data=FORM)
    assert (await paid.effects()).refunds == ()
    (asked,) = await paid.requests("gateway")
    assert (asked.status, asked.work_done, asked.fault) == (None, False, FaultKind.DROP_BEFORE)
    assert asked.body == FORM


async def test_REF_6_a_cut_after_the_work_leaves_it_done(gateway: httpx.AsyncClient, paid: SandboxClient) -> None:
    key = {"Idempotency-Key": "RF-1"}
    await paid.add_fault("gateway", "drop_after", "POST /v1/refunds")
    with pytest.raises(httpx.TransportError):
        await gateway.post("/v1/refunds", data=FORM, headers=key)
    (done,) = (await paid.effects()).refunds
    (asked,) = await paid.requests("gateway")
    assert (asked.status, asked.work_done, asked.fault) == (None, True, FaultKind.DROP_AFTER)
    again = await gateway.post("/v1/refunds", data=FORM, headers=key)
    assert (again.json()["id"], again.headers["Idempotent-Replayed"]) == (done.id, "true")


async def test_a_fault_hits_what_it_names_as_often_as_it_says(
    gateway: httpx.AsyncClient, paid: SandboxClient
) -> None:
    await paid.add_fault("gateway", "error", "^POST /v1/refunds$", times=2)
    assert (await gateway.get("/v1/refunds")).status_code == 200
    statuses = [(await gateway.post("/v1/refunds", data=FORM)).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]


async def test_a_fault_without_an_end_lasts_until_cleared(
    supplier: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    fault = await sandbox.add_fault("supplier", "rate_limit", times=None, retry_after=3)
    assert fault.left is None
    for _ in range(2):
        limited = await supplier.get("/v1/stock?sku=A")
        assert (limited.status_code, limited.headers["Retry-After"]) == (429, "3")
    await sandbox.clear_faults()
    assert (await supplier.get("/v1/stock?sku=A")).status_code == 200


async def test_a_partner_can_be_told_to_refuse(
    gateway: httpx.AsyncClient, supplier: httpx.AsyncClient, paid: SandboxClient
) -> None:
    await paid.add_fault("gateway", "refuse", status=400, code="charge_disputed")
    refused = await gateway.post("/v1/refunds", data=FORM)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "charge_disputed")
    await paid.add_fault("supplier", "refuse", code="out_of_stock")
    answer = await supplier.put("/v1/orders/1", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "out_of_stock")


async def test_a_slow_partner_does_the_work_although_nobody_waits(
    gateway: httpx.AsyncClient, paid: SandboxClient
) -> None:
    await paid.add_fault("gateway", "delay", seconds=0.2)
    with pytest.raises(httpx.ReadTimeout):
        await gateway.post("/v1/refunds", data=FORM, timeout=0.05)
    await paid.add_fault("gateway", "delay", "GET", seconds=0.3)
    listed = (await gateway.get("/v1/refunds", params={"payment_intent": "pi_buyer"})).json()
    assert [one["amount"] for one in listed["data"]] == [1000]


async def test_a_slow_partner_goes_on_when_its_fault_is_taken_back(
    gateway: httpx.AsyncClient, paid: SandboxClient
) -> None:
    fault = await paid.add_fault("gateway", "delay", seconds=600)
    asked = asyncio.create_task(gateway.post("/v1/refunds", data=FORM, timeout=10))
    await eventually(paid.faults, lambda faults: not faults, "the request has met it")
    assert (await paid.effects()).refunds == ()
    await paid.take_back_fault(fault.id)
    assert (await asked).status_code == 200
    assert len((await paid.effects()).refunds) == 1


async def test_a_fault_that_is_taken_back_is_met_no_more(gateway: httpx.AsyncClient, paid: SandboxClient) -> None:
    fault = await paid.add_fault("gateway", "error")
    await paid.take_back_fault(fault.id)
    assert (await gateway.post("/v1/refunds", data=FORM)).status_code == 200


async def test_the_shop_can_be_cut_off(shop: httpx.AsyncClient, sandbox: SandboxClient) -> None:
    await sandbox.add_fault("shop", "drop_after")
    stop = {"channel": "web_shop", "state": "stopped", "reason": "cancelled"}
    with pytest.raises(httpx.TransportError):
        await shop.put("/v1/sellers/site/orders/1001/shipping-list", json=stop)
    assert len((await sandbox.effects()).stops) == 1


async def test_a_malformed_fault_is_refused(sandbox: SandboxClient, shop: httpx.AsyncClient) -> None:
    url = f"{str(shop.base_url).removesuffix('shop/')}sandbox/faults"
    for wrong in ({"partner": "bank", "kind": "error"}, {"partner": "shop", "kind": "error", "match": "("}):
        assert (await shop.post(url, json=wrong)).status_code == 422
    assert (await shop.post(url, content=b"{")).status_code == 422
    with pytest.raises(SandboxError, match="no refund has the id"):
        await sandbox.settle_refund("re_1", "failed")
