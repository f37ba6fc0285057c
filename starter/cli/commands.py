"""How the command line is put together: what a command needs is imported when it is called, and not before.

`backhaul --help` reads one table (`starter.cli.assembly`). A command's own file is imported when the command is
called; it says what may be typed, and imports nothing but typer and models. What a command does stands in other
files, which its body imports: the Temporal client, the database and rich take seconds to load.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from models.failures import HANDLING, BackhaulError, Category, InvalidInput, Problem
from models.text import in_plain_words, unfit

OPTIONS: Final = "Options"


def command_group(help_text: str) -> typer.Typer:
    """A group of commands, as `order` is."""
    return typer.Typer(no_args_is_help=True, rich_markup_mode=None, add_completion=False, help=help_text)


class SectionedCommand(TyperCommand):
    """A command whose help shows its options in the sections that they name (`rich_help_panel`)."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], OPTIONS: []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            is_argument = param.param_type_name == "argument"
            section = "Arguments" if is_argument else getattr(param, "rich_help_panel", None) or OPTIONS
            sections.setdefault(section, []).append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class LaterCommand(TyperCommand):
    """A command, or a group of them, that is known by one line until it is called.

    `where`: `package.module:name` of its function or typer app. `section`: where the help lists it.
    """

    def __init__(self, name: str, where: str, line: str, section: str) -> None:
        super().__init__(name, help=line, short_help=line, rich_help_panel=section)
        self.where = where

    def loaded(self) -> TyperCommand | TyperGroup:
        """The command itself."""
        module, _, name = self.where.partition(":")
        found = getattr(import_module(module), name)
        if isinstance(found, typer.Typer):
            return typer.main.get_group(found)
        alone = typer.Typer(rich_markup_mode=None, add_completion=False)
        alone.command(self.name)(found)
        command = typer.main.get_command(alone)
        assert isinstance(command, TyperCommand)
        return command


class BackhaulCommands(TyperGroup):
    """The whole command line: failures become lines and exit codes, never stack traces."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.loaded() if isinstance(command, LaterCommand) else command, rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = in_plain_words(error.message)
            raise

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            section = getattr(command, "rich_help_panel", None) or "Commands"
            sections.setdefault(section, []).append((name, command.short_help or ""))
        for title, lines in sections.items():
            with formatter.section(title):
                formatter.write_dl(lines, col_max=14)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            _require_fit(kwargs.get("args") or (args[0] if args and args[0] else sys.argv[1:]))
            return super().main(*args, **kwargs)
        except (typer.Exit, typer.Abort, SystemExit):
            raise
        except Exception as error:
            if _debugging():
                raise
            failure = _foreseen(error)
            _say(failure)
            code = HANDLING[Category.INTERNAL].exit_code
            sys.exit(failure.exit_code if isinstance(failure, BackhaulError) else code)


def _foreseen(error: Exception) -> Exception:
    """A file or folder that can't be read or written is the caller's to mend, wherever it is met."""
    if isinstance(error, OSError) and error.filename is not None:
        return InvalidInput("backhaul", [Problem(str(error.filename), f"can't be used: {error.strerror}")])
    return error


def _require_fit(arguments: Sequence[str]) -> None:
    """What is typed comes from elsewhere too, by scripts. Raises InvalidInput for control characters in it."""
    for position, argument in enumerate(arguments, start=1):
        if found := unfit(argument):
            why = f"holds the control character {found}; take it out"
            raise InvalidInput("backhaul", [Problem(f"argument {position}", why)])


def _say(error: Exception) -> None:
    from starter.cli.output import failure_lines, show_failure

    for line in failure_lines(error):
        show_failure(line)


def _debugging() -> bool:
    return os.environ.get("BACKHAUL_DEBUG", "") not in ("", "0")
