"""`backhaul up` and the commands against it: real processes, a real server, real books."""

import asyncio
import json
import os
import select
import signal
import time
from datetime import timedelta
from pathlib import Path

import yaml
from temporalio.client import Client
from typer.testing import CliRunner

from models.converter import DATA_CONVERTER
from models.worklists import Work
from starter.cli.assembly import app
from starter.client.status import until_past
from tests.cli.conftest import LocalStack, free_ports, server_description
from tests.cli.test_cli_files import ORDER


def order_file(stack: LocalStack, *numbers: str) -> str:
    """A file with one good order per number, each paid."""
    entries = []
    for number in numbers:
        stack.seed_payment(f"pi_{number}")
        entries.append(yaml.safe_load(ORDER.replace("1001", number)))
        entries[-1]["payment"]["amount"] = "97.20"
        entries[-1]["shipping"] = "7.20"
    path = stack.folder / f"{numbers[0]}.json"
    path.write_text(json.dumps(entries))
    return str(path)


def test_it_says_where_everything_is(local_stack: LocalStack) -> None:
    text = "\n".join(local_stack.said)
    for name in ("Temporal UI", "Temporal gRPC", "Temporal HTTP", "Sandbox partners", "Mails", "Suppliers' links"):
        assert name in text
    assert len(local_stack.children()) == 4


def test_the_same_file_sent_twice_starts_each_order_once(local_stack: LocalStack) -> None:
    file = order_file(local_stack, "s1", "s2")
    first, second = (local_stack.line("order", "start", file) for _ in range(2))
    assert first.stdout.splitlines() == [
        "order s1 started",
        "order s2 started",
        "2 started, 0 already existed, 0 not sent",
    ]
    assert second.exit_code == 0
    assert second.stdout.splitlines()[:2] == [
        f"order {number} already exists; not repeated" for number in ("s1", "s2")
    ]


def test_ORD_17_the_same_number_with_another_address_says_what_differs_and_changes_nothing(
    local_stack: LocalStack,
) -> None:
    file = Path(order_file(local_stack, "d1"))
    assert local_stack.line("order", "start", str(file)).exit_code == 0
    entries = json.loads(file.read_text())
    entries[0]["buyer"]["address"]["line1"] = "9 Other Rd"
    file.write_text(json.dumps(entries))
    again = local_stack.line("order", "start", str(file))
    assert again.exit_code == 4
    assert "order d1 already exists and differs in buyer.address.line1" in again.stdout
    assert "9 Other Rd" not in again.output, "addresses are personal"


def test_NTF_6_worklists_are_counted_listed_and_linked(local_stack: LocalStack) -> None:
    assert local_stack.line("worklists").stdout.count("/namespaces/default/workflows?query=") == len(Work)
    told = json.loads(local_stack.line("worklists", "--json").stdout)
    assert [one["work"] for one in told] == [work.value for work in Work]
    assert local_stack.line("list", "--work", "money_in_doubt").stdout.strip() == "nothing to do"
    assert local_stack.line("list", "--work", "nonsense").exit_code == 2
    assert local_stack.line("list", "returns", "--work", "to_approve").exit_code == 2


def test_CAN_1_a_cancel_inside_the_window_is_answered_and_a_second_one_is_told_how_it_ended(
    local_stack: LocalStack,
) -> None:
    local_stack.line("order", "start", order_file(local_stack, "c1"))
    cancelled = local_stack.line("order", "cancel", "c1", "--reason", "changed my mind", "--actor", "buyer:jane")
    assert cancelled.exit_code == 0, cancelled.output
    assert "cancelled" in cancelled.stdout
    wait_for_end(local_stack, "order-c1")
    again = local_stack.line("order", "cancel", "c1", "--reason", "again")
    assert again.exit_code == 4
    assert "order c1 has ended (cancelled)" in again.stderr


def test_an_event_is_answered_and_the_status_shows_it(local_stack: LocalStack) -> None:
    local_stack.line("order", "start", order_file(local_stack, "h1"))
    held = local_stack.line("order", "hold", "h1", "--reason", "address unclear", "--actor", "staff:kim")
    assert held.exit_code == 0, held.output
    told = local_stack.line("status", "h1", "--json")
    status = json.loads(told.stdout)
    assert status["workflow_id"] == "order-h1"
    assert "staff:kim" in [step["who"] for step in status["timeline"]]
    readable = local_stack.line("status", "order-h1")
    assert readable.stdout.startswith("order h1:")
    assert "staff:kim" in readable.stdout


def test_an_event_that_a_rule_refuses_gives_the_reason_and_its_exit_code(local_stack: LocalStack) -> None:
    local_stack.line("order", "start", order_file(local_stack, "r1"))
    wait_until(local_stack, "order-r1", past="received")
    result = local_stack.line("return", "start", "--order", "r1", "--line", "BRK-100:1:does not fit")
    assert result.exit_code == 5, result.output
    assert "RET-2" in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_case_is_not_found(local_stack: LocalStack) -> None:
    for arguments in (
        ("order", "release", "none"),
        ("return", "approve", "RR-none"),
        ("refund", "gateway-update", "RF-none", "--status", "failed", "--gateway-refund-id", "re_1"),
        ("status", "none"),
        ("refunds", "none"),
        ("return", "start", "--order", "none", "--line", "A:1:x"),
    ):
        result = local_stack.line(*arguments)
        assert result.exit_code == 3, (arguments, result.output)


