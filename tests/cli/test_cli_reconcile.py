"""`backhaul reconcile`: cases that were terminated are told, noted, and told once (NTF-3)."""

import asyncio
import json

from temporalio.client import Client

from tests.cli.conftest import LocalStack
from tests.cli.test_cli_stack import order_file, wait_until


def terminate(stack: LocalStack, workflow_id: str) -> None:
    async def work() -> None:
        client = await Client.connect(stack.address)
        await client.get_workflow_handle(workflow_id).terminate("by mistake")

    asyncio.run(work())


def test_NTF_3_what_was_terminated_is_told_with_its_money_and_noted_once(local_stack: LocalStack) -> None:
    line = local_stack.line
    line("order", "start", order_file(local_stack, "t1", "t2"))
    for number in ("t1", "t2"):
        wait_until(local_stack, f"order-{number}", past="received")
    assert line("reconcile").stdout == "all that the books have open runs on the server\n"
    terminate(local_stack, "order-t1")

    told = line("reconcile")
    assert told.exit_code == 4
    assert "order-t1" in told.stdout
    assert "terminated" in told.stdout
    assert "charge CH-t1-1 of" in told.stdout
    assert "order-t2" not in told.output
    assert "`backhaul reconcile --write` notes them" in told.stderr
    (row,) = json.loads(line("reconcile", "--json").stdout)
    assert (row["case"]["workflow_id"], row["server_says"]) == ("order-t1", "terminated")

    written = line("reconcile", "--write")
    assert written.exit_code == 0, written.output
    assert written.stdout.splitlines()[-1] == "1 noted in the books, staff told of 1"
    again = line("reconcile", "--write")
    assert again.exit_code == 0
    assert again.stdout.splitlines()[-1] == "0 noted in the books, staff told of 0"
    (listed,) = json.loads(line("list", "orders", "--stage", "terminated", "--json").stdout)
    assert listed["order_id"] == "t1"
    assert listed["standing"]["ended"] is True
