"""What answers make of the facts of an import; it hears no events."""

from models.failures import NotFound
from models.message import Event, Message
from workflows.engine.case import Answered
from workflows.engine.common_facts import apply_common
from workflows.report_imports.effects import (
    AskForReport,
    DownloadReport,
    ImportOrders,
    ImportReturns,
    ImportSettlement,
    LookForReport,
)
from workflows.report_imports.facts import ReportImportFacts


def check(f: ReportImportFacts, event: Event) -> None:
    """Raises NotFound: nobody has anything to say to it."""
    raise NotFound("the import of a report hears no events")


def apply(f: ReportImportFacts, fact: Message) -> ReportImportFacts:
    """The facts after this one."""
    match fact:
        case Answered(effect=AskForReport()):
            asked = f.finish(fact.effect).with_(report_id=fact.answer.report_id, asked_for_at=f.now)
            return asked.step(f"Amazon makes report {fact.answer.report_id}")
        case Answered(effect=LookForReport()):
            return f.finish(fact.effect).with_(looks=f.looks + 1, looked_at=f.now, stands=fact.answer)
        case Answered(effect=DownloadReport()):
            staged = fact.answer
            read = f.finish(fact.effect).with_(downloaded=staged)
            return read.step(staged.refused or f"downloaded: {staged.cases} {f.kind.value}")
        case Answered(effect=ImportReturns() | ImportOrders() | ImportSettlement()):
            taken = f.taken + fact.answer.counted
            return f.finish(fact.effect).with_(taken=taken, position=fact.answer.next)
    return apply_common(f, fact)
