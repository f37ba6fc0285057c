"""The model of a return (RET)."""

import itertools
from collections.abc import Iterable

from tests.model.procedure import Happening, changed
from tests.model.replacement_order import Another
from tests.model.return_events import hear, state_after
from tests.model.return_refunds import answered, asked, made, said, under_next_number
from tests.model.return_rules import ReturnRules
from tests.model.return_state import (
    BUYER,
    PAID,
    SELLER,
    SLA,
    ReturnSetup,
    ReturnState,
    rejected,
    spoken_of,
    with_refund,
)


class ReturnProcedure:
    """What a return does by itself, and what it makes of each event."""

    def __init__(self, setup: ReturnSetup) -> None:
        self._setup = setup
        self._rules = ReturnRules(setup)

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
        return rejected(state)

    def next_deadline(self, state: ReturnState, until: int) -> int | None:
        deadlines = [state.appeal_until, state.tracking_due, state.reopen_until, SLA, self._rules.again_at(state)]
        return min((at for at in deadlines if at is not None and state.now < at <= until), default=None)

    # ---- its own steps ----

    def steps(self, state: ReturnState) -> Iterable[ReturnState]:
        if not state.opened:
            opened = self._never_opened(state, "refused") if self._setup.refused else self._open(state)
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
            known = None if of_no_receipt else state_after(self._rules, opened, opened, name, variant)
            opened = known or rejected(opened)
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
        after = [changed(rejected(state), memos=state.memos[1:])] if state.memos else []
        for heard in itertools.product((False, True), repeat=len(under_way)):
            known = state
            for refund, is_heard in zip(under_way, heard, strict=True):
                known = answered(self._setup, known, refund) if is_heard else known
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

    def _authorization(self, state: ReturnState) -> list[ReturnState]:
        if self._rules.rma_is_given(state):
            return [changed(state, rma_given=True, appeal_until=None)]
        if self._setup.service and not state.service_done and state.rma != "refused":
            said = "" if self._setup.service == "pending" else self._setup.service
            return [changed(state, service_done=True, rma=said)]
        if state.rma != "refused":
            return []
        if state.appeal_until is None:
            return [changed(state, appeal_until=state.now + 14)]
        return self._ends_without(state, "refused_by_supplier") if state.now >= state.appeal_until else []

    def _parcel(self, state: ReturnState) -> list[ReturnState]:
        if self._rules.evidently_sent(state):
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
            answered(self._setup, state, one)
            for one in state.refunds
            if one.state == "asked" and not one.by_channel
        ]
        following += self._buyer_side(state)
        if state.approval != "returnless":
            following += self._supplier_side(state)
        following += [under_next_number(state, one) for one in state.to_renumber]
        under_way = bool(state.to_renumber) or any(one.is_under_way for one in state.refunds)
        done = self._rules.buyer_done(state) and self._rules.supplier_done(state) and not state.channel_todo
        if done and not under_way and not state.in_doubt and not state.clicks:
            following.append(self._ended(state, "completed"))
        return following

    def _supplier_side(self, state: ReturnState) -> list[ReturnState]:
        last = self._rules.latest(state)
        again_at = self._rules.again_at(state)
        if any(one.whose == SELLER for one in state.to_renumber):
            return []
        if last is not None and self._rules.difference(state) > 0:
            enough = self._rules.credited_enough(state)
            return [asked(state, SELLER, self._rules.difference(state))] if enough else []
        if last is not None:
            if again_at is None or state.now < again_at:
                return []
            if last.state == "in doubt":
                return [with_refund(state, changed(last, state="asked", since=state.now))]
            return [asked(state, SELLER, self._rules.to_make_again(state))]
        if self._rules.supplier_done(state) or self._rules.needs_inspection(state):
            return []
        if not self._rules.accepted(state):
            return [changed(state, nothing_accepted=True)]
        return [asked(state, SELLER, self._rules.due(state))] if self._rules.credited_enough(state) else []

    def _buyer_side(self, state: ReturnState) -> list[ReturnState]:
        if any(one.is_under_way for one in (*state.of(BUYER), *state.to_renumber) if one.whose == BUYER):
            return []
        if state.clicks:
            return [self._serve(state)]
        if self._rules.automatic(state):
            worth = PAID if state.approval == "returnless" else self._rules.accepted(state) * PAID // 2
            amount = state.owed or min(worth - state.fee, self._rules.left_for_buyer(state))
            return [asked(state, BUYER, amount)] if amount > 0 else [changed(state, automatic_refused=True)]
        if not self._rules.buyer_done(state) and not state.of(BUYER) and not state.channel and state.fee >= PAID:
            return [changed(state, nothing_left=True)]
        return []

    def _serve(self, state: ReturnState) -> ReturnState:
        wanted, *others = state.clicks
        served = changed(state, clicks=tuple(others))
        if state.channel:
            return served  # it is told, and no fault of its sender
        doubtful = [one for one in state.of(BUYER) if one.state == "in doubt"]
        if doubtful:
            return with_refund(served, changed(doubtful[-1], state="asked", since=state.now, by_click=True))
        if self._rules.is_for_replaced(state, wanted):
            return served
        amount = wanted or state.owed or self._rules.left_for_buyer(state)
        return asked(served, BUYER, amount, by_click=True) if amount > 0 else served

    def _channel_side(self, state: ReturnState) -> list[ReturnState]:
        """RET-18: what the marketplace refunded is booked as it comes, under the same cap."""
        booking = [one for one in state.by_channel if one.state == "asked"]
        if booking:
            taken = sum(one.cents for one in state.refunds if one.whose == BUYER and one.counts)
            fits = booking[0].cents <= PAID - taken
            refused = changed(booking[0], state="refused", since=state.now)
            booked = made(state, booking[0]) if fits else with_refund(state, refused)
            return [changed(booked, channel_passed=True)]
        if not state.channel_todo:
            return []
        todo = changed(state, channel_todo=state.channel_todo - 1)
        amount = state.owed or PAID - sum(one.cents for one in state.by_channel)
        if amount <= 0:
            return [changed(todo, channel_passed=True)]
        return [asked(todo, BUYER, amount, by_channel=True)]

    # ---- a replacement (RET-24) ----

    def _replacement_side(self, state: ReturnState) -> list[ReturnState]:
        """It is ordered once; what is given up is cancelled if it can be."""
        if not state.is_replaced:
            return []
        if self._rules.given_up(state):
            return self._giving_up(state)
        ready = self._setup.replaces_at_once or self._rules.is_back(state)
        if state.another is not None or not ready or not self._rules.replaced(state):
            return []
        return [changed(state, another=Another(self._rules.replaced(state)))]

    def _giving_up(self, state: ReturnState) -> list[ReturnState]:
        one = state.another
        if one is None or not self._rules.awaits_cancel(state) or one.asked_to_cancel:
            return []
        return [changed(state, another=one.given_up())]

    # ---- its end ----

    def _ends_without(self, state: ReturnState, outcome: str) -> list[ReturnState]:
        """A return that ends without its goods sends nothing out either, if it can."""
        return self._giving_up(state) if self._rules.awaits_cancel(state) else [self._ended(state, outcome)]

    def _ended(self, state: ReturnState, outcome: str) -> ReturnState:
        """Clicks that can't be served any more are answered; what is unbooked is booked still."""
        unserved = len(state.clicks) + sum(one.by_click for one in state.to_renumber)
        return changed(state, outcome=outcome, rejected=state.rejected + unserved, clicks=(), to_renumber=())

    # ---- what happens to it ----

    def hear(self, state: ReturnState, event: Happening) -> Iterable[ReturnState]:
        return hear(self._rules, state, event)

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
        after = said(state, refund, word)
        if state.outcome is None:
            return [after]
        if state.outcome == "completed":
            return [changed(after, outcome=None, open_again=True, reopening=True)]
        return [state, after]  # a return that has ended otherwise may not be there to hear it

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
                return "in_transit" if self._rules.needs_inspection(state) else "awaiting_credit"
            if self._rules.left_open(state):
                return "in_transit"
            if self._rules.difference(state) > 0 and not self._rules.credited_enough(state):
                return "awaiting_credit"
            if not self._rules.supplier_done(state):
                return "refunding_seller"
        pending = any(one.is_under_way for one in state.of(BUYER))
        in_doubt = any(one.state == "in doubt" for one in state.of(BUYER))
        if not pending and not in_doubt and self._rules.has_its_share(state) and self._rules.awaited(state):
            return "replacing"
        return "refunding_buyer" if pending else "awaiting_buyer_refund"
