"""What it takes to call one partner: its connection, the secret as it is now, and this process's settings."""

from typing import NamedTuple

import httpx
from pydantic import SecretStr

from models.connections import Connection
from models.settings import Settings


class Access(NamedTuple):
    """`secret` was read from where the connection says. `transport`: in place of the network, for tests."""

    connection: Connection
    secret: SecretStr
    settings: Settings
    transport: httpx.AsyncBaseTransport | None = None

    @property
    def bearer(self) -> dict[str, str]:
        """The header of a partner that takes the secret as a bearer token."""
        return {"Authorization": f"Bearer {self.secret.get_secret_value()}"}

    def base_url(self, default: str) -> str:
        """Where the partner's API stands: as the connection says, else where its provider has it."""
        return str(self.connection.base_url or default)
