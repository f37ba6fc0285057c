"""Our own code fails at the database's side of a step: people know it within minutes, and it goes on (NTF-9)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session

from activities.database import Database
from models import contract
from models.message import Message
from models.records import OpenOrder, OpenReturn, ReserveRefund
from starter.sandbox.facts import MailFact
from tests.case_story import CaseStory
from tests.eventually import eventually
from tests.world import World


class BrokenBooks:
    """A database whose code fails at one kind of message, until it is mended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: type[Message]) -> None:
        self.mended = False
        write = Database._write

        def broken(database: Database, work: Callable[[Session, Any], Any], ask: Any) -> Any:
            if isinstance(ask, kind) and not self.mended:
                raise KeyError("a mistake of ours")
            return write(database, work, ask)

        monkeypatch.setattr(Database, "_write", broken)


async def told_to_staff(world: World, case: CaseStory) -> MailFact:
    async def letters() -> list[MailFact]:
        every = await world.sandbox.mails(to=str(world.settings.mail_staff))
        return [one for one in every if case.handle.id in f"{one.subject} {one.text}"]

    found: list[MailFact] = await eventually(letters, bool, f"staff are not told of {case.handle.id}")
    return found[0]


async def stands_in_the_list(case: CaseStory) -> None:
    async def work() -> Any:
        return await case.attribute(contract.WORK)

    await eventually(work, lambda seen: "faults_of_ours" in (seen or ()), f"{case.id} is in no list")


async def test_NTF_9_an_order_that_our_code_can_t_write_down_is_told_listed_and_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = BrokenBooks(monkeypatch, OpenOrder)
    order = await world.simple_order()
    assert "write the order down" in str((await told_to_staff(world, order)).text)
    await stands_in_the_list(order)
    books.mended = True
    await order.forward(minutes=12)
    await order.reaches("cancel_window")


async def test_NTF_9_an_order_that_our_code_can_t_write_down_can_be_cancelled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    BrokenBooks(monkeypatch, OpenOrder)
    order = await world.simple_order()
    await stands_in_the_list(order)
    await order.handle.cancel()
    await order.shows("its stop", lambda seen: seen.outcome == "stopped")


@pytest.mark.parametrize("kind", [OpenReturn, ReserveRefund])
async def test_NTF_9_so_do_a_return_and_a_refund(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: type[Message]
) -> None:
    order = await world.simple_order()
    await order.shipped()
    books = BrokenBooks(monkeypatch, kind)
    case = await (world.return_of(order) if kind is OpenReturn else world.refund(order, amount="5.00"))
    await told_to_staff(world, case)
    await stands_in_the_list(case)
    books.mended = True
    await case.forward(minutes=12)
    await (case.reaches("awaiting_approval") if kind is OpenReturn else case.ends("succeeded"))
