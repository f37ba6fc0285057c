"""What others say of a refund: claims of a gateway's webhook, and words of people (REF-7, REF-11, REF-12)."""

from typing import Literal

from models.message import Message


class Claim(Message):
    """What somebody said of the refund: believed only when the gateway itself says the same (REF-7).

    `look`: the key of the look at the gateway that decides about it; none: none has begun since it came.
    """

    event_id: str
    status: Literal["succeeded", "failed", "pending"]
    gateway_refund_id: str
    reason: str | None = None
    look: str | None = None

    def is_contradicted_by(self, state: str) -> bool:
        """Whether the gateway's state speaks against it; "pending" may be older news."""
        match self.status:
            case "succeeded":
                return state != "succeeded"
            case "failed":
                return state not in ("failed", "refused")
            case "pending":
                return state == "none"


class Resolution(Message):
    """A person's word on money that was in doubt (REF-11)."""

    outcome: Literal["moved", "not_moved"]
    by: str
    reason: str


class SecondPerson(Message):
    """Who confirmed or rejected a refund over the seller's limit, and why (REF-12)."""

    by: str
    event_id: str
    reason: str = ""
