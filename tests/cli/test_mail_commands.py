"""Each command that a mail names is one: whoever copies it from there gets what the mail says (NTF-1)."""

import contextlib
import shlex
from collections.abc import Iterator

import pytest
import typer

from activities.mail.rendering import BUILT_IN
from tests.cli.test_documentation import parse
from tests.connectors.test_letters import EVERY, FACTS, write

SHORT = {name: value for name, value in FACTS.items() if name != "page"}
"""As a mail is where sellers have no page: it names commands."""


def commands() -> Iterator[tuple[str, str, list[str]]]:
    """Language, template and arguments of each line that begins with `backhaul`."""
    for language, template in EVERY:
        if not (BUILT_IN / language / f"{template}.md").exists():
            continue
        for direction in ("seller_to_buyer", "broker_to_seller"):
            letter = write(template, SHORT | {"direction": direction}, language)
            for line in letter.text.splitlines():
                if line.startswith("backhaul "):
                    yield language, template, shlex.split(line.replace("...", "7"))[1:]


FOUND = list(commands())


def test_NTF_1_mails_name_commands_in_each_language() -> None:
    named = {
        language: {template for where, template, _ in FOUND if where == language} for language in ("en", "de")
    }
    assert len(named["de"]) > 8
    assert named["de"] <= named["en"]


@pytest.mark.parametrize(("language", "template", "arguments"), FOUND)
def test_NTF_1_each_command_that_a_mail_names_is_one(language: str, template: str, arguments: list[str]) -> None:
    with contextlib.suppress(typer.Exit):  # of `--help`
        parse(arguments)
