"""One subcommand per event of the contract: options become the message, faults are named as they were typed."""

import json
import shlex
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from models.cancellations import CancelRequest
from models.contract import (
    CHANNEL_BATCH,
    CLAIM,
    COST_REVIEW,
    EVENTS,
    KINDS,
    ORDER,
    ORPHAN,
    REFUND,
    RETURN,
)
from models.returns import CreditMemo, GoodsReceived, SellerApproval, StaffOverride, SupplierRma
from starter.cli import batches, claims, cost_reviews, orders, orphans, refunds, returns
from starter.cli.commands import BackhaulCommands
from starter.cli.events import EventToSend, add_events
from tests.cli.conftest import Line

COMMANDS = {
    ORDER: orders.EVENTS,
    RETURN: returns.EVENTS,
    REFUND: refunds.EVENTS,
    ORPHAN: orphans.EVENTS,
    COST_REVIEW: cost_reviews.EVENTS,
    CLAIM: claims.EVENTS,
    CHANNEL_BATCH: batches.EVENTS,
}
ROOMS = {kind.name: kind.prefix.removesuffix("-") for kind in KINDS}


class Sent:
    """A command line that keeps what it would send."""

    def __init__(self) -> None:
        self.events: list[tuple[str, EventToSend]] = []
        self.app = typer.Typer(cls=BackhaulCommands)
        for workflow, commands in COMMANDS.items():
            room = typer.Typer()
            add_events(room, workflow, commands, "The number.", lambda *sent: self.events.append(sent))
            self.app.add_typer(room, name=ROOMS[workflow])

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(self.app, list(arguments))

    def only(self, *arguments: str) -> Any:
        result = self(*arguments)
        assert result.exit_code == 0, result.output
        [(_, to_send)] = self.events
        return to_send.event


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.mark.parametrize("workflow", [name for name, events in EVENTS.items() if events])
def test_every_event_of_the_contract_has_its_subcommand(workflow: str) -> None:
    assert {command.event for command in COMMANDS[workflow]} == set(EVENTS[workflow])


@pytest.mark.parametrize(
    ("workflow", "name"), [(workflow, command.name) for workflow in COMMANDS for command in COMMANDS[workflow]]
)
def test_every_subcommand_has_help_with_an_example(sent: Sent, workflow: str, name: str) -> None:
    result = sent(ROOMS[workflow], name, "--help")
    assert result.exit_code == 0
    assert f"backhaul {ROOMS[workflow]} {name}" in result.output


@pytest.mark.parametrize(
    ("workflow", "command"), [(workflow, command) for workflow in COMMANDS for command in COMMANDS[workflow]]
)
def test_the_example_of_every_subcommand_works(sent: Sent, workflow: str, command: Any) -> None:
    result = sent(ROOMS[workflow], command.name, *shlex.split(command.example))
    assert result.exit_code == 0, result.output
    assert sent.events[0][1].name == command.event


def test_options_become_the_message(sent: Sent) -> None:
    event = sent.only(
        "order",
        "cancel",
        "1001",
        "--reason",
        "too late",
        "--line",
        "A:B:2",
        "--actor",
        "buyer:jane",
        "--event-id",
        "e1",
    )
    assert isinstance(event, CancelRequest)
    assert (event.event_id, event.actor, event.reason) == ("e1", "buyer:jane", "too late")
    assert [(line.sku, line.quantity) for line in event.lines or ()] == [("A:B", 2)]


def test_the_name_of_the_subcommand_says_the_decision(sent: Sent) -> None:
    approval = sent.only("return", "approve", "RR-1", "--restocking-percent", "15", "--returnless")
    assert isinstance(approval, SellerApproval)
    assert (approval.decision, str(approval.restocking_percent), approval.returnless) == ("approved", "15", True)
    sent.events.clear()
    refusal = sent.only("return", "rma-refuse", "RR-1", "--reason", "too old")
    assert isinstance(refusal, SupplierRma)
    assert refusal.outcome == "refused"


def test_reception_and_acceptance_are_two_facts_of_a_line(sent: Sent) -> None:
    event = sent.only(
        "return", "received", "RR-1", "--line", "A:1:short:manual", "--line", "B:2:received:accepted"
    )
    assert isinstance(event, GoodsReceived)
    assert [(line.sku, line.reception, line.acceptance) for line in event.lines] == [
        ("A", "short", "manual"),
        ("B", "received", "accepted"),
    ]


def test_ORD_13_a_line_is_named_by_its_item_or_by_its_id(sent: Sent) -> None:
    event = sent.only(
        "order", "shipment", "1", "--shipment-id", "WH/OUT/1", "--carrier", "UPS", "--tracking-number", "1Z",
        "--line", "PAD 1:2", "--line", "line 2.1:1",
    )  # fmt: skip
    assert [(line.sku, line.line_id, line.quantity) for line in event.lines] == [
        ("PAD 1", None, 2),
        (None, "2.1", 1),
    ]


