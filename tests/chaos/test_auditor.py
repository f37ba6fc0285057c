"""The auditor sees: true facts pass, and each doctored one is reported."""

from dataclasses import replace
from decimal import Decimal

import pytest

from activities.database.views import LedgerFault
from models.refunds import Direction
from starter.sandbox.facts import PaymentFact
from tests.chaos.altered_evidence import Doctor, effects, order_at, promises, with_order, with_return
from tests.chaos.auditor import Auditor
from tests.chaos.evidence import CaseFacts, Done, Evidence

CENT = Decimal("0.01")


async def test_REF_6_what_was_done_once_passes_the_audit(true_facts: Evidence) -> None:
    audit = Auditor(true_facts).audit()

    assert audit.violations == ()
    assert audit.cases == 12
    assert audit.effects > 15


def refund_twice(seen: Evidence) -> Evidence:
    refunds = seen.effects.refunds
    return effects(seen, refunds=(*refunds, refunds[0].model_copy(update={"id": "re_again"})))


def refund_lost(seen: Evidence) -> Evidence:
    return effects(seen, refunds=seen.effects.refunds[1:])


def refund_off_by_a_cent(seen: Evidence) -> Evidence:
    first, *others = seen.effects.refunds
    wrong = first.model_copy(update={"amount": first.amount - CENT})
    return effects(seen, refunds=(wrong, *others))


def charge_twice(seen: Evidence) -> Evidence:
    charged = [one for one in seen.effects.payment_intents if not one.seeded]
    again = charged[0].model_copy(update={"id": "pi_again"})
    return effects(seen, payment_intents=(*seen.effects.payment_intents, again))


def capture_off_by_a_cent(seen: Evidence) -> Evidence:
    wrong = tuple(
        one if one.seeded else one.model_copy(update={"amount_received": one.amount_received + CENT})
        for one in seen.effects.payment_intents
    )
    return effects(seen, payment_intents=wrong)


def supplier_order_missing(seen: Evidence) -> Evidence:
    return effects(seen, supplier_orders=())


def supplier_order_twice(seen: Evidence) -> Evidence:
    return effects(seen, supplier_orders=seen.effects.supplier_orders * 2)


def supplier_order_unknown(seen: Evidence) -> Evidence:
    number = seen.effects.supplier_orders[0].model_copy(update={"number": "9999-1"})
    return effects(seen, supplier_orders=(*seen.effects.supplier_orders, number))


def cancelled_and_sent(seen: Evidence) -> Evidence:
    cancelled = order_at(seen, "cancelled").listed.order_id
    sent = seen.effects.supplier_orders[0].model_copy(update={"number": f"{cancelled}-1"})
    return effects(seen, supplier_orders=(*seen.effects.supplier_orders, sent))


def rma_differs(seen: Evidence) -> Evidence:
    return effects(seen, rmas=tuple(one.model_copy(update={"rma_number": "X"}) for one in seen.effects.rmas))


def tracking_twice(seen: Evidence) -> Evidence:
    return effects(seen, shipments=seen.effects.shipments * 2)


def tracking_missing(seen: Evidence) -> Evidence:
    return effects(seen, shipments=())


def credit_twice(seen: Evidence) -> Evidence:
    return with_return(seen, credit_memos=seen.returns[0].credit_memos * 2)


def credit_missing(seen: Evidence) -> Evidence:
    return with_return(seen, credit_memos=())


def done_twice(seen: Evidence) -> Evidence:
    return replace(seen, requests=seen.requests * 2)


def mail_twice(seen: Evidence) -> Evidence:
    return effects(seen, mails=(*seen.effects.mails, seen.effects.mails[0]))


def mail_lost(seen: Evidence) -> Evidence:
    return effects(seen, mails=seen.effects.mails[1:])


def task_fails(seen: Evidence) -> Evidence:
    stuck = replace(seen.cases[0], problems=("category=WorkflowTaskFailed",))
    return replace(seen, cases=(stuck, *seen.cases[1:]))


def case_forgotten(seen: Evidence) -> Evidence:
    return replace(seen, cases=tuple(replace(case, standing=None) for case in seen.cases))


def other_outcome(seen: Evidence) -> Evidence:
    return replace(seen, expected=dict.fromkeys(seen.expected, "voided"))


def over_the_cap(seen: Evidence) -> Evidence:
    view = order_at(seen, "shipped")
    totals = view.refunds.buyer.model_copy(update={"paid": Decimal("10.00")})
    refunds = view.refunds.model_copy(update={"buyer": totals})
    return with_order(seen, view.model_copy(update={"refunds": refunds}))


# ---- what never happened ----


