"""What a refund makes of all that happens to it: `check` refuses, `apply` makes new facts. Both are pure."""

from typing import Final

from models.case import Who
from models.contract import GATEWAY_UPDATE
from models.failures import Category, Conflict, RefusedByRule
from models.message import Event, Message
from models.partners import RefundAnswer
from models.records import Opening, RefundTakenBack, ReservedRefund
from models.refunds import (
    UNSETTLED,
    GatewayUpdate,
    RefundConfirmed,
    RefundRejected,
    RefundResolved,
    RefundResult,
    RefundState,
    person_of,
)
from workflows.engine.case import Answered, CaseEnded, InTrouble, Started, StoppedByStaff
from workflows.engine.common_facts import apply_common
from workflows.refunds.effects import LookUp, ReportToCase, Reserve, Send, TakeBack, WriteConfirmation
from workflows.refunds.facts import RefundFacts
from workflows.refunds.words import Claim, Resolution, SecondPerson

NOT_OVER: Final = "the refund is not over the seller's limit: nobody else needs to look at it"
_HAS_IT: Final = "the gateway has it: pending"
CANT_BE_STOPPED: Final = "a refund can't be stopped: money may be on its way; it goes on"


# ---- check ----


def check(f: RefundFacts, event: Event) -> None:
    """Raise a BackhaulError when a rule refuses the event now."""
    match event:
        case GatewayUpdate():
            _check_claim(f, event)
        case RefundResolved():
            _check_resolution(f, event)
        case RefundConfirmed():
            _check_second_person(f)
            if person_of(event.actor) == person_of(f.request.requested_by):
                why = f"{f.request.requested_by} asked for this refund: another person must confirm it"
                raise RefusedByRule("REF-12", why)
        case RefundRejected():
            _check_second_person(f)


def _check_claim(f: RefundFacts, event: GatewayUpdate) -> None:
    takes_back = f.state is RefundState.SUCCEEDED and f.goes_by_gateway and event.status == "failed"
    if f.outcome is not None and not takes_back:
        raise Conflict(f"the refund is {f.outcome} already")
    if f.gateway_refund_id is not None and event.gateway_refund_id != f.gateway_refund_id:
        raise RefusedByRule("REF-7", "gateway_refund_id is another refund's")


def _check_resolution(f: RefundFacts, event: RefundResolved) -> None:
    if f.resolution is not None:
        raise Conflict(f"{f.resolution.by} has recorded what became of it already")
    if f.outcome is not None or f.state not in UNSETTLED:
        raise Conflict(f"the refund is {f.outcome or f.state.value} already")
    if f.in_doubt or f.postponed is not None:
        return
    if not f.gateway_answered:
        raise RefusedByRule("REF-11", "the refund was not sent yet: nothing is in doubt")
    raise RefusedByRule("REF-11", "the gateway has the refund, and says that it is pending: wait for its word")


def _check_second_person(f: RefundFacts) -> None:
    """REF-12: a word that comes before the limit was looked at is kept."""
    if f.outcome is not None:
        raise Conflict(f"the refund is {f.outcome} already")
    if f.rejection is not None:
        raise Conflict(f"{f.rejection.by} has rejected it already")
    if (by := f.confirmed_by or (f.confirmation.by if f.confirmation is not None else None)) is not None:
        raise Conflict(f"{by} has confirmed it already")
    if f.reservation is not None and f.over_limit is None:
        raise RefusedByRule("REF-12", NOT_OVER)


# ---- apply ----


