"""Authorize.Net's wire protocol: JSON on XML, so the order of the elements counts. Knows no rule of ours."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

import httpx
from pydantic import Field
from temporalio.exceptions import ApplicationError

from activities.connectors.access import Access
from activities.connectors.http import Partner, WireModel

AUTHORIZE_NET_URL: Final = "https://api.authorize.net"
PATH: Final = "/xml/v1/request.api"

LONGEST_WINDOW: Final = 28_800
"""Seconds in which the same content is taken for a duplicate, at most."""
LONGEST_INVOICE_NUMBER: Final = 20
PAGE: Final = 1_000
MOST_PAGES: Final = 50
"""How much of one list is read; a list that is longer is no place to find anything in."""
BATCHES_AT_ONCE: Final = timedelta(days=31)

NOT_FOUND: Final = "E00040"
_KEY_REFUSED: Final = frozenset({"E00005", "E00006", "E00007", "E00008"})
"""Login or transaction key are wrong, or not active any more."""
_OUT_OF_ORDER: Final = frozenset({"E00000", "E00001", "E00053", "E00054", "E00104"})
_UNSUCCESSFUL: Final = "E00027"
"""It was understood, and the transaction's own code says why not."""

DUPLICATE: Final = "11"
"""Code of a transaction that is taken for another one."""
SYSTEM_ERRORS: Final = frozenset(
    ("19", "20", "21", "22", "23", "25", "26", "57", "58", "59", "60", "61", "62", "63")
)
"""Codes of a transaction with which a gateway or processor is out of order."""

UNSETTLED: Final = "capturedPendingSettlement"
SETTLED: Final = "settledSuccessfully"
VOIDED: Final = "voided"

Wire = TypeVar("Wire", bound="Answer")


class _Message(WireModel):
    code: str


class _Messages(WireModel):
    result_code: str = Field(alias="resultCode")
    message: tuple[_Message, ...] = ()

    @property
    def code(self) -> str:
        return self.message[0].code if self.message else ""


class Answer(WireModel):
    messages: _Messages

    @property
    def is_ok(self) -> bool:
        return self.messages.result_code == "Ok"


class _Error(WireModel):
    code: str = Field(alias="errorCode")


class TransactionResponse(WireModel):
    """`response_code`: 1 approved, 2 declined, 3 error, 4 held for review."""

    response_code: str = Field(alias="responseCode")
    trans_id: str = Field("0", alias="transId")
    messages: tuple[_Message, ...] = ()
    errors: tuple[_Error, ...] = ()

    @property
    def code(self) -> str:
        """The reason: of the error, else of the message."""
        codes = (*(one.code for one in self.errors), *(one.code for one in self.messages))
        return next(iter(codes), "")


class _Created(Answer):
    response: TransactionResponse | None = Field(None, alias="transactionResponse")


class _Order(WireModel):
    invoice_number: str = Field("", alias="invoiceNumber")


class _Card(WireModel):
    number: str = Field(alias="cardNumber")


class _Payment(WireModel):
    card: _Card | None = Field(None, alias="creditCard")


class _Profile(WireModel):
    customer: str = Field("", alias="customerProfileId")


class Transaction(WireModel):
    """Its details. Amounts in the account's currency."""

    trans_id: str = Field(alias="transId")
    ref_trans_id: str | None = Field(None, alias="refTransId")
    submitted: datetime = Field(alias="submitTimeUTC")
    status: str = Field(alias="transactionStatus")
    order: _Order = _Order(invoiceNumber="")
    authorized: Decimal = Field(alias="authAmount")
    settled: Decimal = Field(Decimal(0), alias="settleAmount")
    payment: _Payment = _Payment(creditCard=None)
    profile: _Profile = _Profile(customerProfileId="")

    @property
    def last_four(self) -> str | None:
        return self.payment.card.number[-4:] if self.payment.card is not None else None


class _Details(Answer):
    transaction: Transaction | None = None


class Summary(WireModel):
    trans_id: str = Field(alias="transId")
    invoice_number: str = Field("", alias="invoiceNumber")


class _List(Answer):
    transactions: tuple[Summary, ...] = ()


class _Batch(WireModel):
    batch_id: str = Field(alias="batchId")


class _Batches(Answer):
    batches: tuple[_Batch, ...] = Field((), alias="batchList")


