"""The example that docs/architecture.md follows through is what the plan says."""

import re
from pathlib import Path
from typing import Any

from tests.plans.returns.return_rig import ReturnStory, goods, memo, unopened

PAGE = Path(__file__).parents[3] / "docs" / "architecture.md"
FIELDS: dict[str, dict[str, Any]] = {
    "seller_approval": {"decision": "approved"},
    "supplier_rma": {"outcome": "issued", "rma_number": "RMA-77"},
    "return_tracking": {"actor": "buyer:bo", "carrier": "UPS", "tracking_number": "1Z999"},
    "goods_received": goods(),
    "credit_memo": memo(),
    "buyer_refund": {"reason": "goods are back"},
}


def rows() -> list[list[list[str]]]:
    """Of each row of the table, what stands in backquotes in each column."""
    table = PAGE.read_text(encoding="utf-8").partition("| what happens |")[2].partition("\n\n")[0]
    return [[re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


def known(story: ReturnStory) -> dict[str, Any]:
    return story.facts.model_dump()


def test_each_row_of_the_example_is_what_happens() -> None:
    story = unopened(supplier={"rma": "email"})
    before, begun = known(story), 0
    events = []
    for event, facts, keys, stages in rows():
        events += event
        if event:
            story.says(event[0], **FIELDS[event[0]])
        else:
            story.rest()
        now = known(story)
        assert [name for name in facts if now[name] == before[name]] == [], event
        assert [effect.key for effect in story.begun[begun:]] == keys, event
        assert ([wait.stage for wait in story.plan.waits] or [story.stage]) == stages, event
        before, begun = now, len(story.begun)
    assert events == list(FIELDS)
    assert story.is_over
