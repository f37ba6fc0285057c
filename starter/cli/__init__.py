"""The command line: `backhaul`. One file per room; failures are lines and exit codes, never stack traces."""

import os
import sys
from typing import Final

INTERRUPTED: Final = 130
"""Exit code of what Ctrl-C ended, as shells have it."""


def main() -> None:
    """The console script. Ends the process with the exit code of `models.failures`."""
    try:
        # To read our own code takes most of a short command: Ctrl-C often comes meanwhile.
        from starter.cli.assembly import app

        app()
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except KeyboardInterrupt:
        code = INTERRUPTED
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's core may crash while the interpreter is taken down, after all work is done: skip that.
    os._exit(code)
