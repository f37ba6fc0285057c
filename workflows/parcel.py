"""The parcel back: without a tracking number there is no refund, and the return expires (RET-10)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.case import ReturnStage as Stage
    from models.case import Who
    from models.partners import Recipient
    from models.returns import ReturnTracking, Waivable
    from workflows.standing import reminders_after

if TYPE_CHECKING:
    from workflows.return_request import Return


class Parcel:
    """Whether the goods of one return are on their way back."""

    def __init__(self, case: Return) -> None:
        self._case = case
        self.tracking: ReturnTracking | None = None
        self.expired = False
        """Without tracking number in time: nothing is due, until the return is reopened."""

    def note(self, event: ReturnTracking) -> str:
        self.tracking = event
        return f"tracking number entered: {event.carrier} {event.tracking_number}"

    async def wait(self) -> bool:
        """Until the parcel is known to be on its way; False if it expired for good, or was withdrawn."""
        seller = self._case.seller
        asked = workflow.now()
        self._case.deadlines.setdefault("tracking_due", asked + timedelta(days=seller.tracking_days))
        while not self.is_on_its_way and self._case.withdrawal is None:
            await self._case.wait_for(
                lambda: self.is_on_its_way or self._case.withdrawal is not None,
                stage=Stage.AWAITING_TRACKING,
                who=Who.BUYER,
                what="send the goods and enter the tracking number",
                due=lambda: self._case.deadlines["tracking_due"],
                timer=f"{seller.tracking_days} days for the tracking number",
                reminders=lambda: reminders_after(asked, seller.tracking_reminder_days, self._remind),
            )
            if not self.is_on_its_way and self._case.withdrawal is None and not await self._stay_expired():
                return False
        return self._case.withdrawal is None

    async def _stay_expired(self) -> bool:
        """Expired, without refund; a tracking number added later reopens it. False once that is over too."""
        missed = self._case.deadlines["tracking_due"]
        self.expired = True
        self._case.step("expired: no tracking number in time, so no refund")
        self._case.tell(f"expired-{missed:%Y-%m-%d}", "return_expired", Recipient.SELLER)
        self._case.tell(f"expired-buyer-{missed:%Y-%m-%d}", "return_expired_buyer", Recipient.BUYER)
        until = workflow.now() + timedelta(days=self._case.seller.reopen_days)
        reopened = await self._case.wait_for(
            lambda: (
                self.is_on_its_way
                or self._case.withdrawal is not None
                or self._case.deadlines["tracking_due"] > missed
            ),
            stage=Stage.EXPIRED,
            who=Who.BUYER,
            what="add the tracking number to reopen the return",
            due=until,
            timer="Last day to reopen the return",
        )
        self.expired = False
        if not reopened:
            self._case.end(Stage.EXPIRED, "expired: no tracking number, no refund")
            return False
        if self._case.withdrawal is None:
            self._case.step("reopened")
            self._case.tell(f"reopened-{len(self._case.timeline)}", "return_reopened", Recipient.SELLER)
        return True

    @property
    def is_on_its_way(self) -> bool:
        """A tracking number, a waiver, or what proves it better: the goods or their credit arrived."""
        return (
            self.tracking is not None
            or Waivable.TRACKING in self._case.waived
            or self._case.supplier_side.has_receptions
            or self._case.supplier_side.credits.in_full
        )

    def _remind(self, days: int) -> None:
        self._case.step("the buyer is reminded of the tracking number")
        self._case.tell(
            f"tracking-{days}",
            "tracking_reminder",
            Recipient.BUYER,
            rma_number=self._case.authorization.rma_number,
            due=f"{self._case.deadlines['tracking_due']:%Y-%m-%d}",
        )
