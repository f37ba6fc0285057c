"""How often Amazon lets an account call each operation: a bucket each, refilled as its documentation says."""

from typing import Final

from starter.sandbox.store import Document, Store

RATES: Final = {
    "createFeedDocument": (0.5, 15),
    "createFeed": (0.0083, 15),
    "getFeed": (2.0, 15),
    "getFeeds": (0.0222, 10),
    "getFeedDocument": (0.0222, 10),
    "createReport": (0.0167, 15),
    "getReport": (2.0, 15),
    "getReports": (0.0222, 10),
    "getReportDocument": (0.0167, 15),
    "getOrder": (0.5, 30),
    "listTransactions": (0.5, 10),
}
"""Calls per second, and how many after a rest."""


class Bucket(Document):
    """Its space is the account, its id the operation."""

    kind = "amazon_bucket"
    left: float
    at: float
    """Seconds since 1970 by the sandbox's clock."""


def may_call(store: Store, account: str, operation: str, speed: float) -> tuple[bool, str]:
    """Whether there is a call left, which is then taken; and what is said of the rate."""
    per_second, burst = RATES[operation]
    per_second *= speed
    now = store.now().timestamp()
    bucket = store.get(Bucket, operation, account) or Bucket(id=operation, space=account, left=burst, at=now)
    left = min(float(burst), bucket.left + max(now - bucket.at, 0.0) * per_second)
    allowed = left >= 1.0
    store.put(bucket.model_copy(update={"left": left - 1.0 if allowed else left, "at": now}))
    return allowed, f"{per_second:.4f}"
