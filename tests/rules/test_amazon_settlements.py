"""Amazon's settlement on the running stack: booked once, and who has to know is told (AMZ-8, RET-18)."""

import asyncio
import io
from decimal import Decimal
from pathlib import Path

import pytest

from activities.database.ledger import Ledger
from activities.database.settlement_report import reconciled
from models.amazon.settlements import SettlementReconciled, SettlementState
from starter.cli.settlement_import import import_amounts
from tests.amazon_queue_story import AmazonAccount, amazon_account
from tests.case_story import OrderStory, Refused
from tests.connectors.amazon.settlement_reports import BRAKE_PADS, REFUNDED, settlement
from tests.world import World

pytestmark = pytest.mark.proof


def row_of(order: OrderStory, **more: str) -> dict[str, str]:
    named = {name.replace("_", "-"): cell for name, cell in more.items()}
    number = str(order.request.channel_order_id)
    return {"order-id": number, "order-item-code": order.request.lines[0].line_id or "", **named}


async def imports(account: AmazonAccount, total: str, *rows: dict[str, str]) -> SettlementReconciled:
    """Twice: the second time nothing is new."""
    world, settlement_id = account.world, f"S-{account.connection_id}"
    content = settlement(rows, total, settlement_id=settlement_id)
    for known in (False, True):
        staged = await import_amounts(
            world.client,
            world.engine,
            io.BytesIO(content),
            account.connection_id,
            "settlement.txt",
            task_queue=world.task_queue,
        )
        assert (staged.is_known, staged.state) == (known, SettlementState.BOOKED)
    assert not [one for one in Ledger(world.engine).faults()[1] if one.movement.startswith("settlement/")]
    return await asyncio.to_thread(reconciled, world.engine, settlement_id)


async def test_RET_18_a_return_hears_of_the_refund_that_stands_in_a_settlement(world: World) -> None:
    account = await amazon_account(world)
    order = await account.order()
    await order.shipped()
    back = await world.return_of(order, quantity=1)
    await back.reaches("awaiting_approval")
    sold = BRAKE_PADS | row_of(order, amount="100.00")
    refunded = REFUNDED | row_of(order, amount="-50.00")
    found = await imports(account, "50.00", sold, refunded)
    (one,) = found.differences
    assert (one.what, one.return_id, one.came, one.note) == ("unexpected", back.id, Decimal("50.00"), None)
    status = await back.shows("that Amazon refunds", lambda seen: seen.facts["refunded_by_channel"])
    assert status is not None
    with pytest.raises(Refused, match="RET-18"):
        await back.update("buyer_refund", actor="seller:jane", reason="click")


async def test_AMZ_8_on_the_command_line_it_is_held_until_it_adds_up_and_then_booked_once(
    world: World, tmp_path: Path
) -> None:
    account, file = await amazon_account(world), tmp_path / "settlement.txt"
    command = ("import-settlement", str(file), "--connection", account.connection_id)
    settlement_id = f"S-{account.connection_id}"
    bad = BRAKE_PADS | {"amount": "1.234"}
    file.write_bytes(settlement([BRAKE_PADS, bad], "101.00", settlement_id=settlement_id))
    held = await account.types(*command)
    assert held.exit_code == 2
    assert "held, for it does not add up; nothing is booked" in held.stdout
    assert "line 4, amount" in held.stderr
    assert "total-amount: is 1.00 USD more than its amounts are" in held.stderr
    rows = [BRAKE_PADS, bad | {"amount": "1.00"}]
    assert (await imports(account, "101.00", *rows)).state is SettlementState.BOOKED
    file.write_bytes(settlement(rows, "101.00", settlement_id=settlement_id))
    again = await account.types(*command)
    assert (again.exit_code, "was imported before, and nothing is new" in again.stdout) == (0, True)
    file.write_bytes(settlement([BRAKE_PADS], "100.00", settlement_id=settlement_id))
    other = await account.types(*command)
    assert (other.exit_code, "with other contents" in other.stderr) == (4, True)


async def test_AMZ_8_a_refund_that_amazon_said_nothing_of_succeeds_by_its_settlement(world: World) -> None:
    account = await amazon_account(world)
    order = await account.order()
    refund = await account.refund(order, "100.00")
    batch = await account.process(refund)
    await batch.reaches("processing")
    refunded = REFUNDED | row_of(order, amount="-100.00", merchant_adjustment_item_id=f"{refund.id}.1")
    found = await imports(account, "-100.00", refunded)
    assert (found.confirmed, found.differences) == (1, ())
    await refund.ends("succeeded")
