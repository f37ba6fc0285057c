"""How Amazon writes moments and pages, and reads what it is asked."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starter.sandbox.amazon.errors import invalid
from starter.sandbox.wire import Answer, Asked


def moment(at: datetime) -> str:
    """`2026-11-29T10:00:00+00:00`."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat()


def moment_in(text: str | None) -> datetime | None:
    """Raises Refused (400)."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("A date-time is ISO 8601.") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def text_of(body: Any, name: str) -> str:
    """A text that has to be there. Raises Refused (400)."""
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str) or not value:
        raise invalid(f"{name} is missing.")
    return value


def texts_of(body: Any, name: str, most: int) -> tuple[str, ...]:
    """A list that has to be there. Raises Refused (400)."""
    value = body.get(name) if isinstance(body, dict) else None
    if (
        not isinstance(value, list)
        or not 1 <= len(value) <= most
        or not all(isinstance(one, str) for one in value)
    ):
        raise invalid(f"{name} is a list of 1 to {most}.")
    return tuple(value)


def asked_for(asked: Asked, name: str) -> str | None:
    """A parameter of the query; several values stand between commas."""
    values = asked.query.get(name)
    return ",".join(values) if values else None


def listed(asked: Asked, name: str, every: Sequence[tuple[datetime, str, dict[str, Any]]]) -> Answer:
    """A page of feeds or reports, the newest first: moment of creation, type, as JSON. Without `nextToken` types
    have to be named."""
    told = asked_for(asked, "nextToken")
    if told is not None and len(asked.query) > 1:
        raise invalid("With nextToken nothing else is said.")
    if told is not None:
        try:
            types, since, until, size, start = base64.urlsafe_b64decode(told.encode()).decode().split(";")
        except ValueError:
            raise invalid("nextToken is none of ours.") from None
    else:
        types = asked_for(asked, f"{name[:-1]}Types") or ""
        since, until = asked_for(asked, "createdSince") or "", asked_for(asked, "createdUntil") or ""
        size, start = asked_for(asked, "pageSize") or "10", "0"
        if not types:
            raise invalid(f"{name[:-1]}Types or nextToken is needed.")
    if not size.isdigit() or not 1 <= int(size) <= 100:
        raise invalid("pageSize is 1 to 100.")
    after, before = moment_in(since or None), moment_in(until or None)
    found = [
        body
        for created, kind, body in sorted(every, key=lambda one: one[0], reverse=True)
        if kind in types.split(",")
        and (after is None or created >= after)
        and (before is None or created <= before)
    ]
    first, most = int(start), int(size)
    answer: dict[str, Any] = {name: found[first : first + most]}
    if first + most < len(found):
        rest = f"{types};{since};{until};{size};{first + most}"
        answer["nextToken"] = base64.urlsafe_b64encode(rest.encode()).decode()
    return Answer(200, answer)
