"""A case whose workflow task fails is set aside, and a report goes on without it (RET-20, AMZ-1, CAN-7, AMZ-8)."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine
from temporalio.api.workflow.v1 import PendingWorkflowTaskInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.database.report_imports import ReportRegister
from activities.database.settlement_booking import book_some
from activities.database.settlement_refunds import RefundByAmazon
from activities.database.settlement_report import reconciled
from activities.database.transactions import write
from activities.report_imports import settlement_taking, told_cases
from activities.report_imports.order_taking import OrderTaking
from activities.report_imports.settlement_taking import SettlementTaking
from activities.report_imports.taking import ReturnTaking
from activities.report_imports.told_cases import TRIES, ToldCases
from models.connections import amazon_options
from models.failures import PartnerUnavailable
from tests.amazon_account import amazon
from tests.connectors.amazon.order_reports import COLUMNS, WANTED, ordered
from tests.database.amazon_story import AmazonStory
from tests.database.settlement_books import ID, Books, back
from tests.database.story import Story
from tests.database.test_order_taking import found_by


class Failing:
    """A case that answers nothing; its workflow task is tried for the `attempt`th time."""

    def __init__(self, attempt: int, query: BaseException) -> None:
        pending = PendingWorkflowTaskInfo(attempt=attempt)
        self.described = DescribeWorkflowExecutionResponse(pending_workflow_task=pending)
        self.failure = query

    def get_workflow_handle(self, workflow_id: str) -> "Failing":
        return self

    async def query(self, *_: Any, **__: Any) -> None:
        raise self.failure

    async def execute_update(self, *_: Any, **__: Any) -> None:
        raise WorkflowUpdateRPCTimeoutOrCancelledError

    async def describe(self, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(raw_description=self.described)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told_cases, "_LOOK_SECONDS", 0.01)


FAILED = RPCError("Workflow Task in failed state", RPCStatusCode.FAILED_PRECONDITION, b"")


def orders_of(at: AmazonStory, attempt: int, tries: int, query: BaseException = FAILED) -> OrderTaking:
    cases = ToldCases(Failing(attempt, query), at.engine, "queue", "acme", tries)  # type: ignore[arg-type]
    return OrderTaking(cases, at.engine, amazon_options(amazon()))


@pytest.mark.parametrize("query", [FAILED, TimeoutError()], ids=["failed", "silent"])
def test_CAN_7_an_order_that_fails_is_set_aside_after_some_tries(
    story: Story, engine: Engine, query: BaseException
) -> None:
    at = AmazonStory(story, engine)
    found_by(at, "order-1001")
    rows = tuple(ordered([WANTED], COLUMNS))
    with pytest.raises(PartnerUnavailable):
        asyncio.run(orders_of(at, 9, TRIES - 1, query).take(rows))
    with pytest.raises(PartnerUnavailable):
        asyncio.run(orders_of(at, 1, TRIES, query).take(rows))
    taken = asyncio.run(orders_of(at, 9, TRIES, query).take(rows))
    assert taken.counted.rejected == 1
    (row,) = taken.rejected
    assert row.reason == (
        "set aside: order-1001 does not answer, for its workflow task fails (8 times in a row): have it mended"
    )


def test_AMZ_1_a_return_that_fails_is_set_aside_too(story: Story, engine: Engine) -> None:
    cases = ToldCases(Failing(9, FAILED), engine, "queue", "acme", TRIES)  # type: ignore[arg-type]
    returns = ReturnTaking(Failing(9, FAILED), engine, cases, amazon_options(amazon()))  # type: ignore[arg-type]
    with pytest.raises(told_cases.CaseFails, match="set aside: return-RR-1"):
        asyncio.run(returns._status("RR-1"))


def test_AMZ_8_a_settlement_goes_on_without_a_return_that_fails(
    story: Story, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = Books(story, engine)
    staged = books.staged([back("10.00")], "-10.00")
    write(engine, lambda session: book_some(session, staged.import_id, 10))
    by_amazon = RefundByAmazon(0, 3, "111-1234567-1234567", "12345678901234", 1000, "RR-1", None)
    monkeypatch.setattr(settlement_taking, "refunds_by_amazon", lambda *_: [by_amazon])

    async def take(tries: int) -> Any:
        return await SettlementTaking(Failing(9, FAILED), engine, staged.import_id, tries).take(0)  # type: ignore[arg-type]

    with pytest.raises(ApplicationError):
        asyncio.run(take(TRIES - 1))
    end, counted = asyncio.run(take(TRIES))
    assert (end, counted.rejected) == (1, 1)
    (row,) = ReportRegister(engine).rejected(staged.import_id, 10)
    assert (row.line, row.reason[:24]) == (3, "set aside: return-RR-1 d")
    (one,) = reconciled(engine, ID).differences
    assert (one.what, one.return_id, one.note) == ("unexpected", None, row.reason)
