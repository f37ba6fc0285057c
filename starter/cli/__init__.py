"""The command line: `backhaul`. One file per room; failures are lines and exit codes, never stack traces."""

import os
import sys

from starter.cli.assembly import app

__all__ = ["app", "main"]


def main() -> None:
    """The console script. Ends the process with the exit code of `models.failures`."""
    try:
        app()
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's core may crash while the interpreter is taken down, after all work is done: skip that.
    os._exit(code)
