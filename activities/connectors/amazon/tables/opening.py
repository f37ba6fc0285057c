"""A file is looked at before it is read: is it what it should be, and if not, what does it seem to be? (AMZ-1)"""

import gzip
import zlib
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO, Final

from activities.connectors.amazon.documents import MOST_BYTES
from activities.connectors.amazon.tables.form import TableForm
from models.amazon.returned_items import plain_word
from models.failures import InvalidInput, Problem

HEAD: Final = 64 * 1024
"""So much of the beginning says what a file is."""

BOM: Final = b"\xef\xbb\xbf"
_WIDE_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_MAGIC: Final = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook: give the report itself"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save the sheet as tab separated text"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x1f\x8b", "a GZIP file inside a GZIP file"),
)
_HEADERS: Final = (
    ("priceamount", "settlement report of the first form, which Amazon has ended"),
    ("settlementid", "settlement report"),
    ("licenseplatenumber", "report of returns to Amazon's own warehouses"),
    ("returnrequeststatus", "returns report"),
    ("isbuyerrequestedcancellation", "order report"),
    ("purchasedate", "order report"),
)
"""Columns by which the kinds of reports are known."""


class Refusal(InvalidInput):
    """This file is not the report that it should be, or it is damaged; `line` is where that was seen, if known."""

    def __init__(self, what: str, why: str, line: int | None = None) -> None:
        self.line = line
        where = "file" if line is None else f"line {line}"
        super().__init__(what.capitalize(), [Problem(where, why)])


def opened(stream: BinaryIO, what: str) -> BufferedReader:
    """The content of a file that should be a `returns report`, unpacked if it was packed; no more than
    MOST_BYTES of it can be read."""
    outer: BufferedReader = BufferedReader(_Bounded(stream, what), HEAD)
    if outer.peek(2)[:2] != b"\x1f\x8b":
        return outer
    return BufferedReader(_Bounded(gzip.GzipFile(fileobj=outer, mode="rb"), what), HEAD)


def require_text(head: bytes, what: str) -> bytes:
    """The beginning without marks and blanks. Raises Refusal for what is no text, with what it seems to be."""
    text = head.removeprefix(BOM).lstrip()
    if not text:
        raise Refusal(what, "is empty")
    for magic, seems in _MAGIC:
        if text.startswith(magic):
            raise Refusal(what, f"is no {what}; it seems to be {seems}")
    if head.startswith(_WIDE_BOMS):
        raise Refusal(what, "is text in UTF-16: save it as UTF-8")
    if b"\x00" in text.partition(b"\n")[0]:
        raise Refusal(what, f"is no {what}; it seems to be a binary file")
    if text[:1] in b"{[":
        seems = "an error answer of Amazon" if b'"errors"' in text else "JSON"
        raise Refusal(what, f"is no {what}; it seems to be {seems}")
    return text


def require_no_web_page(text: bytes, what: str) -> None:
    """Raises Refusal."""
    lowered = text[:1000].lower()
    if b"<!doctype html" in lowered or b"<html" in lowered:
        raise Refusal(what, f"is no {what}; it seems to be a web page")


def columns_of(header: str, form: TableForm) -> tuple[str, ...]:
    """The columns of the first line of a tab separated report, in plain words. Raises Refusal."""
    columns = tuple(map(plain_word, header.split("\t")))
    missing = [form.title_of(field) for field in form.needed if not _stands_in(columns, field, form)]
    if missing or (form.any_of and not any(_stands_in(columns, field, form) for field in form.any_of)):
        missing = missing or [" or ".join(form.title_of(field) for field in form.any_of)]
        seems = _what_it_seems(header, columns, form)
        why = f"the first line names no {', '.join(missing)}; it seems to be {seems}"
        raise Refusal(form.what, f"is no {form.what}: {why}", 1)
    place = form.position
    twice = [name for at, name in enumerate(columns) if name in place and name in columns[:at]]
    if twice:
        raise Refusal(form.what, f"two columns are named {form.title_of(form.fields[place[twice[0]]])}", 1)
    return columns


def _stands_in(columns: tuple[str, ...], field: str, form: TableForm) -> bool:
    return any(plain_word(name) in columns for name in form.names[field])


def _what_it_seems(header: str, columns: tuple[str, ...], form: TableForm) -> str:
    for column, seems in _HEADERS:
        if column in columns and seems != form.what:
            return f"{'an' if seems[0] in 'aeiou' else 'a'} {seems}"
    if not header.isprintable() and "\t" not in header:
        return "a binary file"
    for sign, seems in ((",", "commas"), (";", "semicolons")):
        if len(header.split(sign)) > len(columns):
            return f"a table with {seems} between the columns: the report has tabs"
    return "another table" if len(columns) > 1 else "some other text"


class _Bounded(RawIOBase):
    """Gives no more than MOST_BYTES of a stream, and a clear word when it is damaged."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, what: str) -> None:
        self._stream, self._what = stream, what
        self._left = MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._stream.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise Refusal(self._what, "is packed with GZIP, and damaged or cut off") from error
        self._left -= len(piece)
        if self._left < 0:
            raise Refusal(self._what, f"is larger than {MOST_BYTES // 1024**3} GiB")
        buffer[: len(piece)] = piece
        return len(piece)
