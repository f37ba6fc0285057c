"""Amounts for people: with the decimal mark of their language, the digits as they are (NTF-1)."""

import re
from typing import Final

from babel.numbers import get_decimal_symbol

from activities.mail.dates import locale_of

_DECIMAL: Final = re.compile(r"-?\d+\.\d+")


def amount_in_words(amount: str, language: str) -> str:
    """`87.00` for English readers, `87,00` for German ones. What is no decimal number stays as it is."""
    if not _DECIMAL.fullmatch(amount):
        return amount
    return amount.replace(".", get_decimal_symbol(locale_of(language)))
