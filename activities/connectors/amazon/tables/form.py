"""What a table of Amazon's is known by: its columns, under whatever spelling."""

from collections.abc import Mapping
from functools import cached_property

from models.amazon.returned_items import plain_word
from models.message import Message


class TableForm(Message):
    """A kind of report. Nothing but these columns is looked at: others, as those with the buyer's name or address,
    are neither kept nor logged."""

    what: str
    """`returns report`."""
    names: Mapping[str, tuple[str, ...]]
    """Each field, in the order in which cells are given; how Amazon names it, and how elsewhere."""
    needed: tuple[str, ...]
    """A file without these columns is none."""
    any_of: tuple[str, ...] = ()
    """One of these columns at least."""

    @cached_property
    def fields(self) -> tuple[str, ...]:
        return tuple(self.names)

    @cached_property
    def position(self) -> dict[str, int]:
        """Place in `fields` by the name without case, blanks, hyphens and underscores."""
        return {plain_word(name): place for place, names in enumerate(self.names.values()) for name in names}

    def title_of(self, field: str) -> str:
        """As Amazon names the column; empty: the row as a whole."""
        return self.names[field][0] if field else ""
