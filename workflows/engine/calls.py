"""How a case asks partners and the database: for as long as it takes, and what holds it up becomes a fact."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from models.alerts import AlertTopic, topic_of
    from models.calls import Call, Queue, queue_of
    from models.failures import Category
    from models.message import Message
    from models.text import summary_of

Asked = TypeVar("Asked", bound=Message)
Given = TypeVar("Given", bound=Message)


@dataclass(frozen=True)
class Patience:
    """How long one kind of call is tried.

    `one_try`: for one attempt; `first_tries`: attempts before people see that there is trouble;
    `before_alert`: for how long it is tried on before staff are told; `pause`: between later rounds, doubled up to
    `longest_pause`.
    """

    one_try: timedelta
    first_tries: int
    first_interval: timedelta
    longest_interval: timedelta
    before_alert: timedelta = timedelta(minutes=10)
    pause: timedelta = timedelta(minutes=15)
    longest_pause: timedelta = timedelta(hours=6)

    def pause_after(self, rounds: int, category: Category) -> timedelta:
        """How long nobody asks after so many rounds in vain. A connection that staff mend is soon tried again."""
        pause, longest = _MENDED_BY_PEOPLE.get(category, (self.pause, self.longest_pause))
        return min(pause * (1 << min(rounds, DOUBLED_AT_MOST)), longest)


DOUBLED_AT_MOST: Final = 10
_MENDED_BY_PEOPLE: Final = {
    Category.CONNECTION_UNUSABLE: (timedelta(minutes=1), timedelta(minutes=5)),
    Category.BALANCE_SHORT: (timedelta(minutes=15), timedelta(hours=1)),
}
"""What costs a look at the database, and nobody else is asked: the first pause, and the longest."""

PARTNERS = Patience(timedelta(seconds=60), 2, timedelta(seconds=1), timedelta(minutes=1))
DATABASE = Patience(
    timedelta(seconds=30),
    2,
    timedelta(milliseconds=200),
    timedelta(seconds=30),
    pause=timedelta(minutes=5),
    longest_pause=timedelta(minutes=5),
)
PARTNERS_BY_QUEUE: Final = {
    Queue.MAIN: "database",
    Queue.PAYMENTS: "payment gateway",
    Queue.SUPPLIERS: "supplier network",
    Queue.CHANNELS: "shop",
    Queue.MAIL: "mail server",
}
"""Who did not answer, where the failure does not say it: the activity timed out."""
SPREAD: Final = 0.5
"""A pause is longer by up to this part of it: cases that failed together don't come back together."""


@dataclass(frozen=True)
class Setback:
    """Why there is no answer yet, in one line. `alert`: staff must know; `topic`: what may hold up other cases;
    `asked`: the partner may have done it all the same."""

    reason: str
    category: Category
    alert: bool
    topic: AlertTopic
    asked: bool = True


Troubled = Callable[[Setback], None]
"""Told why there is no answer yet."""


@dataclass(frozen=True)
class Asking:
    """Asks for one effect. `seller_id`: whose case it is, as far as it is known when it asks."""

    summary: str
    seller_id: Callable[[], str]
    troubled: Troubled

    async def __call__(self, call: Call[Asked, Given], message: Asked) -> Given:
        return await ask(call, message, self.summary, seller_id=self.seller_id(), troubled=self.troubled)


async def ask(
    call: Call[Asked, Given], message: Asked, summary: str, *, seller_id: str, troubled: Troubled
) -> Given:
    """The partner's or the database's answer; asks until there is one. Raises asyncio.CancelledError alone.

    An outage is told when it lasts; whatever no retry mends (a fault of ours, a partner's flat no, a connection
    that can't be used) is told at once, and is tried again after a pause, so that the case goes on when it is
    mended (NTF-9).
    """
    patience = DATABASE if call.queue is Queue.MAIN else PARTNERS
    # A run that took over from another one (reset, continued as new) may have asked before.
    message = _again(message) if took_over() else message
    rounds = lasted = 0
    asked = took_over() or bool(getattr(message, "again", False))
    while True:
        try:
            return await _round(call, message, summary, seller_id, patience, first=rounds == 0)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from None
            why = setback(error, call)
            wanted = _pause_asked_for(error)
            lasting = rounds > 0 or why.alert or wanted > patience.before_alert
            asked = asked or why.asked
            troubled(replace(why, alert=lasting, asked=asked))
        message = _again(message)
        if lasting or wanted:
            pause = max(patience.pause_after(lasted, why.category), wanted) if lasting else wanted
            await rest(pause, f"Pause before trying again: {summary}")
        lasted += lasting
        rounds += 1


