"""In what two messages differ: the names of fields, never their values, which may be personal."""

from collections.abc import Collection, Iterator
from typing import Any, Final

from models.message import Message, Request

_NAMED: Final = 10


def differences(one: Message, other: Message, leaving_out: Collection[str] = ()) -> str:
    """`payment.amount, lines.0.quantity`; empty when both say the same, be it in another form (ORD-17).

    `leaving_out`: fields that don't matter.
    """
    said, before = (each.in_one_form if isinstance(each, Request) else each for each in (one, other))
    found = [field for field in _between(said, before, "") if field.partition(".")[0] not in leaving_out]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


def _between(one: Any, other: Any, field: str) -> Iterator[str]:
    """By value: 10.0 is 10.00."""
    if isinstance(one, Message) and isinstance(other, Message):
        one, other = dict(one), dict(other)
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            yield from _between(one.get(name), other.get(name), f"{field}.{name}" if field else str(name))
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for position, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _between(mine, theirs, f"{field}.{position}")
    elif one != other:
        yield field
