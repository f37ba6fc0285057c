"""YAML as people write settings and orders in it, and nothing that makes a small file large.

No anchors and aliases (a few hundred bytes of them stand for gigabytes), no tags (`!!int`), no key twice in one
place, no nesting beyond what anybody means, and none of YAML's guesses at dates, yes and no, octals and minutes:
`NO` is Norway, a date stays as it was typed, and `010` is neither eight nor ten.
"""

import json
import re
from typing import Any, Final

import yaml

from models.failures import InvalidInput, Problem
from models.text import DEEPEST

LONGEST: Final = 32 * 1024 * 1024
"""Characters of a document: far more than any list of orders that people send."""


def read_yaml(name: str, text: str | bytes) -> Any:
    """What the document says. Raises InvalidInput with the document's name, the line, and what is wrong."""
    try:
        return yaml.load(_readable(name, text), Loader=_PlainYaml)
    except yaml.YAMLError as error:
        raise _not_yaml(name, error) from None
    except ValueError:
        raise InvalidInput(name, [Problem("(file)", _TOO_LONG)]) from None


def yaml_nodes(name: str, text: str) -> yaml.Node | None:
    """The document with the line of each part; JSON is YAML, nearly. Raises InvalidInput as `read_yaml`."""
    try:
        return yaml.compose(_readable(name, text), Loader=_PlainYaml)
    except yaml.YAMLError as error:
        raise _not_yaml(name, error) from None


def read_json(name: str, text: str | bytes) -> Any:
    """What the document says. Raises InvalidInput with the document's name, the line, and what is wrong."""
    try:
        return json.loads(_readable(name, text), object_pairs_hook=_each_once)
    except _Twice as error:
        raise InvalidInput(name, [Problem("(file)", str(error))]) from None
    except json.JSONDecodeError as error:
        raise InvalidInput(name, [Problem(f"line {error.lineno}", f"not JSON: {error.msg}")]) from None
    except UnicodeDecodeError:
        raise InvalidInput(name, [Problem("(file)", "is not UTF-8 text")]) from None
    except ValueError:
        raise InvalidInput(name, [Problem("(file)", _TOO_LONG)]) from None
    except RecursionError:
        raise InvalidInput(name, [Problem("(file)", _TOO_DEEP)]) from None


_TOO_LONG: Final = "a number in it has too many digits"
_TOO_DEEP: Final = f"nothing may be nested more than {DEEPEST} times"


def _readable(name: str, text: str | bytes) -> str | bytes:
    if len(text) > LONGEST:
        raise InvalidInput(name, [Problem("(file)", f"is longer than {LONGEST} characters; send it in parts")])
    # Some editors begin each file with a byte order mark.
    return text.removeprefix("\ufeff") if isinstance(text, str) else text


class _Twice(Exception):
    """A key stands twice in one object: the text says which."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(_twice(name))
        found[name] = value
    return found


def _twice(key: str) -> str:
    return f"{key[:100]} stands twice in one place; which one is meant?"


class _Refused(yaml.MarkedYAMLError):
    """It is YAML, and we don't take it."""


class _PlainYaml(yaml.SafeLoader):
    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            why = "anchors (&name) and aliases (*name) are not taken; write the value out"
            raise _Refused(problem=why, problem_mark=event.start_mark)
        if getattr(event, "tag", None) is not None:
            why = "tags (such as !!int) are not taken; write the value alone, a text in quotes"
            raise _Refused(problem=why, problem_mark=event.start_mark)
        self._depth += 1
        try:
            if self._depth > DEEPEST:
                raise _Refused(problem=_TOO_DEEP, problem_mark=event.start_mark)
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _Refused(problem=_twice(key.value), problem_mark=key.start_mark)
                seen.add(key.value)
        return node


_PlainYaml.yaml_implicit_resolvers = {}
for _kind, _form, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|false)$", ["t", "f"]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?$", list("-+0123456789")),
):
    _PlainYaml.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(_form), _first)


def _not_yaml(name: str, error: yaml.YAMLError) -> InvalidInput:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}" if mark is not None else "(file)"
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
    return InvalidInput(name, [Problem(where, said if isinstance(error, _Refused) else f"not YAML: {said}")])
