"""Say how a case that a seller asked for was opened: it exists already, it waits, or it is refused and why."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from temporalio.client import Client

from activities.database import Reading
from models.case import CostReviewStage as Stage
from models.failures import Category, Conflict
from starter.cli.output import say
from starter.client.send import EventRefused
from starter.client.start import Opened
from starter.client.status import ending_of, until_past

_OPENS_WITHIN: Final = timedelta(seconds=15)


def next_free(reading: Reading, number: Callable[[int], str], workflow_id: Callable[[str], str]) -> str:
    """The first number of an order that no case has."""
    ordinal = 1
    while reading.standing(workflow_id(number(ordinal))) is not None:
        ordinal += 1
    return number(ordinal)


def require_same(opened: Opened, named: str) -> None:
    """A second request under one number must say what the first one said. Raises Conflict, with what differs."""
    if opened.differs:
        what = f"{named} already exists and differs in {opened.differs}: it is left as it was"
        raise Conflict(f"{what}; use another number")


async def say_opening(client: Client, opened: Opened, named: str, command: str) -> None:
    """`named`: the case, as people name it; `command`: what shows it. Raises Conflict, EventRefused with
    the reason."""
    require_same(opened, named)
    if opened.already:
        say(f"{named} already exists; see `{command}`")
        return
    # These stages have one name in every kind of case.
    status = await until_past(client, opened.workflow_id, {Stage.OPENING}, _OPENS_WITHIN)
    if status is None or status.stage != Stage.REFUSED:
        say(f"{named}: {status.stage if status is not None else 'recorded'}")
        return
    ended = await ending_of(client, opened.workflow_id)
    why = ended.message if ended is not None else "see its status"
    raise EventRefused(f"{named}: {why}", Category.REFUSED_BY_RULE)
