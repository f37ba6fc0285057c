"""Templates and plans agree on what a mail tells: no fact that nobody passes, none that nobody shows (NTF-1)."""

import re

import pytest
from jinja2 import Environment, FileSystemLoader, meta

from activities.mail.reader import ALWAYS
from activities.mail.rendering import BUILT_IN
from tests.connectors.mail_calls import FACTS_PASSED

LANGUAGES = sorted(path.name for path in BUILT_IN.iterdir() if path.is_dir())
OF_EVERY_TEMPLATE = {"money"}
TEMPLATES = [(path.parent.name, path.stem) for path in sorted(BUILT_IN.glob("*/*.md"))]


def declared(language: str, template: str) -> set[str]:
    first = (BUILT_IN / language / f"{template}.md").read_text().splitlines()[0]
    stated = re.fullmatch(r"\{# Facts: (.*)\. #\}", first)
    assert stated is not None, "a template begins with its facts"
    names = re.sub(r"\([^)]*\)", "", stated[1]).split(",")
    return {name.strip() for name in names} - {"none"}


def shown(language: str, template: str) -> set[str]:
    """Facts that it uses, with those of the messages that it includes."""
    environment = Environment(loader=FileSystemLoader([BUILT_IN / language, BUILT_IN / "en"]), autoescape=True)
    environment.filters |= dict.fromkeys(
        ("several_lines", "address_lines", "quoted", "web_address", "day", "moment"), str
    )
    tree = environment.parse((BUILT_IN / language / f"{template}.md").read_text())
    found = meta.find_undeclared_variables(tree)
    for included in meta.find_referenced_templates(tree):
        assert included is not None
        found |= shown(language, included.removesuffix(".md"))
    return found - OF_EVERY_TEMPLATE


@pytest.mark.parametrize(("language", "template"), TEMPLATES)
def test_NTF_1_a_template_declares_what_it_shows(language: str, template: str) -> None:
    assert declared(language, template) <= shown(language, template)
    assert shown(language, template) - set(ALWAYS) <= declared(language, template)


@pytest.mark.parametrize(("language", "template"), TEMPLATES)
def test_NTF_1_every_fact_of_a_template_is_passed_and_every_fact_that_is_passed_is_shown(
    language: str, template: str
) -> None:
    if template.startswith("message_"):
        assert declared(language, template) == set()
    else:
        assert FACTS_PASSED[template] == declared(language, template)


def test_NTF_1_every_mail_of_a_plan_has_its_template_and_every_template_its_plan() -> None:
    assert set(FACTS_PASSED) == {path.stem for path in (BUILT_IN / "en").glob("[!m]*.md")} | {"mail_undelivered"}


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_NTF_1_a_translation_is_of_a_template_that_there_is(language: str) -> None:
    assert {path.name for path in (BUILT_IN / language).glob("*.md")} <= {
        path.name for path in (BUILT_IN / "en").glob("*.md")
    }
