"""`status`, `list`, `refunds`, `event`: look at cases of any kind, and send any event by its name."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

import typer

from models.case import ClaimStage, CostReviewStage, OrderStage, RefundStage, ReturnStage
from models.contract import KINDS, ORDER, RETURN
from models.failures import InvalidInput, Problem
from models.ids import case_of
from models.worklists import Work
from starter.cli.commands import command_group
from starter.cli.events import event_from_json

event = command_group("Any event of the contract, by its name.")

_FROM_NOW: Final = re.compile(r"^(?P<count>\d{1,4})(?P<unit>[hd])$")


class Kind(StrEnum):
    """What can be listed."""

    ORDERS = "orders"
    RETURNS = "returns"
    REFUNDS = "refunds"
    CLAIMS = "claims"
    COST_REVIEWS = "cost-reviews"


_STAGES: Final[dict[Kind, type[StrEnum]]] = {
    Kind.ORDERS: OrderStage,
    Kind.RETURNS: ReturnStage,
    Kind.REFUNDS: RefundStage,
    Kind.CLAIMS: ClaimStage,
    Kind.COST_REVIEWS: CostReviewStage,
}
_KINDS: Final = "|".join(kind.value for kind in Kind)


REFUSED: Final = OrderStage.REFUSED.value
_REFUSED_AT_THE_DOOR: Final = {Kind.ORDERS: ORDER, Kind.RETURNS: RETURN}
"""The database does not know them: they never opened."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@event.command(
    "send",
    help="Send any event of the contract to a case, by names.\n\n\b\n"
    "Example:\n"
    "  backhaul event send order-1001 hold --json "
    '\'{"event_id": "h1", "actor": "staff:kim", "reason": "address unclear"}\'',
)
def send(
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Such as order-1001 or return-RR-1001-1.")],
    name: Annotated[str, typer.Argument(metavar="EVENT", help="Such as cancel_request.")],
    given: Annotated[str, typer.Option("--json", metavar="FILE|-|{...}", help="The event.")],
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Record it and don't wait for the answer.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait for the answer.")] = 10.0,
) -> None:
    """Raises InvalidInput, NotFound, Conflict, EventRefused, PartnerUnavailable."""
    try:
        kind, _ = case_of(workflow)
    except ValueError as error:
        raise InvalidInput("WORKFLOW", [Problem(workflow[:100], str(error))]) from None
    events = next(one.events for one in KINDS if one.prefix == f"{kind}-")
    if name not in events:
        hears = f"{kind}s hear: {', '.join(events)}" if events else f"{kind}s hear no events"
        raise InvalidInput("EVENT", [Problem(name[:100], hears)])
    from starter.cli.event_delivery import deliver

    deliver(workflow, event_from_json(name, events[name], given, None if no_wait else timedelta(seconds=timeout)))


def status(
    number: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A workflow id, or any number of an order, a return (RET-17) or a refund."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Where a case stands: stage, what it waits for, deadlines, timeline, rejected events, facts.

    The case itself answers; when no worker runs, or the case is long over, the books do.
    """
    from starter.cli.case_status import show_status, status_of
    from starter.cli.output import run, show_json

    found = run(status_of(number))
    if as_json:
        show_json(found)
    else:
        show_status(found)


def list_cases(
    kind: Annotated[Kind | None, typer.Argument(metavar=_KINDS)] = None,
    work: Annotated[
        str | None,
        typer.Option("--work", metavar="NAME", help="A worklist, such as buyer_to_refund: of all kinds (NTF-6)."),
    ] = None,
    stage: Annotated[str | None, typer.Option("--stage", help="Such as awaiting_tracking.")] = None,
    seller: Annotated[str | None, typer.Option("--seller", help="The seller's id.")] = None,
    due_before: Annotated[
        str | None, typer.Option("--due-before", metavar="TIME|7d|12h", help="What is due until then.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 50,
    after: Annotated[
        str | None,
        typer.Option("--after", metavar="CURSOR", help="The next page: the last one's `cursor`."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Cases from the database: what is open and due first comes first; orders, unless said.

    `--stage refused`: orders or returns that could not be opened, and why; from the Temporal server, the newest
    first.
    """
    if work is not None:
        _only_work(kind, stage, due_before)
        from starter.cli.worklists import show_work

        show_work(_worklist(work), seller, limit, after, as_json)
        return
    kind = kind or Kind.ORDERS
    stage = _stage(kind, stage) if stage is not None else None
    if stage == REFUSED and kind in _REFUSED_AT_THE_DOOR:
        _only_refused(due_before, after, seller)
        from starter.cli.output import run
        from starter.cli.refused_cases import show_refused

        run(show_refused(_REFUSED_AT_THE_DOOR[kind], seller, limit, as_json))
        return
    from starter.cli.case_filter import Filter
    from starter.cli.case_lists import list_orders, list_refunds, list_returns

    wanted = Filter(stage, seller, _time(due_before) if due_before is not None else None, limit, after)
    match kind:
        case Kind.ORDERS:
            list_orders(wanted, as_json)
        case Kind.RETURNS:
            list_returns(wanted, as_json)
        case Kind.REFUNDS:
            list_refunds(wanted, as_json)
        case Kind.CLAIMS:
            from starter.cli.claim_requests import list_claims

            list_claims(wanted, as_json)
        case Kind.COST_REVIEWS:
            from starter.cli.cost_review_requests import list_reviews

            list_reviews(wanted, as_json)


def _as_kept(word: str) -> str:
    """A word of a closed list, written as in options: `to-approve` is `to_approve` (ORD-21)."""
    return word.strip().lower().replace("-", "_")


def _stage(kind: Kind, name: str) -> str:
    known = [stage.value for stage in _STAGES[kind]]
    if (stage := _as_kept(name)) not in known:
        told = f"{kind.value} have the stages {', '.join(known)}"
        raise InvalidInput("--stage", [Problem(name[:100], told)])
    return stage


def _worklist(name: str) -> Work:
    try:
        return Work(_as_kept(name))
    except ValueError:
        known = ", ".join(work.value for work in Work)
        raise InvalidInput("--work", [Problem(name[:100], f"no such worklist; they are {known}")]) from None


def _only_work(kind: Kind | None, stage: str | None, due_before: str | None) -> None:
    given = {_KINDS: kind, "--stage": stage, "--due-before": due_before}
    for name, value in given.items():
        if value is not None:
            raise InvalidInput(name, [Problem(str(value)[:100], "a worklist holds cases of every kind and stage")])


def _only_refused(due_before: str | None, after: str | None, seller: str | None) -> None:
    for name, value in {"--due-before": due_before, "--after": after}.items():
        if value is not None:
            raise InvalidInput(
                name, [Problem(value[:100], "what was refused is due at no time, and has one page")]
            )
    if seller is not None and not _ID.fullmatch(seller):
        raise InvalidInput("--seller", [Problem(seller[:100], "is no seller's id")])


def _time(text: str) -> datetime:
    if match := _FROM_NOW.match(text):
        count = int(match["count"])
        return datetime.now(UTC) + (timedelta(days=count) if match["unit"] == "d" else timedelta(hours=count))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            "--due-before", [Problem(text[:100], "must be a date, a time, or such as 7d or 12h from now")]
        ) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def refunds(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The order's number.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """An order's refunds with amounts, reasons, who and when; they add up (REF-10)."""
    from starter.cli.case_lists import refunds_of

    refunds_of(order, as_json)
