"""The model of a return (RET): two units of one item, paid 50.00 and charged 31.50 each. Its clock counts days."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from tests.model.procedure import Happening, changed
from tests.model.replacement_order import WORDS as WORDS_OF_ORDER
from tests.model.replacement_order import Another

PAID = 10_000
COST = 6_300
FEE = 1_000
"""In cents."""
SLA = 60
PAUSE = 3
"""Days until a refund of the seller that did not succeed is made again."""
BUYER, SELLER = "buyer", "seller"

EVENTS: dict[str, tuple[str, ...]] = {
    "seller_approval": ("approved", "with fee", "too dear", "all of it", "returnless", "rejected"),
    "supplier_rma": ("issued", "refused"),
    "return_tracking": ("",),
    "goods_received": (
        "accepted",
        "rejected",
        "manual",
        "too many",
        "one accepted",
        "one rejected",
        "short",
        "both",
    ),
    "credit_memo": ("c1:6300", "c2:3150", "c1:3150", "foreign", "c3:2000 final"),
    "buyer_refund": ("", "1000", "99900"),
    "refund_declined": ("declined", "replaced"),
    "withdrawal": ("",),
    "channel_update": ("refunded_by_channel", "escalated"),
    "staff_override": ("tracking", "rma", "inspection", "credit_memo", "by the seller"),
}
REPLACING = {
    "seller_approval": ("replacement",),
    "staff_override": ("replacement",),
    "replacement_word": WORDS_OF_ORDER,
}
"""What there is of a replacement beside that (RET-24)."""
CORRECTIONS = ("instead: accepted", "instead: one accepted", "instead: rejected", "instead: nothing")
"""Receipts that correct the last one that counts (RET-26)."""
ENTRIES: dict[str, tuple[tuple[str, int], ...]] = {
    "accepted": (("accepted", 2),),
    "rejected": (("rejected", 2),),
    "manual": (("manual", 2),),
    "too many": (("accepted", 3),),
    "one accepted": (("accepted", 1),),
    "one rejected": (("rejected", 1),),
    "short": (("short", 1),),
    "both": (("accepted", 1), ("rejected", 1)),
    "nothing": (),
}
"""What a receipt says: a word and so many units (RET-25). `short`: accepted, and no more comes."""
CLOCK = (8, 31, 61)
TAKEN_BACK = "taken back"
WORDS = tuple(f"{whose} {word}" for whose in (BUYER, SELLER) for word in ("succeeded", "failed", TAKEN_BACK))
"""What a refund says that was pending, in doubt, or had succeeded (REF-7); `taken back`: it had succeeded, which
nobody here has heard, and failed since."""
FATES = ("succeeds", "fails", "refused", "in doubt", "pending", "silent", "id taken")
"""What becomes of a refund that was sent. `silent`: the gateway gives no answer for days; `id taken`: its id is
another request's, so that it is asked for under the next one."""
IDS_IN_A_ROW = 3


def receipt(sku: str, variant: str) -> list[dict[str, object]]:
    """The lines of a receipt, as they are sent."""
    return [
        {
            "sku": sku,
            "quantity": count,
            "reception": "short" if word == "short" else "received",
            "acceptance": "accepted" if word == "short" else word,
        }
        for word, count in ENTRIES[variant]
    ]


GUIDE: dict[str, tuple[tuple[str, str], ...]] = {
    "opening": (
        ("seller_approval", "with fee"),
        ("seller_approval", "approved"),
        ("return_tracking", ""),
        ("credit_memo", "c2:3150"),
    ),
    "awaiting_approval": (
        ("seller_approval", "approved"),
        ("seller_approval", "with fee"),
        ("seller_approval", "returnless"),
        ("seller_approval", "approved"),
        ("seller_approval", "all of it"),
        ("seller_approval", "rejected"),
        ("withdrawal", ""),
    ),
    "awaiting_rma": (("supplier_rma", "issued"), ("staff_override", "rma"), ("supplier_rma", "refused")),
    "rma_refused": (("supplier_rma", "issued"), ("staff_override", "rma")),
    "awaiting_tracking": (("return_tracking", ""), ("goods_received", "accepted"), ("credit_memo", "c1:6300")),
    "replacing": (
        ("replacement_word", "ships one"),
        ("replacement_word", "nobody has it"),
        ("replacement_word", "cancelled"),
        ("replacement_word", "too late"),
        ("replacement_word", "with supplier"),
        ("replacement_word", "stopped"),
        ("buyer_refund", ""),
        ("staff_override", "replacement"),
        ("refund_declined", "declined"),
        ("goods_received", "accepted"),
    ),
    "expired": (("return_tracking", ""), ("staff_override", "tracking")),
    "in_transit": (
        ("goods_received", "one accepted"),
        ("goods_received", "accepted"),
        ("credit_memo", "c1:6300"),
        ("goods_received", "rejected"),
        ("buyer_refund", ""),
        ("withdrawal", ""),
        ("channel_update", "refunded_by_channel"),
    ),
    "awaiting_credit": (
        ("credit_memo", "c1:6300"),
        ("credit_memo", "c2:3150"),
        ("buyer_refund", "1000"),
        ("withdrawal", ""),
        ("goods_received", "rejected"),
        ("staff_override", "credit_memo"),
        ("credit_memo", "c3:2000 final"),
    ),
    "refunding_seller": (
        ("refund_word", "seller succeeded"),
        ("refund_word", "seller failed"),
        ("refund_word", "seller taken back"),
        ("clock", "8"),
        ("buyer_refund", ""),
        ("goods_received", "rejected"),
    ),
    "awaiting_buyer_refund": (
        ("buyer_refund", ""),
        ("buyer_refund", "1000"),
        ("refund_word", "buyer succeeded"),
        ("refund_word", "buyer failed"),
        ("channel_update", "refunded_by_channel"),
        ("goods_received", "accepted"),
        ("goods_received", "both"),
        ("refund_declined", "declined"),
    ),
    "refunding_buyer": (
        ("refund_word", "buyer succeeded"),
        ("refund_word", "buyer taken back"),
        ("refund_word", "buyer failed"),
        ("buyer_refund", ""),
        ("withdrawal", ""),
        ("channel_update", "refunded_by_channel"),
    ),
    "completed": (
        ("refund_word", "buyer failed"),
        ("refund_word", "seller failed"),
        ("refund_word", "buyer failed"),
    ),
}
"""What goes on from each stage, or is awkward there: chosen more often than the rest."""


