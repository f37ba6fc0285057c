"""Reading the parameters of a request as Stripe does: what is missing, unknown or wrong is named."""

from typing import Any

from iso4217 import Currency as Iso4217

from starter.sandbox.stripe_errors import invalid_parameter, missing_parameter
from starter.sandbox.stripe_objects import smallest_step
from starter.sandbox.wire import Asked

_LARGEST_AMOUNT = 99_999_999


def account_of(asked: Asked) -> str:
    """The account that a request is about: `Stripe-Account`; empty: the account of the key."""
    return asked.headers.get("stripe-account") or ""


class Params:
    """The parameters of one request. Raises Refused (400) for the first one that is wrong."""

    def __init__(self, form: dict[str, Any], known: frozenset[str]) -> None:
        self._form = form
        unknown = sorted(set(form) - known)
        if unknown:
            raise invalid_parameter(f"Received unknown parameter: {unknown[0]}", unknown[0], "parameter_unknown")

    def text(self, name: str) -> str | None:
        """A string; empty counts as not given."""
        value = self._form.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise invalid_parameter(f"Invalid string: {name}", name, "parameter_invalid_string")
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise missing_parameter(name)
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str | None:
        value = self.text(name)
        if value is not None and value not in choices:
            raise invalid_parameter(f"Invalid {name}: must be one of {', '.join(choices)}", name)
        return default if value is None else value

    def flag(self, name: str) -> bool:
        return self.choice(name, ("true", "false"), "false") == "true"

    def integer(self, name: str, smallest: int, largest: int) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        return _integer(value, name, smallest, largest)

    def currency(self) -> str:
        """Three lower-case letters."""
        value = self.required("currency")
        try:
            Iso4217(value.upper())
        except ValueError:
            raise invalid_parameter(f"Invalid currency: {value}", "currency") from None
        if value != value.lower():
            raise invalid_parameter(f"Invalid currency: {value}. Use lower-case letters.", "currency")
        return value

    def amount(self, name: str, currency: str) -> int | None:
        """Minor units. Three-decimal currencies end in 0, ISK and UGX in 00."""
        value = self.integer(name, 1, _LARGEST_AMOUNT)
        step = smallest_step(currency)
        if value is not None and value % step:
            raise invalid_parameter(
                f"Invalid amount: {value}. Amounts in {currency} must be a multiple of {step}.",
                name,
                "parameter_invalid_integer",
            )
        return value

    def required_amount(self, name: str, currency: str) -> int:
        value = self.amount(name, currency)
        if value is None:
            raise missing_parameter(name)
        return value

    def metadata(self) -> dict[str, str]:
        """Up to 50 names of up to 40 characters; values of up to 500."""
        value = self._form.get("metadata") or {}
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise invalid_parameter("Invalid metadata: must be names and strings", "metadata")
        if len(value) > 50 or any(len(name) > 40 or len(one) > 500 for name, one in value.items()):
            raise invalid_parameter("Metadata has up to 50 keys of 40 characters, values of 500", "metadata")
        return {name: one for name, one in value.items() if one}

    def created(self, at: int) -> bool:
        """Whether a time is within `created` or `created[gte]`, `[gt]`, `[lte]`, `[lt]`."""
        bounds = self._form.get("created")
        if bounds is None:
            return True
        if isinstance(bounds, str):
            bounds = {"gte": bounds, "lte": bounds}
        read = {name: _integer(str(bound), f"created[{name}]", 0, 10**12) for name, bound in bounds.items()}
        return (
            at >= read.get("gte", at)
            and at <= read.get("lte", at)
            and at > read.get("gt", at - 1)
            and at < read.get("lt", at + 1)
        )


def _integer(value: str, name: str, smallest: int, largest: int) -> int:
    try:
        number = int(value)
    except ValueError:
        raise invalid_parameter(f"Invalid integer: {value}", name, "parameter_invalid_integer") from None
    if number < smallest:
        message = f"This value must be greater than or equal to {smallest}."
        raise invalid_parameter(message, name, "parameter_invalid_integer")
    if number > largest:
        message = f"This value must be less than or equal to {largest}."
        raise invalid_parameter(message, name, "parameter_invalid_integer")
    return number
