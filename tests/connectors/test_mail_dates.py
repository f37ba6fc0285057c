"""Dates for people: in their own zone, with day, hour and zone, in their language (NTF-10)."""

import pytest
from pydantic import ValidationError

from activities.mail.dates import day_in_words, moment_in_words
from activities.mail.rendering import Letters
from models.failures import InvalidInput
from models.parties import Seller, Supplier
from models.settings import Settings
from tests.connectors.test_letters import FACTS

NOON = "2026-03-02T14:00:00+00:00"
PARTY = {"name": "Acme", "email": "a@acme.example"}


@pytest.mark.parametrize(
    ("zone", "language", "words"),
    [
        ("UTC", "en", "Monday, 2 March 2026, 14:00 UTC"),
        ("Europe/Berlin", "en", "Monday, 2 March 2026, 15:00 CET"),
        ("Europe/Berlin", "de", "Montag, 2. März 2026, 15:00 Uhr MEZ"),
        ("America/New_York", "en", "Monday, 2 March 2026, 09:00 EST"),
        ("Asia/Dubai", "en", "Monday, 2 March 2026, 18:00 UTC+4"),
        ("Asia/Kathmandu", "en", "Monday, 2 March 2026, 19:45 UTC+5:45"),
        ("Nowhere/Land", "en", "Monday, 2 March 2026, 14:00 UTC"),
        ("Europe/Paris", "fr", "lundi 2 mars 2026, 15:00 CET"),
        ("UTC", "xx", "Monday, March 2, 2026, 14:00 UTC"),
    ],
)
def test_NTF_10_a_date_names_day_hour_and_zone(zone: str, language: str, words: str) -> None:
    assert moment_in_words(NOON, zone, language) == words


def test_NTF_10_the_day_is_the_readers_and_summer_time_is_told() -> None:
    assert day_in_words("2026-07-02T23:30:00Z", "Europe/Berlin", "en") == "Friday, 3 July 2026"
    assert moment_in_words("2026-07-02T23:30:00Z", "Europe/Berlin", "en") == "Friday, 3 July 2026, 01:30 CEST"


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-01-02T23:30:00Z", "Samstag, 3. Januar 2026, 00:30 Uhr UTC+1"),
        ("2026-03-02T14:00:00Z", "Montag, 2. März 2026, 14:00 Uhr UTC+0"),
    ],
)
def test_NTF_10_a_zone_is_never_called_by_the_name_of_another_hour(moment: str, words: str) -> None:
    """Morocco is an hour behind itself in Ramadan only; its other days were told as `WEZ`, which is UTC."""
    assert moment_in_words(moment, "Africa/Casablanca", "de") == words


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-10-25T00:30:00Z", "Sunday, 25 October 2026, 02:30 CEST"),
        ("2026-10-25T01:30:00Z", "Sunday, 25 October 2026, 02:30 CET"),
        ("2026-03-29T01:00:00Z", "Sunday, 29 March 2026, 03:00 CEST"),
    ],
)
def test_NTF_10_the_hour_that_comes_twice_says_which_it_is(moment: str, words: str) -> None:
    assert moment_in_words(moment, "Europe/Berlin", "en") == words


def test_NTF_10_what_is_no_moment_stays_as_it_is() -> None:
    assert moment_in_words("next week", "UTC", "en") == "next week"


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Thursday, 30 April 2026, 14:00 CEST"), ("de", "Donnerstag, 30. April 2026, 14:00 Uhr MESZ")],
)
def test_NTF_10_a_mail_tells_its_deadline_in_the_readers_zone_and_language(language: str, words: str) -> None:
    letter = Letters().write("rma_for_buyer", "acme", language, FACTS, "x", time_zone="Europe/Berlin")
    assert words in letter.text


def test_NTF_10_a_date_is_in_the_language_of_its_sentence() -> None:
    letter = Letters().write("rma_for_buyer", "acme", "fr", FACTS, "x", time_zone="Europe/Paris")
    assert "by Thursday, 30 April 2026, 14:00 CEST at the latest" in letter.text
    assert '<html lang="en">' in letter.html


def test_NTF_1_a_language_is_no_way_to_other_folders() -> None:
    assert Letters().write("order_shipped", "acme", "../../../etc", FACTS, "x").subject == "Order 1001 has shipped"
    assert Letters().write("order_shipped", "acme", "de-AT", FACTS, "x").subject == "Bestellung 1001 ist unterwegs"


@pytest.mark.parametrize("zone", ["Europe/Brelin", "CEST", "../etc/passwd", "europe/berlin"])
def test_NTF_10_a_zone_is_checked_at_the_door(zone: str) -> None:
    for party in (
        lambda: Seller.at_the_door({**PARTY, "seller_id": "acme", "time_zone": zone}),
        lambda: Supplier.at_the_door({**PARTY, "supplier_id": "sup", "return_address": "x", "time_zone": zone}),
    ):
        with pytest.raises(InvalidInput) as refused:
            party()
        assert [problem.field for problem in refused.value.problems] == ["time_zone"]


def test_NTF_10_a_zone_that_was_known_once_keeps_no_case_from_being_read() -> None:
    kept = Seller.model_validate({**PARTY, "seller_id": "acme", "time_zone": "Europe/Atlantis"})
    assert kept.time_zone == "Europe/Atlantis"
    assert Seller.at_the_door({**PARTY, "seller_id": "acme"}).time_zone == "UTC"


def test_NTF_10_the_zone_of_staff_is_checked_at_the_start() -> None:
    with pytest.raises(ValidationError, match="such as Europe/Berlin"):
        Settings(mail_staff_time_zone="Europe/Brelin")
