"""Each answer that Stripe can give, and what becomes of it (docs/partner-api.md)."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.connectors.payments import Payments
from models.partners import AuthorizeCharge, CaptureCharge, ChargeState, SendRefund
from models.refunds import Direction
from starter.ops.local_connections import STRIPE
from tests.connections import connections

REFUND = SendRefund.model_validate(
    {
        "refund_id": "RF-1",
        "order_id": "1001",
        "direction": Direction.BROKER_TO_SELLER,
        "payment_reference": "pi_buyer",
        "amount": "10.00",
        "currency": "USD",
        "connection_id": STRIPE,
    }
)
CHARGE = AuthorizeCharge.model_validate(
    {
        "charge_id": "CH-1001-1",
        "order_id": "1001",
        "amount": "10.00",
        "currency": "USD",
        "payment_method": "pm_card",
        "connection_id": STRIPE,
    }
)
CAPTURE = CaptureCharge.model_validate(
    {
        "charge_id": "CH-1001-1",
        "gateway_reference": "pi_1",
        "amount": "10.00",
        "currency": "USD",
        "connection_id": STRIPE,
    }
)

Respond = Callable[[httpx.Request], httpx.Response]


def gateway(*answers: httpx.Response | Respond) -> tuple[Payments, list[httpx.Request]]:
    """A gateway that gives these answers in turn, and what it was asked."""
    asked: list[httpx.Request] = []
    left = list(answers)

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = left.pop(0)
        return answer if isinstance(answer, httpx.Response) else answer(request)

    return Payments(connections(httpx.MockTransport(respond))), asked


def listed(*found: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"data": found, "has_more": False})


def no(status: int, **error: Any) -> httpx.Response:
    return httpx.Response(status, json={"error": error})


def intent(status: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "pi_1",
        "status": status,
        "currency": "usd",
        "amount": 1000,
        "metadata": {"backhaul_id": "CH-1001-1"},
        **more,
    }


async def test_REF_6_a_key_that_is_in_use_is_waited_for(activities: ActivityEnvironment) -> None:
    payments, _ = gateway(
        no(409, type="idempotency_error", code="idempotency_key_in_use"),
    )
    with pytest.raises(ApplicationError) as raised:
        await activities.run(payments.send_refund, REFUND)
    assert (raised.value.type, raised.value.non_retryable) == ("PartnerUnavailable", False)


async def test_REF_6_a_key_that_was_used_for_something_else_is_for_staff(activities: ActivityEnvironment) -> None:
    payments, _ = gateway(no(400, type="idempotency_error"))
    with pytest.raises(ApplicationError) as raised:
        await activities.run(payments.send_refund, REFUND)
    assert (raised.value.type, raised.value.non_retryable) == ("RefusedByPartner", True)


async def test_REF_6_an_answer_that_cant_be_read_says_nothing_of_what_was_done(
    activities: ActivityEnvironment,
) -> None:
    payments, _ = gateway(httpx.Response(200, text="<html>"))
    with pytest.raises(ApplicationError) as raised:
        await activities.run(payments.send_refund, REFUND)
    assert (raised.value.type, raised.value.non_retryable) == ("PartnerUnavailable", False)


@pytest.mark.parametrize(
    ("status", "reason", "state"),
    [
        ("requires_action", None, "pending"),
        ("canceled", None, "failed"),
        ("failed", "expired_or_canceled_card", "failed"),
        ("succeeded", None, "succeeded"),
        ("pending", None, "pending"),
    ],
)
async def test_REF_7_each_state_of_a_refund_is_understood(
    activities: ActivityEnvironment,
    retries: ActivityEnvironment,
    status: str,
    reason: str | None,
    state: str,
) -> None:
    found = {
        "id": "re_1",
        "status": status,
        "failure_reason": reason,
        "currency": "usd",
        "amount": 1000,
        "metadata": {"backhaul_id": "RF-1"},
    }
    payments, asked = gateway(httpx.Response(200, json=found), listed(found))
    for environment in (activities, retries):
        answer = await environment.run(payments.send_refund, REFUND)
        assert (answer.state, answer.gateway_refund_id) == (state, "re_1")
    assert [request.method for request in asked] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, {"type": "invalid_request_error", "code": "charge_disputed"}, "charge_disputed"),
        (402, {"type": "card_error", "code": "expired_card"}, "expired_card"),
        (
            400,
            {
                "type": "invalid_request_error",
                "message": "Refund amount ($9.00) is greater than unrefunded amount on charge ($1.00)",
            },
            "amount_too_large",
        ),
        (400, {"type": "invalid_request_error", "message": "too old"}, "invalid_request_error"),
    ],
)
async def test_REF_9_a_gateway_that_refuses_for_good_gives_its_reason(
    activities: ActivityEnvironment, status: int, error: dict[str, str], reason: str
) -> None:
    payments, _ = gateway(no(status, **error))
    answer = await activities.run(payments.send_refund, REFUND)
    assert (answer.state, answer.reason) == ("refused", reason)


@pytest.mark.parametrize(("status", "kind"), [(401, "ConnectionUnusable"), (403, "RefusedByPartner")])
async def test_REF_9_a_key_that_is_not_accepted_is_for_staff(
    activities: ActivityEnvironment, status: int, kind: str
) -> None:
    payments, _ = gateway(no(status, type="invalid_request_error", message="Invalid API Key: sk_test_***"))
    with pytest.raises(ApplicationError) as raised:
        await activities.run(payments.send_refund, REFUND)
    assert (raised.value.type, raised.value.non_retryable) == (kind, True)
    assert "sk_" not in raised.value.message
    assert ("backhaul connection set sandbox-stripe secret=" in raised.value.message) is (status == 401)


async def test_ORD_3_a_bank_that_wants_the_owner_to_confirm_is_a_decline_that_leaves_nothing_open(
    activities: ActivityEnvironment,
) -> None:
    error = {
        "type": "card_error",
        "code": "authentication_required",
        "decline_code": "authentication_required",
        "payment_intent": intent("requires_payment_method"),
    }
    payments, asked = gateway(
        no(402, **error),
        httpx.Response(200, json=intent("canceled", cancellation_reason="abandoned")),
    )
    answer = await activities.run(payments.authorize_charge, CHARGE)
    assert (answer.state, answer.reason) == (ChargeState.DECLINED, "authentication_required")
    assert asked[-1].url.path.endswith("/v1/payment_intents/pi_1/cancel")


@pytest.mark.parametrize("status", ["requires_action", "canceled"])
async def test_ORD_3_a_later_try_finds_that_nobody_was_there_to_confirm(
    retries: ActivityEnvironment, status: str
) -> None:
    abandoned = intent("canceled", cancellation_reason="abandoned")
    found = intent(status) if status == "requires_action" else abandoned
    payments, _ = gateway(listed(found), httpx.Response(200, json=found), httpx.Response(200, json=abandoned))
    answer = await retries.run(payments.authorize_charge, CHARGE)
    assert (answer.state, answer.reason) == (ChargeState.DECLINED, "authentication_required")


async def test_ORD_3_a_payment_method_that_the_gateway_no_longer_takes_is_a_decline(
    activities: ActivityEnvironment,
) -> None:
    payments, _ = gateway(
        no(400, type="invalid_request_error", code="resource_missing", param="payment_method"),
    )
    answer = await activities.run(payments.authorize_charge, CHARGE)
    assert (answer.state, answer.reason) == (ChargeState.DECLINED, "resource_missing")


SENTENCE = "Xanthippe Quillfeather, 77 Hollyhock Crescent"


@pytest.mark.parametrize("error", [{"decline_code": SENTENCE}, {"code": SENTENCE}, {"message": SENTENCE}])
async def test_ORD_3_a_decline_repeats_no_sentence_of_the_gateway(
    activities: ActivityEnvironment, error: dict[str, str]
) -> None:
    payments, _ = gateway(no(402, **{"type": "card_error", **error}))
    answer = await activities.run(payments.authorize_charge, CHARGE)
    assert (answer.state, answer.reason) == (ChargeState.DECLINED, "card_error")


async def test_REF_7_a_failed_refund_repeats_no_sentence_of_the_gateway(activities: ActivityEnvironment) -> None:
    found = {"id": "re_1", "status": "failed", "failure_reason": SENTENCE, "currency": "usd", "amount": 1000}
    found["metadata"] = {"backhaul_id": "RF-1"}
    payments, _ = gateway(httpx.Response(200, json=found))
    answer = await activities.run(payments.send_refund, REFUND)
    assert (answer.state, answer.reason) == ("failed", "failed")


async def test_ORD_3_a_charge_is_sent_as_a_form_with_the_pinned_version(activities: ActivityEnvironment) -> None:
    payments, asked = gateway(httpx.Response(200, json=intent("requires_capture")))
    await activities.run(payments.authorize_charge, CHARGE)
    create = asked[-1]
    assert create.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert create.headers["Stripe-Version"] == "2020-08-27"
    assert create.headers["Idempotency-Key"] == "CH-1001-1"
    assert "Stripe-Account" not in create.headers
    assert dict(httpx.QueryParams(create.content.decode())) == {
        "amount": "1000",
        "currency": "usd",
        "payment_method": "pm_card",
        "capture_method": "manual",
        "confirm": "true",
        "off_session": "true",
        "metadata[backhaul_id]": "CH-1001-1",
        "metadata[order_id]": "1001",
    }


# ---- a server error that is saved under the key ----


def saved(status: int, **error: Any) -> httpx.Response:
    return httpx.Response(status, json={"error": error}, headers={"Idempotent-Replayed": "true"})


async def test_REF_6_a_charge_behind_a_saved_server_error_is_found_before_a_search_would_show_it(
    retries: ActivityEnvironment,
) -> None:
    made = intent("requires_capture")
    payments, asked = gateway(listed(), saved(500), listed(), listed(made))
    answer = await retries.run(payments.authorize_charge, CHARGE)
    assert (answer.state, answer.gateway_reference) == (ChargeState.AUTHORIZED, "pi_1")
    assert [request.method for request in asked].count("POST") == 1


async def test_REF_6_a_charge_that_did_not_happen_behind_a_saved_server_error_is_made_under_a_new_key(
    retries: ActivityEnvironment,
) -> None:
    made = httpx.Response(200, json=intent("requires_capture"))
    payments, asked = gateway(listed(), saved(500), listed(), listed(), made)
    assert (await retries.run(payments.authorize_charge, CHARGE)).state is ChargeState.AUTHORIZED
    assert asked[-1].headers["Idempotency-Key"] == "CH-1001-1:2"


async def test_REF_6_a_refund_behind_a_saved_server_error_is_found(retries: ActivityEnvironment) -> None:
    made = {"id": "re_1", "status": "succeeded", "currency": "usd", "amount": 1000}
    made["metadata"] = {"backhaul_id": "RF-1"}
    payments, _ = gateway(listed(), saved(500), listed(made))
    assert (await retries.run(payments.send_refund, REFUND)).gateway_refund_id == "re_1"


async def test_ORD_3_a_capture_that_was_refused_for_the_moment_is_made_under_a_new_key(
    activities: ActivityEnvironment,
) -> None:
    no_then = saved(400, type="invalid_request_error", code="payment_intent_unexpected_state")
    now = httpx.Response(200, json=intent("requires_capture"))
    taken = httpx.Response(200, json=intent("succeeded", amount_received=1000))
    payments, asked = gateway(no_then, now, taken)
    assert (await activities.run(payments.capture_charge, CAPTURE)).captured == 10
    assert asked[-1].headers["Idempotency-Key"] == "CH-1001-1:capture:1000:2"


# ---- what can't be said to the gateway ----

UNSENDABLE = ["acct_Müller", "acct_1\r\nX-Admin: 1", "acct 1", "acct_\x001"]


@pytest.mark.parametrize("wrong", UNSENDABLE)
async def test_ORD_3_a_customer_that_is_no_id_is_for_the_sender(
    activities: ActivityEnvironment, wrong: str
) -> None:
    payments, asked = gateway()
    with pytest.raises(ApplicationError) as raised:
        await activities.run(payments.authorize_charge, CHARGE.model_copy(update={"gateway_customer": wrong}))
    assert (raised.value.type, raised.value.non_retryable) == ("InvalidInput", True)
    assert "the seller's customer id at the gateway must be printable ASCII" in raised.value.message
    assert asked == []
