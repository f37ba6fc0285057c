"""The one place where a partner's HTTP failures become our failures.

A partner's business "no" never gets here as an error: the connector says which statuses it `expects`, and
reads them itself. Messages and details say which partner, which call and the partner's error code; never a
body, which may hold personal data, and never a key.
"""

import re
import socket
import ssl
from collections.abc import Awaitable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.connectors.access import Access
from activities.connectors.asked_pauses import retry_after
from activities.connectors.bulkhead import LONGEST_WAIT_FOR_A_PLACE, NotAsked, retry_delay
from models.connections import BROKER, Connection
from models.failures import (
    HANDLING,
    BackhaulError,
    Category,
    InvalidInput,
    PartnerUnavailable,
    Problem,
    RefusedByPartner,
)
from models.message import Message
from models.network import needs_tls

LONGEST_RETRY = timedelta(minutes=10)
"""A longer pause is not left to the server's retries, where nobody sees it: the case waits, and says so."""

BOM = b"\xef\xbb\xbf"
"""With which some partners begin what they say."""

SAVED = "Idempotent-Replayed"
"""The header of an answer that a partner gave before, to the same request."""

_LATER = frozenset({408, 425, 429})
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")

Wire = TypeVar("Wire", bound="WireModel")

QueryParams = Sequence[tuple[str, str]]


class WireModel(BaseModel):
    """What a partner answers: fields that we don't know are passed over, and errors never quote the answer."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class PartnerError(WireModel):
    """The body of an error, alike at Stripe and in the JSON API of suppliers and shops."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None


class _CodedError(WireModel):
    """One of several errors in a body: PayPal's `issue`, Authorize.Net's `code`."""

    issue: str | None = None
    code: str | None = None


class _Messages(WireModel):
    message: tuple[_CodedError, ...] = ()


class _ErrorBody(WireModel):
    """`error` is a text where PayPal refuses a key; `details` are PayPal's, `errors` Amazon's."""

    error: PartnerError | str | None = None
    name: str | None = None
    details: tuple[_CodedError, ...] = ()
    errors: tuple[_CodedError, ...] = ()
    messages: _Messages = _Messages()

    @property
    def said(self) -> PartnerError:
        if isinstance(self.error, PartnerError):
            return self.error
        several = (one.issue or one.code for one in (*self.details, *self.errors, *self.messages.message))
        return PartnerError(code=next((code for code in (*several, self.error, self.name) if code), None))


class Trouble(Message):
    """The details of an error in Temporal: who acts, at which partner, in which call, the partner's code. `asked`:
    the partner may have done it in an earlier attempt. `sent`: this attempt may have reached it."""

    who_acts: str
    partner: str
    call: str
    status: int | None = None
    code: str | None = None
    asked: bool = True
    sent: bool = True


