"""`up`, `worker`, `sandbox`, `front`, `db`, `temporal`: what runs, and what has to be prepared for it."""

import gc
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from starter.cli.commands import command_group

db = command_group("The database of cases, refunds and parties.")
temporal = command_group("The Temporal server.")


ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Describes the server; default: temporal-dev.yaml here.")
]
SandboxPort = Annotated[int, typer.Option(min=1, max=65535, help="HTTP of the sandbox partners.")]
MailPort = Annotated[int, typer.Option(min=1, max=65535, help="SMTP of the sandbox.")]
FrontPort = Annotated[int, typer.Option(min=1, max=65535, help="Page of the suppliers' links.")]
CodecPort = Annotated[int, typer.Option(min=1, max=65535, help="Codec server, when payloads are encrypted.")]
PortOffset = Annotated[
    int, typer.Option(min=-60000, max=60000, help="Moves every port of the stack by so much, the server's too.")
]
Folder = Annotated[Path, typer.Option(help="Where all is kept: databases and logs.")]


def up(
    config: ConfigFile = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="How many worker processes.")] = 1,
    sandbox_port: SandboxPort = 8250,
    mail_port: MailPort = 8251,
    front_port: FrontPort = 8252,
    codec_port: CodecPort = 8253,
    port_offset: PortOffset = 0,
    folder: Folder = Path(".backhaul"),
) -> None:
    """Run the whole local stack until Ctrl-C: Temporal server, books, sandbox partners, front, workers.

    It prints what to export where it is not where commands look for it.
    """
    from starter.cli.output import run
    from starter.cli.process_settings import ready_settings
    from starter.cli.stack_run import run_stack
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
    run(run_stack(plan.with_its_books().moved(port_offset)))


def worker() -> None:
    """Run one worker until Ctrl-C or SIGTERM; then it drains. Run as many as you like.

    The server is found by TEMPORAL_ADDRESS and its like, the books by DATABASE_URL.
    """
    gc.disable()  # until the worker runs: to import it makes no garbage, and is most of its start
    from starter.cli.output import run
    from starter.cli.process_settings import ready_settings
    from worker import run as work

    run(work(ready_settings()))


def sandbox(
    host: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="HTTP: gateway, suppliers, shop, mails.")] = 8250,
    mail_port: Annotated[int, typer.Option(min=1, max=65535, help="SMTP.")] = 8251,
    database: Annotated[Path, typer.Option(help="Where it keeps its state.")] = Path(".backhaul/sandbox.db"),
) -> None:
    """Run the sandbox partners until Ctrl-C: gateway, suppliers, shop and mail server."""
    from starter.cli.output import run
    from starter.cli.process_settings import ready_settings
    from starter.ops.interrupt import ended_by_signals
    from starter.sandbox import serve

    ready_settings()

    async def work() -> None:
        with ended_by_signals():
            await serve(host, port, mail_port, database)

    run(work())


def front(
    host: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="HTTP.")] = 8252,
) -> None:
    """Run what strangers reach until Ctrl-C: the page of the suppliers' RMA links, the gateways' webhooks.

    The secrets of webhooks are read by this process: what stands in the environment must stand in its own.
    """
    from starter.cli.output import run
    from starter.cli.process_settings import ready_settings
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
    from models.environment import settings_from_environment
    from starter.cli.output import say

    upgrade(settings_from_environment().database_url.get_secret_value())
    say("the books are up to date")


@temporal.command("setup")
def temporal_setup(
    retention_days: Annotated[int, typer.Option(min=1, max=3650, help="How long closed cases stay visible.")] = 90,
) -> None:
    """Create the search attributes and set the retention on any server. Doing it again does nothing.

    The server is found by TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and their like, or by Temporal's profile.
    """
    from starter.cli.output import run
    from starter.cli.stack_run import set_up_namespace

    run(set_up_namespace(timedelta(days=retention_days)))
