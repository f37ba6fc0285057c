"""A cancel window of seconds: settings of sellers count it in minutes, and a bench can't wait so long."""

from datetime import timedelta
from typing import Final

from models.parties import Seller

SECONDS: Final = 2.0
"""Long enough that no order comes late to it on a busy machine."""


def shorten() -> None:
    """For every case that this process runs or replays."""
    Seller.cancel_window = property(lambda _: timedelta(seconds=SECONDS))  # type: ignore[assignment, method-assign]
