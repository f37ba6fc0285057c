"""How messages become payloads and back, the same for workers, starters, tests and replays."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, TypeGuard

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)
from temporalio.exceptions import ApplicationError

from models.encryption import EncryptionCodec, read_keys
from models.failures import InvalidInput, Problem
from models.message import Request
from models.settings import Settings

_JSON: Final = b"json/plain"


class _Json(PydanticJSONPlainPayloadConverter):
    """A bad start request fails its workflow with `InvalidInput`, instead of being tried for ever."""

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        if not _is_request(type_hint):
            return super().from_payload(payload, type_hint)
        try:
            return type_hint.at_the_door(super().from_payload(payload, None))
        except InvalidInput as error:
            raise _refused(error) from None


def _refused(error: InvalidInput) -> ApplicationError:
    return ApplicationError(str(error), type=InvalidInput.category.value, non_retryable=True)


def _is_request(type_hint: type | None) -> TypeGuard[type[Request]]:
    return isinstance(type_hint, type) and issubclass(type_hint, Request)


class _Payloads(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(
            *(
                _Json() if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type[Any]] | None = None) -> list[Any]:
        """Without type hints (the events), what can't be read stays raw: the inbox says so, nothing is lost.

        A start request that is no JSON, such as one that was encrypted and then damaged, fails its workflow.
        """
        if type_hints is not None:
            for payload, type_hint in zip(payloads, type_hints, strict=False):
                if _is_request(type_hint) and payload.metadata.get("encoding") != _JSON:
                    raise _refused(
                        InvalidInput(type_hint.__name__, [Problem("(message)", "is not one JSON object")])
                    )
            return super().from_payloads(payloads, type_hints)
        values: list[Any] = []
        for payload in payloads:
            try:
                values.extend(super().from_payloads([payload], None))
            except Exception:
                values.append(RawValue(payload))
        return values


DATA_CONVERTER = DataConverter(payload_converter_class=_Payloads, payload_codec=EncryptionCodec(()))
"""Encrypts nothing. What it finds encrypted raises KeyMissing, instead of being taken for a wrong message."""


def data_converter(settings: Settings) -> DataConverter:
    """The converter of this installation: it encrypts when there are `payload_keys`.

    Then messages and stack traces of failures are encrypted too.
    """
    if settings.payload_keys is None:
        return DATA_CONVERTER
    return dataclasses.replace(
        DATA_CONVERTER,
        payload_codec=EncryptionCodec(read_keys(settings.payload_keys.get_secret_value())),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
