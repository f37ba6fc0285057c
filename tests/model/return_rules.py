"""What is so in a return, by the settings of its seller and supplier."""

from tests.model.return_state import (
    BUYER,
    COST,
    PAID,
    PAUSE,
    SELLER,
    SLA,
    Refund,
    ReturnSetup,
    ReturnState,
    last_of,
)


class ReturnRules:
    """Questions about a state."""

    def __init__(self, setup: ReturnSetup) -> None:
        self._setup = setup

    def broker_pays(self, state: ReturnState) -> bool:
        return self._setup.refund_on_breach and state.now >= SLA

    def needs_inspection(self, state: ReturnState) -> bool:
        waived = bool(state.waived & {"inspection", "credit_memo"})
        return not (self.inspected(state) or waived or self.credits_done(state) or self.broker_pays(state))

    def credits_done(self, state: ReturnState) -> bool:
        return state.credited >= COST or state.final

    def inspected(self, state: ReturnState) -> bool:
        return not state.units("manual") and not state.awaited

    def accepted(self, state: ReturnState) -> int:
        """Units: what nobody needs to inspect is accepted."""
        accepted = state.units("accepted", "short")
        return accepted if self.needs_inspection(state) else accepted + state.units("manual") + state.awaited

    def credit_waived(self, state: ReturnState) -> bool:
        return "credit_memo" in state.waived or self.broker_pays(state)

    def due(self, state: ReturnState) -> int:
        """What the seller gets in all (RET-13, RET-28)."""
        agreed = self.accepted(state) * COST // 2
        whole = self._setup.pays_as_agreed or "credit_memo" in state.waived or not state.final
        return agreed if whole else min(state.credited, agreed)

    def credited_enough(self, state: ReturnState) -> bool:
        enough = state.credited >= self.accepted(state) * COST // 2
        return enough or state.final or self.credit_waived(state)

    def difference(self, state: ReturnState) -> int:
        """What later words made different, once the seller was refunded (RET-26)."""
        last = self.latest(state)
        if last is None or last.state != "succeeded" or not state.said_since or self.needs_inspection(state):
            return 0
        return self.due(state) - state.seller_got

    def left_open(self, state: ReturnState) -> bool:
        """Later words left to a person what becomes of some units."""
        last = self.latest(state)
        refunded = last is not None and last.state == "succeeded" and state.said_since
        return refunded and bool(state.units("manual")) and self.needs_inspection(state)

    def to_make_again(self, state: ReturnState) -> int:
        last = self.latest(state)
        if last is None or last.state not in ("failed", "failed afterwards"):
            return 0
        if not state.said_since or self.needs_inspection(state):
            return last.cents
        return max(self.due(state) - state.seller_got, 0)

    def latest(self, state: ReturnState) -> Refund | None:
        """Of the seller's: the one that is under way or in doubt, else the one that changed last."""
        tried = state.of(SELLER)
        open_ones = [one for one in tried if one.is_under_way or one.state == "in doubt"]
        return open_ones[0] if open_ones else last_of(tried)

    def supplier_done(self, state: ReturnState) -> bool:
        last = self.latest(state)
        if state.approval == "returnless" or last is None:
            return state.approval == "returnless" or state.nothing_accepted
        if last.state == "refused":
            return not last.renumbered
        if last.is_under_way or last.state == "in doubt" or self.to_make_again(state):
            return False
        return self.difference(state) <= 0 and not self.left_open(state)

    def again_at(self, state: ReturnState) -> int | None:
        """When the seller's refund is made again (REF-7)."""
        last = self.latest(state)
        if last is None or not (last.state == "in doubt" or self.to_make_again(state)):
            return None
        return last.since + PAUSE

    def evidently_sent(self, state: ReturnState) -> bool:
        return state.tracked or "tracking" in state.waived or state.arrived or self.credits_done(state)

    def rma_is_given(self, state: ReturnState) -> bool:
        approved = state.approval not in ("", "rejected", "returnless") and state.opened
        needed = self._setup.rma_by_hand or self._setup.service
        return approved and (state.rma == "issued" or "rma" in state.waived or not needed)

    def left_for_buyer(self, state: ReturnState) -> int:
        return self.most(state) - state.fee - state.refunded

    def automatic(self, state: ReturnState) -> bool:
        """REF-1: without a click, once; a person clicks for what did not succeed."""
        accepted = self.inspected(state) and self.accepted(state) > 0
        ready = self._setup.auto_refund and (state.approval == "returnless" or accepted) and not state.is_replaced
        tried = state.automatic_refused or any(
            one.state in ("failed afterwards", "in doubt")
            or (one.automatic and one.state in ("failed", "refused") and not one.renumbered)
            for one in state.of(BUYER)
        )
        return ready and not (self.buyer_done(state) or state.channel or tried)

    def given_up(self, state: ReturnState) -> bool:
        """Nothing more of it shall go out."""
        asked = state.another is not None and state.another.asked_to_cancel
        return asked or state.declined or state.withdrawn or state.channel or "replacement" in state.waived

    def is_back(self, state: ReturnState) -> bool:
        waived = bool(state.waived & {"inspection", "credit_memo"})
        return self.inspected(state) or self.credits_done(state) or (waived and state.on_the_way)

    def replaced(self, state: ReturnState) -> int:
        """Units that the buyer gets another one of, or may get: no money goes back for them."""
        if not state.is_replaced:
            return 0
        if state.another is not None:
            return state.another.replaced
        if self.given_up(state) or state.stopped:
            return 0
        return self.accepted(state) if self.is_back(state) and not self._setup.replaces_at_once else 2

    def most(self, state: ReturnState) -> int:
        """What the other units had cost the buyer."""
        return (2 - self.replaced(state)) * PAID // 2

    def is_for_replaced(self, state: ReturnState, asked: int) -> bool:
        """RET-24: the buyer's money is not refunded as well."""
        replaced = self.replaced(state)
        return state.is_replaced and (replaced == 2 or asked > self.most(state) - state.refunded)

    def awaited(self, state: ReturnState) -> bool:
        """It is not known yet what becomes of the replacement."""
        if state.another is None:
            return self.replaced(state) > 0
        return state.another.may_come and not (self.given_up(state) and state.another.too_late)

    def has_its_share(self, state: ReturnState) -> bool:
        settled = state.channel_passed or state.nothing_left or state.declined
        replaced = state.is_replaced and self.replaced(state) == 2
        return settled or ((state.refunded > 0 or replaced) and not state.owed)

    def buyer_done(self, state: ReturnState) -> bool:
        return self.has_its_share(state) and not self.awaited(state)

    def awaits_cancel(self, state: ReturnState) -> bool:
        return state.another is not None and state.another.may_come and not state.another.too_late
