"""The supplier authorizes a return: the RMA number, and where the goods go (RET-3, RET-7..9)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.case import ReturnStage as Stage
    from models.case import Who
    from models.failures import Conflict
    from models.message import Quantity
    from models.parties import RmaMethod, needs_rma
    from models.partners import Recipient, RequestRma
    from models.returns import SupplierRma, Waivable
    from workflows.standing import Reminder, reminders_after

if TYPE_CHECKING:
    from workflows.return_request import Return


class Authorization:
    """The RMA of one return. The address is frozen once it is mailed (RET-9)."""

    def __init__(self, case: Return) -> None:
        self._case = case
        self._word: SupplierRma | None = None
        """What the supplier, or staff for it, said last."""
        self._given = False
        self.asked_service = False
        """The supplier's web service is asked; it may have issued a number that is not known here."""
        self.rma_number: str | None = None
        self.return_address: str | None = None

    @property
    def given(self) -> bool:
        """Whether buyer and seller are told where the goods go."""
        return self._given

    def check(self, event: SupplierRma) -> None:
        if self._given or (self._word is not None and self._word.outcome == "issued"):
            raise Conflict("the return has its RMA number already")

    def note(self, event: SupplierRma) -> str:
        self._word = event
        if event.outcome == "issued":
            return f"RMA number {event.rma_number} issued"
        return f"RMA refused: {event.reason}"

    async def get(self) -> bool:
        """Get the RMA and tell buyer and seller; False if the supplier refused for good, or it was withdrawn."""
        await self._request()
        while not self._decided:
            await self._wait()
            if self._refused and not await self._appeal():
                return False
        if self._case.withdrawal is not None:
            return False
        supplier = self._case.opened.supplier
        self._given = True
        self.rma_number = self._word.rma_number if self._word else None
        self.return_address = (self._word.return_address if self._word else None) or supplier.return_address
        if self.rma_number:
            self._case.label(contract.RMA_NUMBER.value_set(self.rma_number))
        self._tell_number()
        return True

    async def _request(self) -> None:
        """RET-3, RET-7, RET-8: by the supplier's settings, unless it is known already."""
        case, supplier = self._case, self._case.opened.supplier
        self._case.deadlines["rma_due"] = workflow.now() + timedelta(days=supplier.rma_days)
        if self._decided:
            return
        if not needs_rma(supplier) or supplier.rma is RmaMethod.NONE:
            number = case.opened.supplier_order_number
            self._word = SupplierRma(
                event_id="order-number", actor="broker:backhaul", outcome="issued", rma_number=number
            )
            case.step(f"the supplier needs no RMA: its order number {number} is the RMA number")
            case.tell("announced", "return_announced", Recipient.SUPPLIER, rma_number=number, items=self._items())
        elif supplier.rma is RmaMethod.SERVICE:
            await self._ask_service()
        elif supplier.rma is RmaMethod.EMAIL:
            self._mail_supplier("rma-request", "rma_request")
        else:
            case.alert_staff("rma", f"type the RMA number of return {case.return_id}", Who.STAFF)

    async def _ask_service(self) -> None:
        """Ask until the service answers, or people were quicker: it may be out of order for days (RET-8)."""
        case = self._case
        self.asked_service = True
        asking = asyncio.create_task(
            case.ask(
                calls.REQUEST_RMA,
                RequestRma(
                    return_id=case.return_id,
                    supplier_id=case.opened.supplier.supplier_id,
                    supplier_order_number=case.opened.supplier_order_number,
                    lines=tuple(Quantity(sku=line.sku, quantity=line.quantity) for line in case.opened.lines),
                    reasons=tuple(line.reason for line in case.opened.lines),
                ),
                stage=Stage.AWAITING_RMA,
                who=Who.SUPPLIER,
                what="issue the RMA number by its web service",
            ),
            name="RMA web service",
        )
        try:
            await workflow.wait_condition(lambda: asking.done() or self._decided or self._refused)
        except asyncio.CancelledError:
            asking.cancel()
            raise
        if not asking.done():
            asking.cancel()
            return
        answer = asking.result()
        if answer.state != "pending" and not self._decided:
            self._word = SupplierRma(
                event_id="web-service",
                actor="supplier:service",
                outcome=answer.state,
                rma_number=answer.rma_number,
                return_address=answer.return_address,
                reason=answer.reason or "no reason given",
            )
            case.step(self.note(self._word), "supplier:service")

    async def _wait(self) -> None:
        case, supplier = self._case, self._case.opened.supplier
        asked = workflow.now()
        await case.wait_for(
            lambda: self._decided or self._refused,
            stage=Stage.AWAITING_RMA,
            who=Who.STAFF if supplier.rma is RmaMethod.MANUAL else Who.SUPPLIER,
            what="issue the RMA number, or refuse",
            expected=lambda: case.deadlines["rma_due"],
            timer="Reminder: RMA number",
            reminders=lambda: [
                *reminders_after(asked, supplier.rma_reminder_days, self._remind),
                Reminder("overdue", case.deadlines["rma_due"], self._alert),
            ],
        )

    async def _appeal(self) -> bool:
        """The supplier refused: people may find a way; else the return ends, and the buyer is told."""
        case = self._case
        refusal = self._word
        assert refusal is not None, "there is a refusal"
        case.tell(f"rma-refused-{refusal.event_id}", "rma_refused", Recipient.SELLER, reason=refusal.reason)
        case.alert_staff(f"rma-refused-{refusal.event_id}", f"the supplier refuses: {refusal.reason}", Who.STAFF)
        until = workflow.now() + timedelta(days=case.opened.supplier.rma_days)
        answered = await case.wait_for(
            lambda: self._decided or self._word is not refusal,
            stage=Stage.RMA_REFUSED,
            who=Who.STAFF,
            what=f"get an RMA number after all, or waive it (refused: {refusal.reason})",
            due=until,
            timer="Last day to get an RMA number after all",
        )
        if not answered:
            # The supplier's own words stay inside: the buyer knows only the seller (ORD-9).
            reason = "the item can't be taken back"
            case.tell("rejected", "return_rejected", Recipient.BUYER, reason=reason, items=self._items())
            case.end(Stage.REFUSED_BY_SUPPLIER, f"refused by the supplier: {refusal.reason}")
        return answered

    @property
    def _decided(self) -> bool:
        issued = self._word is not None and self._word.outcome == "issued"
        return issued or Waivable.RMA in self._case.waived or self._case.withdrawal is not None

    @property
    def _refused(self) -> bool:
        return not self._decided and self._word is not None and self._word.outcome == "refused"

    def _remind(self, days: int) -> None:
        supplier = self._case.opened.supplier
        self._case.step("the supplier is reminded of the RMA number")
        if supplier.rma is RmaMethod.EMAIL:
            self._mail_supplier(f"rma-{days}", "rma_reminder")
        else:
            self._case.alert_staff(f"rma-{days}", f"no RMA number from {supplier.supplier_id} yet", Who.SUPPLIER)

    def _alert(self) -> None:
        self._case.step("no RMA number in time: staff are alerted")
        self._case.alert_staff("rma-overdue", f"no RMA number for return {self._case.return_id}", Who.STAFF)

    def _mail_supplier(self, key: str, template: str) -> None:
        self._case.tell(
            key,
            template,
            Recipient.SUPPLIER,
            supplier_order_number=self._case.opened.supplier_order_number,
            items=self._items(),
        )

    def _tell_number(self) -> None:
        """RET-9: the buyer gets number and address, the seller the supplier's number."""
        case = self._case
        approval = case.approval
        number = self.rma_number or case.return_id
        case.step("buyer and seller are told RMA number and return address")
        case.tell(
            "rma-buyer",
            "rma_for_buyer",
            Recipient.BUYER,
            rma_number=number,
            return_address=self.return_address,
            items=self._items(),
            label_url=approval.label_url if approval else None,
            label_paid_by=approval.label_paid_by if approval else None,
            carrier=approval.carrier if approval else None,
        )
        case.tell("rma-seller", "rma_for_seller", Recipient.SELLER, rma_number=number, items=self._items())

    def _items(self) -> str:
        return ", ".join(f"{line.quantity} x {line.sku} ({line.reason})" for line in self._case.opened.lines)

    def facts(self) -> dict[str, Any]:
        return {"rma_number": self.rma_number, "return_address": self.return_address}
