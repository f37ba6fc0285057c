"""Which cases a list shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Filter:
    """Which cases to list; what is open and due first comes first."""

    stage: str | None
    seller: str | None
    due_before: datetime | None
    limit: int
    after: str | None = None
    """Those behind the one with this cursor."""

    def as_arguments(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "seller": self.seller,
            "due_before": self.due_before,
            "limit": self.limit,
            "after": self.after,
        }
