"""What a return makes of all that happens to it: new facts of old ones. Pure; it never raises."""

from typing import Any

from models.message import Event, Message
from models.partners import RmaAnswer
from models.records import CreditMemoBooked
from models.returns import CreditMemo, SupplierRma
from workflows.engine.case import Answered, GivenUp, InTrouble, RejectEvent, Started
from workflows.engine.common_facts import apply_common
from workflows.refunds.attempts import MakeRefund, RefundReported
from workflows.returns.describe import describe
from workflows.returns.effects import (
    AnnounceRma,
    BookCreditMemo,
    CancelReplacement,
    Expire,
    NoticeSla,
    OpenReturn,
    OpenSplitReturn,
    PassChannelRefund,
    RefuseAutomaticRefund,
    RefuseClick,
    ReopenReturn,
    RequestRma,
    SettleWithoutCredit,
    SettleWithoutRefund,
    StartReplacement,
)
from workflows.returns.event_facts import record
from workflows.returns.facts import ReturnFacts
from workflows.returns.opening_results import opened, reopened
from workflows.returns.records import EVENT_NAMES, CreditMemoFact, EarlyEvent, Expiry, SlaNotice
from workflows.returns.refund_results import (
    channel_passed,
    not_refunded,
    refund_answered,
    refund_begun,
    refund_reported,
    without_click,
)
from workflows.returns.replacement_results import ReplacementReported, not_there, reported, started


def apply(f: ReturnFacts, fact: Message) -> ReturnFacts:
    """The facts after this one. What a rule refuses was refused by `check` before."""
    match fact:
        case Event():
            return _heard(f, fact)
        case Started():
            return _started(apply_common(f, fact), fact.effect)
        case GivenUp(effect=BookCreditMemo(memo=memo)):
            why = f"credit memo {memo.number} could not be booked before staff stopped the return"
            return _not_booked(apply_common(f, fact), memo, why)
        case InTrouble(effect=OpenReturn() | ReopenReturn()):
            return apply_common(f, fact).with_(opening_had_trouble=True)
        case RefundReported():
            return refund_reported(f, fact.result)
        case ReplacementReported():
            return reported(f, fact.news)
        case Answered(effect=CancelReplacement()) if fact.failure is not None:
            return not_there(apply_common(f, fact))
        case Answered():
            return _answered(apply_common(f, fact), fact)
    return apply_common(f, fact)


def _heard(f: ReturnFacts, event: Event) -> ReturnFacts:
    line = describe(f, event)
    if f.opened is None:
        f = f.with_(early=(*f.early, EarlyEvent.of(event)))
    return record(f, event).step(line, event.actor)


# ---- effects that begin ----


def _started(f: ReturnFacts, effect: Any) -> ReturnFacts:
    match effect:
        case RejectEvent(event_id=event_id):
            memos = tuple(one for one in f.memos if one.state != "new" or one.memo.event_id != event_id)
            renumbering = tuple(one for one in f.refunds_to_renumber if one.asked_by != event_id)
            return without_click(f, event_id).with_(memos=memos, refunds_to_renumber=renumbering)
        case MakeRefund():
            return refund_begun(f, effect)
        case StartReplacement():
            return started(f, effect)
        case RequestRma():
            return f.with_(rma_requested_at=f.now)
        case AnnounceRma():
            told = f.with_(rma_announced_at=f.now)
            return told.step("buyer and seller are told RMA number and return address")
        case Expire():
            expiries = (*f.expiries, Expiry(missed=effect.missed, at=f.now))
            return f.with_(expiries=expiries).step("expired: no tracking number in time, so no refund")
        case NoticeSla():
            notice = SlaNotice(due=effect.due, days_before=effect.days_before, at=f.now)
            return f.with_(sla_notices=(*f.sla_notices, notice)).step(effect.what)
        case SettleWithoutCredit():
            return f.with_(nothing_accepted_at=f.now).step(effect.what)
        case SettleWithoutRefund():
            return f.with_(fees_took_all_at=f.now).step(effect.what)
        case RefuseClick():
            return not_refunded(without_click(f, effect.event_id), effect.event_id, effect.reason)
        case RefuseAutomaticRefund():
            return not_refunded(f.with_(automatic_refund_refused=True), None, effect.reason)
        case PassChannelRefund():
            if effect.unusable is not None:
                f = f.reject("channel_update", effect.unusable, effect.event_id)
            return channel_passed(f, effect.event_id)
    return f


# ---- effects that are answered ----


def _answered(f: ReturnFacts, fact: Answered) -> ReturnFacts:
    effect, answer = fact.effect, fact.answer
    match effect:
        case OpenReturn():
            return opened(f, answer)
        case ReopenReturn():
            return reopened(f, answer)
        case OpenSplitReturn():
            number = effect.request.return_id
            exists = f"return {number} exists already"
            return f.step(exists if fact.failure else f"the lines of another supplier are return {number}")
        case StartReplacement():
            return reported(f, answer)
        case RequestRma():
            return _rma_answered(f, answer)
        case BookCreditMemo():
            return _booked(f, effect.memo, answer)
        case MakeRefund():
            return refund_answered(f, effect, answer)
    return f


def _rma_answered(f: ReturnFacts, answer: RmaAnswer) -> ReturnFacts:
    """A number that came another way meanwhile counts."""
    if answer.state == "pending" or f.rma_given_at is not None:
        return f
    answered = SupplierRma(
        event_id="web-service",
        actor="supplier:service",
        outcome=answer.state,
        rma_number=answer.rma_number,
        return_address=answer.return_address,
        reason=answer.reason or "no reason given",
    )
    return record(f, answered).step(describe(f, answered), answered.actor)


def _booked(f: ReturnFacts, memo: CreditMemo, answer: CreditMemoBooked) -> ReturnFacts:
    if answer.state == "over_total":
        return _not_booked(f, memo, f"credit memo {memo.number}: {answer.reason} (RET-28)")
    if answer.state == "duplicate" and answer.return_id != f.return_id:
        why = f"credit memo {memo.number} was counted already, for return {answer.return_id} (RET-12)"
        return _not_booked(f, memo, why)
    f = f.with_(said_after_refund=memo.event_id) if f.seller_attempts and f.credit_is_final else f
    return _with_memo(f, CreditMemoFact(memo=memo, state="booked", at=f.now))


def _not_booked(f: ReturnFacts, memo: CreditMemo, why: str) -> ReturnFacts:
    f = _with_memo(f, CreditMemoFact(memo=memo, state="refused", at=f.now))
    return f.reject(EVENT_NAMES[CreditMemo], why, memo.event_id)


def _with_memo(f: ReturnFacts, after: CreditMemoFact) -> ReturnFacts:
    event_id = after.memo.event_id
    return f.with_(memos=tuple(after if one.memo.event_id == event_id else one for one in f.memos))
