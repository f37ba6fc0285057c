"""What most commands need: the books, open or not, and the case that a number means (RET-17)."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine

from activities.database import Parties, Reading, open_database
from models.environment import settings_from_environment
from models.failures import BackhaulError, Conflict, InvalidInput, NotFound, Problem
from models.ids import (
    CaseId,
    batch_workflow_id,
    claim_workflow_id,
    cost_review_workflow_id,
    order_workflow_id,
    orphan_workflow_id,
    refund_workflow_id,
    return_workflow_id,
)

_CASE_ID: TypeAdapter[str] = TypeAdapter(CaseId)


@contextmanager
def opened_books() -> Iterator[Engine]:
    """The books of this installation. Raises what `open_books` raises."""
    engine = open_database(settings_from_environment())
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def books() -> Iterator[Reading]:
    """The books, to read. Raises what `open_books` raises."""
    with opened_books() as engine:
        yield Reading(engine)


@contextmanager
def books_if_there() -> Iterator[Reading | None]:
    """The books, to read; none when they can't be opened here: Temporal knows running cases without them."""
    try:
        engine = open_database(settings_from_environment())
    except BackhaulError:
        yield None
        return
    try:
        yield Reading(engine)
    finally:
        engine.dispose()


@contextmanager
def parties() -> Iterator[Parties]:
    """The sellers and suppliers. Raises what `open_books` raises."""
    with opened_books() as engine:
        yield Parties(engine)


def order_case(number: str) -> str:
    """The workflow id of an order. Raises InvalidInput when it can't be an order's number."""
    return order_workflow_id(_checked(number, "order"))


def refund_case(number: str) -> str:
    """The workflow id of a refund. Raises InvalidInput when it can't be a refund's number."""
    return refund_workflow_id(_checked(number, "refund"))


def orphan_case(number: str) -> str:
    """The workflow id of an orphan, of its number or of itself. Raises InvalidInput when it can be neither."""
    return orphan_workflow_id(_checked(number.removeprefix("orphan-"), "orphan"))


def cost_review_case(number: str) -> str:
    """The workflow id of a supplier-cost review. Raises InvalidInput when it can't be a review's number."""
    return cost_review_workflow_id(_checked(number.removeprefix("cost-review-"), "cost review"))


def claim_case(number: str) -> str:
    """The workflow id of a claim. Raises InvalidInput when it can't be a claim's number."""
    return claim_workflow_id(_checked(number.removeprefix("claim-"), "claim"))


def batch_case(number: str) -> str:
    """The workflow id of a batch, of its id or of itself. Raises InvalidInput when it can be neither."""
    return batch_workflow_id(_checked(number.removeprefix("batch-"), "batch"))


def return_case(number: str) -> str:
    """The workflow id of the return that has this number: RR id, RMA, order, tracking, ...

    Raises Conflict that lists the candidates when there are several, InvalidInput when it can't be a number.
    """
    found = returns_numbered(number)
    if not found:
        # Perhaps just started, and not in the books yet; or these are not its books.
        return return_workflow_id(_checked(number, "return"))
    if len(found) > 1:
        raise Conflict(f"{number} is the number of {len(found)} returns: {', '.join(found)}; say which")
    return return_workflow_id(found[0])


def returns_numbered(number: str) -> list[str]:
    """RR ids of the returns that have this number; an RR id itself means only that one (RET-17)."""
    with books_if_there() as reading:
        if reading is None:
            return []
        try:
            found = [listed.return_id for listed in reading.find_return(number)]
        except NotFound:
            return []
    return [number] if number in found else found


def _checked(number: str, what: str) -> str:
    try:
        return _CASE_ID.validate_python(number)
    except ValidationError:
        raise InvalidInput(
            f"{what} {number[:100]!r}",
            [Problem("NUMBER", "letters, digits, `.`, `_` and `-`, at most 100, the first a letter or a digit")],
        ) from None
