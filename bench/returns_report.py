"""How fast Amazon's returns reports are read, in how much memory: `python -m bench.returns_report [--rows N]`.

Makes a report of a million rows, then reads it in turns with plain `csv.DictReader` and with our reader, each in a
process of its own, some rounds; and the same returns as XML. Shows rows per second, how many times as fast as
`csv.DictReader`, and the most memory that a process held.
"""

import argparse
import csv
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from activities.connectors.amazon.returns_report import read_returns_report
from models.amazon.returned_items import ReturnedItem
from tests.connectors.amazon.returns_reports import COLUMNS

ROWS: Final = 1_000_000
ROUNDS: Final = 3
AIM: Final = 0.5
"""Of the speed of `csv.DictReader`."""
AIM_MB: Final = 300


class Reading(NamedTuple):
    """What one process saw."""

    rows: int
    seconds: float
    megabytes: int


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _cells(number: int) -> Iterator[str]:
    order = f"{100 + number % 900}-{number:07d}-{number * 7919 % 10_000_000:07d}"
    yield from (order, "01-Jul-2025", f"{1 + number % 28:02d}-Jul-2025", "Approved", f"D{number:09d}RRMA", " ")
    yield from ("AmazonUnPaidLabel", f"{4 + number % 9}.{number % 100:02d}", "USD", "USPS", f"94001{number:017d}")
    yield from ("Customer", "N", "N", f"B0{number % 100_000:08d}", f"BRK-{number % 5000}")
    yield from (f"Brake pads, front, ceramic, fits {number % 300} models", "1", "CR-DEFECTIVE", "Y", "C-Returns")
    yield from ("StandardRefund", " ", " ", f"{20 + number % 300}.95", "1", " ", " ", " ", " ", " ", " ")


def write_table(path: Path, rows: int) -> None:
    """The tab separated report."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("\t".join(COLUMNS) + "\r\n")
        file.writelines("\t".join(_cells(number)) + "\r\n" for number in range(rows))


def write_xml(path: Path, rows: int) -> None:
    """The same returns as XML."""
    item = ("Item Name", "ASIN", "Return Reason", "Merchant SKU", "In policy", "Return quantity", "Resolution")
    tags = [name.lower().replace(" ", "_").replace("-", "_") for name in COLUMNS]
    with path.open("w", encoding="utf-8") as file:
        file.write("<AmazonEnvelope><MessageType>Returns-Report</MessageType><Message>\n")
        for number in range(rows):
            said = [
                (name, f"<{tag}>{cell}</{tag}>")
                for name, tag, cell in zip(COLUMNS, tags, _cells(number), strict=True)
            ]
            of_item = "".join(element for name, element in said if name in item)
            others = "\n".join(element for name, element in said if name not in item)
            file.write(f"<return_details><item_details>{of_item}</item_details>\n{others}</return_details>\n")
        file.write("</Message></AmazonEnvelope>\n")


def read_here(how: str, path: Path) -> Reading:
    """Read the file in this process."""
    begun = time.perf_counter()
    if how == "csv.DictReader":
        with path.open(encoding="utf-8", newline="") as file:
            rows = sum(1 for _ in csv.DictReader(file, delimiter="\t"))
    else:
        with path.open("rb") as stream:
            rows = sum(1 for row in read_returns_report(stream) if isinstance(row, ReturnedItem))
    seconds = time.perf_counter() - begun
    return Reading(rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def read_apart(how: str, path: Path) -> Reading:
    """Read the file in a process of its own."""
    command = [sys.executable, "-m", "bench.returns_report", "--read", how, str(path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    return Reading(*json.loads(told.stdout))


def compare(rows: int, rounds: int, folder: Path) -> bool:
    """Say the numbers; gives whether the aims are kept."""
    table, document = folder / "returns.tsv", folder / "returns.xml"
    write_table(table, rows)
    write_xml(document, rows)
    say(
        f"{rows:,} rows: {table.stat().st_size / 1e6:.0f} MB with tabs, "
        f"{document.stat().st_size / 1e6:.0f} MB as XML"
    )
    ratios: list[float] = []
    most = 0
    for turn in range(rounds):
        plain, ours, xml = (
            read_apart(how, path) for how, path in (("csv.DictReader", table), ("tabs", table), ("XML", document))
        )
        assert plain.rows == ours.rows == xml.rows == rows
        ratios.append(plain.seconds / ours.seconds)
        most = max(most, ours.megabytes, xml.megabytes)
        say(
            f"round {turn + 1}: csv.DictReader {rows / plain.seconds:,.0f}/s, tabs {rows / ours.seconds:,.0f}/s "
            f"({ratios[-1]:.2f} times), XML {rows / xml.seconds:,.0f}/s; "
            f"memory {plain.megabytes}, {ours.megabytes}, {xml.megabytes} MB"
        )
    say(f"median {statistics.median(ratios):.2f} times csv.DictReader (aim {AIM}); {most} MB (aim {AIM_MB})")
    return statistics.median(ratios) >= AIM and most < AIM_MB


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--read", nargs=2, metavar=("HOW", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        say(json.dumps(read_here(options.read[0], Path(options.read[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(not compare(options.rows, options.rounds, Path(folder)))


if __name__ == "__main__":
    main()
