"""`/v1/payment_intents/search`: Stripe's search by metadata, which lags behind what was made.

Stripe's own words: not for reading what was just written. As a rule data is searchable within a minute; during an
outage it takes longer. The sandbox finds an intent a minute after it was made, by its clock.
"""

import re
from datetime import timedelta
from typing import Final

from starter.sandbox.store import Store
from starter.sandbox.stripe_books import PaymentBooks
from starter.sandbox.stripe_errors import invalid_parameter, missing_parameter
from starter.sandbox.stripe_objects import Intent
from starter.sandbox.stripe_params import Params, account_of
from starter.sandbox.wire import Answer, Asked

SEARCHABLE_AFTER: Final = timedelta(minutes=1)

_CLAUSE: Final = re.compile(r"""metadata\[(['"])(?P<name>[^'"]+)\1\]:(['"])(?P<value>(?:\\.|(?!\3)[^\\])*)\3""")
_PARAMETERS: Final = frozenset({"query", "limit", "page", "expand"})
_URL: Final = "/v1/payment_intents/search"


class PaymentSearch:
    """Search for payment intents."""

    def __init__(self, store: Store, books: PaymentBooks) -> None:
        self._store = store
        self._books = books

    def search(self, asked: Asked) -> Answer:
        """One page, newest first; `page` is the `next_page` of the one before."""
        params = Params(asked.query, _PARAMETERS)
        query = params.text("query")
        if query is None:
            raise missing_parameter("query")
        wanted = _wanted(query)
        limit = params.integer("limit", 1, 100) or 10
        start = params.integer("page", 0, 10**6) or 0
        newest = self._store.timestamp() - int(SEARCHABLE_AFTER.total_seconds())
        found = [
            intent
            for intent in reversed(self._store.find(Intent, space=account_of(asked)))
            if intent.created <= newest and wanted.items() <= intent.metadata.items()
        ]
        more = len(found) > start + limit
        page = [self._books.intent_json(self._books.aged_intent(one)) for one in found[start : start + limit]]
        body = {"object": "search_result", "url": _URL, "data": page, "has_more": more}
        return Answer(200, body | {"next_page": str(start + limit) if more else None})


def _wanted(query: str) -> dict[str, str]:
    """`metadata['a']:'b' AND metadata['c']:'d'`, the part of Stripe's search language that Backhaul needs. Raises
    Refused for anything else."""
    wanted: dict[str, str] = {}
    for clause in re.split(r"\s+AND\s+", query.strip()):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise invalid_parameter(f"The sandbox can't search for: {clause[:100]}", "query")
        wanted[match["name"]] = re.sub(r"\\(.)", r"\1", match["value"])
    return wanted
