"""RET-21: reasons are data: handles, words per language, what must come with them; what is not known passes."""

from typing import Any

import pytest

from activities.database import Contacts
from activities.mail.reader import facts_for
from models.failures import InvalidInput
from models.ids import return_workflow_id
from models.parties import Seller
from models.partners import Mail, MailLine, Recipient
from models.reasons import DEFAULT_REASONS, Reason, reason_in_words, reason_meant, reasons_of
from models.records import Opening, OpenReturn, ReturnOpening
from models.returns import ReturnRequest
from models.settings import Settings
from tests.database.story import NOON, Story, seller

PHOTO = {"kind": "photo", "reference": "photo-1", "sha256": "0" * 64}
OWN = (
    {"handle": "core_deposit", "words": {"en": "core deposit", "de": "Altteilpfand"}},
    {"handle": "damaged", "words": {"en": "damaged"}, "evidence_required": True},
    {"handle": "better_price", "words": {"en": "better price"}, "in_use": False},
)
OWN_REASONS = tuple(Reason.model_validate(one) for one in OWN)


def opening(
    story: Story, reason: str, *, source: str = "buyer", note: str | None = None, **line: Any
) -> ReturnOpening:
    """Ask to return one unit of a delivered order for this reason."""
    story.delivered(("A", 2, "50.00"))
    story.parties.put_seller(seller(reasons=OWN))
    request = ReturnRequest.at_the_door(
        {
            "return_id": "RR-1001-1",
            "order_id": "1001",
            "source": source,
            "note": note,
            "lines": [{"sku": "A", "quantity": 1, "reason": reason, **line}],
        }
    )
    return story.database.open_return(
        OpenReturn(request=request, workflow_id=return_workflow_id("RR-1001-1"), run_id="run-r", created_at=NOON)
    )


@pytest.mark.parametrize(
    "reason", ["does_not_fit", "does not fit", "Passt nicht", "core_deposit", "it squeaks", "INAD_DEFECT"]
)
def test_RET_21_a_handle_its_words_and_words_of_ones_own_are_taken_as_said(story: Story, reason: str) -> None:
    opened = opening(story, reason).opened
    assert opened is not None
    assert opened.lines[0].reason == reason


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("other", "needs the buyer's words or a note"),
        ("anderer Grund", "needs the buyer's words or a note"),
        ("damaged", "needs evidence"),
        ("DAMAGED", "needs evidence"),
        ("better_price", "not in use any more; there are: damaged, defective"),
    ],
)
def test_RET_21_what_must_come_with_a_reason_is_asked_for_in_words(story: Story, reason: str, says: str) -> None:
    answer = opening(story, reason)
    assert answer.opening is Opening.REFUSED
    assert says in (answer.reason or "")
    assert "A: the reason" in (answer.reason or ""), "of which line"


def test_RET_21_with_a_note_or_evidence_it_is_taken(story: Story) -> None:
    assert opening(story, "other", note="the colour").opening is Opening.OPENED


def test_RET_21_the_buyers_own_words_are_a_note(story: Story) -> None:
    assert opening(story, "other", buyer_words="the colour").opening is Opening.OPENED


def test_RET_21_evidence_is_what_evidence_is_asked_for(story: Story) -> None:
    assert opening(story, "damaged", evidence=[PHOTO]).opening is Opening.OPENED


def test_RET_21_a_note_is_no_evidence(story: Story) -> None:
    assert opening(story, "damaged", note="it is broken").opening is Opening.REFUSED


@pytest.mark.parametrize("source", ["ebay_return", "ebay_case", "amazon_report", "late_cancel"])
@pytest.mark.parametrize("reason", ["better_price", "other", "damaged", "AMZ-CR-SWITCHEROO"])
def test_RET_21_what_a_marketplace_opened_takes_the_default_way(story: Story, source: str, reason: str) -> None:
    opened = opening(story, reason, source=source).opened
    assert opened is not None
    assert opened.lines[0].reason == reason


@pytest.mark.parametrize(
    ("said", "language", "read"),
    [
        ("does_not_fit", "de", "passt nicht"),
        ("Does not fit", "de", "passt nicht"),
        ("passt nicht", "en", "does not fit"),
        ("core_deposit", "de", "Altteilpfand"),
        ("core_deposit", "fr", "core deposit"),
        ("damaged", "de", "damaged"),
        ("it squeaks", "de", "it squeaks"),
    ],
)
def test_RET_21_people_read_it_in_their_language(said: str, language: str, read: str) -> None:
    assert reason_in_words(said, OWN_REASONS, language) == read


@pytest.mark.parametrize(("said", "read"), [("does_not_fit", "passt nicht"), ("core_deposit", "Altteilpfand")])
def test_RET_21_mails_show_the_words_in_the_readers_language(story: Story, said: str, read: str) -> None:
    opening(story, said)
    story.parties.put_seller(seller(reasons=OWN, language="de"))
    mail = Mail(
        key="return-RR-1001-1:requested",
        template="return_requested",
        to=Recipient.SELLER,
        order_id="1001",
        return_id="RR-1001-1",
        seller_id="acme",
        lines=(MailLine(sku="A", quantity=1, remark=said),),
    )
    settings = Settings()
    contact = Contacts(story.reading._engine, settings).addressee(mail).contact
    assert contact is not None
    assert facts_for(settings, "default", mail, contact)["items"] == f"1 x Item A (A): {read}"


def test_RET_21_the_default_list_is_in_the_trades_terms_and_in_both_languages() -> None:
    assert [one.handle for one in DEFAULT_REASONS] == [
        *("damaged", "defective", "not_as_described", "wrong_item", "missing_parts", "does_not_fit"),
        *("no_longer_needed", "ordered_by_mistake", "better_price", "arrived_late", "never_arrived"),
        *("withdrawal_by_law", "other"),
    ]
    assert all(set(one.words) >= {"en", "de"} for one in DEFAULT_REASONS)
    assert all(one.in_use for one in DEFAULT_REASONS)


def test_RET_21_a_sellers_own_win_over_the_default_ones_and_stand_behind_them() -> None:
    handles = [one.handle for one in reasons_of(OWN_REASONS)]
    assert handles == [*(one.handle for one in DEFAULT_REASONS), "core_deposit"]
    damaged = reason_meant("damaged", OWN_REASONS)
    assert damaged is not None
    assert damaged.evidence_required


@pytest.mark.parametrize(
    "reasons",
    [
        [{"handle": "Core Deposit", "words": {"en": "x"}}],
        [{"handle": "x", "words": {}}],
        [{"handle": "x", "words": {"en": "x"}}, {"handle": "x", "words": {"en": "y"}}],
        [{"handle": "x", "words": {"en": "\x1b[31m"}}],
    ],
)
def test_RET_21_a_wrong_list_is_refused_when_it_is_set(reasons: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidInput) as refused:
        Seller.at_the_door({**seller().model_dump(mode="json"), "reasons": reasons})
    assert "reasons" in str(refused.value)
