"""How the steps of a batch reach the database, the account at Amazon, and the refunds that hear of it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, TypeVar

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.connectors.access import Access
from activities.connectors.amazon.calls import Rates
from activities.connectors.amazon.client import Amazon
from activities.connectors.connections import Connections
from models.amazon.queue import QueueKind, word_of
from models.contract import GATEWAY_UPDATE
from models.failures import HANDLING, BackhaulError, Category
from models.ids import refund_workflow_id
from models.tables import AmazonQueueRow

Answer = TypeVar("Answer")

WITHIN: Final = timedelta(seconds=15)
"""The Temporal server answers."""
_TOLD_AT_ONCE: Final = 20
"""Refunds that are told side by side."""


class AmazonAccess:
    """Of one worker. Errors are those that Temporal tries again, or not, by their category."""

    def __init__(self, client: Client, engine: Engine, connections: Connections, rates: Rates) -> None:
        self.client = client
        self._engine = engine
        self._connections = connections
        self._rates = rates

    async def account(self, connection_id: str) -> Amazon:
        """The account of this connection."""
        connection = await self._connections.named(connection_id)

        def build(access: Access) -> Amazon:
            return Amazon(access, self._rates)

        return await self._connections.client(connection, build)

    async def do(
        self,
        in_transaction: Callable[[Engine, Callable[[Session], Answer]], Answer],
        work: Callable[[Session], Answer],
    ) -> Answer:
        """In one transaction, in a thread."""
        try:
            return await asyncio.to_thread(in_transaction, self._engine, work)
        except BackhaulError as error:
            final = not HANDLING[error.category].retried
            raise ApplicationError(str(error), type=error.category.value, non_retryable=final) from None

    async def tell(self, entries: Sequence[AmazonQueueRow], cause: str) -> None:
        """Each refund hears how its entry stands, as a gateway's word, of each `cause` once; one that is over
        needs none, it looks by itself."""
        turns = asyncio.Semaphore(_TOLD_AT_ONCE)

        async def tell(row: AmazonQueueRow) -> None:
            word = word_of(row.entry_id, row.state, row.reason, cause)
            handle = self.client.get_workflow_handle(refund_workflow_id(row.entry_id))
            async with turns:
                try:
                    await handle.signal(GATEWAY_UPDATE, word, rpc_timeout=WITHIN)
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise later(error) from None

        await asyncio.gather(*(tell(row) for row in entries if row.kind is QueueKind.REFUND))


def later(error: RPCError) -> ApplicationError:
    """The Temporal server does not answer: it is tried again."""
    why = f"the Temporal server says {error.status.name}"
    return ApplicationError(why, type=Category.PARTNER_UNAVAILABLE.value)
