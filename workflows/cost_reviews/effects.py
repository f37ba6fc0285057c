"""What a supplier-cost review does beside its mails."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models.case import Who
from workflows.engine.case import Effect, Note, SendMail


class OpenReview(Effect):
    """Write it down, if the rules allow it."""

    kind: Literal["open_review"] = "open_review"
    who: ClassVar[Who] = Who.BOOKS
    key: str = "open"

    @property
    def summary(self) -> str:
        return "look what the buyer was refunded, and write the review down"


CostReviewEffect = Annotated[OpenReview | Note | SendMail, Field(discriminator="kind")]
