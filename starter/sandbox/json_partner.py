"""What the JSON APIs of suppliers and shops have in common: see docs/partner-api.md."""

import json
from typing import Any, TypeVar
from urllib.parse import parse_qs

from models.failures import InvalidInput
from models.message import Message
from starter.sandbox.facts import Fault, FaultKind, PartnerName
from starter.sandbox.wire import Answer, Asked, Refused, Work

M = TypeVar("M", bound=Message)


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}}, headers=headers or {})


def refused(status: int, code: str, message: str) -> Refused:
    return Refused(error(status, code, message))


class JsonPartner:
    """Reads JSON, wants `Authorization: Bearer <key>`, answers errors as `{"error": {"code", "message"}}`."""

    name: PartnerName

    def read(self, raw: bytes, query: str, content_type: str) -> tuple[dict[str, Any], Any]:
        try:
            return dict(parse_qs(query)), json.loads(raw) if raw else None
        except ValueError:
            raise refused(400, "not_json", "the body is not JSON") from None

    def account(self, asked: Asked) -> str | None:
        return asked.parts.get("seller_id")

    def lock(self, asked: Asked) -> str | None:
        return None

    def busy(self, asked: Asked) -> Answer:
        return error(409, "busy", "another request is being worked on")

    def answer(self, asked: Asked, work: Work) -> Answer:
        scheme, _, key = asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return error(401, "not_authorized", "Authorization: Bearer <key> is missing")
        try:
            return work(asked)
        except Refused as no:
            return no.answer

    def failure(self, asked: Asked, fault: Fault) -> Answer:
        if fault.kind is FaultKind.RATE_LIMIT:
            headers = {"Retry-After": str(fault.retry_after)}
            return error(fault.status or 429, fault.code or "too_many_requests", "slow down", headers)
        if fault.kind is FaultKind.ERROR:
            return error(fault.status or 500, fault.code or "internal", "out of order")
        return error(fault.status or 409, fault.code or "refused", "refused")

    def unknown(self, asked: Asked) -> Answer:
        return error(404, "not_found", f"{asked.method} {asked.path} does not exist")


def body_of(asked: Asked, model: type[M]) -> M:
    """The body, read strictly. Raises Refused (422) that names the wrong fields."""
    try:
        return model.at_the_door(asked.body)
    except InvalidInput as wrong:
        raise refused(422, "invalid", str(wrong)) from None