def apply(f: RefundFacts, fact: Message) -> RefundFacts:
    """The facts after this one. Never raises: what a rule refuses was refused by `check`."""
    match fact:
        case GatewayUpdate():
            return _claimed(f, fact)
        case RefundResolved():
            return _resolved(f, fact)
        case RefundConfirmed():
            after = f.with_(confirmation=SecondPerson(by=fact.actor, event_id=fact.event_id))
            return after.step(_with_note("confirmed as the second person", fact), fact.actor)
        case RefundRejected():
            no = SecondPerson(by=fact.actor, event_id=fact.event_id, reason=fact.reason)
            after = f.with_(rejection=no, state_since=f.now)
            return after.step(_with_note(f"rejected: {fact.reason}", fact), fact.actor)
        case StoppedByStaff():
            return f.with_(stopped_at=f.now).step(CANT_BE_STOPPED, "staff:temporal")
        case Started(effect=Reserve() as effect):
            return apply_common(f, fact).with_(known_only=effect.known_only)
        case Started(effect=ReportToCase() as effect) if effect.meanwhile:
            return _told_meanwhile(apply_common(f, fact), effect.result)
        case Started(effect=LookUp() as effect):
            return _look_begun(apply_common(f, fact), effect)
        case InTrouble(effect=Reserve()) if fact.category is not Category.PARTNER_UNAVAILABLE:
            return apply_common(f, fact).with_(had_to_wait=True)
        case Answered(effect=Reserve(), answer=ReservedRefund() as answer):
            return _reserved(apply_common(f, fact), answer)
        case Answered(effect=WriteConfirmation() as effect) if f.reservation is not None:
            confirmed = f.reservation.model_copy(update={"confirmed_by": effect.by})
            return apply_common(f, fact).with_(reservation=confirmed)
        case Answered(effect=Send(), answer=RefundAnswer(state="later" | "parked") as answer):
            return _postponed(apply_common(f, fact), answer)
        case Answered(effect=Send(), answer=RefundAnswer() as answer):
            return _without_foreign_claims(_heard(apply_common(f, fact), answer))
        case Answered(effect=LookUp() as effect, answer=RefundAnswer() as answer):
            return _looked_up(apply_common(f, fact), effect, answer)
        case Answered(effect=TakeBack(), answer=RefundTakenBack() as answer):
            return apply_common(f, fact).with_(taken_back=answer)
        case Answered(effect=ReportToCase(), failure=str()):
            return apply_common(f, fact).with_(case_has_ended=True)
        case CaseEnded():
            return apply_common(_ended(f, fact.outcome), fact)
    return apply_common(f, fact)


def _told_meanwhile(f: RefundFacts, told: RefundResult) -> RefundFacts:
    f = f.with_(reports=f.reports + 1, reported_held_up=told.held_up)
    return f.with_(reported_doubt=told.unknown) if told.state is RefundState.PENDING else f


def _claimed(f: RefundFacts, event: GatewayUpdate) -> RefundFacts:
    claim = Claim(
        event_id=event.event_id,
        status=event.status,
        gateway_refund_id=event.gateway_refund_id,
        reason=event.reason,
    )
    # A success that may have been taken back is heard also while the case comes to its end (REF-7).
    going_on = f.with_(claims=(*f.claims, claim), outcome=None, closing_message="")
    what = f"the gateway says: {event.status}" + (f" ({event.reason})" if event.reason else "")
    return going_on.step(_with_note(what, event), event.actor)


def _resolved(f: RefundFacts, event: RefundResolved) -> RefundFacts:
    resolution = Resolution(outcome=event.outcome, by=event.actor, reason=event.reason)
    after = f.with_(resolution=resolution, state_since=f.now)
    what = f"recorded that the money {event.outcome.replace('not_moved', 'did not move')}"
    return after.step(_with_note(f"{what}: {event.reason} (evidence: {event.evidence})", event), event.actor)


def _with_note(what: str, event: Event) -> str:
    return f"{what} (note: {event.note})" if event.note else what


# ---- the reservation ----


def _reserved(f: RefundFacts, answer: ReservedRefund) -> RefundFacts:
    if answer.opening is Opening.OPENED and answer.state not in UNSETTLED:
        # This very run brought it to its end, and was reset: what is settled is not sent again.
        answer = answer.model_copy(update={"opening": Opening.DUPLICATE})
    after = _without_early_words(f.with_(reservation=answer, state_since=f.now))
    if answer.opening is Opening.OPENED:
        over = ", over what was paid (allowed by the seller)" if answer.over_refund else ""
        if after.awaits_second_person:
            over += f", over the seller's limit of {answer.over_limit}: a second person must confirm it"
        by = f.request.requested_by
        return _without_foreign_claims(after.step(f"reserved {answer.amount} {f.request.currency}{over}", by))
    if after.had_ended and answer.state is RefundState.SUCCEEDED and f.goes_by_gateway:
        word = RefundAnswer(state="succeeded", gateway_refund_id=answer.gateway_refund_id, reason=answer.reason)
        return _without_foreign_claims(after.with_(word=word, succeeded_at=f.now))
    return after


def _without_early_words(f: RefundFacts) -> RefundFacts:
    """REF-12: a second person spoke before it was known that nobody needs one."""
    if f.over_limit is not None:
        return f
    after = f.with_(confirmation=None, rejection=None)
    if f.confirmation is not None:
        after = after.reject("refund_confirmed", f"{NOT_OVER} (REF-12)", f.confirmation.event_id)
    if f.rejection is not None:
        after = after.reject("refund_rejected", f"{NOT_OVER} (REF-12)", f.rejection.event_id)
    return after


