"""What `webhook list` and `webhook refused` do. Each raises what `opened_books` raises."""

from activities.database import WebhookRegister
from models.webhooks import WebhookState
from starter.cli.case_lookup import opened_books
from starter.cli.output import say, show_json, show_table

_COLUMNS = ("connection", "event", "type", "state", "case", "times", "first (UTC)", "last (UTC)")


def list_webhooks(state: WebhookState | None, connection: str | None, limit: int, as_json: bool) -> None:
    with opened_books() as engine:
        found = WebhookRegister(engine).listed(state, connection, limit)
    if as_json:
        show_json(found)
    elif not found:
        say("nothing found")
    else:
        show_table(
            _COLUMNS,
            (
                (
                    one.connection_id,
                    one.event_id,
                    one.type,
                    one.state.value,
                    one.workflow_id,
                    one.times,
                    one.received_at,
                    one.last_at,
                )
                for one in found
            ),
        )


def list_refused(connection: str | None, limit: int, as_json: bool) -> None:
    with opened_books() as engine:
        found = WebhookRegister(engine).refused(connection, limit)
    if as_json:
        show_json(found)
    elif not found:
        say("nothing was refused")
    else:
        show_table(
            ("connection", "day", "why", "times", "last (UTC)"),
            (
                (one.connection_id, one.day.isoformat(), one.why.value.replace("_", " "), one.times, one.last_at)
                for one in found
            ),
        )
