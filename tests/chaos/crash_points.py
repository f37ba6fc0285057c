"""One scene per activity, or more: a case that stands right before it, what sets it off, and how it must go on.

A scene is an async generator. Up to its first `yield` it prepares, and yields where the activity can be
caught; up to the second it sets the activity off; then the crash comes; the rest tells the case to its end.
"""

from tests.chaos import (
    crash_points_batches,
    crash_points_claims,
    crash_points_database,
    crash_points_imports,
    crash_points_orders,
    crash_points_orphans,
    crash_points_returns,
    crash_points_reviews,
    crash_points_settlements,
    crash_points_worker,
)
from tests.chaos.crash_coverage import SCENES

__all__ = [
    "SCENES",
    "crash_points_batches",
    "crash_points_claims",
    "crash_points_database",
    "crash_points_imports",
    "crash_points_orders",
    "crash_points_orphans",
    "crash_points_returns",
    "crash_points_reviews",
    "crash_points_settlements",
    "crash_points_worker",
]
