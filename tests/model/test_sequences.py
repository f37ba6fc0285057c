"""A seed names its sequences: what one process found, another one plays again (RET-16)."""

import subprocess
import sys
from pathlib import Path

from tests.model.sequences import KINDS, generated

ROOT = Path(__file__).parent.parent.parent
TOLD = "from tests.model.sequences import KINDS, generated\nprint(*generated(KINDS['order'], 20, 7), sep='\\n')"


def test_RET_16_the_same_seed_gives_the_same_sequences_whatever_else_is_imported() -> None:
    alone = subprocess.run([sys.executable, "-c", TOLD], cwd=ROOT, capture_output=True, text=True, check=True)
    here = "\n".join(str(one) for one in generated(KINDS["order"], 20, 7))
    assert alone.stdout.strip() == here.strip()


def test_RET_16_no_sequence_is_played_twice_and_another_seed_gives_others() -> None:
    for kind in KINDS.values():
        some, others = set(generated(kind, 50, 7)), set(generated(kind, 50, 8))
        assert len(some) == 50
        assert not some & others
