"""The audit of cases: each ends or says what it waits for, and its history tells what partners and books have."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from temporalio.client import WorkflowExecutionStatus

from tests.chaos.audit_facts import HELD, Facts, Violation, our_id, outcome_of
from tests.chaos.evidence import CaseFacts, Done


class CasesAudit:
    """Each case stands where the books say, and has said nothing that is not so."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        effects = facts.effects
        self._refunds = {one.id for one in effects.refunds}
        self._orders = {one.number for one in effects.supplier_orders}
        self._charges = {our_id(one): one for one in facts.charges}
        self._rmas = {one.return_id: (one.state, one.rma_number) for one in effects.rmas}
        self._stopped = {one.order_id for one in effects.stops}
        self._announced = {(one.order_id, one.shipment_id): one.tracking_number for one in effects.shipments}
        self._corrections: dict[tuple[str, str], int] = {}
        for done in (done for case in facts.seen.cases for done in case.done if done.name == "announce_tracking"):
            key = (done.ask["order_id"], done.ask["shipment_id"])
            self._corrections[key] = max(self._corrections.get(key, 0), done.ask["correction"])
        self._memos = {
            (view.listed.return_id, memo.number): memo.amount
            for view in facts.seen.returns
            for memo in view.credit_memos
        }

    def violations(self) -> Iterator[Violation]:
        yield from self._each_case_ends_or_waits()
        for case in self._facts.seen.cases:
            for done in case.done:
                if done.name in _TELLS:
                    yield from _TELLS[done.name](self, done)

    def _each_case_ends_or_waits(self) -> Iterator[Violation]:
        running = WorkflowExecutionStatus.RUNNING
        for case in self._facts.seen.cases:
            if case.problems:
                yield Violation("workflow task fails", case.workflow_id, ", ".join(case.problems))
        for case in self._facts.last_runs.values():
            if case.workflow_id.startswith((*AFTER_THE_END, *BY_SCHEDULE)):
                if case.status is not WorkflowExecutionStatus.COMPLETED:
                    yield Violation("not noted after the end", case.workflow_id, case.status.name)
            elif case.status is running:
                if case.standing is None or not case.standing.waiting_for:
                    yield Violation("does not say what it waits for", case.workflow_id)
            elif case.standing is not None and case.standing.stage == "stopped":
                continue  # by staff: a scene's document that nobody could hand in
            elif case.status is not WorkflowExecutionStatus.COMPLETED:
                yield Violation("workflow broke", case.workflow_id, case.status.name)
            elif _had_nothing_to_send(case):
                continue
            elif (case.standing is None or not case.standing.ended) and outcome_of(case) != "refused":
                yield Violation("ended, but open in the books", case.workflow_id)
        for workflow_id, outcome in self._facts.seen.expected.items():
            case_or_none = self._facts.last_runs.get(workflow_id)
            told = outcome_of(case_or_none) if case_or_none is not None else "no such case"
            if told != outcome:
                yield Violation("ends differently", workflow_id, f"{outcome} expected, {told}")

    # ---- what a history tells, against the partner's own record or the books ----

    def _refund(self, done: Done) -> Iterator[Violation]:
        refund_id, reference = done.ask["refund_id"], done.answer["gateway_refund_id"]
        booked = self._facts.refunds.get(refund_id)
        if reference is None:
            return
        if reference not in self._refunds:
            yield Violation("history tells of a refund that is not there", refund_id, reference)
        elif booked is not None and booked.gateway_refund_id != reference:
            yield Violation("history and books name other refunds", refund_id, reference)

    def _authorized(self, done: Done) -> Iterator[Violation]:
        if done.answer["state"] not in ("authorized", "captured"):
            return
        charge = self._charges.get(done.ask["charge_id"])
        told = (done.answer["gateway_reference"], Decimal(str(done.ask["amount"])))
        if charge is None or (charge.id, charge.amount) != told:
            yield Violation("history tells of another authorization", done.ask["charge_id"], f"{told[1]}")

    def _captured(self, done: Done) -> Iterator[Violation]:
        if done.answer["state"] != "captured":
            return
        told, charge_id = Decimal(str(done.answer["captured"])), done.ask["charge_id"]
        charge = self._charges.get(charge_id)
        if charge is None or charge.amount_received != told:
            yield Violation("history tells of another capture", charge_id, f"{told}")

    def _voided(self, done: Done) -> Iterator[Violation]:
        """`none`: the gateway has never seen it."""
        charge, state = self._charges.get(done.ask["charge_id"]), done.answer["state"]
        status = charge.status if charge is not None else None
        if (state == "voided" and status != "canceled") or (state == "none" and status in (HELD, "succeeded")):
            yield Violation("history tells of another void", done.ask["charge_id"], f"{state}, {status}")

    def _placed(self, done: Done) -> Iterator[Violation]:
        number = done.ask["order"]["number"]
        if done.answer["state"] == "accepted" and number not in self._orders:
            yield Violation("history tells of a supplier order that is not there", number)

    def _authorized_return(self, done: Done) -> Iterator[Violation]:
        return_id, told = done.ask["return_id"], (done.answer["state"], done.answer["rma_number"])
        if self._rmas.get(return_id) != told:
            yield Violation("history tells of another RMA", return_id, f"{told}, {self._rmas.get(return_id)}")

    def _stopped_shipping(self, done: Done) -> Iterator[Violation]:
        if done.ask["order_id"] not in self._stopped:
            yield Violation("history tells of a stop that is not there", done.ask["order_id"])

    def _announced_tracking(self, done: Done) -> Iterator[Violation]:
        key = (done.ask["order_id"], done.ask["shipment_id"])
        if done.ask["correction"] < self._corrections.get(key, 0):
            return  # the shop has a later one
        if self._announced.get(key) != done.ask["tracking_number"]:
            yield Violation("history tells of a tracking number that is not there", ", ".join(key))

    def _booked_credit(self, done: Done) -> Iterator[Violation]:
        key = (done.answer["return_id"], done.ask["number"])
        mine = done.answer["return_id"] == done.ask["return_id"]
        if mine and self._memos.get(key) != Decimal(str(done.ask["amount"])):
            yield Violation("history tells of a credit that is not in the books", ", ".join(key))


AFTER_THE_END: Final = ("delivery-", "correction-")
"""Words about a parcel of an order that has ended: no cases, and so without a place in lists (RET-22, ORD-20)."""
BY_SCHEDULE: Final = ("settlements-due-",)
"""No cases either: each begins cases, and has then done its turn."""

_TELLS = {
    "send_refund": CasesAudit._refund,
    "look_up_refund": CasesAudit._refund,
    "authorize_charge": CasesAudit._authorized,
    "capture_charge": CasesAudit._captured,
    "void_charge": CasesAudit._voided,
    "place_supplier_order": CasesAudit._placed,
    "request_rma": CasesAudit._authorized_return,
    "stop_shipping": CasesAudit._stopped_shipping,
    "announce_tracking": CasesAudit._announced_tracking,
    "book_credit_memo": CasesAudit._booked_credit,
}


def _had_nothing_to_send(case: CaseFacts) -> bool:
    """A document to Amazon that took nothing out of the queue: the books do not know it (AMZ-6, AMZ-11)."""
    opened = [done.answer for done in case.done if done.name == "open_batch"]
    return case.standing is None and bool(opened) and not any(answer.get("number") for answer in opened)
