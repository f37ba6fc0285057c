"""The books: a SQL database that keeps orders, returns, refunds, credit memos, sellers and suppliers."""

from activities.books.books import Books
from activities.books.contacts import Contacts
from activities.books.engine import open_books, upgrade
from activities.books.parties import Parties
from activities.books.reading import Reading

__all__ = ["Books", "Contacts", "Parties", "Reading", "open_books", "upgrade"]
