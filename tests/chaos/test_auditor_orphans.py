"""The auditor sees what becomes of an orphan's word and of a noted delivery (RET-20, RET-22)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from activities.database.views import OrphanListed
from models import calls
from tests.chaos.altered_evidence import Doctor, effects, order_at, promises, with_order
from tests.chaos.evidence import CaseFacts, Done, Evidence, Taken

Change = Callable[[CaseFacts], CaseFacts]


def orphan_at(seen: Evidence, stage: str) -> OrphanListed:
    return next(one for one in seen.orphans if one.standing is not None and one.standing.stage == stage)


def with_case(seen: Evidence, belongs: str, change: Change) -> Evidence:
    """Other facts in the histories of these cases: `order-`, or a whole id."""
    changed = (change(case) if case.workflow_id.startswith(belongs) else case for case in seen.cases)
    return replace(seen, cases=tuple(changed))


def word_of(orphan: OrphanListed) -> Taken:
    return Taken(orphan.event, str(orphan.said["event_id"]))


def given_twice(seen: Evidence) -> Evidence:
    taker = str(orphan_at(seen, "matched").matched_to)
    return with_case(seen, taker, lambda case: replace(case, taken=case.taken * 2))


def never_given(seen: Evidence) -> Evidence:
    return with_case(seen, "return-", lambda case: replace(case, taken=()))


def given_to_another(seen: Evidence) -> Evidence:
    word = word_of(orphan_at(seen, "matched"))
    return with_case(seen, "order-", lambda case: replace(case, taken=(*case.taken, word)))


def dismissed_and_given(seen: Evidence) -> Evidence:
    word = word_of(orphan_at(seen, "dismissed"))
    return with_case(seen, "return-", lambda case: replace(case, taken=(*case.taken, word)))


def match_forgotten(seen: Evidence) -> Evidence:
    orphans = tuple(one.model_copy(update={"matched_to": None}) for one in seen.orphans)
    return replace(seen, orphans=orphans)


def orphan_refunds(seen: Evidence) -> Evidence:
    sent = Done(calls.SEND_REFUND.name, {"refund_id": "RF-1"}, {"gateway_refund_id": None})
    return with_case(seen, "orphan-", lambda case: replace(case, done=(*case.done, sent)))


def orphans_money(seen: Evidence) -> Evidence:
    orphan, first = orphan_at(seen, "dismissed"), seen.effects.payment_intents[0]
    mine = first.model_copy(update={"metadata": first.metadata | {"order_id": orphan.orphan_id}})
    return effects(seen, payment_intents=(mine, *seen.effects.payment_intents[1:]))


def noted_twice(seen: Evidence) -> Evidence:
    return with_case(seen, "delivery-", lambda case: replace(case, done=case.done * 2))


def delivery_forgotten(seen: Evidence) -> Evidence:
    return _delivered(seen, None)


def delivered_otherwise(seen: Evidence) -> Evidence:
    return _delivered(seen, timedelta(hours=1))


def _delivered(seen: Evidence, later: timedelta | None) -> Evidence:
    view = order_at(seen, "shipped")
    parcels = []
    for parcel in view.shipments:
        assert parcel.delivered_at is not None
        at = None if later is None else parcel.delivered_at + later
        parcels.append(parcel.model_copy(update={"delivered_at": at}))
    return with_order(seen, view.model_copy(update={"shipments": tuple(parcels)}))


@pytest.mark.parametrize(
    ("doctor", "promise"),
    [
        (given_twice, "orphan's word given twice"),
        (never_given, "orphan's word never given"),
        (given_to_another, "orphan's word given to another case"),
        (dismissed_and_given, "orphan's word given to another case"),
        (match_forgotten, "orphan ended otherwise than it was matched"),
        (orphan_refunds, "orphan did more than look and tell"),
        (orphans_money, "orphan moved money"),
        (noted_twice, "delivery noted twice"),
        (delivery_forgotten, "delivery noted, and not in the books"),
        (delivered_otherwise, "books tell of another delivery"),
    ],
)
async def test_RET_20_RET_22_what_is_not_so_of_orphans_and_deliveries_is_reported(
    true_facts: Evidence, doctor: Doctor, promise: str
) -> None:
    assert promise in promises(doctor(true_facts))
