"""What became of each message of a feed, as Amazon's processing report says (AMZ-7)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from models.message import Message

WHOLE_FILE: Final = 0
"""The MessageID under which Amazon speaks of the whole file."""

Count = Annotated[int, Field(ge=0)]


class ResultCode(StrEnum):
    ERROR = "Error"
    WARNING = "Warning"


class MessageResult(Message):
    """What Amazon says of one message. Only trouble is listed."""

    message_id: Count
    result: ResultCode
    code: str
    words: str


class MessageEnd(StrEnum):
    """What became of a message."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Amazon's counts do not agree with what it lists: a person looks there."""


class MessageOutcome(Message):
    """`note`: Amazon's words: why it refused, or a warning with which it was done."""

    end: MessageEnd
    code: str | None = None
    note: str | None = None


class FeedResult(Message):
    """A processing report as it was read."""

    transaction_id: str | None = None
    processed: Count
    successful: Count
    with_error: Count
    with_warning: Count
    results: tuple[MessageResult, ...] = ()

    def outcomes(self, sent: Sequence[int]) -> dict[int, MessageOutcome]:
        """Of each message that was sent. Success is the absence of an Error, if the counts agree."""
        said: dict[int, list[MessageResult]] = {}
        for one in self.results:
            said.setdefault(one.message_id, []).append(one)
        why, of_all = self.disagreement(sent), said.get(WHOLE_FILE, [])
        return {message_id: _outcome(said.get(message_id, []), why, of_all) for message_id in sent}

    def disagreement(self, sent: Sequence[int]) -> str | None:
        """What does not agree, in words; none: the counts are those of what is listed, and of what was sent."""
        refused = {one.message_id for one in self.results if one.result is ResultCode.ERROR}
        strangers = {one.message_id for one in self.results} - set(sent) - {WHOLE_FILE}
        if strangers:
            return f"Amazon speaks of message {min(strangers)}, which was not sent"
        if WHOLE_FILE in refused:
            # What succeeded all the same must not be handed in again.
            counted = f"Amazon refuses the whole file, and counts {self.successful} as done"
            return counted if self.successful else None
        if self.processed != len(sent):
            return f"{len(sent)} messages were sent, and Amazon processed {self.processed}"
        if self.with_error != len(refused):
            return f"Amazon counts {self.with_error} messages with errors and lists {len(refused)}"
        if self.successful + self.with_error != self.processed:
            return f"of {self.processed} messages {self.successful} succeeded and {self.with_error} failed"
        return None


def _outcome(own: Sequence[MessageResult], why: str | None, of_all: Sequence[MessageResult]) -> MessageOutcome:
    if (refusal := _refusal(own)) is not None:
        return refusal
    if why is not None:
        return MessageOutcome(end=MessageEnd.UNKNOWN, note=why)
    if (refusal := _refusal(of_all)) is not None:
        return refusal
    warning = next(iter([*own, *of_all]), None)
    if warning is not None:
        return MessageOutcome(end=MessageEnd.DONE, code=warning.code, note=warning.words)
    return MessageOutcome(end=MessageEnd.DONE)


def _refusal(said: Sequence[MessageResult]) -> MessageOutcome | None:
    for one in said:
        if one.result is ResultCode.ERROR:
            return MessageOutcome(end=MessageEnd.REFUSED, code=one.code, note=one.words)
    return None
