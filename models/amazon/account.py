"""A seller's account at Amazon: what its connection says in its options, read and checked.

`account` is the seller's merchant id (Amazon's `MerchantIdentifier`), `secret` refers to the refresh token that
the seller gave the application, `base_url` stands in place of the region's host.

The settings of AMZ-9 stand here, with the account, because they differ from one account to the next: a seller
with one in America and one in Europe may send by itself there and by hand here. One does not: `allow_over_refund`
is the seller's own (`models.parties.Seller`), for what is refundable counts all ways together (REF-5).
"""

import re
from datetime import date, timedelta
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, HttpUrl, ValidationError, model_validator

from models.amazon.marketplaces import BY_ID, Region, marketplace_id
from models.amazon.messages import AdjustmentReason, CancelReason
from models.message import Message, Text, problems_of
from models.secret_reference import SecretReference

TOKEN_URL: Final = "https://api.amazon.com/auth/o2/token"
MOST_MARKETPLACES: Final = 25
"""In one feed."""

_ID: Final = re.compile(r"[A-Z0-9]{8,20}")


def _named(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = tuple(dict.fromkeys(marketplace_id(one) for one in value.split()))
    if wrong := [one for one in found if not _ID.fullmatch(one)]:
        raise ValueError(f"name marketplaces by country (US CA MX) or by Amazon's id; {wrong[0][:40]} is neither")
    return found


Marketplaces = Annotated[
    tuple[str, ...], BeforeValidator(_named), Field(min_length=1, max_length=MOST_MARKETPLACES)
]
"""Amazon's ids, told by id or country with blanks between: `US CA MX`."""


def _as_table(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    pairs = [one.partition("=") for one in value.split()]
    if any(not (ours and theirs) for ours, _, theirs in pairs):
        raise ValueError("say REASON=AMAZONS_REASON, with blanks between: damaged=CustomerReturn")
    return {ours: theirs for ours, _, theirs in pairs}


RefundReasons = Annotated[dict[str, AdjustmentReason], BeforeValidator(_as_table)]
CancelReasons = Annotated[dict[str, CancelReason], BeforeValidator(_as_table)]


class AmazonOptions(Message):
    """The options of an Amazon connection. Truths are `true` or `false`."""

    region: Region
    marketplaces: Marketplaces
    client_id: Text
    """Of the application at Login with Amazon."""
    client_secret: SecretReference
    """Where the application's client secret stands."""
    token_url: HttpUrl = HttpUrl(TOKEN_URL)

    batch_minutes: Annotated[int, Field(ge=20, le=1440)] = 30
    """Between two batches of the queue (AMZ-6); Amazon takes a feed of a kind every 20 minutes at most."""
    return_days_back: Annotated[int, Field(ge=1, le=60)] = 30
    """How far back returns reports look; one report reaches over 60 days at most (AMZ-1)."""
    answer_days: Annotated[int, Field(ge=1, le=30)] = 2
    """Within this a buyer's request to cancel is answered (CAN-8)."""

    import_returns: bool = False
    """The returns report is downloaded and processed by itself (AMZ-1)."""
    import_orders: bool = False
    """The order report is downloaded by itself, for buyers who want to cancel (CAN-7)."""
    import_settlements: bool = False
    """Settlement reports are downloaded and booked by themselves, each once (AMZ-8)."""
    settlements_from: date | None = None
    """Those that Amazon made before this day are left alone; none: it takes what Amazon still has."""
    returnless_without_return: bool = False
    """A returnless refund makes no return (AMZ-4)."""
    queue: bool = False
    """Refunds and cancellations wait in the queue for a person; otherwise they go at once (AMZ-5)."""
    auto_submit: bool = False
    """The queue is sent by itself, every `batch_minutes` (AMZ-6)."""

    refund_reasons: RefundReasons = Field(default_factory=dict)
    """The seller's changes of `models.amazon.reasons`: `damaged=CustomerReturn better_price=PriceError`."""
    cancel_reasons: CancelReasons = Field(default_factory=dict)

    @model_validator(mode="after")
    def _are_of_the_region(self) -> Self:
        for one in self.marketplaces:
            known = BY_ID.get(one)
            if known is not None and known.region is not self.region:
                raise ValueError(f"marketplace {known.country} ({one}) is of the region {known.region.value}")
        return self

    @model_validator(mode="after")
    def _sends_what_is_queued(self) -> Self:
        if self.auto_submit and not self.queue:
            raise ValueError("auto_submit sends the queue: set queue to true too (AMZ-6)")
        return self

    @property
    def host(self) -> str:
        """Where Amazon has the API of this region."""
        return f"https://sellingpartnerapi-{self.region.value}.amazon.com"

    @property
    def batch_pause(self) -> timedelta:
        return timedelta(minutes=self.batch_minutes)


def read_options(options: dict[str, str]) -> AmazonOptions:
    """Raises ValueError that says in words which options are missing or wrong, never what stands in them."""
    try:
        return AmazonOptions.model_validate(options, extra="forbid")
    except ValidationError as error:
        raise ValueError("; ".join(_in_words(one.field, one.message) for one in problems_of(error))) from None


def _in_words(field: str, message: str) -> str:
    return message if field == "(message)" else f"options.{field}: {message}"
