"""Where buyers and warehouses are, and how far from each other (ORD-5)."""

from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from typing import Final, NamedTuple

from models.buyers import Address

_EARTH_RADIUS_KM: Final = 6371.0088


class Place(NamedTuple):
    """Where something is, in degrees."""

    latitude: float
    longitude: float


def place_of(address: Address) -> Place | None:
    """Where an address is: as it says itself, or the middle of its US postal code; none: not known."""
    if address.latitude is not None and address.longitude is not None:
        return Place(address.latitude, address.longitude)
    return _us_place(address.postal_code[:5]) if address.country == "US" and address.postal_code else None


@lru_cache(maxsize=4096)
def _us_place(postal_code: str) -> Place | None:
    if len(postal_code) != 5 or not (postal_code.isascii() and postal_code.isdigit()):
        return None
    import zipcodes  # it reads all of them, which takes half a second: only where one is needed

    found = zipcodes.matching(postal_code)  # type: ignore[no-untyped-call]  # it has no types
    return Place(float(found[0]["lat"]), float(found[0]["long"])) if found else None


def distance_km(here: Place, there: Place) -> float:
    """Great-circle distance in kilometres."""
    half_lat = radians(there.latitude - here.latitude) / 2
    half_lon = radians(there.longitude - here.longitude) / 2
    chord = sin(half_lat) ** 2 + cos(radians(here.latitude)) * cos(radians(there.latitude)) * sin(half_lon) ** 2
    # Rounding may lift the chord of two opposite points a hair above one.
    return round(2 * _EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord))), 1)
