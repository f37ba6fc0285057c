"""What it takes to call one partner: its connection, the secret as it is now, and what this process shares."""

from typing import NamedTuple

from pydantic import SecretStr

from activities.connectors.clients import HttpClients
from models.connections import Connection


class Access(NamedTuple):
    """`secret` was read from where the connection says; empty: the connection has none."""

    connection: Connection
    secret: SecretStr
    clients: HttpClients

    @property
    def bearer(self) -> dict[str, str]:
        """The header of a partner that takes the secret as a bearer token."""
        return {"Authorization": f"Bearer {self.secret.get_secret_value()}"}

    def base_url(self, default: str | None = None) -> str:
        """Where the partner's API stands: as the connection says, else where its provider has it."""
        return str(self.connection.base_url or default or "").rstrip("/")
