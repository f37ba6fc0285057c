"""An orphan: what somebody outside says about an order, a return or a refund that is not known here (RET-20)."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from models.cancellations import CancelRequest
from models.case import CaseRecord
from models.failures import InvalidInput
from models.ids import CaseId, DerivedId, KindName, case_of, orphan_workflow_id
from models.marketplace_returns import OPENED_BY_MARKETPLACES, ReturnAsked
from models.message import Event, LongText, Message, Number, Request, Text, folded
from models.order_events import Delivered, ShipmentCorrected
from models.orders import Hold, Shipment
from models.orphan_looks import FIRST_PAUSES, LookPauses
from models.parties import Days
from models.refunds import GatewayUpdate
from models.returns import (
    ChannelUpdate,
    CreditMemo,
    GoodsReceived,
    ReturnRequest,
    ReturnTracking,
    SupplierRma,
    Withdrawal,
)
from models.senders import (
    ORDER_SENDERS,
    REFUND_SENDERS,
    RETURN_REQUEST_SENDERS,
    RETURN_SENDERS,
    NotTheirs,
    Role,
    require_sender,
    role_of,
)


class Reportable(NamedTuple):
    """What marketplaces, carriers, suppliers and gateways say; `numbers`: which of its fields name the case. A
    number that it `brings` (a new RMA or tracking number) names none yet, and is shown."""

    about: KindName
    model: type[Event]
    numbers: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()


RETURN_REQUEST: Final = "return_request"
"""No event of an order: given to its order, it starts a return."""


REPORTABLE: Final[Mapping[str, Reportable]] = {
    RETURN_REQUEST: Reportable(
        "order", ReturnAsked, ("order_id",), ("return_id", "amazon_rma_id", "ebay_return_id")
    ),
    "shipment": Reportable("order", Shipment, ("supplier_order_number",)),
    "shipment_corrected": Reportable("order", ShipmentCorrected),
    "delivered": Reportable("order", Delivered, ("tracking_number",)),
    "cancel_request": Reportable("order", CancelRequest),
    "hold": Reportable("order", Hold),
    "supplier_rma": Reportable("return", SupplierRma),
    "return_tracking": Reportable("return", ReturnTracking),
    "goods_received": Reportable("return", GoodsReceived),
    "credit_memo": Reportable("return", CreditMemo),
    "channel_update": Reportable("return", ChannelUpdate),
    "withdrawal": Reportable("return", Withdrawal),
    "gateway_update": Reportable("refund", GatewayUpdate, ("gateway_refund_id",)),
}
"""What can be reported, by the event's name. What people here decide (approve, refund, override) is not."""


SENDERS: Final = {
    "order": ORDER_SENDERS | {RETURN_REQUEST: RETURN_REQUEST_SENDERS},
    "return": RETURN_SENDERS,
    "refund": REFUND_SENDERS,
}


def kept_request(request: ReturnRequest) -> "OrphanRequest":
    """A return that a marketplace has opened of an order that is not known here (RET-20)."""
    source = OPENED_BY_MARKETPLACES[request.source]
    said = request.model_dump(mode="json", exclude_none=True, exclude={"reopened_by", "continued"})
    said |= {"event_id": request.return_id, "actor": f"channel:{source}"}
    return OrphanRequest.of(source, RETURN_REQUEST, said)


def kept_word(workflow_id: str, name: str, event: Event) -> "OrphanRequest":
    """What was said to a return that is only kept itself, as its order is not known here (RET-16, RET-20)."""
    said = event.model_dump(mode="json", exclude_none=True)
    numbers = (case_of(workflow_id)[1],)
    return OrphanRequest.of(role_of(event).value, name, said, numbers=numbers, sent_to=workflow_id)


def kept_as(return_id: str) -> tuple[str, ...]:
    """The workflow ids of the orphans as which this return may be kept (`kept_request`)."""
    sources = dict.fromkeys(OPENED_BY_MARKETPLACES.values())
    return tuple(orphan_workflow_id(orphan_id(source, return_id)) for source in sources)


def orphan_id(source: str, event_id: str, *sent_to: str) -> str:
    """The same word of the same source is one orphan, however often it is said: `ebay-5f3c...`. Of what was sent
    to a return, ids are its own: `sent_to` is the return and the event's name."""
    said = sha256("\n".join((source.casefold(), event_id.strip(), *sent_to)).encode()).hexdigest()
    return f"{source[:60]}-{said[:16]}"


