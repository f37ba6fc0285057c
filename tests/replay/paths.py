"""Every path that a case can take, as a short story. Their histories are recorded, committed and replayed.

A path gives the cases whose histories belong to it; the name of a history is `<path>.<n>-<place>-<kind>.json`.
"""

from collections.abc import Awaitable, Callable
from types import ModuleType

from tests.replay import doubtful_paths, order_paths, outage_paths, refund_paths, return_paths, stopped_paths
from tests.world import CaseStory, World

Path = Callable[[World], Awaitable[list[CaseStory]]]


def _told_in(module: ModuleType) -> dict[str, Path]:
    return {
        name: story
        for name, story in vars(module).items()
        if name.startswith(("order_", "return_", "refund_"))
        and getattr(story, "__module__", "") == module.__name__
    }


PATHS: dict[str, Path] = {
    name: path
    for module in (order_paths, return_paths, refund_paths, stopped_paths, outage_paths, doubtful_paths)
    for name, path in _told_in(module).items()
}
"""Every path by its name."""
