"""One scene per activity, or more: a case that stands right before it, what sets it off, and how it must go on.

A scene is an async generator. Up to its first `yield` it prepares, and yields where the activity can be
caught; up to the second it sets the activity off; then the crash comes; the rest tells the case to its end.
"""

from tests.chaos import scenes_in_books, scenes_of_orders, scenes_of_returns
from tests.chaos.spots import SCENES

__all__ = ["SCENES", "scenes_in_books", "scenes_of_orders", "scenes_of_returns"]
