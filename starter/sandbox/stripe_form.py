"""Stripe's form encoding: `metadata[order_id]=1001&expand[]=charge` read into nested names."""

import re
from typing import Any
from urllib.parse import parse_qsl

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")


def parse_form(encoded: str) -> dict[str, Any]:
    """`a=1&m[k]=v&l[]=x` -> `{"a": "1", "m": {"k": "v"}, "l": ["x"]}`.

    Every value stays a string. Raises ValueError for a name that can't be read or that is used in two ways.
    """
    form: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        match = _NAME.match(name)
        if match is None:
            raise ValueError(f"Invalid parameter name: {name}")
        _place(form, [match[1], *_PART.findall(match[2])], value, name)
    return form


def _place(form: dict[str, Any], path: list[str], value: str, name: str) -> None:
    here: Any = form
    for i, step in enumerate(path):
        last = i == len(path) - 1
        if isinstance(here, list):
            if step or not last:
                raise ValueError(f"Invalid parameter name: {name}")
            here.append(value)
            return
        if last:
            if isinstance(here.get(step), dict | list):
                raise ValueError(f"Invalid parameter name: {name}")
            here[step] = value
            return
        here = here.setdefault(step, [] if path[i + 1] == "" else {})
        if not isinstance(here, dict | list):
            raise ValueError(f"Invalid parameter name: {name}")
