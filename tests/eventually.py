"""What must become so, looked at until it is."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE = float(os.environ.get("BACKHAUL_TEST_PATIENCE", "20"))
"""Seconds that a test waits for something that must happen; a busy machine needs more."""


async def eventually(
    look: Callable[[], Awaitable[Any]], until: Callable[[Any], bool], what: str, seconds: float = PATIENCE
) -> Any:
    """Look until it is so; AssertionError with the last look if it does not become so."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        seen = await look()
        if until(seen):
            return seen
        assert asyncio.get_running_loop().time() < deadline, f"{what}; last seen: {seen}"
        await asyncio.sleep(0.05)
