"""A mail sent again is excused by an answer of the mail server that was lost, and by nothing else (NTF-1)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from starter.sandbox.facts import FaultKind, MailFact, PartnerName, RequestRecord
from tests.chaos.altered_evidence import effects, promises
from tests.chaos.auditor import Auditor
from tests.chaos.evidence import Evidence, Kill

NOTED_AFTER = 40
"""Seconds from the first copy until the books note the mail as sent."""
AGAIN_AFTER = 39
"""Seconds from the first copy to the second."""


def sent_again(seen: Evidence, *, copies: int = 1, noted: bool = True, after: float = AGAIN_AFTER) -> Evidence:
    """The first mail arrives again, one copy a second; `noted`: and the books have it as sent."""
    first = seen.effects.mails[0]
    again = [first.model_copy(update={"at": later(seen, after + number)}) for number in range(copies)]
    rows = [mail for mail in seen.mails if mail.message_id != first.message_id]
    if noted:
        (row,) = set(seen.mails) - set(rows)
        rows.append(replace(row, at=later(seen, NOTED_AFTER + copies)))
    return replace(effects(seen, mails=(*seen.effects.mails, *again)), mails=tuple(rows))


def later(seen: Evidence, seconds: float) -> datetime:
    """So long after the first copy arrived."""
    return seen.effects.mails[0].at + timedelta(seconds=seconds)


def killed(seen: Evidence, what: str, seconds: float) -> Evidence:
    return replace(seen, kills=(*seen.kills, Kill(later(seen, seconds), what)))


def cut(seen: Evidence, seconds: float = 0.001, **other: object) -> Evidence:
    """The mail server cut a connection after its work."""
    mail: MailFact = seen.effects.mails[0]
    fields = {
        "id": "cut",
        "at": later(seen, seconds),
        "partner": PartnerName.MAIL,
        "method": "SMTP",
        "path": ", ".join(mail.recipients),
        "body": {"subject": mail.subject},
        "status": None,
        "work_done": True,
        "fault": FaultKind.DROP_AFTER,
    }
    return replace(seen, requests=(*seen.requests, RequestRecord.model_validate(fields | other)))


@pytest.mark.parametrize("what", ["worker", "partner"])
@pytest.mark.parametrize("noted", [True, False])
async def test_NTF_1_a_kill_before_the_mail_is_noted_excuses_one_copy(
    true_facts: Evidence, what: str, noted: bool
) -> None:
    again = killed(sent_again(true_facts, noted=noted), what, 30)

    assert promises(again) == set()
    assert Auditor(again).audit().mails_again == 1


async def test_NTF_1_a_lost_answer_excuses_one_copy_and_no_more(true_facts: Evidence) -> None:
    thrice = killed(sent_again(true_facts, copies=2), "worker", 30)

    assert promises(thrice) == {"mail twice"}
    assert promises(killed(thrice, "worker", AGAIN_AFTER + 0.5)) == set()


async def test_NTF_1_a_kill_before_the_mail_arrived_excuses_nothing(true_facts: Evidence) -> None:
    assert promises(killed(sent_again(true_facts), "worker", -2)) == {"mail twice"}
    assert promises(killed(sent_again(true_facts), "partner", -0.001)) == {"mail twice"}


async def test_NTF_1_a_kill_after_the_mail_was_noted_excuses_nothing(true_facts: Evidence) -> None:
    again = sent_again(true_facts, after=NOTED_AFTER + 10)

    assert promises(killed(again, "worker", NOTED_AFTER + 5)) == {"mail twice"}


async def test_NTF_1_a_kill_after_the_tries_time_is_over_excuses_nothing(true_facts: Evidence) -> None:
    again = sent_again(true_facts, noted=False, after=90)

    assert promises(killed(again, "worker", 59)) == set()
    assert promises(killed(again, "worker", 61)) == {"mail twice"}


@pytest.mark.parametrize("what", ["server", "database"])
async def test_NTF_1_a_kill_of_who_has_no_mail_excuses_nothing(true_facts: Evidence, what: str) -> None:
    assert promises(killed(sent_again(true_facts), what, 30)) == {"mail twice"}


async def test_NTF_1_a_cut_of_the_very_delivery_excuses_one_copy(true_facts: Evidence) -> None:
    again = cut(sent_again(true_facts))

    assert promises(again) == set()
    assert Auditor(again).audit().mails_again == 1
    assert promises(cut(sent_again(true_facts, copies=2))) == {"mail twice"}


@pytest.mark.parametrize(
    "other",
    [
        {"seconds": -1},
        {"seconds": AGAIN_AFTER + 1},
        {"body": {"subject": "another mail"}},
        {"path": "somebody@else.example"},
        {"partner": PartnerName.SHOP},
        {"fault": FaultKind.DROP_BEFORE, "work_done": False},
    ],
)
async def test_NTF_1_a_cut_of_another_delivery_excuses_nothing(
    true_facts: Evidence, other: dict[str, object]
) -> None:
    again = sent_again(true_facts)

    assert promises(cut(again, **other)) == {"mail twice"}  # type: ignore[arg-type]
