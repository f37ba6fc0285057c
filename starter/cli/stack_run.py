"""What `up` and `temporal setup` do: run the local stack, and prepare a server."""

import asyncio
from datetime import timedelta

from temporalio.service import RPCError

from models.failures import RefusedByPartner
from starter.cli.output import say
from starter.client.connection import connect
from starter.ops.interrupt import ended_by_signals
from starter.ops.namespace import prepare_namespace
from starter.ops.stack import StackPlan, running_stack


async def run_stack(plan: StackPlan) -> None:
    """Run the local stack until it is interrupted."""
    with ended_by_signals():
        say("Starting the local stack ...")
        async with running_stack(plan) as stack:
            show_addresses(plan)
            say("Ready. Ctrl-C ends everything.", style="bold")
            try:
                await stack.wait()
            finally:
                say("Ending ...")
    say("Everything has ended.")


def show_addresses(plan: StackPlan) -> None:
    """Where people and programs reach the parts of a running stack."""
    say(f"  Temporal UI      {plan.ui_list}")
    say(f"  Temporal gRPC    {plan.server.address}")
    say(f"  Temporal HTTP    {plan.server.http_url}/api/v1/namespaces/{plan.server.namespace}/workflows")
    say(f"  Sandbox partners {plan.sandbox_url}")
    say(f"  Mails            {plan.sandbox_url}/mail")
    say(f"  Suppliers' links {plan.front_url}")
    if plan.codec_url is not None:
        say(f"  Codec server     {plan.codec_url} (payloads are encrypted)")
    say(f"  Logs             {plan.logs}")
    if exports := plan.exports():
        say("Commands in another terminal find it after:")
        for name, value in exports.items():
            say(f"  export {name}={value}")


async def set_up_namespace(retention: timedelta) -> None:
    """Search attributes and retention of the server that the environment names. Raises RefusedByPartner."""
    client = await connect()
    try:
        async with asyncio.timeout(30):
            prepared = await prepare_namespace(client, retention)
    except RPCError as error:
        raise RefusedByPartner(
            f"the Temporal server does not let namespace {client.namespace} be prepared: {error.message}"
        ) from None
    say(f"namespace {prepared.namespace}")
    say(f"  search attributes added: {', '.join(prepared.added) or 'none, all were there'}")
    before, now = prepared.retention_before.days, prepared.retention.days
    say(f"  retention: {now} days" + ("" if before == now else f" (was {before})"))
