"""The worker: settings, connection, telemetry, explicit lists of workflows and activities, run, drain, stop.

Any number of these processes may run; they keep no state, and any of them may die at any time. Each serves the
workflows' task queue and, with slots of its own, one task queue per kind of partner: one that hangs makes nobody
else wait.
"""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.metadata import version
from types import TracebackType
from typing import Any, Final, Literal, Self

import structlog
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import (
    PollerBehaviorAutoscaling,
    Worker,
)

from activities.account_schedules import keep_account_schedules
from activities.amazon_access import AmazonAccess
from activities.amazon_batches import AmazonBatches
from activities.amazon_orders import AmazonOrders
from activities.code_faults import watch_code
from activities.connectors.channels import Channels
from activities.connectors.connections import Connections, Directory
from activities.connectors.payments import Payments
from activities.connectors.suppliers import Suppliers
from activities.database import Alerts, CallRates, ConnectionRegister, Contacts, Database, open_database
from activities.event_arrival import Arrivals
from activities.event_delivery import EventDelivery
from activities.mail.delivery import Mailer
from activities.report_imports.activities import AmazonReports, ReportedCases
from activities.worklist_numbers import tell_worklists
from models.calls import Queue, queue_of
from models.contract import TASK_QUEUE
from models.converter import data_converter
from models.environment import read_settings, settings_from_environment, temporal_profile
from models.failures import BackhaulError, Conflict, PartnerUnavailable, RefusedByPartner
from models.logs import configure_logs
from models.settings import Settings
from workflows.registry import WORKFLOWS
from workflows.runner import give_tasks_time, workflow_runner

log: structlog.stdlib.BoundLogger = structlog.get_logger("worker")

GC_THRESHOLDS: Final = (10_000, 20, 20)
"""Python looks for rubbish after so many new objects, not after 700: a task of a case makes thousands."""

_FINAL_NO: Final = (RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.NOT_FOUND)


