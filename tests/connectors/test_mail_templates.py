"""Templates and plans agree on what a mail tells: no fact that nobody passes, none that nobody shows (NTF-1)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, meta

from activities.mail.reader import ALWAYS
from activities.mail.rendering import BUILT_IN

ROOT = Path(__file__).parent.parent.parent
LANGUAGES = sorted(path.name for path in BUILT_IN.iterdir() if path.is_dir())
OF_EVERY_TEMPLATE = {"money"}
HOW_IT_TRAVELS = {"lines", "quotes", "topic"}
"""Arguments of `notify` that are no facts: they become `items`, what is quoted, what other cases may tell too."""
TEMPLATES = [(path.parent.name, path.stem) for path in sorted(BUILT_IN.glob("*/*.md"))]


def calls_of_notify() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted((ROOT / "workflows").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "notify":
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def passed() -> dict[str, set[str]]:
    """Facts by template, of all calls in all plans."""
    found: dict[str, set[str]] = {}
    for where, call in calls_of_notify():
        template = call.args[1]
        assert isinstance(template, ast.Constant), f"{where}: say the template's name, so that it can be checked"
        names = [keyword.arg for keyword in call.keywords]
        assert None not in names, f"{where}: name each fact, so that it can be checked"
        found.setdefault(str(template.value), set()).update({str(name) for name in names} - HOW_IT_TRAVELS)
    return found


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
        assert passed()[template] == declared(language, template)


def test_NTF_1_every_mail_of_a_plan_has_its_template_and_every_template_its_plan() -> None:
    assert set(passed()) == {path.stem for path in (BUILT_IN / "en").glob("[!m]*.md")} | {"mail_undelivered"}


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_NTF_1_a_translation_is_of_a_template_that_there_is(language: str) -> None:
    assert {path.name for path in (BUILT_IN / language).glob("*.md")} <= {
        path.name for path in (BUILT_IN / "en").glob("*.md")
    }
