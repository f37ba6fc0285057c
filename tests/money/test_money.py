"""The arithmetic of money, for any amounts: shares add up, partial returns add up, the cap holds."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import (
    allocate,
    from_minor_units,
    minor_digits,
    require_whole,
    rounded,
    share_of_units,
    to_minor_units,
)
from models.orders import OrderRequest, share_out
from models.refunds import check_cap
from tests.database.story import order_request

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD"])


@st.composite
def totals(draw: st.DrawFn) -> tuple[Decimal, str]:
    """An amount that is whole in its currency."""
    currency = draw(CURRENCIES)
    return from_minor_units(draw(st.integers(0, 10**9)), currency), currency


def paid_per_line(order: OrderRequest) -> list[Decimal]:
    return [share.paid for share in share_out(order)]


def returned_in(total: Decimal, quantity: int, steps: Sequence[int], currency: str) -> list[Decimal]:
    """What each step of a sequence of partial returns is worth."""
    return [share_of_units(total, quantity, sum(steps[:i]), taken, currency) for i, taken in enumerate(steps)]


@given(totals(), st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_shares_of_a_total_add_up_to_it_and_differ_from_the_exact_share_by_less_than_a_unit(
    total: tuple[Decimal, str], weights: list[int]
) -> None:
    amount, currency = total
    shares = allocate(amount, weights, currency)
    assert sum(shares) == amount
    unit = from_minor_units(1, currency)
    if sum(weights):
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share - amount * weight / sum(weights)) < unit
    for share in shares:
        require_whole(share, currency, "a share")


@given(totals(), st.lists(st.integers(1, 20), min_size=1, max_size=12))
def test_RET_2_any_sequence_of_partial_returns_adds_up_to_the_line(
    total: tuple[Decimal, str], steps: list[int]
) -> None:
    amount, currency = total
    assert sum(returned_in(amount, sum(steps), steps, currency)) == amount


def test_RET_2_more_units_than_are_left_are_worth_nothing_but_an_error() -> None:
    with pytest.raises(ValueError, match="2 of 3 can't be taken, 2 were taken before"):
        share_of_units(Decimal("10.00"), 3, 2, 2, "USD")


def test_a_return_of_two_of_three_discounted_units_gives_their_share_of_what_was_paid() -> None:
    order = order_request(("A", 3, "100.00"), discount="30.00")
    (share,) = paid_per_line(order)
    assert share == order.paid == Decimal("270.00")
    assert share_of_units(share, 3, 0, 2, "USD") == Decimal("180.00")


def test_a_coupon_is_shared_out_by_value() -> None:
    assert paid_per_line(order_request(("A", 1, "100.00"), ("B", 1, "50.00"), discount="30.00")) == [
        Decimal("80.00"),
        Decimal("40.00"),
    ]


@given(st.permutations([1, 1] + [2] * 10), st.permutations(range(12)))
def test_AMZ_3_a_kit_returned_component_by_component_adds_up_to_the_cent(
    sizes: list[int], turns: list[int]
) -> None:
    """159.99 + 6 % = 169.59 for two of A and twenty of B, whatever comes back when."""
    kit = rounded(Decimal("159.99") * Decimal("1.06"), "USD")
    assert kit == Decimal("169.59")
    worth = dict(zip("AB", allocate(kit, [Decimal("86.78"), Decimal("73.20")], "USD"), strict=True))
    bought = {"A": 2, "B": 20}
    back = {"A": 0, "B": 0}
    refunded = Decimal(0)
    for turn in turns:
        sku = "A" if turn < 2 else "B"
        units = min(sizes[turn], bought[sku] - back[sku])
        refunded += share_of_units(worth[sku], bought[sku], back[sku], units, "USD")
        back[sku] += units
    for sku, quantity in bought.items():
        refunded += share_of_units(worth[sku], quantity, back[sku], quantity - back[sku], "USD")
    assert refunded == kit


@pytest.mark.parametrize(("currency", "digits"), [("USD", 2), ("JPY", 0), ("KWD", 3)])
def test_each_currency_has_its_own_smallest_unit(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits
    thirds = allocate(from_minor_units(100, currency), [1, 1, 1], currency)
    assert thirds == [from_minor_units(units, currency) for units in (34, 33, 33)]


def test_an_amount_finer_than_its_currency_is_refused() -> None:
    for amount, currency in (("1.005", "USD"), ("0.5", "JPY"), ("1.2345", "KWD")):
        with pytest.raises(ValueError, match=f"finer than the smallest unit of {currency}"):
            to_minor_units(Decimal(amount), currency)
    assert to_minor_units(Decimal("1099"), "JPY") == 1099
    assert to_minor_units(Decimal("1.234"), "KWD") == 1234


@given(st.integers(-(10**12), 10**12), CURRENCIES)
def test_minor_units_and_amounts_are_inverse(units: int, currency: str) -> None:
    assert to_minor_units(from_minor_units(units, currency), currency) == units


def test_REF_3_a_line_of_five_is_refunded_by_two_and_three_and_no_more() -> None:
    paid = Decimal("50.00")
    first = share_of_units(paid, 5, 0, 2, "USD")
    second = share_of_units(paid, 5, 2, 3, "USD")
    assert check_cap(first, paid, Decimal(0), "USD", allow_over_refund=False) is False
    assert check_cap(second, paid, first, "USD", allow_over_refund=False) is False
    with pytest.raises(ValueError, match="10 USD is more than the 0"):
        check_cap(Decimal(10), paid, first + second, "USD", allow_over_refund=False)


@given(st.decimals(0, 10**6, places=2), st.lists(st.decimals("0.01", 10**6, places=2), min_size=1, max_size=20))
def test_REF_3_whatever_is_asked_never_more_than_was_paid_is_given(paid: Decimal, asked: list[Decimal]) -> None:
    taken = Decimal(0)
    for amount in asked:
        try:
            check_cap(amount, paid, taken, "USD", allow_over_refund=False)
        except ValueError:
            assert taken + amount > paid
            continue
        taken += amount
    assert taken <= paid


@given(st.decimals(0, 1000, places=2), st.decimals(0, 1000, places=2), st.decimals("0.01", 1000, places=2))
def test_REF_5_with_over_refunds_allowed_what_exceeds_is_done_and_marked(
    paid: Decimal, taken: Decimal, amount: Decimal
) -> None:
    over = check_cap(amount, paid, taken, "USD", allow_over_refund=True)
    assert over == (amount > max(paid - taken, Decimal(0)))
