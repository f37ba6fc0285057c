"""The supplier's personal link (RET-8, NTF-2): signed, with an expiry, holding nothing but the return's id."""

import hashlib
from typing import ClassVar

from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from models.failures import BackhaulError, Category
from models.settings import Settings

_PURPOSE = "supplier's RMA link"
_SECONDS_PER_DAY = 24 * 60 * 60


class BadLink(BackhaulError):
    """Forged, cut off or mistyped."""

    category: ClassVar[Category] = Category.INVALID_INPUT


class ExpiredLink(BackhaulError):
    """Ours, but older than `Settings.rma_link_days`."""

    category: ClassVar[Category] = Category.CONFLICT


def rma_token(settings: Settings, return_id: str) -> str:
    """A token for this return, valid from now on for `Settings.rma_link_days`."""
    return _signer(settings).dumps(return_id)


def rma_link(settings: Settings, return_id: str) -> str:
    """The address of the page where the supplier types its RMA number."""
    return f"{str(settings.front_url).rstrip('/')}/rma/{rma_token(settings, return_id)}"


def return_of(settings: Settings, token: str) -> str:
    """The return's id in a token. Raises ExpiredLink, or BadLink for one that we did not make."""
    try:
        return_id = _signer(settings).loads(token, max_age=settings.rma_link_days * _SECONDS_PER_DAY)
    except SignatureExpired:
        raise ExpiredLink(f"the link is older than {settings.rma_link_days} days; ask for a new one") from None
    except BadData:
        raise BadLink("the link is not complete; copy the whole of it from the e-mail") from None
    if not isinstance(return_id, str):
        raise BadLink("the link does not belong to a return")
    return return_id


def link_event_id(token: str) -> str:
    """The `event_id` of what is typed on this link's page: sent twice, it counts once."""
    return f"rma-link-{hashlib.sha256(token.encode()).hexdigest()[:24]}"


def _signer(settings: Settings) -> URLSafeTimedSerializer:
    # Of several it signs with the last one.
    return URLSafeTimedSerializer(settings.front_secrets[::-1], salt=_PURPOSE)
