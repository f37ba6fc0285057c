"""A seller's account at Amazon, as tests connect it."""

from typing import Any

from sqlalchemy import Engine

from activities.database import ConnectionRegister
from models.connections import Connection
from tests.connections import key

OPTIONS = {
    "region": "na",
    "marketplaces": "US CA",
    "client_id": "amzn1.application-oa2-client.acme",
    "client_secret": "env:AMAZON_CLIENT_SECRET",
}
MERCHANT = "A2ACMEPARTS01"


def amazon(**more: Any) -> Connection:
    """The connection `amazon-acme` of the seller `acme`; `options` beside the needed ones, or in their place."""
    options = {**OPTIONS, **more.pop("options", {})}
    told = {"connection_id": "amazon-acme", "kind": "channel", "provider": "amazon", "owner": "seller:acme"}
    return Connection.model_validate({**told, "account": MERCHANT, "options": options, **more})


def connect_amazon(engine: Engine, sandbox_url: str, seller_id: str, **options: str) -> str:
    """The seller's account at the sandbox's Amazon, with these settings from now on; gives the connection's id."""
    url = f"{sandbox_url}/amazon"
    connection = amazon(
        connection_id=f"amazon-{seller_id}",
        owner=f"seller:{seller_id}",
        base_url=url,
        secret=key(),
        options={"client_secret": key(), "token_url": f"{url}/auth/o2/token", **options},
    )
    ConnectionRegister(engine).put([connection])
    return connection.connection_id
