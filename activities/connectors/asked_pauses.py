"""How long a partner wants to be left alone, as it says in `Retry-After`."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

LONGEST_PAUSE = timedelta(hours=24)
"""A partner's `Retry-After` is honoured up to this: a slip of theirs must not put a case to sleep for a year."""


def retry_after(answer: httpx.Response, now: datetime) -> timedelta | None:
    """How long the partner wants us to wait: seconds, or an HTTP date measured by its own `Date`."""
    value = answer.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        pause = timedelta(seconds=float(value))
    else:
        moment = _http_date(value)
        if moment is None:
            return None
        pause = moment - (_http_date(answer.headers.get("Date", "")) or now)
    # A pause of nothing would mean "as the retry policy says" anyway.
    return min(pause, LONGEST_PAUSE) if pause > timedelta(0) else None


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
