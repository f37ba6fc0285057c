"""Amazon's reports as tab separated tables: columns in any order and spelling, bad rows kept apart.

`read_table(stream, form, read_row)` gives what `read_row` makes of each row, or a `RejectedRow`;
`opened(stream, what)` unpacks, `require_text(head, what)` refuses what is no table with what it seems to be.
"""

from activities.connectors.amazon.tables.cells import Unreadable, rejected, require_fit
from activities.connectors.amazon.tables.form import TableForm
from activities.connectors.amazon.tables.opening import HEAD, Refusal, opened, require_text
from activities.connectors.amazon.tables.reading import LONGEST_LINE, read_table

__all__ = [
    "HEAD",
    "LONGEST_LINE",
    "Refusal",
    "TableForm",
    "Unreadable",
    "opened",
    "read_table",
    "rejected",
    "require_fit",
    "require_text",
]
