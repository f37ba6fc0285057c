"""What amounts a payment gateway can move (REF-14): data of each provider, used wherever amounts are computed.

Amounts are decimal, in the currency that is named.

Stripe's are those of https://docs.stripe.com/currencies as it stood in 2026: "Zero-decimal currencies" (MGA, which
has decimals elsewhere), "Minimum and maximum charge amounts"; and as it stood in 2022: "Three-decimal currencies",
whose last digit must be 0. Stripe means its minimum in the currency that it pays out: here it is known for charges
in that same currency, and Stripe itself may refuse one that is converted first.
"""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from models.money import smallest_unit
from models.payments import PaidBy


class Limits(NamedTuple):
    """Of one provider. `smallest`: amounts are multiples of it, where it is not the currency's smallest unit;
    `minimum`: of a charge, where it is known. A refund has no minimum. `currencies`: the only ones; none: any."""

    smallest: Mapping[str, Decimal]
    minimum: Mapping[str, Decimal]
    currencies: frozenset[str] | None = None


def _of(amounts: Mapping[str, str]) -> dict[str, Decimal]:
    return {currency: Decimal(amount) for currency, amount in amounts.items()}


_THREE_DECIMALS: Final = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_STRIPE_LAST_DIGIT_0: Final = ("BHD", "JOD", "KWD", "OMR", "TND")
_STRIPE_MINIMUM: Final = {
    **dict.fromkeys(("ARS", "AUD", "BRL", "CAD", "CHF", "COP", "EUR", "IDR", "ILS", "INR"), "0.50"),
    **dict.fromkeys(("NZD", "PHP", "RUB", "SGD", "USD", "ZAR"), "0.50"),
    **dict.fromkeys(("AED", "MYR", "PLN", "RON"), "2.00"),
    **dict.fromkeys(("NOK", "SEK"), "3.00"),
    **dict.fromkeys(("MXN", "THB"), "10.00"),
    **dict.fromkeys(("JPY", "KRW"), "50"),
    "CZK": "15.00",
    "DKK": "2.50",
    "GBP": "0.30",
    "HKD": "4.00",
    "HUF": "175.00",
}

_PAYPAL_CURRENCIES: Final = frozenset(
    {"AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY"}
    | {"MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"}
)

ACCOUNT_CURRENCY: Final = "USD"
"""The only one of an Authorize.Net account, unless the option `currency` of its connection says another."""

LIMITS: Final[Mapping[PaidBy, Limits]] = {
    PaidBy.STRIPE: Limits(
        smallest=_of({**dict.fromkeys(_STRIPE_LAST_DIGIT_0, "0.010"), "MGA": "1"}),
        minimum=_of(_STRIPE_MINIMUM),
    ),
    # developer.paypal.com/reference/currency-codes: these three take no decimals.
    PaidBy.PAYPAL: Limits(_of({"HUF": "1", "JPY": "1", "TWD": "1"}), minimum={}, currencies=_PAYPAL_CURRENCIES),
    # Its amounts have two decimals, whatever the currency.
    PaidBy.AUTHORIZE_NET: Limits(smallest=_of(dict.fromkeys(_THREE_DECIMALS, "0.010")), minimum={}),
}


@lru_cache(maxsize=512)
def smallest_movable(by: PaidBy | None, currency: str) -> Decimal:
    """The smallest step of an amount: 0.010 KWD at Stripe. Without a gateway, the currency's smallest unit."""
    limits = LIMITS.get(by) if by is not None else None
    return limits.smallest.get(currency, smallest_unit(currency)) if limits else smallest_unit(currency)


def is_coarse(by: PaidBy, currency: str) -> bool:
    """Whether it can't move every amount of this currency."""
    return smallest_movable(by, currency) != smallest_unit(currency)


def minimum_charge(by: PaidBy | None, currency: str) -> Decimal:
    """The least that can be charged: 0.50 USD at Stripe; zero where nobody says, or the gateway is not known."""
    limits = LIMITS.get(by) if by is not None else None
    return limits.minimum.get(currency, Decimal(0)) if limits else Decimal(0)


def charges_in(by: PaidBy, options: Mapping[str, str], currency: str) -> bool:
    """Whether a connection to this gateway, with these options, can charge in a currency."""
    if by is PaidBy.AUTHORIZE_NET:
        return currency == options.get("currency", ACCOUNT_CURRENCY)
    limits = LIMITS.get(by)
    return limits is None or limits.currencies is None or currency in limits.currencies


def movable(amount: Decimal, by: PaidBy | None, currency: str) -> Decimal:
    """A computed amount as the gateway can move it: down to its smallest step, never more than was computed."""
    step = smallest_movable(by, currency)
    return ((amount / step).to_integral_value(rounding=ROUND_DOWN) * step).quantize(smallest_unit(currency))


def require_movable(amount: Decimal, by: PaidBy | None, currency: str, what: str) -> None:
    """Raise ValueError, in words, when the gateway can't move an amount that somebody asks for."""
    if movable(amount, by, currency) == amount:
        return
    at = f"{by.value} can move" if by is not None else "there is"
    step = smallest_movable(by, currency)
    raise ValueError(f"{what} is finer than {at}: give a multiple of {step} {currency}")
