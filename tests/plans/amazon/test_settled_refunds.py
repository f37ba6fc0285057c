"""Which refund of ours a refund of a settlement is (AMZ-8, RET-18)."""

from hypothesis import given
from hypothesis import strategies as st

from models.amazon.settled_refunds import RefundCame, RefundExpected, SettledRefund, Verdict, matched, not_heard_of

ITEM, OTHER = "12345678901234", "22345678901234"


def came(position: int, units: int, *, key: str = "", item: str = ITEM, kind: str = "Refund") -> RefundCame:
    return RefundCame(position, kind, "111-1234567-1234567", item, key, units)


def expected(refund_id: str, units: int, *, key: str = "", item: str = ITEM) -> RefundExpected:
    return RefundExpected(refund_id, key, item, units)


def said(found: list[SettledRefund]) -> list[tuple[str, str | None]]:
    return [(one.verdict.value, one.refund_id) for one in found]


def test_AMZ_8_our_key_names_the_refund_whatever_the_amount() -> None:
    ours = [expected("RF-1", 5000, key="RF-1.1"), expected("RF-2", 7000, key="RF-2.1")]
    found = matched([came(1, 7000, key="RF-1.1"), came(2, 7000, key="RF-2.1")], ours)
    assert said(found) == [("differs", "RF-1"), ("confirmed", "RF-2")]
    assert (found[0].came.units, found[0].expected) == (7000, 5000)


def test_AMZ_8_without_our_key_it_is_found_by_order_item_and_amount() -> None:
    ours = [expected("RF-1", 5000, key="RF-1.1"), expected("RF-2", 5000, key="RF-2.1", item=OTHER)]
    assert said(matched([came(1, 5000, item=OTHER)], ours)) == [("confirmed", "RF-2")]
    assert said(matched([came(1, 5000, key="their-own")], ours)) == [("confirmed", "RF-1")]

    ours = [expected("RF-1", 5000, item=""), expected("RF-2", 5000, key="RF-2.1")]
    assert said(matched([came(1, 5000)], ours)) == [("confirmed", "RF-2")], "one of the item comes before"


def test_AMZ_8_the_key_is_heard_before_any_amount() -> None:
    ours = [expected("RF-1", 5000, key="RF-1.1"), expected("RF-2", 5000, key="RF-2.1")]
    assert said(matched([came(1, 5000), came(2, 5000, key="RF-1.1")], ours)) == [
        ("confirmed", "RF-2"),
        ("confirmed", "RF-1"),
    ]


def test_RET_18_what_nobody_made_here_is_amazons() -> None:
    ours = [expected("RF-1", 5000, key="RF-1.1")]
    assert said(matched([came(1, 4999), came(2, 5000, item=OTHER)], ours)) == [("unexpected", None)] * 2
    assert said(matched([came(1, 5000), came(2, 5000)], ours)) == [("confirmed", "RF-1"), ("unexpected", None)]


def test_RET_18_a_refund_that_was_recorded_for_the_whole_order_is_found_by_its_amount() -> None:
    recorded = [expected("RF-1", 5000, item="")]
    assert said(matched([came(1, 5000)], recorded)) == [("confirmed", "RF-1")]
    assert said(matched([came(1, 2000), came(2, 3000, item=OTHER)], recorded)) == [("confirmed", "RF-1")] * 2
    assert said(matched([came(1, 2000), came(2, 3001, item=OTHER)], recorded)) == [("unexpected", None)] * 2


def test_RET_18_what_amazon_alone_can_have_made_is_none_that_was_sent_to_it() -> None:
    by_amazon = came(1, 5000, kind="A-to-z Guarantee Refund")
    assert said(matched([by_amazon], [expected("RF-1", 5000, key="RF-1.1")])) == [("unexpected", None)]
    assert said(matched([by_amazon], [expected("RF-1", 5000, item="")])) == [("confirmed", "RF-1")]


def test_RET_18_a_refund_that_came_before_it_was_recorded_is_none_that_comes_later() -> None:
    recorded = [expected("RF-1", 5000, item=""), expected("RF-2", 5000, item=""), expected("RF-3", 2000, item="")]
    assert [one.refund_id for one in not_heard_of(recorded, [5000, 100])] == ["RF-2", "RF-3"]


def test_AMZ_8_a_refund_that_amazon_refused_is_found_by_its_key_alone() -> None:
    refused = expected("RF-1", 5000, key="RF-1.1")._replace(only_by_key=True)
    assert said(matched([came(1, 5000)], [refused])) == [("unexpected", None)]
    assert said(matched([came(1, 5000, key="RF-1.1")], [refused])) == [("confirmed", "RF-1")]


_KEYS = st.sampled_from(("", "A.1", "B.1", "C.1", "their-own"))
_ITEMS = st.sampled_from((ITEM, OTHER, ""))
_UNITS = st.integers(1, 4)


@given(
    st.lists(st.tuples(_UNITS, _KEYS, _ITEMS), max_size=6),
    st.lists(st.tuples(_UNITS, _KEYS, _ITEMS), max_size=6),
)
def test_AMZ_8_each_is_judged_once_and_none_of_ours_twice_in_whatever_order(
    those: list[tuple[int, str, str]], ours: list[tuple[int, str, str]]
) -> None:
    all_came = [came(position, units, key=key, item=item) for position, (units, key, item) in enumerate(those)]
    all_expected = [
        expected(f"RF-{n}", units, key=key, item=item)
        for n, (units, key, item) in enumerate(ours)
        if key or not item
    ]
    found = matched(all_came, all_expected)
    assert [one.came for one in found] == all_came
    assert found == matched(all_came[::-1], all_expected[::-1])
    for one in found:
        assert (one.verdict is Verdict.UNEXPECTED) == (one.refund_id is None)
    for refund_id in {one.refund_id for one in found} - {None}:
        parts = [one for one in found if one.refund_id == refund_id]
        if parts[0].verdict is Verdict.CONFIRMED:
            assert sum(one.came.units for one in parts) == parts[0].expected
        else:
            assert len(parts) == 1
