"""Others quote what they were sent: the database a row, a partner an address, a parser its input. We do not."""

import io
import logging
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.connectors.channels import Channels
from activities.database.engines import make_engine
from activities.database.transactions import write
from models.converter import DATA_CONVERTER
from models.failures import BackhaulError
from tests.chaos.postgres import Postgres
from tests.connections import connections
from tests.connectors.test_partner_failures import TRACKING
from tests.security.buyer import EMAIL, NAME, STREET, said
from tests.security.sample_cases import QUOTING, logging_to


def kept_of(error: Exception) -> str:
    """What a history and the worker's log keep of a failed activity."""
    failure = Failure()
    DATA_CONVERTER.failure_converter.to_failure(error, DATA_CONVERTER.payload_converter, failure)
    log = io.StringIO()
    with logging_to(log):
        logging.getLogger("temporalio.activity").warning("Completing activity as failed", exc_info=error)
    assert "Completing activity as failed" in log.getvalue()
    return f"{failure} {log.getvalue()}"


@pytest.fixture(scope="module")
def books(postgres: Postgres) -> Iterator[Engine]:
    engine = make_engine(postgres.url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("insert", "kind"),
    [
        ("INSERT INTO person VALUES (:name, NULL, 1)", "NotNullViolation"),
        ("INSERT INTO person VALUES (:name, :email, 1), (:name, :email, 1)", "UniqueViolation"),
        ("INSERT INTO person VALUES (:name, :email, -1)", "CheckViolation"),
        (
            "INSERT INTO person VALUES (:name, :email, CAST(:name || :name AS integer))",
            "InvalidTextRepresentation",
        ),
        ("INSERT INTO person VALUES (:name, :email, 1, :name)", "SyntaxError"),
    ],
)
def test_a_row_that_postgresql_quotes_is_in_no_failure(books: Engine, insert: str, kind: str) -> None:
    def work(session: Session) -> None:
        session.execute(
            text(
                "CREATE TEMP TABLE person (name text NOT NULL, email text PRIMARY KEY, age int CHECK (age > 0)) "
                "ON COMMIT DROP"
            )
        )
        session.execute(text(insert), {"name": f"{NAME}, {STREET}", "email": EMAIL})

    with pytest.raises(BackhaulError) as raised:
        write(books, work)
    assert kind in str(raised.value)
    assert said(kept_of(raised.value)) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
@pytest.mark.parametrize(
    "body",
    [
        QUOTING,
        f'{{"error": {{"code": "{QUOTING}", "message": "{QUOTING}", "type": "{QUOTING}"}}}}',
        f'{{"{NAME}": ["{STREET}"], "error": "{QUOTING}", "shipments": "{NAME}"}}',
    ],
    ids=["text", "an error", "another form"],
)
async def test_a_partner_that_quotes_the_buyer_is_in_no_failure(status: int, body: str) -> None:
    answer = httpx.Response(status, text=body)
    shop = Channels(connections(httpx.MockTransport(lambda _: answer)))
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(shop.announce_tracking, TRACKING)
    assert said(kept_of(raised.value)) == []
