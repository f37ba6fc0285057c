"""A seller's account at the sandbox's Amazon, orders of it, and refunds that wait in its queue."""

import asyncio
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col
from typer.testing import CliRunner, Result

from activities.database import ConnectionRegister
from activities.database.amazon_queue import AmazonQueue, QueueFilter, queue_cancellation
from activities.database.transactions import write
from models.amazon.batches import ChannelBatchRequest, batch_id_at
from models.amazon.queue import QueueKind, QueueListed
from models.amazon.resends import SHOWN_WITHIN
from models.ids import batch_workflow_id
from models.parties import Seller
from models.partners import StopShipping
from models.tables import AmazonQueueRow
from starter.cli.assembly import app
from starter.client.start import open_batch
from tests.amazon_account import amazon
from tests.case_story import CaseStory, OrderStory
from tests.eventually import eventually
from tests.world import World

CREATE_FEED = r"POST .*/feeds$"
"""The call of Amazon that has no key."""


REFUSED_AND_MOVED = "D777777"
"""How refunds end that Amazon refuses, and makes all the same."""


class AmazonAccount:
    """`queue`: refunds wait for a person; otherwise they go at once."""

    def __init__(self, world: World, seller: Seller, connection_id: str, key: Path) -> None:
        self.world, self.seller, self.connection_id, self.key = world, seller, connection_id, key
        self.find_key()

    def find_key(self) -> None:
        self.key.write_text(self.token)

    def lose_key(self) -> None:
        """Nothing of this account is told Amazon until it is there again."""
        self.key.unlink()

    async def order(self) -> OrderStory:
        """One that stands in its cancel window."""
        order = await self.begin_order()
        await order.reaches("cancel_window")
        return order

    async def begin_order(self) -> OrderStory:
        """Two units of 50.00, paid at Amazon."""
        world = self.world
        supplier, sku = await world.supplier(), world.sku()
        await world.stock(sku, 10, supplier)
        number = next(world.numbers)
        line = {"line_id": f"{int(world.tag, 16) % 10**10:010d}{number:04d}", "sku": sku, "quantity": 2}
        return await world.order(
            self.seller,
            line,
            channel="amazon",
            channel_order_id=f"111-{int(world.tag, 16) % 10_000_000:07d}-{number:07d}",
            payment={"paid_by": "marketplace", "amount": "100.00", "currency": "USD"},
        )

    async def set(self, **options: str) -> None:
        """Change the account's settings."""
        register = ConnectionRegister(self.world.engine)
        before = register.get(self.connection_id)
        register.put([before.model_copy(update={"options": before.options | options})])

    async def is_active(self, *, is_so: bool) -> None:
        register = ConnectionRegister(self.world.engine)
        register.put([register.get(self.connection_id).model_copy(update={"active": is_so})])

    async def waits_since(self, length: timedelta) -> None:
        """What is queued has waited so long."""
        earlier = datetime.now(UTC) - length
        rows = update(AmazonQueueRow).where(col(AmazonQueueRow.connection_id) == self.connection_id)
        await asyncio.to_thread(
            write, self.world.engine, lambda session: session.execute(rows.values(changed_at=earlier))
        )

    async def refund(self, order: OrderStory, amount: str = "5.00", **more: Any) -> CaseStory:
        refund = await self.world.refund(order, amount=amount, **more)
        await refund.reaches("pending")
        return refund

    async def cancels(self, order: OrderStory, reason: str) -> None:
        """As an order does that is cancelled, where no shop passes it on."""
        ask = StopShipping(order_id=order.id, seller_id=self.seller.seller_id, channel="amazon", reason=reason)
        await asyncio.to_thread(
            write, self.world.engine, lambda session: queue_cancellation(session, self.connection_id, ask)
        )

    async def says(self, *words: str) -> Result:
        """`backhaul amazon queue ...`"""
        return await self.types("queue", *words)

    async def types(self, *words: str) -> Result:
        """`backhaul amazon ...`"""
        environment = {
            "TEMPORAL_ADDRESS": self.world.client.service_client.config.target_host,
            "TEMPORAL_CONFIG_FILE": os.devnull,
            "DATABASE_URL": self.world.settings.database_url.get_secret_value(),
        }
        return await asyncio.to_thread(CliRunner().invoke, app, ["amazon", *words], env=environment)

    async def process(self, *refunds: CaseStory, batch_id: str | None = None) -> CaseStory:
        """As `amazon queue process` does."""
        world = self.world
        at = batch_id_at(self.connection_id, QueueKind.REFUND, datetime.now(UTC))
        request = ChannelBatchRequest(
            batch_id=batch_id or f"{at}-{next(world.numbers)}",
            connection_id=self.connection_id,
            kind=QueueKind.REFUND,
            entries=tuple(one.id for one in refunds),
            requested_by="seller:jane",
        )
        await open_batch(world.client, request, self.seller.seller_id, task_queue=world.task_queue)
        return self.batch(request.batch_id)

    def batch(self, batch_id: str) -> CaseStory:
        return CaseStory(self.world, self.world.client.get_workflow_handle(batch_workflow_id(batch_id)), batch_id)

    async def entries(self) -> list[QueueListed]:
        wanted = QueueFilter(self.seller.seller_id, every=True)
        return await asyncio.to_thread(AmazonQueue(self.world.engine).find, wanted)

    async def states(self) -> list[str]:
        return [one.state.value for one in await self.entries()]

    async def feeds(self) -> list[str]:
        """The documents that Amazon has of this account, by its numbers."""
        told = await self.world.sandbox.at_amazon()
        return [one.feed_id for one in told.feeds if one.account == self.token]

    @property
    def token(self) -> str:
        return f"Atzr|test-{self.connection_id}"

    async def told_long_ago(self, refund: CaseStory) -> None:
        """So long that Amazon shows by now what it did (AMZ-11)."""

        def tell(session: Session) -> None:
            row = session.get_one(AmazonQueueRow, refund.id)
            assert row.told_at is not None, "it was told"
            row.told_at -= SHOWN_WITHIN
            session.add(row)

        await asyncio.to_thread(write, self.world.engine, tell)

    async def processed(self, batch: CaseStory) -> None:
        """Amazon has done it, and it is read."""
        await batch.reaches("processing")
        await batch.forward(seconds=16)


