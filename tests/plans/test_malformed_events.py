"""Every event of every kind of case, sent as nobody may send it: its sender is told what to mend (RET-16).

That a case goes on all the same is proved on the server (`tests/rules/test_events_malformed.py`, `tests/races`).
"""

import pytest

from models import contract
from models.failures import InvalidInput
from tests.malformed import malformed
from tests.races.event_forms import good
from tests.senders import sender_of
from workflows.engine.inbox import read

KINDS = {kind.name: kind for kind in contract.KINDS}
EVENTS = [(kind, name) for kind, events in contract.EVENTS.items() for name in events]


@pytest.mark.parametrize(("kind", "name"), EVENTS, ids=[f"{kind}-{name}" for kind, name in EVENTS])
def test_RET_16_each_event_is_refused_by_the_field_that_is_wrong_and_taken_once_it_is_mended(
    kind: str, name: str
) -> None:
    event = {"event_id": "e1", "actor": sender_of(name)} | good(name, "A")
    for what, (arguments, word) in malformed(name, event).items():
        with pytest.raises(InvalidInput) as refused:
            read(KINDS[kind], name, arguments)
        assert word in str(refused.value), what
    assert read(KINDS[kind], name, [event]).event_id == "e1"
