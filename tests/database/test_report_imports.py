"""A report in the database: read before its first return starts, in bounded memory, then forgotten (AMZ-1)."""

import io

import pytest
from sqlalchemy import Engine

from activities.database.report_imports import ReportRegister, save_report_import
from activities.database.transactions import write
from activities.report_imports import staging
from activities.report_imports.staging import stage_orders, stage_returns
from models.amazon.report_imports import ReportCounted, ReportKind, SaveReportImport, StagedReport
from models.failures import InvalidInput
from tests.connectors.amazon import order_reports
from tests.connectors.amazon.returns_reports import BRAKE_PADS, tab_separated
from tests.database.story import Story, case_record


@pytest.fixture
def register(story: Story, engine: Engine) -> ReportRegister:
    story.connected("acme-na", "seller:acme")
    return ReportRegister(engine)


def rows(count: int, **said: str) -> list[dict[str, str]]:
    return [{**BRAKE_PADS, "Order ID": f"111-{number:07d}-0000001", **said} for number in range(count)]


def staged(register: ReportRegister, *content: dict[str, str]) -> StagedReport:
    return stage_returns(register, "acme-na.1", "acme-na", "returns.txt", io.BytesIO(tab_separated(content)))


def test_AMZ_1_rows_are_kept_some_at_a_time_and_staging_again_begins_anew(
    register: ReportRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "_AT_A_TIME", 3)
    told = [*rows(8), *rows(5, **{"Return quantity": "one"})]
    for _ in range(2):
        assert staged(register, *told) == StagedReport(returns=8, rejected=5)
    kept = register.returns("acme-na.1", 6, 10)
    assert [units[0].said.order_id for units in kept] == ["111-0000006-0000001", "111-0000007-0000001"]
    assert kept[0][0].said.requested_on is not None, "what comes back is what was read"
    rejected = list(register.every_rejected("acme-na.1"))
    assert [(one.line, one.column) for one in rejected] == [(line, "Return quantity") for line in range(10, 15)]
    assert rejected[0].cells["Return quantity"] == "one", "it is kept to be corrected"


def test_AMZ_1_what_is_taken_otherwise_is_told_and_a_damaged_report_starts_none(register: ReportRegister) -> None:
    assert staged(register, *[BRAKE_PADS] * 3) == StagedReport(returns=1)
    (note,) = register.rejected("acme-na.1", 10)
    assert "2 were ordered" in note.reason
    with pytest.raises(InvalidInput):
        stage_returns(register, "acme-na.1", "acme-na", "x", io.BytesIO(b"order-id\tpurchase-date\n"))
    assert register.returns("acme-na.1", 0, 10) == []


def test_AMZ_1_an_import_that_is_over_keeps_its_counts_and_no_returns(
    register: ReportRegister, engine: Engine
) -> None:
    staged(register, *rows(2))
    ask = SaveReportImport(
        record=case_record("report-import-acme-na.1", "imported", "done", ended=True, order_id=""),
        import_id="acme-na.1",
        kind=ReportKind.RETURNS,
        connection_id="acme-na",
        source="returns.txt",
        counted=ReportCounted(created=2),
    )
    write(engine, lambda session: save_report_import(session, ask))
    assert register.returns("acme-na.1", 0, 10) == []
    (found,) = register.latest(5)
    assert (found.import_id, found.stage, found.counted.created) == ("acme-na.1", "imported", 2)


def test_CAN_7_of_an_order_report_only_orders_that_hear_something_are_kept(
    register: ReportRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "_AT_A_TIME", 2)
    numbers = [f"111-{number:07d}-0000001" for number in range(9)]
    told = [order_reports.BRAKE_PADS | {"order-id": number} for number in numbers]
    told[2:5] = [row | order_reports.WANTED for row in told[2:5]]
    told[8] |= {"is-buyer-requested-cancellation": ""}
    bad = order_reports.BRAKE_PADS | {"order-id": "1"}
    content = order_reports.order_report([*told, bad, told[3] | {"order-item-id": "2"}])
    for _ in range(2):
        found = stage_orders(register, "acme-na.2", "acme-na", "orders.txt", io.BytesIO(content))
        assert found == StagedReport(
            orders=3, rejected=1, skipped={"without a request": 5, "of which it is not said": 1}
        )
    kept = register.orders("acme-na.2", 1, 10)
    assert [[(one.order_id, one.order_item_id) for one in items] for items in kept] == [
        [(numbers[3], "10000000000001"), (numbers[3], "2")],
        [(numbers[4], "10000000000001")],
    ]
    assert [(one.line, one.column) for one in register.every_rejected("acme-na.2")] == [(11, "order-id")]
    (listed,) = register.latest(5)
    assert listed.kind is ReportKind.ORDERS
