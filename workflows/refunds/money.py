"""Where the money of a case is, in the words of REF-11. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from models.case import MoneyState
from models.refunds import RefundState
from workflows.refunds.attempts import AttemptState, RefundAttempt
from workflows.refunds.facts import RefundFacts

_OF_ATTEMPTS: Final[dict[AttemptState, MoneyState]] = {
    "asked": MoneyState.ASKED,
    "to_confirm": MoneyState.ASKED,
    "pending": MoneyState.PENDING,
    "in_doubt": MoneyState.IN_DOUBT,
    "succeeded": MoneyState.CONFIRMED,
    "failed_afterwards": MoneyState.FAILED_AFTERWARDS,
}
_OF_REFUNDS: Final = {
    RefundState.RESERVED: MoneyState.ASKED,
    RefundState.PENDING: MoneyState.PENDING,
    RefundState.SUCCEEDED: MoneyState.CONFIRMED,
}
_TOLD_FIRST: Final = (
    MoneyState.IN_DOUBT,
    MoneyState.FAILED_AFTERWARDS,
    MoneyState.PENDING,
    MoneyState.ASKED,
)
"""Of what is unsettled, what people must know first stands first."""


def first_of(states: Iterable[MoneyState]) -> MoneyState | None:
    """Of several the one that people must know first; none when nothing is unsettled."""
    found = list(states)
    return next((state for state in _TOLD_FIRST if state in found), None)


def money_of(attempts: Sequence[RefundAttempt]) -> MoneyState:
    """Of the refunds of one direction. One that failed afterwards and was made again is settled (REF-7)."""
    states = [
        _OF_ATTEMPTS.get(one.state, MoneyState.NONE)
        for one in attempts
        if not one.asked_anew and not (one.state == "failed_afterwards" and one.made_again)
    ]
    if (unsettled := first_of(states)) is not None:
        return unsettled
    return MoneyState.CONFIRMED if MoneyState.CONFIRMED in states else MoneyState.NONE


def money_of_refund(f: RefundFacts) -> MoneyState:
    """Of one refund."""
    if f.in_doubt:
        return MoneyState.IN_DOUBT
    if f.failed_afterwards:
        return MoneyState.FAILED_AFTERWARDS
    return _OF_REFUNDS.get(f.state, MoneyState.NONE)


def in_words(state: MoneyState) -> str:
    """As people read it: `in doubt`."""
    return state.value.replace("_", " ")
