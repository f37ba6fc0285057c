"""Workers that dawdle where an order that came before its broker could charge is given its connection (REF-6)."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from sqlalchemy import Engine
from temporalio import activity

from activities.database import ConnectionRegister, Database
from models import calls
from models.charges import ChargeConnection, ChooseConnection
from models.records import OpenedOrder, OpenOrder
from starter.ops.local_connections import STRIPE
from tests.chaos.slow_worker import dawdle


def _too_early(engine: Engine, opens: Callable[[], OpenedOrder]) -> OpenedOrder:
    """Open an order while the broker has no connection that is active."""
    register = ConnectionRegister(engine)
    brokers = register.get(STRIPE)
    register.put([brokers.model_copy(update={"active": False})])
    try:
        return opens()
    finally:
        register.put([brokers])


class DawdlesBeforeChoosing(Database):
    """It is asked by which connection the seller is charged, and has not decided."""

    @activity.defn(name=calls.OPEN_ORDER.name)
    def open_order(self, ask: OpenOrder) -> OpenedOrder:
        return _too_early(self._engine, partial(super().open_order, ask))

    @activity.defn(name=calls.CHOOSE_CONNECTION.name)
    def choose_connection(self, ask: ChooseConnection) -> ChargeConnection:
        asyncio.run(dawdle())
        return super().choose_connection(ask)


class DawdlesAfterChoosing(Database):
    """It has decided by which connection the seller is charged, and has not told anybody."""

    @activity.defn(name=calls.OPEN_ORDER.name)
    def open_order(self, ask: OpenOrder) -> OpenedOrder:
        return _too_early(self._engine, partial(super().open_order, ask))

    @activity.defn(name=calls.CHOOSE_CONNECTION.name)
    def choose_connection(self, ask: ChooseConnection) -> ChargeConnection:
        chosen = super().choose_connection(ask)
        asyncio.run(dawdle())
        return chosen


CHOOSING_DAWDLERS: Final[tuple[type, ...]] = (DawdlesBeforeChoosing, DawdlesAfterChoosing)
