"""What a claim does beside its mails."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models.case import Who
from workflows.engine.case import Effect, Note, SendMail


class WriteClaim(Effect):
    """Write it down, if the rules allow it."""

    kind: Literal["write_claim"] = "write_claim"
    who: ClassVar[Who] = Who.BOOKS
    key: str = "open"

    @property
    def summary(self) -> str:
        return "look which units were voided, and write the claim down"


ClaimEffect = Annotated[WriteClaim | Note | SendMail, Field(discriminator="kind")]
