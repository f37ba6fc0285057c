"""What is kept of each release: the histories of its cases, and the facts that they came to.

    tests/replay/histories/<release>/<path>....json     replayed on today's code
    tests/replay/facts/<release>/<kind>.json            a list: read by today's facts, as continued and reopened
                                                        cases are

What no release has yet stands under `unreleased`. `python -m tests.replay.releases 0.1` (`make release`) gives it
the release's name, and writes down the facts.
"""

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from models.converter import DATA_CONVERTER
from models.message import Message
from workflows.engine.case import CaseFacts
from workflows.engine.run import Engine
from workflows.orders.facts import OrderFacts
from workflows.refunds.facts import RefundFacts
from workflows.returns.facts import ReturnFacts

HISTORIES: Final = Path(__file__).parent / "histories"
FACTS: Final = Path(__file__).parent / "facts"
UNRELEASED: Final = "unreleased"
MODELS: Final[dict[str, type[CaseFacts]]] = {"order": OrderFacts, "return": ReturnFacts, "refund": RefundFacts}
"""The facts of each kind of case, as today's code has them."""


def histories_of(release: str, folder: Path = HISTORIES) -> list[Path]:
    return sorted((folder / release).glob("*.json"))


def kept_facts(folder: Path = FACTS) -> list[Path]:
    """Of every release and kind."""
    return sorted(folder.glob("*/*.json"))


def read_facts(file: Path, model: type[CaseFacts]) -> list[CaseFacts]:
    """Raises pydantic's ValidationError when today's code can't read what that release wrote."""
    return [model.model_validate(entry) for entry in json.loads(file.read_text(encoding="utf-8"))]


def write_facts(release: str, kind: str, facts: Iterable[CaseFacts], folder: Path = FACTS) -> Path:
    file = folder / release / f"{kind}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(one.model_dump(mode="json")) for one in facts)
    file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return file


async def facts_at_the_end(
    histories: Sequence[WorkflowHistory], workflows: Sequence[type]
) -> dict[str, list[CaseFacts]]:
    """To what each of these histories comes when it is replayed: facts by the kind of their case."""
    replayer = Replayer(
        workflows=workflows, data_converter=DATA_CONVERTER, workflow_runner=UnsandboxedWorkflowRunner()
    )
    found: dict[str, list[CaseFacts]] = defaultdict(list)
    for history in histories:
        with _last_facts() as last:
            await replayer.replay_workflow(history)
        for workflow_id, facts in last.items():
            found[workflow_id.partition("-")[0]].append(facts)
    return dict(found)


@contextmanager
def _last_facts() -> Iterator[dict[str, CaseFacts]]:
    """The last facts of each case that runs meanwhile in this process."""
    last: dict[str, CaseFacts] = {}
    take = Engine._apply

    def take_and_keep(engine: Engine[Any], fact: Message) -> None:
        take(engine, fact)
        last[workflow.info().workflow_id] = engine.facts

    Engine._apply = take_and_keep  # type: ignore[method-assign, assignment]
    try:
        yield last
    finally:
        Engine._apply = take  # type: ignore[method-assign]


async def keep(release: str) -> None:
    """Give the unreleased histories this release's name, and write down the facts that they come to."""
    from workflows.registry import WORKFLOWS

    (HISTORIES / UNRELEASED).rename(HISTORIES / release)
    texts = [(file.stem, file.read_text(encoding="utf-8")) for file in histories_of(release)]
    histories = [WorkflowHistory.from_json(name, text) for name, text in texts]
    for kind, facts in (await facts_at_the_end(histories, WORKFLOWS)).items():
        print(f"{len(facts)} {kind} facts: {write_facts(release, kind, facts)}")


if __name__ == "__main__":
    asyncio.run(keep(sys.argv[1]))
