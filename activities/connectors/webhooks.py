"""A webhook before it is believed: its headers and raw body, what is wrong with it, how it becomes JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from activities.connectors.http import WireModel
from models.failures import InvalidInput
from models.webhooks import WebhookEvent

LONGEST_BODY: Final = 256 * 1024
"""Bytes of a webhook: an event of a gateway takes some thousand."""

Wire = TypeVar("Wire", bound=WireModel)


class Webhook(NamedTuple):
    """As it came over the wire. `headers`: by their names in small letters; the first of each name."""

    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Raises NotSigned where it is missing."""
        value = self.headers.get(name, "")
        if not value:
            raise NotSigned(f"without {name}")
        return value


class NotSigned(Exception):
    """Nobody with the provider's key said this, as far as can be seen. Its text says why, and quotes nothing."""


class Unreadable(Exception):
    """It is signed, and can't be read. Its text says what is wrong, and quotes nothing."""


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises Unreadable: no UTF-8, no JSON, too deep, something else than an object."""
    try:
        read = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Unreadable("the body is no JSON") from None
    if not isinstance(read, dict):
        raise Unreadable("the body is no JSON object")
    return read


def read_as(model: type[Wire], data: Any) -> Wire:
    """Raises Unreadable with the names of the fields that are wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, one["loc"])) or "body" for one in error.errors()}))
        raise Unreadable(f"these fields are missing or wrong: {fields[:200]}") from None


def event(event_id: str, type: str, refund: Mapping[str, Any] | None = None) -> WebhookEvent:
    """Raises Unreadable for what is too long, or can be no number."""
    try:
        return WebhookEvent.at_the_door({"event_id": event_id, "type": type, "refund": refund})
    except InvalidInput as error:
        fields = ", ".join(sorted({problem.field for problem in error.problems}))
        raise Unreadable(f"these fields are wrong: {fields[:200]}") from None


def require_secrets(secrets: Sequence[str]) -> None:
    """An empty secret would sign everything. Raises ValueError, which is a fault of ours."""
    if not secrets or not all(secrets):
        raise ValueError("a webhook is verified with a secret")
