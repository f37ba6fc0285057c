"""All commands together, in the order in which `backhaul --help` shows them."""

from typing import Annotated, Final

import typer

from starter.cli.commands import BackhaulCommands, LaterCommand

_CASES: Final = "Cases"
_PARTIES: Final = "Sellers, suppliers, connections"
_RUNNING: Final = "Running it"

COMMANDS: Final = (
    LaterCommand("order", "starter.cli.orders:app", "Orders: start them, and tell them what happened.", _CASES),
    LaterCommand(
        "return", "starter.cli.returns:app", "Returns: open them, find them, and tell them what happened.", _CASES
    ),
    LaterCommand(
        "refund",
        "starter.cli.refunds:app",
        "Refunds of the buyer: make one, and tell what the gateway says.",
        _CASES,
    ),
    LaterCommand(
        "orphan", "starter.cli.orphans:app", "What was said about cases that are not known here (RET-20).", _CASES
    ),
    LaterCommand(
        "cost-review",
        "starter.cli.cost_reviews:app",
        "Who bears the cost, after the buyer was refunded (BAL-2).",
        _CASES,
    ),
    LaterCommand(
        "claim", "starter.cli.claims:app", "What the seller paid elsewhere for voided units (CLM-1).", _CASES
    ),
    LaterCommand("event", "starter.cli.cases:event", "Any event of the contract, by its name.", _CASES),
    LaterCommand("status", "starter.cli.cases:status", "Where a case stands.", _CASES),
    LaterCommand(
        "list", "starter.cli.cases:list_cases", "Cases, open or ended: what is due first comes first.", _CASES
    ),
    LaterCommand("worklists", "starter.cli.worklists:worklists", "What people have to do now (NTF-6).", _CASES),
    LaterCommand("refunds", "starter.cli.cases:refunds", "An order's refunds; they add up (REF-10).", _CASES),
    LaterCommand(
        "ledger",
        "starter.cli.ledger:app",
        "The ledger: balances, entries, whether it is right, and Beancount (BAL-1).",
        _CASES,
    ),
    LaterCommand("report", "starter.cli.reports:app", "Promises and money of all cases together.", _CASES),
    LaterCommand("credit-memo", "starter.cli.credit_memos:app", "What suppliers credit (RET-12).", _CASES),
    LaterCommand(
        "amazon",
        "starter.cli.amazon:app",
        "Sellers' accounts at Amazon: what comes from there, and what goes there.",
        _CASES,
    ),
    LaterCommand("batch", "starter.cli.batches:app", "Documents of refunds and cancellations to Amazon.", _CASES),
    LaterCommand("seller", "starter.cli.parties:seller", "Sellers and their settings.", _PARTIES),
    LaterCommand("supplier", "starter.cli.parties:supplier", "Suppliers and their settings.", _PARTIES),
    LaterCommand(
        "connection", "starter.cli.connections:app", "Connections to gateways, suppliers and shops.", _PARTIES
    ),
    LaterCommand(
        "webhook", "starter.cli.webhooks:app", "What gateways said by themselves, and what was refused.", _PARTIES
    ),
    LaterCommand("reason", "starter.cli.reasons:app", "Reasons of returns (RET-21).", _PARTIES),
    LaterCommand("demo", "starter.cli.demo:demo", "Start the local stack and play stories on it.", _RUNNING),
    LaterCommand("up", "starter.cli.stack:up", "Run the whole local stack until Ctrl-C.", _RUNNING),
    LaterCommand("worker", "starter.cli.stack:worker", "Run one worker until Ctrl-C or SIGTERM.", _RUNNING),
    LaterCommand(
        "replay", "starter.cli.replay:replay", "Before a deploy: try this code on the open cases.", _RUNNING
    ),
    LaterCommand(
        "reconcile", "starter.cli.reconcile:reconcile", "Find the cases that the server has lost.", _RUNNING
    ),
    LaterCommand("sandbox", "starter.cli.stack:sandbox", "Run the sandbox partners until Ctrl-C.", _RUNNING),
    LaterCommand("front", "starter.cli.stack:front", "Run what strangers reach: RMA links, webhooks.", _RUNNING),
    LaterCommand(
        "codec",
        "starter.cli.codec:codec",
        "Encryption of what Temporal keeps: keys, and reading with them.",
        _RUNNING,
    ),
    LaterCommand("db", "starter.cli.stack:db", "The database of cases, refunds and parties.", _RUNNING),
    LaterCommand("temporal", "starter.cli.stack:temporal", "The Temporal server.", _RUNNING),
)


class EveryCommand(BackhaulCommands):
    """`backhaul` itself."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**{**settings, "commands": COMMANDS})  # type: ignore[arg-type]


app = typer.Typer(
    name="backhaul",
    cls=EveryCommand,
    help="Durable orders, cancellations, returns and refunds for people who sell what others ship.\n\n"
    "Every command says what it needs: backhaul COMMAND --help. Exit codes: 0 done, 2 wrong input, 3 not found, "
    "4 conflict, 5 refused by a rule, 6 refused by a partner, 7 a partner or server does not answer, 70 a fault "
    "of ours.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"backhaul {version('backhaul')}")
        raise typer.Exit


@app.callback()
def backhaul(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of `backhaul` itself; each ends it."""
