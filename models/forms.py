"""Texts of a form, and the words for whoever wrote one otherwise: never a regular expression (ORD-21)."""

import re

from pydantic import AfterValidator


def written_as(form: str, words: str) -> AfterValidator:
    """A text that matches all of `form`; otherwise it is refused in these words."""
    pattern = re.compile(form)

    def require(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError(words)
        return text

    return AfterValidator(require)
