"""`order`: start orders, and send them events."""

from pathlib import Path
from typing import Annotated, Final

import typer

from models.contract import ORDER
from starter.cli.commands import command_group
from starter.cli.events import EventCommand, EventToSend, add_events

app = command_group("Orders: start them, and tell them what happened.")

EVENTS: Final = (
    EventCommand("release", "release", "The seller's click: the order goes to the broker (ORD-2).", "1001"),
    EventCommand(
        "cancel",
        "cancel_request",
        "Cancel the order, or with --line part of it (CAN-10), if the request reaches the server in the cancel "
        "window (CAN-1..3).",
        '1001 --reason "changed my mind" --actor buyer:jane',
    ),
    EventCommand(
        "payment-method",
        "payment_method_updated",
        "The seller's card or PayPal on file is now this one (ORD-3).",
        "1001 --payment-method pm_card_visa",
    ),
    EventCommand(
        "shipment",
        "shipment",
        "A warehouse shipped some units (ORD-9, ORD-11).",
        "1001 --shipment-id S1 --carrier UPS --tracking-number 1Z999 --line BRK-100:2",
        hidden=frozenset({"parcels"}),
    ),
    EventCommand(
        "correct-shipment",
        "shipment_corrected",
        "A parcel goes under another number: its label was replaced (ORD-20).",
        "1001 --shipment-id S1 --carrier UPS --tracking-number 1Z998",
    ),
    EventCommand(
        "delivered",
        "delivered",
        "A parcel arrived at the buyer, whose days for a return begin; also after the order's end (RET-22).",
        "1001 --shipment-id S1 --at 2026-03-09T14:30:00Z --actor carrier:ups",
    ),
    EventCommand(
        "shortage",
        "supplier_shortage",
        "A supplier that had accepted can't deliver after all: bought elsewhere, or voided (ORD-19).",
        '1001 --supplier-order-number 1001-1 --line BRK-100:1 --reason "damaged in the warehouse"',
    ),
    EventCommand(
        "choose",
        "choice_after_void",
        "What becomes of units that nobody had: the seller buys them elsewhere, the buyer waits, or both cancel "
        "(ORD-8).",
        "1001 --choice special-order",
    ),
    EventCommand(
        "stock-arrived",
        "stock_arrived",
        "What a special order waits for is in stock: it is charged anew and bought (ORD-8).",
        "1001 --actor broker:stock",
    ),
    EventCommand(
        "address",
        "address_changed",
        "Correct the buyer's address, inside the cancel window (ORD-18).",
        """1001 --json '{"address": {"name": "Jane Doe", "line1": "9 Other Rd", "city": "Elko", """
        """"postal_code": "89801", "country": "US"}}'""",
        hidden=frozenset({"address"}),
    ),
    EventCommand(
        "hold",
        "hold",
        "Stop the order before it goes to a supplier; with --answer-days until its seller has answered the buyer "
        "who asks the marketplace to cancel it (CAN-7).",
        '1001 --reason "address unclear"',
    ),
    EventCommand(
        "resume",
        "resume",
        "Release the hold; a buyer who asks to cancel is declined (CAN-8).",
        '1001 --reason "address confirmed"',
    ),
)


def _send(number: str, to_send: EventToSend) -> None:
    from starter.cli.case_lookup import order_case
    from starter.cli.event_delivery import deliver

    deliver(order_case(number), to_send)


add_events(app, ORDER, EVENTS, "The order's number.", _send)


@app.command(
    "start",
    help="Start an order, or many, from a JSON or YAML file.\n\n"
    "The whole file is checked before anything is sent. An order whose number is used already is reported and "
    "not repeated, so the same file may be sent again.\n\n\b\n"
    "Example:\n  backhaul order start orders.yaml",
)
def start(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="One order or a list of orders; `-`: standard input.")
    ],
) -> None:
    """Raises NotFound, InvalidInput with file, entry and field, PartnerUnavailable."""
    from starter.cli.new_orders import read_orders, start_orders
    from starter.cli.output import run

    run(start_orders(read_orders(file)))
