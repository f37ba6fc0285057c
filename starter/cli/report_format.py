"""In which form a report is given."""

from enum import StrEnum


class Format(StrEnum):
    """Chosen by `--format`."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"
    """The page of all reports."""
