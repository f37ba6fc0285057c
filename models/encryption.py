"""Payloads encrypted at rest: what Temporal keeps of a case is unreadable without a key of the installation.

AES-256-GCM. The first key of the setting encrypts, every one decrypts, so a key is rotated by putting a new
one before it. Off without a key.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from models.failures import NotFound

SETTING: Final = "BACKHAUL_PAYLOAD_KEYS"
KEY_BYTES: Final = 32

ENCRYPTED: Final = b"binary/encrypted"
KEY_ID: Final = "encryption-key-id"
"""The payload's metadata that names its key."""

_NONCE_BYTES: Final = 12
_SHAPE: Final = "must be id:key, or id:key,id2:key2 (the first encrypts)"
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
"""Shorter than a key in base64: an id and a key that changed places are noticed, and not shown."""


class KeyMissing(NotFound):
    """Something is encrypted with a key that this process was not given. Whoever runs it adds the key."""

    def __init__(self, key_id: str, known: Iterable[str]) -> None:
        self.key_id = key_id
        names = ", ".join(known) or "none"
        super().__init__(
            f"a payload is encrypted with the key {key_id!r}, which is not in {SETTING} (there: {names}); "
            "add it behind the first"
        )


@dataclass(frozen=True)
class PayloadKey:
    """A key of AES-256 and the name that payloads know it by; only the name shows in its repr."""

    id: str
    secret: bytes = field(repr=False)


def read_keys(text: str) -> tuple[PayloadKey, ...]:
    """The keys in `id:base64key,id2:base64key2`, the one that encrypts first; none in an empty text.

    Raises ValueError that says which is wrong and why, and never quotes a key.
    """
    keys: dict[str, PayloadKey] = {}
    entries = [entry.strip() for entry in text.split(",")] if text.strip() else []
    for number, entry in enumerate(entries, start=1):
        key_id, colon, encoded = entry.partition(":")
        if not colon or not encoded:
            raise ValueError(f"key {number} has no id or no key: the setting {_SHAPE}")
        if not _ID.fullmatch(key_id):
            raise ValueError(f"the id of key {number} must be a short name of letters, digits, `.`, `_` and `-`")
        if key_id in keys:
            raise ValueError(f"the id {key_id} stands there twice")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(
                f"the key {key_id} is not base64; `backhaul codec new-key` makes a good one"
            ) from None
        if len(secret) != KEY_BYTES:
            raise ValueError(
                f"the key {key_id} has {len(secret)} bytes, not {KEY_BYTES}; "
                "`backhaul codec new-key` makes a good one"
            )
        keys[key_id] = PayloadKey(key_id, secret)
    return tuple(keys.values())


def new_key(key_id: str) -> str:
    """A fresh random key in the form of the setting: `id:base64key`. Raises ValueError for a bad id."""
    entry = f"{key_id}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"
    read_keys(entry)
    return entry


class EncryptionCodec(PayloadCodec):
    """Encrypts with the first key, decrypts with any; without keys it encrypts nothing.

    What is not encrypted passes through: other systems send plain JSON. What names an unknown key raises
    KeyMissing, so that a case waits for the key. What a known key does not open, or names what can be no key,
    was damaged on its way and passes through unread: the door it came to refuses it.
    """

    def __init__(self, keys: Sequence[PayloadKey]) -> None:
        self._first = keys[0].id if keys else None
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encrypted(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._decrypted(payload) for payload in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        if self._first is None:
            return payload
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, payload.SerializeToString(), _bound_to(self._first))
        metadata = {"encoding": ENCRYPTED, KEY_ID: self._first.encode()}
        return Payload(metadata=metadata, data=nonce + sealed)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCRYPTED:
            return payload
        key_id = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        if not _ID.fullmatch(key_id):  # no key of ours, now or ever: waiting for it would be for ever
            return payload
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise KeyMissing(key_id, self._ciphers)
        nonce, sealed = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, sealed, _bound_to(key_id)))
        except (InvalidTag, ValueError, DecodeError):  # ValueError: shorter than a nonce
            return payload


def _bound_to(key_id: str) -> bytes:
    """What is authenticated beside the payload: nothing of another key or of another form opens it."""
    return f"backhaul payload 1 {key_id}".encode()
