"""What a refund does beside its mails: each begun once, by its key."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models.case import Who
from models.refunds import Direction, RefundPart, RefundResult
from models.returns import ReturnRequest
from workflows.engine.case import Effect, Note, RejectEvent, SendMail


class Reserve(Effect):
    """Check the cap and reserve the amount (REF-3).

    `known_only`: a word about it came first, so only what is reserved already goes on.
    """

    kind: Literal["reserve"] = "reserve"
    who: ClassVar[Who] = Who.BOOKS
    key: str = "reserve"
    known_only: bool = False

    @property
    def summary(self) -> str:
        return "reserve the amount under the cap"


class StartParts(Effect):
    """Make it in parts, each by a refund of its own, where no single payment can carry it (REF-3)."""

    kind: Literal["start_parts"] = "start_parts"
    who: ClassVar[Who] = Who.BACKHAUL
    key: str = "start-parts"
    parts: tuple[RefundPart, ...]
    after_case: bool = False
    """The case that asked for it was told, and may have begun them: one that has ended is not begun again."""

    @property
    def summary(self) -> str:
        return f"refund it in {len(self.parts)} parts"


class WriteConfirmation(Effect):
    """Write down who confirmed it, before anything is sent (REF-12)."""

    kind: Literal["write_confirmation"] = "write_confirmation"
    who: ClassVar[Who] = Who.BOOKS
    key: str = "write-confirmation"
    by: str

    @property
    def summary(self) -> str:
        return f"write that {self.by} confirmed it"


class Send(Effect):
    """Ask the gateway to move the money (REF-6). `again`: an earlier run may have asked, so it looks first.

    It is given up when a person has said what became of the money (REF-11).
    """

    kind: Literal["send"] = "send"
    who: ClassVar[Who] = Who.GATEWAY
    cancellable: ClassVar[bool] = True
    key: str = "send"
    direction: Direction
    again: bool = False

    @property
    def summary(self) -> str:
        return "refund the buyer" if self.direction is Direction.SELLER_TO_BUYER else "refund the seller"


class LookUp(Effect):
    """Ask the gateway how the refund stands; nothing is sent. `by_silence`: it had said nothing for too long.

    It is given up when it has no answer and a person has said what became of the money.
    """

    kind: Literal["look_up"] = "look_up"
    who: ClassVar[Who] = Who.GATEWAY
    cancellable: ClassVar[bool] = True
    by_silence: bool = False

    @property
    def summary(self) -> str:
        return "say how the refund stands"


class TakeBack(Effect):
    """The gateway took a success back: the amount is refundable again (REF-7)."""

    kind: Literal["take_back"] = "take_back"
    who: ClassVar[Who] = Who.BOOKS
    key: str = "take-back"

    @property
    def summary(self) -> str:
        return "write that the refund failed after it had succeeded"


class ReportToCase(Effect):
    """Tell the order or return that asked for it what became of it, by signal.

    `reopen`: the return, to be opened again if it has ended (REF-7).
    """

    kind: Literal["report_to_case"] = "report_to_case"
    workflow_id: str
    result: RefundResult
    reopen: ReturnRequest | None = None
    meanwhile: bool = False
    """It goes on, and says how it stands."""

    @property
    def summary(self) -> str:
        return f"tell {self.workflow_id} how the refund stands"


RefundEffect = Annotated[
    Reserve
    | StartParts
    | WriteConfirmation
    | Send
    | LookUp
    | TakeBack
    | ReportToCase
    | SendMail
    | Note
    | RejectEvent,
    Field(discriminator="kind"),
]
