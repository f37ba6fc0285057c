"""What every message of the contract has in common.

A message is one JSON object in `snake_case`. Unknown fields are refused at the door (`at_the_door`), where
it comes from outside; data that already lies in a history is read without them, so that it still decodes
after a field is gone. To remove a field of a message, add its name to `retired_fields`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, ClassVar, Final, Protocol, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    model_validator,
)

from models.failures import InvalidInput, Problem
from models.forms import written_as
from models.ids import LineId
from models.text import DEEPEST, in_plain_words, on_one_line, unfit

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

_ROLES: Final = "seller|buyer|supplier|staff|broker|channel|carrier|gateway|script|system"
Actor = Annotated[
    str,
    written_as(
        rf"({_ROLES}):\S.{{0,99}}",
        f"is role:name, such as seller:jane, on one line; the roles are {_ROLES.replace('|', ', ')}",
    ),
    AfterValidator(on_one_line),
]
"""Who did it: `role:name`, e.g. `seller:jane`."""

Asker = Annotated[
    str,
    written_as(r"[a-z]+:\S.{0,99}", "is role:name, such as seller:jane, on one line"),
    AfterValidator(on_one_line),
]
"""Who asks for a case of its own: `role:name`."""


_SAYS_A_DAY: Final = re.compile(r"\s*\d{4}-")
"""A number of seconds, also one in quotes, would be read as a time too."""


def _written_time(value: Any) -> Any:
    if isinstance(value, datetime) or (isinstance(value, str) and _SAYS_A_DAY.match(value)):
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
        """Read what somebody outside sent; an empty text, or null, is an absent field (ORD-21).

        Raises InvalidInput that names every wrong field.
        """
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if name not in cls.retired_fields}
        told = data
        if isinstance(data, dict) and cls.own_fields:
            told = {name: value for name, value in data.items() if name not in cls.own_fields}
        if problems := list(islice(_unfit_texts(told), 20)):
            raise InvalidInput(cls._title(), problems)
        try:
            return cls.model_validate(_without_empty(data), extra="forbid")
        except ValidationError as error:
            raise InvalidInput(cls._title(), problems_of(error)) from None

    @classmethod
    def _title(cls) -> str:
        return cls.__name__


class Request(Message):
    """What starts a case. The data converter reads it `at_the_door`, so a bad one fails its workflow."""

    own_fields: ClassVar[frozenset[str]] = frozenset({"continued"})

    @property
    def in_one_form(self) -> Self:
        """The same request in the one form that what means the same has (ORD-17, ORD-21)."""
        return self

    @property
    def only_started_by(self) -> str | None:
        """The workflow that alone may start it; none: whoever may start a case."""
        return None


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


def _without_empty(data: Any) -> Any:
    """Without the fields that hold an empty text or null: who has nothing to say often says so. The facts of a
    case that goes on are left as they are."""
    if isinstance(data, dict):
        return {
            name: value if name == "continued" else _without_empty(value)
            for name, value in data.items()
            if not (value is None or (isinstance(value, str) and not value.strip()))
        }
    return [_without_empty(value) for value in data] if isinstance(data, list) else data


class NamesLine(Message):
    """Names a line by its `line_id`, by its `sku`, or by both, which must agree then (ORD-13)."""

    line_id: LineId | None = None
    sku: Sku | None = None

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if self.line_id is None and self.sku is None:
            raise ValueError("name the line by line_id or by sku (ORD-13)")
        return self

    @property
    def name(self) -> str:
        """As its sender named it."""
        return f"line {self.line_id}" if self.sku is None else self.sku


class Quantity(NamesLine):
    """Some units of one line. Of a kit: so many kits, that is all their components (ORD-14)."""

    quantity: WholeQuantity


class LineUnits(Message):
    """Some units of one line inside, where it is known which line it is."""

    line_id: LineId
    sku: Sku
    quantity: WholeQuantity


@lru_cache(maxsize=8192)
def folded(number: str) -> str:
    """A number or item code without case, blanks and punctuation (ORD-21): what people nearly agree on is one.

    `BRK-100` and `brk 100` are one; what has neither letters nor digits stays as it is.
    """
    plain = unicodedata.normalize("NFKC", number).casefold()
    return "".join(character for character in plain if character.isalnum()) or plain.strip()


class HasSku(Protocol):
    """A line that a partner sends or gets."""

    @property
    def sku(self) -> str: ...


def problems_of(error: ValidationError) -> list[Problem]:
    """Which fields are wrong and why, without the values: they may be personal."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    wrong = {detail["loc"][:length] for detail in found for length in range(len(detail["loc"]))}
    return [
        Problem(
            field=".".join(str(part) for part in detail["loc"])[:100] or "(message)",
            message=in_plain_words(detail["msg"])[:200],
        )
        for detail in found
        # Entries that are wrong are not counted: a list of them only seems too short.
        if not (detail["type"] == "too_short" and detail["loc"] in wrong)
    ][:20]


def require_distinct_names(lines: Iterable[NamesLine]) -> None:
    """Raise ValueError when a line is named twice in the same way."""
    seen: set[tuple[str | None, str | None]] = set()
    for line in lines:
        name = (line.line_id, folded(line.sku) if line.sku is not None else None)
        if name in seen:
            raise ValueError(f"{line.name} stands in two lines; add up the quantities")
        seen.add(name)


def require_distinct_skus(lines: Iterable[HasSku]) -> None:
    """Raise ValueError when a SKU stands in two lines: partners know lines by their SKU."""
    seen: set[str] = set()
    for line in lines:
        if line.sku in seen:
            raise ValueError(f"SKU {line.sku} stands in two lines; add up the quantities")
        seen.add(line.sku)
