"""`demo`: the local stack with stories of orders and returns played on it."""

from pathlib import Path
from typing import Annotated

import typer

from starter.cli.stack import CodecPort, ConfigFile, Folder, FrontPort, MailPort, PortOffset, SandboxPort


def demo(
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Stay up until Ctrl-C, or end after the stories.")
    ] = True,
    config: ConfigFile = None,
    sandbox_port: SandboxPort = 8250,
    mail_port: MailPort = 8251,
    front_port: FrontPort = 8252,
    codec_port: CodecPort = 8253,
    port_offset: PortOffset = 0,
    folder: Folder = Path(".backhaul"),
) -> None:
    """Start the local stack, play stories of orders and returns on it, and stay up until Ctrl-C.

    The clock of each case is moved on the server, so that sixty days take seconds.

    What is in .backhaul is kept: the next run takes the next order numbers.

    Exit code 1: a story did not end as it should.
    """
    from starter.cli.demo_run import play_demo, require_sandbox
    from starter.cli.output import run
    from starter.cli.process_settings import ready_settings
    from starter.ops.dev_server import read_config
    from starter.ops.stack import StackPlan

    plan = StackPlan(
        server=read_config(config),
        settings=ready_settings(),
        sandbox_port=sandbox_port,
        mail_port=mail_port,
        front_port=front_port,
        codec_port=codec_port,
        folder=folder,
    )
    plan = plan.with_its_books().moved(port_offset)
    require_sandbox(plan)
    raise typer.Exit(run(play_demo(plan, wait=wait)))
