"""All that `make bench` measures, as it is kept in `bench/results/latest.json`. None: not measured in that run."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel

from bench.histories import DEFINITION, Cost

LATEST: Final = Path(__file__).with_name("results") / "latest.json"


class About(BaseModel):
    """Where, when and how it was measured."""

    at: str
    commit: str
    python: str
    sdk: str
    server: str
    processors: int
    processor: str
    load_before: float
    """Load average of the last minute when it began: other work on the machine makes every number worse."""
    rounds: int
    cases: int
    at_once: int
    cancel_window_seconds: float


class Round(BaseModel):
    """One round of one kind of worker: CPU in milliseconds per case, idle processes deducted."""

    number: int
    worker: str
    case: str
    worker_ms: float
    server_ms: float
    per_second: float
    update_ms: list[float]


class Spread(BaseModel):
    """A median over the rounds, with the lowest and the highest."""

    median: float
    low: float
    high: float


class Measured(BaseModel):
    """One kind of case on one kind of worker, over all rounds."""

    worker_ms: Spread
    server_ms: Spread
    per_second: Spread
    update_p50_ms: float
    update_p99_ms: float
    actions: int
    kinds: dict[str, int]
    events: int
    workflow_tasks: int
    history_bytes: int
    statements: int


class Pair(BaseModel):
    """Backhaul beside bare. The ratios are made per round, then their median is taken."""

    backhaul: Measured
    bare: Measured
    worker_ratio: Spread
    server_ratio: Spread


class OpenCases(BaseModel):
    """So many open cases, none of which ends: an order that waits for its release, in the worker's memory."""

    worker: str
    cases: int
    memory_kb: float
    """Of the worker process, per case."""
    temporal_kb: float
    """Of the server's database, per case."""
    books_kb: float
    """Of the SQL database, per case."""
    query_p50_ms: float
    update_p50_ms: float | None = None


class Took(BaseModel):
    """Medians in milliseconds: by the clock, and of CPU."""

    clock_ms: float
    cpu_ms: float


class Replays(BaseModel):
    """A replay of a happy case's history from its start, so many times."""

    times: int
    order: Took
    returns: Took
    refund: Took


class Starts(BaseModel):
    """Starting programs: `backhaul worker` until it is ready, `backhaul --help` from the outside."""

    worker: Took
    help: Took


class Sourcing(BaseModel):
    """An order of so many lines, each of which so many warehouses have. `seconds`: from the end of the cancel
    window until it is with its suppliers; none: it never was, and `stuck_at` says at what."""

    lines: int
    warehouses: int
    seconds: float | None
    history_bytes: int
    stuck_at: str | None = None


class HangingSupplier(BaseModel):
    """So many calls to a supplier hang: how long until a new order that needs none is in the database."""

    calls: int
    seconds: list[float]
    undisturbed_seconds: list[float]


class FirstTry(BaseModel):
    """How many calls of the gateway the first try of a movement makes, beside so many payments of others."""

    payments: int
    calls: dict[str, int]


class Listing(BaseModel):
    """A list or look-up in a database of 200,000 orders: milliseconds of SQL, the median and the slowest."""

    question: str
    ms: float
    slowest_ms: float


class Cliffs(BaseModel):
    """What grows with something that others decide."""

    sourcing: list[Sourcing] = []
    hanging: HangingSupplier | None = None
    first_try: FirstTry | None = None
    lists: list[Listing] = []


class Measurements(BaseModel):
    """One run of `make bench`."""

    about: About
    definition: str = DEFINITION
    order: Pair
    returns: Pair
    order_costs: dict[str, list[Cost]]
    """By kind of worker: the calm order's history."""
    return_costs: dict[str, list[Cost]]
    """By kind of worker: the calm return's histories, its refunds behind it."""
    rounds: list[Round]
    open_cases: list[OpenCases] = []
    replays: Replays | None = None
    starts: Starts | None = None
    cliffs: Cliffs | None = None


def keep(measured: Measurements, path: Path = LATEST) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(measured.model_dump_json(indent=1) + "\n")


def kept(path: Path = LATEST) -> Measurements:
    return Measurements.model_validate_json(path.read_text())
