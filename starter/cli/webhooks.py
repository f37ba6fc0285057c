"""`webhook`: what the gateways said by themselves, and what was refused at their paths."""

from typing import Annotated

import typer

from models.webhooks import WebhookState
from starter.cli.commands import command_group

app = command_group("What gateways said by themselves, and what was refused.")

Connection = Annotated[str | None, typer.Option("--connection", help="Of this connection alone.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def list_all(
    state: Annotated[
        WebhookState | None,
        typer.Option(
            help="delivered, ended: its refund has it; orphan: no refund is known; ignored: other events."
        ),
    ] = None,
    connection: Connection = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Events that were taken, the newest first, each once however often it was sent."""
    from starter.cli.webhook_lists import list_webhooks

    list_webhooks(state, connection, limit, as_json)


@app.command("refused")
def refused(connection: Connection = None, limit: Limit = 50, as_json: AsJson = False) -> None:
    """How often something was refused by connection and day (UTC): not signed, or not readable."""
    from starter.cli.webhook_lists import list_refused

    list_refused(connection, limit, as_json)
