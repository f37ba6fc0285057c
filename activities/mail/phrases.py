"""Reasons that are ours, in the reader's language; what a person or a partner typed stays as it was typed (NTF-1).

Cases say their reasons in English, as the timeline keeps them. Here are those that reach a mail.
"""

import re
from collections.abc import Mapping
from typing import Final

_GERMAN: Final = (
    (r"you release each order", "Sie geben jede Bestellung selbst frei"),
    (r"it ships to (\w+)", r"sie geht nach \1"),
    (r"no warehouse has it", "kein Lager hat die Artikel"),
    (r"the supplier refused it", "der Lieferant hat abgelehnt"),
    (
        r"no warehouse has the (\d+) that the seller's own minimum asks for",
        r"kein Lager hat die \1 Stück, die Sie als Mindestbestand verlangen",
    ),
    (
        r"it is in stock in ([A-Z, ]+) only, and the order is in ([A-Z]+)",
        r"es gibt sie nur in \1 am Lager, und die Bestellung ist in \2",
    ),
    (
        r"its payment is the one of order (\S+): one payment belongs to one order \(REF-3\)",
        r"ihre Zahlung gehört schon zur Bestellung \1: Eine Zahlung gehört zu einer Bestellung",
    ),
    (
        r"the channel's order (.+) was taken before as order (\S+), and says the same \(ORD-17\)",
        r"die Bestellung \1 des Kanals ist schon als Bestellung \2 da, mit demselben Inhalt",
    ),
    (
        r"the channel's order (.+) was taken before as order (\S+); "
        r"this request differs from it in (.+) \(ORD-17\)",
        r"die Bestellung \1 des Kanals ist schon als Bestellung \2 da; diese hier weicht ab in: \3",
    ),
)
PHRASES: Final[Mapping[str, tuple[tuple[re.Pattern[str], str], ...]]] = {
    "de": tuple((re.compile(english), german) for english, german in _GERMAN)
}


def in_language(reason: str, language: str) -> str:
    """The reason in this language (`de-AT` too), where it is ours and known there; else as it is."""
    for english, said in PHRASES.get(language.partition("-")[0], ()):
        if found := english.fullmatch(reason):
            return found.expand(said)
    return reason
