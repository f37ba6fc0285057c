"""The tables of cases: where each stands, and its timeline (NTF-3)."""

from datetime import datetime
from typing import Final, get_args

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from models.case import (
    ChannelBatchStage,
    ClaimStage,
    CostReviewStage,
    Custody,
    MoneyState,
    OrderStage,
    OrphanStage,
    RefundStage,
    ReportImportStage,
    ReturnStage,
    SlaState,
    Who,
)
from models.ids import KindName
from models.tables.checks import among, between_commas, not_negative, one_of, whole_numbers, yes_or_no
from models.tables.columns import UtcTime, Word
from models.worklists import Work

_STAGES: Final = {
    "order": OrderStage,
    "return": ReturnStage,
    "refund": RefundStage,
    "orphan": OrphanStage,
    "cost-review": CostReviewStage,
    "claim": ClaimStage,
    "batch": ChannelBatchStage,
    "report-import": ReportImportStage,
}


def stands_in(work: Work) -> str:
    """The condition of a worklist's own small index, and of every question about it: word for word the same."""
    return f"work LIKE '%,{work.value},%'"


SIDE_BY_SIDE: Final = (
    ReturnStage.IN_TRANSIT,
    ReturnStage.AWAITING_CREDIT,
    ReturnStage.REFUNDING_SELLER,
    ReturnStage.AWAITING_BUYER_REFUND,
    ReturnStage.REFUNDING_BUYER,
)
"""Stages at which a return may stand beside another: goods and money settle side by side (RET-14)."""


def stands_also_at(stage: ReturnStage) -> str:
    """As `stands_in`, of a return whose first stage is another one."""
    return f"also_at LIKE '%,{stage.value},%'"


class CaseRow(SQLModel, table=True):
    """Where a case stands: an order, a return or a refund. One row per workflow id, from the case's opening on.

    Lists are read by `urgency`, then `newness`, then id: a page is a range of one index, however many there are.
    """

    __tablename__ = "case_file"
    __table_args__ = (
        whole_numbers("last_step"),
        one_of("kind", get_args(KindName)),
        CheckConstraint(
            " OR ".join(f"(kind = '{kind}' AND {among('stage', stages)})" for kind, stages in _STAGES.items()),
            name="stage_is_one_of_its_kind",
        ),
        one_of("waiting_on", Who),
        one_of("sla_state", SlaState),
        one_of("custody", Custody),
        one_of("money", MoneyState),
        yes_or_no("ended"),
        CheckConstraint("last_step >= -1", name="last_step_is_counted"),
        between_commas("also_at", "work", "held_up_by"),
        # Else the pages of lists would lose rows.
        CheckConstraint("length(urgency) = 19 AND length(newness) = 18", name="sorts_as_text"),
        Index("ix_case_file_listed", "kind", "urgency", "newness", "workflow_id"),
        Index("ix_case_file_stage", "kind", "stage", "urgency", "newness", "workflow_id"),
        Index("ix_case_file_seller", "kind", "seller_id", "urgency", "newness", "workflow_id"),
        Index("ix_case_file_seller_stage", "kind", "seller_id", "stage", "urgency", "newness", "workflow_id"),
        *(
            Index(
                f"ix_case_file_work_{work.value}",
                "urgency",
                "newness",
                "workflow_id",
                sqlite_where=text(stands_in(work)),
                postgresql_where=text(stands_in(work)),
            )
            for work in Work
        ),
        *(
            Index(
                f"ix_case_file_also_at_{stage.value}",
                "urgency",
                "newness",
                "workflow_id",
                sqlite_where=text(stands_also_at(stage)),
                postgresql_where=text(stands_also_at(stage)),
            )
            for stage in SIDE_BY_SIDE
        ),
    )

    workflow_id: str = Field(primary_key=True)
    run_id: str
    """Empty for a return that was split off and has not opened yet."""
    kind: str
    stage: str
    also_at: str = ""
    """The stages of what else it waits for, between commas: `,awaiting_buyer_refund,`; empty for none."""
    seller_id: str
    order_id: str
    waiting_on: str | None = None
    waiting_for: str | None = None
    waiting_since: datetime | None = Field(default=None, sa_type=UtcTime)
    due_by: datetime | None = Field(default=None, sa_type=UtcTime)
    sla_state: SlaState = Field(sa_type=Word(SlaState))
    custody: Custody | None = Field(default=None, sa_type=Word(Custody))
    money: MoneyState = Field(default=MoneyState.NONE, sa_type=Word(MoneyState))
    work: str = ""
    """The worklists that it stands in, between commas: `,to_approve,money_in_doubt,`; empty for none (NTF-6)."""
    held_up_by: str = ""
    """What holds it up, between commas: `,outage:payment gateway,`; empty for nothing that staff were told of."""
    ended: bool
    last_step: int
    asked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When the case asked for this to be written, by the server's clock."""
    urgency: str
    """What is open comes before what has ended, and what is due first before the rest; sorts as text."""
    newness: str
    """Of two that are equally urgent the newer one comes first; sorts as text."""


class StepRow(SQLModel, table=True):
    """One line of a case's timeline. A case that was refused and then started anew has steps of two runs, and so
    has one that was reset (`run@new run`)."""

    __tablename__ = "case_step"
    __table_args__ = (
        whole_numbers("number"),
        not_negative("number"),
    )

    workflow_id: str = Field(primary_key=True)
    run_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcTime)
    what: str
    who: str
