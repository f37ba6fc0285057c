"""The returns report as XML: one `return_details` after the other, each forgotten when it was read (AMZ-1)."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, BinaryIO, Final

from lxml import etree

from activities.connectors.amazon.returns_report.columns import FIELDS, POSITION, RETURNS_REPORT, item_of
from activities.connectors.amazon.tables import Refusal, Unreadable, rejected, require_fit
from models.amazon.returned_items import RejectedRow, ReturnedItem, plain_word

_CHUNK: Final = 64 * 1024
LARGEST_RETURN: Final = 1024 * 1024
"""Bytes of one return, and of whatever stands between two: so much is held at a time."""
DEEPEST: Final = 10
"""Elements inside each other, below a return."""


def read_xml(stream: BinaryIO) -> Iterator[ReturnedItem | RejectedRow]:
    """Each item of each return in turn. Raises Refusal where the file is damaged, cut off, or not from Amazon.

    No entity is resolved, no document type is read, and nothing is fetched.
    """
    parser = etree.XMLPullParser(
        events=("start", "end"),
        tag=("{*}AmazonEnvelope", "{*}return_details"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    held = 0
    try:
        while chunk := stream.read(_CHUNK):
            parser.feed(chunk)
            held += len(chunk)
            for event, element in parser.read_events():
                if event == "start":
                    _require_no_definitions(element)
                elif _name(element) == "returndetails":
                    yield from _items(element)
                    _forget(element)
                    held = 0
            if held > LARGEST_RETURN:
                raise Refusal(RETURNS_REPORT.what, f"has {LARGEST_RETURN} bytes without the end of a return")
        parser.close()
        for _, element in parser.read_events():
            if _name(element) == "returndetails":
                yield from _items(element)
    except etree.XMLSyntaxError as error:
        line = error.lineno if isinstance(error.lineno, int) and error.lineno > 0 else None
        raise Refusal(RETURNS_REPORT.what, "is no XML from here on: damaged, or cut off", line) from None


def _require_no_definitions(element: Any) -> None:
    if element.getparent() is None and element.getroottree().docinfo.internalDTD is not None:
        raise Refusal(RETURNS_REPORT.what, "has a document type of its own, which no report of Amazon has")


def _items(details: Any) -> Iterator[ReturnedItem | RejectedRow]:
    """A return says once what holds for each of its items."""
    shared = [""] * len(FIELDS)
    items: list[tuple[int, list[str]]] = []
    try:
        for child in details:
            name = _name(child)
            if name == "itemdetails":
                items.append((child.sourceline, _cells(child, 1)))
            elif len(child):
                _fill(shared, _cells(child, 1))
            else:
                _put(shared, name, child.text)
    except Unreadable as error:
        yield rejected(RETURNS_REPORT, details.sourceline, shared, error)
        return
    if not items:
        yield rejected(RETURNS_REPORT, details.sourceline, shared, Unreadable("", "has no item_details"))
    for line, own in items:
        _fill(own, shared)
        try:
            require_fit(RETURNS_REPORT, own)
            yield item_of(line, own)
        except Unreadable as error:
            yield rejected(RETURNS_REPORT, line, own, error)


def _cells(element: Any, depth: int) -> list[str]:
    cells = [""] * len(FIELDS)
    for child in element:
        if len(child):
            if depth == DEEPEST:
                raise Unreadable("", f"has more than {DEEPEST} elements inside each other")
            _fill(cells, _cells(child, depth + 1))
        else:
            _put(cells, _name(child), child.text)
    return cells


def _fill(cells: list[str], others: list[str]) -> None:
    for place, other in enumerate(others):
        cells[place] = cells[place] or other


def _put(cells: list[str], name: str, text: str | None) -> None:
    place = POSITION.get(name)
    if place is not None and text and not cells[place]:
        cells[place] = text.strip()


def _name(element: Any) -> str:
    return _plain_tag(element.tag)


@lru_cache(maxsize=1024)
def _plain_tag(tag: str) -> str:
    return plain_word(tag.rpartition("}")[2])


def _forget(element: Any) -> None:
    """Free what was read, and what stands before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