class OrphanRequest(Request):
    """Starts an `Orphan`: who says what, and every number by which its case may be found (RET-17, RET-20)."""

    orphan_id: CaseId
    """Made of `source` and the event's id (`orphan_id`)."""
    source: CaseId
    """The system that says it: `ebay`, `ups`, `reno`. No person."""
    event: Annotated[str, Field(max_length=100)]
    """Its name in the contract, such as `credit_memo`."""
    said: dict[str, Any]
    """The event, as it was said."""
    numbers: Annotated[tuple[Number, ...], Field(max_length=30)] = ()
    """Of the order, return or refund, of whatever kind. Beside them count those in the event itself."""
    seller_id: CaseId | None = None
    """Where it is known: only this seller's cases are looked at."""
    supplier_id: CaseId | None = None
    """Where it is known: only cases with this supplier are looked at, since suppliers' numbers may be alike."""
    sent_to: Annotated[str, Field(max_length=200)] | None = None
    """The workflow id of the return to which it was sent, when that return was itself only kept (RET-16). It is
    the only case that fits; buyers and sellers are heard too."""
    look_days: Days = 90
    """For so long its case is looked for."""
    look_pauses_minutes: LookPauses = FIRST_PAUSES
    """After each of the first looks; after them it looks once a day. Its case calls it as soon as it has one of
    its numbers, but can't while the database does not know the orphan: the second look is for that moment."""
    continued: dict[str, Any] | None = None
    """The facts of the run that this one continues; from nobody else are they believed."""

    @classmethod
    def of(cls, source: str, event: str, said: Mapping[str, Any], **more: Any) -> Self:
        """A report with the id that belongs to it. Raises InvalidInput."""
        event_id, sent_to = said.get("event_id"), more.get("sent_to")
        named = (
            {"orphan_id": orphan_id(source, event_id, *_apart(event, sent_to))}
            if isinstance(event_id, str)
            else {"orphan_id": "no-event-id"}
        )
        return cls.at_the_door({**named, "source": source, "event": event, "said": dict(said), **more})

    @property
    def about(self) -> KindName:
        return REPORTABLE[self.event].about

    @property
    def told(self) -> Event:
        """The event as its case will read it."""
        return REPORTABLE[self.event].model.at_the_door(self.said)

    @property
    def known_by(self) -> tuple[str, ...]:
        """The numbers by which its case is looked for."""
        return self._each_once((*self.numbers, *self._said(REPORTABLE[self.event].numbers)))

    @property
    def every_number(self) -> tuple[str, ...]:
        """All its numbers: also those that it brings."""
        return self._each_once((*self.known_by, *self._said(REPORTABLE[self.event].brings)))

    @property
    def summary(self) -> str:
        """In one line, for lists of cases."""
        return f"Orphan · {self.event.replace('_', ' ')} of {self.source} · {', '.join(self.every_number)}"

    def _said(self, names: tuple[str, ...]) -> list[str]:
        inside = [self.said.get(name) for name in names]
        return [number for number in inside if isinstance(number, str) and number.strip()]

    def _each_once(self, numbers: tuple[str, ...]) -> tuple[str, ...]:
        """As typed; what differs in case, blanks or punctuation is one (ORD-21)."""
        return tuple({folded(number): number for number in reversed(numbers)}.values())[::-1]

    @model_validator(mode="after")
    def _says_an_event(self) -> Self:
        known = REPORTABLE.get(self.event)
        if known is None:
            raise ValueError(f"event: there is no {self.event!r} to report; there are: {', '.join(REPORTABLE)}")
        try:
            told = known.model.at_the_door(self.said)
        except InvalidInput as error:
            raise ValueError("; ".join(f"said.{problem}" for problem in error.problems)) from None
        if self.sent_to is None and role_of(told) in (Role.BUYER, Role.SELLER):
            raise ValueError("said.actor: buyers and sellers know their case; send the event to it (RET-20)")
        try:
            require_sender(self.event, told, SENDERS[known.about][self.event])
        except NotTheirs as error:
            raise ValueError(f"said.actor: {error}") from None
        mine = orphan_id(self.source, told.event_id, *_apart(self.event, self.sent_to))
        if self.orphan_id != mine:
            raise ValueError(f"orphan_id: of this source and event_id it is {mine}; leave it out, or give that")
        return self

    @model_validator(mode="after")
    def _was_sent_to_a_return(self) -> Self:
        if self.sent_to is not None and (self.about != "return" or not self.sent_to.startswith("return-")):
            raise ValueError("sent_to: is the workflow id of a return, such as return-RR-1001-1")
        return self

    @model_validator(mode="after")
    def _has_numbers(self) -> Self:
        if not self.known_by:
            raise ValueError("numbers: give one at least, of the order, the return or the refund (RET-17)")
        if any("@" in number for number in self.numbers):
            raise ValueError("numbers: an e-mail address is no number; numbers are shown in lists")
        return self


def _apart(event: str, sent_to: str | None) -> tuple[str, ...]:
    return () if sent_to is None else (sent_to, event)


class Match(Event):
    """A named person says which case it belongs to; the event is delivered there."""

    case_id: Annotated[str, Field(min_length=1, max_length=200)]
    """Its workflow id, such as `return-RR-1001-1`."""
    reason: Text


class Dismiss(Event):
    """A named person says that it belongs to no case here."""

    reason: Text


# ---- what the case asks of the database and of other cases ----


class FindCases(Message):
    """Which cases of this kind have these numbers?"""

    about: KindName
    numbers: tuple[Number, ...]
    seller_id: CaseId | None = None
    supplier_id: CaseId | None = None


class FoundCases(Message):
    """Workflow ids, sorted. A case fits when each number that is known here is one of its; where no case has them
    all, those that have some are `candidates` and none fits."""

    fitting: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()


class CaseNumbered(Message):
    """A case can be found by a number that an orphan has; nothing else is believed of it."""

    workflow_id: Annotated[str, Field(max_length=200)]


class DeliverEvent(Message):
    """Give a case the event that was said of it, as that event, with its own id: it counts once."""

    workflow_id: str
    name: str
    said: dict[str, Any]


class EventDelivered(Message):
    """`taken`: the case has it. `refused`: it said no, and `message` why. `ended`: it is over, or forgotten.
    `early`: it can't take it yet, and may later."""

    state: Literal["taken", "refused", "ended", "early"]
    message: LongText


class SaveOrphan(Message):
    """What the database keeps of an orphan. A section that is none is not changed."""

    sections: ClassVar[tuple[str, ...]] = ("request",)

    orphan_id: DerivedId
    record: CaseRecord
    request: OrphanRequest | None = None
    candidates: tuple[str, ...] = ()
    matched_to: str | None = None
    decided_by: str | None = None
    reason: str | None = None
    reported_at: datetime
    expires_at: datetime
