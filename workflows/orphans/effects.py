"""What an orphan does: it looks for its case, and gives the case its word."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from models.case import Who
from workflows.engine.case import Effect, Note, SendMail


class LookForCase(Effect):
    """Look for the cases that have its numbers."""

    kind: Literal["look_for_case"] = "look_for_case"
    who: ClassVar[Who] = Who.BOOKS

    @property
    def summary(self) -> str:
        return "look for the case with these numbers"


class GiveToCase(Effect):
    """Give the case the event, as it was said. `decision`: the event by which a person matched it; none: the case
    is the only one that fits."""

    kind: Literal["give_to_case"] = "give_to_case"
    workflow_id: str
    name: str
    said: dict[str, Any]
    decision: str | None = None

    @property
    def summary(self) -> str:
        return f"give {self.workflow_id} its {self.name.replace('_', ' ')}"


OrphanEffect = Annotated[Note | SendMail | LookForCase | GiveToCase, Field(discriminator="kind")]
