"""One subcommand per event of the contract, made from the event's model: a new field is a new option."""

import inspect
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import typer

from models.contract import EVENTS, KINDS
from models.failures import InvalidInput, Problem
from models.message import Event
from starter.cli.commands import SectionedCommand
from starter.cli.documents import json_argument

COMMON: Final = frozenset(Event.model_fields)

HELP: Final[Mapping[str, str]] = {
    "reason": "Why.",
    "channel_reference": "The buyer's official cancellation request at eBay (CAN-5).",
    "fault": "By whose fault (CAN-12); unless said, it follows from the actor.",
    "cancelled_there": "The marketplace has cancelled it already: it is not told (CAN-8).",
    "without_sending": "The marketplace is not told, where the seller's settings allow it (CAN-9).",
    "zero_out_inventory": "Of no stock: offered no more at Amazon, where the seller's settings allow it (CAN-9).",
    "answer_days": "A buyer asks the marketplace to cancel: answered within so many days (CAN-7, CAN-8).",
    "is_part": "The buyer asks to cancel part of it, and only the reason says which (CAN-7).",
    "payment_method": "Token of the seller's card or PayPal.",
    "shipment_id": "The shipment's number; a second one with the same number counts once.",
    "carrier": "UPS, FedEx, USPS, ...",
    "tracking_number": "As the carrier gave it.",
    "supplier_order_number": "Which of the broker's orders it belongs to, if that is not clear.",
    "resolution": "What the buyer gets; unless said, its money back (RET-24).",
    "return_fee": "Deducted from the refund, such as 5.00.",
    "restocking_fee": "Deducted from the refund, as an amount.",
    "restocking_percent": "Deducted from the refund, in percent of what the buyer paid for the goods.",
    "returnless": "Nothing needs to come back.",
    "label_url": "Where the buyer finds the return label.",
    "label_paid_by": "Who pays the label.",
    "rma_number": "The supplier's RMA number.",
    "return_address": "Where the parcel goes; unless said, the one of the supplier's settings.",
    "number": "The credit memo's number.",
    "date": "The credit memo's date, such as 2026-03-01.",
    "amount": "An amount of money, such as 12.50.",
    "final": "No more will be credited, be it less than the cost (RET-28).",
    "total": "Of the whole paper, when it credits several returns and AMOUNT is the part of this one (RET-28).",
    "corrects": "The event_id of the receipt that this one replaces; without a line: that one is taken back.",
    "kind": "Why the buyer gets no money (RET-27).",
    "currency": "ISO 4217, such as USD.",
    "status": "What it says.",
    "waive": "What to do without.",
    "extend": "Which deadline to move.",
    "until": "Its new time, such as 2026-03-01T12:00:00Z.",
    "gateway_refund_id": "The gateway's number of the refund.",
    "feed_id": "Amazon's number of the feed.",
    "outcome": "What became of it.",
    "at": "When it arrived, such as 2026-03-09T14:30:00Z.",
    "delivered_at": "When it arrived, if it has already (RET-22).",
    "decision": "What is decided.",
    "choice": "What becomes of the units that nobody had (ORD-8).",
    "reference": "Where it is kept.",
    "sha256": "Its SHA-256, 64 digits from 0 to f.",
    "case_id": "The workflow id of its case, such as return-RR-1001-1.",
    "evidence": "Where it can be seen: a statement, the gateway's own page.",
}

ONE_LINE: Final = "One line; may be given many times; `line ID` in place of SKU names it by its id."

_LINE_ID: Final = re.compile(r"^line (?P<line_id>\S+)$")
_QUANTITY: Final = re.compile(r"^(?P<sku>.+):(?P<quantity>\d+)$")
_RECEIVED: Final = re.compile(r"^(?P<sku>.+):(?P<quantity>\d+):(?P<reception>[a-z_]+):(?P<acceptance>[a-z_]+)$")


@dataclass(frozen=True)
class EventCommand:
    """How an event is sent from the command line. `preset` fields are said by the command's name."""

    name: str
    event: str
    help: str
    example: str
    preset: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True)
