"""Files that are cut, repeated, mixed up or made to do harm end in a clear word, in bounded memory (AMZ-1)."""

import gzip
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.connectors.amazon.returns_report import Refusal
from tests.connectors.amazon.returns_reports import BRAKE_PADS, items_of, read, tab_separated, xml

_TABS = tab_separated([BRAKE_PADS] * 3)
_XML = xml([[BRAKE_PADS, BRAKE_PADS], [BRAKE_PADS]])
_REPORTS = st.sampled_from((_TABS, _XML, gzip.compress(_TABS), gzip.compress(_XML)))


def _ends_clearly(content: bytes) -> None:
    """Rows, or one refusal; nothing else may come out."""
    with suppress(Refusal):
        read(content)


@given(_REPORTS, st.data())
def test_a_report_that_is_cut_off(report: bytes, data: st.DataObject) -> None:
    _ends_clearly(report[: data.draw(st.integers(0, len(report)))])


@given(_REPORTS, st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=20)), max_size=8))
def test_a_report_in_which_bytes_are_changed(report: bytes, changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(report)
    for at, piece in changes:
        content[at : at + len(piece)] = piece
    _ends_clearly(bytes(content))


@given(_REPORTS, st.integers(0, 3000), st.integers(0, 3000), st.integers(1, 5))
def test_a_report_of_which_a_piece_is_repeated(report: bytes, start: int, end: int, times: int) -> None:
    _ends_clearly(report[:end] + report[start:end] * times + report[end:])


@given(st.binary(max_size=2000))
def test_bytes_that_are_no_report(content: bytes) -> None:
    _ends_clearly(content)
    _ends_clearly(_TABS + content)


def test_xml_that_is_cut_off_gives_what_stands_before_and_then_a_word() -> None:
    with pytest.raises(Refusal, match="damaged, or cut off"):
        read(_XML[:-200])


def test_xml_that_is_nested_deep() -> None:
    for deep in (20, 100_000):
        nested = b"<a>" * deep + b"</a>" * deep
        content = _XML.replace(b"<item_details>", b"<item_details>" + nested, 1)
        if deep == 20:
            assert len(items_of(read(content))) == 1, "the other return goes on"
        else:
            with pytest.raises(Refusal):
                read(content)


_LARGE = """
import resource, sys
from activities.connectors.amazon.returns_report import Refusal, read_returns_report
from tests.connectors.amazon.returns_reports import BRAKE_PADS, tab_separated, xml

class Endless:
    '''The beginning, then 40 MB of the same piece, made when they are read.'''
    def __init__(self, head, piece):
        self.left = head
        self.piece, self.size = piece * (65536 // len(piece) + 1), 40_000_000
    def read(self, most):
        if not self.left and self.size > 0:
            self.left, self.size = self.piece, self.size - len(self.piece)
        given, self.left = self.left[:most], self.left[most:]
        return given

tabs, packed_xml = tab_separated([BRAKE_PADS]), xml([[BRAKE_PADS]]).partition(b"</Message>")[0]
stream = {
    "a long line": (tabs, b"x"), "binary": (tabs, bytes(range(256))), "no tabs": (b"", b"y\\n"),
    "text in xml": (packed_xml, b"z"), "elements": (packed_xml, b"<a/>"), "open elements": (packed_xml, b"<a>"),
    "a long return": (packed_xml + b"<return_details>", b"<item_details/>"),
    "attributes": (packed_xml, b"<a b='c'/>"),
    "rows": (tabs, tabs.partition(b"\\n")[2]),
    "returns": (packed_xml, b"<return_details><order_id>111-1234567-1234567</order_id></return_details> "),
}[sys.argv[1]]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    for row in read_returns_report(Endless(*stream)):
        pass
    print("read")
except Refusal as refusal:
    print(refusal)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.proof
@pytest.mark.parametrize(
    ("what", "word"),
    [
        ("a long line", "read"),
        ("binary", "read"),
        ("no tabs", "some other text"),
        ("text in xml", "without the end of a return"),
        ("elements", "without the end of a return"),
        ("open elements", "no XML from here on"),
        ("a long return", "without the end of a return"),
        ("attributes", "without the end of a return"),
        ("rows", "read"),
        ("returns", "no XML from here on"),
    ],
)
def test_large_files_take_little_memory(what: str, word: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _LARGE, what],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    said, megabytes = ran.stdout.strip().rsplit("\n", 1)
    assert word in said
    assert int(megabytes) < 40
