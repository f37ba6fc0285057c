"""Where one case stands: the case itself answers; when it can't, the database does."""

import asyncio
import json
from typing import Any

from temporalio.client import Client

from activities.database import Reading
from models.case import CaseStatus, Wait
from models.failures import Conflict, NotFound, PartnerUnavailable
from models.ids import (
    batch_workflow_id,
    case_of,
    claim_workflow_id,
    cost_review_workflow_id,
    order_workflow_id,
    orphan_workflow_id,
    refund_workflow_id,
    return_workflow_id,
)
from models.worklists import WORKLISTS
from starter.cli.case_lookup import books_if_there, returns_numbered
from starter.cli.output import remark, say, show_table, shown
from starter.client.connection import connect
from starter.client.status import ask_status, failure_of_case
from starter.client.status_in_database import status_in_database


async def status_of(number: str) -> CaseStatus:
    """The case that this number means. Raises NotFound, Conflict (several have it), PartnerUnavailable."""
    with books_if_there() as reading:
        try:
            client: Client | None = await connect()
        except PartnerUnavailable as error:
            if reading is None:
                raise
            remark(f"from the books: {error}")
            client = None
        for workflow_id in _candidates(number):
            found = await _status_of(client, reading, workflow_id)
            if found is not None:
                return found
    if several := returns_numbered(number):
        raise Conflict(f"{number} is the number of {len(several)} returns: {', '.join(several)}; say which")
    raise NotFound(f"no order, return or refund has the number {number}")


def _candidates(number: str) -> list[str]:
    """The cases that the number may mean, the likeliest first."""
    as_ids = [order_workflow_id(number)]
    returns = returns_numbered(number)
    if len(returns) == 1:
        as_ids.append(return_workflow_id(returns[0]))
    as_ids += [return_workflow_id(number), refund_workflow_id(number), orphan_workflow_id(number)]
    as_ids += [cost_review_workflow_id(number), claim_workflow_id(number), batch_workflow_id(number)]
    try:
        case_of(number)
    except ValueError:
        return as_ids
    return [number, *as_ids]


async def _status_of(client: Client | None, reading: Reading | None, workflow_id: str) -> CaseStatus | None:
    known_to_temporal = client is not None
    failed: CaseStatus | None = None
    if client is not None:
        try:
            answered = await ask_status(client, workflow_id)
        except NotFound:
            known_to_temporal = False
        else:
            if answered is not None:
                return answered
            failed = await failure_of_case(client, workflow_id)
            if failed is None:
                remark("no worker answers; this is what the books say")
    in_books = None
    if reading is not None:
        in_books = await asyncio.to_thread(status_in_database, reading, workflow_id)
    if failed is not None and in_books is None:
        return failed
    if failed is not None:
        remark(f"the books know it from before; started again, {failed.timeline[-1].what}")
    if in_books is None and known_to_temporal:
        raise PartnerUnavailable(
            f"{workflow_id} runs, but no worker answers for it, and the books do not know it yet; "
            "start one with `backhaul worker`"
        )
    return in_books


def show_status(status: CaseStatus) -> None:
    """Stage, waits, deadlines, timeline, rejected events and facts, for people."""
    kind, number = case_of(status.workflow_id)
    sla = status.sla_state.value.replace("_", " ")
    say(f"{kind} {number}: {status.stage.replace('_', ' ')} · {'ended' if status.outcome else sla}", style="bold")
    rails = {"goods": status.custody, "money": status.money}
    for rail, where in rails.items():
        if where is not None:
            say(f"  {rail}: {where.value.replace('_', ' ')}")
    for work in status.work:
        say(f"  to do: {WORKLISTS[work].to_do}")
    for label, wait in [
        ("waiting for", status.waiting_for),
        *(("also", wait) for wait in status.also_waiting_for),
    ]:
        if wait is not None:
            say(f"  {label} {_wait(wait)}")
    for name, at in status.deadlines.items():
        say(f"  {name.replace('_', ' ')}: {shown(at)} UTC")
    if status.timeline:
        say("")
        show_table(("when (UTC)", "who", "what"), ((step.at, step.who, step.what) for step in status.timeline))
    if status.rejected_count:
        say("")
        say(f"{status.rejected_count} events could not be used; the last:", style="bold")
        show_table(
            ("when (UTC)", "event", "why"),
            ((one.at, one.name, one.reason) for one in status.rejected_events if one.sender_at_fault),
        )
    if facts := {name: value for name, value in status.facts.items() if value not in (None, "", [], {}, False)}:
        say("")
        show_table(("fact", ""), ((name.replace("_", " "), _fact(value)) for name, value in facts.items()))


def _wait(wait: Wait) -> str:
    due = f", due {shown(wait.due)}" if wait.due else ""
    return f"{wait.who.value}: {wait.what} (since {shown(wait.since)}{due} UTC)"


def _fact(value: Any) -> str:
    if isinstance(value, list) and value:
        return "\n".join(_fact(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_fact(item)}" for key, item in value.items() if item not in (None, "", [], {}))
    return value if isinstance(value, str) else json.dumps(value)
