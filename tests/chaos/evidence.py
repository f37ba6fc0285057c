"""What an audit looks at: the books, the partners' own records, and the histories of the cases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Engine
from sqlmodel import Session, col, select
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey

from activities.database import Reading
from activities.database.ledger import Ledger
from activities.database.views import EntryListed, LedgerFault, OrderView, OrphanListed, ReturnView, Standing
from models.ids import orphan_workflow_id
from models.tables import ClaimRow, CostReviewRow, MailRow, OrderRow, ReturnRow
from models.tables.orphans import OrphanRow
from starter.sandbox.client import SandboxClient
from starter.sandbox.facts import Effects, RequestRecord

PROBLEMS: Final = SearchAttributeKey.for_keyword_list("TemporalReportedProblems")


@dataclass(frozen=True)
class Done:
    """An activity that a history tells as completed: what it was asked, and what it answered."""

    name: str
    ask: Mapping[str, Any]
    answer: Mapping[str, Any]


@dataclass(frozen=True)
class Taken:
    """An update that a history tells as taken: which event, and its id."""

    name: str
    event_id: str


@dataclass(frozen=True)
class CaseFacts:
    """One run of a workflow, as the server knows it: what has ended may be opened again, by another run.

    `standing`: where the books say that the case stands. `taken`: the updates that it took.
    """

    workflow_id: str
    started: datetime
    status: WorkflowExecutionStatus
    problems: tuple[str, ...]
    standing: Standing | None
    done: tuple[Done, ...]
    taken: tuple[Taken, ...]
    result: Mapping[str, Any]


@dataclass(frozen=True)
class SentMail:
    """A mail that the books note as sent, at that time."""

    key: str
    message_id: str
    at: datetime


@dataclass(frozen=True)
class Kill:
    """A process was ended by SIGKILL: `worker`, `server`, `partner` or `database`."""

    at: datetime
    what: str


@dataclass(frozen=True)
class Evidence:
    """All of it, of one moment at which nothing is under way."""

    effects: Effects
    requests: tuple[RequestRecord, ...]
    orders: tuple[OrderView, ...]
    returns: tuple[ReturnView, ...]
    orphans: tuple[OrphanListed, ...]
    mails: tuple[SentMail, ...]
    cases: tuple[CaseFacts, ...]
    ledger: tuple[EntryListed, ...] = ()
    ledger_faults: tuple[LedgerFault, ...] = ()
    """What `backhaul ledger check` finds."""
    credited: Mapping[str, Decimal] = field(default_factory=dict)
    """Of each claim and review that is approved, by the name of its movement."""
    kills: tuple[Kill, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)
    """Workflow id -> the outcome that its story tells."""


async def gather(
    sandbox: SandboxClient,
    engine: Engine,
    client: Client,
    *,
    tag: str = "",
    kills: tuple[Kill, ...] = (),
    expected: Mapping[str, str] | None = None,
) -> Evidence:
    """Collect the evidence; `tag`: only of orders whose id contains it."""
    reading = Reading(engine)
    with Session(engine) as session:
        order_ids = [row.order_id for row in session.exec(select(OrderRow)) if tag in row.order_id]
        return_ids = [row.return_id for row in session.exec(select(ReturnRow)) if tag in row.order_id]
        mails = tuple(
            SentMail(row.key, row.message_id, row.at)
            for row in session.exec(select(MailRow).order_by(col(MailRow.key)))
            if tag in row.key
        )
        orphan_ids = [row.orphan_id for row in session.exec(select(OrphanRow)) if tag in str(row.request.said)]
        approved = [
            *((f"claim/{row.claim_id}", row.approved) for row in session.exec(select(ClaimRow))),
            *((f"cost_review/{row.review_id}", row.approved) for row in session.exec(select(CostReviewRow))),
        ]
    ledger = Ledger(engine)
    of_orphans = {orphan_workflow_id(orphan_id) for orphan_id in orphan_ids}
    cases = [found async for found in client.list_workflows() if tag in found.id or found.id in of_orphans]
    effects = await sandbox.effects()
    requests = await sandbox.requests()
    return Evidence(
        effects=_of(effects, tag, {mail.message_id for mail in mails}) if tag else effects,
        requests=tuple(record for record in requests if tag in record.path),
        orders=tuple(reading.order_view(order_id) for order_id in order_ids),
        returns=tuple(reading.return_view(return_id) for return_id in return_ids),
        orphans=tuple(reading.orphan(orphan_id) for orphan_id in orphan_ids),
        mails=mails,
        ledger=tuple(one for one in ledger.entries() if tag in (one.order_id or "")),
        ledger_faults=tuple(one for one in ledger.faults()[1] if tag in one.movement),
        credited={name: amount for name, amount in approved if amount is not None and tag in name},
        cases=tuple([await _case(client, reading, found) for found in cases]),
        kills=kills,
        expected=expected or {},
    )


def _of(effects: Effects, tag: str, message_ids: set[str]) -> Effects:
    """The effects of one test's orders."""
    intents = tuple(
        one for one in effects.payment_intents if tag in one.id or tag in one.metadata.get("order_id", "")
    )
    ids = {one.id for one in intents}
    return effects.model_copy(
        update={
            "payment_intents": intents,
            "captures": tuple(one for one in effects.captures if one.payment_intent in ids),
            "refunds": tuple(one for one in effects.refunds if tag in one.metadata.get("order_id", "")),
            "supplier_orders": tuple(one for one in effects.supplier_orders if tag in one.number),
            "rmas": tuple(one for one in effects.rmas if tag in one.return_id),
            "shipments": tuple(one for one in effects.shipments if tag in one.order_id),
            "stops": tuple(one for one in effects.stops if tag in one.order_id),
            "mails": tuple(one for one in effects.mails if one.message_id in message_ids),
        }
    )


async def _case(client: Client, reading: Reading, found: WorkflowExecution) -> CaseFacts:
    handle = client.get_workflow_handle(found.id, run_id=found.run_id)
    description = await handle.describe()
    asked: dict[int, tuple[str, Mapping[str, Any]]] = {}
    done: list[Done] = []
    taken: dict[str, Taken] = {}
    result: Mapping[str, Any] = {}
    decode = client.data_converter.decode
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            scheduled = event.activity_task_scheduled_event_attributes
            (ask,) = await decode(scheduled.input.payloads)
            asked[event.event_id] = (scheduled.activity_type.name, ask)
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            completed = event.activity_task_completed_event_attributes
            (answer,) = await decode(completed.result.payloads)
            done.append(Done(*asked[completed.scheduled_event_id], answer))
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            request = event.workflow_execution_update_accepted_event_attributes.accepted_request
            (said,) = await decode(request.input.args.payloads)
            taken[request.meta.update_id] = Taken(request.input.name, str(said.get("event_id")))
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
            told = event.workflow_execution_update_completed_event_attributes
            answers = await decode(told.outcome.success.payloads)
            if not answers or answers[0].get("accepted") is False:
                del taken[told.meta.update_id]
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            (result,) = await decode(event.workflow_execution_completed_event_attributes.result.payloads)
    assert description.status is not None, "a case has a status"
    return CaseFacts(
        workflow_id=found.id,
        started=found.start_time,
        status=description.status,
        problems=tuple(description.typed_search_attributes.get(PROBLEMS) or ()),
        standing=reading.standing(found.id),
        done=tuple(done),
        taken=tuple(taken.values()),
        result=result,
    )