class AuthorizeNet:
    """The calls that Backhaul makes, as the API reference has them. Raises InvalidInput without a login."""

    def __init__(self, access: Access, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        login = access.required("login", "Authorize.Net's API login id")
        self._who = {"name": login, "transactionKey": access.secret.get_secret_value()}
        self.partner = Partner("payment gateway", access, {}, default_url=AUTHORIZE_NET_URL)

    async def ask(
        self, what: str, request: str, content: Mapping[str, Any], model: type[Wire], expects: str = ""
    ) -> Wire:
        """One request; gives an answer that is Ok, or whose code is `expects`. All are answered with 200."""
        body = {request: {"merchantAuthentication": self._who, **content}}
        answer = await self.partner.call(what, "POST", PATH, json=body)
        said = self.partner.read(what, answer, model)
        if said.is_ok or (expects and said.messages.code == expects):
            return said
        if said.messages.code in _OUT_OF_ORDER:
            raise self.partner.unavailable(what, f"answered {said.messages.code}", answer)
        raise self._refused(what, answer, said.messages.code)

    async def transact(self, what: str, transaction: Mapping[str, Any]) -> TransactionResponse:
        """One of the four kinds, its fields in the order of the schema. What the whole request is refused with
        (a profile that is not known) stands as the code of an error."""
        body = {
            "createTransactionRequest": {
                "merchantAuthentication": self._who,
                "transactionRequest": transaction,
            }
        }
        answer = await self.partner.call(what, "POST", PATH, json=body)
        said = self.partner.read(what, answer, _Created)
        if said.response is not None and (said.is_ok or said.messages.code == _UNSUCCESSFUL):
            return said.response
        if said.messages.code in _OUT_OF_ORDER:
            raise self.partner.unavailable(what, f"answered {said.messages.code}", answer)
        if said.messages.code == NOT_FOUND:
            return TransactionResponse.model_validate({"responseCode": "3", "errors": [{"errorCode": NOT_FOUND}]})
        raise self._refused(what, answer, said.messages.code)

    def _refused(self, what: str, answer: httpx.Response, code: str) -> ApplicationError:
        key_refused = code in _KEY_REFUSED
        return self.partner.key_refused(what, answer) if key_refused else self.partner.refused(what, answer)

    async def test(self) -> None:
        await self.ask("sign in", "authenticateTestRequest", {}, Answer)

    async def details(self, what: str, trans_id: str) -> Transaction | None:
        """One transaction; none if the gateway doesn't know it."""
        said = await self.ask(
            what, "getTransactionDetailsRequest", {"transId": trans_id}, _Details, expects=NOT_FOUND
        )
        return said.transaction

    def unsettled(self, what: str) -> AsyncIterator[Summary]:
        """What was submitted since the last settlement, the newest first."""
        return self._listed(what, "getUnsettledTransactionListRequest", {})

    def of_customer(self, what: str, customer: str) -> AsyncIterator[Summary]:
        """The transactions of one customer profile, the newest first."""
        return self._listed(what, "getTransactionListForCustomerRequest", {"customerProfileId": customer})

    async def settled_since(self, what: str, since: datetime) -> AsyncIterator[Summary]:
        """What was settled since a moment, the newest batch first."""
        until = self.now()
        while until > since:
            start = max(until - BATCHES_AT_ONCE, since)
            dates = {"firstSettlementDate": _moment(start), "lastSettlementDate": _moment(until)}
            said = await self.ask(what, "getSettledBatchListRequest", dates, _Batches)
            for batch in reversed(said.batches):
                async for one in self._listed(what, "getTransactionListRequest", {"batchId": batch.batch_id}):
                    yield one
            until = start

    async def _listed(self, what: str, request: str, content: Mapping[str, Any]) -> AsyncIterator[Summary]:
        """Raises PartnerUnavailable for a list of more than `MOST_PAGES`: what is not found there may exist."""
        for page in range(1, MOST_PAGES + 1):
            asked = {
                **content,
                "sorting": {"orderBy": "submitTimeUTC", "orderDescending": True},
                "paging": {"limit": PAGE, "offset": page},
            }
            found = await self.ask(what, request, asked, _List, expects=NOT_FOUND)
            for one in found.transactions:
                yield one
            if len(found.transactions) < PAGE:
                return
        raise self.partner.unavailable(what, "has too many transactions to look through")


def invoice_number(our_id: str) -> str:
    """By which a movement is found: our id, or, where it is too long, a hash of it."""
    if len(our_id) <= LONGEST_INVOICE_NUMBER:
        return our_id
    return f"B-{hashlib.sha256(our_id.encode()).hexdigest()[: LONGEST_INVOICE_NUMBER - 2]}"


def order_of(our_id: str) -> dict[str, str]:
    """What a movement says of itself."""
    return {"invoiceNumber": invoice_number(our_id), "description": our_id}


def duplicate_window(seconds: int) -> dict[str, Any]:
    """For how long the same content is taken for a duplicate."""
    return {"setting": [{"settingName": "duplicateWindow", "settingValue": str(seconds)}]}


def follow_up(kind: str, reference: str, amount: str | None = None) -> dict[str, Any]:
    """What is done to a transaction that is there."""
    found: dict[str, Any] = {"transactionType": kind}
    if amount is not None:
        found["amount"] = amount
    return {**found, "refTransId": reference}


def _moment(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
