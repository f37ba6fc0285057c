"""A return, from the return request to both refunds, or to the end without (RET)."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from models import calls, contract, ids
    from models.case import CaseRecord, Ended, Who
    from models.case import ReturnStage as Stage
    from models.failures import Conflict, RefusedByRule
    from models.message import Event
    from models.money import is_whole
    from models.parties import Fulfilment, Seller
    from models.partners import Recipient
    from models.records import KeptReturn, Opening, OpenReturn, ReopenReturn, SaveReturn
    from models.refunds import Direction, RefundResult, RefundState
    from models.returns import (
        BuyerRefund,
        ChannelUpdate,
        CreditMemo,
        GoodsReceived,
        OpenedReturn,
        ReturnRequest,
        ReturnTracking,
        SellerApproval,
        StaffOverride,
        SupplierRma,
        Waivable,
        Withdrawal,
    )
    from workflows.approving import Approval
    from workflows.authorizing import Authorization
    from workflows.case import side_by_side
    from workflows.inbox import hears
    from workflows.loose_ends import loose_ends
    from workflows.parcel import Parcel
    from workflows.refunding import RefundingCase
    from workflows.refunding_buyer import BuyerSide
    from workflows.refunding_seller import SupplierSide

ALL_IS_ANSWERED = "what-a-return-can-not-use-is-answered"


@workflow.defn(name=contract.RETURN)
@hears(contract.RETURN_EVENTS)
class Return(RefundingCase):
    """One return request (RR): approval, RMA, parcel, inspection, credit, and the two refunds."""

    @workflow.init
    def __init__(self, request: ReturnRequest) -> None:
        super().__init__(contract.RETURN_EVENTS, seller_id="", order_id=request.order_id, stages=Stage)
        self.request = request
        self.return_id = request.return_id
        self.withdrawal: Withdrawal | None = None
        self.waived: dict[Waivable, str] = {}
        self.broker_return_number: str | None = None
        self.approving = Approval(self)
        self.authorization = Authorization(self)
        self.parcel = Parcel(self)
        self.supplier_side = SupplierSide(self)
        self.buyer_side = BuyerSide(self)
        self.opening = 1
        """How often this return was opened by now."""
        self._opened: OpenedReturn | None = None
        self._siblings_opened = 0
        self._beside: tuple[asyncio.Task[None], asyncio.Task[None]] | None = None
        self._kept: KeptReturn | None = None
        self._taken_back_late: list[RefundResult] = []
        self._reopened_from_the_start = request.reopened_by is not None and workflow.patched(
            "reopened-from-the-start"
        )
        if self._reopened_from_the_start:
            self.supplier_side.reopen()
            self.buyer_side.reopen()

    @workflow.run
    async def run(self, request: ReturnRequest) -> Ended:
        """Takes the return request; gives how it ended. Bad input fails the workflow with `InvalidInput`."""
        ended = await self.conduct(self._procedure)
        if self._taken_back_late:
            first, *others = self._taken_back_late
            workflow.continue_as_new(
                request.model_copy(update={"reopened_by": first, "also_taken_back": tuple(others)})
            )
        return ended

    async def _procedure(self) -> None:
        if self.request.reopened_by is not None:
            await self._refund_again(self.request.reopened_by, *self.request.also_taken_back)
            return
        if not await self._open():
            if workflow.patched(ALL_IS_ANSWERED):
                self.buyer_side.reject_leftovers()
                self.supplier_side.answer_the_rest()
            return
        self._keep_books_of_others()
        approval = await self.approving.wait()
        if approval is None:
            self._end_withdrawn()
        elif approval.decision == "rejected":
            self._end_rejected(approval)
        elif approval.returnless:
            self.step("nothing needs to come back")
            await self.buyer_side.refund(lambda: True)
            if self.withdrawal:
                self._end_withdrawn()
            else:
                self._end_completed()
        else:
            await self._bring_back()
        await self._answer_the_rest()

    async def finish(self) -> None:
        self._keep_books_of_others()
        await self._answer_the_rest()

    async def _answer_the_rest(self) -> None:
        await self._finish_books_of_others()
        if self.supplier_side.credits.are_unused and workflow.patched(ALL_IS_ANSWERED):
            self.supplier_side.answer_the_rest()

    def _keep_books_of_others(self) -> None:
        """Beside the procedure, book what the supplier credits and what the marketplace refunds; on from there if
        staff's cancel cut it off."""
        channel, memos = self._beside or (None, None)
        if memos is None or memos.cancelled():
            memos = asyncio.create_task(self.supplier_side.credits.book_each(), name="credit memos")
        if channel is None or channel.cancelled():
            channel = asyncio.create_task(self.buyer_side.record_channel_refunds(), name="marketplace's refunds")
        self._beside = (channel, memos)

    async def _finish_books_of_others(self) -> None:
        """The return has its end: book what came before it, and answer what can't be used any more."""
        if self._beside:
            channel, memos = self._beside
            await channel
            self.buyer_side.reject_leftovers()
            await memos

    async def _bring_back(self) -> None:
        """The goods come back: RMA, parcel; then supplier and seller, seller and buyer, side by side."""
        self._pass_on_to_broker()
        sla = asyncio.create_task(self.supplier_side.watch_refund_sla(), name="refund SLA")
        if not await self.authorization.get():
            if self.withdrawal:
                self._end_withdrawn()
            return
        if not await self.parcel.wait():
            if self.withdrawal:
                self._end_withdrawn()
            return
        await self._settle()
        if self.withdrawal:
            self._end_withdrawn()
        else:
            self._end_completed()
        await sla

    async def _settle(self) -> None:
        """Both refunds, until both are made and none of them was taken back (REF-7)."""
        while True:
            await side_by_side(
                self._settle_with_supplier(), self.buyer_side.refund(lambda: self.supplier_side.done)
            )
            if self.withdrawal is not None or (self.supplier_side.done and self.buyer_side.done):
                return

    async def _settle_with_supplier(self) -> None:
        """The supplier's side; then people see what else is waited for, not what is over (NTF-3)."""
        await self.supplier_side.refund()
        if self.waits:
            await self.show()
        await self.supplier_side.refund_again(lambda: self.buyer_side.over)

    # ---- REF-7: a refund failed after it had succeeded ----

    @property
    def reopened(self) -> bool:
        """Whether it was completed before, and is open only to refund again."""
        return self._kept is not None or self._reopened_from_the_start

    def refund_taken_back(self, failed: RefundResult) -> None:
        mine = self.refunds_made.get(failed.refund_id)
        if mine is not None:
            failed = mine.model_copy(update={"state": RefundState.FAILED, "reason": failed.reason})
        elif not self._may_have_made(failed) and workflow.patched("only-own-refunds-are-made-again"):
            why = f"the return made no refund {failed.refund_id} that succeeded (REF-7)"
            self.inbox.reject(contract.REFUND_TAKEN_BACK, why, None)
            return
        super().refund_taken_back(failed)
        if self.outcome is not None:
            self._taken_back_late.append(failed)
        else:
            self._make_again(failed)

    def refund_ended_after_all(self, result: RefundResult) -> None:
        super().refund_ended_after_all(result)
        if result.state is RefundState.SUCCEEDED:
            self.refunds_made[result.refund_id] = result
        if result.direction is Direction.SELLER_TO_BUYER:
            self.buyer_side.hear_end(result)
        else:
            self.supplier_side.hear_end(result)

    def _may_have_made(self, failed: RefundResult) -> bool:
        """A return that was completed before does not know the refunds that it made then."""
        payable = failed.amount > 0 and is_whole(failed.amount, failed.currency)
        return self.reopened and payable and ids.is_refund_of(failed.refund_id, self.return_id)

    def _make_again(self, failed: RefundResult) -> None:
        if failed.direction is Direction.SELLER_TO_BUYER:
            self.buyer_side.take_back(failed)
        else:
            self.supplier_side.take_back(failed)

    def _owe(self, *taken_back: RefundResult) -> None:
        for one in taken_back:
            super().refund_taken_back(one)
            self._make_again(one)

    async def _refund_again(self, failed: RefundResult, *others: RefundResult) -> None:
        """The return that was completed opens again, for as long as it takes to refund again."""
        if self._reopened_from_the_start:
            self._owe(failed, *others)
        self.run_id = f"{self.run_id}:{failed.refund_id}"
        reopened = await self.book(
            calls.REOPEN_RETURN,
            ReopenReturn(
                return_id=self.return_id,
                refund_id=failed.refund_id,
                run_id=self.run_id,
            ),
            "Open the return again",
        )
        if reopened.opened is None or reopened.kept is None:
            self.keeps_books = False
            self.end(Stage.REFUSED, reopened.reason or "the return can't be opened again")
            return
        self._kept, self.opening = reopened.kept, reopened.times
        self._know(reopened.opened)
        if self._kept.rma_number:
            self.label(contract.RMA_NUMBER.value_set(self._kept.rma_number))
        if not self._reopened_from_the_start:
            self.supplier_side.reopen()
            self.buyer_side.reopen()
            self._owe(failed)
        self.tell("reopened", "return_reopened", Recipient.SELLER, reason=f"refund {failed.refund_id} failed")
        self._keep_books_of_others()
        await self._settle()
        self._end_completed()
        await self._finish_books_of_others()

    # ---- what the opened return knows ----

    @property
    def opened(self) -> OpenedReturn:
        """Snapshots of seller and supplier, and what the units are worth."""
        assert self._opened is not None, "the return has opened"
        return self._opened

    @property
    def approval(self) -> SellerApproval | None:
        """The seller's decision, if there is one."""
        return self.approving.word

    @property
    def has_opened(self) -> bool:
        return self._opened is not None

    @property
    def seller(self) -> Seller:
        return self.opened.seller

    def tell(self, key: str, template: str, to: Recipient, **facts: object) -> None:
        """Send an e-mail about this return."""
        self.mail(
            key if self.opening == 1 else f"{self.opening}:{key}",
            template,
            to,
            return_id=self.return_id,
            supplier_id=self.opened.supplier.supplier_id,
            **facts,
        )

    # ---- RET-1, RET-2: opened ----

    async def _open(self) -> bool:
        info = workflow.info()
        self.label(contract.RETURN_ID.value_set(self.return_id))
        answer = await self.book(
            calls.OPEN_RETURN,
            OpenReturn(
                request=self.request,
                workflow_id=info.workflow_id,
                run_id=self.run_id,
                created_at=info.workflow_start_time,
            ),
            "Write the return down",
        )
        if answer.opening is not Opening.OPENED or answer.opened is None:
            self.keeps_books = False
            self.end(Stage.REFUSED, answer.reason or "a return with this id exists already")
            return False
        opened = answer.opened
        self._know(opened)
        self.deadlines["refund_due"] = self.deadlines.get(
            "refund_due", info.workflow_start_time + timedelta(days=opened.seller.refund_sla_days)
        )
        items = ", ".join(f"{line.quantity} x {line.sku} ({line.reason})" for line in opened.lines)
        self.step(f"return requested by {self.request.source.value}: {items}", self.request.requested_by)
        self.supplier_side.judge_early_goods()
        self.buyer_side.pass_news_on()
        for sibling in opened.siblings:
            await self._open_sibling(sibling)
            self._siblings_opened += 1
        return True

    def _know(self, opened: OpenedReturn) -> None:
        self._opened = opened
        self.seller_id = opened.seller.seller_id
        self.label(
            contract.SUPPLIER_ID.value_set(opened.supplier.supplier_id),
            contract.CHANNEL.value_set(opened.channel),
        )

    async def _open_sibling(self, sibling: ReturnRequest) -> None:
        """RET-2: lines of different suppliers become one return per supplier."""
        try:
            await workflow.start_child_workflow(
                contract.RETURN,
                sibling,
                id=ids.return_workflow_id(sibling.return_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"Return {sibling.return_id} · order {self.order_id}",
            )
        except WorkflowAlreadyStartedError:
            self.step(f"return {sibling.return_id} exists already")
        else:
            self.step(f"the lines of another supplier are return {sibling.return_id}")

    def _end_rejected(self, approval: SellerApproval) -> None:
        self.tell(
            "rejected", "return_rejected", Recipient.BUYER, reason=approval.reason, items=self.items_in_words()
        )
        self.end(Stage.REJECTED, f"rejected by the seller: {approval.reason}")

    def _end_withdrawn(self) -> None:
        reason = self.withdrawal.reason if self.withdrawal else "withdrawn"
        self.tell("withdrawn", "withdrawn", Recipient.BUYER, reason=reason)
        self.end(Stage.WITHDRAWN, f"withdrawn: {reason}")

    def _end_completed(self) -> None:
        self.end(Stage.COMPLETED, "completed: " + "; ".join(self.supplier_side.results + self.buyer_side.results))

    def _pass_on_to_broker(self) -> None:
        """RET-6: a matching return in the seller's account at the broker."""
        if self.opened.supplier.fulfilment is Fulfilment.BROKER:
            self.broker_return_number = ids.broker_return_number(self.return_id)
            self.step(f"return {self.broker_return_number} opened in the seller's account at the broker")

    # ---- events ----

    def check_event(self, name: str, event: Event) -> None:
        if self.outcome is not None:
            raise Conflict(f"the return is {self.outcome} already")
        if self.reopened and not isinstance(event, BuyerRefund | ChannelUpdate | CreditMemo):
            raise Conflict("the return was completed; it is open again only to refund again (REF-7)")
        match event:
            case SellerApproval():
                self.approving.check(event)
            case SupplierRma():
                self.authorization.check(event)
            case GoodsReceived():
                self.supplier_side.check_goods(event)
            case CreditMemo():
                self.supplier_side.credits.check(event)
            case BuyerRefund():
                self.buyer_side.check_click(event)
            case ChannelUpdate():
                self.buyer_side.check_channel(event)
            case Withdrawal():
                self._check_withdrawal()
            case StaffOverride():
                self._check_override(event)
            case _:
                return

    def _check_withdrawal(self) -> None:
        if self.withdrawal is not None:
            raise Conflict("the return is withdrawn already")
        if self.supplier_side.has_receptions:
            raise RefusedByRule("RET-15", "the goods are received; the return can't be withdrawn any more")
        if self.buyer_side.money_moved or self.supplier_side.money_moved:
            raise RefusedByRule("RET-15", "money was refunded; the return can't be withdrawn any more")

    def _check_override(self, event: StaffOverride) -> None:
        if not event.actor.startswith(("staff:", "broker:", "script:")):
            raise RefusedByRule("RET-10", "only staff may waive a step or move a deadline")
        if event.until is not None and event.until <= workflow.now():
            raise RefusedByRule("RET-13", "until lies in the past")

    def note_event(self, name: str, event: Event) -> str:
        match event:
            case SellerApproval():
                return self.approving.note(event)
            case SupplierRma():
                return self.authorization.note(event)
            case ReturnTracking():
                return self.parcel.note(event)
            case GoodsReceived():
                return self.supplier_side.note_goods(event)
            case CreditMemo():
                return self.supplier_side.credits.note(event)
            case BuyerRefund():
                return self.buyer_side.note_click(event)
            case Withdrawal():
                self.withdrawal = event
                return f"withdrawn: {event.reason}"
            case ChannelUpdate():
                return self.buyer_side.note_channel(event)
            case StaffOverride():
                return self._note_override(event)
            case _:
                return f"{name} recorded"

    def _note_override(self, event: StaffOverride) -> str:
        self.wakeups += 1
        if event.waive is not None:
            self.waived[event.waive] = event.reason
            return f"{event.waive.value.replace('_', ' ')} waived: {event.reason}"
        assert event.until is not None, "extend comes with until"
        assert event.extend is not None, "either waive or extend"
        self.deadlines[event.extend] = event.until
        return f"{event.extend.replace('_', ' ')} is now {event.until:%Y-%m-%d %H:%M UTC}: {event.reason}"

    # ---- shown and kept ----

    def items_in_words(self) -> str:
        return ", ".join(f"{line.quantity} x {line.sku} ({line.reason})" for line in self.opened.lines)

    def facts(self) -> dict[str, Any]:
        opened = self._opened
        return {
            "return_id": self.return_id,
            "order_id": self.order_id,
            "source": self.request.source.value,
            "seller_id": self.seller_id,
            "supplier_id": opened.supplier.supplier_id if opened else None,
            "lines": [line.model_dump(mode="json") for line in opened.lines] if opened else [],
            "siblings": [sibling.return_id for sibling in opened.siblings] if opened else [],
            "amazon_rma_id": self.request.amazon_rma_id,
            "ebay_return_id": self.request.ebay_return_id,
            "decision": self.approval.decision if self.approval else None,
            "decision_reason": self.approval.reason if self.approval else None,
            "broker_return_number": self.broker_return_number,
            "tracking_number": self.parcel.tracking.tracking_number if self.parcel.tracking else None,
            "waived": {what.value: why for what, why in self.waived.items()},
            **self.authorization.facts(),
            **self.supplier_side.facts(),
            **self.buyer_side.facts(),
        }

    async def undo(self) -> None:
        """Nothing is called back: staff are told of goods and money that are out of our hands. The returns of
        other suppliers go on. What was said and can't be used any more is answered. A return that was stopped
        before it opened is in no books."""
        if workflow.patched("stopped-returns-leave-nothing-open"):
            if self._opened is None and self.keeps_books:
                await self._open()  # its units would be taken for ever, had the books heard of it
            for sibling in self.opened.siblings[self._siblings_opened :] if self._opened else ():
                await self._open_sibling(sibling)
            self.outcome = self.outcome or "stopped"
            if self._beside is not None:
                self._keep_books_of_others()
            await self._finish_books_of_others()
            self.supplier_side.answer_the_rest()
        self.keeps_books = self.keeps_books and self.has_opened
        loose = loose_ends(self) if self.keeps_books else []
        if loose and workflow.patched("stopped-returns-name-loose-ends"):
            what = f"return {self.return_id} was stopped: nothing was called back"
            self.alert_staff("stopped", f"{what}; {'; '.join(loose)}", Who.STAFF)

    async def write_books(self, record: CaseRecord) -> None:
        if self._kept is not None:
            kept = dict(self._kept) | {
                "refunded_by_channel": self._kept.refunded_by_channel or self.buyer_side.refunded_by_channel,
                "outcome": self.outcome,
            }
            await self.book(calls.SAVE_RETURN, SaveReturn(**kept, record=record), f"Books: {self.stage}")
            return
        approval = self.approval
        await self.book(
            calls.SAVE_RETURN,
            SaveReturn(
                return_id=self.return_id,
                record=record,
                decision=approval.decision if approval else None,
                decision_reason=approval.reason if approval else None,
                decided_by=approval.actor if approval else None,
                fees=self.approving.fees_kept,
                returnless=approval.returnless if approval else False,
                label_url=str(approval.label_url) if approval and approval.label_url else None,
                label_paid_by=approval.label_paid_by if approval else None,
                broker_return_number=self.broker_return_number,
                rma_number=self.authorization.rma_number,
                return_address=self.authorization.return_address,
                carrier=self.parcel.tracking.carrier if self.parcel.tracking else None,
                tracking_number=self.parcel.tracking.tracking_number if self.parcel.tracking else None,
                receptions=self.supplier_side.receptions,
                refund_due=self.deadlines.get("refund_due"),
                refunded_by_channel=self.buyer_side.refunded_by_channel,
                outcome=self.outcome,
            ),
            f"Books: {self.stage.replace('_', ' ')}",
        )