# ---- the gateway ----


def _heard(f: RefundFacts, answer: RefundAnswer, said: str | None = None) -> RefundFacts:
    """The gateway itself has spoken; `said`: the reason that came with the claim that made us ask."""
    f = f.with_(postponed=None)
    if answer.state == "none":
        why = answer.reason if f.goes_by_queue else None
        after = f.with_(heard_at=f.now, absent=True, absent_why=why)
        return after if why is None or f.absent_why == why else after.step(f"in doubt: {why}", Who.SHOP)
    before = f.word.state if f.word is not None else None
    if before == "succeeded" and answer.state == "pending":
        return f.with_(heard_at=f.now, absent=False)
    known = answer.gateway_refund_id or f.gateway_refund_id
    word = answer.model_copy(update={"gateway_refund_id": known, "reason": said or answer.reason})
    after = f.with_(word=word, heard_at=f.now, absent=False)
    if answer.state == before:
        return after
    after = after.with_(state_since=f.now)
    if answer.state == "succeeded":
        return after.with_(succeeded_at=f.now)
    if answer.state == "pending":
        return after.step(answer.reason or "", Who.SHOP) if f.goes_by_queue else after.step(_HAS_IT, Who.GATEWAY)
    return after


def _postponed(f: RefundFacts, answer: RefundAnswer) -> RefundFacts:
    """Nothing was moved: a moment is waited for, or a person's word."""
    after = f.with_(postponed=answer, postponements=f.postponements + 1)
    return after if after.postponement == f.postponement else after.step(str(after.postponement), Who.GATEWAY)


def _look_begun(f: RefundFacts, effect: LookUp) -> RefundFacts:
    """What was claimed until now is decided by this look, be it a thousand claims."""
    claims = tuple(one.model_copy(update={"look": effect.key}) if one.look is None else one for one in f.claims)
    silent = f.silent_looks + 1 if effect.by_silence else f.silent_looks
    return f.with_(looks=f.looks + 1, silent_looks=silent, claims=claims)


def _looked_up(f: RefundFacts, effect: LookUp, answer: RefundAnswer) -> RefundFacts:
    """The gateway's own word decides about the claims; a wrong one changes nothing."""
    checked = [one for one in f.claims if one.look == effect.key]
    left = f.with_(claims=tuple(one for one in f.claims if one.look != effect.key))
    failed = answer.state in ("failed", "refused")
    said = next((one.reason for one in checked if failed and one.status == "failed" and one.reason), None)
    after = _heard(left, answer, said)
    for claim in checked:
        if _is_foreign(after, claim):
            after = _reject_foreign(after, claim)
        elif claim.is_contradicted_by(answer.state):
            after = _reject(after, claim, f"the gateway itself says {answer.state} (REF-7)")
    return _without_foreign_claims(after)


def _without_foreign_claims(f: RefundFacts) -> RefundFacts:
    """Claims that came before the gateway's number was known, and speak of another refund."""
    after = f
    for claim in f.claims:
        if _is_foreign(f, claim):
            after = _reject_foreign(after, claim)
    return after.with_(claims=tuple(one for one in f.claims if not _is_foreign(f, one)))


def _is_foreign(f: RefundFacts, claim: Claim) -> bool:
    return f.gateway_refund_id is not None and claim.gateway_refund_id != f.gateway_refund_id


def _reject_foreign(f: RefundFacts, claim: Claim) -> RefundFacts:
    return _reject(f, claim, "gateway_refund_id is another refund's (REF-7)")


def _reject(f: RefundFacts, claim: Claim, reason: str) -> RefundFacts:
    return f.reject(GATEWAY_UPDATE, reason, claim.event_id)


def _ended(f: RefundFacts, outcome: str) -> RefundFacts:
    """The refund has come to its end: what nothing was decided about is answered."""
    has_succeeded = f.state is RefundState.SUCCEEDED
    after = f.with_(succeeded_at=f.succeeded_at or (f.now if has_succeeded else None))
    for claim in f.claims:
        if f.gateway_refund_id is None:
            after = _reject(after, claim, f"the refund is {outcome}, and no gateway has it (REF-7)")
        elif claim.is_contradicted_by(f.state.value):
            after = _reject(after, claim, f"the refund is {outcome} already")
    return after.with_(claims=())
