"""What became of the refunds that a return asked for: by their end, or by what they report (REF-7)."""

from models import contract
from models.case import ReturnStage, Who
from models.refunds import RefundResult, RefundState, Way
from workflows.refunds.attempts import (
    SELLER,
    MakeRefund,
    RefundAttempt,
    asked,
    asked_anew,
    awaiting_second_person,
    failed_afterwards,
    has_parts,
    held_up,
    in_flight_refund,
    in_parts,
    may_take_next_id,
    parts_in_words,
    settled,
    state_of,
)
from workflows.returns.facts import ReturnFacts
from workflows.returns.refund_requests import under_next_id

# ---- it is asked for ----


def refund_begun(f: ReturnFacts, effect: MakeRefund) -> ReturnFacts:
    """The click that asks for it is served."""
    in_doubt = {key: one for key, one in f.refunds_in_doubt.items() if key != effect.refund_id}
    renumbered = under_next_id(f, effect.direction, effect.way)
    renumbering = f.refunds_to_renumber
    if renumbered is not None and renumbered.refund_id == effect.refund_id:
        first = next(one for one in renumbering if (one.direction, one.way) == (effect.direction, effect.way))
        renumbering = tuple(one for one in renumbering if one is not first)
    to_begin = tuple(one for one in f.refunds_to_begin if one.refund_id != effect.refund_id)
    f = without_click(f, effect.asked_by)
    return f.with_(
        refunds=asked(f.refunds, effect, f.now),
        refunds_in_doubt=in_doubt,
        refunds_to_renumber=renumbering,
        refunds_to_begin=to_begin,
    )


def without_click(f: ReturnFacts, event_id: str | None) -> ReturnFacts:
    return f.with_(clicks=tuple(click for click in f.clicks if click.event_id != event_id))


def not_refunded(f: ReturnFacts, event_id: str | None, reason: str) -> ReturnFacts:
    """The buyer got nothing; a click that asked for it is answered with no, which is no fault of its sender."""
    told = f.step(f"buyer not refunded: {reason}", Who.GATEWAY)
    return told.decline("buyer_refund", reason, event_id) if event_id else told


def channel_passed(f: ReturnFacts, event_id: str) -> ReturnFacts:
    """A refund of the marketplace is dealt with (RET-18)."""
    actor = next((one.actor for one in f.channel_refunds if one.event_id == event_id), str(Who.BACKHAUL))
    passed = f.with_(channel_passed=(*f.channel_passed, event_id))
    return passed.step("the marketplace refunded the buyer: not refunded again", actor)


# ---- its workflow has ended ----


def refund_answered(f: ReturnFacts, effect: MakeRefund, result: RefundResult) -> ReturnFacts:
    """What its workflow gives at its end, unless the refund said more already, by itself."""
    attempt = f.attempt(effect.refund_id)
    if attempt is None or not attempt.is_under_way:
        return channel_passed(f, str(effect.asked_by)) if effect.way is Way.MARKETPLACE else f
    if result.state is RefundState.RESERVED:
        result = result.model_copy(update={"unknown": True})
    if result.conflict and may_take_next_id(f.refunds, effect.refund_id):
        return _take_next_id(f, effect, result)
    if result.parts:
        return _divide(f, effect, result)
    if effect.way is Way.MARKETPLACE:
        f = channel_passed(f, str(effect.asked_by))
    if result.unknown:
        f = f.with_(refunds_in_doubt=f.refunds_in_doubt | {effect.refund_id: effect})
    return _settle(f, attempt, result)


def _take_next_id(f: ReturnFacts, effect: MakeRefund, result: RefundResult) -> ReturnFacts:
    refunds = asked_anew(settled(f.refunds, result, f.now), effect.refund_id)
    f = f.with_(refunds=refunds, refunds_to_renumber=(*f.refunds_to_renumber, effect))
    return f.step(f"refund {effect.refund_id} is another request's: asked for under the next number")


def _divide(f: ReturnFacts, effect: MakeRefund, result: RefundResult) -> ReturnFacts:
    """No single payment of the buyer, or charge on the seller, can carry it (REF-3, ORD-8)."""
    refunds, parts = in_parts(f.refunds, effect, result, f.now)
    in_doubt = {key: one for key, one in f.refunds_in_doubt.items() if key != effect.refund_id}
    f = f.with_(refunds=refunds, refunds_in_doubt=in_doubt, refunds_to_begin=(*f.refunds_to_begin, *parts))
    return f.step(parts_in_words(parts))


def _settle(f: ReturnFacts, attempt: RefundAttempt, result: RefundResult) -> ReturnFacts:
    """One that did not succeed is told; its amount is refundable again (REF-7)."""
    state = state_of(result)
    f = f.with_(refunds=settled(f.refunds, result, f.now))
    if state != "in_doubt":
        others = {key: one for key, one in f.refunds_in_doubt.items() if key != attempt.refund_id}
        f = f.with_(refunds_in_doubt=others)
    if attempt.way is not Way.GATEWAY:
        return f
    money = f"{result.amount} {result.currency}"
    if state == "to_confirm":
        now = f.attempt(attempt.refund_id) or attempt
        return f.step(f"waits for {awaiting_second_person(now)}")
    if state == "pending":
        return f.step(f"refund {attempt.refund_id} of {money} is pending", Who.GATEWAY)
    if attempt.direction is SELLER:
        return f.step(_seller_result(result, money), Who.GATEWAY)
    if state == "succeeded":
        over = " (over what was paid)" if result.over_refund else ""
        by = f" ({attempt.requested_by} asked, {result.confirmed_by} confirmed)" if result.confirmed_by else ""
        return f.step(f"buyer refunded {money}{over}{by}", Who.GATEWAY)
    doubt_was_told = attempt.state == "in_doubt" and not attempt.awaited
    return not_refunded(f, None if doubt_was_told else attempt.asked_by, _why_not(result))


