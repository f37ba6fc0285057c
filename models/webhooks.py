"""Webhooks of the gateways: what a provider says by itself, without being asked. It is a hint: the gateway itself
is asked before money is believed to have moved, or failed (REF-7)."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from models.message import Message, Number


class WebhookState(StrEnum):
    """What became of a webhook."""

    DELIVERED = "delivered"
    """The refund has it, and asks the gateway itself."""
    ENDED = "ended"
    """The refund has come to its end, and the word changes nothing."""
    ORPHAN = "orphan"
    """No refund here is meant: it is kept as an orphan (RET-20)."""
    IGNORED = "ignored"
    """It is about nothing that is listened to."""


class Refusal(StrEnum):
    """Why a webhook was not taken."""

    NOT_SIGNED = "not_signed"
    """Nobody with the provider's key said it: no signature, a wrong one, or an old one."""
    UNREADABLE = "unreadable"
    """It is none of the provider's events, or one in another form than is known."""


class RefundWord(Message):
    """What a webhook claims of a refund. `our_id`: the id that we gave it, where the provider tells it."""

    gateway_refund_id: Number
    status: Literal["succeeded", "failed", "pending"]
    reason: Annotated[str, Field(max_length=500)] | None = None
    our_id: Annotated[str, Field(max_length=300)] | None = None
    only_if_known: bool = False
    """It may be about something else than a refund: about none that is known here, it is no orphan."""


class WebhookEvent(Message):
    """A webhook as it is read, whoever sent it. `event_id`: the provider's, the same however often it is sent."""

    event_id: Number
    type: Annotated[str, Field(min_length=1, max_length=200)]
    refund: RefundWord | None = None
    """None: nothing is done about events of this type."""
