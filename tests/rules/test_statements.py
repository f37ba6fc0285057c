"""A supplier's statement on the running stack: a credit memo reaches its return, once (RET-12, RET-20)."""

from starter.cli.statement_import import import_rows
from tests.return_story import returning
from tests.world import World


async def test_RET_12_a_statement_credits_a_return_once_and_keeps_what_fits_none(world: World) -> None:
    case = await returning(world)
    await case.approved()
    await case.track()
    await case.receive()
    await case.reaches("awaiting_credit")
    supplier = world.reading.return_view(case.id).listed.supplier_id
    lines = [
        "number;date;amount;currency;return",
        f"CM-{world.tag};2026-03-01;20,00;USD;{case.id}",
        f"CM-{world.tag};2026-03-01;5,00;USD;RR-nobody-{world.tag}",
    ]
    first = await import_rows(world.client, world.reading, "s.csv", lines, supplier)
    assert (first.sent, first.orphans, first.problems) == (1, 1, ())
    again = await import_rows(world.client, world.reading, "s.csv", lines, supplier)
    assert (again.sent, again.known, again.orphans, again.problems) == (0, 2, 0, ())
    await case.shows("the credit", lambda seen: any("20.00" in step.what for step in seen.timeline))
