"""What every message of the contract has in common.

A message is one JSON object in `snake_case`. Unknown fields are refused at the door (`at_the_door`), where
it comes from outside; data that already lies in a history is read without them, so that it still decodes
after a field is gone. To remove a field of a message, add its name to `retired_fields`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, ClassVar, Protocol, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
)

from models.failures import InvalidInput, Problem
from models.text import DEEPEST, on_one_line, unfit

Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(on_one_line)
]
"""A short text that people wrote, on one line."""

LongText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
"""A text of some lines."""

Sku = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(on_one_line)
]
"""A seller's or supplier's number of an item."""

Number = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=160), AfterValidator(on_one_line)
]
"""A number that a partner gave (RMA, tracking, credit memo, marketplace reference): kept as it was typed."""


def _fit_for_a_header(value: str) -> str:
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise ValueError("is an id at the payment gateway: letters from A to Z, digits and signs, without spaces")
    return value


GatewayId = Annotated[Number, AfterValidator(_fit_for_a_header)]
"""A number that the payment gateway gave, such as `acct_1032D82eZvKYlo2C`: it goes into a request's header."""

Actor = Annotated[
    str,
    StringConstraints(
        pattern=r"^(seller|buyer|supplier|staff|broker|channel|carrier|gateway|script|system):[^\s].{0,99}$"
    ),
]
"""Who did it: `role:name`, e.g. `seller:jane`."""


def _written_time(value: Any) -> Any:
    if isinstance(value, str | datetime):
        return value
    raise ValueError("a time is RFC 3339 with zone, such as 2026-03-01T12:00:00Z")


def _in_living_memory(value: datetime) -> datetime:
    if not 2000 <= value.year < 2200:
        raise ValueError("a time lies between the years 2000 and 2200")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_written_time), AfterValidator(_in_living_memory)]
"""A time with zone, RFC 3339, between the years 2000 and 2200: whatever is made of it can be kept."""


class Message(BaseModel):
    """One JSON object; frozen; its validation errors never quote the input."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
    retired_fields: ClassVar[frozenset[str]] = frozenset()
    own_fields: ClassVar[frozenset[str]] = frozenset()
    """What only we ourselves say in it: its texts passed the door before."""

    @classmethod
    def at_the_door(cls, data: Any) -> Self:
        """Read what somebody outside sent. Raises InvalidInput that names every wrong field."""
        told = data
        if isinstance(data, dict) and cls.own_fields:
            told = {name: value for name, value in data.items() if name not in cls.own_fields}
        if problems := list(islice(_unfit_texts(told), 20)):
            raise InvalidInput(cls._title(), problems)
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if name not in cls.retired_fields}
        try:
            return cls.model_validate(data, extra="forbid")
        except ValidationError as error:
            raise InvalidInput(cls._title(), problems_of(error)) from None

    @classmethod
    def _title(cls) -> str:
        return cls.__name__


class Request(Message):
    """What starts a case. The data converter reads it `at_the_door`, so a bad one fails its workflow."""

    own_fields: ClassVar[frozenset[str]] = frozenset({"continued"})


class Event(Message):
    """What an event carries beside its own fields. `event_id` is unique per case: a second one counts once."""

    event_id: Number
    actor: Actor
    occurred_at: Time | None = None
    """When the sender says it happened; never what decides a race (CAN-3)."""
    note: LongText | None = None


def _whole_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a quantity is a whole number, without quotes")
    if not 1 <= value <= 100_000:
        raise ValueError("a quantity is between 1 and 100000")
    return value


WholeQuantity = Annotated[int, BeforeValidator(_whole_number)]
"""How many units, 1 to 100000."""


def _unfit_texts(data: Any) -> Iterator[Problem]:
    """Where a text holds what could command a terminal or what no database column takes; where it is nested so
    deep that nobody means it."""
    left: list[tuple[str, Any, int]] = [("", data, 0)]
    while left:
        field, value, depth = left.pop()
        where = field[:100] or "(message)"
        if isinstance(value, str):
            if found := unfit(value):
                yield Problem(where, f"a text can't hold the control character {found}; take it out")
        elif isinstance(value, dict | list | tuple):
            if depth == DEEPEST:
                yield Problem(where, f"nothing is nested more than {DEEPEST} times")
                return
            named = value.items() if isinstance(value, dict) else enumerate(value)
            inside = [(f"{field}.{name}" if field else str(name), one, depth + 1) for name, one in named]
            left += reversed(inside)


class Quantity(Message):
    """Some units of one line, named by its SKU."""

    sku: Sku
    quantity: WholeQuantity


class HasSku(Protocol):
    """A line of an order, a shipment or a return."""

    @property
    def sku(self) -> str: ...


def problems_of(error: ValidationError) -> list[Problem]:
    """Which fields are wrong and why, without the values: they may be personal."""
    return [
        Problem(
            field=".".join(str(part) for part in detail["loc"])[:100] or "(message)",
            message=detail["msg"].removeprefix("Value error, ")[:200],
        )
        for detail in error.errors(include_url=False, include_context=False, include_input=False)
    ][:20]


def require_distinct_skus(lines: Sequence[HasSku]) -> None:
    """Raise ValueError when a SKU stands in two lines: lines are named by their SKU."""
    seen: set[str] = set()
    for line in lines:
        if line.sku in seen:
            raise ValueError(f"SKU {line.sku} stands in two lines; add up the quantities")
        seen.add(line.sku)
