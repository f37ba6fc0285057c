"""What cases come to while recorded histories are replayed: their facts, effects, events and stages."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from models.converter import DATA_CONVERTER
from models.message import Event, Message
from workflows.engine.case import CaseFacts, Effect, Started
from workflows.engine.run import Engine


@dataclass
class Observed:
    """`last_facts`: by workflow id. The rest by the name of the kind of case."""

    last_facts: dict[str, CaseFacts] = field(default_factory=dict)
    effects: set[tuple[str, type[Effect]]] = field(default_factory=set)
    events: set[tuple[str, type[Event]]] = field(default_factory=set)
    stages: set[tuple[str, str]] = field(default_factory=set)


async def observe(histories: Iterable[WorkflowHistory], workflows: Sequence[type]) -> Observed:
    """Replay them. Raises when one does not replay."""
    replayer = Replayer(
        workflows=workflows, data_converter=DATA_CONVERTER, workflow_runner=UnsandboxedWorkflowRunner()
    )
    observed = Observed()
    with engines_tell(observed):
        for history in histories:
            await replayer.replay_workflow(history)
    return observed


@contextmanager
def engines_tell(observed: Observed) -> Iterator[None]:
    """All that engines in this process do meanwhile."""
    take, show = Engine._apply, Engine._show

    def take_and_keep(engine: Engine[Any], fact: Message) -> None:
        take(engine, fact)
        kind = engine.kind.name
        observed.last_facts[workflow.info().workflow_id] = engine.facts
        if isinstance(fact, Started):
            observed.effects.add((kind, type(fact.effect)))
        elif isinstance(fact, Event):
            observed.events.add((kind, type(fact)))

    def show_and_keep(engine: Engine[Any]) -> None:
        show(engine)
        observed.stages.add((engine.kind.name, engine.stage))

    Engine._apply, Engine._show = take_and_keep, show_and_keep  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Engine._apply, Engine._show = take, show  # type: ignore[method-assign]