class EventToSend:
    """An event, ready to be sent; `within` none: as a signal only."""

    name: str
    event: Event
    within: timedelta | None


Send = Callable[[str, EventToSend], None]
"""What a room does with an event: the case's number as it was typed, and the event."""


def add_events(
    app: typer.Typer, workflow: str, commands: tuple[EventCommand, ...], number_help: str, send: Send
) -> None:
    """Give `app` the subcommands of a workflow's events."""
    room = next(kind.prefix.removesuffix("-") for kind in KINDS if kind.name == workflow)
    for command in commands:
        model = EVENTS[workflow][command.event]
        app.command(
            command.name,
            cls=SectionedCommand,
            help=f"{command.help}\n\n\b\nExample:\n  backhaul {room} {command.name} {command.example}",
        )(_command(command, model, number_help, send))


def event_from_json(name: str, model: type[Event], given: str, within: timedelta | None) -> EventToSend:
    """An event from JSON alone. Raises InvalidInput."""
    data = json_argument(given)
    data.setdefault("event_id", new_event_id())
    return EventToSend(name, model.at_the_door(data), within)


def new_event_id() -> str:
    """An id for an event that was made here and now."""
    return f"cli-{uuid.uuid4().hex}"


def _command(command: EventCommand, model: type[Event], number_help: str, send: Send) -> Callable[..., None]:
    names = [name for name in model.model_fields if name not in COMMON | command.preset.keys() | command.hidden]

    def execute(**given: Any) -> None:
        typed = {name: given[name] for name in names if given[name] is not None}
        if given["json"] is not None:
            if typed:
                raise InvalidInput(
                    command.name, [Problem("--json", f"not together with {_flag(next(iter(typed)))}")]
                )
            data = {**command.preset, **json_argument(given["json"])}
            data.setdefault("event_id", given["event_id"] or new_event_id())
            data.setdefault("actor", given["actor"])
            event = model.at_the_door(data)
        else:
            event = _from_options(command, model, typed, given)
        send(given["case"], EventToSend(command.event, event, _patience(given["no_wait"], given["timeout"])))

    parameters = [
        _parameter("case", str, typer.Argument(help=number_help, metavar="NUMBER"), inspect.Parameter.empty),
        *(_option(model, name) for name in names),
        *_common_options(),
    ]
    execute.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    execute.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return execute


def _from_options(
    command: EventCommand, model: type[Event], typed: Mapping[str, Any], given: Mapping[str, Any]
) -> Event:
    data: dict[str, Any] = {**command.preset, **{name: _word(model, name, value) for name, value in typed.items()}}
    if "lines" in data:
        read = received_line if _takes_received_lines(model) else quantity_line
        data["lines"] = [read(text) for text in data["lines"]]
    data["event_id"] = given["event_id"] or new_event_id()
    data["actor"] = given["actor"]
    data["note"] = given["note"]
    data["occurred_at"] = given["occurred_at"]
    try:
        return model.at_the_door(data)
    except InvalidInput as error:
        raise InvalidInput(command.name, [_by_option(problem) for problem in error.problems]) from None


def _word(model: type[Event], name: str, value: Any) -> Any:
    """A word of a closed list, written as in options: `credit-memo` is `credit_memo`."""
    written = str(value).strip().lower().replace("-", "_")
    return written if written in _choices(model.model_fields[name].annotation) else value


def _patience(no_wait: bool, seconds: float) -> timedelta | None:
    return None if no_wait else timedelta(seconds=seconds)


def _parameter(name: str, kind: Any, info: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, info], default=default
    )


def _option(model: type[Event], name: str) -> inspect.Parameter:
    about = model.model_fields[name]
    required = " Required." if about.is_required() else ""
    if name == "lines":
        received = _takes_received_lines(model)
        form = "SKU:QTY:RECEPTION:ACCEPTANCE" if received else "SKU:QTY"
        text = (
            f"{ONE_LINE} RECEPTION: received, short, wrong_item, lost, refused; "
            "ACCEPTANCE: accepted, rejected, manual."
            if received
            else ONE_LINE + ("" if required else " Unless given: all.")
        )
        return _parameter(name, list[str] | None, typer.Option("--line", metavar=form, help=text + required), None)
    if about.annotation is bool:
        return _parameter(name, bool | None, typer.Option(_flag(name), help=HELP[name]), None)
    choices = _choices(about.annotation)
    metavar = "|".join(choices) if choices else name.upper()
    return _parameter(
        name, str | None, typer.Option(_flag(name), metavar=metavar, help=HELP[name] + required), None
    )


