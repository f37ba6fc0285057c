"""Why goods come back, as data (RET-21): a stable handle, words per language, what must be said with it.

Who asks may give a handle, its words, or words of their own. What is not known passes as it is, is shown, and
takes the default way: a marketplace's reasons are its own.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Protocol

from pydantic import AfterValidator, Field

from models.buyers import DEFAULT_LANGUAGE, Language
from models.forms import written_as
from models.message import Message, Text, folded

Handle = Annotated[
    str,
    written_as(
        "[a-z][a-z0-9_]{0,49}", "is a handle such as does_not_fit: small letters, digits and _, 50 at most"
    ),
]


class Reason(Message):
    """One reason. `words`: by language, as people read them."""

    handle: Handle
    words: Annotated[dict[Language, Text], Field(min_length=1, max_length=50)]
    note_required: bool = False
    """The buyer's own words, or a note on the request, must come with it."""
    evidence_required: bool = False
    """A photo, video or document must come with it (RET-19)."""
    loss_needs_evidence: bool = False
    """One must be there before it is approved that nothing comes back: nobody will inspect the goods (RET-23)."""
    in_use: bool = True
    """Otherwise new returns can't name it; those that did go on."""

    def in_language(self, language: str) -> str:
        """In this language, else in English, else in one that there is."""
        return self.words.get(language) or self.words.get(DEFAULT_LANGUAGE) or next(iter(self.words.values()))


def _reason(handle: str, en: str, de: str, **more: bool) -> Reason:
    return Reason(handle=handle, words={"en": en, "de": de}, **more)


DAMAGED: Final = "damaged"
NEVER_ARRIVED: Final = "never_arrived"
"""Handles by which losses on the way are known (RET-23)."""

DEFAULT_REASONS: Final = (
    _reason(DAMAGED, "damaged", "beschädigt", loss_needs_evidence=True),
    _reason("defective", "defective", "defekt"),
    _reason("not_as_described", "not as described", "nicht wie beschrieben"),
    _reason("wrong_item", "wrong item", "falscher Artikel"),
    _reason("missing_parts", "missing parts", "Teile fehlen"),
    _reason("does_not_fit", "does not fit", "passt nicht"),
    _reason("no_longer_needed", "no longer needed", "nicht mehr benötigt"),
    _reason("ordered_by_mistake", "ordered by mistake", "versehentlich bestellt"),
    _reason("better_price", "better price", "anderswo günstiger"),
    _reason("arrived_late", "arrived late", "zu spät angekommen"),
    _reason(NEVER_ARRIVED, "never arrived", "nie angekommen", loss_needs_evidence=True),
    _reason("withdrawal_by_law", "withdrawal by law", "Widerruf"),
    _reason("other", "other", "anderer Grund", note_required=True),
)
"""In the trade's terms. A seller's own of the same handle wins over one of these."""


def _distinct(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    seen: set[str] = set()
    for reason in reasons:
        if reason.handle in seen:
            raise ValueError(f"the reason {reason.handle} stands in two entries")
        seen.add(reason.handle)
    return reasons


OwnReasons = Annotated[tuple[Reason, ...], Field(max_length=100), AfterValidator(_distinct)]
"""A seller's own reasons, and its changes of the default ones."""


def reasons_of(own: Sequence[Reason]) -> tuple[Reason, ...]:
    """All reasons of a seller with these of its own: the default ones first, in their order."""
    every = {reason.handle: reason for reason in (*DEFAULT_REASONS, *own)}
    return tuple(every.values())


def reason_meant(said: str, own: Sequence[Reason]) -> Reason | None:
    """The reason that this names, by its handle or its words in any language; none: words of somebody's own."""
    plain = folded(said)
    every = reasons_of(own)
    for reason in every:
        if folded(reason.handle) == plain:
            return reason
    return next((reason for reason in every if plain in map(folded, reason.words.values())), None)


def means(said: str, handle: str, own: Sequence[Reason]) -> bool:
    """Whether this is the reason with the handle, however it is said."""
    meant = reason_meant(said, own)
    return meant is not None and meant.handle == handle


def reason_in_words(said: str, own: Sequence[Reason], language: str) -> str:
    """As the reader of this language reads it; what is not known stays as it was said."""
    meant = reason_meant(said, own)
    return said if meant is None else meant.in_language(language)


def reasons_in_words(own: Sequence[Reason], language: str) -> dict[str, str]:
    """Every reason in this language, by its handle and its words (`folded`)."""
    every = reasons_of(own)
    by_words = {folded(words): one.in_language(language) for one in every[::-1] for words in one.words.values()}
    return by_words | {folded(one.handle): one.in_language(language) for one in every}


class Explained(Protocol):
    """A line that comes back, with what is said of it."""

    @property
    def reason(self) -> str: ...

    @property
    def buyer_words(self) -> str | None: ...

    @property
    def evidence(self) -> Sequence[Any]: ...


def require_usable(line: Explained, own: Sequence[Reason], *, note: str | None) -> None:
    """Raise ValueError, in words, when the reason is not in use any more, or lacks what must come with it."""
    meant = reason_meant(line.reason, own)
    if meant is None:
        return
    if not meant.in_use:
        usable = ", ".join(reason.handle for reason in reasons_of(own) if reason.in_use)
        raise ValueError(f"the reason {meant.handle} is not in use any more; there are: {usable} (RET-21)")
    if meant.note_required and not (line.buyer_words or note):
        raise ValueError(f"the reason {meant.handle} needs the buyer's words or a note (RET-21)")
    if meant.evidence_required and not line.evidence:
        raise ValueError(f"the reason {meant.handle} needs evidence: a photo, video or document (RET-21)")
