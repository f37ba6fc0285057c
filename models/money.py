"""Money: decimal amounts with an ISO 4217 currency, and sharing a total out to the last minor unit.

Amounts travel as decimal *strings*: a JSON number has already lost digits, so it is refused.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Annotated, Any, Final, NamedTuple

from iso4217 import Currency as Iso4217
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

_DECIMAL = re.compile(r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$")
TOO_MUCH: Final = Decimal(10**15)
"""An amount has at most 15 digits before its point. A sum has no more: it travels as an amount too."""


def _decimal_string(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise ValueError('money is a decimal string such as "10.50", never a JSON number')
    if not _DECIMAL.match(value.strip()):
        raise ValueError('money is a decimal string such as "10.50", without exponent or separators')
    return value.strip()


_FUNDS = frozenset({"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW"})
"""Units of account that ISO 4217 gives decimals, as if they were money."""


def _known_currency(code: str) -> str:
    try:
        currency = Iso4217(code)
    except ValueError:
        raise ValueError("not an ISO 4217 currency code in capital letters, such as USD") from None
    if currency.exponent is None or code in _FUNDS:
        raise ValueError("a code for tests, metals or funds; nobody pays with it: give a currency such as USD")
    return code


Amount = Annotated[
    Decimal, BeforeValidator(_decimal_string), PlainSerializer(lambda value: format(value, "f"), str)
]
"""An amount of money; which currency is said beside it."""

PositiveAmount = Annotated[Amount, Field(gt=0)]
NonNegativeAmount = Annotated[Amount, Field(ge=0)]

Currency = Annotated[str, AfterValidator(_known_currency)]
"""ISO 4217, in capital letters."""


@lru_cache(maxsize=512)
def minor_digits(currency: str) -> int:
    """Digits after the point in this currency: USD 2, JPY 0, KWD 3."""
    return Iso4217(currency).exponent or 0


@lru_cache(maxsize=512)
def smallest_unit(currency: str) -> Decimal:
    """The smallest amount of this currency: USD 0.01, JPY 1, KWD 0.001."""
    return Decimal(1).scaleb(-minor_digits(currency))


def is_whole(amount: Decimal, currency: str) -> bool:
    """Whether the amount has no fraction of the smallest unit of its currency."""
    return amount == amount.quantize(smallest_unit(currency), rounding=ROUND_DOWN)


def require_whole(amount: Decimal, currency: str, what: str) -> None:
    """Raise ValueError when `amount` is finer than its currency allows (USD 1.005, JPY 0.5)."""
    if not is_whole(amount, currency):
        raise ValueError(f"{what} is finer than the smallest unit of {currency}, {smallest_unit(currency)}")


def require_kept(total: Decimal, what: str) -> None:
    """Raise ValueError when a sum of amounts, each of which is one, has become more than one can be."""
    if total >= TOO_MUCH:
        raise ValueError(f"{what} adds up to {total}: no amount has more than 15 digits before its point")


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole smallest units, half away from zero."""
    return amount.quantize(smallest_unit(currency), rounding=ROUND_HALF_UP)


def to_minor_units(amount: Decimal, currency: str) -> int:
    """USD 10.50 -> 1050; JPY 1099 -> 1099; KWD 1.234 -> 1234. Raises ValueError if that loses digits."""
    require_whole(amount, currency, "the amount")
    return int(amount.scaleb(minor_digits(currency)))


def from_minor_units(units: int, currency: str) -> Decimal:
    """The inverse of `to_minor_units`."""
    return Decimal(units).scaleb(-minor_digits(currency))


def allocate(total: Decimal, weights: Sequence[Decimal | int], currency: str) -> list[Decimal]:
    """Share `total` out by `weights`, by largest remainder: the parts add up to the total exactly.

    Every part has whole smallest units; ties go to the earlier part; a sum of weights of zero shares
    equally. Raises ValueError for negative weights, no weights, or a total finer than its currency.
    """
    if not weights:
        raise ValueError("there is nothing to share the total out over")
    if any(weight < 0 for weight in weights):
        raise ValueError("a weight is negative")
    require_whole(total, currency, "the total")
    parts = [Decimal(weight) for weight in weights]
    if not sum(parts):
        parts = [Decimal(1)] * len(parts)
    sign = -1 if total < 0 else 1
    units = abs(to_minor_units(total, currency))
    whole = sum(parts)
    exact = [units * part / whole for part in parts]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: units - sum(shares)]:
        shares[i] += 1
    return [from_minor_units(sign * share, currency) for share in shares]


def share_of_units(total: Decimal, quantity: int, already: int, taken: int, currency: str) -> Decimal:
    """What `taken` of `quantity` units are worth when `already` of them were taken before.

    Units are worth `allocate(total, [1] * quantity)`, in order, so that any sequence of partial returns
    adds up to `total` exactly. Raises ValueError when more is taken than is left.
    """
    if already < 0 or taken < 0 or already + taken > quantity:
        raise ValueError(f"{taken} of {quantity} can't be taken, {already} were taken before")
    base, extra = divmod(to_minor_units(total, currency), quantity)
    before = base * already + min(already, extra)
    after = base * (already + taken) + min(already + taken, extra)
    return from_minor_units(after - before, currency)


class UnitsOfLine(NamedTuple):
    quantity: int
    worth: Decimal


def moved_for_units(
    total: Decimal,
    named: Mapping[str, UnitsOfLine],
    since: Mapping[str, int],
    asked: Mapping[str, int],
    currency: str,
) -> Decimal:
    """How much of `total`, which moved for the units `named`, by line, moved for those that are `asked` for.

    It is counted once: first for those that were refunded `since` (REF-13).
    """
    moved = Decimal(0)
    shares = allocate(total, [one.worth for one in named.values()], currency) if named else []
    for (line_id, units), share in zip(named.items(), shares, strict=True):
        before = min(since.get(line_id, 0), units.quantity)
        now = min(asked.get(line_id, 0), units.quantity - before)
        moved += share_of_units(share, units.quantity, before, now, currency)
    return moved
