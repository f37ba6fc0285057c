"""The same sequences on the real server: where the model can't be, the product is not (RET-16)."""

import itertools

import pytest

from tests.model.damage import DAMAGES
from tests.model.sequence_player import play_all
from tests.model.sequences import KINDS, generated, with_every_damage
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
    assert set(figures.damages) == set(itertools.product(kind.events, DAMAGES)), "not each damage was sent"
