"""The versions of the tables, applied by Alembic (`activities.database.engines.upgrade`)."""
