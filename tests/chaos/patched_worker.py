"""A worker that the harness changes: one that dawdles at a step, or one that breaks a promise on purpose.

`python -m tests.chaos.patched_worker PATCH`. The product has no switch for any of this.
"""

import asyncio
import sys
import uuid
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from typing import Any, Final

from temporalio import activity

import worker
from activities.arrival import Arrivals
from activities.books import Books
from activities.mail import Mailer
from activities.payments import Payments
from models import calls
from models.bookkeeping import BookCreditMemo, CreditMemoBooked
from models.partners import Arrival, AskArrival

DAWDLES: Final = "this worker dawdles"
"""What a worker writes into its log when it is where it dawdles."""

_UNTIL_KILLED_SECONDS: Final = 600


# ---- it dawdles ----


def dawdle_before_reading() -> None:
    """It is asked when an event came, and has not asked the server."""
    read = Arrivals.event_arrival

    @activity.defn(name=calls.EVENT_ARRIVAL.name)
    async def event_arrival(self: Arrivals, ask: AskArrival) -> Arrival:
        await _dawdle()
        return await read(self, ask)

    _replace(Arrivals, event_arrival)


def dawdle_after_reading() -> None:
    """It knows when an event came, and has not told anybody."""
    read = Arrivals.event_arrival

    @activity.defn(name=calls.EVENT_ARRIVAL.name)
    async def event_arrival(self: Arrivals, ask: AskArrival) -> Arrival:
        arrival = await read(self, ask)
        await _dawdle()
        return arrival

    _replace(Arrivals, event_arrival)


async def _dawdle() -> None:
    print(DAWDLES, flush=True)
    await asyncio.sleep(_UNTIL_KILLED_SECONDS)


# ---- it breaks a promise ----


def refund_without_looking() -> None:
    """REF-6 broken: each try refunds anew, whatever an earlier one did."""

    async def find_nothing(*_: Any) -> None:
        return None

    async def with_another_key(self: Payments, what: str, key: str, send: Callable[[str], Awaitable[Any]]) -> Any:
        return await send(f"{key}:{uuid.uuid4()}")

    setattr(Payments, "_find_refund", find_nothing)  # noqa: B010
    setattr(Payments, "_with_fresh_key", with_another_key)  # noqa: B010


def forget_credit_memos() -> None:
    """RET-12 broken: it says that a credit memo is booked, and books nothing."""

    @activity.defn(name=calls.BOOK_CREDIT_MEMO.name)
    def book_credit_memo(self: Books, ask: BookCreditMemo) -> CreditMemoBooked:
        return CreditMemoBooked(state="booked", return_id=ask.return_id)

    _replace(Books, book_credit_memo)


def mail_twice() -> None:
    """NTF-1 broken: each mail goes out twice."""
    deliver = Mailer._deliver

    async def deliver_twice(self: Mailer, message: EmailMessage) -> None:
        await deliver(self, message)
        await deliver(self, message)

    setattr(Mailer, "_deliver", deliver_twice)  # noqa: B010


def forget_to_mail() -> None:
    """NTF-1 broken: it notes each mail as sent, and sends none."""

    async def deliver_nothing(self: Mailer, message: EmailMessage) -> None:
        return None

    setattr(Mailer, "_deliver", deliver_nothing)  # noqa: B010


def _replace(owner: type, method: Callable[..., Any]) -> None:
    setattr(owner, method.__name__, method)


PATCHES: Final = {
    patch.__name__: patch
    for patch in (
        dawdle_before_reading,
        dawdle_after_reading,
        refund_without_looking,
        forget_credit_memos,
        mail_twice,
        forget_to_mail,
    )
}


if __name__ == "__main__":
    PATCHES[sys.argv[1]]()
    worker.main()
