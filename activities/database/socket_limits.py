"""A connection to PostgreSQL that gives up on a server that has fallen silent.

The server ends a statement that takes too long, and TCP notices a peer that is gone. Neither notices a frozen
machine, or a proxy or a network on the way that keeps the connection and passes nothing on: the thread that
waits for an answer would hang for ever.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from sqlalchemy import Connection

GRACE_SECONDS: Final = 2.0
"""How long after the server should have given up a statement its silence is taken for good."""
_FIRST_ANSWER_SECONDS: Final = 10.0

Answer = TypeVar("Answer")


class Impatient(psycopg.Connection[TupleRow]):
    """Waits `patience` seconds for the answer to a command, then closes itself; None: for ever."""

    patience: float | None = _FIRST_ANSWER_SECONDS

    def wait(self, gen: PQGen[Answer], interval: float = 0.1, timeout: float | None = None) -> Answer:
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:  # nobody will ever know its answer
                self.pgconn.finish()
            raise


def connect(*arguments: Any, **parameters: Any) -> Impatient:
    """Connect, and be as patient as the server is with statements (`statement_timeout`; 0: for ever)."""
    connection = Impatient.connect(*arguments, **parameters)
    asked = "SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'"
    row = connection.execute(asked).fetchone()
    connection.rollback()
    milliseconds = row[0] if row else 0
    connection.patience = milliseconds / 1000 + GRACE_SECONDS if milliseconds else None
    return connection


@contextmanager
def however_long_it_takes(connection: Connection) -> Iterator[None]:
    """For work that lasts, such as a migration."""
    driver: Any = connection.connection.driver_connection
    before, driver.patience = driver.patience, None
    try:
        yield
    finally:
        driver.patience = before
