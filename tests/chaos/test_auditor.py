"""The auditor sees: true facts pass, and each doctored one is reported."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from activities.books.views import OrderView
from tests.chaos.auditor import Auditor
from tests.chaos.evidence import Evidence, gather
from tests.chaos.stories import Story, an_order_is_cancelled
from tests.world import World, eventually

Doctor = Callable[[Evidence], Evidence]


@pytest.fixture(scope="module")
def kept() -> dict[str, Evidence]:
    return {}


@pytest.fixture
async def true_facts(world: World, kept: dict[str, Evidence]) -> Evidence:
    """An order that came back to both refunds, and one that was cancelled; played once for all tests here."""
    if not kept:
        story = Story(world, random.Random(1))
        order = await story.order()
        await story.shipped(order)
        await story.returned(order)
        await an_order_is_cancelled(story)
        for workflow_id in story.expected:
            await world.client.get_workflow_handle(workflow_id).result()

        async def look() -> Evidence:
            return await gather(world.sandbox, world.engine, world.client, tag=world.tag, expected=story.expected)

        kept["facts"] = await eventually(look, lambda seen: len(seen.cases) == 6, "the server lists all six cases")
    return kept["facts"]


def promises(evidence: Evidence) -> set[str]:
    return {violation.promise for violation in Auditor(evidence).audit().violations}


async def test_REF_6_what_was_done_once_passes_the_audit(true_facts: Evidence) -> None:
    audit = Auditor(true_facts).audit()

    assert audit.violations == ()
    assert audit.cases == 6
    assert audit.effects > 15


def refund_twice(seen: Evidence) -> Evidence:
    refunds = seen.effects.refunds
    return effects(seen, refunds=(*refunds, refunds[0].model_copy(update={"id": "re_again"})))


def refund_lost(seen: Evidence) -> Evidence:
    return effects(seen, refunds=seen.effects.refunds[1:])


def refund_off_by_a_cent(seen: Evidence) -> Evidence:
    first, *others = seen.effects.refunds
    wrong = first.model_copy(update={"amount": first.amount - Decimal("0.01")})
    return effects(seen, refunds=(wrong, *others))


def charge_twice(seen: Evidence) -> Evidence:
    charged = [one for one in seen.effects.payment_intents if not one.seeded]
    again = charged[0].model_copy(update={"id": "pi_again"})
    return effects(seen, payment_intents=(*seen.effects.payment_intents, again))


def capture_off_by_a_cent(seen: Evidence) -> Evidence:
    wrong = tuple(
        one if one.seeded else one.model_copy(update={"amount_received": one.amount_received + Decimal("0.01")})
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
    cancelled = stage(seen, "cancelled").listed.order_id
    sent = seen.effects.supplier_orders[0].model_copy(update={"number": f"{cancelled}-1"})
    return effects(seen, supplier_orders=(*seen.effects.supplier_orders, sent))


def rma_differs(seen: Evidence) -> Evidence:
    return effects(seen, rmas=tuple(one.model_copy(update={"rma_number": "X"}) for one in seen.effects.rmas))


def tracking_twice(seen: Evidence) -> Evidence:
    return effects(seen, shipments=seen.effects.shipments * 2)


def tracking_missing(seen: Evidence) -> Evidence:
    return effects(seen, shipments=())


def credit_twice(seen: Evidence) -> Evidence:
    view = seen.returns[0]
    return replace(seen, returns=(view.model_copy(update={"credit_memos": view.credit_memos * 2}),))


def credit_missing(seen: Evidence) -> Evidence:
    return replace(seen, returns=(seen.returns[0].model_copy(update={"credit_memos": ()}),))


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
    view = stage(seen, "shipped")
    totals = view.refunds.buyer.model_copy(update={"paid": Decimal("10.00")})
    refunds = view.refunds.model_copy(update={"buyer": totals})
    return replace(seen, orders=(view.model_copy(update={"refunds": refunds}),))


def effects(seen: Evidence, **changed: object) -> Evidence:
    return replace(seen, effects=seen.effects.model_copy(update=changed))


def stage(seen: Evidence, name: str) -> OrderView:
    return next(view for view in seen.orders if view.listed.standing and view.listed.standing.stage == name)


@pytest.mark.parametrize(
    ("doctor", "promise"),
    [
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
    ],
)
async def test_REF_6_doctored_facts_are_reported(true_facts: Evidence, doctor: Doctor, promise: str) -> None:
    assert promise in promises(doctor(true_facts))


async def test_NTF_1_a_mail_sent_again_is_excused_only_by_a_lost_answer(true_facts: Evidence) -> None:
    first = true_facts.effects.mails[0]
    second = first.model_copy(update={"at": first.at + timedelta(seconds=60)})
    again = effects(true_facts, mails=(*true_facts.effects.mails, second))
    killed_between = replace(again, kills=(first.at + timedelta(seconds=30),))
    killed_before = replace(again, kills=(first.at - timedelta(seconds=30),))

    assert promises(killed_before) == {"mail twice"}
    assert promises(killed_between) == set()
    assert Auditor(killed_between).audit().mails_again == 1
