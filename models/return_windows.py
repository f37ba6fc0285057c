"""Until when a buyer may ask to return: days from delivery, by seller and country, the law as floor (RET-22)."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from models.failures import RefusedByRule
from models.message import Message
from models.parties import Seller

_FOURTEEN: Final = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"),
    *("LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    *("IS", "LI", "NO"),  # the law of the EU counts there too
    "GB",
)
STATUTORY_DAYS: Final[Mapping[str, int]] = dict.fromkeys(_FOURTEEN, 14)
"""Days after delivery in which a buyer may withdraw without a reason, by country: no setting is below them."""


class ReturnWindow(Message):
    """Until when a return may be asked for, as it was decided when the return opened."""

    counts_from: datetime
    """The delivery; or, where that is not known, the shipping and the seller's days for the way."""
    is_delivery_known: bool
    days: int
    until: datetime
    """The end of its last day, in the seller's zone."""

    @property
    def in_words(self) -> str:
        """`30 days from delivery`."""
        since = "delivery" if self.is_delivery_known else "shipping and the usual days for the way"
        return f"{self.days} days from {since}"


def window_days(seller: Seller, country: str) -> int:
    """How many days a buyer in this country has at this seller."""
    wanted = seller.return_days_by_country.get(country, seller.return_days)
    return max(wanted, STATUTORY_DAYS.get(country, 0))


CLOCKS_DIFFER: Final = timedelta(days=1)
"""So much earlier than it left a parcel may be said to have arrived: clocks and zones differ."""


def require_after_shipping(shipment_id: str, shipped_at: datetime, at: datetime) -> None:
    """Nothing arrives before it left. Raises RefusedByRule for a slip, which would shorten the buyer's days."""
    if at < shipped_at - CLOCKS_DIFFER:
        left, said = (moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") for moment in (shipped_at, at))
        raise RefusedByRule("RET-22", f"shipment {shipment_id} left at {left}: it did not arrive at {said}")


def return_window(
    seller: Seller, country: str, *, shipped_at: datetime, delivered_at: datetime | None
) -> ReturnWindow:
    """The window of goods that left and arrived then. Looks up the seller's zone: not for workflows."""
    counts_from = delivered_at or shipped_at + timedelta(days=seller.delivery_days)
    days = window_days(seller, country)
    zone = ZoneInfo(seller.time_zone)
    last_day = counts_from.astimezone(zone).date() + timedelta(days=days)
    return ReturnWindow(
        counts_from=counts_from,
        is_delivery_known=delivered_at is not None,
        days=days,
        until=datetime.combine(last_day, time(23, 59, 59), zone),
    )