@dataclass(frozen=True)
class ReturnSetup:
    """The settings of supplier and seller, and what becomes of the refunds that are sent, one after another; all
    others succeed."""

    rma_by_hand: bool = False
    refused: bool = False
    """The database refuses the return: more comes back than was shipped (RET-2)."""
    service: str = ""
    """What the supplier's web service says of the RMA: issued, refused, pending; empty: it has none."""
    auto_refund: bool = False
    refund_on_breach: bool = False
    replaces_at_once: bool = False
    """Otherwise a replacement waits for the goods (RET-24)."""
    pays_as_agreed: bool = False
    """The seller gets what was agreed, however little the supplier's last credit is (RET-28)."""
    buyer_fates: tuple[str, ...] = ()
    seller_fates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refund:
    """One refund of the return.

    `state`: asked, silent, pending, succeeded, failed, refused, in doubt, failed afterwards.
    """

    whose: str
    number: int
    cents: int
    state: str = "asked"
    since: int = 0
    by_click: bool = False
    automatic: bool = False
    """Asked for by the seller's setting at first, whoever asked again."""
    by_channel: bool = False
    made_again: bool = False
    """It failed afterwards, and a later one succeeded."""
    renumbered: bool = False
    """Its id belongs to another request."""

    @property
    def may_have_moved(self) -> bool:
        return self.state in ("asked", "silent", "pending", "succeeded", "in doubt")

    @property
    def is_under_way(self) -> bool:
        return self.state in ("asked", "silent", "pending")

    @property
    def counts(self) -> bool:
        """Against what was paid (REF-3)."""
        return self.state in ("silent", "pending", "succeeded", "in doubt")


@dataclass(frozen=True)
class ReturnState:
    """The facts of one return; where it stands follows from them. Money in cents."""

    now: int = 0
    opened: bool = False
    open_again: bool = False
    reopening: bool = False
    """It is not yet known again what it has."""
    approval: str = ""
    rma: str = ""
    rma_given: bool = False
    service_done: bool = False
    appeal_until: int | None = None
    tracked: bool = False
    tracking_due: int | None = None
    reopen_until: int | None = None
    on_the_way: bool = False
    goods: tuple[tuple[tuple[str, int], ...], ...] = ()
    """What each receipt says that counts (RET-26)."""
    arrived: bool = False
    """Somebody said once that something arrived."""
    said_since: bool = False
    """Goods or credits, after the seller was refunded."""
    early: tuple[tuple[str, str], ...] = ()
    """What came before the return opened: judged again when it does."""
    waived: frozenset[str] = frozenset()
    memos: tuple[tuple[int, bool], ...] = ()
    """Cents that are not booked yet, and whether they are the last ones."""
    memo_numbers: frozenset[str] = frozenset()
    credited: int = 0
    final: bool = False
    """No more is credited (RET-28)."""
    declined: bool = False
    """The buyer is not refunded (RET-27)."""
    clicks: tuple[int, ...] = ()
    """Cents asked for; 0: all."""
    refunds: tuple[Refund, ...] = ()
    sent: tuple[int, int] = (0, 0)
    """How often a gateway was asked to refund the buyer, and the seller."""
    to_renumber: tuple[Refund, ...] = ()
    automatic_refused: bool = False
    """The seller's setting asked for nothing that can be refunded."""
    nothing_left: bool = False
    """The fees take all that was paid."""
    channel: bool = False
    channel_todo: int = 0
    """What the marketplace refunded, and is not booked yet."""
    channel_passed: bool = False
    another: Another | None = None
    """The order that replaces it (RET-24)."""
    nothing_accepted: bool = False
    withdrawn: bool = False
    stopped: bool = False
    outcome: str | None = None
    heard: frozenset[int] = frozenset()
    rejected: int = 0

    @property
    def is_replaced(self) -> bool:
        return self.opened and self.approval == "replacement"

    @property
    def fee(self) -> int:
        return {"with fee": FEE, "all of it": PAID}.get(self.approval, 0)

    def of(self, whose: str) -> list[Refund]:
        """The refunds by a gateway, of one of them."""
        return [one for one in self.refunds if one.whose == whose and not one.by_channel]

    @property
    def by_channel(self) -> list[Refund]:
        return [one for one in self.refunds if one.by_channel]

    @property
    def owed(self) -> int:
        """What failed afterwards, and was not made again since (REF-7)."""
        failed = [one for one in self.of(BUYER) if one.state == "failed afterwards" and not one.made_again]
        return sum(one.cents for one in failed)

    @property
    def refunded(self) -> int:
        return sum(one.cents for one in self.of(BUYER) if one.state == "succeeded")

    @property
    def seller_refunded(self) -> int:
        return sum(one.cents for one in self.of(SELLER) if one.state == "succeeded")

    def units(self, *words: str) -> int:
        """Units that were spoken of, with these words."""
        return sum(count for receipt in self.goods for word, count in receipt if not words or word in words)

    @property
    def awaited(self) -> int:
        """Units that nobody has spoken of; none once it was short."""
        return 0 if self.units("short") else 2 - self.units()

    @property
    def seller_got(self) -> int:
        return sum(one.cents for one in self.of(SELLER) if one.may_have_moved)

    @property
    def in_doubt(self) -> bool:
        return any(one.state == "in doubt" for one in self.refunds)