def never_charged(seen: Evidence) -> Evidence:
    """An order that is shipped, and neither the books nor the gateway has a charge for it."""
    view = order_at(seen, "shipped")
    uncharged = with_order(seen, view.model_copy(update={"charges": ()}))
    others = [one for one in seen.effects.payment_intents if not _charge_of(one, view.listed.order_id)]
    return effects(uncharged, payment_intents=tuple(others))


def sent_and_never_charged(seen: Evidence) -> Evidence:
    """The same, while it is with the supplier."""
    unpaid = never_charged(seen)
    view = order_at(unpaid, "shipped")
    assert view.listed.standing is not None
    standing = view.listed.standing.model_copy(update={"stage": "awaiting_shipment", "ended": False})
    listed = view.listed.model_copy(update={"standing": standing})
    return with_order(unpaid, view.model_copy(update={"listed": listed}))


def charged_a_cent_less(seen: Evidence) -> Evidence:
    """Books and gateway agree, on the wrong amount."""
    view = order_at(seen, "shipped")
    charges = tuple(one.model_copy(update={"captured": one.captured - CENT}) for one in view.charges)
    wrong = tuple(
        one.model_copy(update={"amount_received": one.amount_received - CENT})
        if _charge_of(one, view.listed.order_id)
        else one
        for one in seen.effects.payment_intents
    )
    return effects(with_order(seen, view.model_copy(update={"charges": charges})), payment_intents=wrong)


def _charge_of(one: PaymentFact, order_id: str) -> bool:
    return not one.seeded and one.metadata.get("order_id") == order_id


def unit_never_shipped(seen: Evidence) -> Evidence:
    """The order has ended, and one unit of it is with nobody."""
    view = order_at(seen, "shipped")
    lines = tuple(line.model_copy(update={"shipped": line.shipped - 1}) for line in view.lines)
    return with_order(seen, view.model_copy(update={"lines": lines}))


def money_kept(seen: Evidence) -> Evidence:
    """The cancelled order's charge was collected, and nobody got it back."""
    view = order_at(seen, "cancelled")
    charges = tuple(one.model_copy(update={"captured": one.amount}) for one in view.charges)
    return with_order(seen, view.model_copy(update={"charges": charges}))


def seller_forgotten(seen: Evidence) -> Evidence:
    return with_return(seen, refunds=_refunds_to(seen, Direction.SELLER_TO_BUYER))


def seller_refunded_a_cent_less(seen: Evidence) -> Evidence:
    less = [one.model_copy(update={"amount": one.amount - CENT}) for one in seen.returns[0].refunds]
    return with_return(seen, refunds=tuple(less))


def buyer_forgotten(seen: Evidence) -> Evidence:
    return with_return(seen, refunds=_refunds_to(seen, Direction.BROKER_TO_SELLER))


def _refunds_to(seen: Evidence, direction: Direction) -> tuple[object, ...]:
    return tuple(one for one in seen.returns[0].refunds if one.direction is direction)


def withdrawn_and_refunded(seen: Evidence) -> Evidence:
    return with_return(seen, outcome="withdrawn")


def automatic_refund_forgotten(seen: Evidence) -> Evidence:
    """The seller's setting asks for the buyer's refund after a cancel, and no refund began."""
    refund = f"refund-RF-{order_at(seen, 'cancelled').listed.order_id}-OB1"
    return replace(seen, cases=tuple(case for case in seen.cases if case.workflow_id != refund))


def rma_made_up(seen: Evidence) -> Evidence:
    return effects(seen, rmas=())


# ---- what a history tells, and is not so ----


def authorized_otherwise(seen: Evidence) -> Evidence:
    return effects(seen, payment_intents=_charges(seen, amount=Decimal("1.00")))


def never_voided(seen: Evidence) -> Evidence:
    return effects(seen, payment_intents=_charges(seen, status="requires_capture"))


def _charges(seen: Evidence, **changed: object) -> tuple[PaymentFact, ...]:
    return tuple(one if one.seeded else one.model_copy(update=changed) for one in seen.effects.payment_intents)


def never_stopped(seen: Evidence) -> Evidence:
    return effects(seen, stops=())


def announced_otherwise(seen: Evidence) -> Evidence:
    other = {"tracking_number": "1Z-OTHER"}
    return effects(seen, shipments=tuple(one.model_copy(update=other) for one in seen.effects.shipments))


# ---- the ledger (BAL-1) ----


def entry_missing(seen: Evidence) -> Evidence:
    return replace(seen, ledger=tuple(one for one in seen.ledger if one.kind != "refunded"))


def entered_again(seen: Evidence) -> Evidence:
    return replace(seen, ledger=seen.ledger * 2)


