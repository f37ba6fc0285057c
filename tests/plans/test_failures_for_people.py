"""What a refusal looks like to its reader: words, and nothing of where the code lies (architecture 9)."""

import pytest
from pydantic import SecretStr
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.exceptions import ActivityError, ApplicationError, RetryState

from models.converter import ANSWERS, DATA_CONVERTER, data_converter
from models.encryption import new_key
from models.failures import Category, RefusedByRule
from models.settings import Settings
from workflows.engine.inbox import refusal

CONVERTERS = [
    DATA_CONVERTER,
    data_converter(Settings(_env_file=None, payload_keys=SecretStr(new_key("k1")))),
]


def raised(error: ApplicationError) -> BaseException:
    """With the traceback that it has when it was raised."""
    try:
        raise error
    except ApplicationError as caught:
        return caught


async def written(converter: DataConverter, error: BaseException) -> Failure:
    failure = Failure()
    converter.failure_converter.to_failure(error, converter.payload_converter, failure)
    return failure


def said(converter: DataConverter, failure: Failure) -> Failure:
    """As it is read again by who may decode it."""
    again = Failure()
    error = converter.failure_converter.from_failure(failure, converter.payload_converter)
    assert isinstance(error, ApplicationError)
    assert error.failure is not None
    again.CopyFrom(error.failure)
    return again


@pytest.mark.parametrize("converter", CONVERTERS, ids=["plain", "encrypted"])
async def test_a_refusal_has_no_stack_trace(converter: DataConverter) -> None:
    failure = await written(converter, raised(refusal(RefusedByRule("REF-3", "over the cap"))))
    told = said(converter, failure)
    assert told.message == "over the cap (REF-3)"
    assert told.stack_trace == ""
    assert told.application_failure_info.type == "RefusedByRule"


@pytest.mark.parametrize("category", sorted(ANSWERS))
async def test_no_answer_of_any_kind_has_one(category: str) -> None:
    failure = await written(DATA_CONVERTER, raised(ApplicationError("no", type=category)))
    assert failure.stack_trace == ""


async def test_a_fault_of_ours_says_where_it_is() -> None:
    failure = await written(DATA_CONVERTER, raised(ApplicationError("oops", type=Category.INTERNAL.value)))
    assert "test_failures_for_people" in failure.stack_trace


async def test_nor_has_a_refusal_that_stands_behind_another_failure() -> None:
    outer = ActivityError(
        "activity failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="refund",
        activity_id="1",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    outer.__cause__ = raised(refusal(RefusedByRule("REF-3", "over the cap")))
    failure = await written(DATA_CONVERTER, outer)
    assert failure.cause.stack_trace == ""
