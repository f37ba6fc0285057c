"""Stripe's error objects with their HTTP status."""

from typing import Any

from starter.sandbox.wire import Answer, Refused


def error_answer(
    status: int,
    kind: str,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    kept: bool = True,
    changed: bool = False,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Answer:
    """`{"error": {"type": kind, ...}}`; what is None stays away. `kept`: saved under its idempotency key."""
    details = {"type": kind, "code": code, "message": message, "param": param, **more}
    if code is not None:
        details["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
    body = {"error": {name: value for name, value in details.items() if value is not None}}
    return Answer(status, body, changed=changed, kept=kept, headers=headers or {})


def invalid_parameter(message: str, param: str | None, code: str | None = None) -> Refused:
    """400: the parameters failed validation before anything ran, so nothing is saved under the key."""
    return Refused(error_answer(400, "invalid_request_error", message, code=code, param=param, kept=False))


def missing_parameter(param: str) -> Refused:
    return invalid_parameter(f"Missing required param: {param}.", param, "parameter_missing")


def no_such(what: str, id: str, param: str) -> Refused:
    """404 `resource_missing`."""
    return Refused(
        error_answer(
            404,
            "invalid_request_error",
            f"No such {what}: '{id}'",
            code="resource_missing",
            param=param,
            kept=False,
        )
    )


def not_possible(message: str, code: str, param: str | None = None, **more: Any) -> Refused:
    """400: well formed, and the state of the payment says no."""
    return Refused(error_answer(400, "invalid_request_error", message, code=code, param=param, **more))


def not_authenticated(message: str) -> Refused:
    return Refused(error_answer(401, "invalid_request_error", message, kept=False))


def key_used_otherwise(key: str, what: str) -> Answer:
    """400 `idempotency_error`: the key was first used for something else."""
    return error_answer(
        400,
        "idempotency_error",
        f"Keys for idempotent requests can only be used {what}. Try using a key other than '{key}' if you "
        "meant to execute a different request.",
        kept=False,
    )


def key_in_use(key: str) -> Answer:
    """409: another request with this key is being worked on."""
    return error_answer(
        409,
        "idempotency_error",
        f"There is currently another in-progress request using this Idempotent Key ({key}). "
        "Please try again later.",
        code="idempotency_key_in_use",
        kept=False,
    )
