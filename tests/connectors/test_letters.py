"""What people read: every template in every language, and values that try to be more than text."""

import re
from pathlib import Path

import pytest

from activities.mail.letter import Letter, NoLetter
from activities.mail.rendering import BUILT_IN, Letters
from tests.connectors.mail_calls import FACTS_PASSED, templates_for

LANGUAGES = ("en", "de")
FOR_SELLERS = templates_for("seller")
FOR_BUYERS = templates_for("buyer")
FOR_SUPPLIERS = templates_for("supplier")
FOR_STAFF = templates_for("staff")
ALWAYS = {
    "order_id": "1001",
    "order_number": "W-77",
    "seller_id": "acme",
    "name": "Eve",
    "seller_name": "ACME Parts",
}
OTHERS = {name: f"what {name} says" for facts in FACTS_PASSED.values() for name in facts}
FACTS = (OTHERS | ALWAYS) | {
    "return_id": "RR-1001-1",
    "replacement_id": "RP.RR-1001-1",
    "supplier_id": "brakeco",
    "items": "2 x BRK-100\n1 x OIL-1",
    "line_options": '--line "line 1:2" --line "line 2:1"',
    "amount": "31.50",
    "currency": "USD",
    "reason": "does not fit",
    "why": "the buyer is not in the United States",
    "window_closed": "2026-03-01T12:30:00Z",
    "asked_at": "2026-03-01T12:31:00Z",
    "carrier": "UPS",
    "tracking_number": "1Z999",
    "rma_number": "RMA-7",
    "return_address": "BrakeCo\nDock 4\nReno NV 89501",
    "label_url": "https://labels.example/a_(1)?x=1&y=2",
    "due": "2026-04-30T12:00:00Z",
    "since": "2026-03-01T12:00:00Z",
    "refund_id": "RF-1001-B1",
    "review_id": "CR-1001-1",
    "claim_id": "CL-1001-1",
    "dealer": "Reno Auto Parts",
    "supplier_order_number": "1001-1",
    "link": "https://front.example/rma/abc.def_g-h",
    "what": "no RMA number",
    "partner": "supplier brakeco",
    "cases": "10000",
    "worklist": "http://127.0.0.1:8233/namespaces/default/workflows?query=Work",
    "silent_until": "2026-03-01T13:00:00Z",
    "who_acts": "supplier",
    "case": "return-RR-1001-1",
    "page": "http://127.0.0.1:8233/namespaces/default/workflows/return-RR-1001-1",
    "until": "2026-05-30T12:00:00Z",
    "reminder": "1",
    "reminders": "2",
    "paid": "100.00",
    "fees": "10.00",
    "less": "5.00",
    "cost": "63.00",
    "days": "7",
    "awaited": "the RMA number",
    "note": "two photos",
    "direction": "seller_to_buyer",
    "label_paid_by": "buyer",
    "supplier_name": "BrakeCo",
    "link_until": "2026-05-01T12:00:00Z",
    "reader": "buyer",
    "reader_name": "Eve",
    "reader_email": "eve@buyer.example",
    "quoted_subject": "How to send back your order W-77",
    "quoted_text": "Hello Eve,\n\nRMA number: RMA-7\n",
}
EVERY = [
    (language, template)
    for language in LANGUAGES
    for template in sorted(FOR_SELLERS | FOR_BUYERS | FOR_SUPPLIERS | (FOR_STAFF if language == "en" else set()))
]


def write(template: str, facts: dict[str, str], language: str = "en", custom: Path | None = None) -> Letter:
    return Letters(custom).write(template, "acme", language, facts, "ACME Parts")


def test_NTF_1_every_mail_has_its_template_in_the_languages_of_its_readers() -> None:
    built_in = {language: {path.stem for path in (BUILT_IN / language).glob("*.md")} for language in LANGUAGES}
    messages = {"message_out_of_stock", "message_too_late"}
    assert built_in["en"] == FOR_SELLERS | FOR_BUYERS | FOR_SUPPLIERS | FOR_STAFF | messages
    assert built_in["de"] == FOR_SELLERS | FOR_BUYERS | FOR_SUPPLIERS | messages


