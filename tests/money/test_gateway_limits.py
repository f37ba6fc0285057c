"""What a gateway can move (REF-14)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.gateway_limits import LIMITS, charges_in, minimum_charge, movable, require_movable, smallest_movable
from models.money import smallest_unit
from models.payments import PaidBy

STRIPE = PaidBy.STRIPE


@pytest.mark.parametrize("currency", ["BHD", "JOD", "KWD", "OMR", "TND"])
def test_REF_14_stripe_moves_three_decimals_that_end_in_0(currency: str) -> None:
    assert movable(Decimal("10.505"), STRIPE, currency) == Decimal("10.500")
    require_movable(Decimal("10.500"), STRIPE, currency, "amount")
    with pytest.raises(ValueError, match=r"amount is finer than stripe can move: give a multiple of 0\.010"):
        require_movable(Decimal("10.505"), STRIPE, currency, "amount")


@pytest.mark.parametrize(
    ("by", "currency", "amount", "moved"),
    [
        (STRIPE, "USD", "10.509", "10.50"),
        (STRIPE, "JPY", "1099.9", "1099"),
        (STRIPE, "ISK", "100", "100"),
        (STRIPE, "MGA", "100.20", "100.00"),
        (PaidBy.PAYPAL, "HUF", "175.50", "175.00"),
        (PaidBy.AUTHORIZE_NET, "USD", "0.01", "0.01"),
        (PaidBy.AUTHORIZE_NET, "KWD", "10.519", "10.510"),
        (PaidBy.AUTHORIZE_NET, "IQD", "10.519", "10.510"),
        (None, "KWD", "10.505", "10.505"),
    ],
)
def test_REF_14_each_provider_has_its_own(by: PaidBy | None, currency: str, amount: str, moved: str) -> None:
    assert movable(Decimal(amount), by, currency) == Decimal(moved)


@pytest.mark.parametrize(
    ("by", "options", "currency", "takes"),
    [
        (STRIPE, {}, "KWD", True),
        (PaidBy.PAYPAL, {}, "EUR", True),
        (PaidBy.PAYPAL, {}, "KWD", False),
        (PaidBy.AUTHORIZE_NET, {}, "USD", True),
        (PaidBy.AUTHORIZE_NET, {}, "CAD", False),
        (PaidBy.AUTHORIZE_NET, {"currency": "CAD"}, "CAD", True),
    ],
)
def test_REF_14_a_connection_charges_in_the_currencies_of_its_account(
    by: PaidBy, options: dict[str, str], currency: str, takes: bool
) -> None:
    assert charges_in(by, options, currency) is takes


STRIPES_MINIMUMS = """
USD 0.50, AED 2.00, ARS 0.50, AUD 0.50, BRL 0.50, CAD 0.50, CHF 0.50, COP 0.50, CZK 15.00, DKK 2.50, EUR 0.50,
GBP 0.30, HKD 4.00, HUF 175.00, IDR 0.50, ILS 0.50, INR 0.50, JPY 50, KRW 50, MXN 10, MYR 2.00, NOK 3.00, NZD 0.50,
PHP 0.50, PLN 2.00, RON 2.00, RUB 0.50, SEK 3.00, SGD 0.50, THB 10, ZAR 0.50
"""
"""The table of https://docs.stripe.com/currencies, in its order."""


def test_REF_14_a_charge_has_the_minimum_that_stripe_says() -> None:
    said = dict(one.split() for one in STRIPES_MINIMUMS.split(","))
    assert LIMITS[STRIPE].minimum == {currency: Decimal(least) for currency, least in said.items()}
    assert minimum_charge(STRIPE, "GBP") == Decimal("0.30")
    assert minimum_charge(STRIPE, "XOF") == 0, "nobody says one"


@given(st.decimals(min_value=0, max_value=100_000, places=3), st.sampled_from(["USD", "KWD", "JPY", "MGA", "TND"]))
def test_REF_14_what_is_movable_is_never_more_and_is_so_for_good(amount: Decimal, currency: str) -> None:
    moved = movable(amount, STRIPE, currency)
    assert 0 <= amount - moved < smallest_movable(STRIPE, currency)
    assert movable(moved, STRIPE, currency) == moved
    require_movable(moved, STRIPE, currency, "amount")


def test_no_provider_moves_less_than_the_currency_has() -> None:
    for limits in LIMITS.values():
        assert all(step >= smallest_unit(currency) for currency, step in limits.smallest.items())
