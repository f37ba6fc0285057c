"""The numbers for people."""

from bench.measurements import Measurements


def table(measured: Measurements) -> str:
    return measured.model_dump_json(include={"order", "returns"}, indent=1)


def write_document(measured: Measurements) -> None:
    pass
