"""The audit of mails: each once, and again only for an answer of the mail server that was lost (NTF-1)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from starter.sandbox.facts import FaultKind, MailFact, PartnerName, RequestRecord
from tests.chaos.audit_facts import Facts, Violation
from tests.chaos.evidence import Kill, SentMail

LOSE_ANSWERS: Final = ("worker", "partner")
"""Who, killed, may lose the mail server's word that it has a mail."""
ONE_TRY: Final = timedelta(seconds=60)
"""How long one try to send a mail may take."""
ON_THE_WIRE: Final = timedelta(seconds=1)
"""What a worker had sent when it was killed may arrive after it."""


class MailsAudit:
    """Each delivery but a mail's last one needs an answer of its own that was lost."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._noted = {mail.message_id: mail for mail in facts.seen.mails}
        self._kills = sorted(
            (kill for kill in facts.seen.kills if kill.what in LOSE_ANSWERS), key=lambda kill: kill.at
        )
        self._cut = [one for one in facts.seen.requests if _is_cut(one)]
        self.again = 0
        """Mails sent again because an answer was lost."""

    def violations(self) -> Iterator[Violation]:
        arrived: dict[str, list[MailFact]] = defaultdict(list)
        for mail in self._facts.effects.mails:
            arrived[mail.message_id or mail.id].append(mail)
        for message_id, mails in arrived.items():
            noted = self._noted.get(message_id)
            excused = self._excused(sorted(mails, key=lambda mail: mail.at), noted)
            self.again += excused
            for _ in range(len(mails) - 1 - excused):
                yield Violation("mail twice", noted.key if noted else message_id)
        for message_id, sent in self._noted.items():
            if message_id not in arrived:
                yield Violation("mail noted, but not sent", sent.key)

    def _excused(self, mails: Sequence[MailFact], noted: SentMail | None) -> int:
        """How many of one mail's deliveries had their answer lost, each by another kill or cut."""
        kills = list(self._kills)
        excused = 0
        for earlier, later in pairwise(mails):
            kill = next((one for one in kills if _lost(one, earlier, later, noted)), None)
            if kill is not None:
                kills.remove(kill)
            excused += kill is not None or any(_is_of(cut, earlier, later.at) for cut in self._cut)
        return excused


def _lost(kill: Kill, earlier: MailFact, later: MailFact, noted: SentMail | None) -> bool:
    """The mail was there, and the books did not know it."""
    late = ON_THE_WIRE if kill.what == "worker" else timedelta(0)
    until = noted.at if noted is not None else earlier.at + ONE_TRY
    return earlier.at - late <= kill.at <= min(until, later.at)


def _is_cut(record: RequestRecord) -> bool:
    return record.partner is PartnerName.MAIL and record.fault is FaultKind.DROP_AFTER and record.work_done


def _is_of(cut: RequestRecord, mail: MailFact, next_at: datetime) -> bool:
    """Whether this was the connection by which the mail came: the server writes both down at once."""
    same = cut.path == ", ".join(mail.recipients) and (cut.body or {}).get("subject") == mail.subject
    return same and mail.at <= cut.at < next_at
