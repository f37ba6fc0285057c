"""What Amazon's transactions say of a refund that is to be sent again (AMZ-11)."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.amazon.composition import adjustment_key
from models.amazon.resends import Finding, OtherRefund, ResentRefund, ShownRefund, findings


def resent(entry_id: str = "RF-1", amount: str = "10.00", *items: str, is_recent: bool = False) -> ResentRefund:
    amounts = items or (amount,)
    return ResentRefund(
        entry_id=entry_id,
        amount=Decimal(amount),
        currency="USD",
        items={f"{entry_id}.{number}": Decimal(one) for number, one in enumerate(amounts, start=1)},
        is_recent=is_recent,
    )


def shown(amount: str | None = "10.00", *keys: str, **more: Any) -> ShownRefund:
    told = Decimal(amount) if amount is not None else None
    return ShownRefund(transaction_id="T-1", keys=frozenset(keys), amount=told, currency="USD", **more)


def other(refund_id: str, amount: str = "10.00", *, is_settled: bool = True, **more: Any) -> OtherRefund:
    told = Decimal(amount)
    return OtherRefund(refund_id=refund_id, amount=told, currency="USD", is_settled=is_settled, **more)


def only(found: list[Finding]) -> Finding:
    (one,) = found
    return one


@pytest.mark.parametrize(
    ("seen", "others", "end"),
    [
        ([], [], "absent"),
        ([shown("9.12", "RF-1.1")], [], "moved"),
        ([shown("10.00")], [], "moved"),
        ([shown("10.00", "RF-2.1")], [other("RF-2")], "absent"),
        ([shown("10.00")], [other("RF-2")], "absent"),
        ([shown("10.00"), shown("10.00")], [other("RF-2")], "moved"),
        ([shown("8.80")], [other("RF-2", "9.50")], "held"),
        ([shown("10.00")], [other("RF-2", "10.50")], "held"),
        ([shown("12.00")], [], "absent"),
        ([shown("10.00", "RF-1.1", is_deferred=True)], [], "held"),
        ([shown("10.00", is_deferred=True)], [], "held"),
        ([shown("8.80")], [], "held"),
        ([shown(None)], [], "held"),
        ([shown("10.00")], [other("RF-2", is_settled=False)], "held"),
        ([shown("10.00")], [other("RF-2", "3.00", is_settled=False)], "moved"),
        ([shown("10.00")], [other("RF-2", "12.00", is_settled=False)], "held"),
        ([shown("10.00")], [other("RF-2", is_recent=True)], "held"),
        ([shown("9.00", "RF-2.1"), shown("10.00")], [other("RF-2", is_recent=True)], "moved"),
        ([shown("10.00", "RF-1.7")], [], "held"),
    ],
    ids=[
        "nothing is there",
        "it is named by our key, less Amazon's fees",
        "its amount is there",
        "another's key",
        "another one of the same amount moved",
        "there are two of them",
        "another one moved, of less than its amount, and it is not known which of them this is",
        "it may be another one that moved, less Amazon's fees",
        "one that is larger",
        "it is deferred, named",
        "it is deferred, told by its amount",
        "one that nobody here knows",
        "one of which Amazon says no amount",
        "it may be that of another one in doubt",
        "another one in doubt is of another amount",
        "it may be that of a larger one in doubt, less Amazon's fees",
        "another one of the same amount moved so lately that it may not be shown yet",
        "one that moved lately is shown by our key",
        "it is named by our key of an item that an earlier document had",
    ],
)
def test_AMZ_11_what_amazon_shows_is_not_sent_a_second_time(
    seen: list[ShownRefund], others: list[OtherRefund], end: str
) -> None:
    found = only(findings([resent()], others, seen))
    assert found.end == end
    assert (found.why is None) is (end == "absent")


def test_AMZ_11_a_refund_of_several_items_is_told_by_all_of_them() -> None:
    one = resent("RF-1", "15.00", "10.00", "5.00")
    for seen, end in (
        ([shown("10.00", "RF-1.1"), shown("5.00", "RF-1.2")], "moved"),
        ([shown("15.00", "RF-1.1", "RF-1.2")], "moved"),
        ([shown("10.00"), shown("5.00")], "moved"),
        ([shown("10.00", "RF-1.1")], "held"),
        ([shown("10.00")], "held"),
    ):
        assert only(findings([one], [], seen)).end == end


def test_AMZ_11_of_two_of_one_amount_one_moved() -> None:
    """Whichever of them it was, one of them is sent again."""
    found = findings([resent("RF-1"), resent("RF-2")], [], [shown("10.00")])
    assert [one.end for one in found] == ["moved", "absent"]
    found = findings([resent("RF-1"), resent("RF-2")], [], [shown("10.00", "RF-2.1")])
    assert [one.end for one in found] == ["absent", "moved"]


def test_AMZ_11_of_two_of_different_amounts_the_larger_one_may_have_moved_as_less() -> None:
    both = [resent("RF-1"), resent("RF-2", "12.00")]
    for seen, ends in (
        ([shown("10.00")], ["held", "held"]),
        ([shown("12.00")], ["absent", "moved"]),
        ([shown("10.00"), shown("12.00")], ["moved", "moved"]),
        ([shown("10.00"), shown("11.00", "RF-2.1")], ["moved", "moved"]),
    ):
        assert [one.end for one in findings(both, [], seen)] == ends
    parts = [resent("RF-1", "15.00", "10.00", "5.00"), resent("RF-2")]
    assert [one.end for one in findings(parts, [], [shown("10.00"), shown("5.00")])] == ["held", "held"]


def test_AMZ_11_a_key_that_was_shortened_names_its_refund() -> None:
    long = f"RF-{'7' * 60}-D1"
    key = adjustment_key(long, 1)
    assert [one.end for one in findings([resent()], [other(long)], [shown("9.00", key)])] == ["absent"]


def test_AMZ_11_what_amazon_does_not_show_is_no_evidence_within_48_hours() -> None:
    found = only(findings([resent(is_recent=True)], [], []))
    assert (found.end, found.why) == ("early", "Amazon was told it less than 48 hours ago, and may show it late")
    assert only(findings([resent(is_recent=True)], [], [shown("9.12", "RF-1.1")])).end == "moved"


def test_AMZ_11_money_of_another_currency_is_another_refund() -> None:
    seen = shown("9.00").model_copy(update={"currency": "CAD"})
    assert only(findings([resent()], [], [seen])).end == "absent"


@pytest.mark.parametrize(
    ("amount", "others", "seen"),
    [("30.00", ["50.00"], ["27.00", "45.00"]), ("50.00", ["50.00"], ["46.50"]), ("50.00", ["10.00"], ["46.50"])],
)
def test_AMZ_11_another_one_that_amazon_does_not_show_takes_nothing_of_what_it_shows(
    amount: str, others: list[str], seen: list[str]
) -> None:
    """Amazon may show it days later, or less its fees: what is shown may be the refund that is sent again."""
    settled = [other(f"RF-{number}", one) for number, one in enumerate(others, start=2)]
    for order in permutations(seen):
        assert only(findings([resent("RF-1", amount)], settled, [shown(one) for one in order])).end == "held"


AMOUNTS = st.sampled_from(["4.00", "5.00", "9.00", "10.00", "15.00"])
SEEN = st.builds(
    shown,
    st.one_of(st.none(), AMOUNTS),
    st.sampled_from(["RF-1.1", "RF-1.2", "RF-2.1", "RF-9.1", "nobody's"]),
    is_deferred=st.booleans(),
) | st.builds(shown, AMOUNTS, is_deferred=st.booleans())
OTHERS = st.lists(st.tuples(AMOUNTS, st.booleans()), max_size=3).map(
    lambda told: [other(f"RF-{n}", amount, is_settled=moved) for n, (amount, moved) in enumerate(told, start=9)]
)


@given(st.lists(SEEN, max_size=5), OTHERS, st.randoms(use_true_random=False))
def test_AMZ_11_in_which_order_amazon_shows_them_does_not_matter(
    seen: list[ShownRefund], others: list[OtherRefund], chance: Any
) -> None:
    numbered = [one.model_copy(update={"transaction_id": f"T-{n}"}) for n, one in enumerate(seen)]
    again = list(numbered)
    chance.shuffle(again)
    both = [resent("RF-1", "15.00", "10.00", "5.00"), resent("RF-2", "10.00")]
    assert findings(both, others, numbered) == findings(both, others, again)


@given(st.lists(st.builds(shown, AMOUNTS), max_size=5), OTHERS)
def test_AMZ_11_nothing_is_sent_again_while_something_is_shown_that_may_be_it(
    seen: list[ShownRefund], others: list[OtherRefund]
) -> None:
    """Only as many of what may be it are another's as others moved with just that amount."""
    found = only(findings([resent("RF-1", "10.00")], others, seen))
    may_be = [one.amount for one in seen if one.amount is not None and one.amount <= Decimal("10.00")]
    for one in others:
        if one.is_settled and one.amount in may_be:
            may_be.remove(one.amount)
    assert (found.end == "absent") is (not may_be)
