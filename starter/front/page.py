"""One page with one field: the supplier types its RMA number, or refuses.

The link is the key: whoever has it may answer, once. So the page is kept out of caches, of referrers and of
other people's frames, and no log names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from temporalio.client import Client, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError, RPCStatusCode

from models.case import CaseStatus, ReturnStage
from models.failures import BackhaulError, Conflict, InvalidInput, NotFound, PartnerUnavailable
from models.ids import return_workflow_id
from models.links import ExpiredLink, link_event_id, return_of
from models.returns import SupplierRma
from models.settings import Settings
from starter.client.send import CaseEnded, EventRefused, send_event

ACTOR: Final = "supplier:link"
ANSWER_WITHIN: Final = timedelta(seconds=5)
"""How long a supplier waits for a worker; then its answer is recorded, and handled when one is back."""
LOOK_WITHIN: Final = timedelta(seconds=3)
"""How long the page waits to learn whether an answer is still wanted; then it asks for one anyway."""
LONGEST_FORM: Final = 16 * 1024

_STILL_OPEN: Final = frozenset({ReturnStage.OPENING, ReturnStage.AWAITING_APPROVAL, ReturnStage.AWAITING_RMA})
_NUMBER_WANTED: Final = "Please enter your RMA number (at most 100 characters)."
_REASON_WANTED: Final = "Please say why (at most 2000 characters)."

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Said:
    """What the page says instead of the form."""

    status: int
    title: str
    text: str


_USED = _Said(200, "This link was used already", "We have your answer; you don't need to do anything else.")
_ENDED = _Said(409, "This return has ended", "An RMA number is no longer needed. Thank you.")
_UNKNOWN = _Said(404, "This link does not work", "Please copy the whole link from our e-mail.")
_EXPIRED = _Said(410, "This link has expired", "Please answer our e-mail, and we will send you a new link.")
_TOO_LONG = _Said(413, "That is too long", "Please go back and enter the RMA number only.")
_RECEIVED = _Said(202, "Received", "Thank you, we have your answer and will handle it shortly.")
_DOWN = _Said(503, "Please try again later", "We can't take your answer just now. Nothing was recorded.")


def create_app(client: Client, settings: Settings) -> Starlette:
    """The application: `GET` and `POST /rma/{token}`, and `GET /health`."""
    page = RmaPage(client, settings)
    return Starlette(
        routes=[
            Route("/rma/{token}", page.show, methods=["GET"]),
            Route("/rma/{token}", page.submit, methods=["POST"]),
            Route("/health", _health, methods=["GET"]),
        ]
    )


class RmaPage:
    """The page of one link."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._form = templates.get_template("form.html")
        self._message = templates.get_template("message.html")

    async def show(self, request: Request) -> HTMLResponse:
        """The form, or why there is none."""
        try:
            return_id = return_of(self._settings, request.path_params["token"])
        except BackhaulError as error:
            return self._say(_EXPIRED if isinstance(error, ExpiredLink) else _UNKNOWN)
        said = await self._closed(return_id)
        return self._ask(return_id) if said is None else self._say(said)

    async def submit(self, request: Request) -> HTMLResponse:
        """Take the answer: sent twice, it counts once (RET-16)."""
        token = request.path_params["token"]
        try:
            return_id = return_of(self._settings, token)
        except BackhaulError as error:
            return self._say(_EXPIRED if isinstance(error, ExpiredLink) else _UNKNOWN)
        fields = await _fields(request)
        if fields is None:
            return self._say(_TOO_LONG)
        said = await self._closed(return_id)
        if said is not None:
            return self._say(said)
        try:
            event = _answer(fields, link_event_id(token))
        except InvalidInput:
            return self._ask(return_id, fields, _REASON_WANTED if _refuses(fields) else _NUMBER_WANTED)
        return self._say(await self._send(return_id, event))

    async def _send(self, return_id: str, event: SupplierRma) -> _Said:
        try:
            delivery = await send_event(
                self._client, return_workflow_id(return_id), "supplier_rma", event, within=ANSWER_WITHIN
            )
        except (CaseEnded, NotFound):
            return _ENDED
        except EventRefused as error:
            log.warning("supplier's answer refused", return_id=return_id, category=error.answered.value)
            return _Said(409, "We can't use this answer", str(error))
        except (PartnerUnavailable, Conflict) as error:
            log.warning("supplier's answer not taken", return_id=return_id, category=error.category.value)
            return _DOWN
        if delivery.answer is None:
            return _RECEIVED
        if delivery.answer.duplicate:
            return _USED
        if event.outcome == "refused":
            return _Said(200, "Thank you", "We have recorded that you refuse the return.")
        return _Said(200, "Thank you", f"We have recorded the RMA number {event.rma_number}.")

    async def _closed(self, return_id: str) -> _Said | None:
        """Why this return takes no answer; none if it does, or if no worker is there to say."""
        handle = self._client.get_workflow_handle(return_workflow_id(return_id))
        try:
            status = await handle.query("status", result_type=CaseStatus, rpc_timeout=LOOK_WITHIN)
        except RPCError as error:
            return _ENDED if error.status is RPCStatusCode.NOT_FOUND else None
        except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
            log.warning("a return does not tell its status", return_id=return_id, error=type(error).__name__)
            return None
        if status.outcome is not None:
            return _USED if status.facts.get("rma_number") else _ENDED
        return None if status.stage in _STILL_OPEN and not status.facts.get("rma_number") else _USED

    def _ask(
        self, return_id: str, fields: Mapping[str, str] | None = None, problem: str | None = None
    ) -> HTMLResponse:
        return self._page(
            self._form.render(return_id=return_id, fields=fields or {}, problem=problem),
            200 if problem is None else 422,
        )

    def _say(self, said: _Said) -> HTMLResponse:
        return self._page(self._message.render(title=said.title, text=said.text), said.status)

    def _page(self, html: str, status: int) -> HTMLResponse:
        return HTMLResponse(html, status_code=status, headers=_HEADERS)


def _answer(fields: Mapping[str, str], event_id: str) -> SupplierRma:
    """The event in the form. Raises InvalidInput that says what is missing."""
    answer: dict[str, Any] = {"event_id": event_id, "actor": ACTOR}
    if _refuses(fields):
        answer |= {"outcome": "refused", "reason": fields.get("reason") or None}
    else:
        answer |= {"outcome": "issued", "rma_number": fields.get("rma_number") or None}
    return SupplierRma.at_the_door(answer)


def _refuses(fields: Mapping[str, str]) -> bool:
    return fields.get("outcome") == "refused"


async def _fields(request: Request) -> dict[str, str] | None:
    """The first value of each field, stripped; none if somebody sends more than a form of this size."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            return None
    values = parse_qs(body.decode("utf-8", errors="replace"), keep_blank_values=True)
    return {name: value[0].strip() for name, value in values.items()}


async def _health(_: Request) -> HTMLResponse:
    return HTMLResponse("ok")
