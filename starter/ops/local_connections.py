"""The first connections of a local stack: the sandbox as payment gateway, supplier network and shop."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from activities.database import ConnectionRegister
from activities.private_files import private_file
from models.connections import BROKER, KIND_OF, SIGNS_WITH_SECRET, Connection, Provider, of_seller

STRIPE: Final = "sandbox-stripe"
SANDBOX_KEY: Final = "sk_test_sandbox"
"""What the sandbox takes as a key, and signs its webhooks with; it opens nothing else."""
_PATHS: Final = {
    STRIPE: (Provider.STRIPE, "stripe"),
    "sandbox-suppliers": (Provider.SUPPLIER_JSON, "supplier"),
    "sandbox-shop": (Provider.SHOP_JSON, "shop"),
}


def sandbox_key(folder: Path) -> str:
    """Write the sandbox's key down, and give the reference to it. Whoever reads it meanwhile finds it whole."""
    file = folder.absolute() / "sandbox.key"
    if not file.is_file() or file.read_text().strip() != SANDBOX_KEY:
        written = private_file(file.with_name(f".{file.name}.{os.getpid()}"))
        written.write_text(f"{SANDBOX_KEY}\n")
        written.replace(file)
    return f"file:{file}"


def sandbox_connections(sandbox_url: str, secret: str) -> tuple[Connection, ...]:
    """The broker's, to each partner that the sandbox at this address plays."""
    return tuple(
        Connection.model_validate(
            {
                "connection_id": connection_id,
                "kind": KIND_OF[provider],
                "provider": provider,
                "owner": BROKER,
                "base_url": f"{sandbox_url}/{path}",
                "secret": secret,
                "webhook_secrets": [secret] if provider in SIGNS_WITH_SECRET else [],
            }
        )
        for connection_id, (provider, path) in _PATHS.items()
    )


def of_a_seller(brokers: Connection, seller_id: str, account: str | None = None) -> Connection:
    """A seller's connection to the sandbox's gateway, like the broker's."""
    return brokers.model_copy(
        update={
            "connection_id": f"{brokers.connection_id}-{seller_id}"[:100],
            "owner": of_seller(seller_id),
            "account": account,
        }
    )


def add_first_connections(books: Engine, connections: Iterable[Connection]) -> None:
    """Put them there, where the broker has no other connection of that kind that is active."""
    register = ConnectionRegister(books)
    firsts = []
    for one in connections:
        others = register.active(one.kind, BROKER)
        if all(other.connection_id == one.connection_id for other in others):
            firsts.append(one)
    register.put(firsts)
