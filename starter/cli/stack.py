"""`up`, `worker`, `sandbox`, `front`, `db`, `temporal`: what runs, and what has to be prepared for it."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.environment import settings_from_environment
from models.failures import RefusedByPartner
from models.logs import configure_logs
from models.settings import Settings
from starter.cli.output import run, say

if TYPE_CHECKING:
    from starter.ops.stack import StackPlan

db = typer.Typer(no_args_is_help=True, help="The books: the SQL database.")
temporal = typer.Typer(no_args_is_help=True, help="The Temporal server.")


def ready_settings() -> Settings:
    """The settings of a process that runs for long, with its logs set up. Raises InvalidInput."""
    settings = settings_from_environment()
    configure_logs(settings.log_format, settings.log_level)
    return settings


ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Describes the server; default: temporal-dev.yaml here.")
]
SandboxPort = Annotated[int, typer.Option(min=1, max=65535, help="HTTP of the sandbox partners.")]
MailPort = Annotated[int, typer.Option(min=1, max=65535, help="SMTP of the sandbox.")]
FrontPort = Annotated[int, typer.Option(min=1, max=65535, help="Page of the suppliers' links.")]
CodecPort = Annotated[int, typer.Option(min=1, max=65535, help="Codec server, when payloads are encrypted.")]
Folder = Annotated[Path, typer.Option(help="Where logs and the sandbox's state are kept.")]


def up(
    config: ConfigFile = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="How many worker processes.")] = 1,
    sandbox_port: SandboxPort = 8250,
    mail_port: MailPort = 8251,
    front_port: FrontPort = 8252,
    codec_port: CodecPort = 8253,
    folder: Folder = Path(".backhaul"),
) -> None:
    """Run the whole local stack until Ctrl-C: Temporal server, books, sandbox partners, front, workers."""
    from starter.ops.dev_server import read_config
    from starter.ops.stack import StackPlan

    plan = StackPlan(
        server=read_config(config),
        settings=ready_settings(),
        workers=workers,
        sandbox_port=sandbox_port,
        mail_port=mail_port,
        front_port=front_port,
        codec_port=codec_port,
        folder=folder,
    )
    run(_up(plan))


async def _up(plan: "StackPlan") -> None:
    from starter.ops.interrupt import ended_by_signals
    from starter.ops.stack import running_stack

    with ended_by_signals():
        say("Starting the local stack ...")
        async with running_stack(plan) as stack:
            show_addresses(plan)
            say("Ready. Ctrl-C ends everything.", style="bold")
            try:
                await stack.wait()
            finally:
                say("Ending ...")
    say("Everything has ended.")


def show_addresses(plan: "StackPlan") -> None:
    """Where people and programs reach the parts of a running stack."""
    say(f"  Temporal UI      {plan.ui_list}")
    say(f"  Temporal gRPC    {plan.server.address}")
    say(f"  Temporal HTTP    {plan.server.http_url}/api/v1/namespaces/{plan.server.namespace}/workflows")
    say(f"  Sandbox partners {plan.sandbox_url}")
    say(f"  Mails            {plan.sandbox_url}/mail")
    say(f"  Suppliers' links {plan.front_url}")
    if plan.codec_url is not None:
        say(f"  Codec server     {plan.codec_url} (payloads are encrypted)")
    say(f"  Logs             {plan.logs}")


def worker() -> None:
    """Run one worker until Ctrl-C or SIGTERM; then it drains. Run as many as you like.

    The server is found by TEMPORAL_ADDRESS and its like, the books by DATABASE_URL.
    """
    from worker import run as work

    run(work(ready_settings()))


def sandbox(
    host: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="HTTP: gateway, suppliers, shop, mails.")] = 8250,
    mail_port: Annotated[int, typer.Option(min=1, max=65535, help="SMTP.")] = 8251,
    database: Annotated[Path, typer.Option(help="Where it keeps its state.")] = Path(".backhaul/sandbox.db"),
) -> None:
    """Run the sandbox partners until Ctrl-C: gateway, suppliers, shop and mail server."""
    from starter.sandbox import serve

    ready_settings()

    async def work() -> None:
        from starter.ops.interrupt import ended_by_signals

        with ended_by_signals():
            await serve(host, port, mail_port, database)

    run(work())


def front(
    host: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="HTTP.")] = 8252,
) -> None:
    """Run the page behind the suppliers' RMA links until Ctrl-C."""
    from starter.client.connection import connect
    from starter.front import serve
    from starter.ops.interrupt import ended_by_signals

    settings = ready_settings()

    async def work() -> None:
        with ended_by_signals():
            await serve(await connect(), settings, host, port)

    run(work())


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the tables of the books to the newest version. Doing it again does nothing."""
    from activities.database.engines import upgrade

    upgrade(settings_from_environment().database_url.get_secret_value())
    say("the books are up to date")


@temporal.command("setup")
def temporal_setup(
    retention_days: Annotated[int, typer.Option(min=1, max=3650, help="How long closed cases stay visible.")] = 90,
) -> None:
    """Create the search attributes and set the retention on any server. Doing it again does nothing.

    The server is found by TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and their like, or by Temporal's profile.
    """
    run(_temporal_setup(timedelta(days=retention_days)))


async def _temporal_setup(retention: timedelta) -> None:
    from temporalio.service import RPCError

    from starter.client.connection import connect
    from starter.ops.namespace import prepare_namespace

    client = await connect()
    try:
        async with asyncio.timeout(30):
            prepared = await prepare_namespace(client, retention)
    except RPCError as error:
        raise RefusedByPartner(
            f"the Temporal server does not let namespace {client.namespace} be prepared: {error.message}"
        ) from None
    say(f"namespace {prepared.namespace}")
    say(f"  search attributes added: {', '.join(prepared.added) or 'none, all were there'}")
    before, now = prepared.retention_before.days, prepared.retention.days
    say(f"  retention: {now} days" + ("" if before == now else f" (was {before})"))
