"""Whatever happens, in whatever order: what the model of each case promises (RET-16, CAN-4, REF-3)."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.model.procedure import Possible, closure
from tests.model.sequences import KINDS, choices_of, numbered

SEQUENCES = 450
"""Of each of the three kinds of case."""
AT_LEAST = 1200
"""Different ones, of all kinds together."""
Told = tuple[Any, ...]


def machine_of(name: str, run: set[Told]) -> type[RuleBasedStateMachine]:
    """Happenings at random, and after each of them what must hold in every state that is possible then.

    `run` takes in each whole sequence that was played.
    """
    kind = KINDS[name]

    class Machine(RuleBasedStateMachine):
        possible: Possible[Any]

        @initialize(setup=st.sampled_from(kind.setups))
        def begin(self, setup: Any) -> None:
            self.setup = setup
            self.possible = Possible(kind.procedure(setup))
            self.told: list[tuple[Any, bool]] = []

        @rule(happening=st.sampled_from(choices_of(kind)))
        def happens(self, happening: tuple[Any, bool]) -> None:
            self.told.append(happening)
            ended = {state.outcome for state in self.possible.states}
            self.possible.happens(numbered(self.told)[-1])
            if len(ended) == 1 and None not in ended:
                assert {state.outcome for state in self.possible.states} == ended, "an end is the end"

        @invariant()
        def holds(self) -> None:
            assert self.possible.states, "there is always a way to go on"
            for state in closure(self.possible.procedure, self.possible.states):
                kind.check(state, self.setup)

        def teardown(self) -> None:
            run.add((self.setup, *numbered(self.told)))

    return Machine


@pytest.mark.proof
@pytest.mark.parametrize("name", sorted(KINDS))
def test_RET_16_whatever_happens_in_whatever_order_the_model_keeps_its_promises(name: str) -> None:
    run: set[Told] = set()
    run_state_machine_as_test(
        machine_of(name, run),
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=10,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert len(run) >= AT_LEAST / len(KINDS)