class Partner:
    """One partner behind HTTP: its address, the headers that it always gets, and how much is asked of it at once.
    Raises InvalidInput without an address, and for `http://` to another machine, unless the settings allow it."""

    def __init__(
        self,
        name: str,
        access: Access,
        headers: Mapping[str, str],
        *,
        default_url: str | None = None,
        each: str | None = None,
    ) -> None:
        """`default_url`: where the provider has its API; `each`: what a party behind it is called, where staff are
        told of each one apart (`supplier`)."""
        connection = access.connection
        self._base_url = access.base_url(default_url)
        address = httpx.URL(self._base_url)
        if not address.host:
            raise InvalidInput(_titled(connection), [Problem("base_url", f"is needed to call the {name}")])
        if needs_tls(address.scheme, address.host) and not access.clients.settings.allow_plain_http:
            why = "would send keys and buyers' data in plain text: use https://, or BACKHAUL_ALLOW_PLAIN_HTTP=true"
            raise InvalidInput(_titled(connection), [Problem("base_url", why)])
        self._name = name
        self._each = each
        self._headers = dict(headers)
        self._is_brokers = connection.owner == BROKER
        self._connection_id = connection.connection_id
        self._titled = f"{_titled(connection)} of {connection.owner}"
        self._client = access.clients.of(address)
        self._bulkhead = access.clients.bulkhead(name, address)

    async def call(
        self,
        what: str,
        method: str,
        path: str,
        *,
        params: QueryParams = (),
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        expects: Collection[int] = (),
        party: str = "",
    ) -> httpx.Response:
        """Send one request; gives an answer that is 2xx or whose status the caller `expects`.

        `what` names the call for people ("send the refund"); `party`: for whom behind this partner it is, a
        supplier, an account, a seller's shop: each has places and a breaker of its own. Raises ApplicationError
        `PartnerUnavailable` (tried again, after `Retry-After` if there is one), `RefusedByPartner` or
        `InvalidInput` (final).
        """
        for name, value in (headers or {}).items():
            if not (value.isascii() and value.isprintable() and value == value.strip()):
                raise self.invalid(what, f"{name} must be printable ASCII characters, without spaces around them")
        answer = await self._ask(
            what,
            self._client.build_request(
                method,
                f"{self._base_url}{path}",
                params=httpx.QueryParams(tuple(params)) if params else None,
                json=json,
                data=form,
                content=content,
                headers={**self._headers, **(headers or {})},
            ),
            party,
        )
        if answer.is_success or answer.status_code in expects:
            return answer
        if answer.status_code in _LATER or answer.status_code >= 500:
            raise self.unavailable(what, f"answered {answer.status_code}", answer, party)
        raise self.refused(what, answer, party)

    async def _ask(self, what: str, request: httpx.Request, party: str) -> httpx.Response:
        try:
            async with self._bulkhead.attempt(self._party(party)) as attempt:
                try:
                    answer = await self._client.send(request)
                except httpx.RequestError as error:
                    attempt.failed(_why(error))
                    delay, sent = retry_delay(_attempt()), not isinstance(error, _NEVER_SENT)
                    raise self._out_of_order(what, _why(error), None, delay, party, sent) from None
                # The answer that was saved for an earlier request says nothing of how the partner is now.
                if answer.status_code >= 500 and SAVED not in answer.headers:
                    attempt.failed(f"answered {answer.status_code}", retry_after(answer, datetime.now(UTC)))
                else:
                    attempt.answered()
        except NotAsked as no:
            delay = no.retry_after or retry_delay(_attempt(), longest=LONGEST_WAIT_FOR_A_PLACE)
            raise self._out_of_order(what, no.why, None, delay, party, sent=False) from None
        return answer

    async def test(self, path: str, expects: type[WireModel]) -> None:
        """Ask for `path`, changing nothing. Raises a BackhaulError that says in words what is wrong."""
        try:
            answer = await self._client.get(f"{self._base_url}{path}", headers=self._headers)
        except httpx.RequestError as error:
            host = httpx.URL(self._base_url).host
            raise PartnerUnavailable(f"the {self._name} at {host} {unreachable(error)}") from None
        if no := _no_of(answer):
            raise RefusedByPartner(f"the {self._name} {no}")
        if not answer.is_success:
            raise PartnerUnavailable(f"the {self._name} answered {answer.status_code}: try again later")
        try:
            expects.model_validate_json(answer.content)
        except ValidationError:
            raise RefusedByPartner(
                f"something else than the {self._name} answers at {self._base_url}: check base_url"
            ) from None

    def read(self, what: str, answer: httpx.Response, model: type[Wire]) -> Wire:
        """The answer's body. One that we don't understand says nothing about what was done: looked at again."""
        try:
            return model.model_validate_json(answer.content.removeprefix(BOM))
        except ValidationError as error:
            fields = ", ".join(sorted({".".join(map(str, detail["loc"])) or "body" for detail in error.errors()}))
            raise self.unavailable(what, f"gave an answer that can't be read ({fields[:200]})", answer) from None

    def unavailable(
        self, what: str, why: str, answer: httpx.Response | None = None, party: str = ""
    ) -> ApplicationError:
        """The error of a partner that is out of order for now; tried again when the partner said, if it did."""
        wanted = None if answer is None else retry_after(answer, datetime.now(UTC))
        return self._out_of_order(what, why, answer, wanted or retry_delay(_attempt()), party)

    def _out_of_order(
        self, what: str, why: str, answer: httpx.Response | None, delay: timedelta, party: str, sent: bool = True
    ) -> ApplicationError:
        category = Category.PARTNER_UNAVAILABLE
        message = f"the {self._name} {why}: {what}"
        trouble = self._trouble(category, what, answer, party).model_copy(update={"sent": sent})
        return failure(category, message, trouble, next_retry_delay=delay, is_last_try=delay > LONGEST_RETRY)

    def invalid(self, what: str, why: str) -> ApplicationError:
        """The error of a message of ours that can't be said to this partner; it was not asked."""
        category = Category.INVALID_INPUT
        return failure(category, f"{what}: {why}", self._trouble(category, what, None))

    def said_no(self, what: str, code: str) -> ApplicationError:
        """The error of a partner that answers a no for good as if all were well."""
        trouble = self._trouble(Category.REFUSED_BY_PARTNER, what, None)
        message = f"the {self._name} refused: {what} ({code})"
        return failure(Category.REFUSED_BY_PARTNER, message, trouble.model_copy(update={"code": code}))

    def refused(self, what: str, answer: httpx.Response, party: str = "") -> ApplicationError:
        """The error of a partner that says no for good: the request or a setting is wrong; or the key is."""
        if answer.status_code == 401:
            return self.key_refused(what, answer)
        trouble = self._trouble(Category.REFUSED_BY_PARTNER, what, answer, party)
        code = f", {trouble.code}" if trouble.code else ""
        return failure(
            Category.REFUSED_BY_PARTNER,
            f"the {self._name} refused: {what} ({answer.status_code}{code})",
            trouble,
        )

    def key_refused(self, what: str, answer: httpx.Response) -> ApplicationError:
        """The error of a partner that does not take our key: nothing was done, and staff mend the connection."""
        category = Category.CONNECTION_UNUSABLE
        trouble = self._trouble(category, what, answer)
        trouble = trouble.model_copy(update={"partner": self._connection_id, "asked": not is_first_attempt()})
        code = f", {trouble.code}" if trouble.code else ""
        said = f"the {self._name} does not take the key of {self._titled}: {what} ({answer.status_code}{code})"
        mend = f"backhaul connection set {self._connection_id} secret=REFERENCE"
        return failure(category, f"{said}; write the right one where its secret stands ({mend})", trouble)

    def _party(self, party: str) -> str:
        """Whose places and breaker: a party's behind the broker's own connection, else the connection's."""
        return party if self._is_brokers else f"{self._connection_id} {party}".rstrip()

    def _trouble(self, category: Category, what: str, answer: httpx.Response | None, party: str = "") -> Trouble:
        return Trouble(
            who_acts=HANDLING[category].who_acts,
            partner=self._told(category, party),
            call=what,
            status=None if answer is None else answer.status_code,
            code=None if answer is None else error_code(error_of(answer)),
        )

    def _told(self, category: Category, party: str) -> str:
        """Who is in trouble, as staff are told: one alert for all whom the same partner holds up."""
        if self._each and party:
            return f"{self._each} {party}"
        if self._is_brokers:
            return self._name
        if category is Category.PARTNER_UNAVAILABLE:
            return f"{self._name} {httpx.URL(self._base_url).host}"
        return f"{self._name} {self._connection_id}"


