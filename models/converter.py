"""How messages become payloads and back, the same for workers, starters, tests and replays."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadConverter,
)
from temporalio.exceptions import ApplicationError

from models.encryption import EncryptionCodec, read_keys
from models.failures import Category, InvalidInput, Problem
from models.message import Request
from models.settings import Settings

NO_REQUEST: Final = Payload(metadata={"encoding": b"binary/null"})
"""In place of the arguments of a case that was not started with one JSON object."""


_CONVERTERS: Final = tuple(
    PydanticJSONPlainPayloadConverter() if isinstance(converter, JSONPlainPayloadConverter) else converter
    for converter in DefaultPayloadConverter.default_encoding_payload_converters
)


class _Payloads(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(*_CONVERTERS)

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type[Any]] | None = None) -> list[Any]:
        """Without type hints (the events), what can't be read stays raw: the inbox says so, nothing is lost.

        A start request that can't be read fails its workflow with `InvalidInput`, instead of being tried for ever.
        """
        if type_hints is None:
            return [self._read(payload) for payload in payloads]
        if len(payloads) == len(type_hints) == 1 and _is_request(type_hints[0]):
            return [self._request(payloads[0], type_hints[0])]
        return super().from_payloads(payloads, type_hints)

    def _read(self, payload: Payload) -> Any:
        try:
            (value,) = super().from_payloads([payload], None)
        except Exception:
            return RawValue(payload)
        return value

    def _request(self, payload: Payload, model: type[Request]) -> Request:
        sent = self._read(payload)
        try:
            if not isinstance(sent, dict):
                raise InvalidInput(model.__name__, [Problem("(message)", "is one JSON object")])
            return model.at_the_door(sent)
        except InvalidInput as error:
            raise ApplicationError(str(error), type=InvalidInput.category.value, non_retryable=True) from None


def _is_request(type_hint: Any) -> bool:
    return isinstance(type_hint, type) and issubclass(type_hint, Request)


ANSWERS: Final = frozenset(category.value for category in Category if category is not Category.INTERNAL)
"""The types of failures that are answers for people: where in the code they were made is nobody's business."""


class _Failures(DefaultFailureConverter):
    """A refusal carries no stack trace: people and strangers read it. A fault of ours keeps its own."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        if isinstance(exception, ApplicationError) and exception.type in ANSWERS:
            exception = exception.with_traceback(None)
        super().to_failure(exception, payload_converter, failure)


class _EncryptedFailures(_Failures):
    """Message and stack trace go where the codec encrypts."""

    def __init__(self) -> None:
        super().__init__(encode_common_attributes=True)


DATA_CONVERTER = DataConverter(
    payload_converter_class=_Payloads, payload_codec=EncryptionCodec(()), failure_converter_class=_Failures
)
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
        failure_converter_class=_EncryptedFailures,
    )
