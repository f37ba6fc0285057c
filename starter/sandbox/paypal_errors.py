"""How PayPal says no: `name`, `details` with the issue, `debug_id`."""

import secrets
from typing import Any

from starter.sandbox.wire import Answer, Refused

_NAMES = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    403: ("NOT_AUTHORIZED", "Authorization failed due to insufficient permissions."),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    409: ("RESOURCE_CONFLICT", "The server has detected a conflict while processing this request."),
    422: ("UNPROCESSABLE_ENTITY", "The requested action could not be performed, semantically incorrect."),
    429: ("RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting."),
    500: ("INTERNAL_SERVER_ERROR", "An internal server error occurred."),
}


def error_answer(status: int, issue: str | None = None, field: str | None = None, **headers: str) -> Answer:
    name, message = _NAMES.get(status, _NAMES[500])
    body: dict[str, Any] = {"name": name, "message": message, "debug_id": secrets.token_hex(6), "links": []}
    if issue is not None:
        body["details"] = [{"issue": issue, "description": issue.replace("_", " ").capitalize()}]
        if field is not None:
            body["details"][0]["field"] = field
    return Answer(
        status, body, kept=False, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def unprocessable(issue: str, field: str | None = None) -> Refused:
    return Refused(error_answer(422, issue, field))


def malformed(issue: str, field: str | None = None) -> Refused:
    return Refused(error_answer(400, issue, field))


def no_such(id: str) -> Refused:
    return Refused(error_answer(404, "INVALID_RESOURCE_ID"))


def not_authenticated(error: str, description: str) -> Refused:
    return Refused(Answer(401, {"error": error, "error_description": description}, kept=False))
