"""How Amazon is called: a token for each call, a rate for each operation and account, its own form of errors.

Knows no rule of ours. What is sent and what is answered is never logged: it may be a buyer's.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple, Protocol

import httpx
from pydantic import Field
from temporalio.exceptions import ApplicationError

from activities.connectors.access import Access
from activities.connectors.amazon.operations import RATES, Operation
from activities.connectors.bulkhead import BRISK
from activities.connectors.http import LONGEST_RETRY, Partner, Trouble, WireModel, failure
from activities.connectors.secret_reference import read_secret
from models.amazon.account import AmazonOptions
from models.call_rates import CallRate
from models.connections import amazon_options
from models.failures import HANDLING, BackhaulError, Category

NAME: Final = "Amazon"
SHORT_WAIT: Final = 2.0
"""Seconds: a call waits so long for its turn. For longer its place goes to others, and it comes again then."""
_EARLIER: Final = 60.0
"""A token is renewed so many seconds before it expires."""
_NOT_DONE: Final = (401, 403, 429)
_NUMBER: Final = re.compile(r"\d{1,9}(\.\d{1,9})?")


class AnswerLost(Exception):
    """What was asked may have been done, and asking again would do it twice: it has to be looked up."""


class Rates(Protocol):
    """The account's calls, counted for all workers (`activities.database.CallRates`). Called in a thread."""

    def take(self, connection_id: str, operation: str, rate: CallRate) -> float:
        """Take one call, or give for how many seconds there is none."""

    def learn(self, connection_id: str, operation: str, per_second: float) -> None:
        """The partner says how often it lets itself be asked now."""

    def exhaust(self, connection_id: str, operation: str, rate: CallRate, seconds: float | None) -> None:
        """The partner says that it was asked too often."""


class _TokenAnswer(WireModel):
    access_token: str = Field(min_length=1)
    expires_in: float


class _Token(NamedTuple):
    text: str
    expires: float
    """By the monotonic clock."""


