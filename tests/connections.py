"""Connections for tests: to the sandbox, in a database, or in memory for activities without one."""

import os
import tempfile
from pathlib import Path
from typing import Final

import httpx
from sqlalchemy import Engine

from activities.connectors.connections import Connections
from activities.database import ConnectionRegister
from models.connections import Connection, ConnectionKind
from models.settings import Settings
from starter.ops.local_connections import STRIPE, of_a_seller, sandbox_connections, sandbox_key

NOWHERE: Final = "http://127.0.0.1:8250"
"""Where nothing is asked: the network is replaced."""
OF_ACME: Final = f"{STRIPE}-acme"
"""The payments connection of the seller `acme`."""
OF_OWN: Final = f"{STRIPE}-own"
"""That of the seller `own`, which has an account of its own."""
OWN_ACCOUNT: Final = "acct_own"


def key() -> str:
    """Where the sandbox's key stands, for every process of these tests."""
    return sandbox_key(Path(tempfile.gettempdir()) / f"backhaul-tests-{os.getuid()}")


def connect_broker(engine: Engine, sandbox_url: str) -> Connection:
    """The broker's connections to the sandbox, if there are none; gives the one by which it charges."""
    register = ConnectionRegister(engine)
    brokers = register.find(STRIPE)
    if brokers is not None:
        return brokers
    firsts = sandbox_connections(sandbox_url, key())
    register.put(firsts)
    return firsts[0]


def connect_seller(engine: Engine, sandbox_url: str, seller_id: str, account: str | None = None) -> None:
    """A payments connection of this seller to the sandbox; the broker's, if there are none."""
    brokers = connect_broker(engine, sandbox_url)
    ConnectionRegister(engine).put([of_a_seller(brokers, seller_id, account)])


class FixedDirectory:
    """Connections that are nowhere else."""

    def __init__(self, *connections: Connection) -> None:
        self.connections = connections

    def find(self, connection_id: str) -> Connection | None:
        return next((one for one in self.connections if one.connection_id == connection_id), None)

    def active(self, kind: ConnectionKind, *owners: str) -> list[Connection]:
        newest = [one for one in reversed(self.connections) if one.active and one.kind is kind]
        return [one for owner in owners for one in newest if one.owner == owner] if owners else newest


def sandbox_directory(sandbox_url: str = NOWHERE) -> FixedDirectory:
    """The broker's connections, and those of the sellers `acme` and `own`."""
    brokers = sandbox_connections(sandbox_url, key())
    own = of_a_seller(brokers[0], "own", OWN_ACCOUNT)
    return FixedDirectory(*brokers, of_a_seller(brokers[0], "acme"), own)


def connections(
    transport: httpx.AsyncBaseTransport | None = None,
    settings: Settings | None = None,
    sandbox_url: str = NOWHERE,
) -> Connections:
    """What activities take: to the sandbox at this address, or to whoever `transport` plays."""
    return Connections(sandbox_directory(sandbox_url), settings or Settings(), transport)
