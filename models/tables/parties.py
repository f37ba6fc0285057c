"""The tables of sellers and suppliers."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.parties import Seller, Supplier
from models.tables.columns import Document, UtcTime


class SellerRow(SQLModel, table=True):
    """A seller with its present settings."""

    __tablename__ = "seller"

    seller_id: str = Field(primary_key=True)
    name: str
    settings: Seller = Field(sa_type=Document(Seller))
    updated_at: datetime = Field(sa_type=UtcTime)


class SupplierRow(SQLModel, table=True):
    """A supplier with its present settings."""

    __tablename__ = "supplier"

    supplier_id: str = Field(primary_key=True)
    name: str
    settings: Supplier = Field(sa_type=Document(Supplier))
    updated_at: datetime = Field(sa_type=UtcTime)