class ReturnProcedure:
    """What a return does by itself, and what it makes of each event."""

    def __init__(self, setup: ReturnSetup) -> None:
        self.setup = setup

    def begin(self) -> ReturnState:
        return ReturnState()

    def clock(self, state: ReturnState) -> int:
        return state.now

    def at(self, state: ReturnState, moment: int) -> ReturnState:
        return changed(state, now=moment)

    def reaches(self, state: ReturnState, event: Happening) -> bool:
        return True

    def seen(self, state: ReturnState, ident: int) -> bool:
        return ident in state.heard and not state.reopening

    def reject(self, state: ReturnState) -> ReturnState:
        return changed(state, rejected=state.rejected + 1)

    def next_deadline(self, state: ReturnState, until: int) -> int | None:
        deadlines = [state.appeal_until, state.tracking_due, state.reopen_until, SLA, self._again_at(state)]
        return min((at for at in deadlines if at is not None and state.now < at <= until), default=None)

    # ---- what is so ----

    def _broker_pays(self, state: ReturnState) -> bool:
        return self.setup.refund_on_breach and state.now >= SLA

    def _needs_inspection(self, state: ReturnState) -> bool:
        waived = bool(state.waived & {"inspection", "credit_memo"})
        return not (self._inspected(state) or waived or self._credits_done(state) or self._broker_pays(state))

    def _credits_done(self, state: ReturnState) -> bool:
        return state.credited >= COST or state.final

    def _inspected(self, state: ReturnState) -> bool:
        return not state.units("manual") and not state.awaited

    def _accepted(self, state: ReturnState) -> int:
        """Units: what nobody needs to inspect is accepted."""
        accepted = state.units("accepted", "short")
        return accepted if self._needs_inspection(state) else accepted + state.units("manual") + state.awaited

    def _credit_waived(self, state: ReturnState) -> bool:
        return "credit_memo" in state.waived or self._broker_pays(state)

    def _due(self, state: ReturnState) -> int:
        """What the seller gets in all (RET-13, RET-28)."""
        agreed = self._accepted(state) * COST // 2
        whole = self.setup.pays_as_agreed or "credit_memo" in state.waived or not state.final
        return agreed if whole else min(state.credited, agreed)

    def _credited_enough(self, state: ReturnState) -> bool:
        enough = state.credited >= self._accepted(state) * COST // 2
        return enough or state.final or self._credit_waived(state)

    def _difference(self, state: ReturnState) -> int:
        """What later words made different, once the seller was refunded (RET-26)."""
        last = self._latest(state)
        if last is None or last.state != "succeeded" or not state.said_since or self._needs_inspection(state):
            return 0
        return self._due(state) - state.seller_got

    def _left_open(self, state: ReturnState) -> bool:
        """Later words left to a person what becomes of some units."""
        last = self._latest(state)
        refunded = last is not None and last.state == "succeeded" and state.said_since
        return refunded and bool(state.units("manual")) and self._needs_inspection(state)

    def _to_make_again(self, state: ReturnState) -> int:
        last = self._latest(state)
        if last is None or last.state not in ("failed", "failed afterwards"):
            return 0
        if not state.said_since or self._needs_inspection(state):
            return last.cents
        return max(self._due(state) - state.seller_got, 0)

    def _latest(self, state: ReturnState) -> Refund | None:
        """Of the seller's: the one that is under way or in doubt, else the one that changed last."""
        tried = state.of(SELLER)
        open_ones = [one for one in tried if one.is_under_way or one.state == "in doubt"]
        return open_ones[0] if open_ones else _last(tried)

    def _evidently_sent(self, state: ReturnState) -> bool:
        return state.tracked or "tracking" in state.waived or state.arrived or self._credits_done(state)

    def _left_for_buyer(self, state: ReturnState) -> int:
        return self._most(state) - state.fee - state.refunded

    # ---- a replacement (RET-24) ----

    def _given_up(self, state: ReturnState) -> bool:
        """Nothing more of it shall go out."""
        asked = state.another is not None and state.another.asked_to_cancel
        return asked or state.declined or state.withdrawn or state.channel or "replacement" in state.waived

    def _is_back(self, state: ReturnState) -> bool:
        waived = bool(state.waived & {"inspection", "credit_memo"})
        return self._inspected(state) or self._credits_done(state) or (waived and state.on_the_way)

    def _replaced(self, state: ReturnState) -> int:
        """Units that the buyer gets another one of, or may get: no money goes back for them."""
        if not state.is_replaced:
            return 0
        if state.another is not None:
            return state.another.replaced
        if self._given_up(state) or state.stopped:
            return 0
        return self._accepted(state) if self._is_back(state) and not self.setup.replaces_at_once else 2

    def _most(self, state: ReturnState) -> int:
        """What the other units had cost the buyer."""
        return (2 - self._replaced(state)) * PAID // 2

    def _awaited(self, state: ReturnState) -> bool:
        """It is not known yet what becomes of the replacement."""
        if state.another is None:
            return self._replaced(state) > 0
        return state.another.may_come and not (self._given_up(state) and state.another.too_late)

    def _has_its_share(self, state: ReturnState) -> bool:
        settled = state.channel_passed or state.nothing_left or state.declined
        replaced = state.is_replaced and self._replaced(state) == 2
        return settled or ((state.refunded > 0 or replaced) and not state.owed)

    def _buyer_done(self, state: ReturnState) -> bool:
        return self._has_its_share(state) and not self._awaited(state)

    def _awaits_cancel(self, state: ReturnState) -> bool:
        return state.another is not None and state.another.may_come and not state.another.too_late

    def _replacement_side(self, state: ReturnState) -> list[ReturnState]:
        """It is ordered once; what is given up is cancelled if it can be."""
        if not state.is_replaced:
            return []
        if self._given_up(state):
            return self._giving_up(state)
        ready = self.setup.replaces_at_once or self._is_back(state)
        if state.another is not None or not ready or not self._replaced(state):
            return []
        return [changed(state, another=Another(self._replaced(state)))]

    def _giving_up(self, state: ReturnState) -> list[ReturnState]:
        one = state.another
        if one is None or not self._awaits_cancel(state) or one.asked_to_cancel:
            return []
        return [changed(state, another=one.given_up())]

    def _ends_without(self, state: ReturnState, outcome: str) -> list[ReturnState]:
        """A return that ends without its goods sends nothing out either, if it can."""
        return self._giving_up(state) if self._awaits_cancel(state) else [self._ended(state, outcome)]

    def _again_at(self, state: ReturnState) -> int | None:
        """When the seller's refund is made again (REF-7)."""
        last = self._latest(state)
        if last is None or not (last.state == "in doubt" or self._to_make_again(state)):
            return None
        return last.since + PAUSE

    def _supplier_done(self, state: ReturnState) -> bool:
        last = self._latest(state)
        if state.approval == "returnless" or last is None:
            return state.approval == "returnless" or state.nothing_accepted
        if last.state == "refused":
            return not last.renumbered
        if last.is_under_way or last.state == "in doubt" or self._to_make_again(state):
            return False
        return self._difference(state) <= 0 and not self._left_open(state)

    # ---- its own steps ----

    def steps(self, state: ReturnState) -> Iterable[ReturnState]:
        if not state.opened:
            opened = self._never_opened(state, "refused") if self.setup.refused else self._open(state)
            return [opened, self._never_opened(state, "stopped")] if state.stopped else [opened]
        if state.reopening:
            return [changed(state, reopening=False)]
        following = [self._book(state)] if state.memos else []
        following += self._channel_side(state)
        if state.outcome is not None:
            return following
        if state.stopped:
            return following + self._stopped(state)
        return following + self._procedure(state)

    def _open(self, state: ReturnState) -> ReturnState:
        """What came before it was known what the return has is judged now."""
        opened = ReturnState(
            now=state.now, opened=True, stopped=state.stopped, heard=state.heard, rejected=state.rejected
        )
        for name, variant in state.early:
            of_no_receipt = variant.startswith("instead: ")  # it names none: which ones count was not known
            known = None if of_no_receipt else self._heard(opened, opened, name, variant)
            opened = known or self.reject(opened)
        return opened

    def _never_opened(self, state: ReturnState, outcome: str) -> ReturnState:
        """It is refused; or can't be written down, and staff's stop does not wait for that."""
        unused = sum(name in ("goods_received", "credit_memo") for name, _ in state.early)
        ended = self._ended(state, outcome)
        return changed(ended, opened=True, rejected=ended.rejected + unused, memos=(), channel_todo=0)

    def _book(self, state: ReturnState) -> ReturnState:
        (cents, final), *others = state.memos
        since = state.said_since or (bool(state.of(SELLER)) and state.final)
        booked = changed(state, memos=tuple(others), credited=state.credited + cents, said_since=since)
        return changed(booked, final=state.final or final)

    def _stopped(self, state: ReturnState) -> list[ReturnState]:
        """Refunds that are on their way go on by themselves; what they say may still be heard."""
        under_way = [one for one in state.refunds if one.state == "asked" and not one.by_channel]
        after = [changed(self.reject(state), memos=state.memos[1:])] if state.memos else []
        for heard in itertools.product((False, True), repeat=len(under_way)):
            known = state
            for refund, is_heard in zip(under_way, heard, strict=True):
                known = self._answered(known, refund) if is_heard else known
            after.append(self._ended(known, "stopped"))
        return after

    def _procedure(self, state: ReturnState) -> list[ReturnState]:
        if state.approval == "rejected":
            return [self._ended(state, "rejected")]
        if state.withdrawn:
            return self._ends_without(state, "withdrawn")
        if not state.approval:
            return []
        return self._replacement_side(state) + self._goods_and_money(state)

    def _goods_and_money(self, state: ReturnState) -> list[ReturnState]:
        if state.approval == "returnless":
            return self._sides(state)
        if not state.rma_given:
            return self._authorization(state)
        if not state.on_the_way:
            return self._parcel(state)
        return self._sides(state)

    def _rma_is_given(self, state: ReturnState) -> bool:
        approved = state.approval not in ("", "rejected", "returnless") and state.opened
        needed = self.setup.rma_by_hand or self.setup.service
        return approved and (state.rma == "issued" or "rma" in state.waived or not needed)

    def _authorization(self, state: ReturnState) -> list[ReturnState]:
        if self._rma_is_given(state):
            return [changed(state, rma_given=True, appeal_until=None)]
        if self.setup.service and not state.service_done and state.rma != "refused":
            said = "" if self.setup.service == "pending" else self.setup.service
            return [changed(state, service_done=True, rma=said)]
        if state.rma != "refused":
            return []
        if state.appeal_until is None:
            return [changed(state, appeal_until=state.now + 14)]
        return self._ends_without(state, "refused_by_supplier") if state.now >= state.appeal_until else []

    def _parcel(self, state: ReturnState) -> list[ReturnState]:
        if self._evidently_sent(state):
            return [changed(state, on_the_way=True)]
        if state.tracking_due is None:
            return [changed(state, tracking_due=state.now + 30)]
        if state.now < state.tracking_due:
            return []
        if state.reopen_until is None:
            return [changed(state, reopen_until=state.now + 30)]
        return self._ends_without(state, "expired") if state.now >= state.reopen_until else []

    def _sides(self, state: ReturnState) -> list[ReturnState]:
        """Supplier and seller, seller and buyer, side by side; both must be done (RET-13, RET-14)."""
        following = [
            self._answered(state, one) for one in state.refunds if one.state == "asked" and not one.by_channel
        ]
        following += self._buyer_side(state)
        if state.approval != "returnless":
            following += self._supplier_side(state)
        following += [self._under_next_number(state, one) for one in state.to_renumber]
        under_way = bool(state.to_renumber) or any(one.is_under_way for one in state.refunds)
        done = self._buyer_done(state) and self._supplier_done(state) and not state.channel_todo
        if done and not under_way and not state.in_doubt and not state.clicks:
            following.append(self._ended(state, "completed"))
        return following

    def _supplier_side(self, state: ReturnState) -> list[ReturnState]:
        last = self._latest(state)
        again_at = self._again_at(state)
        if any(one.whose == SELLER for one in state.to_renumber):
            return []
        if last is not None and self._difference(state) > 0:
            enough = self._credited_enough(state)
            return [self._asked(state, SELLER, self._difference(state))] if enough else []
        if last is not None:
            if again_at is None or state.now < again_at:
                return []
            if last.state == "in doubt":
                return [_with(state, changed(last, state="asked", since=state.now))]
            return [self._asked(state, SELLER, self._to_make_again(state))]
        if self._supplier_done(state) or self._needs_inspection(state):
            return []
        if not self._accepted(state):
            return [changed(state, nothing_accepted=True)]
        return [self._asked(state, SELLER, self._due(state))] if self._credited_enough(state) else []

    def _buyer_side(self, state: ReturnState) -> list[ReturnState]:
        if any(one.is_under_way for one in (*state.of(BUYER), *state.to_renumber) if one.whose == BUYER):
            return []
        if state.clicks:
            return [self._serve(state)]
        if self._automatic(state):
            worth = PAID if state.approval == "returnless" else self._accepted(state) * PAID // 2
            amount = state.owed or min(worth - state.fee, self._left_for_buyer(state))
            return [self._asked(state, BUYER, amount)] if amount > 0 else [changed(state, automatic_refused=True)]
        if not self._buyer_done(state) and not state.of(BUYER) and not state.channel and state.fee >= PAID:
            return [changed(state, nothing_left=True)]
        return []

    def _serve(self, state: ReturnState) -> ReturnState:
        asked, *others = state.clicks
        served = changed(state, clicks=tuple(others))
        if state.channel:
            return served  # it is told, and no fault of its sender
        doubtful = [one for one in state.of(BUYER) if one.state == "in doubt"]
        if doubtful:
            return _with(served, changed(doubtful[-1], state="asked", since=state.now, by_click=True))
        if self._is_for_replaced(state, asked):
            return served
        amount = asked or state.owed or self._left_for_buyer(state)
        return self._asked(served, BUYER, amount, by_click=True) if amount > 0 else served

    def _is_for_replaced(self, state: ReturnState, asked: int) -> bool:
        """RET-24: the buyer's money is not refunded as well."""
        replaced = self._replaced(state)
        return state.is_replaced and (replaced == 2 or asked > self._most(state) - state.refunded)

    def _automatic(self, state: ReturnState) -> bool:
        """REF-1: without a click, once; a person clicks for what did not succeed."""
        accepted = self._inspected(state) and self._accepted(state) > 0
        ready = self.setup.auto_refund and (state.approval == "returnless" or accepted) and not state.is_replaced
        tried = state.automatic_refused or any(
            one.state in ("failed afterwards", "in doubt")
            or (one.automatic and one.state in ("failed", "refused") and not one.renumbered)
            for one in state.of(BUYER)
        )
        return ready and not (self._buyer_done(state) or state.channel or tried)

    def _channel_side(self, state: ReturnState) -> list[ReturnState]:
        """RET-18: what the marketplace refunded is booked as it comes, under the same cap."""
        booking = [one for one in state.by_channel if one.state == "asked"]
        if booking:
            taken = sum(one.cents for one in state.refunds if one.whose == BUYER and one.counts)
            fits = booking[0].cents <= PAID - taken
            refused = changed(booking[0], state="refused", since=state.now)
            booked = self._made(state, booking[0]) if fits else _with(state, refused)
            return [changed(booked, channel_passed=True)]
        if not state.channel_todo:
            return []
        todo = changed(state, channel_todo=state.channel_todo - 1)
        amount = state.owed or PAID - sum(one.cents for one in state.by_channel)
        if amount <= 0:
            return [changed(todo, channel_passed=True)]
        return [self._asked(todo, BUYER, amount, by_channel=True)]

    # ---- refunds ----

    def _asked(
        self, state: ReturnState, whose: str, cents: int, *, by_click: bool = False, by_channel: bool = False
    ) -> ReturnState:
        number = sum(one.whose == whose for one in state.refunds) + 1
        automatic = whose == BUYER and not (by_click or by_channel)
        refund = Refund(whose, number, cents, "asked", state.now, by_click, automatic, by_channel)
        return changed(state, refunds=(*state.refunds, refund))

    def _answered(self, state: ReturnState, refund: Refund) -> ReturnState:
        """The cap, then the gateway: what becomes of a refund that was asked for (REF-3, REF-6)."""
        others = [one for one in state.refunds if one.whose == refund.whose and one.number != refund.number]
        taken = sum(one.cents for one in others if one.counts)
        if refund.cents > (PAID if refund.whose == BUYER else COST) - taken:
            return self._not_made(state, changed(refund, state="refused", since=state.now))
        index = 0 if refund.whose == BUYER else 1
        fates = self.setup.buyer_fates if index == 0 else self.setup.seller_fates
        nth = state.sent[index]
        fate = fates[nth] if nth < len(fates) else "succeeds"
        buyers, sellers = state.sent
        sent = changed(state, sent=(buyers + 1, sellers) if refund.whose == BUYER else (buyers, sellers + 1))
        match fate:
            case "succeeds":
                return self._made(sent, refund)
            case "pending" | "silent":
                return _with(sent, changed(refund, state=fate, since=state.now))
            case "id taken" if self._may_take_next(state, refund):
                not_ours = changed(refund, state="refused", since=state.now, renumbered=True)
                return changed(_with(sent, not_ours), to_renumber=(*state.to_renumber, refund))
        named = {"fails": "failed", "id taken": "refused"}.get(fate, fate)
        return self._not_made(sent, changed(refund, state=named, since=state.now))

    def _may_take_next(self, state: ReturnState, refund: Refund) -> bool:
        before = [one for one in state.refunds if one.whose == refund.whose and one.number < refund.number]
        before.sort(key=lambda one: one.number)
        in_a_row = len(list(itertools.takewhile(lambda one: one.renumbered, reversed(before))))
        return in_a_row < IDS_IN_A_ROW - 1

    def _under_next_number(self, state: ReturnState, refund: Refund) -> ReturnState:
        left = changed(state, to_renumber=tuple(one for one in state.to_renumber if one is not refund))
        return self._asked(left, refund.whose, refund.cents, by_click=refund.by_click)

    def _made(self, state: ReturnState, refund: Refund) -> ReturnState:
        """A success makes those good that failed afterwards (REF-7)."""
        made = changed(refund, state="succeeded", since=state.now)
        refunds = tuple(
            changed(one, made_again=True)
            if one.whose == refund.whose and one.state == "failed afterwards"
            else one
            for one in state.refunds
        )
        return _with(changed(state, refunds=refunds), made)

    def _not_made(self, state: ReturnState, refund: Refund) -> ReturnState:
        """The one who clicked is told: no fault of theirs. Nothing is refunded again without a person's click."""
        return _with(state, refund)

    def _ended(self, state: ReturnState, outcome: str) -> ReturnState:
        """Clicks that can't be served any more are answered; what is unbooked is booked still."""
        unserved = len(state.clicks) + sum(one.by_click for one in state.to_renumber)
        return changed(state, outcome=outcome, rejected=state.rejected + unserved, clicks=(), to_renumber=())

    # ---- what is no event ----

    def outside(self, state: ReturnState, happening: Happening) -> Iterable[ReturnState]:
        if happening.name == "replacement_word":
            if state.another is None or state.outcome is not None:
                return [state]
            return [changed(state, another=state.another.said(happening.variant))]
        if happening.name == "stop":
            return [state if state.outcome is not None or state.stopped else changed(state, stopped=True)]
        whose, _, word = happening.variant.partition(" ")
        refund = spoken_of(state, whose, word)
        if refund is None:
            return [state]
        after = self._said(state, refund, word)
        if state.outcome is None:
            return [after]
        if state.outcome == "completed":
            return [changed(after, outcome=None, open_again=True, reopening=True)]
        return [state, after]  # a return that has ended otherwise may not be there to hear it

    def _said(self, state: ReturnState, refund: Refund, word: str) -> ReturnState:
        if word == "succeeded":
            return self._made(state, refund)
        if refund.state == "succeeded" or word == TAKEN_BACK:
            return _with(state, changed(refund, state="failed afterwards", since=state.now))
        return self._not_made(state, changed(refund, state="failed", since=state.now))

    # ---- events ----

    def hear(self, state: ReturnState, event: Happening) -> Iterable[ReturnState]:
        if event.ident in state.heard:
            return [state, self.reject(state)]  # it is not yet known again what was heard before
        known = changed(state, heard=state.heard | {event.ident})
        after = self._heard(state, known, event.name, event.variant)
        if after is None:
            return [self.reject(state)]
        if not state.opened:
            return [changed(after, early=(*state.early, (event.name, event.variant)))]
        return [after]

    def _heard(self, state: ReturnState, known: ReturnState, name: str, variant: str) -> ReturnState | None:
        """The state after the event; None: a rule refuses it."""
        if state.open_again and name not in ("buyer_refund", "channel_update", "credit_memo", "refund_declined"):
            return None
        match name:
            case "seller_approval":
                refused = bool(state.approval) or (variant == "too dear" and state.opened)
                refused = refused or (variant == "returnless" and bool(state.goods))  # RET-23
                refused = refused or (variant == "replacement" and (state.channel or bool(state.clicks)))  # RET-24
                return None if refused else changed(known, approval=variant)
            case "supplier_rma":
                refused = state.rma_given or state.rma == "issued" or self._rma_is_given(state)
                return None if refused else changed(known, rma=variant, appeal_until=None)
            case "return_tracking":
                return changed(known, tracked=True)
            case "goods_received":
                return self._received(state, known, variant) if state.opened else known
            case "refund_declined":
                return (
                    None
                    if state.opened and not self._may_decline(state, variant)
                    else changed(known, declined=True)
                )
            case "credit_memo":
                return self._credit(state, known, variant)
            case "buyer_refund":
                return self._click(state, known, int(variant or 0))
            case "withdrawal":
                moved = any(one.may_have_moved for one in state.of(BUYER)) or bool(state.of(SELLER))
                moved = moved or (state.another is not None and state.another.shipped > 0)
                return None if state.withdrawn or state.goods or moved else changed(known, withdrawn=True)
            case "channel_update":
                if variant != "refunded_by_channel":
                    return known
                return changed(known, channel=True, channel_todo=state.channel_todo + 1)
            case "staff_override":
                wrong = variant == "replacement" and state.opened and not state.is_replaced
                refused = wrong or variant == "by the seller"
                return None if refused else changed(known, waived=state.waived | {variant})
        raise AssertionError(name)

    def _credit(self, state: ReturnState, known: ReturnState, variant: str) -> ReturnState | None:
        if variant == "foreign":
            return None if state.opened else known
        number, _, said = variant.partition(":")
        cents, _, final = said.partition(" ")
        if number in state.memo_numbers:
            return known
        memos = (*state.memos, (int(cents), bool(final)))
        return changed(known, memos=memos, memo_numbers=state.memo_numbers | {number})

    def _received(self, state: ReturnState, known: ReturnState, variant: str) -> ReturnState | None:
        """Receipts add up; what all arrived already may be looked at again (RET-26). Nothing is received of what
        does not come back (RET-23)."""
        if state.approval == "returnless":
            return None
        corrects = variant.startswith("instead: ")
        if corrects and not state.goods:
            return None
        before = changed(state, goods=state.goods[:-1] if corrects else state.goods)
        said = ENTRIES[variant.removeprefix("instead: ")]
        units, told = sum(count for _, count in said), before.units()
        if units > 2 - told:
            if told < 2 or units > 2:
                return None
            if units < 2 and units > before.units("manual"):
                return None
            before = _without(before, units, ("manual",) if units < 2 else ())
        goods = tuple(receipt for receipt in (*before.goods, said) if receipt)
        if state.of(SELLER):
            return changed(known, goods=goods, arrived=True, said_since=True)
        return changed(known, goods=goods, arrived=True, nothing_accepted=False)

    def _may_decline(self, state: ReturnState, kind: str) -> bool:
        """RET-27: while no money of the buyer moved, or may have."""
        buyers = state.of(BUYER)
        moving = any(one.is_under_way or one.state == "in doubt" for one in buyers) or bool(state.clicks)
        moving = moving or any(one.whose == BUYER for one in state.to_renumber)
        refunded = state.channel or (state.refunded > 0 and not state.owed)
        decided = state.declined or state.approval in ("", "rejected")
        too_early = kind == "declined" and not state.goods and not state.open_again
        has_another = state.another is not None and state.another.shipped > 0 and self._replaced(state) == 2
        return not (moving or refunded or decided or too_early or has_another)

    def _click(self, state: ReturnState, known: ReturnState, asked: int) -> ReturnState | None:
        nothing_left = state.opened and not asked and not state.owed and self._left_for_buyer(state) <= 0
        in_doubt = any(one.state == "in doubt" for one in state.of(BUYER))
        nothing_left = nothing_left or (state.opened and self._is_for_replaced(state, asked))
        nothing_left = nothing_left and not in_doubt
        if state.channel or state.declined or state.approval == "rejected" or nothing_left:
            return None
        return changed(known, clicks=(*state.clicks, asked))

    # ---- shown ----

    def stage(self, state: ReturnState) -> str:
        """Where a return that rests stands: the earliest stage of what it waits for."""
        if state.outcome is not None:
            return state.outcome
        if not state.approval:
            return "awaiting_approval"
        if state.withdrawn:
            return "replacing"
        if state.approval != "returnless":
            if not state.rma_given:
                if state.appeal_until is not None and state.now >= state.appeal_until:
                    return "replacing"
                return "rma_refused" if state.rma == "refused" else "awaiting_rma"
            if not state.on_the_way:
                if state.reopen_until is not None and state.now >= state.reopen_until:
                    return "replacing"
                return "expired" if state.reopen_until is not None else "awaiting_tracking"
            if not state.of(SELLER) and not state.nothing_accepted:
                return "in_transit" if self._needs_inspection(state) else "awaiting_credit"
            if self._left_open(state):
                return "in_transit"
            if self._difference(state) > 0 and not self._credited_enough(state):
                return "awaiting_credit"
            if not self._supplier_done(state):
                return "refunding_seller"
        pending = any(one.is_under_way for one in state.of(BUYER))
        in_doubt = any(one.state == "in doubt" for one in state.of(BUYER))
        if not pending and not in_doubt and self._has_its_share(state) and self._awaited(state):
            return "replacing"
        return "refunding_buyer" if pending else "awaiting_buyer_refund"