async def amazon_account(world: World, **options: Any) -> AmazonAccount:
    """At a sandbox that takes no time."""
    moved = {"match": f"-{REFUSED_AND_MOVED}", "moved": True}
    await world.sandbox.amazon_behaves(queue_seconds=0, progress_seconds=0, message_faults=[moved])
    seller = await world.seller(**options.pop("seller", {}))
    folder = Path(tempfile.mkdtemp(prefix="backhaul-amazon-"))
    connection_id = f"amazon-{world.tag}-{next(world.numbers)}"
    account = AmazonAccount(world, seller, connection_id, folder / "token")
    (folder / "client").write_text("test-client-secret")
    url = world.running.amazon_url
    connection = amazon(
        connection_id=connection_id,
        owner=f"seller:{seller.seller_id}",
        base_url=url,
        secret=f"file:{folder / 'token'}",
        options={
            "client_secret": f"file:{folder / 'client'}",
            "token_url": f"{url}/auth/o2/token",
            "queue": "true",
            **options,
        },
    )
    ConnectionRegister(world.engine).put([connection])
    return account


async def until_states(account: AmazonAccount, *states: str) -> None:
    await eventually(account.states, lambda seen: seen == list(states), f"the queue is {states}")


async def asks_staff(batch: CaseStory) -> None:
    """A person is asked whether the document arrived."""
    await batch.shows(
        "that a person is asked", lambda seen: seen.waiting_for is not None and seen.waiting_for.who == "staff"
    )
