"""Amounts and our own reasons in the reader's language (NTF-1)."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

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


WHERE_REFUNDS_ARE_REFUSED: Final = (
    "activities/database/refund_parts.py",
    "activities/database/refund_sources.py",
    "activities/database/refund_units.py",
    "activities/database/refunds.py",
    "models/refunds.py",
    "workflows/returns/refund_amounts.py",
    "workflows/returns/replaced.py",
)


def refusals() -> Iterator[str]:
    """What the code says when it refuses a refund, with 12 for whatever it names."""
    for path in WHERE_REFUNDS_ARE_REFUSED:
        words: dict[str, str] = {}
        for node in ast.walk(ast.parse(Path(path).read_text())):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.JoinedStr() as value):
                    words[name] = said(value)
                case ast.Raise(exc=ast.Call(func=ast.Name(id="RefundRefused" | "ValueError"), args=[text])):
                    yield said(text, words)
                case ast.Raise(exc=ast.Call(func=ast.Name(id="RefusedByRule"), args=[rule, text])):
                    if not isinstance(text, ast.Call):  # the words of another refusal
                        yield f"{said(text, words)} ({said(rule)})"


def said(node: ast.expr, words: dict[str, str] | None = None) -> str:
    match node:
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=values):
            return "".join(
                said(one, words) if isinstance(one, ast.Constant) else _named(one, words or {}) for one in values
            )
        case _:
            return _named(node, words or {})


def _named(node: ast.expr, words: dict[str, str]) -> str:
    name = node.value if isinstance(node, ast.FormattedValue) else node
    known = words.get(name.id, "12") if isinstance(name, ast.Name) else "12"
    return "" if isinstance(name, ast.Name) and name.id == "instead" else known


@pytest.mark.parametrize("english", sorted(set(refusals())))
def test_NTF_1_each_refusal_of_a_refund_has_its_german_words(english: str) -> None:
    assert in_language(english, "de") != english


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "60.00 USD is more than the 50.00 USD still refundable (paid 100.00, refunded or pending 50.00); "
            "ask for less, or let the seller allow over-refunds",
            "60.00 USD ist mehr als die 50.00 USD, die noch erstattet werden können "
            "(bezahlt 100.00, erstattet oder unterwegs 50.00)",
        ),
        ("the item can't be taken back", "der Artikel kann nicht zurückgenommen werden"),
        ("its order is voided", "seine Bestellung ist hinfällig"),
        (
            "refund RF-1 is in doubt, and may have been made (payment_not_found)",
            "bei der Erstattung RF-1 ist nicht bekannt, ob sie erfolgt ist "
            "(der Zahlungsdienst kennt die Zahlung nicht)",
        ),
        ("the box was wet", "the box was wet"),
    ],
)
def test_NTF_1_reasons_of_returns_and_refunds_are_in_the_readers_language(english: str, german: str) -> None:
    assert in_language(english, "de") == german
    assert in_language(english, "en") == english
