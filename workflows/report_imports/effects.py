"""What the import of a report does beside its mails."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models.amazon.report_imports import ReportKind
from models.case import Who
from workflows.engine.case import Effect, Note, SendMail


class AskForReport(Effect):
    """Have Amazon make the report."""

    kind: Literal["ask_for_report"] = "ask_for_report"
    who: ClassVar[Who] = Who.SHOP
    key: str = "ask-for-report"
    of: ReportKind = ReportKind.RETURNS

    @property
    def summary(self) -> str:
        return f"ask Amazon for the {self.of.report}"


class LookForReport(Effect):
    """See whether Amazon has made it."""

    kind: Literal["look_for_report"] = "look_for_report"
    who: ClassVar[Who] = Who.SHOP
    of: ReportKind = ReportKind.RETURNS

    @property
    def summary(self) -> str:
        return f"look whether the {self.of.report} is there"


class DownloadReport(Effect):
    """Read it, and keep its rows."""

    kind: Literal["download_report"] = "download_report"
    quick: ClassVar[bool] = False
    who: ClassVar[Who] = Who.SHOP
    key: str = "download"
    of: ReportKind = ReportKind.RETURNS

    @property
    def summary(self) -> str:
        return f"download the {self.of.report}"


class ImportReturns(Effect):
    """Start the returns from this position on, or tell them what is new."""

    kind: Literal["import_returns"] = "import_returns"
    quick: ClassVar[bool] = False
    start: int

    @property
    def summary(self) -> str:
        return f"import the returns from number {self.start + 1} on"


class ImportOrders(Effect):
    """Tell the orders from this position on what the report says of them."""

    kind: Literal["import_orders"] = "import_orders"
    quick: ClassVar[bool] = False
    start: int

    @property
    def summary(self) -> str:
        return f"tell the orders from number {self.start + 1} on"


class ImportSettlement(Effect):
    """Book the amounts of a settlement from this position on (AMZ-8)."""

    kind: Literal["import_settlement"] = "import_settlement"
    quick: ClassVar[bool] = False
    start: int

    @property
    def summary(self) -> str:
        return f"book the settlement from amount {self.start + 1} on"


ImportEffect = Annotated[
    Note
    | SendMail
    | AskForReport
    | LookForReport
    | DownloadReport
    | ImportReturns
    | ImportOrders
    | ImportSettlement,
    Field(discriminator="kind"),
]
