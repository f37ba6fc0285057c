"""The closed set of failures: who must act, whether it is retried, the CLI's exit code, the type in Temporal."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple


class Category(StrEnum):
    """What kind of failure it is; also the `type` of the ApplicationError in Temporal.

    Litmus tests between neighbours: the same message sent again unchanged can never work (InvalidInput),
    can work once the thing exists (NotFound), worked already or lost against another (Conflict), is well
    formed but our rule says no (RefusedByRule), the partner says no (RefusedByPartner), the partner says
    nothing (PartnerUnavailable), nobody was asked, for the way to the partner is not set up here, or its key is
    not taken (ConnectionUnusable), or the seller's balance does not cover it (BalanceShort); everything else is a
    fault of ours (Internal).
    """

    INVALID_INPUT = "InvalidInput"
    NOT_FOUND = "NotFound"
    CONFLICT = "Conflict"
    REFUSED_BY_RULE = "RefusedByRule"
    REFUSED_BY_PARTNER = "RefusedByPartner"
    PARTNER_UNAVAILABLE = "PartnerUnavailable"
    CONNECTION_UNUSABLE = "ConnectionUnusable"
    BALANCE_SHORT = "BalanceShort"
    INTERNAL = "Internal"


class Handling(NamedTuple):
    """What follows from a category."""

    who_acts: str
    retried: bool
    exit_code: int


HANDLING: dict[Category, Handling] = {
    Category.INVALID_INPUT: Handling("the sender mends the message", False, 2),
    Category.NOT_FOUND: Handling("the sender checks the number", False, 3),
    Category.CONFLICT: Handling("the sender looks at the case", False, 4),
    Category.REFUSED_BY_RULE: Handling("the sender decides otherwise", False, 5),
    Category.REFUSED_BY_PARTNER: Handling("staff talk to the partner", False, 6),
    Category.PARTNER_UNAVAILABLE: Handling("nobody: it is tried again", True, 7),
    Category.CONNECTION_UNUSABLE: Handling("staff mend the connection", False, 8),
    Category.BALANCE_SHORT: Handling("the seller brings its balance up", False, 9),
    Category.INTERNAL: Handling("the developers", True, 70),
}


@dataclass(frozen=True)
class Problem:
    """One wrong field (`lines.0.quantity`) and why; never its value."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class BackhaulError(Exception):
    """A failure that people read: what was wrong, where, and what to do. Holds nothing secret."""

    category: ClassVar[Category] = Category.INTERNAL

    @property
    def exit_code(self) -> int:
        return HANDLING[self.category].exit_code


class InvalidInput(BackhaulError):
    """A message that does not fit its model; `problems` says which fields."""

    category = Category.INVALID_INPUT

    def __init__(self, what: str, problems: Sequence[Problem]) -> None:
        self.what = what
        self.problems = list(problems)
        super().__init__(f"{what}: " + "; ".join(str(problem) for problem in problems))


class NotFound(BackhaulError):
    """No such order, return, seller, ..."""

    category = Category.NOT_FOUND


class Conflict(BackhaulError):
    """It is already decided, used or running."""

    category = Category.CONFLICT


class RefusedByRule(BackhaulError):
    """Well formed, and a rule of the business says no; `rule` names it (`CAN-5`)."""

    category = Category.REFUSED_BY_RULE

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(f"{message} ({rule})")


class RefusedByPartner(BackhaulError):
    """A partner answered no, for good."""

    category = Category.REFUSED_BY_PARTNER


class PartnerUnavailable(BackhaulError):
    """A partner did not answer, or said: later. `retry_after` is in seconds, if the partner named it."""

    category = Category.PARTNER_UNAVAILABLE

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class ConnectionUnusable(BackhaulError):
    """No connection leads to the partner, or it can't be used until somebody mends it; the text says how.

    `connection`: its id, or whose is missing (`seller:acme`): staff are told once for all its cases.
    """

    category = Category.CONNECTION_UNUSABLE

    def __init__(self, connection: str, message: str) -> None:
        self.connection = connection
        super().__init__(message)


class BalanceShort(BackhaulError):
    """What the seller has at its disposal does not cover it, its reserved funds included (BAL-1); it works once it
    does. `seller_id`: staff are told once for all the seller's cases."""

    category = Category.BALANCE_SHORT

    def __init__(self, seller_id: str, message: str) -> None:
        self.seller_id = seller_id
        super().__init__(message)
