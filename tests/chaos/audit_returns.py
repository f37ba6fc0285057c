"""The audit of returns: the supplier's RMA and credit, and what seller and buyer got back for it."""

from collections.abc import Iterator
from decimal import Decimal

from activities.database.views import ReturnLineView, ReturnView
from models.ids import return_workflow_id
from models.message import folded
from models.money import share_of_units
from models.refunds import Direction, Way
from models.returns import Acceptance, Reception
from tests.chaos.audit_facts import MOVED, Facts, Violation, doubled
from tests.chaos.evidence import Done

BROKER_PAYS = "refunded at the broker's expense"
"""What the timeline says when the seller was refunded before the supplier had credited it all (RET-13)."""
BY_SERVICE = "supplier:service"
"""Who the timeline names for what a supplier's web service answered."""


class ReturnsAudit:
    """Each return has the RMA that was issued, and moved the money that its end tells of."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._issued = {rma.return_id: rma for rma in facts.effects.rmas if rma.state == "issued"}

    def violations(self) -> Iterator[Violation]:
        yield from self._each_rma_once()
        yield from self._no_rma_is_made_up()
        yield from self._each_credit_once()
        for view in self._facts.seen.returns:
            if view.outcome == "completed":
                yield from self._seller_is_refunded(view)
                yield from self._buyer_is_refunded(view)
            elif view.outcome is not None:
                yield from self._no_money_moved(view)

    def _each_rma_once(self) -> Iterator[Violation]:
        for return_id in doubled(self._facts.effects.rmas, lambda one: one.return_id):
            yield Violation("RMA twice", return_id)
        for rma in self._facts.effects.rmas:
            view = self._facts.returns.get(rma.return_id)
            if view is None:
                yield Violation("RMA without a return", rma.return_id)
            elif rma.state == "issued" and view.listed.rma_number != rma.rma_number and not self._called_off(view):
                detail = f"{view.listed.rma_number}, {rma.rma_number}"
                yield Violation("RMA number differs", rma.return_id, detail)

    def _called_off(self, view: ReturnView) -> bool:
        """RET-15: withdrawn before the supplier's answer came, a return asks no further."""
        if view.outcome != "withdrawn" or view.listed.rma_number is not None:
            return False
        return not any(done.name == "request_rma" for done in self._done(view.listed.return_id))

    def _no_rma_is_made_up(self) -> Iterator[Violation]:
        """RET-8: the number of a supplier with a web service comes from there, unless a person gave it."""
        for view in self._facts.seen.returns:
            return_id, number = view.listed.return_id, view.listed.rma_number
            if number is None or return_id in self._issued or not self._has_service(return_id):
                continue
            told = [step.who for step in view.timeline if step.what == f"RMA number {number} issued"]
            if not told or BY_SERVICE in told:
                yield Violation("RMA never issued", return_id, number)

    def _has_service(self, return_id: str) -> bool:
        """By what the books answered when the return opened."""
        return any(
            done.name == "open_return"
            and (done.answer["opened"] or {}).get("supplier", {}).get("rma") == "service"
            for done in self._done(return_id)
        )

    def _done(self, return_id: str) -> Iterator[Done]:
        """What the return's workflow did, over all its runs."""
        for case in self._facts.seen.cases:
            if case.workflow_id == return_workflow_id(return_id):
                yield from case.done

    def _each_credit_once(self) -> Iterator[Violation]:
        memos = [(view, memo) for view in self._facts.seen.returns for memo in view.credit_memos]
        for return_id, number in doubled(memos, lambda one: (one[0].listed.return_id, folded(one[1].number))):
            yield Violation("credit twice", f"{return_id}, {number}")

    def _seller_is_refunded(self, view: ReturnView) -> Iterator[Violation]:
        """RET-11..13: parts and tax of what the supplier accepted, credited by it or at the broker's expense."""
        given, return_id = _moved(view, Direction.BROKER_TO_SELLER), view.listed.return_id
        due = Decimal(0) if view.returnless else self._due_to_the_seller(view)
        if given != due:
            yield Violation("seller's refund is not what was accepted", return_id, f"{given} given, {due} due")
        if given > view.credited and not any(BROKER_PAYS in step.what for step in view.timeline):
            detail = f"{given} given, {view.credited} credited"
            yield Violation("refunded without credit", return_id, detail)

    def _due_to_the_seller(self, view: ReturnView) -> Decimal:
        """Of a last credit below the cost: what was credited (RET-28)."""
        cost = sum((line.cost for line in view.lines), Decimal(0))
        is_final = any(memo.final for memo in view.credit_memos)
        moot = is_final or (bool(view.credit_memos) and view.credited >= cost)
        currency = self._facts.orders[view.listed.order_id].request.charge_currency
        accepted = sum(
            (
                share_of_units(line.cost, line.quantity, 0, _accepted(line, moot=moot), currency)
                for line in view.lines
            ),
            Decimal(0),
        )
        return min(accepted, view.credited) if is_final else accepted

    def _buyer_is_refunded(self, view: ReturnView) -> Iterator[Violation]:
        """RET-14, RET-18: by a click, by the seller's setting, or by the marketplace itself."""
        settled = view.refunded_by_channel or view.refund_declined is not None
        if not _moved(view, Direction.SELLER_TO_BUYER) and not settled:
            yield Violation("completed without the buyer's refund", view.listed.return_id)

    def _no_money_moved(self, view: ReturnView) -> Iterator[Violation]:
        """RET-10, RET-15: withdrawn, expired, rejected or refused, a return ends without money of ours."""
        moved = [one.refund_id for one in view.refunds if one.state in MOVED and one.way is Way.GATEWAY]
        if moved:
            yield Violation("refunded, and ended without", view.listed.return_id, ", ".join(moved))


def _moved(view: ReturnView, direction: Direction) -> Decimal:
    return sum(
        (one.amount for one in view.refunds if one.direction is direction and one.state in MOVED), Decimal(0)
    )


def _accepted(line: ReturnLineView, *, moot: bool) -> int:
    """`moot`: who credits it all need not say what arrived."""
    units = dict.fromkeys(Acceptance, 0)
    for group in line.receipts:
        units[group.acceptance] += group.quantity
    missing = line.quantity - sum(units.values())
    if moot and not any(group.reception is Reception.SHORT for group in line.receipts):
        return units[Acceptance.ACCEPTED] + units[Acceptance.MANUAL] + missing
    return units[Acceptance.ACCEPTED]
