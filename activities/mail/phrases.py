"""Reasons that are ours, in the reader's language; what a person or a partner typed stays as it was typed (NTF-1).

Cases say their reasons in English, as the timeline keeps them. Here are those that reach a mail: a pattern
of the English, and the words with its groups in their places.
"""

import re
from collections.abc import Mapping
from typing import Final

_GERMAN: Final = (
    (r"you release each order", "Sie geben jede Bestellung selbst frei"),
    (r"it ships to (\w+)", "sie geht nach {0}"),
    (r"no warehouse has it", "kein Lager hat die Artikel"),
    (r"the supplier refused it", "der Lieferant hat abgelehnt"),
    (
        r"no warehouse has the (\d+) that the seller's own minimum asks for",
        r"kein Lager hat die {0} Stück, die Sie als Mindestbestand verlangen",
    ),
    (
        r"it is in stock in ([A-Z, ]+) only, and the order is in ([A-Z]+)",
        r"es gibt sie nur in {0} am Lager, und die Bestellung ist in {1}",
    ),
    (
        r"its payment is the one of order (\S+): one payment belongs to one order \(REF-3\)",
        r"ihre Zahlung gehört schon zur Bestellung {0}: Eine Zahlung gehört zu einer Bestellung",
    ),
    (
        r"the channel's order (.+) was taken before as order (\S+), and says the same \(ORD-17\)",
        r"die Bestellung {0} des Kanals ist schon als Bestellung {1} da, mit demselben Inhalt",
    ),
    (
        r"the channel's order (.+) was taken before as order (\S+); "
        r"this request differs from it in (.+) \(ORD-17\)",
        r"die Bestellung {0} des Kanals ist schon als Bestellung {1} da; diese hier weicht ab in: {2}",
    ),
    (
        r"no warehouse is known to have it: the stock of some is not known",
        "kein Lager hat die Artikel, soweit wir wissen: Nicht alle haben geantwortet",
    ),
    # of several items, each with its own reason
    (r"(\d+ x [^:;]+): (.+?); (\d+ x .+)", "{0}: {1}; {2}"),
    (r"(\d+ x [^:;]+): (.+)", "{0}: {1}"),
)
PHRASES: Final[Mapping[str, tuple[tuple[re.Pattern[str], str], ...]]] = {
    "de": tuple((re.compile(english), german) for english, german in _GERMAN)
}


def in_language(reason: str, language: str) -> str:
    """The reason in this language (`de-AT` too), where it is ours and known there, and so the reasons of which it
    is made; else as it is."""
    for english, said in PHRASES.get(language.partition("-")[0], ()):
        if found := english.fullmatch(reason):
            return said.format(*(in_language(part, language) for part in found.groups()))
    return reason