def test_money_and_dates_come_as_typed(sent: Sent) -> None:
    event = sent.only(
        "return",
        "credit-memo",
        "R",
        "--number",
        "C1",
        "--date",
        "2026-03-01",
        "--amount",
        "31.50",
        "--currency",
        "USD",
    )
    assert isinstance(event, CreditMemo)
    assert (str(event.amount), event.date.isoformat()) == ("31.50", "2026-03-01")


def test_staff_move_a_deadline(sent: Sent) -> None:
    event = sent.only(
        "return",
        "override",
        "R",
        "--extend",
        "refund_due",
        "--until",
        "2026-03-01T12:00:00Z",
        "--reason",
        "agreed",
    )
    assert isinstance(event, StaffOverride)
    assert event.extend == "refund_due"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("order", "cancel", "1"), "--reason: is missing"),
        (("order", "cancel", "1", "--reason", "x", "--line", "A"), "--line: A: must be SKU:QTY"),
        (("order", "cancel", "1", "--reason", "x", "--line", "A:0"), "--line 1, quantity: a quantity is between"),
        (("order", "hold", "1", "--reason", "x", "--actor", "jane"), "--actor: is role:name, such as seller:jane"),
        (("return", "reject", "1"), "a rejection needs a reason"),
        (
            (
                "return",
                "credit-memo",
                "1",
                "--number",
                "1",
                "--date",
                "x",
                "--amount",
                "1.005",
                "--currency",
                "usd",
            ),
            "--date: ",
        ),
        (("order", "hold", "1", "--reason", "x", "--json", "{}"), "--json: not together with --reason"),
        (("order", "hold", "1", "--json", "[1]"), "[1] can't be read"),
        (("order", "hold", "1", "--json", '{"reason": 5}'), "reason: must be a valid string"),
        (("order", "hold", "1", "--json", '{"reason": "x", "colour": "red"}'), "colour: is not known here"),
    ],
)
def test_a_fault_is_named_as_it_was_typed_and_nothing_is_sent(
    sent: Sent, arguments: tuple[str, ...], fault: str
) -> None:
    result = sent(*arguments)
    assert fault in result.stderr
    assert result.exit_code in (2, 3)
    assert sent.events == []


def test_json_takes_the_place_of_options(sent: Sent) -> None:
    event = sent.only(
        "order", "hold", "1", "--json", json.dumps({"reason": "x", "event_id": "e9"}), "--actor", "staff:k"
    )
    assert (event.event_id, event.actor) == ("e9", "staff:k")


def test_an_unknown_event_or_workflow_is_named(nowhere: Line) -> None:
    wrong_event = nowhere("event", "send", "order-1", "canel", "--json", "{}")
    wrong_workflow = nowhere("event", "send", "parcel-1", "hold", "--json", "{}")
    assert wrong_event.exit_code == wrong_workflow.exit_code == 2
    assert "orders hear: release, cancel_request" in wrong_event.stderr
    for kind in KINDS:
        heard = nowhere("event", "send", f"{kind.prefix}1", "canel", "--json", "{}")
        assert (heard.exit_code, f"{kind.prefix.removesuffix('-')}s hear" in heard.stderr) == (2, True), kind.name
    assert (
        "is not the workflow id of an order, a return, a refund, an orphan, a cost review, a claim, a batch or"
        in wrong_workflow.stderr
    )


@pytest.mark.parametrize("written", ["credit-memo", "credit_memo", "Credit-Memo"])
def test_RET_12_a_word_may_be_written_as_options_are(sent: Sent, written: str) -> None:
    event = sent.only("return", "override", "RR-1", "--waive", written, "--reason", "out of business")
    assert event.waive == "credit_memo"


def test_RET_25_a_receipt_has_groups_of_units_and_may_correct_another(sent: Sent) -> None:
    groups = ("--line", "A:1:received:accepted", "--line", "A:1:wrong_item:rejected")
    event = sent.only("return", "received", "RR-1", *groups, "--corrects", "e1", "--actor", "supplier:sue")
    assert [(line.quantity, line.acceptance) for line in event.lines] == [(1, "accepted"), (1, "rejected")]
    assert event.corrects == "e1"


def test_RET_27_a_refund_is_declined_with_its_kind_and_reason(sent: Sent) -> None:
    said = ("--kind", "refunded-elsewhere", "--reason", "paid in cash", "--actor", "seller:jo")
    event = sent.only("return", "decline", "RR-1", *said)
    assert (event.kind, event.reason) == ("refunded_elsewhere", "paid in cash")
