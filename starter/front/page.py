"""One page: the supplier sees what comes back and why, and types its RMA number, or refuses.

The link is the key: whoever has it may answer, once. So the page is kept out of caches, of referrers and of
other people's frames, and no log names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp
from temporalio.client import Client, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError, RPCStatusCode

from models.case import CaseStatus, ReturnStage
from models.failures import BackhaulError, Conflict, InvalidInput, NotFound, PartnerUnavailable
from models.ids import return_workflow_id
from models.links import ExpiredLink, link_event_id, return_of
from models.returns import SupplierRma
from models.settings import Settings
from starter.client.send import CaseEnded, EventRefused, send_event
from starter.front.asked import DEFAULT_LANGUAGE, LANGUAGES, TEMPLATES, asked_of, language_of
from starter.front.webhooks import PATH as WEBHOOKS
from starter.front.webhooks import WebhookDoor
from starter.ops.guarded_server import WithHeaders

ACTOR: Final = "supplier:link"
ANSWER_WITHIN: Final = timedelta(seconds=5)
"""How long a supplier waits for a worker; then its answer is recorded, and handled when one is back."""
LOOK_WITHIN: Final = timedelta(seconds=3)
"""How long the page waits to learn whether an answer is still wanted; then it asks for one anyway."""
LONGEST_FORM: Final = 16 * 1024

_STILL_OPEN: Final = frozenset({ReturnStage.OPENING, ReturnStage.AWAITING_APPROVAL, ReturnStage.AWAITING_RMA})

log = structlog.get_logger(__name__)


def security_headers(settings: Settings) -> dict[str, str]:
    """On every answer, whatever it is: nothing is kept, framed, sniffed, indexed, or told to others."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex",
    }
    if settings.front_url.scheme == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


@dataclass(frozen=True)
class _Said:
    """What the page says instead of the form: a template and what it shows."""

    status: int
    template: str
    facts: Mapping[str, str] = field(default_factory=dict)


_USED = _Said(200, "used")
_ENDED = _Said(409, "ended")
_UNKNOWN = _Said(404, "unknown")
_MISSING = _Said(404, "missing")
_EXPIRED = _Said(410, "expired")
_TOO_LONG = _Said(413, "too_long")
_RECEIVED = _Said(202, "received")
_DOWN = _Said(503, "down")
_OUT_OF_ORDER = _Said(500, "down")


@dataclass(frozen=True)
class _Looked:
    """How a return stands: `closed` says why it takes no answer; `status` is none if no worker is there to say."""

    status: CaseStatus | None = None
    closed: _Said | None = None


def create_app(client: Client, settings: Settings) -> ASGIApp:
    """The application: `GET` and `POST /rma/{token}`, `POST /webhooks/{connection_id}`, and `GET /health`."""
    page = RmaPage(client, settings)
    webhooks = WebhookDoor(client, settings)
    app = Starlette(
        routes=[
            Route("/rma/{token}", page.show, methods=["GET"]),
            Route("/rma/{token}", page.submit, methods=["POST"]),
            Route(WEBHOOKS, webhooks.receive, methods=["POST"]),
            Route("/health", _health, methods=["GET"]),
        ],
        exception_handlers={404: page.missing, Exception: page.out_of_order},
    )
    return WithHeaders(app, security_headers(settings))


