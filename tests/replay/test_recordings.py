"""The recordings on disk: in their order, and each of a path that there is."""

from pathlib import Path

from tests.replay.paths import PATHS
from tests.replay.recording import HISTORIES, newest, recorded


def test_recordings_are_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    """The tenth comes after the ninth; and the newest are of one time, however many cases a path has by then."""
    for name in ("1-1-order", "2-1-order", "9-1-order", "10-2-refund", "10-1-order"):
        (tmp_path / f"order_shipped.{name}.json").touch()
    (tmp_path / "order_shipped_in_parts.11-1-order.json").touch()

    numbers = [file.name.split(".")[1] for file in recorded("order_shipped", tmp_path)]

    assert numbers == ["1-1-order", "2-1-order", "9-1-order", "10-1-order", "10-2-refund"]
    assert [file.name.split(".")[1] for file in newest("order_shipped", tmp_path)] == numbers[-2:]
    assert newest("order_voided", tmp_path) == []


def test_every_recording_belongs_to_a_path() -> None:
    assert {file.name.partition(".")[0] for file in HISTORIES.glob("*.json")} == set(PATHS)
