"""The sandbox's Authorize.Net, judged by a client of another's making, `authorizenet`, which speaks XML; and in
JSON, as its documentation has it."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from authorizenet import apicontractsv1 as contracts
from authorizenet import apicontrollers as controllers

from starter.sandbox import RunningSandbox, SandboxClient
from starter.sandbox.facts import PaymentSeed

DAY = 86_400
BUYERS = "60155500001"
"""A buyer's payment of 50.00 USD."""
WHO = {"name": "acme", "transactionKey": "test-key"}


@pytest.fixture
async def address(running: RunningSandbox, sandbox: SandboxClient) -> str:
    await sandbox.seed_payment(PaymentSeed(gateway="authorize_net", id=BUYERS, amount=Decimal(50), currency="USD"))
    return f"{running.authorize_net_url}/xml/v1/request.api"


# ---- its own client ----


async def told(address: str, controller: type[Any], request: Any) -> Any:
    """What the client makes of the answer."""
    request.merchantAuthentication = contracts.merchantAuthenticationType(**WHO)

    def call() -> Any:
        one = controller(request)
        one.setenvironment(address)
        one.execute()
        return one.getresponse()

    return await asyncio.to_thread(call)


async def transacted(address: str, kind: str, amount: str | None = None, **more: Any) -> Any:
    transaction = contracts.transactionRequestType(transactionType=kind, **more)
    if amount is not None:
        transaction.amount = Decimal(amount)
    request = contracts.createTransactionRequest(refId="r1", transactionRequest=transaction)
    return (await told(address, controllers.createTransactionController, request)).transactionResponse


def charge(invoice: str = "CH-1", method: str = "70001") -> dict[str, Any]:
    profile = contracts.customerProfilePaymentType(customerProfileId="500")
    profile.paymentProfile = contracts.paymentProfile(paymentProfileId=method)
    return {"profile": profile, "order": contracts.orderType(invoiceNumber=invoice, description="1001")}


def of(reference: str, invoice: str = "RF-1") -> dict[str, Any]:
    card = contracts.creditCardType(cardNumber="1111", expirationDate="XXXX")
    order = contracts.orderType(invoiceNumber=invoice)
    return {"payment": contracts.paymentType(creditCard=card), "refTransId": reference, "order": order}


def setting(name: str, value: str) -> Any:
    one = contracts.settingType(settingName=name, settingValue=value)
    settings = contracts.ArrayOfSetting()
    settings.setting.append(one)
    return settings


async def status(address: str, reference: str) -> str:
    request = contracts.getTransactionDetailsRequest(transId=reference)
    shown = await told(address, controllers.getTransactionDetailsController, request)
    return str(shown.transaction.transactionStatus)


async def test_its_own_client_authorizes_captures_and_refunds_after_the_night(
    address: str, sandbox: SandboxClient
) -> None:
    made = await transacted(address, "authOnlyTransaction", "10.00", **charge())
    assert (str(made.responseCode), str(made.messages.message.code)) == ("1", "1")
    taken = await transacted(address, "priorAuthCaptureTransaction", "8.00", refTransId=str(made.transId))
    assert str(taken.transId) == str(made.transId), "a capture keeps the number"
    early = await transacted(address, "refundTransaction", "3.00", **of(str(made.transId)))
    assert str(early.errors.error.errorCode) == "54"
    await sandbox.advance_clock(DAY)
    assert await status(address, str(made.transId)) == "settledSuccessfully"
    refund = await transacted(address, "refundTransaction", "3.00", **of(str(made.transId)))
    assert str(refund.responseCode) == "1"
    assert await status(address, str(refund.transId)) == "refundPendingSettlement"
    await sandbox.advance_clock(DAY)
    assert await status(address, str(refund.transId)) == "refundSettledSuccessfully"


async def test_its_own_client_finds_what_is_not_settled_and_what_is(address: str, sandbox: SandboxClient) -> None:
    made = await transacted(address, "authOnlyTransaction", "10.00", **charge("CH-2"))
    unsettled = await told(
        address,
        controllers.getUnsettledTransactionListController,
        contracts.getUnsettledTransactionListRequest(),
    )
    found = {str(one.transId): str(one.transactionStatus) for one in unsettled.transactions.transaction}
    assert found == {BUYERS: "capturedPendingSettlement", str(made.transId): "authorizedPendingCapture"}
    await transacted(address, "priorAuthCaptureTransaction", refTransId=str(made.transId))
    await sandbox.advance_clock(DAY)
    batches = await told(
        address,
        controllers.getSettledBatchListController,
        contracts.getSettledBatchListRequest(),
    )
    (batch,) = batches.batchList.batch
    listed = await told(
        address,
        controllers.getTransactionListController,
        contracts.getTransactionListRequest(batchId=str(batch.batchId)),
    )
    assert {str(one.transId) for one in listed.transactions.transaction} == {BUYERS, str(made.transId)}
    mine = contracts.getTransactionListForCustomerRequest(customerProfileId="500")
    of_customer = await told(address, controllers.getTransactionListForCustomerController, mine)
    assert [str(one.invoiceNumber) for one in of_customer.transactions.transaction] == ["CH-2"]


