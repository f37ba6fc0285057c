"""What a batch does: each step once by its key, so that none is done twice whatever breaks."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models.case import Who
from models.ids import DerivedId
from workflows.engine.case import Effect, Note, SendMail


class TakeEntries(Effect):
    """Take entries out of the queue, and compose a document of them."""

    kind: Literal["take_entries"] = "take_entries"
    who: ClassVar[Who] = Who.BOOKS
    key: str = "open"

    @property
    def summary(self) -> str:
        return "compose a document of what waits in the queue"


class LookAtTransactions(Effect):
    """Look what Amazon shows of the orders of refunds that it was told before (AMZ-11): of `entries`, which wait
    in the queue, or of those in the document whose messages come after `after`."""

    kind: Literal["look_at_transactions"] = "look_at_transactions"
    quick: ClassVar[bool] = False
    cancellable: ClassVar[bool] = True
    who: ClassVar[Who] = Who.SHOP
    entries: tuple[DerivedId, ...] = ()
    after: int = 0

    @property
    def summary(self) -> str:
        return "look what Amazon shows of orders whose refunds are sent again"


class Upload(Effect):
    """Give Amazon the document, which does nothing with it yet; it may be done again."""

    kind: Literal["upload"] = "upload"
    cancellable: ClassVar[bool] = True
    who: ClassVar[Who] = Who.SHOP
    key: str = "upload"

    @property
    def summary(self) -> str:
        return "upload the document"


class HandIn(Effect):
    """Have Amazon process the document; again only after a person said that the try before did not arrive
    (AMZ-10)."""

    kind: Literal["hand_in"] = "hand_in"
    who: ClassVar[Who] = Who.SHOP
    ordinal: int

    @property
    def summary(self) -> str:
        return "hand in the document"


class Find(Effect):
    """Look whether the document arrived, after a lost answer; nothing is sent."""

    kind: Literal["find"] = "find"
    quick: ClassVar[bool] = False
    cancellable: ClassVar[bool] = True
    who: ClassVar[Who] = Who.SHOP

    @property
    def summary(self) -> str:
        return "look whether the document reached Amazon"


class Look(Effect):
    """Ask Amazon how far it is."""

    kind: Literal["look"] = "look"
    who: ClassVar[Who] = Who.SHOP

    @property
    def summary(self) -> str:
        return "ask how far Amazon is"


class ReadResults(Effect):
    """Read what became of each message, write it down and tell the refunds (AMZ-7)."""

    kind: Literal["read_results"] = "read_results"
    who: ClassVar[Who] = Who.SHOP
    key: str = "read"

    @property
    def summary(self) -> str:
        return "read what became of each message"


class PutBack(Effect):
    """The entries go back into the queue, or to a person, without a word of Amazon about each."""

    kind: Literal["put_back"] = "put_back"
    who: ClassVar[Who] = Who.BOOKS
    key: str = "put-back"
    why: str
    end: Literal["queued", "refused", "in_doubt"]

    @property
    def summary(self) -> str:
        return "give the entries back to the queue"


BatchEffect = Annotated[
    TakeEntries | LookAtTransactions | Upload | HandIn | Find | Look | ReadResults | PutBack | Note | SendMail,
    Field(discriminator="kind"),
]
