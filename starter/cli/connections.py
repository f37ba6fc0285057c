"""`connection`: how partners are reached, shown, changed, imported and tried out."""

from pathlib import Path
from typing import Annotated, Final

import typer

from models.connections import CHANGEABLE
from starter.cli.commands import command_group

app = command_group("Connections to gateways, suppliers and shops.")

Id = Annotated[str, typer.Argument(metavar="ID")]
_KEYS: Final = ", ".join(CHANGEABLE)


@app.command("list")
def list_all(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """All connections, by owner; never their secrets."""
    from starter.cli.connection_settings import list_connections

    list_connections(as_json)


@app.command("show")
def show(
    connection_id: Id, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """One connection, as YAML that can be imported again. It says where its secret stands, not what it is."""
    from starter.cli.connection_settings import show_connection

    show_connection(connection_id, as_json)


@app.command(
    "set",
    help="Change a connection. Workers use it so within seconds, without a restart.\n\n"
    f"Keys: {_KEYS}. An empty value takes an optional one away; options stand as NAME:VALUE, with commas, "
    "webhook_secrets with commas too. "
    "What else it is never changes: payments that came through it go back there.\n\n\b\n"
    "Example:\n  backhaul connection set acme-stripe secret=file:/run/secrets/acme-stripe",
)
def set_some(connection_id: Id, changes: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...")]) -> None:
    from starter.cli.connection_settings import set_connection

    set_connection(connection_id, changes)


@app.command("test")
def test(connection_id: Id) -> None:
    """Call the partner, changing nothing, and say in words what is wrong.

    The secret is read by this process: what stands in the environment must stand in its own.
    """
    from starter.cli.connection_settings import test_connection
    from starter.cli.output import run

    run(test_connection(connection_id))


@app.command("deactivate")
def deactivate(connection_id: Id) -> None:
    """Use it no more. It stays, for payments name it; what would go through it waits until it is active again."""
    from starter.cli.connection_settings import set_connection

    set_connection(connection_id, ["active=false"])


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="`-`: standard input.")],
) -> None:
    """Add or change connections from a YAML or JSON file: one, or a list.

    The whole file is checked before anything is written: of a file with one wrong row nothing is taken.

    \b
    Example:
      backhaul connection import connections.yaml
    """
    from starter.cli.connection_settings import import_connections

    import_connections(file)
