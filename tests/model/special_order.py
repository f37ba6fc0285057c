"""The seller chooses what becomes of what nobody has, and a special order waits for stock (ORD-8)."""

from tests.model.order_state import CHOICE, OrderSetup, OrderState, rejected
from tests.model.procedure import changed


def may_choose(setup: OrderSetup, state: OrderState) -> bool:
    """There is something to choose, and a time for it."""
    return setup.chooses and bool(state.undecided_voids) and not state.given_up


def awaits_choice(setup: OrderSetup, state: OrderState) -> bool:
    in_time = may_choose(setup, state) and state.now < state.voided_at + CHOICE
    return in_time and state.opened and not state.open


def may_cancel(setup: OrderSetup, state: OrderState) -> bool:
    return state.is_void and awaits_choice(setup, state) and not state.elsewhere


def after_choice(setup: OrderSetup, state: OrderState, known: OrderState, choice: str) -> OrderState:
    units = state.undecided_voids
    if state.cancelled or not units:
        return rejected(state)
    if choice == "special_order":
        return changed(
            known,
            voided=state.voided - units,
            dropped=state.dropped - units,
            waiting=state.waiting + units,
            checking=units,
            special=True,
        )
    if choice == "cancel" and may_cancel(setup, state):
        return changed(known, cancelled=True, undecided=(), settled=state.settled + units)
    bought = choice == "source_elsewhere" or state.elsewhere
    return changed(known, settled=state.settled + units, elsewhere=bought)


def after_check(setup: OrderSetup, state: OrderState) -> list[OrderState]:
    if not state.checking:
        return []
    units, known = state.checking, changed(state, checking=0)
    if state.given_up:
        return [known]
    if setup.claimed:
        back = {"voided": state.voided + units, "dropped": state.dropped + units}
        return [changed(known, waiting=state.waiting - units, **back)]
    there = min(state.told, units)
    return [with_stock(changed(known, told=state.told - there), there) if there else known]


def after_arrival(setup: OrderSetup, state: OrderState, known: OrderState) -> OrderState:
    waits = state.waiting - state.arrived
    later = max(state.undecided_voids - state.told, 0) if may_choose(setup, state) else 0
    if not waits and not later:
        return rejected(state)
    known = changed(known, told=state.told + later)
    return with_stock(known, waits) if waits else known


def with_stock(state: OrderState, units: int) -> OrderState:
    there = {"arrived": state.arrived + units, "refusals_before": len(state.purchases)}
    return changed(state, **there)


def next_round(state: OrderState) -> OrderState:
    waiting = max(state.waiting - state.arrived, 0)
    return changed(state, waiting=waiting, arrived=0, round=state.round + 1, before=len(state.purchases))
