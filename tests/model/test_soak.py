"""`make soak` plays what it is told to, and its exit code says whether something was found (RET-16)."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.proof


async def one_round(module: str) -> tuple[int | None, str]:
    """The exit code, and what people read."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, "--minutes", "0", "--seed", "7", "--sequences", "1"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode, said.decode()


async def test_RET_16_a_soak_plays_each_kind_of_case_and_ends_with_0_when_nothing_was_found() -> None:
    code, said = await one_round("tests.model.soak")
    assert (code, "seed 7: 3 sequences" in said, ", 0 violations" in said) == (0, True, True), said


async def test_RET_16_a_soak_ends_with_1_and_shows_the_sequence_of_what_it_found() -> None:
    code, said = await one_round("tests.model.soak_with_wrong_model")
    assert (code, ", 1 violations" in said) == (1, True), said
    assert re.search(r"Violation: after happening \d+: seen", said), said
    assert "order with OrderSetup(" in said, said
    assert "\n  1. " in said, said
