"""`codec`: keys that encrypt payloads, and the server through which people read encrypted cases."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from models.failures import InvalidInput, Problem
from starter.cli.commands import command_group

codec = command_group("Encryption of what Temporal keeps: keys, and reading with them.")


@codec.command("new-key")
def new_key_command(
    key_id: Annotated[
        str | None, typer.Option("--id", help="The key's name, which payloads carry; default: today's date.")
    ] = None,
) -> None:
    """Print a fresh key, `id:key`, for BACKHAUL_PAYLOAD_KEYS.

    The first key of that setting encrypts, every one decrypts. To rotate, put the new one first and keep the
    old ones until no case needs them any more: `new,old`.
    """
    from models.encryption import SETTING, new_key

    key_id = key_id if key_id is not None else f"{datetime.now(UTC):%Y-%m-%d}"
    try:
        entry = new_key(key_id)
    except ValueError as error:
        raise InvalidInput(f"a key for {SETTING}", [Problem("--id", str(error))]) from None
    sys.stdout.write(entry + "\n")


@codec.command("serve")
def serve_command(
    host: Annotated[
        str, typer.Option(help="Where it listens; beyond this machine it wants a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="HTTP.")] = 8253,
    ui_origin: Annotated[
        list[str] | None,
        typer.Option(help="Where the Temporal UI is opened, as in http://127.0.0.1:8233; may be repeated."),
    ] = None,
) -> None:
    """Run the codec server until Ctrl-C: the Temporal UI and `temporal --codec-endpoint` read cases with it.

    Keys: BACKHAUL_PAYLOAD_KEYS. Token that it wants as `Authorization: Bearer`: BACKHAUL_CODEC_TOKEN.
    """
    from starter.cli.output import run
    from starter.cli.process_settings import ready_settings
    from starter.ops.codec_server import UI_ORIGINS, serve
    from starter.ops.interrupt import ended_by_signals

    settings = ready_settings()

    async def work() -> None:
        with ended_by_signals():
            await serve(settings, host, port, ui_origin or UI_ORIGINS)

    run(work())
