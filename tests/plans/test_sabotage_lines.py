"""Each deliberate fault of `make sabotage` still has its line in the sources: else nobody tries it any more."""

import pytest

from tests.plans.sabotage import FAULTS, ROOT, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_the_line_of_a_deliberate_fault_stands_where_it_says(fault: Fault) -> None:
    assert (ROOT / fault.file).read_text().count(fault.right) == 1
