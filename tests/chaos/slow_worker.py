"""How a worker dawdles until it is killed, and how others see that it does."""

import asyncio
from typing import Final

DAWDLES: Final = "this worker dawdles"
"""What a worker writes into its log when it is where it dawdles."""

_UNTIL_KILLED_SECONDS: Final = 600


async def dawdle() -> None:
    """Says so, and does nothing more."""
    print(DAWDLES, flush=True)
    await asyncio.sleep(_UNTIL_KILLED_SECONDS)
