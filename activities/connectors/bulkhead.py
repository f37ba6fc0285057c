"""How much one process asks of one partner at a time, and when it does not ask it at all.

A partner that is out of order is left alone for a pause that grows, and then asked by one call; as soon as it
answers, everybody may ask again. So a partner that hangs holds up few calls of ours, and is not run over by all
that waited for it when it comes back.

Behind one partner there may be many parties: suppliers of a network, accounts at a gateway, sellers' shops. Each
has places and a breaker of its own: the supplier of one seller that hangs is not the outage of all others.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from models.settings import Settings

FIRST_RETRY: Final = timedelta(seconds=1)
LONGEST_RETRY: Final = timedelta(minutes=1)
BRISK: Final = 1.0
"""A partner that answered anything within so many seconds frees places soon: a call waits as long for one."""
LONGEST_WAIT_FOR_A_PLACE: Final = timedelta(seconds=10)

log: structlog.stdlib.BoundLogger = structlog.get_logger("connection")

Random = Callable[[], float]
"""A number from 0 up to 1."""


@dataclass(frozen=True)
class Limits:
    """`at_once` calls at a time, `per_party` of them for one party; after `failures` in a row of one party none of
    its calls for `first_pause` seconds, doubled by each probe that fails, up to `longest_pause`."""

    at_once: int
    failures: int
    first_pause: float
    longest_pause: float
    per_party: int = 1_000_000

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(
            at_once=settings.partner_calls_at_once,
            failures=settings.partner_failures_in_a_row,
            first_pause=min(1.0, settings.partner_longest_pause_seconds),
            longest_pause=settings.partner_longest_pause_seconds,
            per_party=settings.partner_calls_at_once_per_party,
        )


class NotAsked(Exception):
    """The partner was not asked; `why` follows its name in a sentence. No `retry_after`: as soon as usual."""

    def __init__(self, why: str, retry_after: timedelta | None) -> None:
        self.why = why
        self.retry_after = retry_after
        super().__init__(why)


class Attempt:
    """One call: what became of it. Neither answered nor failed: it was given up, which says nothing."""

    def __init__(self, *, probes: bool) -> None:
        self.probes = probes
        self.has_answer = False
        self.failure: str | None = None
        self.wanted_pause = timedelta(0)

    def answered(self) -> None:
        """The partner is there, whatever it says."""
        self.has_answer = True

    def failed(self, why: str, wanted_pause: timedelta | None = None) -> None:
        """It is out of order, or not there; `why` follows its name in a sentence. `wanted_pause`: for how long it
        wants to be left alone, if it says so."""
        self.failure = why
        self.wanted_pause = wanted_pause or timedelta(0)


class Places:
    """Calls that may be under way at a time, and when one of them was answered last. For one event loop."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.answered_at = float("-inf")
        self._free = asyncio.Semaphore(count)

    @property
    def are_taken(self) -> bool:
        return self._free.locked()

    async def take(self) -> None:
        await self._free.acquire()

    def free(self) -> None:
        self._free.release()


class Breaker:
    """Whether a party is asked: not while it is known to be out of order, but for one probe at a time."""

    def __init__(
        self, name: str, limits: Limits, clock: Callable[[], float], randomly: Random, now: Callable[[], datetime]
    ) -> None:
        self._name = name
        self._limits = limits
        self._clock = clock
        self._random = randomly
        self._now = now
        self._failures = 0
        self._probing = False
        self._pause = 0.0
        self._asked_again_at = 0.0
        self._last_failure = ""
        self._since: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Open as a switch is: nothing flows."""
        return self._failures >= self._limits.failures

    def begin(self) -> Attempt:
        """One call, which probes when the party is out of order. Raises NotAsked while another call probes, or the
        pause is not over."""
        if not self.is_open:
            return Attempt(probes=False)
        left = self._pause if self._probing else self._asked_again_at - self._clock()
        if left <= 0:
            self._probing = True
            return Attempt(probes=True)
        since = self._since.isoformat(timespec="minutes")[:16].replace("T", " ") if self._since else "a while"
        # Spread over as long again, so that those who wait do not come back all at once.
        raise NotAsked(
            f"{self._last_failure}, is out of order since {since} UTC, and is not asked for a while",
            timedelta(seconds=left * (1 + self._random())),
        )

    def end(self, attempt: Attempt) -> None:
        """What became of it."""
        if attempt.probes:
            self._probing = False
        if attempt.has_answer:
            self._closes()
        elif attempt.failure is not None:
            self._has_failed(attempt, attempt.failure)

    def _closes(self) -> None:
        if self.is_open:
            log.warning("a partner answers again", partner=self._name)
        self._failures = 0
        self._pause = 0.0
        self._since = None

    def _has_failed(self, attempt: Attempt, why: str) -> None:
        if self.is_open and not attempt.probes:
            return  # it was under way before
        self._failures += 1
        self._since = self._since or self._now()
        self._last_failure = why
        if not self.is_open:
            return
        self._pause = min(max(self._limits.first_pause, self._pause * 2), self._limits.longest_pause)
        self._asked_again_at = self._clock() + max(self._pause, attempt.wanted_pause.total_seconds())
        if not attempt.probes:
            log.warning("a partner is out of order", partner=self._name, why=why, failures=self._failures)


class Bulkhead:
    """The calls of this process to one partner: places for all and for each party, and a breaker for each."""

    def __init__(
        self,
        name: str,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        randomly: Random = random.random,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._name = name
        self._limits = limits
        self._clock = clock
        self._random = randomly
        self._now = now
        self._places = Places(limits.at_once)
        self._parties: dict[str, tuple[Places, Breaker]] = {}

    @asynccontextmanager
    async def attempt(self, party: str = "") -> AsyncIterator[Attempt]:
        """Take a place for one call, and tell the attempt how it went. Raises NotAsked. No `party`: the call is to
        the partner itself."""
        places, breaker = self._party(party)
        attempt = breaker.begin()
        try:
            await self._take_places(places)
            try:
                yield attempt
            finally:
                for taken in (self._places, places):
                    taken.free()
                    if attempt.has_answer:
                        taken.answered_at = self._clock()
        finally:
            breaker.end(attempt)

    def _party(self, party: str) -> tuple[Places, Breaker]:
        if party not in self._parties:
            breaker = Breaker(f"{self._name} {party}".strip(), self._limits, self._clock, self._random, self._now)
            most = min(self._limits.per_party, self._limits.at_once) if party else self._limits.at_once
            self._parties[party] = Places(most), breaker
        return self._parties[party]

    async def _take_places(self, of_party: Places) -> None:
        full = next((places for places in (of_party, self._places) if places.are_taken), None)
        if full is None:
            await of_party.take()
            await self._places.take()
            return
        no = NotAsked(f"has {full.count} calls of ours to answer first", None)
        # Only at one that answers: at one that hangs the wait would keep others from their places in the queue.
        if self._clock() - full.answered_at > BRISK:
            raise no
        try:
            async with asyncio.timeout(BRISK):
                await of_party.take()
                try:
                    await self._places.take()
                except BaseException:
                    of_party.free()
                    raise
        except TimeoutError:
            raise no from None


def retry_delay(
    attempt: int,
    first: timedelta = FIRST_RETRY,
    longest: timedelta = LONGEST_RETRY,
    randomly: Random = random.random,
) -> timedelta:
    """The pause after the n-th attempt: doubled each time up to `longest`, and up to half of it more or less, so
    that cases that failed together do not try again together."""
    doublings: int = 2 ** min(attempt - 1, 30)
    return min(first * doublings, longest) * (0.5 + randomly())
