"""When the case of an orphan is looked for, as settings and requests say it (RET-20)."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

_A_MONTH: Final = 30 * 24 * 60
FIRST_PAUSES: Final = (1, 60, 360)
"""Minutes after the first look, the second, the third."""

LookPauses = Annotated[
    tuple[Annotated[int, Field(ge=1, le=_A_MONTH)], ...],
    Field(max_length=20),
]
"""Minutes, up to thirty days each; none: it looks once a day from the start."""


def _listed(text: Any) -> Any:
    """`1, 60, 360`, as an environment variable says it; empty: none."""
    if not isinstance(text, str):
        return text
    return [part.strip() for part in text.split(",")] if text.strip() else []


ListedPauses = Annotated[LookPauses, BeforeValidator(_listed)]
