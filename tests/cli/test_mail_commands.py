"""Each command that a mail names is one: whoever copies it from there gets what the mail says (NTF-1)."""

import contextlib
import shlex
from collections.abc import Iterator

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


def test_NTF_1_each_command_that_a_mail_names_is_one_in_each_language() -> None:
    named: dict[str, set[str]] = {"en": set(), "de": set()}
    typed: set[tuple[str, ...]] = set()
    for language, template, arguments in commands():
        named[language].add(template)
        typed.add(tuple(arguments))
    for one in typed:
        with contextlib.suppress(typer.Exit):  # of `--help`
            parse(list(one))
    assert len(named["de"]) > 8
    assert named["de"] <= named["en"]
