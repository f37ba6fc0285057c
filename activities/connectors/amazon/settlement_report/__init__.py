"""Amazon's settlement report, the flat file V2: read in one pass, whatever its size (AMZ-8).

`SettlementReport(stream)` has its head, and gives `SettledAmount`, or `RejectedRow` where a row can't be used; a
file that is no settlement report raises InvalidInput, which says what it seems to be.
"""

from activities.connectors.amazon.settlement_report.reading import SettlementReport
from activities.connectors.amazon.tables import Refusal

__all__ = ["Refusal", "SettlementReport"]
