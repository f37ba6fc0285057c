"""`refund`: the direct refund (REF-2, REF-8, REF-9) and what the gateway says of one."""

from typing import Annotated, Final

import typer

from models.contract import REFUND
from models.failures import InvalidInput, Problem
from models.refunds import Way
from starter.cli.commands import command_group
from starter.cli.events import ONE_LINE, EventCommand, EventToSend, add_events, quantity_line

app = command_group("Refunds of the buyer: make one, and tell what the gateway says.")

EVENTS: Final = (
    EventCommand(
        "gateway-update",
        "gateway_update",
        "The gateway says how a pending refund went, or that one failed days later (REF-7).",
        "RF-1001-D1 --status succeeded --gateway-refund-id re_1",
    ),
    EventCommand(
        "confirm",
        "refund_confirmed",
        "Confirm, as a second person, a refund over the seller's limit (REF-12).",
        "RF-1001-D1 --actor seller:tom",
    ),
    EventCommand(
        "reject",
        "refund_rejected",
        "Reject a refund over the seller's limit: it is not made (REF-12).",
        'RF-1001-D1 --reason "the buyer kept the goods" --actor seller:tom',
    ),
    EventCommand(
        "resolve",
        "refund_resolved",
        "Record what became of a refund of which nobody knows whether the money moved (REF-11).",
        'RF-1001-D1 --outcome moved --evidence "bank statement of 2 March" --reason "the gateway answers no more"',
    ),
)


def _send(number: str, to_send: EventToSend) -> None:
    from starter.cli.case_lookup import refund_case
    from starter.cli.event_delivery import deliver

    deliver(refund_case(number), to_send)


add_events(app, REFUND, EVENTS, "The refund's number.", _send)


@app.command(
    "start",
    help="Refund the buyer without a return (REF-2).\n\n"
    "What is still refundable counts earlier and pending refunds. The refund's number is shown before the money "
    "moves; the same number never refunds twice, so after a doubt send it again with --refund-id.\n\n\b\n"
    "Examples:\n"
    '  backhaul refund start --order 1001 --amount 12.50 --reason "scratched"\n'
    '  backhaul refund start --order 1001 --full --reason "never arrived"\n'
    '  backhaul refund start --order 1001 --amount 12.50 --reason "card closed" --way manual --reference CHECK-7',
)
def start(
    order: Annotated[str, typer.Option("--order", help="The order's number.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    amount: Annotated[str | None, typer.Option("--amount", help="Such as 12.50.")] = None,
    full: Annotated[bool, typer.Option("--full", help="All that is still refundable (REF-8).")] = False,
    line: Annotated[
        list[str] | None,
        typer.Option("--line", metavar="SKU:QTY", help=f"For which units. {ONE_LINE}"),
    ] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", help="ISO 4217; default: that of the buyer's payment.")
    ] = None,
    way: Annotated[
        Way, typer.Option("--way", help="gateway: send it. manual, marketplace: made there, record it (REF-9).")
    ] = Way.GATEWAY,
    reference: Annotated[
        str | None, typer.Option("--reference", help="The number of a refund made elsewhere.")
    ] = None,
    refund_id: Annotated[
        str | None, typer.Option("--refund-id", help="The refund's number; default: the order's next free one.")
    ] = None,
    requested_by: Annotated[
        str, typer.Option("--actor", envvar="BACKHAUL_ACTOR", metavar="ROLE:NAME", help="Who asks.")
    ] = "staff:cli",
) -> None:
    """Raises InvalidInput, NotFound (no such order), EventRefused (REF-3..5), PartnerUnavailable."""
    _require_one_amount(amount, full, has_lines=bool(line))
    if way is not Way.GATEWAY and reference is None:
        raise InvalidInput(
            "refund start", [Problem("--reference", f"a {way.value} refund needs its number there")]
        )
    lines = [quantity_line(text) for text in line or []]
    from starter.cli.new_refund import WantedRefund, start_refund
    from starter.cli.output import run

    wanted = WantedRefund(order, amount, currency, reason, lines, way, reference, refund_id, requested_by)
    run(start_refund(wanted))


def _require_one_amount(amount: str | None, full: bool, *, has_lines: bool) -> None:
    """Units without an amount are refunded at what was paid for them (REF-13)."""
    if (amount is not None and full) or (amount is None and not full and not has_lines):
        problem = Problem(
            "--amount", "give either --amount or --full, or --line for what was paid for these units"
        )
        raise InvalidInput("refund start", [problem])