def spoken_of(state: ReturnState, whose: str, word: str) -> Refund | None:
    """The refund of which a word says something new: the last one that can still change so."""
    fits = ["silent", "pending", "in doubt"] + (["succeeded"] if word == "failed" else [])
    return _last(sorted((one for one in state.of(whose) if one.state in fits), key=lambda one: one.number))


def _last(refunds: list[Refund]) -> Refund | None:
    return refunds[-1] if refunds else None


def _with(state: ReturnState, refund: Refund) -> ReturnState:
    """What changed last stands last."""
    same = (refund.whose, refund.number)
    others = tuple(one for one in state.refunds if (one.whose, one.number) != same)
    return changed(state, refunds=(*others, refund))


def _without(state: ReturnState, units: int, words: tuple[str, ...]) -> ReturnState:
    """Without so many units of these words, the oldest first."""
    receipts = []
    for receipt in state.goods:
        kept = []
        for word, count in receipt:
            taken = min(units, count) if not words or word in words else 0
            units -= taken
            kept += [(word, count - taken)] if count > taken else []
        receipts.append(tuple(kept))
    return changed(state, goods=tuple(receipts))


def check(state: ReturnState) -> None:
    """What must hold in every state: money back once, never over the cap, none after a withdrawal."""
    moved = sum(one.cents for one in state.refunds if one.whose == BUYER and one.counts)
    assert moved <= PAID, "more refunded than paid (REF-3)"
    assert sum(one.cents for one in state.of(SELLER) if one.counts) <= COST, "the seller is refunded once (RET-13)"
    if state.outcome in ("withdrawn", "rejected", "expired", "refused_by_supplier"):
        assert not any(one.may_have_moved for one in state.of(SELLER)), "money in a return that ended without"
        assert not any(one.may_have_moved for one in state.of(BUYER)), "money in a return that ended without"
    if state.is_replaced and state.another is not None:
        own = sum(one.cents for one in state.of(BUYER) if one.counts)
        assert own + state.another.shipped * PAID // 2 <= PAID, "the same unit is replaced and refunded (RET-24)"
    if state.outcome == "completed":
        assert not state.in_doubt, "completed while money is in doubt (REF-11)"
