"""How much one process asks of one partner at a time, and when it does not ask it at all.

A partner that is out of order is left alone for a pause that grows, and then asked by one call; as soon as it
answers, everybody may ask again. So a partner that hangs holds up few calls of ours, and is not run over by all
that waited for it when it comes back.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
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
    """`at_once` calls at a time; after `failures` in a row none for `first_pause` seconds, doubled by each probe
    that fails, up to `longest_pause`."""

    at_once: int
    failures: int
    first_pause: float
    longest_pause: float

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(
            at_once=settings.partner_calls_at_once,
            failures=settings.partner_failures_in_a_row,
            first_pause=min(1.0, settings.partner_longest_pause_seconds),
            longest_pause=settings.partner_longest_pause_seconds,
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

    def answered(self) -> None:
        """The partner is there, whatever it says."""
        self.has_answer = True

    def failed(self, why: str) -> None:
        """It is out of order, or not there; `why` follows its name in a sentence."""
        self.failure = why


class Connection:
    """The calls of this process to one partner: places, and a breaker. For one event loop."""

    def __init__(
        self,
        name: str,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        randomly: Random = random.random,
    ) -> None:
        self._name = name
        self._limits = limits
        self._clock = clock
        self._random = randomly
        self._places = asyncio.Semaphore(limits.at_once)
        self._answered_at = float("-inf")
        self._failures = 0
        self._probing = False
        self._pause = 0.0
        self._asked_again_at = 0.0
        self._last_failure = ""

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[Attempt]:
        """Take a place for one call, and tell the attempt how it went. Raises NotAsked."""
        attempt = Attempt(probes=self._is_open())
        await self._let_in(attempt)
        try:
            yield attempt
        finally:
            self._places.release()
            if attempt.probes:
                self._probing = False
            if attempt.has_answer:
                self._closes()
            elif attempt.failure is not None:
                self._has_failed(attempt, attempt.failure)

    def _is_open(self) -> bool:
        """Open as a switch is: nothing flows."""
        return self._failures >= self._limits.failures

    async def _let_in(self, attempt: Attempt) -> None:
        if attempt.probes:
            left = self._pause if self._probing else self._asked_again_at - self._clock()
            if left > 0:
                # Spread over as long again, so that those who wait do not come back all at once.
                raise NotAsked(
                    f"{self._last_failure}, and is not asked for a while",
                    timedelta(seconds=left * (1 + self._random())),
                )
        if self._places.locked():
            await self._wait_for_a_place()
        else:
            await self._places.acquire()
        self._probing = self._probing or attempt.probes

    async def _wait_for_a_place(self) -> None:
        """Only at a partner that answers: at one that hangs the wait would keep others from theirs."""
        full = NotAsked(f"has {self._limits.at_once} calls of ours to answer first", None)
        if self._clock() - self._answered_at > BRISK:
            raise full
        try:
            await asyncio.wait_for(self._places.acquire(), BRISK)
        except TimeoutError:
            raise full from None

    def _closes(self) -> None:
        if self._is_open():
            log.warning("a partner answers again", partner=self._name)
        self._failures = 0
        self._pause = 0.0
        self._answered_at = self._clock()

    def _has_failed(self, attempt: Attempt, why: str) -> None:
        if self._is_open() and not attempt.probes:
            return  # it was under way before
        self._failures += 1
        self._last_failure = why
        if not self._is_open():
            return
        self._pause = min(max(self._limits.first_pause, self._pause * 2), self._limits.longest_pause)
        self._asked_again_at = self._clock() + self._pause
        if not attempt.probes:
            log.warning("a partner is out of order", partner=self._name, why=why, failures=self._failures)


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
