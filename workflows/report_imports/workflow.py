"""The import of a report: which facts, which plan, and how each of its effects is done (AMZ-1)."""

from typing import Final

from temporalio import workflow
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.amazon import report_imports as asked
    from models.amazon.report_imports import ReportDue, ReportImportRequest, ReportKind
    from models.case import Ended
    from models.message import Message
    from models.text import summary_of
    from workflows.engine.case import Effect
    from workflows.engine.inbox import receives
    from workflows.engine.procedure import Ask, Procedure
    from workflows.engine.run import Engine, fresh_or_continued
    from workflows.report_imports.effects import (
        AskForReport,
        DownloadReport,
        ImportOrders,
        ImportReturns,
        ImportSettlement,
        LookForReport,
    )
    from workflows.report_imports.events import apply, check
    from workflows.report_imports.facts import ReportImportFacts
    from workflows.report_imports.plan import plan
    from workflows.report_imports.view import facts_in_status, projection, result, view


_REQUEST: Final = {ReportKind.RETURNS: calls.REQUEST_REPORT, ReportKind.ORDERS: calls.REQUEST_ORDER_REPORT}
_READ: Final = {
    ReportKind.RETURNS: calls.READ_REPORT,
    ReportKind.ORDERS: calls.READ_ORDER_REPORT,
    ReportKind.SETTLEMENT: calls.READ_SETTLEMENT,
}


async def perform(f: ReportImportFacts, effect: Effect, ask: Ask) -> Message | None:
    """Do an effect of an import's own."""
    account, import_id = f.request.connection_id, f.request.import_id
    match effect:
        case AskForReport():
            return await ask(_REQUEST[f.kind], asked.RequestReport(connection_id=account))
        case LookForReport():
            look = asked.LookAtReport(connection_id=account, report_id=f.reported_as or "")
            return await ask(calls.LOOK_AT_REPORT, look)
        case DownloadReport():
            document_id = f.stands.document_id if f.stands is not None else None
            read = asked.ReadReport(
                connection_id=account, import_id=import_id, document_id=document_id or "", source=f.request.source
            )
            return await ask(_READ[f.kind], read)
        case ImportReturns():
            take = asked.TakeReturns(
                import_id=import_id,
                connection_id=account,
                start=effect.start,
                returns=f.staged.returns if f.staged is not None else 0,
                since=f.created_at,
            )
            return await ask(calls.TAKE_RETURNS, take)
        case ImportOrders():
            orders = f.staged.orders if f.staged is not None else 0
            tell = asked.TakeOrders(import_id=import_id, connection_id=account, start=effect.start, orders=orders)
            return await ask(calls.TAKE_ORDERS, tell)
        case ImportSettlement():
            amounts = f.staged.amounts if f.staged is not None else 0
            book = asked.BookSettlement(import_id=f.rows_in, start=effect.start, amounts=amounts)
            return await ask(calls.BOOK_SETTLEMENT, book)
    raise AssertionError(f"an import does not know the effect {effect.key}")


PROCEDURE = Procedure(
    kind=contract.REPORT_IMPORT_KIND,
    check=check,
    apply=apply,
    plan=plan,
    view=view,
    facts_in_status=facts_in_status,
    projection=projection,
    perform=perform,
    result=result,
)


@workflow.defn(name=contract.REPORT_IMPORT)
@receives(contract.REPORT_IMPORT_KIND)
class ReportImport:
    """A report, from its file or from Amazon, until each return is started, each order told, or the settlement
    booked (AMZ-1, CAN-7, AMZ-8)."""

    @workflow.init
    def __init__(self, request: ReportImportRequest) -> None:
        self.engine = Engine(PROCEDURE, request, fresh_or_continued(ReportImportFacts, request))

    @workflow.run
    async def run(self, request: ReportImportRequest) -> Ended:
        """Takes the request; gives what became of it."""
        ended = await self.engine.run()
        assert isinstance(ended, Ended)
        return ended


@workflow.defn(name=contract.RETURNS_DUE)
class ReturnsDue:
    """Begins the import of an account's returns when its schedule says so, and waits: a schedule begins none while
    the one before goes on."""

    @workflow.run
    async def run(self, due: ReportDue) -> Ended:
        """Gives what became of the import."""
        return await _imported(due, ReportKind.RETURNS, f"{due.connection_id}.{workflow.now():%Y%m%dT%H%M%SZ}")


@workflow.defn(name=contract.ORDERS_DUE)
class OrdersDue:
    """The same of its orders: which buyers want to cancel (CAN-7)."""

    @workflow.run
    async def run(self, due: ReportDue) -> Ended:
        """Gives what became of the import."""
        at = f"{workflow.now():%Y%m%dT%H%M%SZ}"
        return await _imported(due, ReportKind.ORDERS, f"{due.connection_id}.orders.{at}")


async def _imported(due: ReportDue, kind: ReportKind, import_id: str) -> Ended:
    request = ReportImportRequest(
        import_id=import_id,
        kind=kind,
        connection_id=due.connection_id,
        seller_id=due.seller_id,
        source="Amazon",
    )
    ended: Ended = await workflow.execute_child_workflow(
        contract.REPORT_IMPORT,
        request,
        id=contract.REPORT_IMPORT_KIND.workflow_id(import_id),
        result_type=Ended,
        parent_close_policy=ParentClosePolicy.ABANDON,
        static_summary=summary_of(f"{kind.value.capitalize()} of {due.connection_id} from Amazon"),
    )
    return ended
