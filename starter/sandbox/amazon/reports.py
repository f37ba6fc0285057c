"""Reports 2021-06-30: made when they are asked for, or there already (settlements)."""

from datetime import datetime, timedelta
from typing import Any, Final

from starter.sandbox.amazon.books import AmazonBooks, Content, Report, ReportSeeded
from starter.sandbox.amazon.errors import invalid, no_such
from starter.sandbox.amazon.facts import AmazonReportSeed
from starter.sandbox.amazon.feeds import document_answer
from starter.sandbox.amazon.wire_forms import listed, moment, moment_in, text_of, texts_of
from starter.sandbox.wire import Answer, Asked

_NOT_TO_BE_ASKED_FOR: Final = "GET_V2_SETTLEMENT_REPORT_DATA"
_LONGEST_RETURNS: Final = timedelta(days=60)


class Reports:
    """Of all accounts."""

    def __init__(self, books: AmazonBooks) -> None:
        self._books = books
        self._store = books.store

    def create(self, asked: Asked) -> Answer:
        report_type = text_of(asked.body, "reportType")
        if report_type.startswith(_NOT_TO_BE_ASKED_FOR):
            raise invalid("Settlement reports can't be requested.")
        start = moment_in(asked.body.get("dataStartTime"))
        end = moment_in(asked.body.get("dataEndTime"))
        reach = timedelta() if start is None else (end or self._store.now()) - start
        if "RETURNS_DATA" in report_type and reach > _LONGEST_RETURNS:
            raise invalid("A returns report reaches over 60 days at most.")
        marketplaces = texts_of(asked.body, "marketplaceIds", most=25)
        report = self._made(asked.parts["account"], self._books.report_seed(report_type), marketplaces, start, end)
        return Answer(202, {"reportId": report.id}, changed=True)

    def get(self, asked: Asked) -> Answer:
        report = self._store.get(Report, asked.parts["id"], asked.parts["account"])
        if report is None:
            raise no_such("report")
        return Answer(200, self._as_json(report))

    def find(self, asked: Asked) -> Answer:
        account = asked.parts["account"]
        self._make_ready(account)
        every = self._store.find(Report, space=account)
        return listed(asked, "reports", [(one.created, one.report_type, self._as_json(one)) for one in every])

    def get_document(self, asked: Asked) -> Answer:
        return document_answer(self._books, asked, "reportDocumentId")

    def _make_ready(self, account: str) -> None:
        """What was seeded as ready is there for each account that looks."""
        for seeded in self._store.find(ReportSeeded):
            id = f"{int.from_bytes(seeded.id.encode()[-6:])}"
            if seeded.seed.account not in (None, account):
                continue
            if seeded.seed.ready and self._store.get(Report, id, account) is None:
                at = seeded.at - timedelta(days=seeded.seed.days_ago)
                self._made(account, seeded.seed, (), None, None, id=id, at=at)

    def _made(
        self,
        account: str,
        seed: AmazonReportSeed,
        marketplaces: tuple[str, ...],
        start: datetime | None,
        end: datetime | None,
        id: str | None = None,
        at: datetime | None = None,
    ) -> Report:
        """Its content is that of now: what is seeded later is another report's."""
        content = Content(
            id=self._books.new_id("D"),
            space=account,
            content=seed.content.encode().decode("latin-1"),
            gzip=seed.gzip,
        )
        self._store.put(content)
        behaviour, now = self._books.behaviour, at or self._store.now()
        begins = now if seed.ready else now + self._books.quickened(behaviour.queue_seconds)
        report = Report(
            id=id or self._books.number("report"),
            space=account,
            report_type=seed.report_type,
            marketplaces=marketplaces,
            start=start,
            end=end,
            created=now,
            begins=begins,
            ends=begins if seed.ready else begins + self._books.quickened(behaviour.progress_seconds),
            document_id=content.id,
            result=seed.status,
        )
        self._store.put(report)
        return report

    def _as_json(self, report: Report) -> dict[str, Any]:
        now = self._store.now()
        is_over = now >= report.ends
        status = report.result if is_over else "IN_QUEUE" if now < report.begins else "IN_PROGRESS"
        body: dict[str, Any] = {
            "reportId": report.id,
            "reportType": report.report_type,
            "createdTime": moment(report.created),
            "processingStatus": status,
        }
        if report.marketplaces:
            body["marketplaceIds"] = list(report.marketplaces)
        for name, at in (("dataStartTime", report.start), ("dataEndTime", report.end)):
            if at is not None:
                body[name] = moment(at)
        if status != "IN_QUEUE":
            body["processingStartTime"] = moment(report.begins)
        if is_over:
            body["processingEndTime"] = moment(report.ends)
        if status == "DONE":
            body["reportDocumentId"] = report.document_id
        return body
