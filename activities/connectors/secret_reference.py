"""Where a connection's secret stands, and how it is read: anew for each use, so a new key needs no restart."""

import os
import stat
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from models.connections import Connection
from models.failures import NotFound

LONGEST: Final = 10_000
"""Bytes of a secret: what is longer is another file."""


def secret_of(connection: Connection) -> SecretStr:
    """The connection's secret as it is now; empty: it has none. Raises NotFound as `read_secret`."""
    return read_secret(connection.secret) if connection.secret is not None else SecretStr("")


def read_secret(reference: str) -> SecretStr:
    """The secret that `env:NAME` or `file:/PATH` refers to, without the line's end that editors leave behind it.

    Raises NotFound that says what is wrong with it, and nothing of what it is.
    """
    kind, _, where = reference.partition(":")
    secret = _of_environment(where) if kind == "env" else _of_file(where)
    if not secret:
        raise NotFound(f"the secret at {reference} is empty")
    if not (secret.isascii() and secret.isprintable() and secret == secret.strip()):
        raise NotFound(
            f"the secret at {reference} is not one line of printable ASCII characters without spaces around them"
        )
    return SecretStr(secret)


def _of_environment(name: str) -> str:
    secret = os.environ.get(name)
    if secret is None:
        raise NotFound(f"this process has no environment variable {name}, where the secret should stand")
    return secret


def _of_file(path: str) -> str:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise NotFound(f"the secret at file:{path} is no file")
        with Path(path).open("rb") as file:
            content = file.read(LONGEST + 1)
    except OSError as error:
        raise NotFound(f"the secret at file:{path} can't be read: {error.strerror}") from None
    if len(content) > LONGEST:
        raise NotFound(f"the secret at file:{path} is longer than {LONGEST} bytes")
    # What is no ASCII is told by the caller, who looks at every character.
    return content.decode("latin-1").removesuffix("\n").removesuffix("\r")
