"""All that a return ever does: the closed union of its effects, each begun once by its key."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models.case import Who
from models.ids import CaseId, DerivedId
from models.message import LineUnits
from models.orphans import OrphanRequest
from models.returns import CreditMemo, ReturnRequest
from workflows.engine.case import Effect, Note, RejectEvent, SendMail
from workflows.refunds.attempts import MakeRefund

# ---- done outside ----


class OpenReturn(Effect):
    """Write it down, and take the snapshots that decide (RET-2)."""

    kind: Literal["open_return"] = "open_return"
    cancellable: ClassVar[bool] = True
    who: ClassVar[Who] = Who.BOOKS

    @property
    def summary(self) -> str:
        return "Write the return down"


class ReopenReturn(Effect):
    """Read the last facts of a return that was completed: a refund of it failed since (REF-7)."""

    kind: Literal["reopen_return"] = "reopen_return"
    cancellable: ClassVar[bool] = True
    who: ClassVar[Who] = Who.BOOKS
    refund_id: DerivedId

    @property
    def summary(self) -> str:
        return "Open the return again"


class OpenSplitReturn(Effect):
    """The lines of another supplier are a return of their own (RET-2)."""

    kind: Literal["open_split_return"] = "open_split_return"
    request: ReturnRequest

    @property
    def summary(self) -> str:
        return f"Open return {self.request.return_id} of another supplier"


class KeepAsOrphan(Effect):
    """What a marketplace opened of an order that is not known here is kept until it is (RET-20)."""

    kind: Literal["keep_as_orphan"] = "keep_as_orphan"
    request: OrphanRequest

    @property
    def summary(self) -> str:
        return f"Keep it as orphan {self.request.orphan_id}"


class RequestRma(Effect):
    """Ask the supplier's web service, for as long as nobody else gives the number (RET-8)."""

    kind: Literal["request_rma"] = "request_rma"
    cancellable: ClassVar[bool] = True
    who: ClassVar[Who] = Who.SUPPLIER

    @property
    def summary(self) -> str:
        return "issue the RMA number by its web service"


class BookCreditMemo(Effect):
    """Count a credit memo, each number once (RET-12)."""

    kind: Literal["book_credit_memo"] = "book_credit_memo"
    cancellable: ClassVar[bool] = True
    who: ClassVar[Who] = Who.BOOKS
    memo: CreditMemo

    @property
    def summary(self) -> str:
        return f"book credit memo {self.memo.number}"


class StartReplacement(Effect):
    """Order another one for the buyer, once: its id is made of the return's (RET-24)."""

    KEY: ClassVar[str] = "replacement"
    kind: Literal["start_replacement"] = "start_replacement"
    who: ClassVar[Who] = Who.BOOKS
    key: str = KEY
    replacement_id: CaseId
    lines: tuple[LineUnits, ...]

    @property
    def summary(self) -> str:
        return f"Order the replacement {self.replacement_id}"


class CancelReplacement(Effect):
    """Ask the replacement's order to cancel, if it is not too late (CAN-1, CAN-2)."""

    KEY: ClassVar[str] = "cancel-replacement"
    kind: Literal["cancel_replacement"] = "cancel_replacement"
    key: str = KEY
    replacement_id: CaseId
    actor: str
    reason: str

    @property
    def summary(self) -> str:
        return f"Cancel the replacement {self.replacement_id}"


# ---- done by recording it ----


class AnnounceRma(Effect):
    """Buyer and seller are told where the goods go; from now on that does not change (RET-9)."""

    kind: Literal["announce_rma"] = "announce_rma"
    instant: ClassVar[bool] = True


class Expire(Effect):
    """There was no tracking number by this moment (RET-10)."""

    kind: Literal["expire"] = "expire"
    instant: ClassVar[bool] = True
    missed: datetime


class NoticeSla(Effect):
    """So many days are left until the seller must be refunded; with 0 the limit is breached (RET-13)."""

    kind: Literal["notice_sla"] = "notice_sla"
    instant: ClassVar[bool] = True
    due: datetime
    days_before: int
    what: str


class SettleWithoutCredit(Effect):
    """The supplier accepted nothing, or what had cost nothing: no credit, no refund of the seller (RET-11)."""

    kind: Literal["settle_without_credit"] = "settle_without_credit"
    instant: ClassVar[bool] = True
    what: str = "the supplier accepted nothing: no credit, no refund by the broker"


class SettleWithoutRefund(Effect):
    """The fees take all that the buyer paid, or it paid nothing: nothing is refunded (REF-4, ORD-15)."""

    kind: Literal["settle_without_refund"] = "settle_without_refund"
    instant: ClassVar[bool] = True
    what: str


class RefuseClick(Effect):
    """A rule refuses a click when its turn comes (REF-4)."""

    kind: Literal["refuse_click"] = "refuse_click"
    instant: ClassVar[bool] = True
    event_id: str
    reason: str


class RefuseAutomaticRefund(Effect):
    """A rule refuses what the seller automated: a person decides (REF-1)."""

    kind: Literal["refuse_automatic_refund"] = "refuse_automatic_refund"
    instant: ClassVar[bool] = True
    reason: str


class PassChannelRefund(Effect):
    """A refund of the marketplace that needs no booking of its own, or can't be booked (RET-18)."""

    kind: Literal["pass_channel_refund"] = "pass_channel_refund"
    instant: ClassVar[bool] = True
    event_id: str
    unusable: str | None = None


ReturnEffect = Annotated[
    Note
    | RejectEvent
    | SendMail
    | MakeRefund
    | OpenReturn
    | ReopenReturn
    | OpenSplitReturn
    | KeepAsOrphan
    | RequestRma
    | BookCreditMemo
    | StartReplacement
    | CancelReplacement
    | AnnounceRma
    | Expire
    | NoticeSla
    | SettleWithoutCredit
    | SettleWithoutRefund
    | RefuseClick
    | RefuseAutomaticRefund
    | PassChannelRefund,
    Field(discriminator="kind"),
]
