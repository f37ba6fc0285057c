"""A refund: one movement of money back, exactly once, with the days a gateway may take (REF)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import (
    ApplicationError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from models import calls, contract, ids
    from models.case import CaseRecord, Who
    from models.case import RefundStage as Stage
    from models.failures import Category, Conflict, RefusedByRule
    from models.message import Event
    from models.partners import Recipient, RefundAnswer, SendRefund
    from models.records import Opening, ReservedRefund, ReserveRefund, SaveCase, SettleRefund
    from models.refunds import GatewayUpdate, RefundRequest, RefundResult, RefundState, Way
    from models.returns import ReturnRequest
    from workflows.case import Case
    from workflows.inbox import hears

FINAL = ("succeeded", "failed", "refused")
LOOK_AGAIN = timedelta(days=1)
"""How long a gateway may keep silent about a pending refund before it is asked."""
LOOKS_BEFORE_ALERT = 7


@workflow.defn(name=contract.REFUND)
@hears(contract.REFUND_EVENTS)
class Refund(Case):
    """Reserve under the cap, send, wait until the gateway's word is final, settle (REF-3, REF-6, REF-7)."""

    @workflow.init
    def __init__(self, request: RefundRequest) -> None:
        super().__init__(contract.REFUND_EVENTS, seller_id="", order_id=request.order_id, stages=Stage)
        self.request = request
        self.reserved: ReservedRefund | None = None
        self.state = RefundState.RESERVED
        self.gateway_refund_id: str | None = None
        self.reason: str | None = None
        self.updates: list[GatewayUpdate] = []
        self.word: RefundAnswer | None = None
        """The gateway's last word."""
        self.amount_before = Decimal(0)
        """What an earlier refund of this id moved."""
        self.claim: GatewayUpdate | None = None
        """Somebody's word that the pending refund failed: the gateway itself is asked."""
        self.late_word: GatewayUpdate | None = None
        """The gateway's word that it failed after all, which came after it had succeeded."""

    @workflow.run
    async def run(self, request: RefundRequest) -> RefundResult:
        """Takes what to refund; gives what became of it. A refusal is a result, not an error.

        Started again together with the gateway's word that it failed after all, it takes the success back.
        """
        await self.conduct(self._procedure)
        if self.outcome == Stage.STOPPED:
            # Not completed: so it may still be started again, by a person.
            raise ApplicationError(self.closing_message, type=Category.CONFLICT.value, non_retryable=True)
        while self.late_word is not None:
            self.outcome = None
            await self.conduct(self._check_late_word)
        return self._result()

    def _result(self) -> RefundResult:
        return RefundResult(
            refund_id=self.request.refund_id,
            state=self.state,
            amount=(self.reserved.amount if self.reserved else None) or self.amount_before,
            currency=self.request.currency,
            gateway_refund_id=self.gateway_refund_id,
            over_refund=self.reserved.over_refund if self.reserved else False,
            reason=self.reason,
            direction=self.request.direction,
            unknown=self.state in (RefundState.RESERVED, RefundState.PENDING),
        )

    async def _procedure(self) -> None:
        if self.request.return_id:
            self.label(contract.RETURN_ID.value_set(self.request.return_id))
        reserved = await self._reserve()
        if reserved is None:
            return
        if reserved.way is not Way.GATEWAY:
            await self._settle(RefundState.SUCCEEDED, f"recorded as made by {reserved.way.value}")
            return
        by_its_word = reserved.resumed and bool(self.updates)
        word = await self._ask_gateway(reserved, look_only=by_its_word)
        if by_its_word and word.state == "none":
            # Only a person lets go on what staff stopped before it was sent.
            self.end(Stage.STOPPED, "stays stopped: the gateway does not have it")
            return
        self._hear(word)
        while not self._final:
            await self._settle_pending()
            await self._wait_for_word(reserved)
        assert self.word is not None, "the gateway has spoken"
        await self._settle(RefundState(self.word.state), self.word.reason)

    async def _reserve(self) -> ReservedRefund | None:
        info = workflow.info()
        reserved = await self.book(
            calls.RESERVE_REFUND,
            ReserveRefund(
                request=self.request,
                workflow_id=info.workflow_id,
                run_id=self.run_id,
                at=workflow.now(),
            ),
            "Reserve the amount under the cap",
        )
        self.seller_id = reserved.seller_id or ""
        if reserved.opening is Opening.OPENED and reserved.amount is not None:
            self.reserved = reserved
            over = ", over what was paid (allowed by the seller)" if reserved.over_refund else ""
            self.step(f"reserved {reserved.amount} {self.request.currency}{over}", self.request.requested_by)
            return reserved
        if reserved.opening is Opening.DUPLICATE and reserved.state is RefundState.SUCCEEDED and self.updates:
            await self._hear_again(reserved)
            return None
        self.keeps_books = False
        self.reason = reserved.reason or "a refund with this id exists already"
        self.state = reserved.state if reserved.opening is Opening.DUPLICATE else RefundState.REFUSED
        self.gateway_refund_id = reserved.gateway_refund_id
        self.amount_before = reserved.amount or Decimal(0)
        self.end(Stage.REFUSED, f"refused: {self.reason}")
        return None

    # ---- REF-7: what had succeeded fails after all ----

    async def _hear_again(self, reserved: ReservedRefund) -> None:
        """This refund had ended as succeeded; a late word of the gateway opened it again."""
        self.reserved, self.state = reserved, RefundState.SUCCEEDED
        self._hear(RefundAnswer(state="succeeded", gateway_refund_id=reserved.gateway_refund_id))
        await self._check_late_word()

    async def _check_late_word(self) -> None:
        """The gateway itself is asked: a wrong word must not give money away a second time."""
        assert self.reserved is not None, "it had succeeded"
        claim, self.late_word = self.late_word, None
        if claim is not None:
            word = await self._ask_gateway(self.reserved, look_only=True)
            if word.state == "failed":
                await self._take_back(claim.reason or word.reason or "the gateway gave no reason")
                return
            self._reject(claim, f"the gateway itself says {word.state} (REF-7)")
        self.end(Stage.SUCCEEDED, "succeeded, and stays so")

    async def _take_back(self, reason: str) -> None:
        """The amount is refundable again, people are told, and the return opens again."""
        self.state, self.reason = RefundState.FAILED, reason
        given = await self.book(
            calls.TAKE_BACK_REFUND,
            SettleRefund(
                refund_id=self.request.refund_id,
                state=RefundState.FAILED,
                gateway_refund_id=self.gateway_refund_id,
                reason=reason,
                at=workflow.now(),
            ),
            "Books: refund failed after it had succeeded",
        )
        result = self._result()
        what = f"refund {result.refund_id} of {result.amount} {result.currency} failed after it had succeeded"
        self.mail(
            "taken-back",
            "refund_failed",
            Recipient.SELLER,
            return_id=self.request.return_id,
            amount=result.amount,
            currency=result.currency,
            refund_id=result.refund_id,
            reason=reason,
            direction=self.request.direction.value,
        )
        self.alert_staff("taken-back", f"{what}: {reason}", Who.STAFF)
        if given.reopen is not None:
            await self._reopen(given.reopen, result)
        elif self.request.return_id is None:
            await self._tell(ids.order_workflow_id(self.order_id), result)
        self.end(Stage.FAILED, f"failed after it had succeeded: {reason}")

    async def _tell(self, workflow_id: str, result: RefundResult) -> bool:
        """Whether the case runs, and so hears it."""
        try:
            await workflow.get_external_workflow_handle(workflow_id).signal(contract.REFUND_TAKEN_BACK, result)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            return False
        return True

    async def _reopen(self, request: ReturnRequest, failed: RefundResult) -> None:
        """The return goes on: the one that runs hears of it, one that has ended is opened again."""
        workflow_id = ids.return_workflow_id(request.return_id)
        while not await self._tell(workflow_id, failed):
            try:
                await workflow.start_child_workflow(
                    contract.RETURN,
                    request.model_copy(update={"reopened_by": failed}),
                    id=workflow_id,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    static_summary=f"Return {request.return_id} · order {self.order_id} · open again",
                )
            except WorkflowAlreadyStartedError:
                continue  # another refund opened it meanwhile
            self.step(f"return {request.return_id} is open again")
            return

    async def _ask_gateway(self, reserved: ReservedRefund, *, look_only: bool) -> RefundAnswer:
        whom = self.request.direction.value.rpartition("_")[2]
        assert reserved.amount is not None, "it is reserved"
        assert reserved.payment_reference is not None, "it goes by the gateway"
        return await self.ask(
            calls.LOOK_UP_REFUND if look_only else calls.SEND_REFUND,
            SendRefund(
                refund_id=self.request.refund_id,
                order_id=self.order_id,
                direction=self.request.direction,
                payment_reference=reserved.payment_reference,
                amount=reserved.amount,
                currency=self.request.currency,
                gateway_account=reserved.gateway_account,
            ),
            stage=Stage.PENDING if look_only else Stage.SENDING,
            who=Who.GATEWAY,
            what="say how the refund stands" if look_only else f"refund the {whom}",
        )

    async def _wait_for_word(self, reserved: ReservedRefund) -> None:
        """REF-7: a pending refund ends when the gateway says so; when it is silent, it is asked."""
        looks = 0
        while not self._final:
            heard = await self.wait_for(
                lambda: self._final or self.claim is not None,
                stage=Stage.PENDING,
                who=Who.GATEWAY,
                what="say whether the refund succeeded",
                due=workflow.now() + LOOK_AGAIN,
                timer="Ask the gateway again",
            )
            if self._final:
                break
            if heard:
                await self._check_claim(reserved)
                continue
            looks += 1
            if looks == LOOKS_BEFORE_ALERT:
                self.alert_staff(
                    "pending", f"refund {self.request.refund_id} is pending for {looks} days", Who.GATEWAY
                )
            self._hear(await self._ask_gateway(reserved, look_only=True))
        if self.claim is not None and self._is_late(self.claim):
            self.late_word, self.claim = self.claim, None

    async def _check_claim(self, reserved: ReservedRefund) -> None:
        """A wrong word must not give money away a second time: the gateway itself is asked."""
        claim, self.claim = self.claim, None
        assert claim is not None, "somebody said that it failed"
        word = await self._ask_gateway(reserved, look_only=True)
        if word.state == "failed":
            word = word.model_copy(update={"reason": claim.reason or word.reason})
        self._hear(word)
        if self.word is None or self.word.state != "failed":
            self._reject(claim, f"the gateway itself says {word.state} (REF-7)")

    @property
    def _final(self) -> bool:
        return self.word is not None and self.word.state in FINAL

    def _hear(self, answer: RefundAnswer) -> None:
        """Take the gateway's word, and then the updates that came before it or since."""
        if not self._final and answer.state != "none":
            self.word = answer
            self.gateway_refund_id = answer.gateway_refund_id or self.gateway_refund_id
        if self.gateway_refund_id is None:
            return
        updates, self.updates = self.updates, []
        for update in updates:
            if update.gateway_refund_id != self.gateway_refund_id:
                self._reject(update, "gateway_refund_id is another refund's (REF-7)")
            elif not self._final and update.status == "failed" and workflow.patched("failed-by-the-gateways-word"):
                self.claim = update
            elif not self._final:
                self.word = RefundAnswer(
                    state=update.status, gateway_refund_id=update.gateway_refund_id, reason=update.reason
                )
            elif self._is_late(update):
                self.late_word = update

    def _is_late(self, update: GatewayUpdate) -> bool:
        return self.word is not None and self.word.state == "succeeded" and update.status == "failed"

    async def _settle_pending(self) -> None:
        if self.state is not RefundState.PENDING:
            self.state = RefundState.PENDING
            self.step("the gateway has it: pending", Who.GATEWAY)
            await self._write(RefundState.PENDING, None)

    async def _settle(self, state: RefundState, reason: str | None) -> None:
        self.state = state
        self.reason = reason
        await self._write(state, reason)
        if self.reserved is not None and self.reserved.resumed and self.request.return_id is not None:
            await self._tell(ids.return_workflow_id(self.request.return_id), self._result())
        self.end(state.value, state.value + (f": {reason}" if reason else ""))

    async def _write(self, state: RefundState, reason: str | None) -> None:
        await self.book(
            calls.SETTLE_REFUND,
            SettleRefund(
                refund_id=self.request.refund_id,
                state=state,
                gateway_refund_id=self.gateway_refund_id,
                reason=reason,
                at=workflow.now(),
            ),
            f"Books: refund {state.value}",
        )

    # ---- events ----

    def end(self, outcome: str, message: str) -> None:
        super().end(outcome, message)
        for update in self.updates:
            self._reject(update, f"the refund is {outcome}, and no gateway has it (REF-7)")
        self.updates = []

    def _reject(self, update: GatewayUpdate, reason: str) -> None:
        self.inbox.reject("gateway_update", reason, update.event_id)

    def check_event(self, name: str, event: Event) -> None:
        if not isinstance(event, GatewayUpdate):
            return
        if self.outcome is not None and not self._is_late(event):
            raise Conflict(f"the refund is {self.outcome} already")
        if self.gateway_refund_id is not None and event.gateway_refund_id != self.gateway_refund_id:
            raise RefusedByRule("REF-7", "gateway_refund_id is another refund's")

    def note_event(self, name: str, event: Event) -> str:
        if isinstance(event, GatewayUpdate):
            self.updates.append(event)
            if self.word is not None:
                self._hear(self.word)
            return f"the gateway says: {event.status}" + (f" ({event.reason})" if event.reason else "")
        return f"{name} recorded"

    # ---- shown and kept ----

    def facts(self) -> dict[str, Any]:
        return {
            "refund_id": self.request.refund_id,
            "order_id": self.order_id,
            "return_id": self.request.return_id,
            "direction": self.request.direction.value,
            "way": self.request.way.value,
            "amount": str(self.reserved.amount) if self.reserved else None,
            "currency": self.request.currency,
            "state": self.state.value,
            "gateway_refund_id": self.gateway_refund_id,
            "over_refund": self.reserved.over_refund if self.reserved else False,
            "reason": self.request.reason,
        }

    async def undo(self) -> None:
        """Money that may be on its way is not called back: the amount stays reserved, and staff look."""
        succeeded = self.state is RefundState.SUCCEEDED  # and the books may not have it, or it is doubted
        if self.reserved is not None and (not succeeded or workflow.patched("stopped-as-it-succeeds-is-told")):
            what = f"refund {self.request.refund_id} was stopped while {self.state.value}: look at the gateway"
            self.alert_staff("stopped", what, Who.STAFF)

    async def write_books(self, record: CaseRecord) -> None:
        await self.book(calls.SAVE_CASE, SaveCase(record=record), f"Books: {self.stage}")
