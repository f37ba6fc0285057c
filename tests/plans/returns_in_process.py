"""A return in process, and what the model expects to see of it."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from models import contract
from models.refunds import Direction, Way
from tests.model import return_happenings, return_state
from tests.model.procedure import Happening
from tests.model.return_happenings import CORRECTIONS, FATES, REPLACING, TAKEN_BACK, WORDS
from tests.model.return_procedure import ReturnProcedure
from tests.model.return_state import BUYER, COST, PAID, SELLER, Refund, ReturnSetup, ReturnState
from tests.plans.against_model import Kind
from tests.plans.one_case import OneCase
from tests.plans.return_messages import event_of
from tests.plans.return_world import FAILED_AFTERWARDS, REQUEST, ReturnWorld, news, ordinal
from tests.plans.rig import Pure, Rig
from workflows.engine.case import SendMail
from workflows.returns.checks import check
from workflows.returns.events import apply
from workflows.returns.facts import ReturnFacts
from workflows.returns.plan import plan
from workflows.returns.replacement_results import ReplacementReported

BASE = datetime(2026, 3, 1, tzinfo=UTC)
PURE = Pure(contract.RETURN_KIND, check, apply, plan)
STATES = {"in_doubt": "in doubt", "failed_afterwards": FAILED_AFTERWARDS}
"""The plan's words for the state of a refund that are not the model's."""


class Return(OneCase):
    """One return of both units of an order, and its world."""

    unit = timedelta(days=1)
    most_answers = 2

    def __init__(self, setup: ReturnSetup, careful: bool) -> None:
        self.world = ReturnWorld(setup)
        self.careful = careful
        facts = ReturnFacts(now=BASE, created_at=BASE, request=REQUEST)
        self.rig = Rig(PURE, facts, self.world, careful=careful)
        self.mails: list[SendMail] = []

    # ---- what happens ----

    def happens(self, happening: Happening) -> None:
        match happening.name:
            case "stop":
                self.rig.press_cancel()
            case "replacement_word":
                self._replacement(happening.variant)
            case "refund_word":
                self._word(*happening.variant.split(" ", maxsplit=1))
            case "goods_received" if happening.variant.startswith("instead: "):
                receipts = self.rig.facts.receipts
                corrects = receipts[-1].event_id if receipts else "none"
                self.rig.hear(event_of(happening, corrects))
            case _:
                self.rig.hear(event_of(happening))

    def _replacement(self, word: str) -> None:
        """Its order says how it stands, if there is one, to a return that has not ended."""
        if self.world.another is None or self.rig.facts.outcome is not None:
            return
        self.world.another = self.world.another.said(word)
        self.rig.take(ReplacementReported(news=news(self.world.another)))

    def _word(self, whose: str, word: str) -> None:
        """The last refund that can still change so says that it did."""
        asked = {one.refund_id for one in self.rig.facts.refunds if one.state == "asked"}
        row = self.world.last_to_change(whose, word, asked)
        if row is None:
            return
        before = row.state
        row.taken_back = before == "succeeded" or word == TAKEN_BACK
        row.state = FAILED_AFTERWARDS if row.taken_back else word
        by_its_end = before in ("silent", "pending") and word != TAKEN_BACK and self.world.chance.random() < 0.6
        if by_its_end:
            for effect in self.rig.pending:
                if effect.key == row.effect.key and not self.rig.is_over:
                    self.rig.answer(effect)
                    break
        elif self.rig.is_over and self.rig.facts.outcome == "completed":
            self._open_again(row.effect.refund_id)
        else:
            self.rig.report(row.result())

    def _open_again(self, refund_id: str) -> None:
        """REF-7: the refund starts the return again, which knows what it knew when it ended."""
        before = self.rig
        self.world.last_facts = before.facts.model_dump(mode="json")
        request = REQUEST.model_copy(update={"reopened_by": refund_id})
        facts = ReturnFacts(now=before.now, created_at=before.now, request=request)
        self.mails.extend(before.mails())
        self.rig = Rig(PURE, facts, self.world, careful=self.careful)
        self.rig.rejected = before.rejected
        self.world.troubled = set()

    def goes_on(self, chance: random.Random) -> None:
        self.world.chance = chance
        super().goes_on(chance)

    def rests(self, chance: random.Random) -> None:
        self.world.chance = chance
        self.rig.rest(chance.randrange)
        if any(effect.key in self.world.troubled for effect in self.rig.pending):
            self.rig.rest(chance.randrange)

    def clock(self, amount: int, chance: random.Random) -> None:
        self.rests(chance)
        super().clock(amount, chance)

    # ---- what is seen ----

    def seen(self) -> tuple[Any, ...]:
        facts = self.rig.facts
        refunds = sorted(
            (
                BUYER if one.direction is Direction.SELLER_TO_BUYER else SELLER,
                ordinal(one.refund_id),
                int(one.amount * 100),
                STATES.get(one.state, one.state),
            )
            for one in facts.refunds
        )
        credited = int(facts.credited * 100) if facts.opened else 0
        return self.rig.stage, tuple(refunds), credited, self.rejected, replaced(facts)

    @staticmethod
    def expected(procedure: ReturnProcedure, state: ReturnState) -> tuple[Any, ...]:
        refunds = sorted((one.whose, one.number, one.cents, shown(one)) for one in state.refunds)
        one = state.another
        another = (one.units, one.shipped, one.gone, one.abandoned) if one is not None else ()
        return procedure.stage(state), tuple(refunds), state.credited, state.rejected, another

    def audit(self) -> None:
        for whose, cap in ((BUYER, PAID), (SELLER, COST)):
            moved = sum(row.cents for row in self.world.rows.values() if row.whose == whose and row.counts)
            assert moved <= cap, f"more refunded to the {whose} than paid (REF-3)"
        self._audit_mails()

    def _audit_mails(self) -> None:
        """NTF-1: who gets money is told once of each refund; whoever clicked, of what failed."""
        told = [mail.key for mail in (*self.mails, *self.rig.mails())]
        assert len(set(told)) == len(told), "an e-mail is sent twice (NTF-1)"
        if self.rig.facts.outcome == "stopped":
            return
        for row in self.world.rows.values():
            if row.state == "succeeded" and row.effect.way is Way.GATEWAY:
                key = "refunded" if row.whose == BUYER else "seller-refunded"
                assert f"mail:{key}-{row.effect.refund_id}" in told, f"nobody is told of {row.effect.refund_id}"


def replaced(facts: ReturnFacts) -> tuple[Any, ...]:
    """Units of the replacement, those that were sent, those that came to nothing, and whether it was abandoned."""
    one = facts.replacement
    if one is None:
        return ()
    (line,) = one.lines
    return line.quantity, line.shipped, line.cancelled + line.voided, one.abandoned


def shown(refund: Refund) -> str:
    """What may have been sent, and was not answered, is in doubt (REF-11)."""
    return "in doubt" if refund.state == "silent" else refund.state


def setup(chance: random.Random) -> ReturnSetup:
    rma = chance.choice(("none", "by hand", "issued", "refused", "pending", "none", "by hand"))
    return ReturnSetup(
        rma_by_hand=rma == "by hand",
        refused=chance.random() < 0.03,
        service=rma if rma not in ("none", "by hand") else "",
        auto_refund=chance.random() < 0.5,
        refund_on_breach=chance.random() < 0.5,
        pays_as_agreed=chance.random() < 0.3,
        replaces_at_once=chance.random() < 0.5,
        buyer_fates=tuple(chance.choice(FATES) for _ in range(chance.randint(0, 3))),
        seller_fates=tuple(chance.choice(FATES) for _ in range(chance.randint(0, 3))),
    )


GUIDE = return_happenings.GUIDE | {
    "awaiting_approval": return_happenings.GUIDE["awaiting_approval"] + (("seller_approval", "replacement"),) * 3,
    "awaiting_tracking": (*return_happenings.GUIDE["awaiting_tracking"], ("replacement_word", "ships one")),
    "in_transit": (*return_happenings.GUIDE["in_transit"], ("replacement_word", "nobody has it")),
}

RETURNS = Kind(
    name="return",
    choices={
        **return_happenings.EVENTS,
        "goods_received": return_happenings.EVENTS["goods_received"] + CORRECTIONS,
        "seller_approval": return_happenings.EVENTS["seller_approval"] + REPLACING["seller_approval"] * 2,
        "staff_override": return_happenings.EVENTS["staff_override"] + REPLACING["staff_override"],
        "replacement_word": REPLACING["replacement_word"],
        "refund_word": WORDS,
        "stop": ("",),
    },
    clock=(1, *return_happenings.CLOCK),
    guide=GUIDE,
    setup=setup,
    procedure=ReturnProcedure,
    subject=Return,
    check=lambda state, _setup: return_state.check(state),
)
