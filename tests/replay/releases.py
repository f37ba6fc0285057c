"""What is kept of each release: the histories of its cases, and the facts that they came to.

    tests/replay/histories/<release>/<path>.<n>-<kind>.json     replayed on today's code
    tests/replay/facts/<release>/<kind>.json                    a list: read by today's facts, as continued and
                                                                reopened cases are

What no release has yet stands under `unreleased`. `python -m tests.replay.releases 0.1` (`make release`) gives it
the release's name, and writes down the facts.
"""

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from temporalio.client import WorkflowHistory

from tests.replay.observing import observe
from tests.replay.recording import HISTORIES, UNRELEASED, all_recordings, history_in
from workflows.engine.case import CaseFacts
from workflows.orders.facts import OrderFacts
from workflows.refunds.facts import RefundFacts
from workflows.registry import WORKFLOWS
from workflows.returns.facts import ReturnFacts

FACTS: Final = Path(__file__).parent / "facts"
MODELS: Final[dict[str, type[CaseFacts]]] = {"order": OrderFacts, "return": ReturnFacts, "refund": RefundFacts}
"""The facts of each kind of case, as today's code has them."""


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
    found: dict[str, list[CaseFacts]] = defaultdict(list)
    for history in histories:
        for workflow_id, facts in (await observe([history], workflows)).last_facts.items():
            found[workflow_id.partition("-")[0]].append(facts)
    return dict(found)


async def keep(release: str) -> None:
    """Give the unreleased histories this release's name, and write down the facts that they come to."""
    (HISTORIES / UNRELEASED).rename(HISTORIES / release)
    histories = [history_in(file) for file in all_recordings() if file.parent.name == release]
    for kind, facts in (await facts_at_the_end(histories, WORKFLOWS)).items():
        print(f"{len(facts)} {kind} facts: {write_facts(release, kind, facts)}")


if __name__ == "__main__":
    asyncio.run(keep(sys.argv[1]))
