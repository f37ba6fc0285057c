"""What every case shows of itself: stage, what it waits for, deadlines, timeline, rejected events."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from models.message import Message
from models.worklists import Work


class Who(StrEnum):
    """Who must act."""

    SELLER = "seller"
    BUYER = "buyer"
    SUPPLIER = "supplier"
    STAFF = "staff"
    GATEWAY = "gateway"
    SHOP = "shop"
    MAIL = "mail server"
    BOOKS = "books"
    CLOCK = "clock"
    """Nobody: time must pass."""
    BACKHAUL = "backhaul"


class OrderStage(StrEnum):
    """Where an order stands."""

    RECEIVED = "received"
    AWAITING_RELEASE = "awaiting_release"
    AWAITING_PAYMENT = "awaiting_payment"
    CANCEL_WINDOW = "cancel_window"
    ON_HOLD = "on_hold"
    PLACING = "placing"
    AWAITING_SHIPMENT = "awaiting_shipment"
    AWAITING_CHOICE = "awaiting_choice"
    """Nobody had its items: the seller chooses what becomes of it (ORD-8)."""
    AWAITING_STOCK = "awaiting_stock"
    """A special order: the buyer waits until stock arrives (ORD-8)."""
    CANCELLING = "cancelling"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    VOIDED = "voided"
    STOPPED = "stopped"
    TERMINATED = "terminated"
    """The server ended the case without a word of it (`backhaul reconcile`); so too of the others."""
    REFUSED = "refused"


class ReturnStage(StrEnum):
    """Where a return stands."""

    OPENING = "opening"
    AWAITING_APPROVAL = "awaiting_approval"
    AWAITING_RMA = "awaiting_rma"
    RMA_REFUSED = "rma_refused"
    AWAITING_TRACKING = "awaiting_tracking"
    EXPIRED = "expired"
    IN_TRANSIT = "in_transit"
    AWAITING_CREDIT = "awaiting_credit"
    REFUNDING_SELLER = "refunding_seller"
    AWAITING_BUYER_REFUND = "awaiting_buyer_refund"
    REFUNDING_BUYER = "refunding_buyer"
    REPLACING = "replacing"
    """The replacement is on its way, or waits for the goods (RET-24)."""
    COMPLETED = "completed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REFUSED_BY_SUPPLIER = "refused_by_supplier"
    REFUSED = "refused"
    STOPPED = "stopped"
    TERMINATED = "terminated"


class RefundStage(StrEnum):
    """Where a refund stands."""

    RESERVING = "reserving"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    """It is over the seller's limit: a second person confirms or rejects it (REF-12)."""
    SENDING = "sending"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    TERMINATED = "terminated"


class OrphanStage(StrEnum):
    """Where an orphan stands (RET-20)."""

    LOOKING = "looking"
    UNMATCHED = "unmatched"
    SEVERAL_FIT = "several_fit"
    DELIVERING = "delivering"
    NOT_TAKEN = "not_taken"
    """The case that it belongs to did not take it."""
    MATCHED = "matched"
    DISMISSED = "dismissed"
    EXPIRED = "expired"
    STOPPED = "stopped"
    TERMINATED = "terminated"


class CostReviewStage(StrEnum):
    """Where a supplier-cost review stands (BAL-2)."""

    OPENING = "opening"
    AWAITING_DECISION = "awaiting_decision"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    STOPPED = "stopped"
    TERMINATED = "terminated"


class ClaimStage(StrEnum):
    """Where a claim stands (CLM-1, CLM-2)."""

    OPENING = "opening"
    AWAITING_DECISION = "awaiting_decision"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    STOPPED = "stopped"
    TERMINATED = "terminated"


class ChannelBatchStage(StrEnum):
    """Where a document to a marketplace stands (AMZ-5, AMZ-10)."""

    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    """Nobody knows whether it arrived: nothing of its kind is sent until that is known."""
    PROCESSING = "processing"
    DONE = "done"
    REFUSED = "refused"
    STOPPED = "stopped"
    TERMINATED = "terminated"


