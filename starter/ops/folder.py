"""The folder of a local stack: writable, and of one stack at a time."""

import errno
import fcntl
import os
from pathlib import Path
from typing import TextIO

from activities.private_files import private_file, private_folder
from models.failures import Conflict, InvalidInput, Problem


def require_folder(folder: Path) -> None:
    """Create it. Raises InvalidInput when it can't be, or nothing can be written there."""
    try:
        private_folder(folder / "logs")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        why = f"can't be used as a folder ({error.strerror}); give another one with --folder"
        raise InvalidInput("the local stack", [Problem(str(folder), why)]) from None


def only_one_in(folder: Path) -> TextIO:
    """Keep the folder for as long as this file is open: two servers on one SQLite file would damage it.

    Raises Conflict when another stack runs in it.
    """
    file = private_file(folder / "stack.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise Conflict(
            f"a stack runs in {folder} already, with its databases; end it, or give this one a folder of its own "
            "with --folder (and ports of its own with --port-offset)"
        ) from None
    return file
