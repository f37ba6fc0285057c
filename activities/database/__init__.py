"""The database: SQL tables that keep orders, returns, refunds, credit memos, sellers and suppliers."""

from activities.database.alerts import Alerts
from activities.database.call_rates import CallRates
from activities.database.connections import ConnectionRegister
from activities.database.contacts import Contacts
from activities.database.database import Database
from activities.database.engines import open_database, upgrade
from activities.database.parties import Parties
from activities.database.queries import Reading
from activities.database.webhooks import WebhookRegister

__all__ = [
    "Alerts",
    "CallRates",
    "ConnectionRegister",
    "Contacts",
    "Database",
    "Parties",
    "Reading",
    "WebhookRegister",
    "open_database",
    "upgrade",
]
