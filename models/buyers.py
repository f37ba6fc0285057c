"""The end consumer of an order: whom it goes to, and in which language."""

import re
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from models.countries import Country
from models.message import Message, Text
from models.text import on_one_line

_PRIMARY: Final = re.compile(r"^([A-Za-z]{2})(?:[-_].*)?$")
DEFAULT_LANGUAGE: Final = "en"


def _primary_language(value: Any) -> Any:
    if value is None:
        return DEFAULT_LANGUAGE
    if not isinstance(value, str):
        raise ValueError("a language is a tag such as en, en-US or pt_BR")
    found = _PRIMARY.match(value.strip())
    return found.group(1).lower() if found else DEFAULT_LANGUAGE


Language = Annotated[str, BeforeValidator(_primary_language)]
"""ISO 639-1, from any tag: `en-US`, `pt_BR`, `zh-TW`; what is not known, and none, is English (ORD-21)."""

EmailAsTyped = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=320)]
"""An address as a shop has it; whether a mail gets there is seen when one is sent (ORD-21)."""

_PostalCode = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20), AfterValidator(on_one_line)
]


class Address(Message):
    """A postal address. Country is ISO 3166-1 alpha-2. Coordinates in degrees, if the sender knows them: both or
    none. Nothing is demanded that some country lacks (ORD-21)."""

    name: Text
    company: Text | None = None
    line1: Text
    line2: Text | None = None
    line3: Text | None = None
    city: Text
    region: Text | None = None
    postal_code: _PostalCode | None = None
    country: Country
    phone: Text | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None

    @model_validator(mode="after")
    def _is_a_place(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("give both latitude and longitude, or none of them")
        if self.latitude == 0 and self.longitude == 0:
            raise ValueError("latitude 0 and longitude 0 is a place in the sea: leave both out if it is not known")
        return self


class Buyer(Message):
    """The end consumer. Personal data: it stays in payloads and the database.

    Without `email` the seller writes to the buyer: mails for the buyer go to the seller (ORD-21).
    """

    email: EmailAsTyped | None = None
    language: Language = DEFAULT_LANGUAGE
    address: Address
