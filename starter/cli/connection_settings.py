"""What `connection` does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from activities.connectors.access import Access
from activities.connectors.amazon.client import Amazon
from activities.connectors.channels import CHANNELS
from activities.connectors.clients import HttpClients
from activities.connectors.payment_gateway import PaymentGateway
from activities.connectors.payments import GATEWAYS
from activities.connectors.sales_channel import SalesChannel
from activities.connectors.secret_reference import secret_of
from activities.connectors.supplier_api import SupplierApi
from activities.connectors.suppliers import SUPPLIERS
from activities.database import CallRates, ConnectionRegister
from models.connections import CHANGEABLE, Connection, ConnectionKind, Provider
from models.environment import settings_from_environment
from models.failures import InvalidInput, Problem
from starter.cli.case_lookup import opened_books
from starter.cli.documents import open_document
from starter.cli.output import say, show_json, show_table
from starter.cli.party_settings import as_yaml

_COLUMNS = ("connection_id", "kind", "provider", "owner", "account", "secret", "active")


@contextmanager
def _register() -> Iterator[ConnectionRegister]:
    with opened_books() as engine:
        yield ConnectionRegister(engine)


def list_connections(as_json: bool) -> None:
    with _register() as register:
        found = register.all()
    if as_json:
        show_json(found)
    elif not found:
        say("no connections yet; import some: backhaul connection import FILE.yaml")
    else:
        show_table(_COLUMNS, (tuple(_shown(getattr(one, column)) for column in _COLUMNS) for one in found))


def show_connection(connection_id: str, as_json: bool) -> None:
    """Raises NotFound."""
    with _register() as register:
        found = register.get(connection_id)
    if as_json:
        show_json(found)
    else:
        say(as_yaml(found))


def set_connection(connection_id: str, changes: list[str]) -> None:
    """`changes`: KEY=VALUE. Raises NotFound, InvalidInput."""
    title = f"connection {connection_id}"
    with _register() as register:
        before = register.get(connection_id)
        data: dict[str, Any] = before.model_dump(mode="json")
        for change in changes:
            key, separator, value = change.partition("=")
            if not separator:
                raise InvalidInput(title, [Problem(change[:100], "must be KEY=VALUE")])
            if key not in CHANGEABLE:
                raise InvalidInput(title, [Problem(key[:100], f"is none of {', '.join(CHANGEABLE)}")])
            data[key] = _read(title, key, value)
        try:
            after = Connection.at_the_door({key: value for key, value in data.items() if value is not None})
            register.put([after])
        except InvalidInput as error:
            problems = [Problem(one.field.removeprefix("0."), one.message) for one in error.problems]
            raise InvalidInput(title, problems) from None
    changed = [name for name in CHANGEABLE if getattr(before, name) != getattr(after, name)]
    say(f"{title}: {', '.join(changed) + ' changed' if changed else 'nothing changed'}")


def import_connections(file: Path) -> None:
    """The whole file is checked before anything is written. Raises NotFound, InvalidInput."""
    document = open_document(file)
    found = document.read(Connection)
    with _register() as register:
        before = {one.connection_id: register.find(one.connection_id) for one in found}
        try:
            register.put(found)
        except InvalidInput as error:
            raise document.refused(error) from None
    for one in found:
        known = before[one.connection_id]
        what = "added" if known is None else "unchanged" if known == one else "changed"
        say(f"connection {one.connection_id}: {what}")


async def test_connection(connection_id: str) -> None:
    """Raises NotFound, InvalidInput, RefusedByPartner or PartnerUnavailable that says what is wrong."""
    settings = settings_from_environment()
    with opened_books() as engine:
        connection = ConnectionRegister(engine).get(connection_id)
        clients = HttpClients(settings)
        try:
            await _partner(Access(connection, secret_of(connection), clients), CallRates(engine)).test()
        finally:
            await clients.aclose()
    say(f"connection {connection_id}: the partner answers, and takes key and account")
    if not connection.active:
        say(f"it is not active: backhaul connection set {connection_id} active=true")


def _partner(access: Access, rates: CallRates) -> PaymentGateway | SupplierApi | SalesChannel | Amazon:
    match access.connection.kind:
        case ConnectionKind.PAYMENTS:
            return GATEWAYS[access.connection.provider](access)
        case ConnectionKind.SUPPLIER:
            return SUPPLIERS[access.connection.provider](access)
    if access.connection.provider is Provider.AMAZON:
        return Amazon(access, rates)
    return CHANNELS[access.connection.provider](access)


def _shown(value: object) -> object:
    return "" if value is None else value


def _read(title: str, key: str, value: str) -> object:
    """What stands behind the `=`; nothing takes an optional one away."""
    if key == "options":
        return _options(title, value)
    if key == "webhook_secrets":
        return [one.strip() for one in value.split(",") if one.strip()]
    return value or None


def _options(title: str, text: str) -> dict[str, str]:
    """`refund_days:180,channel:web_shop`. Raises InvalidInput."""
    options = {}
    for part in text.split(","):
        name, separator, value = (one.strip() for one in part.partition(":"))
        if part.strip() and not (separator and name and value):
            raise InvalidInput(title, [Problem("options", "must be NAME:VALUE, with commas between several")])
        if name:
            options[name] = value
    return options
