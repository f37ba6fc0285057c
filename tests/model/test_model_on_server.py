"""The same sequences on the real server: where the model can't be, the product is not (RET-16)."""

import itertools
from dataclasses import replace

import pytest

from activities.database.ledger import Ledger
from tests.model.damage import DAMAGES
from tests.model.order_state import OrderSetup
from tests.model.procedure import Happening
from tests.model.sequence_player import Play, Violation, audit, play_all
from tests.model.sequences import KINDS, Sequence, generated, with_every_damage
from tests.world import World

SEED = 20_260_301
SEQUENCES = {"order": 40, "return": 40, "refunds": 20}


@pytest.mark.parametrize("name", SEQUENCES)
async def test_RET_16_whatever_happens_in_whatever_order_the_product_does_what_the_model_allows_and_ends(
    world: World, name: str
) -> None:
    kind = KINDS[name]
    figures = await play_all(world, with_every_damage(kind, generated(kind, SEQUENCES[name], SEED), SEED))
    print(f"\n{figures}")
    assert figures.sequences == SEQUENCES[name]
    assert not figures.violations, "\n\n".join(figures.violations[:3])
    assert Ledger(world.engine).faults()[1] == [], "what moved is entered once (BAL-1)"
    assert set(figures.damages) == set(itertools.product(kind.events, DAMAGES)), "not each damage was sent"


async def ended(world: World, stock: str, *happenings: Happening) -> Play:
    """An order of two units to which this happened; what it then waits for is done until it has ended."""
    numbered = (replace(one, ident=number) for number, one in enumerate(happenings, 1))
    play = Play(world, Sequence("order", OrderSetup(stock=stock), tuple(numbered)))
    await play.run()
    await play.finish()
    return play


def order_of(play: Play) -> str:
    assert play.real is not None, "it has begun"
    return play.real.order.id


WINDOW_CLOSES = Happening("clock", amount_of_time=31)


async def test_ORD_19_ORD_7_what_its_supplier_can_t_deliver_after_all_is_voided_and_is_not_cancelled_and_sent(
    world: World,
) -> None:
    shortage = Happening("supplier_shortage", "1:", way="update")
    play = await ended(world, "in stock", WINDOW_CLOSES, shortage)
    assert play.ends == ["voided"]
    effects = await world.effects()
    await audit(play, effects)

    order = next(one for one in effects.supplier_orders if one.number.startswith(f"{order_of(play)}-"))
    more = order.model_copy(update={"number": f"{order_of(play)}-2"})
    with pytest.raises(Violation, match="units that suppliers are to ship and units shipped: 2 and 0"):
        await audit(play, effects.model_copy(update={"supplier_orders": (*effects.supplier_orders, more)}))


async def test_CAN_4_the_audit_sees_an_order_that_is_cancelled_and_sent(world: World) -> None:
    sent = await ended(world, "in stock", WINDOW_CLOSES)
    play = await ended(world, "in stock", Happening("cancel_request", way="update"))
    assert (sent.ends, play.ends) == (["shipped"], ["cancelled"])
    effects = await world.effects()
    for one in (sent, play):
        await audit(one, effects)

    order = next(one for one in effects.supplier_orders if one.number.startswith(f"{order_of(sent)}-"))
    wrong = order.model_copy(update={"number": f"{order_of(play)}-1"})
    with pytest.raises(Violation, match="CAN-4"):
        await audit(play, effects.model_copy(update={"supplier_orders": (*effects.supplier_orders, wrong)}))
