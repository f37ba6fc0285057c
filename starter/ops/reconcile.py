"""Compare what the books think open with what the server runs: `terminate` ends a case without a word of it."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.database.reconciliation import Reconciling
from activities.database.views import OpenCase, UntoldEnd
from activities.mail.delivery import Mailer
from models import calls
from models.case import Who
from models.contract import REPLACEMENT_NEWS
from models.failures import Conflict, PartnerUnavailable
from models.ids import case_of
from models.message import Message
from models.partners import Mail, Recipient

NOT_FOUND: Final = "not found"
COMPLETED: Final = "completed"

_AT_ONCE: Final = 16
_RPC: Final = timedelta(seconds=10)
_ORDERS_LOOKED_AT: Final = 20
_MOVES_SOMETHING: Final = frozenset(
    call.name
    for call in (
        calls.AUTHORIZE_CHARGE,
        calls.CAPTURE_CHARGE,
        calls.VOID_CHARGE,
        calls.SEND_REFUND,
        calls.PLACE_SUPPLIER_ORDER,
        calls.REQUEST_RMA,
        calls.ANNOUNCE_TRACKING,
        calls.STOP_SHIPPING,
        calls.BOOK_CREDIT_MEMO,
    )
)
"""What is asked of partners that they do; to look something up does nothing."""


class Lost(Message):
    """A case that the books have open, and the server does not run. `unanswered`: what partners were asked to do
    when it ended; they may have done it, and the books don't know.
    """

    case: OpenCase
    server_says: str
    since: datetime | None = None
    answered: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()

    @property
    def can_be_noted(self) -> bool:
        """A case that completed has written down its end: books that lack it are not of this server's time."""
        return self.server_says != COMPLETED

    @property
    def hangs_on_it(self) -> tuple[str, ...]:
        """Money and goods that somebody must look at, in words."""
        asked = (("done", self.answered), ("asked, and the answer is not known", self.unanswered))
        return (*self.case.holds, *(f"{how}: {', '.join(what)}" for how, what in asked if what))

    @property
    def in_words(self) -> str:
        """One line for staff."""
        since = f" since {self.since:%Y-%m-%d %H:%M UTC}" if self.since else ""
        stood = f"the server says {self.server_says}{since}; it stood at {self.case.stage}"
        return "; ".join((stood, *self.hangs_on_it, "nothing was undone"))


async def find_lost(client: Client, books: Reconciling) -> list[Lost]:
    """The cases that the books have open and nothing runs for. One that moves meanwhile is not among them.

    Raises PartnerUnavailable when the server or the books do not answer, Conflict when the server knows none of
    the cases of these books.
    """
    opened = await asyncio.to_thread(books.open_cases)
    some = asyncio.Semaphore(_AT_ONCE)

    async def judge(case: OpenCase) -> Lost | None:
        async with some:
            return await _judge(client, case)

    try:
        judged = await asyncio.gather(*(judge(case) for case in opened))
        lost = [one for one in judged if one is not None]
        if opened and all(one is not None and one.server_says == NOT_FOUND for one in judged):
            await _check_server(client, await asyncio.to_thread(books.newest_orders, _ORDERS_LOOKED_AT))
    except RPCError as error:
        raise PartnerUnavailable(f"the Temporal server says {error.status.name}: {error.message}") from None
    if not lost:
        return []
    still = {case.workflow_id: case for case in await asyncio.to_thread(books.open_cases)}
    return [one for one in lost if still.get(one.case.workflow_id) == one.case]


async def note_lost(client: Client, books: Reconciling, lost: Sequence[Lost]) -> list[Lost]:
    """Write down each as terminated; gives those that were. Doing it again changes nothing. A return that waits
    for the order to replace its goods is told (RET-24)."""
    noted = [one for one in lost if one.can_be_noted and await asyncio.to_thread(_note, books, one)]
    for one in noted:
        await _tell_return(client, books, one.case.workflow_id)
    return noted


async def _tell_return(client: Client, books: Reconciling, workflow_id: str) -> None:
    news = await asyncio.to_thread(books.news_of_replacement, workflow_id)
    if news is None:
        return
    waiting, said = news
    with suppress(RPCError):  # it has ended, or is lost itself
        await client.get_workflow_handle(waiting).signal(REPLACEMENT_NEWS, said, rpc_timeout=_RPC)