def test_REF_8_REF_10_a_full_refund_is_one_command_and_the_refunds_add_up(local_stack: LocalStack) -> None:
    local_stack.line("order", "start", order_file(local_stack, "f1"))
    wait_until(local_stack, "order-f1", past="received")
    part = local_stack.line("refund", "start", "--order", "f1", "--amount", "7.20", "--reason", "late")
    assert part.exit_code == 0, part.output
    too_much = local_stack.line("refund", "start", "--order", "f1", "--amount", "97.20", "--reason", "all")
    assert too_much.exit_code == 5
    assert "90.00 USD still refundable" in too_much.stderr
    rest = local_stack.line("refund", "start", "--order", "f1", "--full", "--reason", "never arrived")
    assert rest.exit_code == 0, rest.output
    listed = local_stack.line("refunds", "f1")
    assert (
        "buyer: paid 97.20 USD, refunded 97.20 USD, pending 0.00 USD, still refundable 0.00 USD" in listed.stdout
    )


def test_REF_3_a_refund_that_no_single_payment_can_carry_is_made_in_parts_and_each_is_told(
    local_stack: LocalStack,
) -> None:
    file = Path(order_file(local_stack, "f4"))
    (order,) = json.loads(file.read_text())
    card = order.pop("payment")
    local_stack.seed_payment("pi_f4b")
    order["payments"] = [
        card | {"amount": "60.00"},
        card | {"reference": "pi_f4b", "amount": "37.20"},
    ]
    file.write_text(json.dumps([order]))
    local_stack.line("order", "start", str(file))
    wait_until(local_stack, "order-f4", past="received")
    full = ("refund", "start", "--order", "f4", "--full", "--reason", "x", "--refund-id", "RF-whole")
    made = local_stack.line(*full)
    assert made.exit_code == 0, made.output
    assert made.stdout.splitlines() == [
        "no single payment can carry refund RF-whole: it is made in 2 parts",
        "refund RF-wholeP1: succeeded",
        "refund RF-wholeP2: succeeded",
    ]
    again = local_stack.line(*full)
    assert again.exit_code == 5, "nothing is repeated"
    assert "was made in parts already: RF-wholeP1 60.00, RF-wholeP2 37.20" in again.stderr


def test_REF_6_the_same_refund_number_refunds_once(local_stack: LocalStack) -> None:
    local_stack.line("order", "start", order_file(local_stack, "f2"))
    wait_until(local_stack, "order-f2", past="received")
    order = ("refund", "start", "--order", "f2", "--amount", "5.00", "--reason", "x", "--refund-id", "RF-mine")
    assert local_stack.line(*order).exit_code == 0
    again = local_stack.line(*order)
    assert again.exit_code == 0
    assert "already exists; not repeated" in again.stdout
    totals = json.loads(local_stack.line("refunds", "f2", "--json").stdout)
    assert [refund["refund_id"] for refund in totals["refunds"]] == ["RF-mine"]


def test_REF_6_RET_16_another_request_under_a_number_that_is_taken_is_told_what_differs(
    local_stack: LocalStack,
) -> None:
    local_stack.line("order", "start", order_file(local_stack, "f3"))
    wait_until(local_stack, "order-f3", past="received")
    refund = ("refund", "start", "--order", "f3", "--reason", "x", "--refund-id", "RF-taken", "--amount")
    assert local_stack.line(*refund, "5.00").exit_code == 0
    other = local_stack.line(*refund, "6.00")
    assert other.exit_code == 4, other.output
    assert "refund RF-taken already exists and differs in amount" in other.stderr
    totals = json.loads(local_stack.line("refunds", "f3", "--json").stdout)
    assert [refund["amount"] for refund in totals["refunds"]] == ["5.00"]


def test_settings_of_sellers_are_shown_set_and_imported_again(local_stack: LocalStack) -> None:
    changed = local_stack.line("seller", "set", "acme", "language=de", "refund_reminder_days_before=10,5")
    assert changed.stdout.strip() == "seller acme: language, refund_reminder_days_before changed"
    shown = local_stack.line("seller", "show", "acme")
    assert yaml.safe_load(shown.stdout)["refund_reminder_days_before"] == [10, 5]
    again = local_stack.line("seller", "import", "-", stdin=shown.stdout)
    assert again.stdout.strip() == "seller acme: unchanged"
    wrong = local_stack.line("seller", "set", "acme", "tracking_days=soon")
    assert wrong.exit_code == 2
    assert "tracking_days: must be a valid integer" in wrong.stderr
    assert local_stack.line("seller", "set", "nobody", "language=de").exit_code == 3
    assert local_stack.line("seller", "set", "acme", "colour=red").exit_code == 2


