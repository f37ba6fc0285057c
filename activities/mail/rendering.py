"""Letters from templates: Markdown with Jinja in, subject, plain text and HTML out.

A template is looked up in the seller's folder, the installation's, the built-in ones of the language and the
built-in English ones, in this order; so is what it includes (NTF-4). Values never become markup: what a
buyer typed can be no link, no heading and no header line.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from string import punctuation
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from jinja2 import ChainableUndefined, Environment, FileSystemLoader, Undefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from markdown_it import MarkdownIt
from markupsafe import Markup

from activities.mail.amounts import amount_in_words
from activities.mail.dates import day_in_words, moment_in_words
from activities.mail.letter import Letter, NoLetter, one_line
from activities.mail.reader import ALWAYS
from activities.mail.template_faults import TemplateFault, broken_template, shown_facts

BUILT_IN: Final = Path(__file__).parent / "templates"
DEFAULT_LANGUAGE: Final = "en"
NOT_STATED: Final = "—"
"""What a template shows for a fact that the mail doesn't have."""
LONGEST_SUBJECT: Final = 200

_SUBJECT = "Subject:"
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_MARKUP = re.compile(f"([{re.escape(punctuation)}])")

log = structlog.get_logger(__name__)


TIME_ZONE: Final = "_time_zone"
LANGUAGE: Final = "_language"
"""Where a template finds what its dates are told in; it can't be a fact of a mail."""


class _Ready(str):
    """Text that a filter made safe already."""

    __slots__ = ()


class Letters:
    """Writes letters. `custom`: the installation's own templates, which win over the built-in ones."""

    def __init__(self, custom: Path | None = None) -> None:
        self._custom = custom
        self._markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})
        layout = Environment(loader=FileSystemLoader(BUILT_IN), autoescape=True)
        self._layout = layout.get_template("layout.html")
        self._environments = lru_cache(maxsize=512)(_environments)

    def write(
        self,
        template: str,
        seller_id: str | None,
        language: str,
        facts: Mapping[str, str],
        sender: str,
        *,
        time_zone: str = "UTC",
    ) -> Letter:
        """The letter `template` of this seller in this language (`de`, `pt-BR`), with dates in this zone (NTF-10).
        `sender` signs the HTML part.

        For a broken template of the installation's the built-in one is taken, and the letter says so: a slip in a
        wording keeps nobody from being told. Raises NoLetter when that does not work either.
        """
        spoken = _languages(language)
        built_in = tuple(BUILT_IN / one for one in (*spoken, DEFAULT_LANGUAGE))
        known = {**facts, TIME_ZONE: time_zone}
        broken = None
        if self._custom is not None:
            homes = [self._custom / seller_id] if seller_id else []
            own = [home / one for home in (*homes, self._custom) for one in spoken]
            try:
                self._require_known_facts(own, built_in, template, facts)
                return self._render((*own, *built_in), template, known, sender)
            except Exception as error:  # whoever writes templates may make any mistake in them
                broken = broken_template(error, template, own, self._custom)
                log.warning("mail template does not work", template=broken.name, why=broken.why)
        try:
            letter = self._render(built_in, template, known, sender)
        except Exception as error:
            raise NoLetter(broken or broken_template(error, template, built_in, BUILT_IN)) from None
        return letter._replace(instead_of=broken)

    def _require_known_facts(
        self, own: Sequence[Path], built_in: Sequence[Path], template: str, facts: Mapping[str, str]
    ) -> None:
        """Raises TemplateFault for a fact that no such mail ever has: a slip, which would show as nothing."""
        ours, _ = self._environments((*own, *built_in))
        shipped, _ = self._environments(tuple(built_in))
        shown = shown_facts(ours, f"{template}.md") - shown_facts(shipped, f"{template}.md")
        if unknown := sorted(shown - facts.keys() - set(ALWAYS)):
            raise TemplateFault(f"no mail of this kind has {', '.join(unknown)}")

    def _render(self, folders: tuple[Path, ...], template: str, facts: Mapping[str, str], sender: str) -> Letter:
        plain, markdown = self._environments(folders)
        found = plain.get_template(f"{template}.md")
        language = Path(found.filename or "").parent.name  # a date in another language than its sentence is odd
        known = {**facts, LANGUAGE: language}
        subject, text = _parted(found.render(known))
        _, marked_up = _parted(markdown.get_template(f"{template}.md").render(known))
        html = self._layout.render(
            language=language,
            subject=subject,
            sender=sender,
            body=Markup(self._markdown.render(marked_up)),  # values were escaped above
        )
        return Letter(subject, text, html)


