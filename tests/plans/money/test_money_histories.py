"""Any history of a sale, with crashes and lost answers between any two steps, adds up to the smallest unit: sales,
splits, cancels, refunds in part, fees, returns, credit memos, claims, reviews and replacements."""

import time
import traceback
from collections import Counter

import pytest

from tests.plans.against_model import PARTS, SEED
from tests.plans.money.histories import History

FEW, MANY = 50, 550
"""Histories of each part: of about five cases each."""
HAPPENS = (
    *("refund", "cancel_request", "shipment", "return", "seller_approval", "goods_received", "credit_memo"),
    *("buyer_refund", "gateway", "review", "cost_decision", "claim", "claim_decision"),
)


def played(seed: int) -> History:
    history = History(seed)
    try:
        history.play()
        history.close()
    except Exception as error:
        told = "\n  ".join(history.done)
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise AssertionError(
            f"seed {seed} ({history.currency}): {error!r} ({where.filename}, line {where.lineno})\n  {told}"
        ) from error
    return history


def play(first: int, histories: int) -> tuple[int, Counter[str]]:
    """How many cases there were, and what happened to them."""
    began, cases, reached = time.process_time(), 0, Counter[str]()
    for seed in range(first, first + histories):
        history = played(seed)
        cases += history.cases
        reached.update(history.reached)
    print(f"\n{cases} cases in {time.process_time() - began:.1f} s: {dict(reached)}")
    return cases, reached


@pytest.mark.parametrize("part", PARTS)
def test_BAL_1_REF_6_any_history_of_a_sale_adds_up_to_the_smallest_unit(part: int) -> None:
    play((SEED * len(PARTS) + part) * 1_000_000, FEW)


@pytest.mark.proof
@pytest.mark.parametrize("part", PARTS)
def test_BAL_1_REF_6_ten_thousand_cases_add_up_whatever_happens(part: int) -> None:
    cases, reached = play((SEED * len(PARTS) + part) * 1_000_000 + 500_000, MANY)
    assert cases >= 10_000 / len(PARTS)
    assert all(reached[name] for name in HAPPENS), "the histories do not get everywhere any more"
