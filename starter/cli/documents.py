"""Files that people write: JSON or YAML, one document or a list, with the line of each wrong field."""

import sys
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from models.failures import InvalidInput, NotFound, Problem
from models.message import Message, problems_of
from models.plain_yaml import read_json, read_yaml, yaml_nodes

Model = TypeVar("Model", bound=Message)


class Document:
    """The text of a file, and what it says."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text
        self.data = self._parse()

    def entries(self) -> list[Any]:
        """The list, or the only entry."""
        return self.data if isinstance(self.data, list) else [self.data]

    def read(self, model: type[Model]) -> list[Model]:
        """Every entry as a model, unknown fields refused. Raises InvalidInput with all faults of all entries."""
        models: list[Model] = []
        problems: list[Problem] = []
        for number, entry in enumerate(self.entries()):
            try:
                models.append(model.at_the_door(entry))
            except InvalidInput as error:
                problems += [self._placed(number, problem) for problem in _innermost(error.problems)]
        if problems:
            raise InvalidInput(self.name, problems)
        if not models:
            raise InvalidInput(self.name, [Problem("(file)", "there is nothing in it")])
        return models

    def refused(self, error: InvalidInput) -> InvalidInput:
        """What was found wrong with entries later, by `number.field`, as faults of this file."""
        placed = []
        for problem in error.problems:
            number, _, field = problem.field.partition(".")
            placed.append(self._placed(int(number), Problem(field, problem.message)))
        return InvalidInput(self.name, placed)

    @cached_property
    def _nodes(self) -> yaml.Node | None:
        try:
            return yaml_nodes(self.name, self._text)
        except InvalidInput:
            return None  # JSON that is no YAML

    def _parse(self) -> Any:
        looks_like_json = self._text.lstrip().startswith(("{", "["))
        if self.name.endswith(".json") or (looks_like_json and not self.name.endswith((".yaml", ".yml"))):
            return read_json(self.name, self._text)
        return read_yaml(self.name, self._text)

    def _placed(self, number: int, problem: Problem) -> Problem:
        path: list[str | int] = [number] if isinstance(self.data, list) else []
        line = self._line_of([*path, *_keys(problem.field)])
        entry = f"entry {number + 1}, " if isinstance(self.data, list) else ""
        return Problem(f"{entry}{f'line {line}, ' if line else ''}{problem.field}", problem.message)

    def _line_of(self, path: list[str | int]) -> int | None:
        """The line of the field, or of the nearest thing around it. JSON is read as YAML, which it nearly is."""
        node = self._nodes
        line: int | None = None
        for key in path:
            if node is None:
                break
            line = node.start_mark.line + 1
            if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
            elif isinstance(node, yaml.MappingNode):
                found = [(name, value) for name, value in node.value if name.value == str(key)]
                if not found:
                    return line
                line, node = found[0][0].start_mark.line + 1, found[0][1]
            else:
                return line
        return node.start_mark.line + 1 if line is None and node is not None else line


def _innermost(problems: list[Problem]) -> list[Problem]:
    """Without those that only follow from others: a list that is short because its entries are wrong."""
    return [
        problem
        for problem in problems
        if not any(other.field.startswith(f"{problem.field}.") for other in problems)
    ]


def _keys(field: str) -> list[str | int]:
    if field == "(message)":
        return []
    return [int(part) if part.isdigit() else part for part in field.split(".")]


def open_document(path: Path) -> Document:
    """Read a file; `-` is standard input. Raises NotFound, InvalidInput."""
    if str(path) == "-":
        return Document("(standard input)", sys.stdin.read())
    try:
        return Document(str(path), path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise InvalidInput(str(path), [Problem("(file)", "is not UTF-8 text")]) from None
    except OSError as error:
        raise NotFound(f"{path} can't be read: {error.strerror}") from None


def json_argument(given: str) -> dict[str, Any]:
    """One JSON object: a file, `-` for standard input, or the object itself. Raises NotFound, InvalidInput."""
    document = Document("--json", given) if given.lstrip().startswith("{") else open_document(Path(given))
    if not isinstance(document.data, dict):
        raise InvalidInput(document.name, [Problem("(message)", "must be one JSON object")])
    return document.data


def checked(model: type[Model], data: dict[str, Any], what: str) -> Model:
    """`data`, that comes from the books or the command line, as a model. Raises InvalidInput titled `what`."""
    try:
        return model.model_validate(data, extra="forbid")
    except ValidationError as error:
        raise InvalidInput(what, problems_of(error)) from None
