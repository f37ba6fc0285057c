"""Amazon's regions and marketplaces, as its page "Marketplace IDs" had them in 2026. One that Amazon adds later is
named by its id and passes."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple


class Region(StrEnum):
    """One account is one seller in one region, with the marketplaces there."""

    NA = "na"
    """North and South America."""
    EU = "eu"
    """Europe, Middle East, Africa, India."""
    FE = "fe"
    """Far East."""


class Marketplace(NamedTuple):
    """`country`: as sellers call it (Amazon's `UK` too)."""

    marketplace_id: str
    country: str
    region: Region


_IDS: Final = {
    Region.NA: "BR A2Q3Y263D00KWC, CA A2EUQ1WTGCTBG2, MX A1AM78C64UM0Y8, US ATVPDKIKX0DER",
    Region.EU: "AE A2VIGQ35RCS4UG, BE AMEN7PMS3EDWL, DE A1PA6795UKMFR9, EG ARBP9OOSHTCHU, ES A1RKKUPIHCS9HS, "
    "FR A13V1IB3VIYZZH, GB A1F83G8C2ARO7P, IE A28R8C7NBKEWEA, IN A21TJRUUN4KGV, IT APJ6JRA9NG5V4, "
    "NL A1805IZSGTT6HS, PL A1C3SOZRARQ6R3, SA A17E79C6D8DWNP, SE A2NODRKZP88ZB9, TR A33AVAJ2PDY3EV, "
    "ZA AE08WJ6YKNBMC",
    Region.FE: "AU A39IBJ37TRP1C6, JP A1VC38T7YXB528, SG A19VAU5U5O7RUS",
}

MARKETPLACES: Final = tuple(
    Marketplace(marketplace_id, country, region)
    for region, told in _IDS.items()
    for country, marketplace_id in (one.split() for one in told.split(", "))
)
BY_ID: Final = {one.marketplace_id: one for one in MARKETPLACES}
_BY_COUNTRY: Final = {"UK": BY_ID["A1F83G8C2ARO7P"]} | {one.country: one for one in MARKETPLACES}


_CURRENCIES: Final = {
    "AE": "AED",
    "AU": "AUD",
    "BR": "BRL",
    "CA": "CAD",
    "EG": "EGP",
    "GB": "GBP",
    "IN": "INR",
    "JP": "JPY",
    "MX": "MXN",
    "PL": "PLN",
    "SA": "SAR",
    "SE": "SEK",
    "SG": "SGD",
    "TR": "TRY",
    "US": "USD",
    "ZA": "ZAR",
}
"""Of the others it is the euro."""


def currencies_of(marketplaces: Iterable[str]) -> set[str]:
    """In which these marketplaces (ids) sell, as far as they are known."""
    return {_CURRENCIES.get(BY_ID[one].country, "EUR") for one in marketplaces if one in BY_ID}


def marketplace_id(named: str) -> str:
    """The id of the marketplace that is named by its country (`US`, `uk`) or its id."""
    word = named.upper()
    return _BY_COUNTRY[word].marketplace_id if word in _BY_COUNTRY else word