@cache
def letters(custom: Path | None) -> Letters:
    """The letters of this installation."""
    return Letters(custom)


def _languages(language: str) -> tuple[str, ...]:
    """The folders of a language, the most special first: `pt-BR`, `pt`."""
    parts = language.replace("_", "-").split("-")
    if not all(part.isascii() and part.isalnum() for part in parts):
        return ()
    return tuple("-".join(parts[:count]) for count in range(len(parts), 0, -1))


def _parted(rendered: str) -> tuple[str, str]:
    """Subject and body. Raises TemplateFault if the template doesn't begin with its subject."""
    # What a condition left out has left its blank lines behind.
    head, _, body = _BLANK_LINES.sub("\n\n", rendered).strip().partition("\n")
    if not head.startswith(_SUBJECT):
        raise TemplateFault(f"it does not begin with `{_SUBJECT} ...`")
    return one_line(head.removeprefix(_SUBJECT))[:LONGEST_SUBJECT], body.strip() + "\n"


def _environments(folders: tuple[Path, ...]) -> tuple[Environment, Environment]:
    """Two ways to render the same template: values as plain text, and values as text inside Markdown."""
    return (
        _environment(folders, lambda text: text, lambda address: address),
        _environment(folders, _unmarked, lambda address: f"[{address}]({address})"),
    )


def _environment(
    folders: tuple[Path, ...],
    escape: Callable[[str], str],
    link: Callable[[str], str],
) -> Environment:
    def shown(value: Any) -> Any:
        if isinstance(value, Undefined) or value is None:
            return NOT_STATED
        return value if isinstance(value, _Ready) else escape(one_line(str(value)))

    def several_lines(value: Any) -> Any:
        if isinstance(value, Undefined):
            return value
        return _Ready("\n".join(escape(line) for line in map(one_line, str(value).splitlines()) if line))

    def address(value: Any) -> Any:
        if isinstance(value, Undefined) or not _is_web_address(str(value)):
            return value
        return _Ready(link(escape(str(value))))

    environment = SandboxedEnvironment(
        loader=FileSystemLoader(folders),
        undefined=ChainableUndefined,
        finalize=shown,
        keep_trailing_newline=True,  # so that a line under an included message stays apart from it
        autoescape=False,  # `shown` escapes for what the text becomes: not HTML yet
    )

    def quoted(value: Any) -> Any:
        if isinstance(value, Undefined):
            return value
        return _Ready(
            "\n".join(f"> {escape(one_line(line))}".rstrip() for line in str(value).strip().splitlines())
        )

    environment.filters.update(
        several_lines=several_lines,
        address_lines=lambda value: several_lines(_on_lines(value)),
        quoted=quoted,
        web_address=address,
        day=_day,
        moment=_moment,
    )
    environment.globals["money"] = _money
    return environment


def _unmarked(text: str) -> str:
    """Every mark that Markdown or HTML may read, escaped."""
    return _MARKUP.sub(r"\\\1", text)


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and value == one_line(value).replace(" ", "")


@pass_context
def _money(context: Context, amount: Any, currency: Any) -> Any:
    """`31.50 USD`, or `31,50 USD` where the reader's language writes it so; the amount alone if the currency isn't
    stated."""
    if isinstance(amount, Undefined):
        return amount
    said = amount_in_words(str(amount), str(context.get(LANGUAGE)))
    return said if isinstance(currency, Undefined) else f"{said} {currency}"


def _on_lines(value: Any) -> Any:
    """A postal address that somebody wrote in one line, part by part."""
    if isinstance(value, Undefined) or "\n" in str(value).strip():
        return value
    return "\n".join(part.strip() for part in str(value).split(","))


@pass_context
def _day(context: Context, value: Any) -> Any:
    if isinstance(value, Undefined):
        return value
    return day_in_words(str(value), str(context.get(TIME_ZONE)), str(context.get(LANGUAGE)))


@pass_context
def _moment(context: Context, value: Any) -> Any:
    if isinstance(value, Undefined):
        return value
    return moment_in_words(str(value), str(context.get(TIME_ZONE)), str(context.get(LANGUAGE)))
