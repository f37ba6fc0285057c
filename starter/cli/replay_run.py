"""What `replay` does: try this code on each open case of a server."""

import logging

from models.failures import Conflict, NotFound
from starter.cli.output import say
from starter.client.connection import connect
from starter.ops.replay import replay_open_cases


async def replay_all() -> None:
    """Raises Conflict when some would break, NotFound when some can't be read."""
    # The SDK tells each failure a second time, as it looks inside, where nobody listens to it.
    logging.getLogger("temporalio").addHandler(logging.NullHandler())
    count = broken = unread = 0
    async for case in replay_open_cases(await connect()):
        count += 1
        if case.broken_by is not None:
            broken += 1
            say(f"{case.workflow_id}: would break: {case.broken_by}", "red")
        elif case.unread_for is not None:
            unread += 1
            say(f"{case.workflow_id}: can't be read: {case.unread_for}", "yellow")
    not_read = f"; {unread} can't be read" if unread else ""
    if broken:
        raise Conflict(
            f"{broken} of {count} open cases would break: "
            f"let the plan ask for the procedure (docs/reliability.md){not_read}"
        )
    if unread:
        raise NotFound(f"{unread} of {count} open cases can't be read, so it is not known whether they can go on")
    say(f"{count} open cases can go on with this code" if count else "no case is open on the server")
