"""The refunds of an order: asked for, and answered by a gateway (REF-6, REF-11)."""

import itertools

from tests.model.order_state import BUYER, PAID, OrderSetup, OrderState, Refund, with_refund
from tests.model.procedure import changed

IDS_IN_A_ROW = 3


def asked(state: OrderState, whose: str, cents: int) -> OrderState:
    refund = Refund(whose, len(state.of(whose)) + 1, cents, since=state.now)
    return changed(state, refunds=(*state.refunds, refund))


def answered(setup: OrderSetup, state: OrderState, refund: Refund) -> OrderState:
    index = 0 if refund.whose == BUYER else 1
    fates = setup.buyer_fates if index == 0 else setup.seller_fates
    nth = state.tries[index]
    fate = fates[nth] if nth < len(fates) else "succeeds"
    buyers, sellers = state.tries
    sent = changed(state, tries=(buyers + 1, sellers) if index == 0 else (buyers, sellers + 1))
    before = [one for one in reversed(state.of(refund.whose)) if one.number < refund.number]
    in_a_row = len(list(itertools.takewhile(lambda one: one.renumbered, before)))
    if fate == "id taken" and in_a_row < IDS_IN_A_ROW - 1:
        return with_refund(sent, changed(refund, state="refused", renumbered=True))
    named = {"succeeds": "succeeded", "fails": "failed", "id taken": "refused"}.get(fate, fate)
    return with_refund(sent, became(refund, named, state.now))


def became(refund: Refund, state: str, now: int) -> Refund:
    """All that is left is asked for to the buyer: how much that is says its result."""
    known = ("succeeded", "pending", "silent", "in doubt")
    cents = PAID if refund.whose == BUYER and state in known else refund.cents
    return changed(refund, state=state, since=now, cents=cents)
