"""Before a refund is told Amazon again: what Amazon shows of its order (AMZ-11). Pure.

Amazon's transactions are the second witness, beside its processing report. Whether they name our key is not
promised; and what they say moved may be less than what the buyer got, for Amazon gives its fees back.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final, Literal

from models.amazon.composition import adjustment_key
from models.ids import DerivedId
from models.message import Message
from models.money import Currency

SHOWN_WITHIN: Final = timedelta(hours=48)
"""So late Amazon shows what it did: before, that it shows nothing is no evidence."""


class ShownRefund(Message):
    """A refund that Amazon shows of an order. `amount`, without a sign: what moved; none: it does not say."""

    transaction_id: str
    keys: frozenset[str] = frozenset()
    """All by which it can be told; maybe ours (`MerchantAdjustmentItemID`)."""
    amount: Decimal | None = None
    currency: str | None = None
    is_deferred: bool = False
    """It is there, and has moved nothing yet."""

    @property
    def told(self) -> str:
        what = f"{self.amount:f} {self.currency}" if self.amount is not None else "an unknown amount"
        return f"a refund of {what} (transaction {self.transaction_id})"


class ResentRefund(Message):
    """A refund that is to be told Amazon again. `items`: the amount of each of its order items, by our key.
    `is_recent`: Amazon was told it so lately that it may not show it yet."""

    entry_id: DerivedId
    amount: Decimal
    currency: Currency
    items: dict[str, Decimal]
    is_recent: bool = False


class OtherRefund(Message):
    """Another refund of ours of the same order. `is_settled`: it is known to have moved; otherwise it may have.
    `is_recent`: so lately that Amazon may not show it yet."""

    refund_id: DerivedId
    amount: Decimal
    currency: Currency
    is_settled: bool
    is_recent: bool = False


class Finding(Message):
    """What Amazon shows of a refund: it moved; it may be there, and a person has to look (`held`); nothing; or
    nothing yet, and it may come late (`early`)."""

    entry_id: DerivedId
    end: Literal["moved", "held", "early", "absent"]
    why: str | None = None


def findings(
    resent: Sequence[ResentRefund], others: Sequence[OtherRefund], shown: Sequence[ShownRefund]
) -> list[Finding]:
    """Of each refund of one order, in whatever order Amazon shows them. One that Amazon names by our key is that
    one; otherwise it is told by its amount, after those that are known to have moved with just theirs. One that
    moved and is not shown takes nothing: it may come late, or less Amazon's fees. Whatever is left and may be it,
    a person judges."""
    found: dict[str, Finding] = {}
    left = sorted(shown, key=_in_order)
    for one in resent:
        if named := [seen for seen in left if _names(seen, one.entry_id)]:
            found[one.entry_id] = _named(one, named)
            left = [seen for seen in left if seen not in named]
    nameless = [other for other in others if not any(_names(seen, other.refund_id) for seen in left)]
    left = [seen for seen in left if not any(_names(seen, other.refund_id) for other in others)]
    rivals = [
        one
        for one in nameless
        if not one.is_settled or one.is_recent or _take(left, one.amount, one.currency) is None
    ]
    doubted: set[str] = set()
    largest_first = sorted(resent, key=lambda one: -one.amount)
    for same_of in (_whole, _each):
        for one in largest_first:
            if one.entry_id not in found and (same := same_of(left, one)):
                open_ones = [it for it in resent if it.entry_id not in found or it.entry_id in doubted]
                beside = [_as_rival(it) for it in open_ones if it.amount != one.amount]
                may_be = _may_be_of(same, one, [*rivals, *beside])
                found[one.entry_id] = _doubted(one, same, may_be) if may_be else _moved(one, same)
                if may_be:  # it stays for the other ones, that they are held too
                    doubted.add(one.entry_id)
                    continue
                for seen in same:
                    left.remove(seen)
    return [found.get(one.entry_id) or _of_what_is_left(one, left) for one in resent]


def _in_order(seen: ShownRefund) -> tuple[object, ...]:
    """What has moved money first."""
    amount = (seen.amount is None, seen.amount or 0, seen.currency or "")
    return (seen.is_deferred, *amount, seen.transaction_id, sorted(seen.keys))


def _names(seen: ShownRefund, refund_id: str) -> bool:
    """By our key of any of its order items, in whatever document it was told."""
    ours = adjustment_key(refund_id, 1).rpartition(".")[0]
    return any(key.rpartition(".")[0] == ours for key in seen.keys)


def _as_rival(one: ResentRefund) -> OtherRefund:
    """Another one that is to be sent again may be what is shown; of the same amount it does not matter which."""
    return OtherRefund(refund_id=one.entry_id, amount=one.amount, currency=one.currency, is_settled=False)


def _named(one: ResentRefund, seen: Sequence[ShownRefund]) -> Finding:
    keys = {key for shown in seen for key in shown.keys}
    if missing := one.items.keys() - keys:
        why = f"Amazon shows a part of it, and nothing of {', '.join(sorted(missing))}: look there"
        return Finding(entry_id=one.entry_id, end="held", why=why)
    return _moved(one, seen)


def _moved(one: ResentRefund, seen: Sequence[ShownRefund]) -> Finding:
    told = " and ".join(shown.told for shown in seen)
    if any(shown.is_deferred for shown in seen):
        why = f"Amazon shows {told}, and has deferred it: it is not sent a second time"
        return Finding(entry_id=one.entry_id, end="held", why=why[:500])
    return Finding(entry_id=one.entry_id, end="moved", why=f"Amazon shows that it moved: {told}"[:500])


def _whole(left: Sequence[ShownRefund], one: ResentRefund) -> list[ShownRefund]:
    """What shows its whole amount."""
    whole = _take(list(left), one.amount, one.currency)
    return [whole] if whole is not None else []


def _each(left: Sequence[ShownRefund], one: ResentRefund) -> list[ShownRefund]:
    """What shows the amount of each of its items."""
    rest = list(left)
    each = [_take(rest, amount, one.currency) for amount in one.items.values()]
    return [seen for seen in each if seen is not None] if None not in each else []


def _take(left: list[ShownRefund], amount: Decimal, currency: str) -> ShownRefund | None:
    same = next((seen for seen in left if (seen.amount, seen.currency) == (amount, currency)), None)
    if same is not None:
        left.remove(same)
    return same


def _may_be_of(same: Sequence[ShownRefund], one: ResentRefund, rivals: Sequence[OtherRefund]) -> list[str]:
    """Whose it may be as well. Of a larger refund less may have moved: Amazon gives its fees back."""
    least = min(seen.amount for seen in same if seen.amount is not None)
    return [other.refund_id for other in rivals if other.currency == one.currency and other.amount >= least]


def _doubted(one: ResentRefund, same: Sequence[ShownRefund], may_be: Sequence[str]) -> Finding:
    why = f"Amazon shows {same[0].told}, which may be that of {', '.join(may_be)} too: look there"
    return Finding(entry_id=one.entry_id, end="held", why=why[:500])


def _of_what_is_left(one: ResentRefund, left: Sequence[ShownRefund]) -> Finding:
    may_be = [seen for seen in left if _may_be(seen, one)]
    if not may_be and one.is_recent:
        why = "Amazon was told it less than 48 hours ago, and may show it late"
        return Finding(entry_id=one.entry_id, end="early", why=why)
    if not may_be:
        return Finding(entry_id=one.entry_id, end="absent")
    why = f"Amazon shows {may_be[0].told} of this order that is not known here, and may be it: look there"
    return Finding(entry_id=one.entry_id, end="held", why=why[:500])


def _may_be(seen: ShownRefund, one: ResentRefund) -> bool:
    """Less than the buyer got may have moved: Amazon gives its fees back."""
    return seen.amount is None or (seen.currency in (None, one.currency) and seen.amount <= one.amount)
