"""The gateway plays Stripe: charges of the seller, refunds of the buyer."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from starter.sandbox import SandboxClient
from starter.sandbox.client import SandboxError
from starter.sandbox.facts import PaymentSeed

WEEK = 7 * 86_400


async def authorize(gateway: httpx.AsyncClient, **more: Any) -> httpx.Response:
    form = {
        "amount": "10050",
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "customer": "cus_seller",
        "capture_method": "manual",
        "confirm": "true",
        "metadata[charge_id]": "CH-1001-1",
    }
    return await gateway.post("/v1/payment_intents", data=form | more)


async def pay(sandbox: SandboxClient, amount: str = "50.00", currency: str = "USD", **more: Any) -> None:
    await sandbox.seed_payment(PaymentSeed(id="pi_buyer", amount=Decimal(amount), currency=currency, **more))


async def refund(
    gateway: httpx.AsyncClient, amount: int | None = None, refund_id: str = "RF-1", **more: str
) -> httpx.Response:
    form = {"payment_intent": "pi_buyer", "metadata[refund_id]": refund_id} | more
    if amount is not None:
        form["amount"] = str(amount)
    return await gateway.post("/v1/refunds", data=form)


async def test_ORD_3_a_charge_is_reserved_then_taken_in_part(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    reserved = (await authorize(gateway)).json()
    assert (reserved["status"], reserved["amount_capturable"]) == ("requires_capture", 10050)
    assert reserved["metadata"] == {"charge_id": "CH-1001-1"}

    url = f"/v1/payment_intents/{reserved['id']}"
    too_much = await gateway.post(f"{url}/capture", data={"amount_to_capture": "10051"})
    assert (too_much.status_code, too_much.json()["error"]["code"]) == (400, "amount_too_large")
    taken = (await gateway.post(f"{url}/capture", data={"amount_to_capture": "7000"})).json()
    assert (taken["status"], taken["amount_received"], taken["amount_capturable"]) == ("succeeded", 7000, 0)
    again = await gateway.post(f"{url}/capture")
    assert (again.status_code, again.json()["error"]["code"]) == (400, "payment_intent_unexpected_state")
    assert again.json()["error"]["payment_intent"]["status"] == "succeeded"

    (capture,) = (await sandbox.effects()).captures
    assert (capture.amount, capture.currency) == (Decimal("70.00"), "USD")
    charge = (await gateway.get(f"/v1/charges/{taken['latest_charge']}")).json()
    assert (charge["amount_captured"], charge["captured"], charge["payment_intent"]) == (7000, True, taken["id"])


@pytest.mark.parametrize(
    ("token", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ],
)
async def test_ORD_3_a_declined_charge_waits_for_another_payment_method(
    gateway: httpx.AsyncClient, sandbox: SandboxClient, token: str, code: str, decline_code: str
) -> None:
    declined = await authorize(gateway, payment_method=token)
    error = declined.json()["error"]
    assert (declined.status_code, error["type"]) == (402, "card_error")
    assert (error["code"], error["decline_code"]) == (code, decline_code)
    intent = error["payment_intent"]
    assert (intent["status"], intent["amount_received"]) == ("requires_payment_method", 0)

    url = f"/v1/payment_intents/{intent['id']}/confirm"
    confirmed = (await gateway.post(url, data={"payment_method": "pm_paypal"})).json()
    assert (confirmed["status"], confirmed["payment_method_types"]) == ("requires_capture", ["paypal"])


async def test_CAN_1_a_reserved_charge_is_given_free_once(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    url = f"/v1/payment_intents/{(await authorize(gateway)).json()['id']}/cancel"
    cancelled = (await gateway.post(url, data={"cancellation_reason": "requested_by_customer"})).json()
    assert (cancelled["status"], cancelled["amount_capturable"]) == ("canceled", 0)
    again = await gateway.post(url)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "payment_intent_unexpected_state")
    assert (await sandbox.effects()).captures == ()


async def test_ORD_3_an_authorization_expires_after_seven_days(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    intent = (await authorize(gateway)).json()
    await sandbox.advance_clock(WEEK)
    late = await gateway.post(f"/v1/payment_intents/{intent['id']}/capture")
    assert (late.status_code, late.json()["error"]["code"]) == (400, "charge_expired_for_capture")
    seen = (await gateway.get(f"/v1/payment_intents/{intent['id']}")).json()
    assert (seen["status"], seen["cancellation_reason"]) == ("canceled", "automatic")


async def test_REF_3_refunds_are_possible_until_the_payment_is_used_up(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox)
    await pay(sandbox)
    first = (await refund(gateway, 2000, refund_id="RF-1001-B1")).json()
    assert (first["status"], first["amount"], first["currency"]) == ("succeeded", 2000, "usd")
    too_much = await refund(gateway, 3001)
    assert (too_much.status_code, too_much.json()["error"]["code"]) == (400, "amount_too_large")
    assert "($30.01) is greater than unrefunded amount on charge ($30.00)" in too_much.json()["error"]["message"]
    rest = (await refund(gateway, reason="requested_by_customer")).json()
    assert rest["amount"] == 3000
    none_left = await refund(gateway, 1)
    assert (none_left.status_code, none_left.json()["error"]["code"]) == (400, "charge_already_refunded")

    listed = (await gateway.get("/v1/refunds", params={"payment_intent": "pi_buyer", "limit": 1})).json()
    assert ([one["id"] for one in listed["data"]], listed["has_more"]) == ([rest["id"]], True)
    query = {"payment_intent": "pi_buyer", "starting_after": rest["id"]}
    next_page = (await gateway.get("/v1/refunds", params=query)).json()
    assert [one["metadata"] for one in next_page["data"]] == [{"refund_id": "RF-1001-B1"}]
    assert sum(one.amount for one in (await sandbox.effects()).refunds) == Decimal("50.00")
    (charge,) = (await gateway.get("/v1/charges", params={"payment_intent": "pi_buyer"})).json()["data"]
    assert (charge["refunded"], charge["amount_refunded"]) == (True, 5000)


async def test_REF_6_two_different_refunds_of_the_same_amount_both_happen(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox)
    for refund_id in ("RF-1", "RF-2"):
        await gateway.post(
            "/v1/refunds",
            data={"payment_intent": "pi_buyer", "amount": "1000"},
            headers={"Idempotency-Key": refund_id},
        )
    assert [one.amount for one in (await sandbox.effects()).refunds] == [Decimal("10.00"), Decimal("10.00")]


async def test_REF_7_a_pending_refund_that_fails_gives_the_amount_back(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox, payment_method="pm_card_pendingRefund")
    pending = (await refund(gateway, refund_id="RF-1001-B1")).json()
    assert (pending["status"], "failure_reason" in pending) == ("pending", False)
    assert (await refund(gateway, 1)).json()["error"]["code"] == "charge_already_refunded"

    await sandbox.settle_refund("RF-1001-B1", "failed", failure_reason="expired_or_canceled_card")
    failed = (await gateway.get(f"/v1/refunds/{pending['id']}")).json()
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert (await refund(gateway, 5000)).status_code == 200
    with pytest.raises(SandboxError, match="has ended as failed"):
        await sandbox.settle_refund(pending["id"], "succeeded")
    with pytest.raises(SandboxError, match="404"):
        await sandbox.settle_refund("RF-unknown", "succeeded")


async def test_REF_7_a_pending_refund_succeeds_when_told(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox, payment_method="pm_card_pendingRefund")
    pending = (await refund(gateway)).json()
    await sandbox.advance_clock(30 * 86_400)
    assert (await gateway.get(f"/v1/refunds/{pending['id']}")).json()["status"] == "pending"
    await sandbox.settle_refund(pending["id"], "succeeded")
    assert (await gateway.get(f"/v1/refunds/{pending['id']}")).json()["status"] == "succeeded"


async def test_REF_7_a_refund_to_the_failing_card_fails_by_itself_days_later(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox, payment_method="pm_card_refundFail")
    assert (await refund(gateway)).json()["status"] == "pending"
    await sandbox.advance_clock(3 * 86_400)
    (failed,) = (await gateway.get("/v1/refunds", params={"payment_intent": "pi_buyer"})).json()["data"]
    assert (failed["status"], failed["failure_reason"]) == ("failed", "unknown")


async def test_REF_3_a_cancelled_pending_refund_gives_the_amount_back(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox, payment_method="pm_card_pendingRefund")
    pending = (await refund(gateway)).json()
    assert (await gateway.post(f"/v1/refunds/{pending['id']}/cancel")).json()["status"] == "canceled"
    assert (await refund(gateway)).status_code == 200


@pytest.mark.parametrize(
    ("currency", "paid", "units"),
    [("JPY", "1099", 1099), ("KWD", "12.340", 12340), ("USD", "10.99", 1099), ("ISK", "500", 50000)],
)
async def test_REF_3_amounts_are_in_the_gateways_minor_units(
    gateway: httpx.AsyncClient, sandbox: SandboxClient, currency: str, paid: str, units: int
) -> None:
    await pay(sandbox, paid, currency)
    back = (await refund(gateway)).json()
    assert (back["amount"], back["currency"]) == (units, currency.lower())
    (fact,) = (await sandbox.effects()).refunds
    assert (fact.amount, fact.currency) == (Decimal(paid), currency)


async def test_three_decimal_amounts_must_end_in_zero_as_at_stripe(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox, "12.340", "KWD")
    refused = await refund(gateway, 1234)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "parameter_invalid_integer")
    with pytest.raises(SandboxError, match="finer than Stripe allows"):
        await sandbox.seed_payment(PaymentSeed(id="pi_fine", amount=Decimal("1.234"), currency="KWD"))


async def test_payments_belong_to_an_account(gateway: httpx.AsyncClient, sandbox: SandboxClient) -> None:
    await pay(sandbox, account="acct_seller")
    elsewhere = await refund(gateway)
    assert (elsewhere.status_code, elsewhere.json()["error"]["code"]) == (404, "resource_missing")
    form, headers = {"payment_intent": "pi_buyer"}, {"Stripe-Account": "acct_seller"}
    assert (await gateway.post("/v1/refunds", data=form, headers=headers)).status_code == 200
    (fact,) = (await sandbox.effects()).refunds
    assert fact.account == "acct_seller"


async def test_a_payment_can_be_refunded_by_its_charge(gateway: httpx.AsyncClient, sandbox: SandboxClient) -> None:
    await sandbox.seed_payment(PaymentSeed(id="ch_buyer", amount=Decimal("5.00"), currency="USD"))
    back = (await gateway.post("/v1/refunds", data={"charge": "ch_buyer"})).json()
    assert (back["charge"], back["payment_intent"], back["amount"]) == ("ch_buyer", "pi_buyer", 500)
    listed = (await gateway.get("/v1/refunds", params={"charge": "ch_buyer"})).json()
    assert [one["id"] for one in listed["data"]] == [back["id"]]


async def test_charges_of_a_customer_are_found_by_looking(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    first = (await authorize(gateway)).json()
    await authorize(gateway, customer="cus_other")
    await sandbox.advance_clock(3600)
    second = (await authorize(gateway)).json()
    query: dict[str, str | int] = {"customer": "cus_seller", "limit": 10}
    listed = (await gateway.get("/v1/payment_intents", params=query)).json()
    assert [one["id"] for one in listed["data"]] == [second["id"], first["id"]]
    recent = (await gateway.get("/v1/payment_intents", params=query | {"created[gte]": second["created"]})).json()
    assert [one["id"] for one in recent["data"]] == [second["id"]]
    later = (await gateway.get("/v1/payment_intents", params=query | {"starting_after": second["id"]})).json()
    assert [one["id"] for one in later["data"]] == [first["id"]]


@pytest.mark.parametrize(
    ("form", "status", "code", "param"),
    [
        ({"amount": ""}, 400, "parameter_missing", "amount"),
        ({"amount": "10.50"}, 400, "parameter_invalid_integer", "amount"),
        ({"amount": "0"}, 400, "parameter_invalid_integer", "amount"),
        ({"currency": "USD"}, 400, None, "currency"),
        ({"currency": "xyz"}, 400, None, "currency"),
        ({"colour": "blue"}, 400, "parameter_unknown", "colour"),
        ({"capture_method": "never"}, 400, None, "capture_method"),
        ({"payment_method": "visa"}, 404, "resource_missing", "payment_method"),
        ({"payment_method": ""}, 400, "parameter_missing", "payment_method"),
    ],
)
async def test_a_wrong_parameter_is_named(
    gateway: httpx.AsyncClient,
    sandbox: SandboxClient,
    form: dict[str, str],
    status: int,
    code: str | None,
    param: str,
) -> None:
    wrong = await authorize(gateway, **form)
    error = wrong.json()["error"]
    assert (wrong.status_code, error["type"]) == (status, "invalid_request_error")
    assert (error.get("code"), error["param"]) == (code, param)
    assert (await sandbox.effects()).payment_intents == ()


async def test_only_a_test_key_is_let_in(gateway: httpx.AsyncClient, sandbox: SandboxClient) -> None:
    url = "/v1/refunds"
    bearer = {"Authorization": "Bearer sk_test_anything"}
    assert (await gateway.get(url, headers=bearer, auth=httpx.Auth())).status_code == 200
    for auth in (("sk_live_real", ""), ("", ""), ("wrong", "")):
        assert (await gateway.get(url, auth=auth)).status_code == 401
    assert (await gateway.get(url, auth=httpx.Auth())).status_code == 401


async def test_what_does_not_exist_is_404(gateway: httpx.AsyncClient, sandbox: SandboxClient) -> None:
    for url in ("/v1/refunds/re_none", "/v1/charges/ch_none", "/v1/payment_intents/pi_none"):
        missing = await gateway.get(url)
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "resource_missing")
    assert (await gateway.get("/v1/coffee")).status_code == 404
    neither = await gateway.post("/v1/refunds", data={"amount": "1"})
    assert neither.json()["error"]["code"] == "parameter_missing"
    assert (await gateway.post("/v1/refunds", json={"payment_intent": "pi_buyer"})).status_code == 400


async def test_a_search_finds_an_intent_by_its_metadata_a_minute_after_it_was_made(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    made = [(await authorize(gateway, **{"metadata[backhaul_id]": f"CH-{n}'s"})).json()["id"] for n in (1, 2)]
    query = {"query": "metadata['backhaul_id']:'CH-1\\'s'"}
    url = "/v1/payment_intents/search"
    assert (await gateway.get(url, params=query)).json()["data"] == []
    await sandbox.advance_clock(61)
    found = (await gateway.get(url, params=query)).json()
    assert (found["object"], [one["id"] for one in found["data"]]) == ("search_result", made[:1])
    assert (found["has_more"], found["next_page"]) == (False, None)


async def test_a_search_goes_on_page_by_page(gateway: httpx.AsyncClient, sandbox: SandboxClient) -> None:
    made = [(await authorize(gateway, **{"metadata[lot]": "7"})).json()["id"] for _ in range(3)]
    await sandbox.advance_clock(61)
    query = {"query": 'metadata["lot"]:"7"', "limit": "2"}
    first = (await gateway.get("/v1/payment_intents/search", params=query)).json()
    more = query | {"page": first["next_page"]}
    second = (await gateway.get("/v1/payment_intents/search", params=more)).json()
    assert [one["id"] for one in first["data"] + second["data"]] == made[::-1]


@pytest.mark.parametrize("query", [{}, {"query": "amount>100"}, {"query": "metadata['a':'b'"}])
async def test_a_search_that_the_sandbox_does_not_know_is_refused(
    gateway: httpx.AsyncClient, query: dict[str, str]
) -> None:
    refused = await gateway.get("/v1/payment_intents/search", params=query)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "query")
