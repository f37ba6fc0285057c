"""The pages that people read: the home page and the mails."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from starter.sandbox.effects import effects_of
from starter.sandbox.partners import Partners
from starter.sandbox.wire import StoredRequest

# A mail's HTML is a stranger's: no scripts, nothing loaded from anywhere, an isolated frame. Links open in tabs
# of their own: in a frame most pages refuse to be shown, as the suppliers' page does.
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_LINKS_OPEN_OUTSIDE = '<base target="_blank">'
_HEADERS = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'self'"


class Pages:
    """`/`, `/mail`, `/mail/{id}`."""

    def __init__(self, partners: Partners, smtp_port: int) -> None:
        self._partners = partners
        self._smtp_port = smtp_port
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[Route]:
        return [
            Route("/", self.home),
            Route("/mail", self.mails),
            Route("/mail/{id}", self.mail),
        ]

    async def home(self, request: Request) -> Response:
        return self._page(
            "home.html",
            base=str(request.base_url).rstrip("/"),
            smtp_port=self._smtp_port,
            now=self._partners.store.now(),
            effects=effects_of(self._partners),
            suppliers=self._partners.suppliers.suppliers(),
            stock=self._partners.suppliers.stocks(),
            listings=self._partners.shop.listings(),
            faults=self._partners.faults.all(),
            asked=self._partners.store.count(StoredRequest),
        )

    async def mails(self, request: Request) -> Response:
        to = request.query_params.get("to", "")
        return self._page("mails.html", to=to, mails=self._partners.mail.mails(to))

    async def mail(self, request: Request) -> Response:
        mail = self._partners.mail.mail(request.path_params["id"])
        if mail is None:
            return self._page("missing.html", status=404)
        html = None if mail.html is None else _with_links_outside(mail.html)
        return self._page("mail.html", mail=mail, html=html)

    def _page(self, template: str, status: int = 200, **values: object) -> Response:
        html = self._templates.get_template(template).render(**values)
        return HTMLResponse(html, status, {**_HEADERS, "Content-Security-Policy": _POLICY})


def _with_links_outside(html: str) -> str:
    """The same page, whose links open in a tab of their own."""
    head = _HEAD.search(html)
    place = head.end() if head else 0
    return html[:place] + _LINKS_OPEN_OUTSIDE + html[place:]
