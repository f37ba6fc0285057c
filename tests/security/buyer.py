"""A buyer whose every word is unmistakable, and where none of them may stand."""

from typing import Any, Final

NAME: Final = "Xanthippe Quillfeather"
EMAIL: Final = "xanthippe.quillfeather@zephyrine.example"
STREET: Final = "77 Hollyhock Crescent"
CITY: Final = "Sacramento"
PHONE: Final = "555-0142-7731"
REASON: Final = f"my cousin Balthazar sat on it, call {PHONE}"

WORDS: Final = ("Quillfeather", "quillfeather", "zephyrine", "Hollyhock", PHONE, "Balthazar")

BUYER: Final[dict[str, Any]] = {
    "email": EMAIL,
    "address": {
        "name": NAME,
        "line1": STREET,
        "city": CITY,
        "region": "CA",
        "postal_code": "95814",
        "country": "US",
        "latitude": 38.58,
        "longitude": -121.49,
    },
}


def said(text: str | bytes, words: tuple[str, ...] = WORDS) -> list[str]:
    """Which of these words stand in the text."""
    raw = text.encode() if isinstance(text, str) else text
    return [word for word in words if word.encode() in raw]
