"""How Amazon says no: a list of errors with code and message."""

from starter.sandbox.wire import Answer, Refused

_CODES = {
    400: ("InvalidInput", "The request has an invalid parameter."),
    401: ("Unauthorized", "The request's authorization header is not formatted correctly."),
    403: ("Unauthorized", "Access to requested resource is denied."),
    404: ("NotFound", "The resource specified does not exist."),
    413: ("RequestTooLarge", "The request size exceeded the maximum accepted size."),
    415: ("UnsupportedMediaType", "The request payload is in an unsupported format."),
    429: ("QuotaExceeded", "You exceeded your quota for the requested resource."),
    500: ("InternalFailure", "We encountered an internal error. Please try again."),
    503: ("ServiceUnavailable", "Temporary overloading or maintenance of the server."),
}


def error_answer(status: int, code: str | None = None, message: str | None = None, **headers: str) -> Answer:
    usual = _CODES.get(status, _CODES[500])
    body = {"errors": [{"code": code or usual[0], "message": message or usual[1], "details": ""}]}
    return Answer(status, body, headers={name.replace("_", "-"): text for name, text in headers.items()})


def no_such(what: str) -> Refused:
    return Refused(error_answer(404, message=f"The {what} does not exist."))


def invalid(message: str) -> Refused:
    return Refused(error_answer(400, message=message))