def _common_options() -> list[inspect.Parameter]:
    panel = "Every event"
    return [
        _parameter(
            "actor",
            str,
            typer.Option(
                "--actor",
                envvar="BACKHAUL_ACTOR",
                metavar="ROLE:NAME",
                help="Who did it, such as seller:jane.",
                rich_help_panel=panel,
            ),
            "staff:cli",
        ),
        _parameter(
            "event_id",
            str | None,
            typer.Option("--event-id", help="A second event with the same id counts once.", rich_help_panel=panel),
            None,
        ),
        _parameter("note", str | None, typer.Option("--note", help="For people.", rich_help_panel=panel), None),
        _parameter(
            "occurred_at",
            str | None,
            typer.Option(
                "--occurred-at", metavar="TIME", help="When it happened (RFC 3339).", rich_help_panel=panel
            ),
            None,
        ),
        _parameter(
            "json",
            str | None,
            typer.Option(
                "--json",
                metavar="FILE|-|{...}",
                help="The event as JSON instead of options.",
                rich_help_panel=panel,
            ),
            None,
        ),
        _parameter(
            "no_wait",
            bool,
            typer.Option("--no-wait", help="Record it and don't wait for the answer.", rich_help_panel=panel),
            False,
        ),
        _parameter(
            "timeout",
            float,
            typer.Option(
                "--timeout",
                min=0.1,
                help="Seconds to wait for the answer of a worker; then the event is recorded for later.",
                rich_help_panel=panel,
            ),
            10.0,
        ),
    ]


def _takes_received_lines(model: type[Event]) -> bool:
    return "ReceivedLine" in str(model.model_fields["lines"].annotation)


def quantity_line(text: str) -> dict[str, Any]:
    """`SKU:QTY`, or `line ID:QTY` (ORD-13). Raises InvalidInput."""
    return _line(text, _QUANTITY, "SKU:QTY")


def received_line(text: str) -> dict[str, Any]:
    """`SKU:QTY:RECEPTION:ACCEPTANCE`, or with `line ID`. Raises InvalidInput."""
    return _line(text, _RECEIVED, "SKU:QTY:RECEPTION:ACCEPTANCE")


def _line(text: str, pattern: re.Pattern[str], form: str) -> dict[str, Any]:
    match = pattern.match(text.strip())
    if match is None:
        raise InvalidInput("--line", [Problem(text[:100], f"must be {form}")])
    parts: dict[str, Any] = match.groupdict()
    name = parts.pop("sku")
    return {**named_line(name), **parts, "quantity": int(parts["quantity"])}


def named_line(name: str) -> dict[str, str]:
    """How a line was named: by its item, or, as `line 2`, by its id (ORD-13)."""
    by_id = _LINE_ID.match(name.strip())
    return {"line_id": by_id["line_id"]} if by_id is not None else {"sku": name}


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return [choice.value for choice in annotation]
    for part in get_args(annotation):
        if found := _choices(part):
            return found
    return []


def _flag(name: str) -> str:
    return "--line" if name == "lines" else f"--{name.replace('_', '-')}"


def _by_option(problem: Problem) -> Problem:
    """The same fault, named as it was typed: `rma_number` -> `--rma-number`, `lines.0.sku` -> `--line 1, sku`."""
    first, *rest = problem.field.split(".")
    if first.startswith("("):
        return problem
    if first == "lines" and rest:
        rest[0] = str(int(rest[0]) + 1) if rest[0].isdigit() else rest[0]
        return Problem(f"--line {', '.join(rest)}", problem.message)
    return Problem(_flag(first), problem.message)
