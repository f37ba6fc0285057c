"""The books: a SQL database that keeps orders, returns, refunds, credit memos, sellers and suppliers."""

from activities.database.contacts import Contacts
from activities.database.database import Books
from activities.database.engines import open_books, upgrade
from activities.database.parties import Parties
from activities.database.queries import Reading

__all__ = ["Books", "Contacts", "Parties", "Reading", "open_books", "upgrade"]