async def test_a_void_takes_the_whole_amount_and_only_before_the_settlement(
    address: str, sandbox: SandboxClient
) -> None:
    voided = await transacted(address, "voidTransaction", refTransId=BUYERS)
    assert (str(voided.responseCode), await status(address, BUYERS)) == ("1", "voided")
    again = await transacted(address, "voidTransaction", refTransId=BUYERS)
    assert str(again.messages.message.code) == "310"
    other = PaymentSeed(gateway="authorize_net", id="60155500002", amount=Decimal(50), currency="USD")
    await sandbox.seed_payment(other)
    await sandbox.advance_clock(DAY)
    late = await transacted(address, "voidTransaction", refTransId=other.id)
    assert str(late.errors.error.errorCode) == "16"


async def test_the_same_content_within_the_window_is_a_duplicate_and_told_with_the_first(
    address: str, sandbox: SandboxClient
) -> None:
    await sandbox.advance_clock(DAY)
    first = await transacted(address, "refundTransaction", "5.00", **of(BUYERS))
    named = {**of(BUYERS, "RF-2"), "transactionSettings": setting("duplicateWindow", "28800")}
    taken_for_it = await transacted(address, "refundTransaction", "5.00", **named)
    assert (str(taken_for_it.errors.error.errorCode), str(taken_for_it.transId)) == ("11", str(first.transId))
    another = {**of(BUYERS, "RF-2"), "transactionSettings": setting("duplicateWindow", "0")}
    assert str((await transacted(address, "refundTransaction", "5.00", **another)).responseCode) == "1"
    await sandbox.advance_clock(200)
    assert str((await transacted(address, "refundTransaction", "5.00", **of(BUYERS))).responseCode) == "1", "120 s"


async def test_refunds_are_refused_as_authorize_net_refuses_them(address: str, sandbox: SandboxClient) -> None:
    async def code(amount: str, reference: str = BUYERS) -> str:
        return str(
            (await transacted(address, "refundTransaction", amount, **of(reference))).errors.error.errorCode
        )

    await sandbox.advance_clock(DAY)
    assert await code("50.01") == "51"
    assert await code("10.00", "60999999999") == "16"
    await transacted(address, "refundTransaction", "30.00", **of(BUYERS))
    assert await code("20.01") == "55"
    await transacted(address, "refundTransaction", "20.00", **of(BUYERS))
    assert await code("1.00") == "54"
    await sandbox.advance_clock(181 * DAY)
    assert await code("2.00") == "54"


async def test_a_charge_may_be_declined_or_held(address: str) -> None:
    declined = await transacted(address, "authOnlyTransaction", "10.00", **charge(method="70002"))
    assert (str(declined.responseCode), str(declined.errors.error.errorCode)) == ("2", "2")
    held = await transacted(address, "authOnlyTransaction", "11.00", **charge(method="70004"))
    assert str(held.responseCode) == "4"
    assert await status(address, str(held.transId)) == "FDSAuthorizedPendingReview"


# ---- in JSON ----


async def posted(address: str, name: str, content: dict[str, Any]) -> dict[str, Any]:
    """The answer, which is always 200 and begins with a byte order mark."""
    async with httpx.AsyncClient() as http:
        answer = await http.post(address, json={name: content})
    assert (answer.status_code, answer.content[:3]) == (200, b"\xef\xbb\xbf")
    found: dict[str, Any] = json.loads(answer.content.decode("utf-8-sig"))
    return found


async def test_the_order_of_the_elements_counts(address: str) -> None:
    right = {"merchantAuthentication": WHO, "refId": "r1", "transId": BUYERS}
    shown = await posted(address, "getTransactionDetailsRequest", right)
    assert (shown["transaction"]["settleAmount"], shown["refId"]) == ("50.00", "r1")
    wrong = await posted(address, "getTransactionDetailsRequest", dict(reversed(right.items())))
    assert wrong["messages"]["message"][0]["code"] == "E00003"
    within = {"transactionRequest": {"amount": "5.00", "transactionType": "refundTransaction"}}
    named = await posted(address, "createTransactionRequest", {"merchantAuthentication": WHO, **within})
    assert "invalid child element 'transactionType'" in named["messages"]["message"][0]["text"]


async def test_what_is_too_long_for_the_schema_is_refused(address: str) -> None:
    order = {"invoiceNumber": "X" * 21}
    transaction = {"transactionType": "authOnlyTransaction", "amount": "1.00", "order": order}
    said = await posted(
        address, "createTransactionRequest", {"merchantAuthentication": WHO, "transactionRequest": transaction}
    )
    assert "MaxLength" in said["messages"]["message"][0]["text"]


async def test_a_key_is_needed_and_is_not_kept(address: str, sandbox: SandboxClient) -> None:
    right = await posted(address, "authenticateTestRequest", {"merchantAuthentication": WHO})
    assert right["messages"]["resultCode"] == "Ok"
    live = {"merchantAuthentication": {"name": "acme", "transactionKey": "5KP3u95bQpv"}}
    assert (await posted(address, "authenticateTestRequest", live))["messages"]["message"][0]["code"] == "E00007"
    assert "5KP3u95bQpv" not in str(await sandbox.requests("authorize_net"))