def nothing_moved(seen: Evidence) -> Evidence:
    invented = seen.ledger[0].model_copy(update={"movement": "refund/RF-0"})
    return replace(seen, ledger=(*seen.ledger, invented))


def check_finds_something(seen: Evidence) -> Evidence:
    return replace(seen, ledger_faults=(LedgerFault(movement="refund/RF-1", what="is not entered"),))


@pytest.mark.parametrize(
    ("doctor", "promise"),
    [
        (entry_missing, "not entered as it moved"),
        (entered_again, "entered with another amount"),
        (nothing_moved, "entered, and nothing moved"),
        (check_finds_something, "ledger differs from the books"),
        (refund_twice, "refund twice"),
        (refund_lost, "refund missing at the gateway"),
        (refund_off_by_a_cent, "refund amount differs"),
        (refund_off_by_a_cent, "sum of refunds differs"),
        (charge_twice, "charge twice"),
        (capture_off_by_a_cent, "captured amount differs"),
        (over_the_cap, "over the cap"),
        (supplier_order_missing, "supplier order missing at the supplier"),
        (supplier_order_twice, "supplier order twice"),
        (supplier_order_unknown, "supplier order missing in the books"),
        (cancelled_and_sent, "cancelled and sent"),
        (rma_differs, "RMA number differs"),
        (tracking_twice, "tracking number twice"),
        (tracking_missing, "tracking number missing at the shop"),
        (credit_twice, "credit twice"),
        (credit_missing, "refunded without credit"),
        (done_twice, "done twice at a partner"),
        (mail_twice, "mail twice"),
        (mail_lost, "mail noted, but not sent"),
        (task_fails, "workflow task fails"),
        (case_forgotten, "ended, but open in the books"),
        (other_outcome, "ends differently"),
        (never_charged, "charge is not the cost of what was bought"),
        (sent_and_never_charged, "charge is not the cost of what was bought"),
        (charged_a_cent_less, "charge is not the cost of what was bought"),
        (money_kept, "money kept for nothing"),
        (seller_forgotten, "seller's refund is not what was accepted"),
        (seller_refunded_a_cent_less, "seller's refund is not what was accepted"),
        (buyer_forgotten, "completed without the buyer's refund"),
        (withdrawn_and_refunded, "refunded, and ended without"),
        (automatic_refund_forgotten, "ends differently"),
        (rma_made_up, "RMA never issued"),
        (unit_never_shipped, "units differ"),
        (refund_lost, "history tells of a refund that is not there"),
        (supplier_order_missing, "history tells of a supplier order that is not there"),
        (authorized_otherwise, "history tells of another authorization"),
        (capture_off_by_a_cent, "history tells of another capture"),
        (never_voided, "history tells of another void"),
        (rma_differs, "history tells of another RMA"),
        (never_stopped, "history tells of a stop that is not there"),
        (announced_otherwise, "history tells of a tracking number that is not there"),
        (credit_missing, "history tells of a credit that is not in the books"),
    ],
)
async def test_REF_6_doctored_facts_are_reported(true_facts: Evidence, doctor: Doctor, promise: str) -> None:
    assert promise in promises(doctor(true_facts))


def withdrawn_in_the_books(seen: Evidence) -> Evidence:
    (view,) = seen.returns
    return with_return(seen, outcome="withdrawn", listed=view.listed.model_copy(update={"rma_number": None}))


def never_answered(seen: Evidence) -> Evidence:
    def unasked(case: CaseFacts) -> CaseFacts:
        return replace(case, done=tuple(one for one in case.done if one.name != "request_rma"))

    return replace(seen, cases=tuple(unasked(case) for case in seen.cases))


async def test_RET_15_a_number_that_came_after_the_withdrawal_may_be_missing(true_facts: Evidence) -> None:
    told = withdrawn_in_the_books(true_facts)

    assert "RMA number differs" in promises(told)
    assert "RMA number differs" not in promises(never_answered(told))


async def test_AMZ_11_a_document_that_takes_nothing_out_of_the_queue_is_in_no_list(true_facts: Evidence) -> None:
    def with_batch(number: int | None) -> Evidence:
        answer = {"number": number, "reason": "nothing that waits in the queue can be sent"}
        batch = replace(
            next(one for one in true_facts.cases if one.workflow_id.startswith("orphan-")),
            workflow_id="batch-B-acme-1",
            standing=None,
            result={"outcome": "done"},
            done=(Done("open_batch", {}, answer),),
        )
        return replace(true_facts, cases=(*true_facts.cases, batch))

    assert "ended, but open in the books" not in promises(with_batch(None))
    assert "ended, but open in the books" in promises(with_batch(7))
