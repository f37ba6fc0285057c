"""The same sequences on the real server: where the model can't be, the product is not (RET-16)."""

import pytest

from tests.model.playing import play_all
from tests.model.sequences import KINDS, generated
from tests.world import World

SEED = 20_260_301
SEQUENCES = {"order": 40, "return": 40, "refunds": 20}


@pytest.mark.parametrize("kind", SEQUENCES)
async def test_RET_16_whatever_happens_in_whatever_order_the_product_does_what_the_model_allows(
    world: World, kind: str
) -> None:
    figures = await play_all(world, generated(KINDS[kind], SEQUENCES[kind], SEED))
    print(f"\n{figures}")
    assert figures.sequences == SEQUENCES[kind]
    assert not figures.violations, "\n\n".join(figures.violations[:3])