def _note(books: Reconciling, one: Lost) -> bool:
    at = one.since or datetime.now(UTC)
    return books.note_terminated(one.case, at, f"the case is terminated: {one.in_words}")


async def tell_staff(mailer: Mailer, books: Reconciling) -> int:
    """Mail staff one line about each case that is written down as terminated, once; gives how many went out.

    Raises PartnerUnavailable when the mail server takes one not now: run it again.
    """
    untold = await asyncio.to_thread(books.untold)
    for end in untold:
        try:
            await mailer.send_mail(_letter(end))
        except ApplicationError as error:
            raise PartnerUnavailable(f"staff are not told of {end.workflow_id} yet: {error.message}") from None
    return len(untold)


async def _judge(client: Client, case: OpenCase) -> Lost | None:
    """None if the id runs, whichever run it is."""
    newest = await _describe(client, case.workflow_id)
    if newest is not None and newest.status is WorkflowExecutionStatus.RUNNING:
        return None
    if newest is None and case.run_id is None and await _runs(client, case.split_from):
        return None  # it is about to be opened
    own = await _own_run(client, case, newest)
    if own is None or own.status is None:
        return Lost(case=case, server_says=NOT_FOUND)
    answered, unanswered = await _asked_of_partners(client, own)
    return Lost(
        case=case,
        server_says=own.status.name.lower().replace("_", " "),
        since=own.close_time,
        answered=answered,
        unanswered=unanswered,
    )


async def _own_run(
    client: Client, case: OpenCase, newest: WorkflowExecutionDescription | None
) -> WorkflowExecutionDescription | None:
    """The run that the books know: a later one of the same id was refused, and says nothing of it."""
    if newest is None or case.run_id is None:
        return newest
    first = case.run_id.partition(":")[0]
    if first in (newest.run_id, newest.raw_description.workflow_execution_info.first_run_id):
        return newest
    return await _describe(client, case.workflow_id, first)


async def _describe(
    client: Client, workflow_id: str, run_id: str | None = None
) -> WorkflowExecutionDescription | None:
    try:
        return await client.get_workflow_handle(workflow_id, run_id=run_id).describe(rpc_timeout=_RPC)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _runs(client: Client, workflow_id: str | None) -> bool:
    known = await _describe(client, workflow_id) if workflow_id is not None else None
    return known is not None and known.status is WorkflowExecutionStatus.RUNNING


async def _check_server(client: Client, newest: Collection[str]) -> None:
    """Books and server must belong together before anything is believed of cases that it does not know."""
    known = await asyncio.gather(*(_describe(client, workflow_id) for workflow_id in newest))
    if all(one is None for one in known):
        raise Conflict(
            f"the Temporal server (namespace {client.namespace}) knows none of the newest {len(newest)} orders of "
            "these books: look at TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and DATABASE_URL"
        )


async def _asked_of_partners(
    client: Client, run: WorkflowExecutionDescription
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What partners were asked to do, answered and not, from the run's history while the server keeps it."""
    asked: dict[int, str] = {}
    answers: dict[str, bool] = {}
    async for event in client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history_events():
        scheduled = event.activity_task_scheduled_event_attributes
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            if scheduled.activity_type.name in _MOVES_SOMETHING:
                (words,) = await client.data_converter.decode([event.user_metadata.summary])
                asked[event.event_id] = words
                answers[words] = False
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            done = event.activity_task_completed_event_attributes.scheduled_event_id
            if done in asked:
                answers[asked[done]] = True
    return (
        tuple(words for words, answered in answers.items() if answered),
        tuple(words for words, answered in answers.items() if not answered),
    )


def _letter(end: UntoldEnd) -> Mail:
    kind, number = case_of(end.workflow_id)
    return Mail(
        key=end.key,
        template="staff_alert",
        to=Recipient.STAFF,
        order_id=end.order_id or number,  # an orphan has none
        return_id=number if kind == "return" else None,
        seller_id=end.seller_id or None,
        supplier_id=None,
        facts={
            "what": end.what,
            "who_acts": Who.STAFF.value,
            "case": end.workflow_id,
            "since": end.at.isoformat(),
        },
    )