@pytest.mark.parametrize(("language", "template"), EVERY)
def test_NTF_1_every_template_is_whole_with_all_its_facts(language: str, template: str) -> None:
    letter = write(template, FACTS, language)
    assert letter.subject
    assert "—" not in letter.subject + letter.text
    assert not re.search(r"[{}\\]|%}|\n{3}", letter.text)
    assert "<html" in letter.html
    assert "</p>" in letter.html


@pytest.mark.parametrize(("language", "template"), EVERY)
def test_NTF_1_every_template_copes_with_missing_facts(language: str, template: str) -> None:
    letter = write(template, ALWAYS, language)
    assert letter.subject
    assert "None" not in letter.text
    assert "Undefined" not in letter.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", sorted(FOR_BUYERS | {"message_out_of_stock", "message_too_late"}))
def test_ORD_9_the_buyer_reads_of_no_broker_and_no_supplier(language: str, template: str) -> None:
    source = (BUILT_IN / language / f"{template}.md").read_text()
    assert not re.search(r"broker|supplier|lieferant|backhaul|warehouse|lager\b|order_id", source, re.IGNORECASE)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["buyer_refunded", "returnless_refund", "seller_refunded"])
def test_BAL_3_a_refund_promises_no_date(language: str, template: str) -> None:
    letter = write(template, FACTS, language)
    assert not re.search(r"\d{4}-\d\d-\d\d|days|Tage|week|Woche|soon|bald", letter.subject + letter.text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("template", "message"), [("order_voided", "message_out_of_stock"), ("cancel_too_late", "message_too_late")]
)
def test_NTF_4_unpleasant_news_come_with_a_message_to_forward(
    language: str, template: str, message: str, tmp_path: Path
) -> None:
    closing = {"en": "Kind regards", "de": "Freundliche Grüße"}[language]
    assert f"{closing}\nACME Parts\n\n---\n" in write(template, FACTS, language).text
    wording = tmp_path / "acme" / language / f"{message}.md"
    wording.parent.mkdir(parents=True)
    wording.write_text("Dear {{ buyer_name }}, so sorry!")
    letter = write(template, FACTS | {"buyer_name": "Zoë"}, language, tmp_path)
    assert "---\n\nDear Zoë, so sorry!\n\n---" in letter.text
    assert closing not in letter.text


def test_NTF_4_a_sellers_own_template_wins_over_the_installations_and_the_built_in(tmp_path: Path) -> None:
    for folder, wording in (("de", "Installation"), ("acme/de", "ACME")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "order_shipped.md").write_text(f"Subject: {wording}\n\nText")
    letters = Letters(tmp_path)
    subjects = [
        letters.write("order_shipped", seller, language, FACTS, "x").subject
        for seller, language in (("acme", "de"), ("other", "de"), ("acme", "en"), ("acme", "fr"))
    ]
    assert subjects == ["ACME", "Installation", "Order 1001 has shipped", "Order 1001 has shipped"]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("Subject: {{ unclosed\n", "line 1: unexpected end of template"),
        ("no subject", "it does not begin with `Subject: ...`"),
        ('Subject: x\n\n{% include "nowhere.md" %}', "there is no nowhere.md"),
        ("Subject: x\n\n{{ 1 / 0 }}", "ZeroDivisionError"),
        ("Subject: {{ traking_number }}\n\n{{ carier }}", "no mail of this kind has carier, traking_number"),
        ("Subject: x\n\n{% include 'order_shipped.md' %}", "RecursionError"),
    ],
)
def test_NTF_4_NTF_9_a_sellers_broken_template_keeps_nobody_from_being_told(
    tmp_path: Path, broken: str, why: str
) -> None:
    (tmp_path / "acme" / "en").mkdir(parents=True)
    (tmp_path / "acme" / "en" / "order_shipped.md").write_text(broken)
    letter = write("order_shipped", FACTS, custom=tmp_path)
    assert letter.subject == "Order 1001 has shipped"
    assert letter.instead_of is not None
    assert letter.instead_of.name == "acme/en/order_shipped.md"
    assert letter.instead_of.why.startswith(why)


