"""The keys of the setting, and what they open."""

import base64
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload

from models.encryption import EncryptionCodec, KeyMissing, new_key, read_keys
from models.environment import settings_from_environment
from models.failures import InvalidInput
from models.settings import Settings

PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'{"name": "Robin"}')
KEY_1, KEY_2 = new_key("k1"), new_key("k2")
SHORT = base64.b64encode(os.urandom(16)).decode()
SECRET = KEY_1.partition(":")[2]


def codec(*keys: str) -> EncryptionCodec:
    return EncryptionCodec(read_keys(",".join(keys)))


async def test_what_one_key_encrypts_it_opens_again() -> None:
    [sealed] = await codec(KEY_1).encode([PLAIN])
    assert b"Robin" not in sealed.SerializeToString()
    assert sealed.metadata["encryption-key-id"] == b"k1"
    assert await codec(KEY_1).decode([sealed]) == [PLAIN]


async def test_the_first_key_encrypts_and_every_one_opens() -> None:
    [old] = await codec(KEY_1).encode([PLAIN])
    [new] = await codec(KEY_2, KEY_1).encode([PLAIN])
    assert new.metadata["encryption-key-id"] == b"k2"
    assert await codec(KEY_2, KEY_1).decode([old, new]) == [PLAIN, PLAIN]


async def test_the_same_message_never_looks_the_same_twice() -> None:
    once, again = await codec(KEY_1).encode([PLAIN, PLAIN])
    assert once.data != again.data


async def test_what_is_not_encrypted_passes_through() -> None:
    assert await codec(KEY_1).decode([PLAIN]) == [PLAIN]


async def test_without_keys_nothing_is_encrypted_and_nothing_encrypted_is_taken_for_a_message() -> None:
    [sealed] = await codec(KEY_1).encode([PLAIN])
    off = codec()
    assert await off.encode([PLAIN]) == [PLAIN]
    with pytest.raises(KeyMissing, match=r"'k1'.*BACKHAUL_PAYLOAD_KEYS"):
        await off.decode([sealed])


async def test_a_key_that_is_not_there_is_named() -> None:
    [sealed] = await codec(KEY_1).encode([PLAIN])
    with pytest.raises(KeyMissing, match=r"'k1'.*there: k2"):
        await codec(KEY_2).decode([sealed])


async def test_a_payload_of_one_key_can_not_pose_as_one_of_another() -> None:
    same_bytes = f"k2:{SECRET}"
    [sealed] = await codec(KEY_1).encode([PLAIN])
    sealed.metadata["encryption-key-id"] = b"k2"
    assert await codec(same_bytes).decode([sealed]) == [sealed]


@pytest.mark.parametrize("data", [b"", b"short", os.urandom(80)], ids=["empty", "short", "other bytes"])
async def test_a_damaged_payload_stays_unread(data: bytes) -> None:
    damaged = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"k1"}, data=data)
    assert await codec(KEY_1).decode([damaged]) == [damaged]


@pytest.mark.parametrize("key_id", [b"", b"k 1", b"k1:x", b"\xff\xfe", b"k" * 41], ids=repr)
async def test_what_names_no_possible_key_is_damaged_and_waits_for_none(key_id: bytes) -> None:
    [sealed] = await codec(KEY_1).encode([PLAIN])
    sealed.metadata["encryption-key-id"] = key_id
    assert await codec(KEY_1).decode([sealed]) == [sealed]
    del sealed.metadata["encryption-key-id"]
    assert await codec(KEY_1).decode([sealed]) == [sealed]


async def test_what_opens_and_is_no_payload_stays_unread() -> None:
    nonce = os.urandom(12)
    data = nonce + AESGCM(base64.b64decode(SECRET)).encrypt(nonce, b"\xff no message", b"backhaul payload 1 k1")
    odd = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"k1"}, data=data)
    assert await codec(KEY_1).decode([odd]) == [odd]


async def test_nonces_are_never_used_twice() -> None:
    sealed = await codec(KEY_1).encode([PLAIN] * 10_000)
    assert len({payload.data[:12] for payload in sealed}) == 10_000


@pytest.mark.parametrize("place", range(0, 75, 5))
async def test_one_changed_bit_anywhere_is_noticed(place: int) -> None:
    [sealed] = await codec(KEY_1).encode([PLAIN])
    damaged = bytearray(sealed.data)
    damaged[place % len(damaged)] ^= 1
    sealed.data = bytes(damaged)
    assert await codec(KEY_1).decode([sealed]) == [sealed]


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        (SECRET, "key 1 has no id"),
        (f"k1:{SHORT}", "k1 has 16 bytes, not 32"),
        (f"k1:{SECRET[:-3]}!!!", "k1 is not base64"),
        (f"{SECRET}:k1", "id of key 1"),
        (f"{KEY_1},{KEY_1}", "k1 stands there twice"),
        (f"{KEY_1},", "key 2 has no id"),
        (f"{KEY_1};{KEY_2}", "k1 is not base64"),
    ],
    ids=["no id", "short key", "not base64", "turned round", "twice", "empty key", "wrong separator"],
)
def test_a_wrong_setting_is_one_clear_line_that_never_quotes_a_key(
    monkeypatch: pytest.MonkeyPatch, setting: str, why: str
) -> None:
    monkeypatch.setenv("BACKHAUL_PAYLOAD_KEYS", setting)
    with pytest.raises(InvalidInput) as caught:
        settings_from_environment()
    message = str(caught.value)
    assert message.startswith("settings: BACKHAUL_PAYLOAD_KEYS: ")
    assert why in message
    assert "\n" not in message
    assert SECRET[:12] not in message
    assert SHORT[:12] not in message


def test_an_empty_setting_means_no_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKHAUL_PAYLOAD_KEYS", " ")
    assert settings_from_environment().payload_keys is None


def test_keys_do_not_show() -> None:
    settings = Settings(payload_keys=SecretStr(KEY_1), codec_token=SecretStr("open-sesame"))
    shown = f"{settings!r} {settings} {settings.model_dump_json()} {read_keys(KEY_1)}"
    assert SECRET not in shown
    assert "open-sesame" not in shown
