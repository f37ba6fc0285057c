"""What holds a refund up until people have done something, and its case hears it (BAL-1, AMZ-5)."""

from typing import Final

from models.failures import Category
from models.refunds import UNSETTLED, HeldUp
from workflows.engine.pieces import MENDED_BY
from workflows.refunds.effects import Reserve, Send
from workflows.refunds.facts import RefundFacts

_BY: Final = {Category.BALANCE_SHORT: "balance", Category.CONNECTION_UNUSABLE: "connection"}


def held_up(f: RefundFacts) -> HeldUp | None:
    """None: it goes on by itself, or is in doubt: then a person says what became of it (REF-11)."""
    if f.state not in UNSETTLED or f.in_doubt:
        return None
    for key, trouble in f.trouble.items():
        who = MENDED_BY.get(trouble.category)
        if who is not None and isinstance(f.in_flight[key], Reserve | Send):
            what = trouble.reason.removeprefix(f"{trouble.category.value}: ")
            return HeldUp.model_validate({"by": _BY[trouble.category], "who": who, "what": what})
    return f.word.held_up if f.word is not None and f.word.state == "pending" else None
