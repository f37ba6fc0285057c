"""Alembic's way in: it works on the connection that it is handed, in that connection's transaction."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import DateTime, String
from sqlmodel.sql.sqltypes import AutoString

from models import tables
from models.tables.columns import Document, Money, UtcTime, Word
from models.tables.orphans import OrphanRow


def plainly(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Our column types as SQLAlchemy's own: a migration must not change when our code does."""
    if kind != "type":
        return False
    if isinstance(item, Money):
        return 'sa.Text().with_variant(sa.Numeric(), "postgresql")'
    if isinstance(item, UtcTime) or (isinstance(item, DateTime) and item.timezone):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Document):
        return "sa.JSON()"
    if isinstance(item, Word | String | AutoString):
        return "sa.String()"
    return False


assert OrphanRow.metadata is tables.METADATA, "its tables are known"

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=tables.METADATA,
    render_item=plainly,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