def _titled(connection: Connection) -> str:
    return f"connection {connection.connection_id}"


def _why(error: httpx.RequestError) -> str:
    """What kept the partner from answering. The error's own words may hold an address: not kept."""
    if isinstance(error, httpx.TimeoutException):
        return "did not answer in time"
    if isinstance(error, httpx.TransportError):
        return f"can't be reached ({type(error).__name__})"
    return f"gave an answer that can't be read ({type(error).__name__})"


async def tested(call: Awaitable[object]) -> None:
    """A call that only tries a connection, whose error people read. Raises a BackhaulError."""
    try:
        await call
    except ApplicationError as error:
        kinds: dict[str | None, type[BackhaulError]] = {Category.PARTNER_UNAVAILABLE.value: PartnerUnavailable}
        raise kinds.get(error.type, RefusedByPartner)(error.message) from None


def unreachable(error: httpx.RequestError) -> str:
    """The same for whoever tests a connection: what to look at. Names no address, key or body."""
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes):
        return "shows a TLS certificate that is not trusted: check base_url, or the certificates of this machine"
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return "does not speak TLS as we do: check base_url, its scheme and port"
    if any(isinstance(one, socket.gaierror) for one in causes):
        return "can't be found: there is no such host; check base_url"
    if isinstance(error, httpx.TimeoutException):
        return "did not answer in time"
    if isinstance(error, httpx.ConnectError):
        return "can't be reached: nothing answers there; check base_url and its port"
    return _why(error)


def _no_of(answer: httpx.Response) -> str | None:
    """What a partner's no to a test means; none: it is no such no."""
    code = error_code(error_of(answer))
    told = f" ({answer.status_code}, {code})" if code else f" ({answer.status_code})"
    match answer.status_code:
        case 401:
            return f"does not take the key: check what `secret` refers to{told}"
        case 403:
            return f"does not let this key use this account: check `account`, and what the key may do{told}"
        case 404:
            return f"has nothing at this address: check base_url and `account`{told}"
        case status if 300 <= status < 500 and status not in _LATER:
            return f"refused the question: check base_url and `account`{told}"
    return None


def is_first_attempt() -> bool:
    """Nothing was asked before by this call."""
    return _attempt() == 1


def _attempt() -> int:
    return activity.info().attempt if activity.in_activity() else 1


def failure(
    category: Category,
    message: str,
    trouble: Trouble,
    next_retry_delay: timedelta | None = None,
    *,
    is_last_try: bool = False,
) -> ApplicationError:
    """A failure of the closed set, as Temporal wants it. `is_last_try`: whoever asked says when to try again."""
    is_final = is_last_try or not HANDLING[category].retried
    return ApplicationError(
        message, trouble, type=category.value, non_retryable=is_final, next_retry_delay=next_retry_delay
    )


def error_of(answer: httpx.Response) -> PartnerError:
    """The partner's error, empty if the body holds none."""
    try:
        return _ErrorBody.model_validate_json(answer.content.removeprefix(BOM)).said
    except ValidationError:
        return PartnerError()


def error_code(error: PartnerError) -> str | None:
    """The partner's code, else its kind of error."""
    return code_in(error.code) or code_in(error.type)


def code_in(text: str | None) -> str | None:
    """The text if it looks like a code: one that holds a sentence may hold personal data."""
    return text if text and _CODE.fullmatch(text) else None
