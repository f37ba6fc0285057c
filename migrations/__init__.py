"""The versions of the tables, applied by Alembic (`activities.books.engine.upgrade`)."""