class Calls:
    """Of one account. Raises InvalidInput for addresses that can't be used."""

    def __init__(self, access: Access, rates: Rates) -> None:
        self.options: AmazonOptions = amazon_options(access.connection)
        self.access = access
        self._rates = rates
        self._connection_id = access.connection.connection_id
        self._token: _Token | None = None
        self._signing_in = asyncio.Lock()
        to_sign_in = access._replace(
            connection=access.connection.model_copy(update={"base_url": self.options.token_url})
        )
        self._door = Partner(NAME, to_sign_in, {})
        self.partner = Partner(NAME, access, {"Accept": "application/json"}, default_url=self.options.host)

    async def call(
        self,
        operation: Operation,
        what: str,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        json: Mapping[str, Any] | None = None,
        expects: Collection[int] = (),
    ) -> httpx.Response:
        """One call when its turn is. Errors as `Partner.call`; where the turn is later than a moment,
        PartnerUnavailable that Temporal tries again just then. A 429 was not done, and never comes back as answer.
        """

        def send(headers: dict[str, str]) -> Awaitable[httpx.Response]:
            expected = {*_NOT_DONE, *expects}
            return self.partner.call(
                what, method, path, params=params, json=json, headers=headers, expects=expected
            )

        return await self._done(operation, what, send)

    async def call_once(
        self, operation: Operation, what: str, path: str, json: Mapping[str, Any]
    ) -> httpx.Response:
        """A POST that is not to be asked twice. Raises AnswerLost where it may have been done; any
        ApplicationError means that it was not."""

        async def send(headers: dict[str, str]) -> httpx.Response:
            try:
                return await self.partner.call(what, "POST", path, json=json, headers=headers, expects=_NOT_DONE)
            except ApplicationError as error:
                trouble = next((one for one in error.details if isinstance(one, Trouble)), None)
                if error.type == Category.PARTNER_UNAVAILABLE.value and (trouble is None or trouble.sent):
                    raise AnswerLost(error.message) from None
                raise

        return await self._done(operation, what, send)

    async def _done(
        self, operation: Operation, what: str, send: Callable[[dict[str, str]], Awaitable[httpx.Response]]
    ) -> httpx.Response:
        """With a token, with a new one where Amazon no longer takes it; when its turn is."""
        refused: str | None = None
        while True:
            token = await self._sign_in(what, refused)
            await self._turn(operation, what)
            answer = await send({"x-amz-access-token": token})
            await self._learn(operation, answer)
            if answer.status_code == 429:
                raise self.partner.unavailable(what, f"was asked {operation} too often", answer)
            if answer.status_code not in (401, 403):
                return answer
            if refused is not None:
                raise self.partner.key_refused(what, answer)
            refused = token

    # ---- the token ----

    async def _sign_in(self, what: str, refused: str | None) -> str:
        """A token that is good for a while, got once for all who wait for it. `refused`: this one is not."""
        try:
            async with asyncio.timeout(BRISK):
                await self._signing_in.acquire()
        except TimeoutError:
            raise self._door.unavailable(what, "lets an earlier call wait for its sign-in") from None
        try:
            known = self._token
            if known is not None and known.text != refused and time.monotonic() < known.expires:
                return known.text
            return await self._new_token(what)
        finally:
            self._signing_in.release()

    async def _new_token(self, what: str) -> str:
        answer = await self._door.call(
            what,
            "POST",
            "",
            form={
                "grant_type": "refresh_token",
                "refresh_token": self.access.secret.get_secret_value(),
                "client_id": self.options.client_id,
                "client_secret": await self._client_secret(what),
            },
            expects={400},
        )
        if answer.status_code == 400:
            raise self._door.key_refused(what, answer)
        token = self._door.read(what, answer, _TokenAnswer)
        lasts = max(token.expires_in - _EARLIER, 0.0)
        self._token = _Token(token.access_token, time.monotonic() + lasts)
        return token.access_token

    async def _client_secret(self, what: str) -> str:
        """As it is now: a file that changed needs no restart."""
        try:
            secret = await asyncio.to_thread(read_secret, self.options.client_secret)
        except BackhaulError as error:
            mend = f"backhaul connection set {self._connection_id} options=client_secret:REFERENCE,..."
            why = f"connection {self._connection_id} of {self.access.connection.owner}: {error} ({mend})"
            raise self._failure(Category.CONNECTION_UNUSABLE, why, what) from None
        return secret.get_secret_value()

    # ---- the rate ----

    async def _turn(self, operation: Operation, what: str) -> None:
        """Wait a moment for the turn. Raises PartnerUnavailable, to be tried again then, where it is later."""
        while True:
            try:
                wait = await asyncio.to_thread(
                    self._rates.take, self._connection_id, operation.value, RATES[operation]
                )
            except BackhaulError as error:
                raise self._failure(error.category, str(error), what) from None
            if not wait:
                return
            if wait > SHORT_WAIT:
                why = f"{NAME} lets {self._connection_id} call {operation} again in {wait:.0f} seconds: {what}"
                raise self._failure(Category.PARTNER_UNAVAILABLE, why, what, timedelta(seconds=wait))
            await asyncio.sleep(wait)

    async def _learn(self, operation: Operation, answer: httpx.Response) -> None:
        """What Amazon says of its rate counts for all workers."""
        said = answer.headers.get("x-amzn-RateLimit-Limit", "").strip()
        per_second = float(said) if _NUMBER.fullmatch(said) else 0.0
        rates, connection_id, rate = self._rates, self._connection_id, RATES[operation]
        try:
            if per_second > 0:
                await asyncio.to_thread(rates.learn, connection_id, operation.value, per_second)
            if answer.status_code == 429:
                wanted = answer.headers.get("Retry-After", "").strip()
                seconds = float(wanted) if _NUMBER.fullmatch(wanted) else None
                await asyncio.to_thread(rates.exhaust, connection_id, operation.value, rate, seconds)
        except BackhaulError:
            # It was answered: that the rate could not be written down makes no failure of it.
            return

    def _failure(
        self, category: Category, why: str, what: str, delay: timedelta | None = None
    ) -> ApplicationError:
        who_acts = HANDLING[category].who_acts
        trouble = Trouble(who_acts=who_acts, partner=self._connection_id, call=what, asked=False)
        is_late = delay is not None and delay > LONGEST_RETRY
        return failure(category, why, trouble, next_retry_delay=delay, is_last_try=is_late)
