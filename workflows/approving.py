"""The seller's decision about a return, and what it costs the buyer (RET-4, RET-5, REF-4)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.case import ReturnStage as Stage
    from models.case import Who
    from models.failures import BackhaulError, Conflict, RefusedByRule
    from models.partners import Recipient
    from models.returns import SellerApproval, fees_of
    from workflows.standing import Reminder, reminders_after

if TYPE_CHECKING:
    from workflows.return_request import Return


class Approval:
    """What the seller said; nothing yet, or no more, if it can't be."""

    def __init__(self, case: Return) -> None:
        self._case = case
        self.word: SellerApproval | None = None

    def check(self, event: SellerApproval) -> None:
        if self.word is not None:
            raise Conflict(f"the return is {self.word.decision} already")
        self.check_fees(event)

    def note(self, event: SellerApproval) -> str:
        self.word = event
        return f"{event.decision}" + (f": {event.reason}" if event.reason else "")

    def check_fees(self, approval: SellerApproval) -> None:
        """REF-4: fees can never exceed the refundable amount."""
        if self._case.has_opened and approval.decision == "approved":
            try:
                fees_of(approval, self._case.opened.paid, self._case.opened.currency)
            except ValueError as error:
                raise RefusedByRule("REF-4", str(error)) from None

    @property
    def fees_kept(self) -> Decimal | None:
        """What the books keep of the fees; none of an approval that is not judged yet, and can't be used."""
        if self.word is None or self.word.decision != "approved" or not self._case.has_opened:
            return None
        try:
            return self._case.buyer_side.fees
        except ValueError:
            return None

    async def wait(self) -> SellerApproval | None:
        """The seller's decision; none if the return was withdrawn first."""
        self._case.tell("requested", "return_requested", Recipient.SELLER, items=self._case.items_in_words())
        while self._case.withdrawal is None:
            await self._case.wait_for(
                lambda: self.word is not None or self._case.withdrawal is not None,
                stage=Stage.AWAITING_APPROVAL,
                who=Who.SELLER,
                what="approve or reject the return",
                expected=lambda: self._case.deadlines["refund_due"],
                timer="Reminder: approve or reject the return",
                reminders=self._reminders,
            )
            if self.word is not None and self._usable(self.word):
                return self.word
        if self.word is not None:
            self._usable(self.word)
        return None

    def _usable(self, approval: SellerApproval) -> bool:
        """REF-4 for an approval that came before the return's worth was known."""
        try:
            self.check_fees(approval)
        except BackhaulError as error:
            self._case.inbox.reject("seller_approval", str(error), approval.event_id)
            self.word = None
            return False
        return True

    def _reminders(self) -> list[Reminder]:
        created = workflow.info().workflow_start_time
        reminders = reminders_after(created, self._case.seller.approval_reminder_days, self._remind)
        overdue = Reminder("overdue", self._case.deadlines["refund_due"], self._alert)
        return [*reminders, overdue]

    def _remind(self, days: int) -> None:
        self._case.step("the seller is reminded to approve or reject")
        self._case.tell(
            f"approval-{days}", "approval_reminder", Recipient.SELLER, items=self._case.items_in_words()
        )

    def _alert(self) -> None:
        self._case.alert_staff(
            "approval", f"return {self._case.return_id} is neither approved nor rejected", Who.SELLER
        )
