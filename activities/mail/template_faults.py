"""What is wrong with a mail template: said without anything of the mail, so that staff may read it (NTF-9)."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, meta

from activities.mail.letter import BrokenTemplate


class TemplateFault(ValueError):
    """A template that can be rendered, and makes no letter. The text says why."""


def broken_template(error: Exception, template: str, folders: Sequence[Path], root: Path) -> BrokenTemplate:
    """Which file is at fault that the letter `template` could not be written, named from `root` on."""
    found = (folder / f"{template}.md" for folder in folders)
    file = next((path for path in found if path.is_file()), root / f"{template}.md")
    if isinstance(error, TemplateSyntaxError) and error.filename:
        file = Path(error.filename)
    return BrokenTemplate(str(file.relative_to(root)) if file.is_relative_to(root) else file.name, _why(error))


def _why(error: Exception) -> str:
    match error:
        case TemplateSyntaxError():
            return f"line {error.lineno}: {error.message}"
        case TemplateNotFound():
            return f"there is no {error.name}"
        case TemplateFault():
            return str(error)
    return type(error).__name__  # its words may quote the mail


def shown_facts(environment: Environment, name: str) -> set[str]:
    """The facts that a template shows, with those of what it includes; none where there is no such template."""
    loader = environment.loader
    assert loader is not None, "templates are files"
    try:
        source, filename, _ = loader.get_source(environment, name)
    except TemplateNotFound:
        return set()
    tree = environment.parse(source, name, filename)
    facts = meta.find_undeclared_variables(tree) - environment.globals.keys()
    for included in meta.find_referenced_templates(tree):
        facts |= shown_facts(environment, included) if included is not None else set()
    return facts
