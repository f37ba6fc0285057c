"""The model of an order (ORD, CAN)."""

from collections.abc import Iterable

from tests.model.order_events import decide, decided, hear
from tests.model.order_happenings import ABROAD, IN_TIME, TAKEN_BACK
from tests.model.order_refunds import answered, asked, became
from tests.model.order_state import (
    BUYER,
    CHOICE,
    PAUSE,
    SELLER,
    WINDOW,
    OrderSetup,
    OrderState,
    Purchase,
    drop_open,
    rejected,
    set_aside,
    spoken_of,
    with_refund,
)
from tests.model.procedure import Happening, changed
from tests.model.special_order import after_check, awaits_choice, may_choose, next_round


class OrderProcedure:
    """What an order does by itself, and what it makes of each event."""

    def __init__(self, setup: OrderSetup) -> None:
        self._setup = setup

    def begin(self) -> OrderState:
        return OrderState()

    def clock(self, state: OrderState) -> int:
        return state.now

    def at(self, state: OrderState, moment: int) -> OrderState:
        return changed(state, now=moment)

    def reaches(self, state: OrderState, event: Happening) -> bool:
        return True

    def seen(self, state: OrderState, ident: int) -> bool:
        return ident in state.heard

    def reject(self, state: OrderState) -> OrderState:
        return rejected(state)

    def next_deadline(self, state: OrderState, until: int) -> int | None:
        deadlines = [state.released_at + WINDOW] if state.released_at is not None else []
        deadlines += [one.since + PAUSE for one in state.looked_for]
        deadlines += [state.voided_at + CHOICE] if may_choose(self._setup, state) else []
        return min((at for at in deadlines if state.now < at <= until), default=None)

    # ---- its own steps ----

    def steps(self, state: OrderState) -> Iterable[OrderState]:
        if state.outcome is not None:
            return []
        if not state.opened:
            return [self._open(state), *self._stopped_before_it_opened(state)]
        beside = [*self._charge_answers(state), *self._searches(state), *self._suppliers(state)]
        beside += after_check(self._setup, state)
        beside += [*self._parcels(state), *self._refunds(state)]
        if state.stopped:
            return beside + self._stopped(state)
        if state.cancelled:
            return beside + self._give_back(state, "cancelled")
        beside += self._arrivals(state)
        return beside + self._fulfil(state)

    def _open(self, state: OrderState) -> OrderState:
        if self._setup.refused:
            return self._ended(state, "refused")
        card, new = state.card, state.card_is_new
        if not card and self._setup.card:
            card, new = self._setup.card, True
        released = 0 if self._setup.auto_release and state.address != ABROAD else state.released_at
        state = changed(state, opened=True, card=card, card_is_new=new, released_at=released)
        if state.stopped:
            return drop_open(state)
        early, state = state.undecided, changed(state, undecided=())
        for variant, handled_at in early:
            state = decide(self._setup, state, variant, handled_at, people=state.released_at is None)
        return state

    def _stopped_before_it_opened(self, state: OrderState) -> list[OrderState]:
        return [self._ended(state, "stopped")] if state.stopped else []

    def _fulfil(self, state: OrderState) -> list[OrderState]:
        """The next thing that the order begins."""
        if state.released_at is None:
            return []
        if state.needs_charge:
            unknown = ("asked", "silent", "in doubt")
            if any(one.state in unknown and not one.renumbered for one in state.of(SELLER)):
                return []  # it must be known what went back before more is charged (REF-11)
            if state.charge == "asked" or state.awaits_payment:
                return []
            return [changed(state, charge="asked", asked_card=state.card, card_is_new=False)]
        if not state.window_closed or state.undecided or state.on_hold or state.in_flight:
            return []
        if state.unsourced and (not state.open_purchases or state.missing):
            if state.missing:
                return [changed(state, searching="network", wanted=state.missing)]
            return [changed(state, searching="near", wanted=state.unsourced, searched=True)]
        if state.open and state.charge == "authorized":
            if not state.uncollected:
                return [changed(state, charge="voided")]
            return [changed(state, charge="capturing", capturing=state.uncollected)]
        if any(one.state == "found" for one in state.purchases):
            sent = tuple(changed(one, state="sent") if one.state == "found" else one for one in state.purchases)
            return [changed(state, purchases=sent)]
        if state.wanted_now or state.open_purchases or state.checking:
            return []
        if state.waiting:
            return [next_round(state)] if state.arrived else []
        if awaits_choice(self._setup, state):
            return [changed(state, charge="voided")] if state.charge == "authorized" else []
        if state.shipped:
            return [] if state.is_busy else [self._ended(state, "shipped")]
        return self._give_back(state, "voided")

    # ---- the seller's charge ----

    def _charge_answers(self, state: OrderState) -> list[OrderState]:
        match state.charge:
            case "asked":
                return [changed(state, charge="authorized" if state.asked_card == "good" else "")]
            case "capturing" if state.expired < self._setup.expires:
                return [changed(state, charge="", card_is_new=True, expired=state.expired + 1)]
            case "capturing":
                return [changed(state, charge="captured", captured=state.captured + state.capturing)]
        return []

    # ---- suppliers ----

    def _searches(self, state: OrderState) -> list[OrderState]:
        if not state.searching:
            return []
        found = changed(state, searching="", wanted=0)
        if state.given_up:
            return [found]
        second = state.searching == "network"
        before = state.purchases[state.refusals_before :]
        refused = {one.warehouse for one in before if one.state == "refused" or one.short}
        left = state.wanted
        purchases = list(state.purchases)
        for warehouse, units in self._setup.warehouses(second_source=second, arrived=state.round > 0):
            taken = sum(one.units for one in purchases if one.warehouse == warehouse and one.state != "refused")
            count = min(left, units - taken)
            if warehouse not in refused and count > 0:
                purchases.append(Purchase(warehouse, count))
                left -= count
        found = changed(found, purchases=tuple(purchases))
        if not second:
            return [changed(found, missing=left)]
        found = changed(found, missing=0)
        if not left:
            return [found]
        if state.buys_special:  # not in stock after all: it waits again (ORD-8)
            return [changed(found, waiting=found.waiting + left)]
        return [changed(found, dropped=found.dropped + left, voided=found.voided + left, voided_at=state.now)]

    def _suppliers(self, state: OrderState) -> list[OrderState]:
        after = []
        for at, one in enumerate(state.purchases):
            if one.state == "sent":
                said = "refused" if one.warehouse in self._setup.refusing else "accepted"
                known = (*state.purchases[:at], changed(one, state=said), *state.purchases[at + 1 :])
                after.append(changed(state, purchases=known))
                if state.stopped:  # nobody waits for it
                    unknown = (*state.purchases[:at], changed(one, state="unknown"), *state.purchases[at + 1 :])
                    after.append(changed(state, purchases=unknown))
        return after

    # ---- shipments ----

    def _parcels(self, state: OrderState) -> list[OrderState]:
        """The first parcel whose turn it is is announced; one that does not fit is set aside."""
        if not state.parcels:
            return []
        over = state.opened and not state.open and not state.open_purchases
        if state.given_up or (over and not awaits_choice(self._setup, state)):
            return [set_aside(state, len(state.parcels))]
        if not state.with_supplier:
            return []
        (_, units), *others = state.parcels
        accepted = sum(one.coming for one in state.purchases if one.state == "accepted")
        may_ship = state.wanted_now if state.all_bought else accepted - state.shipped
        taken = changed(state, parcels=tuple(others))
        if units <= may_ship:
            return [changed(taken, shipped=state.shipped + units)]
        return [set_aside(state, 1)] if state.all_bought else []

    # ---- money back ----

    def _refunds(self, state: OrderState) -> list[OrderState]:
        after = [answered(self._setup, state, one) for one in state.refunds if one.state == "asked"]
        if state.seller_refund_due:
            after.append(asked(state, SELLER, state.seller_refund_due))
        for one in state.looked_for:
            if state.now >= one.since + PAUSE:
                after.append(with_refund(state, changed(one, state="asked", since=state.now)))
        return after

    def _give_back(self, state: OrderState, outcome: str) -> list[OrderState]:
        """The charge is voided, shipping is stopped; then the buyer of a cancelled order is refunded (CAN-6)."""
        if state.charge in ("asked", "capturing"):
            return []
        if state.charge == "authorized":
            return [changed(state, charge="voided")]
        buyers = [one for one in state.of(BUYER) if not one.renumbered]
        gets_some = state.shipped or state.elsewhere
        if outcome == "cancelled" and self._setup.auto_refund and not buyers and not gets_some:
            return [asked(state, BUYER, 0)]
        if outcome == "cancelled" and state.shipped:
            outcome = "shipped"  # what had not shipped is cancelled (ORD-8)
        return [] if state.is_busy else [self._ended(state, outcome)]

    def _ended(self, state: OrderState, outcome: str) -> OrderState:
        late = outcome == "shipped" and state.late
        return changed(set_aside(state, len(state.parcels)), outcome=outcome, late_return=late)

    # ---- staff stop it ----

    def _stopped(self, state: OrderState) -> list[OrderState]:
        """Before it went to a supplier nothing is left behind; refunds that are under way go on by themselves."""
        nothing_open = state.is_void or (state.special and not state.open)
        if nothing_open and state.charge in ("asked", "capturing"):
            return []
        if nothing_open and state.charge == "authorized":
            return [changed(state, charge="voided")]
        waits = state.in_flight or any(one.state == "sent" for one in state.purchases)
        if waits or state.seller_refund_due:
            return []
        return [self._ended(state, "stopped")]

    # ---- cancel requests ----

    def _arrivals(self, state: OrderState) -> list[OrderState]:
        """CAN-3: when the server received it decides."""
        if not state.undecided:
            return []
        (variant, _), *others = state.undecided
        known = changed(state, undecided=tuple(others))
        return [decided(self._setup, known, in_time=variant == IN_TIME)]

    # ---- what happens to it ----

    def hear(self, state: OrderState, event: Happening) -> Iterable[OrderState]:
        return hear(self._setup, state, event)

    def outside(self, state: OrderState, happening: Happening) -> Iterable[OrderState]:
        if happening.name == "stop":
            if state.outcome is not None or state.stopped:
                return [state]
            stopped = changed(state, stopped=True)
            return [drop_open(stopped) if state.opened and not state.with_supplier else stopped]
        whose, _, word = happening.variant.partition(" ")
        refund = spoken_of(state, whose, word)
        if refund is None:
            return [state]
        if refund.state == "succeeded" or word == TAKEN_BACK:
            after = with_refund(state, changed(refund, state="failed afterwards", since=state.now))
        else:
            after = with_refund(state, became(refund, word, state.now))
        return [after] if state.outcome is None else [state, after]

    # ---- shown ----

    def stage(self, state: OrderState) -> str | None:
        """Where an order that rests stands (ORD-2, ORD-3, ORD-4, ORD-11)."""
        if state.outcome is not None:
            return state.outcome
        if state.is_void and awaits_choice(self._setup, state):
            return "awaiting_choice"
        if state.cancelled or state.is_void:
            return "cancelling"
        if state.released_at is None:
            return "awaiting_release"
        if state.needs_charge:
            return "awaiting_payment"
        if not state.window_closed:
            return "cancel_window"
        if state.on_hold:
            return "on_hold"
        if state.only_waits:
            return "awaiting_choice" if state.checking else "awaiting_stock"
        return "awaiting_choice" if awaits_choice(self._setup, state) else "awaiting_shipment"
