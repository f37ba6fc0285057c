"""Who may say what: the table of event x role, at the door and on the page (RET-16)."""

import re
from pathlib import Path

import pytest

from models.contract import KINDS, ORDER_KIND, CaseKind
from models.failures import Category, InvalidInput
from models.message import Event
from models.senders import NotTheirs, Role
from tests.races.event_forms import good
from tests.senders import sender_of
from workflows.engine.inbox import IN_THE_UI, read, with_defaults

PAGE = Path(__file__).parent.parent.parent / "docs" / "events.md"
EVERY = [(kind, name) for kind in KINDS for name in kind.events]
NEVER = {
    "credit_memo": {Role.SELLER, Role.BUYER},
    "buyer_refund": {Role.BUYER, Role.SUPPLIER},
    "supplier_rma": {Role.BUYER, Role.SELLER},
    "goods_received": {Role.BUYER, Role.SELLER, Role.CARRIER},
    "seller_approval": {Role.BUYER, Role.SUPPLIER},
    "refund_confirmed": {Role.BUYER, Role.SUPPLIER, Role.SCRIPT},
    "refund_resolved": {Role.SELLER, Role.BUYER, Role.GATEWAY},
    "cost_decision": {Role.SELLER, Role.BUYER, Role.SUPPLIER, Role.SCRIPT},
    "claim_decision": {Role.SELLER, Role.BUYER, Role.SUPPLIER, Role.SCRIPT},
    "feed_resolved": {Role.SELLER, Role.SCRIPT, Role.CHANNEL},
    "staff_override": {Role.SELLER, Role.BUYER, Role.SUPPLIER},
}
"""Who gains by a word does not say it."""


def sent(name: str, actor: str) -> list[dict[str, object]]:
    return [{"event_id": "e1", "actor": actor, **good(name, "A")}]


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=[name for _, name in EVERY])
def test_RET_16_each_event_has_its_senders_and_staff_is_one(kind: CaseKind, name: str) -> None:
    assert name in kind.senders, "say in models/senders.py who may send it"
    assert Role.STAFF in kind.may_send(name)
    assert not set(kind.may_send(name)) & ({Role.SYSTEM} | NEVER.get(name, set()))


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=[name for _, name in EVERY])
def test_RET_16_only_those_may_say_it_whose_it_is(kind: CaseKind, name: str) -> None:
    for role in Role:
        if role in kind.may_send(name):
            assert isinstance(read(kind, name, sent(name, f"{role}:kim")), Event)
            continue
        with pytest.raises(NotTheirs) as refused:
            read(kind, name, sent(name, f"{role}:kim"))
        assert str(refused.value).startswith("only ")
        assert all(may.value in str(refused.value) for may in kind.may_send(name)), "it names the roles that may"
        assert refused.value.category is Category.REFUSED_BY_RULE
        assert "kim" not in str(refused.value)


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=[name for _, name in EVERY])
def test_the_tests_send_as_those_who_may(kind: CaseKind, name: str) -> None:
    read(kind, name, sent(name, sender_of(name)))


def test_RET_16_the_page_shows_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([a-z, ]+) \|$", PAGE.read_text(), re.MULTILINE)
    assert {name: roles.split(", ") for name, roles in rows} == {
        name: [role.value for role in kind.may_send(name)] for kind, name in EVERY
    }


@pytest.mark.parametrize("said", [{}, {"event_id": "", "actor": ""}], ids=["left out", "empty"])
def test_RET_16_an_update_from_the_ui_needs_neither_id_nor_actor(said: dict[str, str]) -> None:
    event = read(ORDER_KIND, "release", with_defaults([said], "5f3c"))
    assert (event.event_id, event.actor) == ("update-5f3c", IN_THE_UI)
    assert event == read(ORDER_KIND, "release", with_defaults([said], "5f3c")), "the same update is the same event"


def test_RET_16_who_says_both_is_believed_and_a_wrong_one_is_refused() -> None:
    sent_by_jane = [{"event_id": "e1", "actor": "seller:jane"}]
    assert with_defaults(sent_by_jane, "5f3c") == sent_by_jane
    with pytest.raises(InvalidInput, match="actor"):
        read(ORDER_KIND, "release", with_defaults([{"actor": None}], "5f3c"))
    with pytest.raises(NotTheirs):
        read(ORDER_KIND, "release", with_defaults([{"actor": "gateway:stripe"}], "5f3c"))


def test_RET_16_a_signal_must_say_both() -> None:
    with pytest.raises(InvalidInput, match=r"event_id: .*actor: "):
        read(ORDER_KIND, "release", [{}])
