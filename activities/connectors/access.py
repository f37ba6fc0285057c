"""What it takes to call one partner: its connection, the secret as it is now, and what this process shares."""

from typing import NamedTuple

from pydantic import SecretStr

from activities.connectors.clients import HttpClients
from models.connections import Connection
from models.failures import InvalidInput, Problem


class Access(NamedTuple):
    """`secret` was read from where the connection says; empty: the connection has none."""

    connection: Connection
    secret: SecretStr
    clients: HttpClients

    @property
    def bearer(self) -> dict[str, str]:
        """The header of a partner that takes the secret as a bearer token."""
        return {"Authorization": f"Bearer {self.secret.get_secret_value()}"}

    def required(self, option: str, what: str) -> str:
        """An option that the provider can't do without. Raises InvalidInput, which says `what` is missing."""
        value = self.connection.options.get(option)
        if not value:
            problem = Problem(f"options.{option}", f"{what} is needed")
            raise InvalidInput(f"connection {self.connection.connection_id}", [problem])
        return value

    def base_url(self, default: str | None = None) -> str:
        """Where the partner's API stands: as the connection says, else where its provider has it."""
        return str(self.connection.base_url or default or "").rstrip("/")
