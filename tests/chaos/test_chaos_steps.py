"""Every activity has its place in the crashes: a new one without a scene fails here."""

from models import calls
from tests.chaos.run import AT_PARTNERS, AT_SERVER, IN_BOOKS
from tests.chaos.scenes import SCENES


def test_REF_6_every_activity_is_killed_at_its_step() -> None:
    assert {call.name for call in SCENES.values()} == {call.name for call in calls.CALLS}


def test_REF_6_every_activity_is_at_a_partner_in_the_books_or_at_the_server() -> None:
    every = {call.name for call in calls.CALLS}

    assert every == AT_PARTNERS | IN_BOOKS | AT_SERVER
    assert every >= IN_BOOKS
