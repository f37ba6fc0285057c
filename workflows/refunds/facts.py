"""What a refund knows of itself. Everything else follows from it."""

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import Field

from models import ids
from models.case import RefundStage
from models.ids import DerivedId
from models.partners import AWAITS_SETTLEMENT, RefundAnswer
from models.records import Opening, RefundTakenBack, ReservedRefund
from models.refunds import UNSETTLED, HeldUp, RefundPart, RefundRequest, RefundResult, RefundState, Way
from workflows.engine.case import CaseFacts
from workflows.refunds.effects import LookUp, RefundEffect, Send
from workflows.refunds.words import Claim, Resolution, SecondPerson


class RefundFacts(CaseFacts):
    """All that a refund knows (REF-3, REF-6, REF-7, REF-11)."""

    request: RefundRequest
    in_flight: dict[str, RefundEffect] = Field(default_factory=dict)
    started_by_case: bool = False
    """Its order or return asked for it, and waits for its result."""
    known_only: bool = False
    """A word about it came before anybody here knew it."""
    reservation: ReservedRefund | None = None
    had_to_wait: bool = False
    """It could not be reserved yet, by a fault of ours or for what may be mended: people saw it before. While the
    database does not answer nobody can write that down."""
    claims: tuple[Claim, ...] = ()
    """Those that nothing is decided about."""
    word: RefundAnswer | None = None
    """What the gateway itself said last, other than that it does not have it."""
    absent: bool = False
    absent_why: str | None = None
    """The gateway's last word was that it does not have it; of a marketplace, why nobody knows."""
    postponed: RefundAnswer | None = None
    """The gateway's last answer to what was sent was that nothing can be moved now: later, or not by itself."""
    postponements: int = 0
    heard_at: datetime | None = None
    """When the gateway answered last."""
    state_since: datetime | None = None
    """When the refund came to the state in which it is."""
    succeeded_at: datetime | None = None
    looks: int = 0
    """How often the gateway was asked how it stands."""
    silent_looks: int = 0
    """How often because it had said nothing for too long."""
    resolution: Resolution | None = None
    confirmation: SecondPerson | None = None
    rejection: SecondPerson | None = None
    """These two count only for a refund over the seller's limit (REF-12)."""
    taken_back: RefundTakenBack | None = None
    reports: int = 0
    """How often its case was told how it stands meanwhile."""
    reported_doubt: bool | None = None
    """Whether its case was told last that it is in doubt; none: it was told nothing of its sending yet."""
    reported_held_up: HeldUp | None = None
    """By what it was told last that it is held up."""
    case_has_ended: bool = False
    """The order or return that asked for it could not be told any more."""

    # ---- what it is about ----

    @property
    def case_id(self) -> str:
        return ids.refund_workflow_id(self.request.refund_id)

    @property
    def order_id(self) -> str:
        return self.request.order_id

    @property
    def return_id(self) -> str | None:
        return self.request.return_id

    @property
    def seller_id(self) -> str:
        known = self.reservation
        return (known.seller_id or "") if known is not None and not self.is_conflict else ""

    @property
    def refund_id(self) -> DerivedId:
        return self.request.refund_id

    @property
    def asking_case(self) -> str | None:
        """The workflow id of the order or return whose refund it is; none: people asked for it (REF-2)."""
        request = self.request
        if request.return_id is not None:
            return ids.return_workflow_id(request.return_id)
        own = tuple(f"RF-{request.order_id}-O{whom}" for whom in "BS")
        if self.started_by_case or request.refund_id.startswith(own):
            return ids.order_workflow_id(request.order_id)
        return None

    # ---- the reservation ----

    @property
    def is_conflict(self) -> bool:
        return self.reservation is not None and self.reservation.opening is Opening.CONFLICT

    @property
    def is_reserved(self) -> bool:
        return self.reservation is not None and self.reservation.opening is Opening.OPENED

    @property
    def had_ended(self) -> bool:
        """An earlier run brought this very refund to its end."""
        return self.reservation is not None and self.reservation.opening is Opening.DUPLICATE

    @property
    def goes_by_gateway(self) -> bool:
        return self.request.way is Way.GATEWAY

    @property
    def goes_by_queue(self) -> bool:
        """The marketplace that took the payment gives it back, by a document (AMZ-5)."""
        return self.goes_by_gateway and self.reservation is not None and self.reservation.way is Way.MARKETPLACE

    @property
    def parts_to_begin(self) -> tuple[RefundPart, ...]:
        """Where no single payment can carry it (REF-3). Those that were begun before are not begun again."""
        return () if self.reservation is None or self.had_ended else self.reservation.parts

    # ---- the second person (REF-12) ----

    @property
    def over_limit(self) -> Decimal | None:
        """The seller's limit, which it is over; none: nobody else needs to look."""
        return self.reservation.over_limit if self.reservation is not None and self.is_reserved else None

    @property
    def confirmed_by(self) -> str | None:
        """As the database has it."""
        known = self.reservation
        return known.confirmed_by if known is not None and not self.is_conflict else None

    @property
    def is_rejected(self) -> bool:
        return self.rejection is not None and self.over_limit is not None

    @property
    def awaits_second_person(self) -> bool:
        return self.over_limit is not None and not (self.confirmed_by or self.confirmation or self.rejection)

    @property
    def is_kept(self) -> bool:
        """The database has this refund as this case, and this run has something to say of it."""
        return self.is_reserved or (self.had_ended and self.looks > 0)

    @property
    def is_listed_alone(self) -> bool:
        """Nothing is reserved, and people saw it wait: lists have the case, unless its id is another refund's."""
        if not self.had_to_wait or self.known_only:
            return False
        return self.reservation is None or self.reservation.opening is Opening.REFUSED

    # ---- the gateway ----

    @property
    def gateway_refund_id(self) -> str | None:
        if self.is_conflict:
            return None
        if self.word is not None and self.word.gateway_refund_id is not None:
            return self.word.gateway_refund_id
        return self.reservation.gateway_refund_id if self.reservation is not None else None

    @property
    def gateway_answered(self) -> bool:
        """The gateway itself said something of it, be it that it does not have it."""
        return self.heard_at is not None

    @property
    def gateway_gives_no_answer(self) -> bool:
        """It was asked to refund, or how it stands, and there is trouble."""
        return any(isinstance(self.in_flight[key], Send | LookUp) for key in self.trouble)

    @property
    def is_left_without_answer(self) -> bool:
        """It may have been sent, and no answer came; or the gateway does not say how it stands, and staff were
        told so: one outage makes no doubt of a refund that is known to be pending."""
        return any(
            (isinstance(self.in_flight[key], Send) and why.asked)
            or (isinstance(self.in_flight[key], LookUp) and (why.alert or not self.gateway_answered))
            for key, why in self.trouble.items()
        )

    @property
    def is_sending(self) -> bool:
        return self.is_in_flight(Send)

    @property
    def is_looking(self) -> bool:
        return self.is_in_flight(LookUp)

    @property
    def claims_to_check(self) -> list[Claim]:
        """Those for which the gateway must be asked: what has ended can only be taken back."""
        if not self.gateway_answered and not self.had_ended and self.resolution is None:
            return []  # it is being sent: its answer comes first
        if self.state in UNSETTLED:
            return [claim for claim in self.claims if claim.look is None]
        if self.state is not RefundState.SUCCEEDED or not self.goes_by_gateway:
            return []
        return [claim for claim in self.claims if claim.look is None and claim.status == "failed"]

    @property
    def send_key(self) -> str:
        """Of the call that sends it: after each postponement another one."""
        return f"send:{self.postponements + 1}" if self.postponements else "send"

    @property
    def is_parked(self) -> bool:
        """The gateway moves nothing while a dispute is open: a person decides."""
        return self.postponed is not None and self.postponed.state == "parked"

    @property
    def postponement(self) -> str | None:
        """Why the gateway moves nothing yet; none: it does, or was not asked."""
        if self.postponed is None:
            return None
        why = self.postponed.reason or "no reason given"
        if self.is_parked:
            return f"the gateway refunds nothing while a dispute is open ({why})"
        if why == AWAITS_SETTLEMENT:
            return "the gateway refunds part of a payment only after its settlement"
        return f"the gateway can't refund it yet ({why})"

    @property
    def send_again_at(self) -> datetime | None:
        """When the gateway can move what it could not yet; none: it is not waited for."""
        return self.postponed.again_at if self.postponed is not None and not self.is_parked else None

    @property
    def next_look(self) -> str:
        return f"look:{self.looks}"

    @property
    def look_again_at(self) -> datetime:
        """When the gateway will know more, if it said so; else when its silence has lasted too long."""
        assert self.heard_at is not None, "it has answered before"
        promised = self.word.again_at if self.word is not None else None
        if promised is not None and promised > self.heard_at:
            return promised
        assert self.reservation is not None, "it is reserved"
        return self.heard_at + timedelta(days=self.reservation.look_again_days)

    @property
    def is_silent_for_long(self) -> bool:
        return self.reservation is not None and self.silent_looks >= self.reservation.looks_before_alert

    # ---- where it stands ----

    @property
    def state(self) -> RefundState:
        if self.reservation is None:
            return RefundState.RESERVED
        if self.had_ended and self.word is None:
            return self.reservation.state
        if not self.is_reserved and not self.had_ended:
            return RefundState.REFUSED
        if self.is_rejected:
            return RefundState.REFUSED
        if not self.goes_by_gateway:
            return RefundState.SUCCEEDED
        return self._state_at_gateway

    @property
    def _state_at_gateway(self) -> RefundState:
        if self.failed_afterwards:
            return RefundState.FAILED
        if self.word is not None and self.word.state not in ("pending", "none"):
            return RefundState(self.word.state)
        if self.resolution is not None and not self._gateway_may_say_more:
            return RefundState.SUCCEEDED if self.resolution.outcome == "moved" else RefundState.FAILED
        if self.word is not None or ("send" in self.done and self.gateway_answered):
            return RefundState.PENDING
        return RefundState.RESERVED

    @property
    def _gateway_may_say_more(self) -> bool:
        """It is being asked, or must be: its own word comes before a person's."""
        unchecked = any(claim.look is None for claim in self.claims)
        looking = self.is_looking and not self.gateway_gives_no_answer
        return self.is_sending or unchecked or looking

    @property
    def failed_afterwards(self) -> bool:
        """It had succeeded, and the gateway took it back (REF-7)."""
        return self.succeeded_at is not None and self.word is not None and self.word.state in ("failed", "refused")

    @property
    def in_doubt(self) -> bool:
        """Nobody knows whether the money moved (REF-11)."""
        return self.doubt is not None

    @property
    def doubt(self) -> str | None:
        """Why nobody knows whether the money moved; none: it is known."""
        if self.state not in UNSETTLED or not self.is_reserved:
            return None
        if self.is_left_without_answer:
            return "the gateway gives no answer"
        if self.absent:
            return self.absent_why or "the gateway does not have it"
        return "the gateway has said nothing more of it for long" if self.is_silent_for_long else None

    @property
    def ending(self) -> RefundStage:
        """The stage in which the case ends; a second case of a refund that is not at its end is refused."""
        return RefundStage.REFUSED if self.state in UNSETTLED else RefundStage(self.state.value)

    @property
    def reason(self) -> str | None:
        """Why it stands so."""
        if self.reservation is None:
            return None
        if not self.is_reserved and self.word is None:
            return self.reservation.reason or "a refund with this id exists already"
        if self.rejection is not None and self.is_rejected:
            return f"rejected by {self.rejection.by}: {self.rejection.reason}"
        if not self.goes_by_gateway:
            return f"recorded as made by {self.request.way.value}"
        if self.failed_afterwards:
            return (self.word.reason if self.word else None) or "the gateway gave no reason"
        if self.word is not None and self.word.state != "pending":
            return self.word.reason
        if self.resolution is not None:
            return f"recorded by {self.resolution.by}: {self.resolution.reason}"
        return None

    @property
    def amount(self) -> Decimal:
        """What is reserved, or was; zero if nothing ever was. In the request's currency."""
        if self.reservation is None or self.is_conflict:
            return Decimal(0)
        return self.reservation.amount or Decimal(0)

    @property
    def result(self) -> RefundResult:
        """What became of it; `unknown` while it has not come to its end."""
        return RefundResult(
            refund_id=self.refund_id,
            state=self.state,
            amount=self.amount,
            currency=self.request.currency,
            gateway_refund_id=self.gateway_refund_id,
            over_refund=self.reservation.over_refund if self.reservation and not self.is_conflict else False,
            reason=self.reason,
            direction=self.request.direction,
            unknown=self.state in UNSETTLED and not self.awaits_second_person,
            to_confirm=self.awaits_second_person,
            confirmed_by=self.confirmed_by,
            conflict=self.is_conflict,
            taken_back=self.failed_afterwards,
            parts=self.reservation.parts if self.reservation else (),
        )
