"""Every path that a case can take, as a short story. Their histories are recorded, committed and replayed.

A path gives the cases whose histories belong to it. Paths that differ only in when staff stop them are one.
"""

from collections.abc import Awaitable, Callable, Sequence
from types import ModuleType

from tests.replay import (
    batch_paths,
    buyer_request_paths,
    claim_paths,
    cost_review_paths,
    line_paths,
    order_paths,
    orphan_paths,
    outage_paths,
    refund_paths,
    report_import_paths,
    return_paths,
    run_paths,
    special_order_paths,
    stop_paths,
)
from tests.replay.recording import Recorded
from tests.world import World

Path = Callable[[World], Awaitable[Sequence[Recorded]]]


_OF_CASES = ("order_", "return_", "refund_", "orphan_", "cost_review_", "claim_", "batch_", "report_import_")


def _told_in(module: ModuleType) -> dict[str, Path]:
    return {
        name: story
        for name, story in vars(module).items()
        if name.startswith(_OF_CASES) and getattr(story, "__module__", "") == module.__name__
    }


PATHS: dict[str, Path] = {
    name: path
    for module in (
        line_paths,
        order_paths,
        return_paths,
        refund_paths,
        orphan_paths,
        cost_review_paths,
        claim_paths,
        batch_paths,
        report_import_paths,
        buyer_request_paths,
        outage_paths,
        special_order_paths,
        stop_paths,
        run_paths,
    )
    for name, path in _told_in(module).items()
}
"""Every path by its name."""
