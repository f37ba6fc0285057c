"""Which events a case has heard, and how many it takes (RET-16). Pure."""

from models.failures import Conflict
from models.message import Event
from workflows.engine.case import CaseFacts

MOST_OF_A_KIND = 1_000
"""So many events of one name a case takes: an order of 500 lines ships in fewer. Whoever says more says it in a
loop, and facts without an end could not be carried on; what others say still counts."""


def is_known(facts: CaseFacts, name: str, event: Event) -> bool:
    """Whether this event was counted. Raises Conflict when its id was used by an event of another name."""
    known_as = facts.seen_events.get(event.event_id)
    if known_as is not None and known_as != name:
        raise Conflict(f"event_id was used by {known_as} already: give each event an id of its own")
    return known_as is not None


def require_room(facts: CaseFacts, name: str) -> None:
    """Raise Conflict when the case has heard too many events of this name."""
    if len(facts.seen_events) < MOST_OF_A_KIND:
        return
    heard = sum(known_as == name for known_as in facts.seen_events.values())
    if heard >= MOST_OF_A_KIND:
        raise Conflict(f"{heard} times {name} is as much as a case takes: the sender seems to repeat itself")
