"""Sellers and suppliers with their settings: data in the database, changed by staff."""

from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from activities.database.transactions import read, write
from models.failures import NotFound
from models.parties import Seller, Supplier
from models.tables import SellerRow, SupplierRow


class Parties:
    """Read and write the settings of sellers and suppliers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def seller(self, seller_id: str) -> Seller:
        """The seller's present settings. Raises NotFound."""

        def find(session: Session) -> Seller:
            row = session.get(SellerRow, seller_id)
            if row is None:
                raise NotFound(f"no seller {seller_id}")
            return row.settings

        return read(self._engine, find)

    def supplier(self, supplier_id: str) -> Supplier:
        """The supplier's present settings. Raises NotFound."""

        def find(session: Session) -> Supplier:
            row = session.get(SupplierRow, supplier_id)
            if row is None:
                raise NotFound(f"no supplier {supplier_id}")
            return row.settings

        return read(self._engine, find)

    def sellers(self) -> list[Seller]:
        """All sellers, by id."""
        rows = select(SellerRow).order_by(col(SellerRow.seller_id))
        return read(self._engine, lambda session: [row.settings for row in session.exec(rows)])

    def suppliers(self) -> list[Supplier]:
        """All suppliers, by id."""
        rows = select(SupplierRow).order_by(col(SupplierRow.supplier_id))
        return read(self._engine, lambda session: [row.settings for row in session.exec(rows)])

    def put_seller(self, seller: Seller) -> None:
        """Add the seller, or replace its settings; cases that run keep the ones they have taken."""
        row = SellerRow(
            seller_id=seller.seller_id, name=seller.name, settings=seller, updated_at=datetime.now(UTC)
        )
        write(self._engine, lambda session: session.merge(row))

    def put_supplier(self, supplier: Supplier) -> None:
        """Add the supplier, or replace its settings; cases that run keep the ones they have taken."""
        row = SupplierRow(
            supplier_id=supplier.supplier_id, name=supplier.name, settings=supplier, updated_at=datetime.now(UTC)
        )
        write(self._engine, lambda session: session.merge(row))
