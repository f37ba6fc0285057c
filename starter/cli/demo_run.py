"""What `demo` does: run the local stack, play the stories, say how they ended and what people do next."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Engine

from activities.database import ConnectionRegister, Reading, open_database
from activities.worklists import count_work
from models.failures import Conflict
from models.worklists import Work
from starter.cli.output import console, say
from starter.cli.stack_run import show_addresses
from starter.cli.worklists import show_links
from starter.demo.play import STORIES, movable_clocks, play_stories
from starter.demo.progress import StoryProgress, show_table
from starter.demo.story import DemoEnvironment, PlayedStory
from starter.ops.interrupt import ended_by_signals
from starter.ops.stack import Stack, StackPlan, running_stack
from starter.sandbox import SandboxClient

NOT_AS_EXPECTED: Final = 1
"""Exit code when a story did not end as it should."""
_PARTNERS: Final = ("smtp_host", "smtp_port", "front_url")


def require_sandbox(plan: StackPlan) -> None:
    """The demo moves money and writes mails: never at real partners."""
    by_hand = [f"BACKHAUL_{name.upper()}" for name in _PARTNERS if name in plan.settings.model_fields_set]
    if by_hand:
        raise Conflict(f"the demo plays on the sandbox partners only; unset {', '.join(by_hand)} (or see .env)")


def require_sandbox_connections(plan: StackPlan, books: Engine) -> None:
    """The same of the connections, once there are books. Raises Conflict that names those that lead elsewhere."""
    elsewhere = [
        one.connection_id
        for one in ConnectionRegister(books).all()
        if one.active and not str(one.base_url or "").startswith(f"{plan.sandbox_url}/")
    ]
    if elsewhere:
        raise Conflict(
            f"the demo plays on the sandbox partners only: deactivate {', '.join(elsewhere)}, "
            "or give it a --folder of its own"
        )


async def play_demo(plan: StackPlan, *, wait: bool) -> int:
    """Gives the exit code; 0 as well when it was interrupted before the end."""
    exit_code = 0
    with ended_by_signals():
        say("Starting the local stack ...")
        async with running_stack(plan) as stack:
            show_addresses(plan)
            try:
                played, work = await _play(plan, stack)
                exit_code = _report(plan, played, work)
                if wait:
                    say("The stack stays up. Ctrl-C ends everything.", style="bold")
                    await stack.wait()
            finally:
                say("Ending ...")
    say("Everything has ended.")
    return exit_code


async def _play(plan: StackPlan, stack: Stack) -> tuple[list[PlayedStory], dict[Work, int]]:
    """Gives the stories, and how many cases stand in each worklist after them."""
    books = open_database(plan.settings)
    try:
        await asyncio.to_thread(require_sandbox_connections, plan, books)
        async with SandboxClient(plan.sandbox_url) as sandbox:
            environment = DemoEnvironment(
                movable_clocks(await stack.connect()),
                sandbox,
                plan.front_url,
                mail_staff=plan.settings.mail_staff,
            )
            say(f"Playing {len(STORIES)} stories; the clock of each case is moved on the server ...")
            with StoryProgress(console()) as progress:
                played = await play_stories(environment, books, progress)
        return played, await count_work(await stack.connect(), Reading(books))
    finally:
        books.dispose()


def _report(plan: StackPlan, played: Sequence[PlayedStory], work: Mapping[Work, int]) -> int:
    say("")
    show_table(console(), played, plan.ui_list)
    say("")
    show_links(plan.server.ui_url, plan.server.namespace, work)
    say("")
    say(f"  All cases in the Temporal UI  {plan.ui_list}")
    say(f"  Mails that were sent          {plan.sandbox_url}/mail")
    say(f"  What the partners were asked  {plan.sandbox_url}")
    say("  Promises and money            backhaul report money --format html --output report.html")
    say("")
    missed = [story for story in played if not story.as_expected]
    if missed:
        say(f"{len(missed)} of {len(played)} stories did not end as expected.", style="bold red")
        return NOT_AS_EXPECTED
    say(f"All {len(played)} stories ended as expected.", style="bold green")
    return 0