class RmaPage:
    """The page of one link."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._templates = {language: _templates(language) for language in sorted(LANGUAGES)}

    async def show(self, request: Request) -> HTMLResponse:
        """The form, or why there is none."""
        try:
            return_id = return_of(self._settings, request.path_params["token"])
        except BackhaulError as error:
            return self._say(request, _EXPIRED if isinstance(error, ExpiredLink) else _UNKNOWN)
        looked = await self._look(return_id)
        if looked.closed is not None:
            return self._say(request, looked.closed, looked.status)
        return self._ask(request, return_id, looked.status)

    async def submit(self, request: Request) -> HTMLResponse:
        """Take the answer: sent twice, it counts once (RET-16)."""
        token = request.path_params["token"]
        try:
            return_id = return_of(self._settings, token)
        except BackhaulError as error:
            return self._say(request, _EXPIRED if isinstance(error, ExpiredLink) else _UNKNOWN)
        fields = await _fields(request)
        if fields is None:
            return self._say(request, _TOO_LONG)
        looked = await self._look(return_id)
        if looked.closed is not None:
            return self._say(request, looked.closed, looked.status)
        try:
            event = _answer(fields, link_event_id(token))
        except InvalidInput as error:
            return self._ask(request, return_id, looked.status, fields, _wrong_field(fields, error))
        return self._say(request, await self._send(return_id, event), looked.status)

    async def missing(self, request: Request, _: Exception) -> HTMLResponse:
        """Nothing is there."""
        return self._say(request, _MISSING)

    async def out_of_order(self, request: Request, error: Exception) -> HTMLResponse:
        """A fault of ours, without a word about it."""
        log.error("the page failed", error=type(error).__name__)
        return self._say(request, _OUT_OF_ORDER)

    async def _send(self, return_id: str, event: SupplierRma) -> _Said:
        try:
            delivery = await send_event(
                self._client, return_workflow_id(return_id), "supplier_rma", event, within=ANSWER_WITHIN
            )
        except (CaseEnded, NotFound):
            return _ENDED
        except EventRefused as error:
            log.warning("supplier's answer refused", return_id=return_id, category=error.answered.value)
            return _Said(409, "not_taken", {"why": str(error)})
        except (PartnerUnavailable, Conflict) as error:
            log.warning("supplier's answer not taken", return_id=return_id, category=error.category.value)
            return _DOWN
        if delivery.answer is None:
            return _RECEIVED
        if delivery.answer.duplicate:
            return _USED
        if event.outcome == "refused":
            return _Said(200, "refusal_recorded")
        return _Said(200, "number_recorded", {"rma_number": str(event.rma_number)})

    async def _look(self, return_id: str) -> _Looked:
        handle = self._client.get_workflow_handle(return_workflow_id(return_id))
        try:
            status = await handle.query("status", result_type=CaseStatus, rpc_timeout=LOOK_WITHIN)
        except RPCError as error:
            return _Looked(closed=_ENDED if error.status is RPCStatusCode.NOT_FOUND else None)
        except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
            log.warning("a return does not tell its status", return_id=return_id, error=type(error).__name__)
            return _Looked()
        answered = bool(status.facts.get("rma_number"))
        if status.outcome is not None:
            return _Looked(status, _USED if answered else _ENDED)
        return _Looked(status, None if status.stage in _STILL_OPEN and not answered else _USED)

    def _ask(
        self,
        request: Request,
        return_id: str,
        status: CaseStatus | None,
        fields: Mapping[str, str] | None = None,
        problem: str | None = None,
    ) -> HTMLResponse:
        asked = None if status is None else asked_of(status, self._settings)
        facts = {"return_id": return_id, "asked": asked, "fields": fields or {}, "problem": problem}
        return self._page(request, status, "form", 200 if problem is None else 422, facts)

    def _say(self, request: Request, said: _Said, status: CaseStatus | None = None) -> HTMLResponse:
        return self._page(request, status, said.template, said.status, said.facts)

    def _page(
        self, request: Request, status: CaseStatus | None, template: str, code: int, facts: Mapping[str, Any]
    ) -> HTMLResponse:
        language = language_of(status, request.headers.get("accept-language", ""))
        html = self._templates[language].get_template(f"{template}.html").render(language=language, **facts)
        return HTMLResponse(html, status_code=code)


def _templates(language: str) -> Environment:
    """Those of the language; what it has not, in English."""
    return Environment(
        loader=FileSystemLoader([TEMPLATES / language, TEMPLATES / DEFAULT_LANGUAGE, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _answer(fields: Mapping[str, str], event_id: str) -> SupplierRma:
    """The event in the form. Raises InvalidInput that says what is missing."""
    answer: dict[str, Any] = {"event_id": event_id, "actor": ACTOR}
    if _refuses(fields):
        answer |= {"outcome": "refused", "reason": fields.get("reason") or None}
    else:
        address = fields.get("return_address", "").replace("\r\n", "\n")
        answer |= {
            "outcome": "issued",
            "rma_number": fields.get("rma_number") or None,
            "return_address": address or None,
        }
    return SupplierRma.at_the_door(answer)


def _wrong_field(fields: Mapping[str, str], error: InvalidInput) -> str:
    """Which field of the form is to be mended."""
    if _refuses(fields):
        return "reason"
    named = {problem.field for problem in error.problems}
    return "return_address" if named == {"return_address"} else "rma_number"


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


async def _health(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")
