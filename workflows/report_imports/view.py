"""What people and the database see of an import beside stage, waits and timeline (AMZ-1)."""

from typing import Any

from models import contract
from models.amazon.report_imports import SaveReportImport
from models.calls import SAVE_REPORT_IMPORT, Call
from models.case import CaseRecord, Ended
from models.message import Message
from workflows.engine.plan import Plan
from workflows.engine.procedure import CaseView
from workflows.report_imports.facts import ReportImportFacts


def view(f: ReportImportFacts, plan: Plan) -> CaseView:
    """It is of a seller, and of no order."""
    return CaseView(is_kept=True, attributes={contract.ORDER_ID.name: None}, deadlines={})


def projection(f: ReportImportFacts, record: CaseRecord) -> tuple[Call[Any, Any], Message]:
    """Where it stands, and what became of the returns so far."""
    return SAVE_REPORT_IMPORT, SaveReportImport(
        record=record.model_copy(update={"order_id": "", "numbers": ()}),
        import_id=f.request.import_id,
        kind=f.kind,
        connection_id=f.request.connection_id,
        source=f.request.source,
        counted=f.counted,
    )


def facts_in_status(f: ReportImportFacts) -> dict[str, Any]:
    """As the query `status` tells them."""
    staged = f.staged
    return {
        "import_id": f.request.import_id,
        "connection_id": f.request.connection_id,
        "source": f.request.source,
        "report_id": f.reported_as,
        "kind": f.kind.value,
        "cases": staged.cases if staged is not None else None,
        "done": f.position,
        "counted": f.counted.model_dump(mode="json"),
    }


def result(f: ReportImportFacts) -> Ended:
    """What the workflow gives when it has ended."""
    return Ended(workflow_id=f.case_id, outcome=f.outcome or "", message=f.closing_message)
