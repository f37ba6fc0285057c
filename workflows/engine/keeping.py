"""A save that the database took for a late one is made again: it is kept, or staff hear of a fault (NTF-9)."""

from typing import Any, Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.alerts import topic_of
    from models.calls import Call
    from models.failures import Category
    from models.records import Saved
    from workflows.engine.calls import DATABASE, Setback, Troubled, ask, rest
    from workflows.engine.save import Save

LATE: Final = "the database has a later record of this case, though this is the newest"


async def keep(save: Save, summary: str, *, seller_id: str, troubled: Troubled) -> Saved:
    """The database's answer, once it has kept it. Raises asyncio.CancelledError alone.

    A case saves one thing after the other, and the database goes by the moments at which the server took them:
    so a save is late only when the server's clock went back. The next try is a later one; where that does not
    help, it is a fault of ours, which staff hear, and it is tried until the clock has come up.
    """
    call: Call[Any, Saved] = save.call
    tries = 0
    while not (saved := await ask(call, save.message, summary, seller_id=seller_id, troubled=troubled)).is_newest:
        tries += 1
        if tries == 1:
            continue
        topic = topic_of(Category.INTERNAL, "database", call.name)
        troubled(Setback(f"{Category.INTERNAL.value}: {LATE}", Category.INTERNAL, alert=True, topic=topic))
        pause = DATABASE.pause_after(tries - 2, Category.INTERNAL)
        await rest(pause, f"Pause before trying again: {summary}")
    return saved
