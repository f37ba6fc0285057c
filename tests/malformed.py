"""An event as nobody may send it, in every way, and a word of what its sender must be told (RET-16)."""

import json
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

MONEY = {
    "seller_approval": "return_fee",
    "credit_memo": "amount",
    "buyer_refund": "amount",
    "channel_update": "amount",
}
"""The field of each event that holds money."""


def undecodable(data: bytes, encoding: bytes = b"json/plain") -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding}, data=data))


def malformed(name: str, good: dict[str, Any]) -> dict[str, tuple[list[Any], str]]:
    """By what is wrong: the arguments that are sent, and a word of the reason that must be given."""
    bad: dict[str, tuple[list[Any], str]] = {
        "no value": ([good | {"event_id": None}], "event_id"),
        "an unknown field": ([good | {"colour": "red"}], "colour"),
        "a wrong field": ([good | {"actor": "nobody"}], "actor"),
        "a wrong time": ([good | {"occurred_at": 1_700_000_000}], "occurred_at"),
        "no argument": ([], "0 arguments"),
        "two arguments": ([good, good], "2 arguments"),
        "a list": ([[good]], "not one JSON object"),
        "a text": ([json.dumps(good)], "not one JSON object"),
        "nothing": ([None], "not one JSON object"),
        "broken JSON": ([undecodable(b'{"event_id": ')], "not one JSON object"),
        "an unknown encoding": ([undecodable(b"\x00\x01", b"binary/zip")], "not one JSON object"),
    }
    if name in MONEY:
        bad["a JSON number for money"] = ([good | {MONEY[name]: 31.5}], MONEY[name])
    return bad
