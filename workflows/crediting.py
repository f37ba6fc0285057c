"""The supplier's credit memos for a return, each number counted once (RET-12)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls
    from models.case import Who
    from models.failures import RefusedByRule
    from models.records import BookCreditMemo
    from models.returns import CreditMemo

if TYPE_CHECKING:
    from workflows.return_request import Return


class Credits:
    """The credit memos of one return: those that came, and those that the books have."""

    def __init__(self, case: Return) -> None:
        self._case = case
        self._new_memos: list[CreditMemo] = []
        self.memos: list[CreditMemo] = []
        """Those that are booked."""

    @property
    def total(self) -> Decimal:
        """All credit memos of this return, each number once, in the charge's currency."""
        return sum((memo.amount for memo in self.memos), Decimal(0))

    @property
    def in_full(self) -> bool:
        return bool(self.memos) and self.total >= self._case.opened.cost

    def check(self, event: CreditMemo) -> None:
        if self._case.has_opened and event.currency != self._case.opened.charge_currency:
            raise RefusedByRule(
                "RET-12",
                f"the credit memo is in {event.currency}, the cost in {self._case.opened.charge_currency}",
            )

    def note(self, event: CreditMemo) -> str:
        if any(memo.number == event.number for memo in [*self.memos, *self._new_memos]):
            return f"credit memo {event.number} is known already; counted once"
        self._new_memos.append(event)
        return f"credit memo {event.number}: {event.amount} {event.currency}"

    async def book_each(self) -> None:
        """Beside the procedure: book each credit memo when it comes; early ones too (RET-12)."""
        case = self._case
        while True:
            await workflow.wait_condition(lambda: bool(self._new_memos) or case.outcome is not None)
            if not self._new_memos:
                return
            memo = self._new_memos[0]
            try:
                self.check(memo)
            except RefusedByRule as error:
                case.inbox.reject("credit_memo", str(error), memo.event_id)
            else:
                await self._book(memo)
            self._new_memos.pop(0)

    async def _book(self, memo: CreditMemo) -> None:
        case = self._case
        booked = await case.ask(
            calls.BOOK_CREDIT_MEMO,
            BookCreditMemo(
                supplier_id=case.opened.supplier.supplier_id,
                number=memo.number,
                return_id=case.return_id,
                date=memo.date,
                amount=memo.amount,
                currency=memo.currency,
                actor=memo.actor,
                at=workflow.now(),
            ),
            stage=case.stage,
            who=Who.BACKHAUL,
            what=f"book credit memo {memo.number}",
        )
        if booked.state == "duplicate" and booked.return_id != case.return_id:
            why = f"credit memo {memo.number} was counted already, for return {booked.return_id} (RET-12)"
            case.inbox.reject("credit_memo", why, memo.event_id)
            return
        self.memos.append(memo)
        if case.supplier_side.done:
            what = f"credit memo {memo.number} over {memo.amount} {memo.currency} came when no more was expected"
            case.alert_staff(f"late-credit-{memo.number}", what, Who.STAFF)

    @property
    def are_unused(self) -> bool:
        """Whether the supplier credited what the seller got nothing for."""
        return bool(self.memos) and not self._case.supplier_side.money_moved

    def answer_the_rest(self) -> None:
        """The return ends, or never opened: what was said of goods and credits is answered, and no credit that the
        supplier gave is forgotten (RET-12, RET-16)."""
        case = self._case
        for memo in self._new_memos:
            case.inbox.reject("credit_memo", f"the return never opened: {case.outcome}", memo.event_id)
        self._new_memos = []
        if self.are_unused:
            told = ", ".join(f"{memo.number} over {memo.amount} {memo.currency}" for memo in self.memos)
            what = f"the supplier credited a return that ended as {case.outcome}, the seller got nothing: {told}"
            case.alert_staff("unused-credit", what, Who.STAFF)
