"""The reports, read from the database; each is of one moment."""

from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from activities.database.money_report import ALWAYS, Period, money_report
from activities.database.report_figures import Wanted, figures
from activities.database.sla_report import sla_report
from activities.database.transactions import read
from models.failures import NotFound
from models.report_figures import Figures
from models.reports import MoneyReport, SlaReport
from models.tables import SellerRow, SupplierRow


class Reports:
    """What people ask of all cases together. Raises NotFound for a seller or a supplier that there is not,
    PartnerUnavailable when the database stays away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sla(
        self, *, seller: str | None = None, supplier: str | None = None, as_of: datetime | None = None
    ) -> SlaReport:
        """The promises that are open, of all or of this seller and this supplier."""
        now = as_of or datetime.now(UTC)

        def find(session: Session) -> SlaReport:
            _require_known(session, seller, supplier)
            return sla_report(session, now, seller, supplier)

        return read(self._engine, find)

    def money(
        self,
        *,
        seller: str | None = None,
        supplier: str | None = None,
        period: Period = ALWAYS,
        as_of: datetime | None = None,
    ) -> MoneyReport:
        """What moved in the period, and what is open; of all, or of this seller and of this supplier alone."""
        now = as_of or datetime.now(UTC)

        def find(session: Session) -> MoneyReport:
            _require_known(session, seller, supplier)
            return money_report(session, now, period, seller, supplier)

        return read(self._engine, find)

    def figures(
        self,
        *,
        seller: str | None = None,
        supplier: str | None = None,
        period: Period = ALWAYS,
        as_of: datetime | None = None,
    ) -> Figures:
        """What charts show of them; of all, or of this seller and this supplier."""
        now = as_of or datetime.now(UTC)

        def find(session: Session) -> Figures:
            _require_known(session, seller, supplier)
            return figures(session, now, Wanted(seller, supplier, period))

        return read(self._engine, find)


def _require_known(session: Session, seller: str | None, supplier: str | None) -> None:
    for what, column, wanted in (
        ("seller", col(SellerRow.seller_id), seller),
        ("supplier", col(SupplierRow.supplier_id), supplier),
    ):
        if wanted is not None and session.exec(select(column).where(column == wanted)).first() is None:
            raise NotFound(f"no {what} {wanted}: `backhaul {what} list` shows those that there are")
