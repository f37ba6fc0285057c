"""How often a partner may be asked something: so many calls a second, so many of them at once."""

from typing import NamedTuple


class CallRate(NamedTuple):
    """`per_second` calls on average; after a rest up to `burst` in one go."""

    per_second: float
    burst: int
