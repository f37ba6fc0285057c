"""All that a return knows, and what follows from it (RET, REF)."""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from pydantic import Field

from models.case import SlaState
from models.ids import return_workflow_id
from models.message import folded
from models.parties import OnBreach, RmaMethod, Seller, Supplier, needs_rma
from models.partners import MailLine
from models.reasons import NEVER_ARRIVED, means
from models.records import ReturnParcel
from models.refunds import RefundResult
from models.returns import (
    Acceptance,
    BuyerRefund,
    ChannelUpdate,
    CreditMemo,
    OpenedLine,
    OpenedReturn,
    RefundDeclined,
    ReturnRequest,
    SellerApproval,
    SupplierRma,
    Waivable,
    Withdrawal,
    fees_of,
)
from workflows.engine.case import CaseFacts, Effect
from workflows.refunds.attempts import BUYER, SELLER, MakeRefund, RefundAttempt, attempt_of, owed, those_of
from workflows.returns.effects import OpenReturn, ReopenReturn, ReturnEffect
from workflows.returns.receipts import groups_of, units_awaited, units_said
from workflows.returns.records import CreditMemoFact, EarlyEvent, Expiry, Receipt, Replacement, SlaNotice, Waiver


class ReturnFacts(CaseFacts):
    """The facts of one return; where it stands, and what is owed, are properties."""

    in_flight: dict[str, ReturnEffect] = Field(default_factory=dict)
    request: ReturnRequest
    times_opened: int = 1
    opened: OpenedReturn | None = None
    opened_at: datetime | None = None
    opening_had_trouble: bool = False
    """It could not be written down at once: people saw it before."""
    refusal: str | None = None
    is_order_unknown: bool = False
    """A marketplace opened it, and its order is not known here: it is kept as an orphan (RET-20)."""
    early: tuple[EarlyEvent, ...] = ()
    reported_early: tuple[RefundResult, ...] = ()
    """What refunds said of themselves while the return was being opened again."""
    approval: SellerApproval | None = None
    approval_at: datetime | None = None
    rma: SupplierRma | None = None
    """What the supplier, or staff for it, answered last."""
    rma_at: datetime | None = None
    rma_requested_at: datetime | None = None
    rma_announced_at: datetime | None = None
    parcels: tuple[ReturnParcel, ...] = ()
    """Each number once (RET-29)."""
    expiries: tuple[Expiry, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    """What arrived, less what was corrected (RET-26)."""
    first_received_at: datetime | None = None
    inspected_at: datetime | None = None
    memos: tuple[CreditMemoFact, ...] = ()
    nothing_accepted_at: datetime | None = None
    said_after_refund: str | None = None
    """The last receipt or credit memo that came after the seller was refunded by those before: what differs is
    settled (RET-26)."""
    said_after_buyer_refund: str | None = None
    """The last receipt that came after the buyer was refunded."""
    sla_notices: tuple[SlaNotice, ...] = ()
    clicks: tuple[BuyerRefund, ...] = ()
    """Those that are not served yet."""
    refunds: tuple[RefundAttempt, ...] = ()
    refunds_in_doubt: dict[str, MakeRefund] = Field(default_factory=dict)
    """As they were asked for, by refund id: they are asked for again with the very same words."""
    refunds_to_renumber: tuple[MakeRefund, ...] = ()
    """Their ids belong to other requests: each is asked for under the next one."""
    refunds_to_begin: tuple[MakeRefund, ...] = ()
    """Parts of a refund that was divided (REF-3)."""
    automatic_refund_refused: bool = False
    fees_took_all_at: datetime | None = None
    channel_refunds: tuple[ChannelUpdate, ...] = ()
    channel_passed: tuple[str, ...] = ()
    """Those of them that are booked, or need no booking, by event id."""
    channel_news: tuple[ChannelUpdate, ...] = ()
    withdrawal: Withdrawal | None = None
    declined: RefundDeclined | None = None
    """The seller does not refund the buyer (RET-27)."""
    replacement: Replacement | None = None
    """The order that replaces it, from the moment at which it is started (RET-24)."""
    waived: dict[Waivable, Waiver] = Field(default_factory=dict)
    moved_deadlines: dict[str, datetime] = Field(default_factory=dict)

    # ---- what it is about ----

    @property
    def case_id(self) -> str:
        return return_workflow_id(self.request.return_id)

    @property
    def order_id(self) -> str:
        return self.request.order_id

    @property
    def seller_id(self) -> str:
        return self.opened.seller.seller_id if self.opened else ""

    @property
    def return_id(self) -> str:
        return self.request.return_id

    @property
    def supplier_id(self) -> str | None:
        return self.opened.supplier.supplier_id if self.opened else None

    @property
    def snapshot(self) -> OpenedReturn:
        assert self.opened is not None, "the return has opened"
        return self.opened

    @property
    def seller(self) -> Seller:
        return self.snapshot.seller

    @property
    def supplier(self) -> Supplier:
        return self.snapshot.supplier

    @property
    def opened_since(self) -> datetime:
        return self.opened_at or self.created_at

    @property
    def is_reopened(self) -> bool:
        """It was completed before: it is open only to refund again (REF-7)."""
        return self.times_opened > 1 or self.request.reopened_by is not None

    @property
    def opening_is_in_trouble(self) -> bool:
        return any(
            isinstance(one, OpenReturn | ReopenReturn) and key in self.trouble
            for key, one in self.in_flight.items()
        )

    def is_slow(self, effect: Effect) -> bool:
        """A refund that is pending, in doubt or to be confirmed takes days (REF-7, REF-11, REF-12)."""
        attempt = self.attempt(effect.refund_id) if isinstance(effect, MakeRefund) else None
        slow = ("pending", "in_doubt", "to_confirm")
        return super().is_slow(effect) or (attempt is not None and attempt.state in slow)

    @cached_property
    def mail_lines(self) -> tuple[MailLine, ...]:
        """What comes back, and why, as mails say it."""
        return tuple(
            MailLine(sku=line.sku, quantity=line.quantity, remark=line.reason) for line in self.snapshot.lines
        )

    # ---- approval and fees (RET-4, RET-5) ----

    @cached_property
    def approved_at(self) -> datetime | None:
        if self.approval is None or self.approval_at is None or self.approval.decision != "approved":
            return None
        return max(self.approval_at, self.opened_since)

    @property
    def is_rejected(self) -> bool:
        return self.approval is not None and self.approval.decision == "rejected"

    @cached_property
    def never_arrived(self) -> bool:
        """The buyer never had any of it (RET-23)."""
        if self.opened is None:
            return False
        own = self.opened.seller.reasons
        return all(means(line.reason, NEVER_ARRIVED, own) for line in self.opened.lines)

    @property
    def returnless(self) -> bool:
        """Nothing comes back: so the seller approved it, or there is nothing that could."""
        return self.approval is not None and (self.approval.returnless or self.never_arrived)

    @cached_property
    def fees(self) -> Decimal:
        """What the seller deducts, in the currency that the buyer paid."""
        return fees_of(self.approval, self.snapshot.paid, self.snapshot.currency) if self.approval else Decimal(0)

    # ---- RMA (RET-3, RET-7..9) ----

    @cached_property
    def needs_no_rma(self) -> bool:
        return not needs_rma(self.supplier) or self.supplier.rma is RmaMethod.NONE

    @cached_property
    def rma_given_at(self) -> datetime | None:
        """When it was known where the goods go; from then on the address is frozen."""
        if self.approved_at is None or self.returnless:
            return None
        found = [self.approved_at] if self.needs_no_rma else []
        found += [self.rma_at] if self.rma and self.rma_at and self.rma.outcome == "issued" else []
        found += [self.waived[Waivable.RMA].at] if Waivable.RMA in self.waived else []
        return max(self.approved_at, min(found)) if found else None

    @cached_property
    def rma_number(self) -> str | None:
        """None: not known, or waived."""
        if self.rma_given_at is None:
            return None
        if self.rma is not None and self.rma.outcome == "issued":
            return self.rma.rma_number
        return self.snapshot.supplier_order_number if self.needs_no_rma else None

    @property
    def return_address(self) -> str | None:
        if self.rma_given_at is None:
            return None
        own = self.rma.return_address if self.rma is not None and self.rma.outcome == "issued" else None
        return own or self.supplier.return_address

    @property
    def rma_due(self) -> datetime | None:
        if self.approved_at is None or self.returnless:
            return None
        return self.approved_at + timedelta(days=self.supplier.rma_days)

    # ---- the parcels (RET-10, RET-29) ----

    @property
    def tracking(self) -> ReturnParcel | None:
        """The last one."""
        return self.parcels[-1] if self.parcels else None

    @cached_property
    def on_its_way_at(self) -> datetime | None:
        """A tracking number, a waiver, or what proves it better: the goods or their credit arrived."""
        if self.rma_given_at is None:
            return None
        waiver = self.waived.get(Waivable.TRACKING)
        proofs = (
            self.parcels[0].at if self.parcels else None,
            waiver.at if waiver else None,
            self.first_received_at,
            self.credits_done_at,
        )
        known = [at for at in proofs if at is not None]
        return max(self.rma_given_at, min(known)) if known else None

    @cached_property
    def tracking_due(self) -> datetime | None:
        if (moved := self.moved_deadlines.get("tracking_due")) is not None or self.rma_given_at is None:
            return moved
        return self.rma_given_at + timedelta(days=self.seller.tracking_days)

    @cached_property
    def is_expired(self) -> bool:
        return self.on_its_way_at is None and self.tracking_due is not None and self.now >= self.tracking_due

    # ---- inspection and credit (RET-11, RET-12) ----

    @cached_property
    def inspected(self) -> bool:
        """Every unit arrived or not, and is accepted or rejected."""
        return not self.undecided and not self.awaited_units

    @property
    def undecided(self) -> list[str]:
        """The SKUs that a person must decide about."""
        groups = groups_of(self.receipts)
        return list(dict.fromkeys(one.sku for one in groups if one.acceptance is Acceptance.MANUAL))

    @cached_property
    def awaited_units(self) -> dict[str, int]:
        """Units that nobody has spoken of yet, by `line_id`."""
        awaited = {line.line_id: units_awaited(self.receipts, line) for line in self.snapshot.lines}
        return {line_id: units for line_id, units in awaited.items() if units}

    @cached_property
    def inspection_required(self) -> bool:
        waived = Waivable.INSPECTION in self.waived or Waivable.CREDIT_MEMO in self.waived
        return not (self.inspected or waived or self.credits_done_at is not None or self.broker_pays)

    def accepted_units(self, line: OpenedLine) -> int:
        """How many units of a line the supplier accepted; when nobody needs to inspect them, all that it did not
        reject."""
        accepted = units_said(self.receipts, line, Acceptance.ACCEPTED)
        if self.inspection_required:
            return accepted
        undecided = units_said(self.receipts, line, Acceptance.MANUAL)
        return accepted + undecided + self.awaited_units.get(line.line_id, 0)

    def knows_credit_memo(self, number: str) -> bool:
        """RET-12, ORD-21: each number is counted once, however it is written."""
        same = folded(number)
        return any(folded(one.memo.number) == same and one.state != "refused" for one in self.memos)

    @property
    def booked_memos(self) -> list[CreditMemo]:
        return [one.memo for one in self.memos if one.state == "booked"]

    @cached_property
    def credited(self) -> Decimal:
        """By the supplier so far, in the charge's currency."""
        return sum((memo.amount for memo in self.booked_memos), Decimal(0))

    @property
    def credit_is_final(self) -> bool:
        """The supplier will credit no more (RET-28)."""
        return any(memo.final for memo in self.booked_memos)

    @cached_property
    def credits_done_at(self) -> datetime | None:
        """When the supplier had credited all that it cost, or said that no more comes: it must have the goods."""
        total = Decimal(0)
        for one in sorted((one for one in self.memos if one.state == "booked"), key=lambda one: one.at):
            total += one.memo.amount
            if total >= self.snapshot.cost or one.memo.final:
                return one.at
        return None

    @property
    def inspection_due(self) -> datetime | None:
        on_its_way = self.on_its_way_at
        return on_its_way + timedelta(days=self.seller.inspection_days) if on_its_way else None

    # ---- the limit of 60 days (RET-13) ----

    @property
    def refund_due(self) -> datetime:
        moved = self.moved_deadlines.get("refund_due")
        return moved or self.created_at + timedelta(days=self.seller.refund_sla_days)

    @property
    def sla_state(self) -> SlaState:
        """What people were told of the limit as it is now."""
        if self.opened is None:
            return SlaState.ON_TIME
        told = [one.days_before for one in self.sla_notices if one.due == self.refund_due]
        if 0 in told:
            return SlaState.BREACHED
        return SlaState.AT_RISK if told else SlaState.ON_TIME

    @property
    def broker_pays(self) -> bool:
        """The limit is breached, and then the broker refunds at its own expense."""
        return self.seller.on_refund_breach is OnBreach.REFUND and self.sla_state is SlaState.BREACHED

    # ---- refunds (REF) ----

    def attempt(self, refund_id: str) -> RefundAttempt | None:
        return attempt_of(self.refunds, refund_id)

    @property
    def seller_attempts(self) -> list[RefundAttempt]:
        return those_of(self.refunds, SELLER)

    @property
    def buyer_attempts(self) -> list[RefundAttempt]:
        """Those by which the seller gives money back to the buyer; not what the marketplace did."""
        return those_of(self.refunds, BUYER)

    @property
    def buyer_refunds(self) -> list[RefundAttempt]:
        """Those that succeeded."""
        return [one for one in self.buyer_attempts if one.state == "succeeded"]

    @property
    def refunded(self) -> Decimal:
        return sum((one.amount for one in self.buyer_refunds), Decimal(0))

    @property
    def refunded_by_channel(self) -> bool:
        return bool(self.channel_refunds)

    @property
    def buyer_owed(self) -> list[RefundAttempt]:
        """Refunds, and parts of one, that failed and were not made again since (REF-7)."""
        return owed(self.buyer_attempts)

    @property
    def buyer_refund_in_doubt(self) -> RefundAttempt | None:
        """Nobody goes on asking for it: a click does."""
        return next((one for one in self.buyer_attempts if one.state == "in_doubt" and not one.awaited), None)
