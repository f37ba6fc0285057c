"""The refunds of a return: asked for, answered by a gateway, spoken of later (REF-3, REF-6, REF-7)."""

import itertools

from tests.model.procedure import changed
from tests.model.return_happenings import TAKEN_BACK
from tests.model.return_state import BUYER, COST, PAID, Refund, ReturnSetup, ReturnState, with_refund

IDS_IN_A_ROW = 3


def asked(
    state: ReturnState, whose: str, cents: int, *, by_click: bool = False, by_channel: bool = False
) -> ReturnState:
    number = sum(one.whose == whose for one in state.refunds) + 1
    automatic = whose == BUYER and not (by_click or by_channel)
    refund = Refund(whose, number, cents, "asked", state.now, by_click, automatic, by_channel)
    return changed(state, refunds=(*state.refunds, refund))


def answered(setup: ReturnSetup, state: ReturnState, refund: Refund) -> ReturnState:
    """The cap, then the gateway: what becomes of a refund that was asked for (REF-3, REF-6)."""
    others = [one for one in state.refunds if one.whose == refund.whose and one.number != refund.number]
    taken = sum(one.cents for one in others if one.counts)
    if refund.cents > (PAID if refund.whose == BUYER else COST) - taken:
        return with_refund(state, changed(refund, state="refused", since=state.now))
    index = 0 if refund.whose == BUYER else 1
    fates = setup.buyer_fates if index == 0 else setup.seller_fates
    nth = state.sent[index]
    fate = fates[nth] if nth < len(fates) else "succeeds"
    buyers, sellers = state.sent
    sent = changed(state, sent=(buyers + 1, sellers) if refund.whose == BUYER else (buyers, sellers + 1))
    match fate:
        case "succeeds":
            return made(sent, refund)
        case "pending" | "silent":
            return with_refund(sent, changed(refund, state=fate, since=state.now))
        case "id taken" if _may_take_next(state, refund):
            not_ours = changed(refund, state="refused", since=state.now, renumbered=True)
            return changed(with_refund(sent, not_ours), to_renumber=(*state.to_renumber, refund))
    named = {"fails": "failed", "id taken": "refused"}.get(fate, fate)
    return with_refund(sent, changed(refund, state=named, since=state.now))  # made again by a person's click alone


def _may_take_next(state: ReturnState, refund: Refund) -> bool:
    before = [one for one in state.refunds if one.whose == refund.whose and one.number < refund.number]
    before.sort(key=lambda one: one.number)
    in_a_row = len(list(itertools.takewhile(lambda one: one.renumbered, reversed(before))))
    return in_a_row < IDS_IN_A_ROW - 1


def under_next_number(state: ReturnState, refund: Refund) -> ReturnState:
    left = changed(state, to_renumber=tuple(one for one in state.to_renumber if one is not refund))
    return asked(left, refund.whose, refund.cents, by_click=refund.by_click)


def made(state: ReturnState, refund: Refund) -> ReturnState:
    """A success makes those good that failed afterwards (REF-7)."""
    succeeded = changed(refund, state="succeeded", since=state.now)
    refunds = tuple(
        changed(one, made_again=True) if one.whose == refund.whose and one.state == "failed afterwards" else one
        for one in state.refunds
    )
    return with_refund(changed(state, refunds=refunds), succeeded)


def said(state: ReturnState, refund: Refund, word: str) -> ReturnState:
    if word == "succeeded":
        return made(state, refund)
    if refund.state == "succeeded" or word == TAKEN_BACK:
        return with_refund(state, changed(refund, state="failed afterwards", since=state.now))
    return with_refund(state, changed(refund, state="failed", since=state.now))