def setback(error: ActivityError, call: Call[Any, Any]) -> Setback:
    """Why a round of tries gave up; staff must know at once of all but an outage."""
    category, reason = _why(error)
    topic = topic_of(category, _partner(error) or PARTNERS_BY_QUEUE[call.queue], call.name)
    lasting = category is not Category.PARTNER_UNAVAILABLE
    return Setback(reason, category, lasting, topic, _may_be_done(error, category))


async def rest(pause: timedelta, summary: str) -> None:
    """Wait for the whole pause, and for a part of it more."""
    await workflow.sleep(pause * _spread(), summary=summary_of(summary))


def _spread() -> float:
    """By how much a pause is longer: by chance, but the same in a replay."""
    return 1 + SPREAD * workflow.random().random()


async def _round(
    call: Call[Asked, Given], message: Asked, summary: str, seller_id: str, patience: Patience, *, first: bool
) -> Given:
    given: Given = await workflow.execute_activity(
        call.name,
        message,
        result_type=call.gives,
        task_queue=queue_of(workflow.info().task_queue, call.queue),
        start_to_close_timeout=patience.one_try,
        schedule_to_close_timeout=None if first else patience.before_alert,
        retry_policy=RetryPolicy(
            initial_interval=patience.first_interval * (1 if first else _spread()),
            maximum_interval=patience.longest_interval * (1 if first else _spread()),
            maximum_attempts=patience.first_tries if first else 0,
        ),
        cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
        priority=Priority(fairness_key=seller_id[:64]) if seller_id else Priority.default,
        summary=summary_of(summary),
    )
    return given


def took_over() -> bool:
    """Whether an earlier run of the case was there before this one."""
    info = workflow.info()
    return info.run_id != info.first_execution_run_id


def _again(message: Asked) -> Asked:
    """The same message, told that it may have been tried before: a connector of money looks before it does it."""
    if "again" not in type(message).model_fields:
        return message
    return message.model_copy(update={"again": True})


def _cause(error: FailureError) -> BaseException:
    cause: BaseException = error
    while isinstance(cause, FailureError) and cause.cause is not None:
        cause = cause.cause
    return cause


def _pause_asked_for(error: FailureError) -> timedelta:
    """How long the partner is to be left alone: as it says itself (`Retry-After`), or as whoever asked it says."""
    cause = _cause(error)
    delay = cause.next_retry_delay if isinstance(cause, ApplicationError) else None
    return delay or timedelta(0)


def _partner(error: FailureError) -> str | None:
    """Which partner the failure names."""
    cause = _cause(error)
    details = cause.details if isinstance(cause, ApplicationError) else ()
    named = details[0].get("partner") if details and isinstance(details[0], dict) else None
    return named if isinstance(named, str) else None


def _may_be_done(error: FailureError, category: Category) -> bool:
    """Whether the partner may have done it; not where no connection led to it from the first try on."""
    cause = _cause(error)
    details = cause.details if isinstance(cause, ApplicationError) else ()
    said = details[0].get("asked", True) if details and isinstance(details[0], dict) else True
    return category not in _MENDED_BY_PEOPLE or said is not False


def _why(error: FailureError) -> tuple[Category, str]:
    """Why an activity gave up: its category, and one line."""
    cause = _cause(error)
    if not isinstance(cause, ApplicationError):  # it timed out, or its worker died
        return Category.PARTNER_UNAVAILABLE, str(cause)[:300]
    try:
        category = Category(cause.type or "")
    except ValueError:
        category = Category.INTERNAL
    return category, f"{category.value}: {cause.message}"[:300]


def reason_of(error: FailureError) -> str:
    """Why something gave up, in one line."""
    return _why(error)[1]
