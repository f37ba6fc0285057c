"""Which mails the plans send: to whom, with which facts. Read from their source, so that none is overlooked."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent.parent
HOW_IT_TRAVELS: Final = {"lines", "quotes", "topic"}
"""Arguments of `notify` that are no facts: they become `items`, what is quoted, what other cases may tell too."""


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted((ROOT / "workflows").rglob("*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "notify(" in text else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "notify":
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def _mails() -> Iterator[tuple[str, str, set[str]]]:
    """Template, reader and facts of each call in each plan."""
    for where, call in _calls():
        choice, reader = call.args[1:3]
        templates = [choice.body, choice.orelse] if isinstance(choice, ast.IfExp) else [choice]
        names = {keyword.arg for keyword in call.keywords}
        assert None not in names, f"{where}: name each fact, so that it can be checked"
        assert isinstance(reader, ast.Attribute), f"{where}: say the reader, so that it can be checked"
        for template in templates:
            assert isinstance(template, ast.Constant), f"{where}: say the template, so that it can be checked"
            yield str(template.value), reader.attr.lower(), {str(name) for name in names} - HOW_IT_TRAVELS


def _by_template() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    facts: dict[str, set[str]] = {}
    readers: dict[str, set[str]] = {}
    for template, reader, said in _mails():
        facts.setdefault(template, set()).update(said)
        readers.setdefault(template, set()).add(reader)
    return facts, readers


FACTS_PASSED, READERS = _by_template()


def templates_for(reader: str) -> set[str]:
    """`reader`: buyer, seller, supplier or staff."""
    return {template for template, readers in READERS.items() if reader in readers}
