"""All commands together, in the order in which `backhaul --help` shows them."""

import typer

from starter.cli import cases, codec, demo, orders, parties, reconcile, refunds, replay, returns, stack
from starter.cli.output import BackhaulCommands

app = typer.Typer(
    name="backhaul",
    cls=BackhaulCommands,
    help="Durable orders, cancellations, returns and refunds for people who sell what others ship.\n\n"
    "Every command says what it needs: backhaul COMMAND --help. Exit codes: 0 done, 2 wrong input, 3 not found, "
    "4 conflict, 5 refused by a rule, 6 refused by a partner, 7 a partner or server does not answer, 70 a fault "
    "of ours.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_CASES = "Cases"
_PARTIES = "Sellers and suppliers"
_RUNNING = "Running it"

app.add_typer(orders.app, name="order", rich_help_panel=_CASES)
app.add_typer(returns.app, name="return", rich_help_panel=_CASES)
app.add_typer(refunds.app, name="refund", rich_help_panel=_CASES)
app.add_typer(cases.event, name="event", rich_help_panel=_CASES)
app.command("status", rich_help_panel=_CASES)(cases.status)
app.command("list", rich_help_panel=_CASES)(cases.list_cases)
app.command("refunds", rich_help_panel=_CASES)(cases.refunds)
app.add_typer(parties.seller, name="seller", rich_help_panel=_PARTIES)
app.add_typer(parties.supplier, name="supplier", rich_help_panel=_PARTIES)
app.command("demo", rich_help_panel=_RUNNING)(demo.demo)
app.command("up", rich_help_panel=_RUNNING)(stack.up)
app.command("worker", rich_help_panel=_RUNNING)(stack.worker)
app.command("replay", rich_help_panel=_RUNNING)(replay.replay)
app.command("reconcile", rich_help_panel=_RUNNING)(reconcile.reconcile)
app.command("sandbox", rich_help_panel=_RUNNING)(stack.sandbox)
app.command("front", rich_help_panel=_RUNNING)(stack.front)
app.add_typer(codec.codec, name="codec", rich_help_panel=_RUNNING)
app.add_typer(stack.db, name="db", rich_help_panel=_RUNNING)
app.add_typer(stack.temporal, name="temporal", rich_help_panel=_RUNNING)
