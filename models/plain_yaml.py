"""YAML as people write settings and orders in it, and nothing that makes a small file large.

No anchors and aliases (a few hundred bytes of them stand for gigabytes), no nesting beyond what anybody means, and
none of YAML's guesses at dates and at yes and no: `NO` is Norway, a date stays as it was typed.
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
        return json.loads(_readable(name, text))
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
    return text


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
        self._depth += 1
        try:
            if self._depth > DEEPEST:
                raise _Refused(problem=_TOO_DEEP, problem_mark=event.start_mark)
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


_PlainYaml.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PlainYaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])


def _not_yaml(name: str, error: yaml.YAMLError) -> InvalidInput:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}" if mark is not None else "(file)"
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
    return InvalidInput(name, [Problem(where, said if isinstance(error, _Refused) else f"not YAML: {said}")])
