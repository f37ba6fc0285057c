"""The worklists: what people have to do now (NTF-6).

One definition makes three things: a saved query of the Temporal UI, a list of the command line, and a number for
monitoring. A case stands in all lists whose work it has; alarms come from deadlines that passed, never from age
alone (NTF-7).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote

NOT_OVER: Final = 'ExecutionStatus="Running"'


class Work(StrEnum):
    """What somebody has to do about a case: the values of the search attribute `Work`."""

    TO_RELEASE = "to_release"
    TO_CHOOSE = "to_choose"
    BUYER_WANTS_TO_CANCEL = "buyer_wants_to_cancel"
    TO_APPROVE = "to_approve"
    RMA_TO_TYPE = "rma_to_type"
    PARCEL_OVERDUE = "parcel_overdue"
    CREDIT_OVERDUE = "credit_overdue"
    BUYER_TO_REFUND = "buyer_to_refund"
    REFUND_TO_CONFIRM = "refund_to_confirm"
    BALANCE_SHORT = "balance_short"
    MONEY_IN_DOUBT = "money_in_doubt"
    TO_DECIDE = "to_decide"
    ORPHANS = "orphans"
    PARTNER_IN_TROUBLE = "partner_in_trouble"
    FAULTS_OF_OURS = "faults_of_ours"
    STAFF_TO_ACT = "staff_to_act"
    PROMISES_AT_RISK = "promises_at_risk"


STAFF_KNOW_WHY: Final = frozenset(
    {
        Work.RMA_TO_TYPE,
        Work.PARCEL_OVERDUE,
        Work.CREDIT_OVERDUE,
        Work.MONEY_IN_DOUBT,
        Work.TO_DECIDE,
        Work.ORPHANS,
        Work.PARTNER_IN_TROUBLE,
        Work.FAULTS_OF_OURS,
    }
)
"""The lists of what staff do about something that has a name; whatever else waits for staff is `STAFF_TO_ACT`."""

CODE_FAILS: Final = "TemporalReportedProblems IS NOT NULL"
"""Of a case whose workflow tasks fail: it can say nothing of itself, so only the Temporal server knows it."""


@dataclass(frozen=True)
class Worklist:
    """`question`: which cases stand in it; `to_do`: what is done about one of them; `or_where`: which stand in it
    too, though neither they nor the database say so: it is read from the Temporal server."""

    work: Work
    question: str
    to_do: str
    or_where: str | None = None

    @property
    def query(self) -> str:
        """Of the Temporal UI and of `temporal workflow list`."""
        stands_in_it = f'Work="{self.work.value}"'
        where = f"({stands_in_it} OR {self.or_where})" if self.or_where is not None else stands_in_it
        return f"{where} AND {NOT_OVER}"

    def link(self, ui: str, namespace: str) -> str:
        """Opens the saved query in the Temporal UI at `ui` (such as `http://127.0.0.1:8233`)."""
        return f"{ui.rstrip('/')}/namespaces/{quote(namespace, safe='')}/workflows?query={quote(self.query)}"


_WORKLISTS: Final = (
    Worklist(
        Work.TO_RELEASE,
        "orders that wait for the seller's click",
        "the seller releases the order, or cancels it (ORD-2, ORD-10)",
    ),
    Worklist(
        Work.TO_CHOOSE,
        "orders of which nobody had all items",
        "the seller buys them elsewhere, lets the buyer wait, or cancels (ORD-8)",
    ),
    Worklist(
        Work.BUYER_WANTS_TO_CANCEL,
        "orders whose buyer asks the marketplace to cancel, on hold until they are answered",
        "the seller cancels the order, or releases it, by the time that it is due (CAN-7, CAN-8)",
    ),
    Worklist(
        Work.TO_APPROVE,
        "returns that the seller has not decided",
        "the seller approves or rejects the return (RET-4)",
    ),
    Worklist(
        Work.RMA_TO_TYPE,
        "returns whose RMA number a person must give",
        "staff get the number from the supplier and type it, or waive it (RET-8)",
    ),
    Worklist(
        Work.PARCEL_OVERDUE,
        "parcels on their way back that were not received in time",
        "staff ask carrier and supplier where the goods are (RET-11)",
    ),
    Worklist(
        Work.CREDIT_OVERDUE,
        "goods that the supplier has, and has not credited in time",
        "staff ask the supplier for its credit memo (RET-12)",
    ),
    Worklist(
        Work.BUYER_TO_REFUND,
        "buyers who can be refunded by a click",
        "the seller reviews and refunds the buyer, or says why not (RET-14)",
    ),
    Worklist(
        Work.REFUND_TO_CONFIRM,
        "refunds over the seller's limit that wait for a second person",
        "a second person confirms the refund, or rejects it (REF-12)",
    ),
    Worklist(
        Work.BALANCE_SHORT,
        "refunds that the seller's balance does not cover",
        "the seller brings its balance up, or staff raise its reserved funds; it goes on by itself (BAL-1)",
    ),
    Worklist(
        Work.MONEY_IN_DOUBT,
        "refunds of which nobody knows whether the money moved",
        "staff look at the gateway, and record what became of it (REF-11)",
    ),
    Worklist(
        Work.TO_DECIDE,
        "supplier-cost reviews and claims that nobody has decided",
        "staff approve or reject what the seller asks for (BAL-2, CLM-2)",
    ),
    Worklist(
        Work.ORPHANS,
        "what was said about cases that are not known here",
        "staff match it to its case, or dismiss it (RET-20)",
    ),
    Worklist(
        Work.PARTNER_IN_TROUBLE,
        "cases that a partner holds up",
        "staff look at the last failure and mend what it says; the case goes on by itself (NTF-9)",
    ),
    Worklist(
        Work.FAULTS_OF_OURS,
        "cases that a fault of ours holds up, those whose own code fails too",
        "the developers mend what the last failure says; the case goes on by itself (NTF-9)",
        or_where=CODE_FAILS,
    ),
    Worklist(
        Work.STAFF_TO_ACT,
        "cases that wait for staff for what no other list names, such as a small charge to collect",
        "staff do what the case says that it waits for (REF-14, RET-24, RET-25)",
    ),
    Worklist(
        Work.PROMISES_AT_RISK,
        "promises that are broken, or soon will be",
        "staff see to it that the seller is refunded, or the order handed over, in time (ORD-4, RET-13)",
    ),
)
WORKLISTS: Final[Mapping[Work, Worklist]] = {one.work: one for one in _WORKLISTS}
