"""Refunds of a settlement, matched with those that the books have (AMZ-8). Pure; units are of the currency's
smallest unit, positive to the buyer."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from models.amazon.returned_items import plain_word
from models.amazon.settlement import BY_AMAZON


class RefundCame(NamedTuple):
    """What a settlement says went back to the buyer for one order item by one adjustment, added up."""

    position: int
    """Of its first row: names it in its settlement."""
    transaction_type: str
    """As Amazon wrote it."""
    order_id: str
    """Amazon's."""
    order_item_code: str
    adjustment_key: str
    """Ours, where the refund was sent to Amazon from here."""
    units: int


class RefundExpected(NamedTuple):
    """What the books have of a refund of the buyer: of one order item where it was composed for Amazon, else of
    the order as a whole, as Amazon made it by itself."""

    refund_id: str
    adjustment_key: str
    """Empty where it was recorded, and not sent from here."""
    order_item_code: str
    units: int
    only_by_key: bool = False
    """Amazon has not done it, or after the settlement had ended: without our key what came is another one."""
    has_failed: bool = False
    """The books say that it did not move."""


class Verdict(StrEnum):
    """What became of a refund in a settlement."""

    CONFIRMED = "confirmed"
    """It came as it was expected, to the cent."""
    DIFFERS = "differs"
    """It came with another amount."""
    UNEXPECTED = "unexpected"
    """Nobody made it here: Amazon did by itself, or somebody in Seller Central (RET-18)."""
    MOVED_THOUGH_FAILED = "moved_though_failed"
    """It failed here, and the buyer has it: a person looks whether it was made again (REF-11)."""


IN_DOUBT: Final = "in_doubt"
"""Counted beside the verdicts: refunds of which a settlement has a part only, or otherwise, and a person looks."""

HELD: Final = "held"
"""Likewise: refunds that waited in the queue while Amazon refunded their order item by itself."""


class SettledRefund(NamedTuple):
    """A refund of a settlement, and which of ours it is."""

    came: RefundCame
    verdict: Verdict
    refund_id: str | None = None
    our_key: str = ""
    """Of the part of the refund that it is; empty where it was recorded as a whole."""
    expected: int | None = None
    """Units; of all that came together where one refund came as several."""


def not_heard_of(recorded: Iterable[RefundExpected], unexpected: Iterable[int]) -> list[RefundExpected]:
    """Of the refunds that were recorded for whole orders those that no settlement has said. `unexpected`: units of
    refunds that came in settlements before any of ours fitted: each was recorded later, and is no other one."""
    left = sorted(recorded)
    for units in unexpected:
        _take(left, [one for one in left if one.units == units])
    return left


def matched(came: Iterable[RefundCame], expected: Iterable[RefundExpected]) -> list[SettledRefund]:
    """Each refund of one order: by our key, else by order item and amount, else by the amount of a refund of the
    whole order; each of ours is found once. In the order in which they came."""
    left = sorted(expected)
    found: dict[int, SettledRefund] = {}
    waiting = sorted(came)
    for one in waiting:
        ours = _take(left, [it for it in left if it.adjustment_key and it.adjustment_key == one.adjustment_key])
        if ours is not None:
            found[one.position] = _found(one, _verdict(one, ours), ours)
    for by_item in (True, False):
        for one in (it for it in waiting if it.position not in found):
            item = one.order_item_code if by_item else ""
            alike = [it for it in left if (it.order_item_code, it.units) == (item, one.units)]
            ours = _take(left, [it for it in alike if _may_be(one, it)])
            if ours is not None:
                found[one.position] = _found(one, Verdict.CONFIRMED, ours)
    rest = [one for one in waiting if one.position not in found]
    whole = _take(left, [it for it in left if not it.order_item_code and it.units == _sum(rest)]) if rest else None
    for one in rest:
        found[one.position] = (
            SettledRefund(one, Verdict.UNEXPECTED) if whole is None else _found(one, Verdict.CONFIRMED, whole)
        )
    return [found[one.position] for one in waiting]


def _verdict(came: RefundCame, ours: RefundExpected) -> Verdict:
    if ours.has_failed:
        return Verdict.MOVED_THOUGH_FAILED
    return Verdict.CONFIRMED if ours.units == came.units else Verdict.DIFFERS


def _may_be(came: RefundCame, ours: RefundExpected) -> bool:
    """What Amazon alone can have made is none that was sent to it."""
    if ours.only_by_key:
        return False
    return not ours.adjustment_key or plain_word(came.transaction_type) not in BY_AMAZON


def _found(came: RefundCame, verdict: Verdict, ours: RefundExpected) -> SettledRefund:
    return SettledRefund(came, verdict, ours.refund_id, ours.adjustment_key, ours.units)


def _sum(came: Sequence[RefundCame]) -> int:
    return sum(one.units for one in came)


def _take(left: list[RefundExpected], fitting: Sequence[RefundExpected]) -> RefundExpected | None:
    """The first that fits; it fits nothing else any more."""
    if not fitting:
        return None
    left.remove(fitting[0])
    return fitting[0]
