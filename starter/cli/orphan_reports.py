"""What `orphan report` and `orphan list` do."""

from models.environment import settings_from_environment
from models.failures import InvalidInput, Problem
from models.orphans import OrphanRequest
from starter.cli.case_lookup import books
from starter.cli.documents import json_argument
from starter.cli.output import remark, say, show_json, show_table
from starter.client.connection import connect
from starter.client.start import report_orphan


async def report_said(given: str, as_json: bool) -> None:
    """Raises InvalidInput, NotFound (no such file), PartnerUnavailable."""
    request = request_of(json_argument(given))
    opened = await report_orphan(await connect(), request)
    if as_json:
        show_json(opened)
    elif opened.already:
        say(f"orphan {request.orphan_id}: this was said before; it is kept once")
    else:
        say(f"orphan {request.orphan_id}: kept, and given to its {request.about} as soon as exactly one fits")


def request_of(data: dict[str, object]) -> OrphanRequest:
    """What is reported, with what this installation does with it. Raises InvalidInput."""
    missing = [Problem(name, "is missing") for name in ("source", "event", "said") if not data.get(name)]
    if missing:
        raise InvalidInput("orphan report", missing)
    source, event, said = data.pop("source"), data.pop("event"), data.pop("said")
    if not isinstance(said, dict):
        raise InvalidInput("orphan report", [Problem("said", "is the event as it was said: one object")])
    settings = settings_from_environment()
    data.setdefault("look_days", settings.orphan_days)
    data.setdefault("look_pauses_minutes", list(settings.orphan_pauses_minutes))
    own = data.pop("orphan_id", None)
    request = OrphanRequest.of(str(source), str(event), said, **data)
    if own is not None and own != request.orphan_id:
        why = f"of this source and event_id it is {request.orphan_id}; leave it out, or give that"
        raise InvalidInput("orphan report", [Problem("orphan_id", why)])
    return request


def list_orphans(*, every: bool, seller: str | None, limit: int, after: str | None, as_json: bool) -> None:
    """Raises what `books` raises."""
    with books() as reading:
        found = reading.find_orphans(ended=every, seller=seller, limit=limit, after=after)
    if as_json:
        show_json(found)
        return
    if not found:
        say("nothing found")
        return
    show_table(
        ("orphan", "said by", "event", "numbers", "may be", "stage", "for", "kept until (UTC)"),
        (
            (
                row.orphan_id,
                row.source,
                row.event.replace("_", " "),
                row.numbers,
                row.matched_to or row.candidates,
                row.standing.stage if row.standing is not None else "looking",
                row.standing.waiting_for if row.standing is not None else None,
                row.expires_at,
            )
            for row in found
        ),
    )
    last = found[-1].standing
    if len(found) == limit and last is not None:
        remark(f"there may be more: --after {last.cursor}")
