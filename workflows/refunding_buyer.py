"""The buyer's side of a return: a person's click, or the seller's setting, refunds the buyer (RET-14, REF)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import ids
    from models.case import ReturnStage as Stage
    from models.case import Who
    from models.failures import BackhaulError, Conflict, RefusedByRule
    from models.message import Quantity
    from models.money import require_whole, share_of_units
    from models.partners import Recipient
    from models.refunds import Direction, RefundResult, RefundState, Way
    from models.returns import BuyerRefund, ChannelUpdate, fees_of
    from workflows.refunding import refund
    from workflows.standing import reminders_after

if TYPE_CHECKING:
    from workflows.return_request import Return


class Asked(NamedTuple):
    """A refund of the buyer that was asked for: the n-th, over this amount."""

    ordinal: int
    amount: Decimal


class BuyerSide:
    """The clicks, the refunds of the buyer that they made, and what the marketplace did by itself."""

    def __init__(self, case: Return) -> None:
        self._case = case
        self._clicks: list[BuyerRefund] = []
        self._channel_refunds: list[ChannelUpdate] = []
        """What the marketplace refunded by itself, and is not booked yet."""
        self.refunded_by_channel = False
        self._booked_of_channel = Decimal(0)
        self._news: list[ChannelUpdate] = []
        self._attempts = 0
        self._doubtful: Asked | None = None
        """The refund that was stopped, and may have been made: it is what the next click asks for again."""
        self._ordinals: dict[str, int] = {}
        """Of the marketplace's refunds, by the event that told of them."""
        self._automatic_failed = False
        self.refunds: list[RefundResult] = []
        self.done = False
        self.over = False
        """The clicks are served, and nothing more is waited for."""
        self.money_moved = False
        self._owed: Decimal | None = None
        """What the gateway took back after the return was completed (REF-7)."""
        self.results: list[str] = []
        """What became of the buyer's refund, in words."""

    # ---- facts ----

    @property
    def fees(self) -> Decimal:
        """What the seller deducts, in the currency that the buyer paid (RET-5)."""
        approval, opened = self._case.approval, self._case.opened
        return fees_of(approval, opened.paid, opened.currency) if approval else Decimal(0)

    @property
    def refunded(self) -> Decimal:
        """What this return gave back to the buyer so far."""
        return sum((done.amount for done in self.refunds), Decimal(0))

    def _amount(self, click: BuyerRefund | None) -> Decimal:
        """What a click asks for. Raises a BackhaulError when that can't be (REF-4)."""
        opened = self._case.opened
        if self.refunded_by_channel:
            raise RefusedByRule("RET-18", "the marketplace refunded the buyer already")
        if click is not None and click.amount is not None:
            try:
                require_whole(click.amount, opened.currency, "amount")
            except ValueError as error:
                raise RefusedByRule("REF-3", str(error)) from None
            return click.amount
        units = {line.sku: line.quantity for line in (click.lines if click else None) or ()}
        if self._owed is not None and not units:
            return self._owed
        if click is None and not self._returnless:
            units = {line.sku: self._case.supplier_side.accepted_units(line) for line in opened.lines}
        worth = Decimal(0)
        for line in opened.lines:
            taken = units.get(line.sku, 0) if units else line.quantity
            if taken > line.quantity:
                raise RefusedByRule("RET-14", f"{taken} of {line.sku}: the return has {line.quantity}")
            worth += share_of_units(line.paid, line.quantity, 0, taken, opened.currency)
        if unknown := set(units) - {line.sku for line in opened.lines}:
            raise RefusedByRule("RET-14", f"the return has no line {', '.join(sorted(unknown))}")
        fees_due = Decimal(0) if self.refunds or self._owed is not None else self.fees
        worth = min(worth - fees_due, opened.paid - self.fees - self.refunded)
        if worth <= 0:
            raise RefusedByRule(
                "REF-4",
                f"after fees of {self.fees} and refunds of {self.refunded} {opened.currency} nothing is left to "
                "refund; give an amount",
            )
        return worth

    @property
    def _returnless(self) -> bool:
        return self._case.approval is not None and self._case.approval.returnless

    # ---- events ----

    def check_click(self, event: BuyerRefund) -> None:
        if self.refunded_by_channel:
            raise RefusedByRule("RET-18", "the marketplace refunded the buyer already")
        if self._case.approval is not None and self._case.approval.decision == "rejected":
            raise Conflict("the return is rejected")
        if self._case.has_opened:
            self._amount(event)

    def check_channel(self, event: ChannelUpdate) -> None:
        if self._case.has_opened and event.amount is not None:
            try:
                require_whole(event.amount, self._case.opened.currency, "amount")
            except ValueError as error:
                raise RefusedByRule("RET-18", str(error)) from None

    def note_click(self, event: BuyerRefund) -> str:
        self._clicks.append(event)
        return f"refund of the buyer asked for: {event.reason}"

    def note_channel(self, event: ChannelUpdate) -> str:
        what = event.status.replace("_", " ")
        if event.status == "refunded_by_channel":
            if self.money_moved:
                self._case.alert_staff(
                    f"twice-{event.event_id}", "the marketplace and the seller both refunded the buyer", Who.STAFF
                )
            self._channel_refunds.append(event)
            self.refunded_by_channel = True
        else:
            self._news.append(event)
            self.pass_news_on()
        return f"the marketplace says: {what}"

    def pass_news_on(self) -> None:
        """Tell staff what the marketplace says; what came before the return opened waits until it has."""
        if not self._case.has_opened:
            return
        for event in self._news:
            what = event.status.replace("_", " ")
            self._case.alert_staff(f"channel-{event.event_id}", f"the marketplace says: {what}", Who.SELLER)
        self._news = []

    # ---- the procedure ----

    async def refund(self, may_end: Callable[[], bool]) -> None:
        """Serve the clicks until the buyer is refunded and `may_end()`, or the return is withdrawn."""
        case = self._case
        since = workflow.now()
        self.over = False
        while case.withdrawal is None and not (self.done and may_end() and not self._clicks):
            if self._clicks:
                await self._refund(self._clicks.pop(0))
            elif self._automatic:
                await self._refund(None)
            elif self._fees_take_all and workflow.patched("nothing-is-left-after-fees"):
                self.done = True
                self.results.append("nothing is left for the buyer after the fees")
                case.step(f"the fees take all of it: {self.fees} {case.opened.currency}; nothing is refunded")
            elif self.done:
                await workflow.wait_condition(
                    lambda: self._has_work or may_end() or case.withdrawal is not None or not self.done
                )
            else:
                await case.wait_for(
                    lambda: self._has_work or self.done or case.withdrawal is not None,
                    stage=Stage.AWAITING_BUYER_REFUND,
                    who=Who.SELLER,
                    what="review, and click to refund the buyer",
                    timer="Reminder: refund the buyer",
                    reminders=lambda: reminders_after(since, case.seller.buyer_refund_reminder_days, self._remind),
                )
        self.over = True

    def reopen(self) -> None:
        """The return was completed before: nothing is waited for but what the gateway took back (REF-7)."""
        self.done = self.money_moved = True

    def take_back(self, failed: RefundResult) -> None:
        """A refund of the buyer failed after it had succeeded: a person must click again (REF-7)."""
        self.refunds = [done for done in self.refunds if done.refund_id != failed.refund_id]
        self.results.append(f"refund {failed.refund_id} failed afterwards")
        self.done = False
        self._automatic_failed = True
        if self._case.reopened:
            self._owed = (self._owed or Decimal(0)) + failed.amount
        else:
            self.money_moved = bool(self.refunds)

    @property
    def _fees_take_all(self) -> bool:
        """The fees that the seller set are all that the buyer paid: there is nothing to click for (REF-4)."""
        untouched = not (self.done or self.refunds or self.money_moved) and self._owed is None
        return untouched and self.fees >= self._case.opened.paid

    @property
    def _has_work(self) -> bool:
        return bool(self._clicks) or self._automatic

    @property
    def _automatic(self) -> bool:
        """REF-1: the seller automated the review; it needs the goods accepted, or nothing to come back."""
        side, opened = self._case.supplier_side, self._case.opened
        accepted = side.inspected and any(side.accepted_units(line) for line in opened.lines)
        ready = self._returnless or accepted
        moot = self.done or self._automatic_failed or self.refunded_by_channel
        return self._case.seller.auto_refund_buyer and ready and not moot

    async def _refund(self, click: BuyerRefund | None) -> None:
        case, opened = self._case, self._case.opened
        try:
            asked = self._doubtful or Asked(self._attempts + 1, self._amount(click))
        except BackhaulError as error:
            self._could_not(click, str(error))
            return
        self._attempts = max(self._attempts, asked.ordinal)
        self.money_moved = True
        result = await refund(
            case,
            refund_id=ids.buyer_refund_id(case.return_id, asked.ordinal, case.opening),
            direction=Direction.SELLER_TO_BUYER,
            amount=asked.amount,
            currency=opened.currency,
            reason=click.reason if click else f"return {case.return_id} accepted",
            requested_by=click.actor if click else "seller:settings",
            stage=Stage.REFUNDING_BUYER,
            return_id=case.return_id,
            lines=(click.lines if click else None)
            or tuple(Quantity(sku=line.sku, quantity=line.quantity) for line in opened.lines),
        )
        if result.unknown and workflow.patched("stopped-refunds-are-asked-for-again"):
            # Money may have moved. The next click asks for this very refund again: it looks before it sends.
            self._doubtful = asked
            self._automatic_failed = True
            what = f"refund {result.refund_id} was stopped, and may have been made ({result.reason})"
            case.alert_staff(f"unknown-{result.refund_id}-{len(case.timeline)}", what, Who.STAFF)
            self._could_not(click, f"{what}; click again to have it looked for, and made if it was not")
            return
        self._doubtful = None
        if result.state is not RefundState.SUCCEEDED:
            self.money_moved = bool(self.refunds) or case.reopened
            self._could_not(click, f"refund {result.refund_id} {result.state.value}: {result.reason}")
            return
        self._made(result)

    def hear_end(self, result: RefundResult) -> None:
        """A refund that staff had stopped went on by itself: the next click asks for another one (REF-6)."""
        self._doubtful = None
        if result.state is RefundState.SUCCEEDED:
            self._made(result)
        else:
            self.money_moved = bool(self.refunds) or self._case.reopened

    def _made(self, result: RefundResult) -> None:
        case = self._case
        self.refunds.append(result)
        self._owed = None
        self.done = True
        money = f"{result.amount} {result.currency}"
        case.step(f"buyer refunded {money}" + (" (over what was paid)" if result.over_refund else ""), Who.GATEWAY)
        self.results.append(f"buyer refunded {money}")
        template = "returnless_refund" if self._returnless else "buyer_refunded"
        case.tell(
            f"refunded-{result.refund_id}",
            template,
            Recipient.BUYER,
            amount=result.amount,
            currency=result.currency,
        )

    def _could_not(self, click: BuyerRefund | None, reason: str) -> None:
        """The amount is refundable again, the return is open again, and people are told (REF-7)."""
        case = self._case
        case.step(f"buyer not refunded: {reason}", Who.GATEWAY)
        if click is not None:
            case.inbox.reject("buyer_refund", reason, click.event_id)
        else:
            self._automatic_failed = True
        case.tell(
            f"refund-failed-{self._attempts}-{len(case.timeline)}",
            "refund_failed",
            Recipient.SELLER,
            reason=reason,
        )

    async def record_channel_refunds(self) -> None:
        """Beside the procedure: the marketplace refunded by itself. Each is recorded at once under the same cap,
        so that nothing else refunds it again (RET-18, REF-3)."""
        case = self._case
        while True:
            await workflow.wait_condition(lambda: bool(self._channel_refunds) or case.outcome is not None)
            if not self._channel_refunds:
                return
            first = not self._booked_of_channel
            event = self._channel_refunds[0]
            if first or workflow.patched("each-refund-of-the-marketplace"):
                await self._record(event)
            self._channel_refunds.pop(0)

    async def _record(self, event: ChannelUpdate) -> None:
        case = self._case
        try:
            self.check_channel(event)
        except RefusedByRule as error:
            what = f"the marketplace refunded the buyer, by an amount that can't be booked: {error}"
            case.inbox.reject("channel_update", str(error), event.event_id)
            case.alert_staff(f"channel-{event.event_id}", what, Who.STAFF)
            self._done_by_channel(event)
            return
        amount = event.amount or self._owed or case.opened.paid - self._booked_of_channel
        if amount <= 0:
            self._done_by_channel(event)
            return
        if event.event_id not in self._ordinals:  # asked for again, it is the same one
            self._attempts += 1
            self._ordinals[event.event_id] = self._attempts
        result = await refund(
            case,
            refund_id=ids.buyer_refund_id(case.return_id, self._ordinals[event.event_id], case.opening),
            direction=Direction.SELLER_TO_BUYER,
            amount=amount,
            currency=case.opened.currency,
            reason="refunded by the marketplace",
            requested_by=event.actor,
            stage=Stage.REFUNDING_BUYER,
            return_id=case.return_id,
            way=Way.MARKETPLACE,
        )
        self._booked_of_channel += amount
        self._done_by_channel(event)
        if result.state is not RefundState.SUCCEEDED:
            case.alert_staff(
                result.refund_id, f"the marketplace's refund could not be booked: {result.reason}", Who.STAFF
            )

    def _done_by_channel(self, event: ChannelUpdate) -> None:
        self.done = True
        self.results.append("buyer refunded by the marketplace")
        self._case.step("the marketplace refunded the buyer: not refunded again", event.actor)

    def _remind(self, days: int) -> None:
        self._case.step("the seller is reminded to refund the buyer")
        self._case.tell(f"buyer-refund-{days}", "buyer_refund_needed", Recipient.SELLER, days=days)

    def reject_leftovers(self) -> None:
        """Clicks that came before their turn, in a return that ended without it."""
        for click in self._clicks:
            self._case.inbox.reject("buyer_refund", f"the return ended: {self._case.outcome}", click.event_id)
        self._clicks = []

    def facts(self) -> dict[str, Any]:
        return {
            "refunded_by_channel": self.refunded_by_channel,
            "buyer_refunds": [done.model_dump(mode="json") for done in self.refunds],
            "buyer_refund": "; ".join(self.results) or None,
        }
