"""Each account at Amazon has the schedules of the Temporal server that its settings say: one asks for its returns
(AMZ-1), one for its orders (CAN-7), one looks for its settlements (AMZ-8), and one for each kind sends its queue
(AMZ-6). The workers make and remove them as the settings are, and send what was left waiting in the queue of an
account that is active again."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Engine
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.database import ConnectionRegister
from activities.database.amazon_left_waiting import left_waiting
from activities.database.transactions import read
from models.amazon.batches import SubmitQueue
from models.amazon.queue import QueueKind
from models.amazon.report_imports import ReportDue
from models.connections import Connection, ConnectionKind, Provider, amazon_options
from models.contract import (
    CHANNEL_BATCH,
    CHANNEL_BATCH_KIND,
    ORDERS_DUE,
    QUEUE_SUBMISSION,
    RETURNS_DUE,
    SETTLEMENTS_DUE,
    TASK_QUEUE,
)
from models.failures import BackhaulError
from models.message import Message
from models.text import summary_of

RETURNS_EVERY: Final = timedelta(hours=4)
ORDERS_EVERY: Final = timedelta(hours=1)
"""A buyer who wants to cancel is heard soon: the order is about to go to a supplier."""
SETTLEMENTS_EVERY: Final = timedelta(hours=6)
"""Amazon makes one in two weeks, as a rule."""
LOOK_SECONDS: Final = 60.0
"""How often the settings are looked at."""
RETURNS, ORDERS, SETTLEMENTS = "amazon-returns-", "amazon-orders-", "amazon-settlements-"
QUEUE = "amazon-queue-"
_PREFIXES: Final = (RETURNS, ORDERS, SETTLEMENTS, QUEUE)

log: structlog.stdlib.BoundLogger = structlog.get_logger("worker")


class Wanted(NamedTuple):
    """A schedule that a setting asks for. Its id says all that it follows: another pause is another schedule."""

    schedule_id: str
    workflow: str
    asks: Message
    workflow_id: str
    summary: str
    every: timedelta
    begins_at_once: bool = False


def wanted(connection: Connection) -> Iterator[Wanted]:
    """The schedules of one account."""
    if connection.provider is not Provider.AMAZON:
        return
    account, options = connection.connection_id, amazon_options(connection)
    due = ReportDue(connection_id=account, seller_id=connection.owner.removeprefix("seller:"))
    reports = (
        (options.import_returns, RETURNS, RETURNS_DUE, "Ask Amazon for the returns of", RETURNS_EVERY),
        (options.import_orders, ORDERS, ORDERS_DUE, "Ask Amazon for the orders of", ORDERS_EVERY),
        (options.import_settlements, SETTLEMENTS, SETTLEMENTS_DUE, "Look for settlements of", SETTLEMENTS_EVERY),
    )
    for is_wanted, prefix, workflow, summary, every in reports:
        if is_wanted:
            yield Wanted(
                schedule_id=f"{prefix}{account}",
                workflow=workflow,
                asks=due,
                workflow_id=f"{prefix.removeprefix('amazon-')}due-{account}",
                summary=f"{summary} {account}",
                every=every,
                begins_at_once=True,
            )
    if options.auto_submit:
        for kind in QueueKind:
            yield Wanted(
                schedule_id=f"{QUEUE}{account}-{kind.value}-{options.batch_minutes}",
                workflow=QUEUE_SUBMISSION,
                asks=SubmitQueue(connection_id=account, kind=kind),
                workflow_id=f"queue-{account}-{kind.value}",
                summary=f"Send what waits in the queue of {account}",
                every=options.batch_pause,
            )


class AccountSchedules:
    """Of one installation. `task_queue`: where its workflows run."""

    def __init__(self, client: Client, engine: Engine, task_queue: str = TASK_QUEUE) -> None:
        self._client = client
        self._engine = engine
        self._register = ConnectionRegister(engine)
        self._queue = task_queue

    async def keep(self) -> None:
        """Make those that are missing, remove those that nobody wants any more. Raises RPCError, BackhaulError."""
        active = await asyncio.to_thread(self._register.active, ConnectionKind.CHANNEL)
        due = {one.schedule_id: one for connection in active for one in wanted(connection)}
        every = [one.id async for one in await self._client.list_schedules()]
        there = {one for one in every if one.startswith(_PREFIXES)}
        for schedule_id in sorted(there - due.keys()):
            await self._remove(schedule_id)
        for schedule_id in sorted(due.keys() - there):
            await self._make(due[schedule_id])

    async def send_what_waits(self) -> None:
        """Begin a batch of what nobody need choose any more, and nothing sends (AMZ-5). Raises RPCError,
        BackhaulError."""
        now = datetime.now(UTC)
        for batch in await asyncio.to_thread(read, self._engine, lambda session: left_waiting(session, now)):
            with suppress(WorkflowAlreadyStartedError):  # by another worker, or it had its turn
                await self._client.start_workflow(
                    CHANNEL_BATCH,
                    batch,
                    id=CHANNEL_BATCH_KIND.workflow_id_of(batch),
                    task_queue=self._queue,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    static_summary=summary_of(f"Batch {batch.batch_id} · of what was left waiting"),
                )
                log.info("what was left in the queue of an account is sent", batch=batch.batch_id)

    async def _make(self, one: Wanted) -> None:
        schedule = Schedule(
            action=ScheduleActionStartWorkflow(
                one.workflow,
                one.asks,
                id=one.workflow_id,
                task_queue=self._queue,
                static_summary=summary_of(one.summary),
            ),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=one.every, offset=_offset(one))]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=one.every),
        )
        try:
            await self._client.create_schedule(one.schedule_id, schedule, trigger_immediately=one.begins_at_once)
        except ScheduleAlreadyRunningError:
            return  # another worker made it
        log.info("an account has a new schedule", schedule=one.schedule_id)

    async def _remove(self, schedule_id: str) -> None:
        try:
            await self._client.get_schedule_handle(schedule_id).delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        log.info("the schedule of an account is removed", schedule=schedule_id)


async def keep_account_schedules(client: Client, engine: Engine) -> None:
    """Follow the settings as long as this worker runs; whatever does not answer ends no more than this look."""
    schedules = AccountSchedules(client, engine)
    while True:
        try:
            await schedules.keep()
            await schedules.send_what_waits()
        except (RPCError, BackhaulError) as error:
            log.warning("schedules of accounts can't be looked at", error=str(error))
        except Exception as fault:
            log.error("a fault of ours in the schedules of accounts", error=type(fault).__name__)
        await asyncio.sleep(LOOK_SECONDS)


def _offset(one: Wanted) -> timedelta:
    """Accounts do not all ask at the same moment."""
    by_chance = int(sha256(one.schedule_id.encode()).hexdigest()[:8], 16)
    return timedelta(seconds=by_chance % int(one.every.total_seconds()))
