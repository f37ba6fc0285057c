"""Where a secret stands: what is written down in place of the secret itself."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator

_SECRET: Final = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,199}|file:/[!-~]{1,999}")


def _reference(secret: str) -> str:
    if not _SECRET.fullmatch(secret):
        raise ValueError("say where the secret stands, never the secret itself: env:NAME or file:/PATH")
    return secret


SecretReference = Annotated[str, AfterValidator(_reference)]
"""Where a secret stands: `env:NAME` or `file:/PATH`. Never the secret itself."""