class ReportImportStage(StrEnum):
    """Where the import of a report stands (AMZ-1)."""

    ASKING = "asking"
    IN_THE_MAKING = "in_the_making"
    """Amazon makes the report."""
    DOWNLOADING = "downloading"
    IMPORTING = "importing"
    IMPORTED = "imported"
    NO_DATA = "no_data"
    """Amazon knows of no returns."""
    REFUSED = "refused"
    """What came is no returns report."""
    STOPPED = "stopped"
    TERMINATED = "terminated"


class SlaState(StrEnum):
    ON_TIME = "on_time"
    AT_RISK = "at_risk"
    BREACHED = "breached"


class Custody(StrEnum):
    """Where the goods are (NTF-5): of an order on their way to the buyer, of a return on their way back."""

    NOT_BOUGHT = "not_bought"
    AT_SUPPLIER = "at_supplier"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    WITH_BUYER = "with_buyer"
    COMING_BACK = "coming_back"
    PARTLY_RECEIVED = "partly_received"
    RECEIVED = "received"
    STAYS_WITH_BUYER = "stays_with_buyer"
    NEVER_ARRIVED = "never_arrived"
    """The buyer never had them (RET-23)."""


class MoneyState(StrEnum):
    """Where the money is (REF-11), never mixed with where the goods are (NTF-5)."""

    NONE = "none"
    ASKED = "asked"
    PENDING = "pending"
    IN_DOUBT = "in_doubt"
    CONFIRMED = "confirmed"
    FAILED_AFTERWARDS = "failed_afterwards"


class Wait(Message):
    """Something that the case waits for: who must do what, since when, and until when at the latest."""

    stage: str
    who: Who
    what: str
    since: datetime
    due: datetime | None = None


class Step(Message):
    """One line of the timeline: what happened, when, by whom."""

    at: datetime
    what: str
    who: str


class RejectedEvent(Message):
    """An event that could not be used: never its raw data, which may be personal."""

    name: str
    reason: str
    at: datetime
    event_id: str | None = None
    sender_at_fault: bool = True
    """Otherwise a gateway said no to what it asks for, or a rule did when its turn came."""


class Answer(Message):
    """What an update answers. `duplicate`: the event was known already and counted once."""

    accepted: bool = True
    duplicate: bool = False
    stage: str
    message: str


class CaseRecord(Message):
    """What the books keep of every case, beside its own tables."""

    workflow_id: str
    run_id: str
    stage: str
    seller_id: str
    order_id: str
    also_at: tuple[str, ...] = ()
    """The stages of what else it waits for: goods and money settle side by side."""
    waiting_on: str | None
    waiting_for: str | None
    waiting_since: datetime | None
    due_by: datetime | None
    sla_state: SlaState
    custody: Custody | None = None
    money: MoneyState = MoneyState.NONE
    work: tuple[Work, ...] = ()
    """The worklists that it stands in (NTF-6)."""
    held_up_by: tuple[str, ...] = ()
    """The keys of what holds it up (`models.alerts`), once staff are told (NTF-9)."""
    ended: bool
    numbers: tuple[str, ...] = ()
    """The numbers by which it can be found (RET-17), as typed, that are new since the last record."""
    first_step: int
    steps: tuple[Step, ...]
    """The steps that are new since the last record; the first of them is number `first_step`."""


class CaseStatus(Message):
    """The answer to the query `status`."""

    workflow_id: str
    stage: str
    outcome: str | None
    waiting_for: Wait | None
    also_waiting_for: tuple[Wait, ...]
    deadlines: dict[str, datetime]
    """Those that are still open."""
    sla_state: SlaState
    custody: Custody | None = None
    money: MoneyState = MoneyState.NONE
    work: tuple[Work, ...] = ()
    timeline: tuple[Step, ...]
    rejected_events: tuple[RejectedEvent, ...]
    rejected_count: int
    facts: dict[str, Any]


class Ended(Message):
    """What a case ended with: the result of its workflow."""

    workflow_id: str
    outcome: str
    message: str
