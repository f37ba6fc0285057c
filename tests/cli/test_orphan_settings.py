"""When the case of an orphan is looked for is a setting of the process that reports it (RET-20)."""

import pytest

from models.environment import settings_from_environment
from models.failures import InvalidInput
from models.orphans import OrphanRequest
from starter.cli.orphan_reports import request_of

MEMO = {
    "event_id": "m1",
    "actor": "supplier:reno",
    "number": "CM-1",
    "date": "2026-03-01",
    "amount": "5.00",
    "currency": "USD",
}
REPORT = {"source": "reno", "event": "credit_memo", "said": MEMO, "numbers": ["RMA-77"]}


def asked(**more: object) -> OrphanRequest:
    return request_of({**REPORT, **more})


def test_RET_20_it_looks_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (asked().look_pauses_minutes, asked().look_days) == ((1, 60, 360), 90)
    monkeypatch.setenv("BACKHAUL_ORPHAN_PAUSES_MINUTES", "5, 20")
    monkeypatch.setenv("BACKHAUL_ORPHAN_DAYS", "7")
    assert (asked().look_pauses_minutes, asked().look_days) == ((5, 20), 7)
    assert asked(look_pauses_minutes=[3]).look_pauses_minutes == (3,), "the request's own word counts"
    monkeypatch.setenv("BACKHAUL_ORPHAN_PAUSES_MINUTES", "")
    assert asked().look_pauses_minutes == ()


@pytest.mark.parametrize("said", ["soon", "0", "1,,2", "1,43201", ",".join(["1"] * 21)])
def test_RET_20_what_is_no_list_of_minutes_is_told(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("BACKHAUL_ORPHAN_PAUSES_MINUTES", said)
    with pytest.raises(InvalidInput, match="BACKHAUL_ORPHAN_PAUSES_MINUTES"):
        settings_from_environment()
