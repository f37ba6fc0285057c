"""A returns report in whatever form it comes: packed or not, XML or tab separated (AMZ-1)."""

from collections.abc import Iterator
from typing import BinaryIO

from activities.connectors.amazon.returns_report.columns import RETURNS_REPORT, item_of
from activities.connectors.amazon.returns_report.opening import is_xml
from activities.connectors.amazon.returns_report.xml_report import read_xml
from activities.connectors.amazon.tables import HEAD, opened, read_table
from models.amazon.returned_items import RejectedRow, ReturnedItem

Row = ReturnedItem | RejectedRow


def read_returns_report(stream: BinaryIO) -> Iterator[Row]:
    """Each row of a report that stands at its beginning, in bounded memory.

    Raises Refusal, an InvalidInput: at once if the file is no returns report, later if it is damaged further down.
    """
    content = opened(stream, RETURNS_REPORT.what)
    if is_xml(content.peek(HEAD)):
        yield from read_xml(content)
    else:
        yield from read_table(content, RETURNS_REPORT, item_of)
