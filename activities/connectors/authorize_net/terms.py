"""What an Authorize.Net account has agreed: data of its connection."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple

from models.connections import Connection
from models.failures import InvalidInput, Problem
from models.gateway_limits import ACCOUNT_CURRENCY

AFTER_THE_SETTLEMENT: Final = timedelta(hours=2)
"""So long after its hour the settlement is taken to be done; where it is not, the next one is waited for."""


class Terms(NamedTuple):
    """`currency`: the only one of the account. `refund_window_days`: so long after its submission a payment can be
    refunded. `settles_at`: when each day's payments are settled, in UTC."""

    currency: str = ACCOUNT_CURRENCY
    refund_window_days: int = 180
    settles_at: time = time(8)

    @classmethod
    def of(cls, connection: Connection) -> "Terms":
        """Raises InvalidInput that names the option."""
        options, terms = connection.options, cls()
        problems: list[Problem] = []
        currency = options.get("currency", terms.currency)
        if not re.fullmatch(r"[A-Z]{3}", currency):
            problems.append(Problem("options.currency", "is a currency of three capital letters"))
        days = options.get("refund_window_days", str(terms.refund_window_days))
        if not re.fullmatch(r"[1-9]\d{0,3}", days):
            problems.append(Problem("options.refund_window_days", "is a number of days"))
        hour = options.get("settles_at", "08:00")
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", hour):
            problems.append(Problem("options.settles_at", "is an hour in UTC, like 08:00"))
        if problems:
            raise InvalidInput(f"connection {connection.connection_id}", problems)
        return cls(currency, int(days), time.fromisoformat(hour))

    def after_settlement(self, now: datetime) -> datetime:
        """When the next settlement is done."""
        tonight = datetime.combine(now.date(), self.settles_at, UTC)
        if tonight <= now:
            tonight += timedelta(days=1)
        return tonight + AFTER_THE_SETTLEMENT

    def is_too_old(self, submitted: datetime, now: datetime) -> bool:
        return now >= submitted + timedelta(days=self.refund_window_days)
