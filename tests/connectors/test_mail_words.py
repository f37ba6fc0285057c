"""Amounts and our own reasons in the reader's language (NTF-1)."""

import pytest

from activities.mail.amounts import amount_in_words
from activities.mail.phrases import in_language
from activities.mail.rendering import Letters
from tests.connectors.test_letters import FACTS


@pytest.mark.parametrize(
    ("language", "amount", "words"),
    [
        ("en", "87.00", "87.00"),
        ("de", "1287.00", "1287,00"),
        ("fr", "-0.50", "-0,50"),
        ("xx", "87.00", "87.00"),
        ("de", "87", "87"),
        ("de", "1.2.3", "1.2.3"),
    ],
)
def test_NTF_1_an_amount_has_the_decimal_mark_of_its_reader(language: str, amount: str, words: str) -> None:
    assert amount_in_words(amount, language) == words


@pytest.mark.parametrize(("language", "words"), [("en", "87.00 USD"), ("de", "87,00 USD")])
def test_NTF_1_a_mail_tells_amounts_as_its_language_writes_them(language: str, words: str) -> None:
    facts = {**FACTS, "amount": "87.00", "currency": "USD"}
    assert words in Letters().write("seller_refunded", "acme", language, facts, "x").text


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("no warehouse has it", "kein Lager hat die Artikel"),
        ("it ships to FR", "sie geht nach FR"),
        (
            "its payment is the one of order 1001: one payment belongs to one order (REF-3)",
            "ihre Zahlung gehört schon zur Bestellung 1001: Eine Zahlung gehört zu einer Bestellung",
        ),
        (
            "the channel's order #1071 was taken before as order 1001; "
            "this request differs from it in tax (ORD-17)",
            "die Bestellung #1071 des Kanals ist schon als Bestellung 1001 da; diese hier weicht ab in: tax",
        ),
        (
            "2 x A: it is in stock in CAD only, and the order is in USD; "
            "3 x LAMP: no warehouse has it; 1 x B: gone",
            "2 x A: es gibt sie nur in CAD am Lager, und die Bestellung ist in USD; "
            "3 x LAMP: kein Lager hat die Artikel; 1 x B: gone",
        ),
        ("changed my mind, no warehouse has it", "changed my mind, no warehouse has it"),
    ],
)
def test_NTF_1_reasons_of_ours_are_in_the_readers_language(reason: str, words: str) -> None:
    assert in_language(reason, "de-AT") == words
    assert in_language(reason, "en") == reason
    assert in_language(reason, "fr") == reason