def test_NTF_9_what_a_broken_template_includes_is_named(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir(parents=True)
    (tmp_path / "en" / "message_out_of_stock.md").write_text("Dear {{ buyer_name }},\n{% if %}")
    letter = write("order_voided", ALWAYS, custom=tmp_path)
    assert letter.instead_of is not None
    assert letter.instead_of.name == "en/message_out_of_stock.md"
    assert letter.instead_of.why.startswith("line 2: ")


def test_NTF_9_a_template_that_is_mended_is_taken_again(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir(parents=True)
    file = tmp_path / "en" / "order_shipped.md"
    file.write_text("{{")
    letters = Letters(tmp_path)
    assert letters.write("order_shipped", "acme", "en", FACTS, "x").instead_of is not None
    file.write_text("Subject: {{ carrier }} has it, {{ name }}\n")
    mended = letters.write("order_shipped", "acme", "en", FACTS, "x")
    assert (mended.subject.partition(" has")[0], mended.instead_of) == (FACTS["carrier"], None)


def test_NTF_4_a_sellers_template_sees_its_facts_and_nothing_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "acme" / "en").mkdir(parents=True)
    template = "Subject: x\n\n{{ ''.__class__.__mro__ }} {{ money.__globals__ }}"
    (tmp_path / "acme" / "en" / "order_shipped.md").write_text(template)
    assert write("order_shipped", FACTS, custom=tmp_path).text == "— —\n"


def test_NTF_1_a_template_that_does_not_exist_says_so(tmp_path: Path) -> None:
    for custom in (None, tmp_path):
        with pytest.raises(NoLetter, match=r"template nonsense\.md does not work: there is no nonsense\.md"):
            write("nonsense", FACTS, custom=custom)


@pytest.mark.parametrize(
    "value",
    [
        "[click](https://evil.example)",
        "<https://evil.example>",
        "<script>alert(1)</script>",
        "![x](https://evil.example/p.png)",
        "# Heading",
        "x\n\n---\n\n# From the bank\n\n* pay here",
        "&lt;b&gt; `code` *bold* _it_ ~~s~~ | a | b |",
        "1. one\n2. two",
        "    indented code",
        "{{ 7 * 7 }}{% include 'layout.html' %}",
        "end\\",
    ],
)
def test_NTF_1_a_value_is_never_more_than_text(value: str) -> None:
    letter = write(
        "return_rejected", ALWAYS | {"reason": value, "items": value, "name": value, "seller_name": value}
    )
    body = letter.html.partition("<main>")[2].partition("</main>")[0]
    assert set(re.findall(r"</?([a-z0-9]+)", body)) <= {"p", "br"}
    assert "49" not in body
    assert " ".join(value.split()) in letter.text


def test_NTF_1_a_value_makes_no_second_header_and_no_hidden_text() -> None:
    letter = write("order_shipped", ALWAYS | {"order_id": "1\r\nBcc: all@x.example\u202egnp.exe\x00"})
    assert letter.subject == "Order 1 Bcc: all@x.examplegnp.exe has shipped"
    assert "\u202e" not in letter.text + letter.html


@pytest.mark.parametrize(
    ("address", "linked"),
    [
        ("https://labels.example/a_(1)?x=1&y=2", True),
        ("javascript:alert(1)", False),
        ("https://labels.example/ <b>", False),
        ("https://labels.example/a)[b](https://evil.example", True),
        ("https://[broken", False),
    ],
)
def test_RET_5_only_a_web_address_becomes_a_link_and_only_to_itself(address: str, linked: bool) -> None:
    letter = write("rma_for_buyer", FACTS | {"label_url": address})
    links = re.findall(r'href="([^"]*)"', letter.html)
    assert len(links) == int(linked)
    assert all(link.startswith("https://labels.example/a") for link in links)
    assert address in letter.text


def test_RET_9_the_buyer_reads_number_and_address_line_by_line() -> None:
    letter = write("rma_for_buyer", FACTS)
    assert "RMA number: RMA-7" in letter.text
    assert "BrakeCo\nDock 4\nReno NV 89501" in letter.text
    assert "BrakeCo<br />\nDock 4<br />" in letter.html
    assert "by Thursday, 30 April 2026, 12:00 UTC at the latest" in letter.text
