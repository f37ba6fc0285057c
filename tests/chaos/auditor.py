"""Was everything done exactly once, and nothing left out? Compares the books, the partners' own records and the
histories."""

from dataclasses import dataclass

from tests.chaos.audit_cases import CasesAudit
from tests.chaos.audit_facts import Facts, Violation
from tests.chaos.audit_goods import GoodsAudit
from tests.chaos.audit_ledger import LedgerAudit
from tests.chaos.audit_mails import MailsAudit
from tests.chaos.audit_money import MoneyAudit
from tests.chaos.audit_orphans import OrphansAudit
from tests.chaos.audit_returns import ReturnsAudit
from tests.chaos.evidence import Evidence


@dataclass(frozen=True)
class Audit:
    """What an audit found. `mails_again`: sent twice because the mail server's answer was lost."""

    cases: int
    effects: int
    mails_again: int
    violations: tuple[Violation, ...]


class Auditor:
    """Looks at one body of evidence. Changes nothing."""

    def __init__(self, evidence: Evidence) -> None:
        self._facts = Facts(evidence)

    def audit(self) -> Audit:
        facts, mails = self._facts, MailsAudit(self._facts)
        rooms = (
            MoneyAudit(facts),
            LedgerAudit(facts),
            GoodsAudit(facts),
            ReturnsAudit(facts),
            CasesAudit(facts),
            OrphansAudit(facts),
            mails,
        )
        violations = tuple(violation for room in rooms for violation in room.violations())
        return Audit(len(facts.last_runs), self._effects(), mails.again, violations)

    def _effects(self) -> int:
        """How many things were done at partners and in the books that can be compared."""
        seen = self._facts.effects
        return sum(
            len(kind)
            for kind in (
                self._facts.charges,
                seen.captures,
                seen.refunds,
                seen.supplier_orders,
                seen.rmas,
                seen.shipments,
                seen.stops,
                seen.mails,
                [memo for view in self._facts.seen.returns for memo in view.credit_memos],
            )
        )
