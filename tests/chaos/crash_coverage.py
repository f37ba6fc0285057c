"""Where an activity can be caught in the midst of its work, and which scene stands right before it."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from models.calls import Call
from starter.sandbox.facts import PartnerName
from tests.case_story import CaseStory, OrderStory
from tests.chaos.slow_database import Written
from tests.chaos.stories import Story


@dataclass(frozen=True)
class AtPartner:
    """The request of a partner in which the activity does its work. Not `named`: any case's looks the same."""

    partner: PartnerName
    match: str
    named: bool = True


@dataclass(frozen=True)
class InBooks:
    """The books' write: this case's workflow waits for it, `row` is what it writes, and `is_done` tells whether
    the books have it."""

    case: CaseStory
    row: Written
    is_done: Callable[[], bool]


@dataclass(frozen=True)
class AtWorker:
    """Nobody but the worker can be made to dawdle: it asks the server itself, only reads the database, or writes
    what a worker without a fault never writes."""

    case: CaseStory


Spot = AtPartner | InBooks | AtWorker
Scene = Callable[[Story], AsyncIterator[Spot]]

SCENES: Final[dict[Scene, Call[Any, Any]]] = {}
"""Filled by the modules of scenes: `tests.chaos.crash_points` knows them all."""


def during(call: Call[Any, Any]) -> Callable[[Scene], Scene]:
    """This scene's crash comes in this activity."""

    def note(scene: Scene) -> Scene:
        SCENES[scene] = call
        return scene

    return note


def gateway(what: str, *, named: bool = False) -> AtPartner:
    return AtPartner(PartnerName.GATEWAY, f"^{what}$", named)


def shop(order: OrderStory, what: str) -> AtPartner:
    return AtPartner(PartnerName.SHOP, f"^PUT .*/orders/{order.id}/{what}")


async def gateway_reference(order: OrderStory) -> str:
    charges = (await order.books()).charges
    return re.escape(charges[-1].gateway_reference or "")


def standing(case: CaseStory, stage: str) -> Written:
    """The row by which the books say that the case stands at this stage."""
    return Written("case_file", f"NEW.workflow_id = '{case.handle.id}' AND NEW.stage = '{stage}'")


def stage_in_books(case: CaseStory) -> str:
    standing = case.stack.reading.standing(case.handle.id)
    return standing.stage if standing is not None else "unknown"
