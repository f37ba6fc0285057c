"""Settlements by schedule: each that Amazon has made of an account is imported once, the oldest first (AMZ-8). No
case."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.amazon.report_imports import (
        FindSettlements,
        ReportDue,
        ReportImportRequest,
        ReportKind,
        settlement_import_id,
    )
    from models.case import Ended, Who
    from models.partners import Mail, Recipient
    from models.text import summary_of
    from workflows.engine.calls import Setback, ask
    from workflows.engine.mail import deliver
    from workflows.engine.procedure import CouldNot

_LOOK: Final = "look for settlements at Amazon"
_TURN: Final = timedelta(hours=1)
"""So long a settlement has, before the next one begins too: one that is held up makes no other wait for ever."""


@workflow.defn(name=contract.SETTLEMENTS_DUE)
class SettlementsDue:
    """One turn of the schedule: which settlements are there, and the import of each, one after the other."""

    def __init__(self) -> None:
        self._alert: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, due: ReportDue) -> None:
        """Whatever became of one, the next one is imported."""
        found = await ask(
            calls.FIND_SETTLEMENTS,
            FindSettlements(connection_id=due.connection_id),
            _LOOK,
            seller_id=due.seller_id,
            troubled=lambda why: self._troubled(due, why),
        )
        for report_id in found.report_ids:
            await _imported(due, report_id)
        if self._alert is not None:
            await self._alert

    def _troubled(self, due: ReportDue, why: Setback) -> None:
        """Staff hear once that nobody knows which settlements there are; it is tried on."""
        if why.alert and self._alert is None:
            self._alert = asyncio.create_task(_tell_staff(due, why.reason))


async def _imported(due: ReportDue, report_id: str) -> None:
    """Begins its import, unless an earlier turn did, and gives it its time."""
    import_id = settlement_import_id(due.connection_id, report_id)
    request = ReportImportRequest(
        import_id=import_id,
        kind=ReportKind.SETTLEMENT,
        connection_id=due.connection_id,
        seller_id=due.seller_id,
        source="Amazon",
        report_id=report_id,
    )
    try:
        begun = await workflow.start_child_workflow(
            contract.REPORT_IMPORT,
            request,
            id=contract.REPORT_IMPORT_KIND.workflow_id(import_id),
            result_type=Ended,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=ParentClosePolicy.ABANDON,
            static_summary=summary_of(f"Settlement of {due.connection_id} from Amazon"),
        )
    except WorkflowAlreadyStartedError:
        return
    over, _ = await workflow.wait([begun], timeout=_TURN.total_seconds())
    for one in over:
        one.exception()  # what became of it stands in its own case


async def _tell_staff(due: ReportDue, why: str) -> None:
    info = workflow.info()
    mail = Mail(
        key=f"{info.workflow_id}:{info.first_execution_run_id}:alert",
        template="staff_alert",
        to=Recipient.STAFF,
        order_id=due.connection_id,
        seller_id=due.seller_id,
        facts={
            "what": f"{_LOOK}: no success yet ({why}); it is tried again",
            "who_acts": Who.SHOP.value,
            "case": info.workflow_id,
            "since": workflow.now().isoformat(),
        },
    )
    try:
        await deliver(mail, "E-mail staff: settlements can't be looked for")
    except CouldNot:
        return