class WorkerSettings(BaseSettings):
    """`BACKHAUL_<NAME>`: how much one worker process takes on."""

    model_config = SettingsConfigDict(
        env_prefix="BACKHAUL_", env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    max_cached_workflows: NonNegativeInt = 2000
    """Cases kept in memory between their tasks; 0: each task replays its case from the start, one at a time."""
    workflow_sandbox: Literal["strict", "on", "off"] = "on"
    """`strict`: the workflows' modules are imported for each case, and what a replay could not repeat (the clock,
    files, chance) is refused in them. `on`: they are imported once. `off`: workflows run as any other code."""
    database_slots: PositiveInt = 20
    """How many reads and writes of the database at a time; a thread each."""
    payment_slots: PositiveInt = 50
    """How many calls to payment gateways at a time."""
    supplier_slots: PositiveInt = 50
    channel_slots: PositiveInt = 30
    """How many calls to shops and marketplaces at a time."""
    mail_slots: PositiveInt = 10
    drain_seconds: PositiveFloat = 10.0
    """How long a worker that was asked to end lets its activities go on."""
    connect_seconds: PositiveFloat = 60.0
    """How long a worker that starts tries to reach the Temporal server."""
    first_retry_seconds: PositiveFloat = Field(default=0.5, le=10)
    """Its first pause between two tries; each next one is twice as long, 10 seconds at most."""


class _Partners:
    """The activities that keep connections, and the threads of those that use the database."""

    def __init__(self, settings: Settings, directory: Directory, limits: WorkerSettings) -> None:
        def room(places: int) -> Connections:
            return Connections(directory, _with_room(settings, places))

        self._rooms = [room(limits.payment_slots), room(limits.supplier_slots), room(limits.channel_slots)]
        gateways, suppliers, self.shops = self._rooms
        self.payments = Payments(gateways)
        self.suppliers = Suppliers(suppliers)
        self.executor = ThreadPoolExecutor(limits.database_slots, thread_name_prefix="database")

    async def aclose(self) -> None:
        for connections in self._rooms:
            await connections.aclose()
        self.executor.shutdown(wait=False)


def _with_room(settings: Settings, places: int) -> Settings:
    """One partner that hangs does not take all places of its queue: the next call is turned away, not kept."""
    at_once = min(settings.partner_calls_at_once, max(places * 4 // 5, 1))
    return settings.model_copy(update={"partner_calls_at_once": at_once})


class CaseWorker:
    """One process's worker on each task queue: `async with build_worker(...):`, or `await worker.run()`.

    All of them end together: when asked to, or when one of them fails.
    """

    def __init__(self, workers: Mapping[Queue, Worker], partners: _Partners) -> None:
        self.workers = workers
        self._partners = partners
        self._running: asyncio.Task[None] | None = None
        self._inside: asyncio.Task[Any] | None = None

    async def run(self) -> None:
        """Work until cancelled, or until a worker fails, whose error it raises."""
        running = [asyncio.create_task(worker.run()) for worker in self.workers.values()]
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end()
            await asyncio.gather(*running, return_exceptions=True)
            await self._partners.aclose()
        for task in running:
            task.result()

    async def __aenter__(self) -> Self:
        self._inside = asyncio.current_task()
        self._running = asyncio.create_task(self.run())
        self._running.add_done_callback(self._has_ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises the error of a worker that failed."""
        self._inside = None
        if self._running is not None:
            await self._end()
            await self._running

    def _has_ended(self, running: asyncio.Task[None]) -> None:
        """What goes on inside the `async with` goes on no longer than the worker."""
        if self._inside is not None:
            self._inside.cancel()

    async def _end(self) -> None:
        """Let activities go on for the drain, then end."""
        await asyncio.gather(*(worker.shutdown() for worker in self.workers.values()))


def build_worker(
    client: Client,
    settings: Settings,
    engine: Engine,
    *,
    task_queue: str = TASK_QUEUE,
    limits: WorkerSettings | None = None,
    directory: Directory | None = None,
) -> CaseWorker:
    """A worker on `task_queue` and its partners' queues, not yet running. `directory`: its connections, where they
    are not those of the database.

    Raises InvalidInput for wrong `limits` in the environment.
    """
    limits = limits or read_settings(WorkerSettings)
    partners = _Partners(settings, directory or ConnectionRegister(engine), limits)
    activities = _activities(client, settings, engine, partners, limits)
    slots = {
        Queue.PAYMENTS: limits.payment_slots,
        Queue.SUPPLIERS: limits.supplier_slots,
        Queue.CHANNELS: limits.channel_slots,
        Queue.MAIL: limits.mail_slots,
    }
    drain = timedelta(seconds=limits.drain_seconds)
    # Else each worker reads the code of every module to make one up.
    build_id = version("backhaul")
    main = Worker(
        client,
        task_queue=queue_of(task_queue, Queue.MAIN),
        workflows=WORKFLOWS,
        activities=activities[Queue.MAIN],
        activity_executor=partners.executor,
        workflow_runner=workflow_runner(limits.workflow_sandbox),
        build_id=build_id,
        max_cached_workflows=limits.max_cached_workflows,
        # Without a cache there is one place: another case's task, or a question, would put out its case
        # while that is at work; the question is never answered, or the task comes again after ten seconds.
        max_concurrent_workflow_tasks=1 if limits.max_cached_workflows == 0 else None,
        max_concurrent_activities=limits.database_slots,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=drain,
    )
    give_tasks_time(main)
    beside = {
        queue: Worker(
            client,
            task_queue=queue_of(task_queue, queue),
            activities=activities[queue],
            build_id=build_id,
            max_concurrent_activities=places,
            activity_task_poller_behavior=PollerBehaviorAutoscaling(minimum=1, maximum=places, initial=1),
            graceful_shutdown_timeout=drain,
        )
        for queue, places in slots.items()
    }
    return CaseWorker({Queue.MAIN: main, **beside}, partners)


def _activities(
    client: Client, settings: Settings, engine: Engine, partners: _Partners, limits: WorkerSettings
) -> dict[Queue, list[Callable[..., Any]]]:
    """Every activity of `models.calls`, on its queue."""
    books = Database(engine)
    contacts = Contacts(engine, settings)
    mailer = Mailer(_with_room(settings, limits.mail_slots), contacts, contacts, Alerts(engine), client.namespace)
    arrivals = Arrivals(client)
    delivery = EventDelivery(client, engine)
    amazon = AmazonBatches(AmazonAccess(client, engine, partners.shops, CallRates(engine)))
    channels = Channels(partners.shops, amazon)
    amazon_orders = AmazonOrders(engine, partners.shops, CallRates(engine))
    reports, reported = AmazonReports(partners.shops, engine), ReportedCases(client, engine)
    return {
        Queue.MAIN: [
            books.open_order,
            books.choose_connection,
            books.split_order,
            books.check_special_order,
            books.save_order,
            books.open_return,
            books.save_return,
            books.reopen_return,
            books.book_credit_memo,
            books.prepare_replacement,
            books.reserve_refund,
            books.take_back_refund,
            books.save_refund,
            books.refund_outcome,
            books.save_case,
            books.note_delivery,
            books.note_correction,
            books.save_orphan,
            books.open_cost_review,
            books.save_cost_review,
            books.open_claim,
            books.save_claim,
            books.find_cases,
            arrivals.event_arrival,
            delivery.deliver_event,
            amazon.queue_refund,
            amazon.open_batch,
            amazon.return_entries,
            books.save_report_import,
            *reported.every,
        ],
        Queue.PAYMENTS: [
            partners.payments.authorize_charge,
            partners.payments.capture_charge,
            partners.payments.void_charge,
            partners.payments.send_refund,
            partners.payments.look_up_refund,
        ],
        Queue.SUPPLIERS: [
            partners.suppliers.find_sources,
            partners.suppliers.place_supplier_order,
            partners.suppliers.request_rma,
        ],
        Queue.CHANNELS: [
            channels.announce_tracking,
            channels.stop_shipping,
            amazon_orders.look_at_marketplace_order,
            *amazon.asked_of_amazon,
            *reports.every,
        ],
        Queue.MAIL: [mailer.send_mail],
    }


def telemetry(settings: Settings) -> Runtime:
    """The SDK's core with its warnings in our log and, if `metrics_address` says so, Prometheus metrics.

    Raises Conflict when metrics can't be served there.
    """
    parts = TelemetryConfig(
        metrics=PrometheusConfig(bind_address=settings.metrics_address) if settings.metrics_address else None,
        logging=LoggingConfig(
            filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
            forwarding=LogForwardingConfig(logger=logging.getLogger("temporalio.core")),
        ),
    )
    try:
        return Runtime(telemetry=parts)
    except ValueError as error:
        raise Conflict(
            f"metrics can't be served at {settings.metrics_address}: {error}; set BACKHAUL_METRICS_ADDRESS"
        ) from None


async def connect_patiently(runtime: Runtime, settings: Settings, limits: WorkerSettings) -> Client:
    """Connect to Temporal; while nothing answers, say so and try again, up to `connect_seconds`.

    Raises PartnerUnavailable in the end, RefusedByPartner at once when the server says no.
    """
    profile = temporal_profile()
    address = profile["target_host"]
    clock = asyncio.get_running_loop()
    give_up_at = clock.time() + limits.connect_seconds
    pause = limits.first_retry_seconds
    while True:
        try:
            return await Client.connect(**profile, data_converter=data_converter(settings), runtime=runtime)
        except RPCError as error:
            if error.status in _FINAL_NO:
                raise RefusedByPartner(f"the Temporal server at {address} says no: {error.message}") from None
        except RuntimeError:
            pass  # nothing listens there, or it is not ready yet: said below
        left = give_up_at - clock.time()
        if left <= 0:
            raise PartnerUnavailable(
                f"no Temporal server answered at {address} within {limits.connect_seconds:g} seconds; "
                "start one (`backhaul up`), or set TEMPORAL_ADDRESS"
            )
        pause = min(pause, left)
        log.warning("no Temporal server answers; trying again", address=address, seconds=round(pause, 1))
        await asyncio.sleep(pause)
        pause = min(pause * 2, 10.0)


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then drain. Raises BackhaulError when it can't start."""
    gc.freeze()  # what was imported stays: it need not be looked through again and again
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()
    limits = read_settings(WorkerSettings)
    engine = open_database(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    try:
        runtime = telemetry(settings)
        client = await connect_patiently(runtime, settings, limits)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with build_worker(client, settings, engine, limits=limits):
            log.info("worker is ready", task_queue=TASK_QUEUE, namespace=client.namespace)
            beside = [
                asyncio.create_task(watch_code(client, settings, engine)),
                asyncio.create_task(keep_account_schedules(client, engine)),
            ]
            if settings.metrics_address:
                beside.append(asyncio.create_task(tell_worklists(runtime, client, engine)))
            await stop.wait()
            log.info("worker drains", seconds=limits.drain_seconds)
            for task in beside:
                task.cancel()
    finally:
        engine.dispose()
    log.info("worker has ended")


def main() -> None:
    """Run a worker as its own process. Exit codes as in `models.failures`."""
    try:
        settings = settings_from_environment()
        configure_logs(settings.log_format, settings.log_level)
        asyncio.run(run(settings))
    except BackhaulError as error:
        sys.stderr.write(f"backhaul worker: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
