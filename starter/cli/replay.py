"""`replay`: before a deploy, try this code on the open cases of a server."""

from models.failures import Conflict
from starter.cli.output import run, say
from starter.connection import connect


def replay() -> None:
    """Before a deploy: replay the open cases of the server on this code, and say which would break.

    Changes nothing. Exit code 0: all can go on; 4: some can't.

    Example:

      backhaul replay
    """
    run(_replay())


async def _replay() -> None:
    from starter.replaying import replay_open_cases

    count = broken = 0
    async for case in replay_open_cases(await connect()):
        count += 1
        if case.broken_by is not None:
            broken += 1
            say(f"{case.workflow_id}: would break: {case.broken_by}", "red")
    if broken:
        raise Conflict(f"{broken} of {count} open cases would break: gate the change with `workflow.patched`")
    say(f"{count} open cases can go on with this code")
