"""A return that a marketplace has opened, and whose order may not be known here yet (RET-1, RET-20)."""

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from models.ids import ReturnId
from models.message import Asker, Event, Number, require_distinct_names
from models.returns import ReturnLine, ReturnRequest, Source

OPENED_BY_MARKETPLACES: Final = {
    Source.EBAY_RETURN: "ebay",
    Source.EBAY_CASE: "ebay",
    Source.AMAZON_REPORT: "amazon",
}
"""What a marketplace opened by itself, and which one: it is lost nowhere, whatever is not known here (RET-20)."""


class ReturnAsked(Event):
    """A marketplace has opened a return (RET-1). Its order may be known here under another number, or later; then
    this is kept as an orphan, and starts the return (RET-20)."""

    return_id: ReturnId | None = None
    """The number that the return gets; one is made for it if there is none."""
    source: Source
    order_id: Number | None = None
    """As the marketplace, or whoever asks for it, knows the order."""
    lines: Annotated[tuple[ReturnLine, ...], Field(min_length=1, max_length=500)]
    amazon_rma_id: Number | None = None
    ebay_return_id: Number | None = None
    requested_by: Asker | None = None
    """Who asked the marketplace; none: the sender."""

    @model_validator(mode="after")
    def _is_a_marketplaces(self) -> Self:
        require_distinct_names(self.lines)
        if self.source not in OPENED_BY_MARKETPLACES:
            known = ", ".join(OPENED_BY_MARKETPLACES)
            raise ValueError(f"source: who asks here starts the return; what is kept comes from {known} (RET-20)")
        return self

    def of_order(self, order_id: str, otherwise: str) -> ReturnRequest:
        """The return that it starts. `otherwise`: its number, if it brings none."""
        return ReturnRequest(
            return_id=self.return_id or otherwise,
            order_id=order_id,
            source=self.source,
            requested_by=self.requested_by or self.actor,
            lines=self.lines,
            amazon_rma_id=self.amazon_rma_id,
            ebay_return_id=self.ebay_return_id,
            note=self.note,
        )
