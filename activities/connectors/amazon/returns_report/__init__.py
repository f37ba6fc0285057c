"""Amazon's returns reports, XML and tab separated: read in one pass, whatever their size (AMZ-1).

`read_returns_report(stream)` gives `ReturnedItem`, and `RejectedRow` where a row can't be used; a file that is no
returns report raises InvalidInput, which says what it seems to be.
"""

from activities.connectors.amazon.returns_report.reading import Row, read_returns_report
from activities.connectors.amazon.returns_report.units import added_up, gathered
from activities.connectors.amazon.tables import Refusal

__all__ = ["Refusal", "Row", "added_up", "gathered", "read_returns_report"]