def test_a_supplier_is_imported_and_shown_with_its_address(local_stack: LocalStack) -> None:
    address = "return_address: |-\n  1 Dock St\n  Reno"
    supplier = f"supplier_id: brakeco\nname: BrakeCo\nemail: rma@brakeco.example\n{address}\n"
    assert local_stack.line("supplier", "import", "-", stdin=supplier).stdout.strip() == "supplier brakeco: added"
    assert address in local_stack.line("supplier", "show", "brakeco").stdout


def test_orders_are_listed_by_stage_seller_and_due_date(local_stack: LocalStack) -> None:
    local_stack.line("order", "start", order_file(local_stack, "l1"))
    wait_until(local_stack, "order-l1", past="received")
    found = local_stack.line("list", "orders", "--seller", "acme", "--json")
    assert "l1" in [row["order_id"] for row in json.loads(found.stdout)]
    assert local_stack.line("list", "orders", "--seller", "nobody").stdout.strip() == "nothing found"
    assert local_stack.line("list", "orders", "--due-before", "2020-01-01").stdout.strip() == "nothing found"
    assert local_stack.line("list", "orders", "--due-before", "soon").exit_code == 2


def test_NTF_6_orders_that_could_not_be_opened_are_listed_with_why(local_stack: LocalStack) -> None:
    entries = json.loads(Path(order_file(local_stack, "n1")).read_text())
    request = entries[0] | {"seller_id": "unheard-of"}

    async def start() -> None:  # as over HTTP: the command line looks before
        client = await Client.connect(local_stack.address)
        await client.start_workflow("Order", request, id="order-n1", task_queue="backhaul")

    asyncio.run(start())
    refused = ("list", "orders", "--stage", "refused", "--seller", "unheard-of")
    (row,) = eventually_listed(local_stack, *refused, "--json")
    assert (row["workflow_id"], row["why"]) == ("order-n1", "no seller unheard-of: add it, then send again")
    assert "no seller unheard-of" in local_stack.line(*refused).stdout
    assert local_stack.line("list", "orders", "--stage", "refused", "--seller", "acme").stdout == "nothing found\n"
    assert local_stack.line("list", "orders", "--stage", "refused", "--due-before", "7d").exit_code == 2


def eventually_listed(stack: LocalStack, *words: str) -> list[dict[str, str]]:
    """What is listed, once the server's list has it."""
    until = time.monotonic() + 20
    while not (found := json.loads(stack.line(*words).stdout)) and time.monotonic() < until:
        time.sleep(0.2)
    return list(found)


def test_setup_of_the_server_does_nothing_the_second_time(local_stack: LocalStack) -> None:
    for _ in range(2):
        result = local_stack.line("temporal", "setup")
        assert result.exit_code == 0
        assert "search attributes added: none, all were there" in result.stdout


def test_a_second_stack_on_the_same_ports_says_which_port_and_what_to_change(
    local_stack: LocalStack, tmp_path: Path
) -> None:
    description = server_description()
    description["ports"]["ui"] = yaml.safe_load((local_stack.folder / "temporal-dev.yaml").read_text())["ports"][
        "ui"
    ]
    config = tmp_path / "temporal-dev.yaml"
    config.write_text(yaml.safe_dump(description))
    sandbox, mail, front = (str(port) for port in free_ports(3))
    ports = ["--sandbox-port", sandbox, "--mail-port", mail, "--front-port", front]
    result = CliRunner().invoke(app, ["up", "--config", str(config), "--folder", str(tmp_path), *ports])
    assert result.exit_code == 4
    assert result.stderr.strip() == (
        f"backhaul: port {description['ports']['ui']} is in use; it is for the Temporal web UI. "
        "End what listens there, or change ports.ui in temporal-dev.yaml"
    )


def test_ctrl_c_ends_everything_and_leaves_no_process(local_stack: LocalStack) -> None:
    """The last one here: it ends the stack of the others."""
    children = [os.pidfd_open(pid) for pid in local_stack.children()]
    assert len(children) == 4
    local_stack.process.send_signal(signal.SIGINT)
    said, _ = local_stack.process.communicate(timeout=60)
    assert local_stack.process.returncode == 0
    assert said.splitlines()[-1] == "Everything has ended."
    for child in children:
        assert select.select([child], [], [], 0)[0]
        os.close(child)


def wait_until(stack: LocalStack, workflow_id: str, *, past: str) -> None:
    """Until the case is past this stage."""

    async def wait() -> None:
        client = await Client.connect(stack.address, data_converter=DATA_CONVERTER)
        assert await until_past(client, workflow_id, {past}, timedelta(seconds=30)) is not None

    asyncio.run(wait())


def wait_for_end(stack: LocalStack, workflow_id: str) -> None:
    """Until the case has ended."""

    async def wait() -> None:
        client = await Client.connect(stack.address, data_converter=DATA_CONVERTER)
        async with asyncio.timeout(30):
            await client.get_workflow_handle(workflow_id).result()

    asyncio.run(wait())