def _seller_result(result: RefundResult, money: str) -> str:
    if result.unknown:
        return f"the seller's refund {result.refund_id} is in doubt: {result.reason}"
    if result.state is RefundState.SUCCEEDED:
        return f"the broker refunded the seller {money}"
    return f"the seller's refund {result.refund_id} did not succeed: {result.reason}"


def _why_not(result: RefundResult) -> str:
    if not result.unknown:
        return f"refund {result.refund_id} {result.state.value}: {result.reason}"
    doubt = f"refund {result.refund_id} is in doubt, and may have been made ({result.reason})"
    return f"{doubt}; click again to have it looked for, and made if it was not"


# ---- it reports of itself ----


def refund_reported(f: ReturnFacts, result: RefundResult) -> ReturnFacts:
    """It is pending, to be confirmed, in doubt, known after all, or failed after all (REF-7, REF-11, REF-12).

    A word about a refund that this return does not know, or about one that never was made, moves nothing.
    """
    if f.opened is None:
        return f.with_(reported_early=(*f.reported_early, result))
    if result.parts:
        return _divided_meanwhile(f, result)
    attempt, failed = f.attempt(result.refund_id), result.state is RefundState.FAILED
    if attempt is None or (attempt.state in ("failed", "refused") and not failed):
        why = f"the return made no refund {result.refund_id} that succeeded (REF-7)"
        return f.reject(contract.REFUND_TAKEN_BACK, why, None)
    if result.unknown:
        return _in_doubt_meanwhile(f, attempt, result)
    if result.state is RefundState.RESERVED and not result.to_confirm:
        return _held_up(f, result)
    may_have_moved = attempt.may_have_moved_money
    if failed and may_have_moved and (result.taken_back or attempt.state == "succeeded"):
        return _failed_afterwards(f, attempt, result)
    if attempt.state == "in_doubt":
        what = f"refund {result.refund_id}, which was in doubt, is {result.state.value} after all"
        return _settle(f.step(what, Who.GATEWAY), attempt, result)
    if attempt.is_under_way and attempt.state != state_of(result):
        return _settle(f, attempt, result)
    return _held_up(f, result)  # else it was told already


def _held_up(f: ReturnFacts, result: RefundResult) -> ReturnFacts:
    refunds, said = held_up(f.refunds, result)
    return f if said is None else f.with_(refunds=refunds).step(said, Who.GATEWAY)


def _divided_meanwhile(f: ReturnFacts, result: RefundResult) -> ReturnFacts:
    """It says so before its end, so that its parts are asked for even by a return that staff stop meanwhile, or
    that no longer waits for it. Where the return did not ask, the parts begin without it."""
    asked_for = in_flight_refund(f, result.refund_id) or f.refunds_in_doubt.get(result.refund_id)
    return f if asked_for is None or has_parts(f.refunds, result.refund_id) else _divide(f, asked_for, result)


def _in_doubt_meanwhile(f: ReturnFacts, attempt: RefundAttempt, result: RefundResult) -> ReturnFacts:
    """Its own workflow goes on asking the gateway: nobody asks for it again meanwhile (REF-11)."""
    if not attempt.is_under_way or attempt.state == "in_doubt":
        return f
    what = f"refund {attempt.refund_id} of {result.amount} {result.currency} is in doubt: {result.reason}"
    return f.with_(refunds=settled(f.refunds, result, f.now, awaited=True)).step(what, Who.GATEWAY)


def _failed_afterwards(f: ReturnFacts, attempt: RefundAttempt, result: RefundResult) -> ReturnFacts:
    """A return that was completed, and still sends its last e-mails, is open again."""
    what = f"refund {attempt.refund_id} of {attempt.amount} {attempt.currency} failed after it had succeeded"
    others = {key: one for key, one in f.refunds_in_doubt.items() if key != attempt.refund_id}
    f = f.with_(refunds=failed_afterwards(f.refunds, result, f.now), refunds_in_doubt=others)
    f = f.step(f"{what}: {result.reason}", Who.GATEWAY)
    if f.outcome != ReturnStage.COMPLETED:
        return f
    return f.with_(outcome=None, closing_message="", times_opened=f.times_opened + 1)


def reopened_by(f: ReturnFacts, result: RefundResult) -> ReturnFacts:
    """What the database has as failed, and these facts still as succeeded, failed afterwards."""
    attempt = f.attempt(result.refund_id)
    if attempt is None or attempt.state != "succeeded":
        return f
    return _failed_afterwards(f, attempt, result)
