"""Was everything done exactly once? Compares the books, the partners' own records and the histories."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

from temporalio.client import WorkflowExecutionStatus

from activities.books.views import OrderView, RefundListed
from activities.stripe_wire import OUR_ID
from models.partners import ChargeState
from models.refunds import Direction, RefundState, Way
from starter.sandbox.facts import FaultKind, PartnerName, PaymentFact
from tests.chaos.evidence import CaseFacts, Evidence

HELD: Final = "requires_capture"
AT_GATEWAY: Final = {
    ChargeState.AUTHORIZED: HELD,
    ChargeState.CAPTURED: "succeeded",
    ChargeState.VOIDED: "canceled",
}
MOVED: Final = (RefundState.SUCCEEDED, RefundState.PENDING)
UNSENT: Final = ("cancelled", "voided")

Thing = TypeVar("Thing")
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Violation:
    """A promise that was not kept: which one (`charge twice`), about what, and how it shows."""

    promise: str
    subject: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.promise}: {self.subject}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True)
class Audit:
    """What an audit found. `mails_again`: sent twice because the mail server's answer was lost."""

    cases: int
    effects: int
    mails_again: int
    violations: tuple[Violation, ...]


class Auditor:
    """Looks at one body of evidence; each method checks one promise. Changes nothing."""

    def __init__(self, evidence: Evidence) -> None:
        self._seen = evidence
        self._orders = {view.listed.order_id: view for view in evidence.orders}
        self._refunds = {refund.refund_id: refund for view in evidence.orders for refund in view.refunds.refunds}
        self._charges = [one for one in evidence.effects.payment_intents if not one.seeded]
        self._mails_again = 0
        runs = sorted(evidence.cases, key=lambda case: case.started)
        self._last_runs = {case.workflow_id: case for case in runs}

    def audit(self) -> Audit:
        checks = (
            self._each_charge_once,
            self._each_refund_once,
            self._never_over_the_cap,
            self._each_supplier_order_once,
            self._every_unit_is_bought_once,
            self._never_cancelled_and_sent,
            self._each_rma_once,
            self._each_tracking_number_once,
            self._each_credit_once,
            self._nothing_is_done_twice_at_a_partner,
            self._each_case_ends_or_waits,
            self._the_histories_agree,
            self._each_mail_once,
        )
        violations = tuple(violation for check in checks for violation in check())
        seen = self._seen.effects
        effects = sum(
            len(kind)
            for kind in (
                self._charges,
                seen.captures,
                seen.refunds,
                seen.supplier_orders,
                seen.rmas,
                seen.shipments,
                seen.stops,
                seen.mails,
                [memo for view in self._seen.returns for memo in view.credit_memos],
            )
        )
        return Audit(len(self._last_runs), effects, self._mails_again, violations)

    # ---- money ----

    def _each_charge_once(self) -> Iterator[Violation]:
        at_gateway: dict[str, list[PaymentFact]] = defaultdict(list)
        for intent in self._charges:
            at_gateway[intent.metadata.get(OUR_ID, intent.id)].append(intent)
        for charge_id in _doubled(self._charges, lambda one: one.metadata.get(OUR_ID, one.id)):
            yield Violation("charge twice", charge_id)
        for view in self._seen.orders:
            for charge in view.charges:
                made = at_gateway.pop(charge.charge_id, [])
                if charge.state not in AT_GATEWAY:
                    if any(one.amount_received or one.status == HELD for one in made):
                        yield Violation("money held without a charge", charge.charge_id, charge.state)
                elif not made:
                    yield Violation("charge missing at the gateway", charge.charge_id, charge.state)
                elif made[0].status != AT_GATEWAY[charge.state]:
                    yield Violation("charge differs", charge.charge_id, f"{charge.state}, {made[0].status}")
                elif charge.state is ChargeState.CAPTURED and (
                    (charge.captured, charge.currency) != (made[0].amount_received, made[0].currency)
                ):
                    detail = f"{charge.captured} in the books, {made[0].amount_received} at the gateway"
                    yield Violation("captured amount differs", charge.charge_id, detail)
                elif made[0].status == HELD and _ended(view):
                    yield Violation("money held by an order that has ended", charge.charge_id)
        for charge_id in at_gateway:
            yield Violation("charge missing in the books", charge_id)

    def _each_refund_once(self) -> Iterator[Violation]:
        made = self._seen.effects.refunds
        for refund_id in _doubled(made, lambda one: one.metadata.get(OUR_ID, one.id)):
            yield Violation("refund twice", refund_id)
        at_gateway = {one.metadata.get(OUR_ID, one.id): one for one in made}
        for refund_id, one in at_gateway.items():
            booked = self._refunds.get(refund_id)
            if booked is None:
                yield Violation("refund missing in the books", refund_id, f"{one.amount} {one.currency}")
            elif (booked.amount, booked.currency) != (one.amount, one.currency):
                detail = f"{booked.amount} in the books, {one.amount} at the gateway"
                yield Violation("refund amount differs", refund_id, detail)
            elif booked.state.value != one.status:
                yield Violation("refund state differs", refund_id, f"{booked.state.value}, {one.status}")
            elif one.payment_intent not in self._payments_of(booked):
                yield Violation("refund of another payment", refund_id, one.payment_intent)
        for booked in self._refunds.values():
            if booked.way is Way.GATEWAY and booked.state in MOVED and booked.refund_id not in at_gateway:
                yield Violation("refund missing at the gateway", booked.refund_id, booked.state.value)
            if booked.state is RefundState.RESERVED and booked.standing is not None and booked.standing.ended:
                yield Violation("amount reserved for ever", booked.refund_id)

    def _payments_of(self, refund: RefundListed) -> tuple[str, ...]:
        """What this refund may give back: the buyer's payment, or the seller's charge. Never the other."""
        view = self._orders[refund.order_id]
        if refund.direction is Direction.SELLER_TO_BUYER:
            return (view.request.payment.reference,)
        return tuple(one.id for one in self._charges if one.metadata.get("order_id") == refund.order_id)

    def _never_over_the_cap(self) -> Iterator[Violation]:
        given: dict[str, Decimal] = defaultdict(Decimal)
        for refund in self._seen.effects.refunds:
            if refund.status in ("succeeded", "pending"):
                given[refund.payment_intent] += refund.amount
        for intent in self._seen.effects.payment_intents:
            if given[intent.id] > intent.amount_received:
                detail = f"{given[intent.id]} of {intent.amount_received}"
                yield Violation("refunded more than was taken", intent.id, detail)
        for view in self._seen.orders:
            for totals in (view.refunds.buyer, view.refunds.seller):
                moved = [one for one in view.refunds.refunds if one.direction is totals.direction]
                moved = [one for one in moved if one.state in MOVED]
                total = sum((one.amount for one in moved), Decimal(0))
                subject = f"{view.listed.order_id}, {totals.direction.value}"
                if total > totals.paid and not any(one.over_refund for one in moved):
                    yield Violation("over the cap", subject, f"{total} of {totals.paid}")
                by_gateway = sum((one.amount for one in moved if one.way is Way.GATEWAY), Decimal(0))
                payments = {payment for one in moved for payment in self._payments_of(one)}
                at_gateway = sum((given[payment] for payment in payments), Decimal(0))
                if by_gateway != at_gateway:
                    detail = f"{by_gateway} in the books, {at_gateway} at the gateway"
                    yield Violation("sum of refunds differs", subject, detail)

    # ---- goods ----

    def _each_supplier_order_once(self) -> Iterator[Violation]:
        sent = self._seen.effects.supplier_orders
        for number in _doubled(sent, lambda one: one.number):
            yield Violation("supplier order twice", number)
        at_supplier = {one.number: one for one in sent}
        for view in self._seen.orders:
            for bought in view.supplier_orders:
                order = at_supplier.pop(bought.number, None)
                if bought.state != "accepted":
                    if order is not None:
                        yield Violation("supplier order differs", bought.number, f"{bought.state}, accepted")
                elif order is None:
                    yield Violation("supplier order missing at the supplier", bought.number)
                elif bought.items != {line["sku"]: line["quantity"] for line in order.lines}:
                    yield Violation("supplier order differs", bought.number, "other units")
        for number in at_supplier:
            yield Violation("supplier order missing in the books", number)

    def _every_unit_is_bought_once(self) -> Iterator[Violation]:
        for view in self._seen.orders:
            if not _ended(view):
                continue
            bought: Counter[str] = Counter()
            for order in view.supplier_orders:
                if order.state == "accepted":
                    bought.update(order.items)
            for line in view.lines:
                wanted = line.quantity - line.cancelled - line.voided
                if bought[line.sku] != wanted or line.shipped != wanted:
                    detail = f"{wanted} wanted, {bought[line.sku]} bought, {line.shipped} shipped"
                    yield Violation("units differ", f"{view.listed.order_id}, {line.sku}", detail)

    def _never_cancelled_and_sent(self) -> Iterator[Violation]:
        sent = {one.number.rpartition("-")[0] for one in self._seen.effects.supplier_orders}
        shipped = {one.order_id for one in self._seen.effects.shipments}
        stopped = {one.order_id for one in self._seen.effects.stops}
        for view in self._seen.orders:
            order_id = view.listed.order_id
            ended = _stage(view)
            if ended == "cancelled" and order_id in sent | shipped:
                yield Violation("cancelled and sent", order_id)
            if ended == "cancelled" and order_id not in stopped:
                yield Violation("cancelled and not stopped", order_id)
            if ended == "shipped" and order_id in stopped:
                yield Violation("shipped and stopped", order_id)
            if ended in UNSENT:
                taken = sum((charge.captured for charge in view.charges), Decimal(0))
                if taken != view.refunds.seller.refunded + view.refunds.seller.pending:
                    yield Violation("money kept for nothing", order_id, f"{taken} taken")

    def _each_rma_once(self) -> Iterator[Violation]:
        for return_id in _doubled(self._seen.effects.rmas, lambda one: one.return_id):
            yield Violation("RMA twice", return_id)
        booked = {view.listed.return_id: view.listed.rma_number for view in self._seen.returns}
        for rma in self._seen.effects.rmas:
            if rma.return_id not in booked:
                yield Violation("RMA without a return", rma.return_id)
            elif rma.state == "issued" and booked[rma.return_id] != rma.rma_number:
                yield Violation("RMA number differs", rma.return_id, f"{booked[rma.return_id]}, {rma.rma_number}")

    def _each_tracking_number_once(self) -> Iterator[Violation]:
        told = self._seen.effects.shipments
        for order_id, shipment_id in _doubled(told, lambda one: (one.order_id, one.shipment_id)):
            yield Violation("tracking number twice", f"{order_id}, {shipment_id}")
        at_shop = {(one.order_id, one.shipment_id): (one.carrier, one.tracking_number) for one in told}
        for view in self._seen.orders:
            for parcel in view.shipments:
                key = (view.listed.order_id, parcel.shipment_id)
                announced = at_shop.pop(key, None)
                if announced is None and _ended(view):
                    yield Violation("tracking number missing at the shop", ", ".join(key))
                elif announced is not None and announced != (parcel.carrier, parcel.tracking_number):
                    yield Violation("tracking number differs", ", ".join(key))
        for order_id, shipment_id in at_shop:
            yield Violation("tracking number missing in the books", f"{order_id}, {shipment_id}")

    def _each_credit_once(self) -> Iterator[Violation]:
        memos = [(view, memo) for view in self._seen.returns for memo in view.credit_memos]
        for supplier_id, number in _doubled(memos, lambda one: (one[0].listed.supplier_id, one[1].number)):
            yield Violation("credit twice", f"{supplier_id}, {number}")
        for view in self._seen.returns:
            refunded = [one for one in view.refunds if one.direction is Direction.BROKER_TO_SELLER]
            if view.outcome == "completed" and not view.returnless:
                given = sum((one.amount for one in refunded if one.state in MOVED), Decimal(0))
                if given > view.credited:
                    detail = f"{given} given, {view.credited} credited"
                    yield Violation("refunded without credit", view.listed.return_id, detail)

    def _nothing_is_done_twice_at_a_partner(self) -> Iterator[Violation]:
        """By the partners' own record of what changed something: one PUT that changes something per path."""
        changed = [
            f"{record.method} {record.path}"
            for record in self._seen.requests
            if record.work_done and record.method == "PUT" and record.partner is not PartnerName.GATEWAY
        ]
        for what in _doubled(changed, lambda one: one):
            yield Violation("done twice at a partner", what)

    # ---- cases ----

    def _each_case_ends_or_waits(self) -> Iterator[Violation]:
        running = WorkflowExecutionStatus.RUNNING
        for case in self._seen.cases:
            if case.problems:
                yield Violation("workflow task fails", case.workflow_id, ", ".join(case.problems))
        for case in self._last_runs.values():
            if case.status is running:
                if case.standing is None or not case.standing.waiting_for:
                    yield Violation("does not say what it waits for", case.workflow_id)
            elif case.status is not WorkflowExecutionStatus.COMPLETED:
                yield Violation("workflow broke", case.workflow_id, case.status.name)
            elif (case.standing is None or not case.standing.ended) and _outcome(case) != "refused":
                yield Violation("ended, but open in the books", case.workflow_id)
        for workflow_id, outcome in self._seen.expected.items():
            case_or_none = self._last_runs.get(workflow_id)
            told = _outcome(case_or_none) if case_or_none is not None else "no such case"
            if told != outcome:
                yield Violation("ends differently", workflow_id, f"{outcome} expected, {told}")

    def _the_histories_agree(self) -> Iterator[Violation]:
        """What a partner answered in a case's history is what it has, and what the books say."""
        refunds = {one.id: one for one in self._seen.effects.refunds}
        orders = {one.number for one in self._seen.effects.supplier_orders}
        captured = {one.metadata.get(OUR_ID): one.amount_received for one in self._charges}
        for case in self._seen.cases:
            for done in case.done:
                if done.name == "send_refund" and done.answer["gateway_refund_id"] is not None:
                    refund_id, reference = done.ask["refund_id"], done.answer["gateway_refund_id"]
                    booked = self._refunds.get(refund_id)
                    if reference not in refunds:
                        yield Violation("history tells of a refund that is not there", refund_id, reference)
                    elif booked is not None and booked.gateway_refund_id != reference:
                        yield Violation("history and books name other refunds", refund_id, reference)
                elif done.name == "place_supplier_order" and done.answer["state"] == "accepted":
                    number = done.ask["order"]["number"]
                    if number not in orders:
                        yield Violation("history tells of a supplier order that is not there", number)
                elif done.name == "capture_charge" and done.answer["state"] == "captured":
                    told, charge_id = Decimal(str(done.answer["captured"])), done.ask["charge_id"]
                    if captured.get(charge_id) != told:
                        yield Violation("history tells of another capture", charge_id, f"{told}")

    # ---- mails ----

    def _each_mail_once(self) -> Iterator[Violation]:
        arrived: dict[str, list[int]] = defaultdict(list)
        mails = self._seen.effects.mails
        for position, mail in enumerate(mails):
            arrived[mail.message_id or mail.id].append(position)
        keys = {mail.message_id: mail.key for mail in self._seen.mails}
        for message_id, positions in arrived.items():
            for earlier, later in itertools.pairwise(positions):
                if self._answer_was_lost(mails[earlier].at, mails[later].at, mails[earlier].recipients):
                    self._mails_again += 1
                else:
                    yield Violation("mail twice", keys.get(message_id, message_id))
        for message_id, key in keys.items():
            if message_id not in arrived:
                yield Violation("mail noted, but not sent", key)

    def _answer_was_lost(self, first: datetime, second: datetime, recipients: Iterable[str]) -> bool:
        """Between the two, a process was killed, or the mail server cut the connection after its work."""
        kills = any(first <= at <= second for at in self._seen.kills)
        cuts = any(
            record.fault is FaultKind.DROP_AFTER
            and record.partner is PartnerName.MAIL
            and record.path == ", ".join(recipients)
            for record in self._seen.requests
        )
        return kills or cuts


def _doubled(things: Iterable[Thing], key: Callable[[Thing], Key]) -> list[Key]:
    return [one for one, count in Counter(key(thing) for thing in things).items() if count > 1]


def _stage(view: OrderView) -> str:
    return view.listed.standing.stage if view.listed.standing is not None else "unknown"


def _ended(view: OrderView) -> bool:
    return view.listed.standing is not None and view.listed.standing.ended


def _outcome(case: CaseFacts) -> str:
    """An order or return says its outcome, a refund its state; a case that runs, its stage."""
    if case.result:
        return str(case.result.get("outcome") or case.result.get("state"))
    return case.standing.stage if case.standing is not None else "unknown"
