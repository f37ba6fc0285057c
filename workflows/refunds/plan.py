"""What follows from the facts of a refund, top to bottom: reserve, send, hear how it went, settle (REF).

The engine's save writes state and case in one transaction, and is done before the workflow ends: so no step here
settles anything in the books.
"""

from datetime import datetime, timedelta
from typing import Final

from models.case import RefundStage as Stage
from models.case import Who
from models.partners import AWAITS_SETTLEMENT, Recipient
from models.refunds import UNSETTLED, RefundResult, RefundState
from workflows.engine.case import Effect
from workflows.engine.pieces import after_days, alert, at, in_flight, just, notify, troubles, wait
from workflows.engine.plan import End, Plan
from workflows.refunds.effects import (
    LookUp,
    ReportToCase,
    Reserve,
    Send,
    StartParts,
    TakeBack,
    WriteConfirmation,
)
from workflows.refunds.facts import RefundFacts
from workflows.refunds.held_up import held_up


def plan(facts: RefundFacts, now: datetime) -> Plan:
    """What must have been begun, who is waited for, and how it ends."""
    f = facts.as_of(now)
    return _procedure(f) + troubles(f)


def _procedure(f: RefundFacts) -> Plan:
    if f.reservation is None:
        # A word about a refund that nobody knows moves nothing: unless somebody asked, it must be reserved.
        asked_for = f.started_by_case or f.request.asked_for
        reserve = Reserve(known_only=bool(f.claims) and not asked_for)
        return _begin(f, Stage.RESERVING, reserve) + _report_held_up(f)
    for step in (_parts, _second_person, _send, _check_claims, _await_word, _take_back, _report_end):
        here = step(f)
        if not here.goes_on or here.effects:
            return here
    return _end(f)


def _begin(f: RefundFacts, stage: Stage, effect: Effect) -> Plan:
    return just(effect) + in_flight(f, stage, effect)


# ---- no single payment can carry it (REF-3) ----


CASE_BEGINS: Final = timedelta(seconds=10)
"""So long the case that asked has to begin the parts itself."""


def _parts(f: RefundFacts) -> Plan:
    """What is reserved is made (REF-6). The case that asked for it asks for its parts, too, and each then tells it
    how it stands; but a case that was told may do nothing, as after a reset, or when it no longer waits: so they
    are begun here in any case, under the ids by which they are reserved."""
    if not f.parts_to_begin:
        return Plan()
    start = StartParts(parts=f.parts_to_begin)
    if f.asking_case is not None and not f.case_has_ended:
        report = ReportToCase(key="report:parts", workflow_id=f.asking_case, result=f.result)
        if not f.is_answered(report.key):
            return _begin(f, Stage.RESERVING, report)
        since = f.done[report.key]
        if f.started_by_case and f.now < since + CASE_BEGINS:
            what, due = "see that its parts have begun", since + CASE_BEGINS
            return wait(Stage.RESERVING, Who.BACKHAUL, what, since, due, "See that its parts have begun")
        start = StartParts(parts=f.parts_to_begin, after_case=f.started_by_case)
    return Plan() if f.is_answered(start.key) else _begin(f, Stage.RESERVING, start)


# ---- a second person (REF-12) ----


def _second_person(f: RefundFacts) -> Plan:
    """Over the seller's limit, nothing is sent before another person than who asked has confirmed it, and that is
    written down. The amount counts against the cap meanwhile."""
    if f.over_limit is None or f.is_rejected or f.confirmed_by is not None:
        return Plan()
    if f.confirmation is not None:
        return _begin(f, Stage.AWAITING_CONFIRMATION, WriteConfirmation(by=f.confirmation.by))
    since, amount = f.state_since or f.now, f"{f.amount} {f.request.currency}"
    what = f"a second person to confirm or reject {amount}, which {f.request.requested_by} asked for"
    waiting = wait(Stage.AWAITING_CONFIRMATION, Who.SELLER, what, since) + just(_confirm_mail(f, 0))
    assert f.reservation is not None, "it is reserved"
    for number, days in enumerate(f.reservation.confirm_reminder_days, start=1):
        waiting += after_days(f, since, days, "Reminder: confirm the refund", _confirm_mail(f, number))
    if not f.started_by_case or f.asking_case is None:
        return waiting
    return waiting + just(ReportToCase(key="report:to-confirm", workflow_id=f.asking_case, result=f.result))


def _confirm_mail(f: RefundFacts, reminder: int) -> Effect:
    return notify(
        f"refund-to-confirm-{reminder}",
        "refund_to_confirm",
        Recipient.SELLER,
        refund_id=f.refund_id,
        amount=f.amount,
        currency=f.request.currency,
        limit=f.over_limit,
        asked_by=f.request.requested_by,
        reason=f.request.reason,
        reminder=reminder,
    )


# ---- the gateway is asked ----


def _send(f: RefundFacts) -> Plan:
    """REF-6: once. What an earlier run may have sent is looked for first; and a mere word about a refund that
    nobody knew to be sent never sends it."""
    if not f.is_reserved or not f.goes_by_gateway or f.gateway_answered or f.is_rejected:
        return Plan()
    if f.resolution is not None:
        # A person has said what became of it: it is sent no more. The last try may have arrived all the same.
        if f.is_sending:
            return _stop_asking(f, Stage.SENDING)
        return _begin(f, Stage.PENDING, LookUp(key=f.next_look)) if not f.looks else Plan()
    assert f.reservation is not None, "it is reserved"
    if f.known_only:
        return Plan() if f.is_looking else _begin(f, Stage.PENDING, LookUp(key=f.next_look))
    if f.postponed is not None and (f.is_parked or (f.send_again_at is not None and f.now < f.send_again_at)):
        return _postponed(f)
    again = f.reservation.resumed or f.postponed is not None
    send = Send(key=f.send_key, direction=f.request.direction, again=again)
    return _begin(f, Stage.SENDING, send) + (_report(f) if send.key in f.trouble else Plan())


def _postponed(f: RefundFacts) -> Plan:
    """The gateway moves nothing now. It is asked again when it can; never while a dispute is open: then a person
    decides. Staff are told unless the settlement alone is waited for."""
    assert f.postponed is not None, "the gateway said so"
    what, since, moment = f"{f.postponement}", f.state_since or f.now, f.send_again_at
    told = _report(f)
    if f.postponed.reason != AWAITS_SETTLEMENT:
        told += just(alert(f, f"postponed-{f.postponed.state}", f"refund {f.refund_id}: {what}", Who.STAFF))
    if moment is None:
        return told + wait(Stage.SENDING, Who.STAFF, f"record what became of the money: {what}", since)
    timer = "The payment's settlement" if f.postponed.reason == AWAITS_SETTLEMENT else "Ask the gateway again"
    return told + wait(Stage.SENDING, Who.GATEWAY, what, since, moment, timer)


def _stop_asking(f: RefundFacts, stage: Stage) -> Plan:
    """There is no answer, and a person has said what became of the money: the plan names the call no more."""
    return wait(stage, Who.BACKHAUL, "stop asking the gateway", f.state_since or f.now)


def _check_claims(f: RefundFacts) -> Plan:
    """REF-7: whatever somebody says of it, failed or succeeded, the gateway itself is asked first."""
    look = next((one for one in f.in_flight.values() if isinstance(one, LookUp)), None)
    if look is not None and f.resolution is not None and look.key in f.trouble:
        return _stop_asking(f, Stage.PENDING)
    if look is not None:
        return _begin(f, Stage.PENDING, look) + (_report(f) if look.key in f.trouble else Plan())
    return _begin(f, Stage.PENDING, LookUp(key=f.next_look)) if f.claims_to_check else Plan()


def _await_word(f: RefundFacts) -> Plan:
    """REF-7: a pending refund ends when the gateway says so; when it is silent, it is asked. One that the gateway
    does not have, or says nothing of for long, is in doubt: then a person may say what became of it (REF-11)."""
    if f.state not in UNSETTLED or not f.is_reserved:
        return Plan()
    again, since = f.look_again_at, f.state_since or f.now
    due = at(f, again, "Ask the gateway again", LookUp(key=f.next_look, by_silence=True))
    gateway = wait(Stage.PENDING, Who.GATEWAY, "say whether the refund succeeded", since, again)
    if f.goes_by_queue:
        gateway = wait(Stage.PENDING, Who.SHOP, "say what became of the refund", since)
    if (held := held_up(f)) is not None:
        return _report(f) + due + wait(Stage.PENDING, held.who, held.what, since)
    if not f.in_doubt:
        return _report(f) + due + gateway
    staff = wait(Stage.PENDING, Who.STAFF, "find out whether the money moved, and record it", since)
    return _report(f) + _alert_of_silence(f) + due + staff + gateway


def _alert_of_silence(f: RefundFacts) -> Plan:
    if not f.is_silent_for_long:
        return Plan()
    assert f.reservation is not None, "it is reserved"
    days = f.reservation.looks_before_alert * f.reservation.look_again_days
    what = f"refund {f.refund_id} is pending for {days} days"
    if f.absent:
        what = f"the gateway does not have refund {f.refund_id}: find out whether the money moved"
    return just(alert(f, "pending", what, Who.STAFF if f.absent else Who.GATEWAY))


# ---- its end ----


def _take_back(f: RefundFacts) -> Plan:
    """REF-7: the amount is refundable again, people are told, and the return opens again."""
    if not f.failed_afterwards:
        return Plan()
    take_back = TakeBack()
    if f.taken_back is None:
        return _begin(f, Stage.PENDING, take_back)
    what = f"refund {f.refund_id} of {f.amount} {f.request.currency} failed after it had succeeded"
    told = just(
        notify(
            "taken-back",
            "refund_failed",
            Recipient.SELLER,
            amount=f.amount,
            currency=f.request.currency,
            refund_id=f.refund_id,
            reason=f.reason,
            direction=f.request.direction.value,
        ),
        alert(f, "taken-back", f"{what}: {f.reason}", Who.STAFF),
    )
    of_ended_return = f.return_id is not None and f.taken_back.reopen is None
    if f.asking_case is None or of_ended_return:
        return told + _end(f)
    tell = ReportToCase(
        key="tell-taken-back",
        workflow_id=f.asking_case,
        result=f.result,
        reopen=f.taken_back.reopen,
    )
    return told + (_end(f) if f.is_answered(tell.key) else _begin(f, Stage.PENDING, tell))


def _report_end(f: RefundFacts) -> Plan:
    """The case that asked was told that an earlier run ended without an answer; nobody waits for this one's."""
    took_over = f.is_reserved and f.reservation is not None and f.reservation.resumed and not f.started_by_case
    if not took_over or f.asking_case is None:
        return Plan()
    report = ReportToCase(key="report:end", workflow_id=f.asking_case, result=f.result)
    return Plan() if f.is_answered(report.key) else _begin(f, Stage.PENDING, report)


def _report(f: RefundFacts) -> Plan:
    """The case that waits for its end is told that it takes longer, or is in doubt, and shows it (REF-11): one
    word after the other, and none that says nothing new."""
    if not f.started_by_case or f.asking_case is None or f.state not in UNSETTLED:
        return Plan()
    held = held_up(f)
    if f.is_in_flight(ReportToCase) or (f.reported_doubt is f.in_doubt and f.reported_held_up == held):
        return Plan()
    stands = {"state": RefundState.PENDING, "unknown": f.in_doubt, "reason": f.doubt or f.postponement}
    return _tell(f, f.asking_case, f.result.model_copy(update=stands | {"held_up": held}))


def _report_held_up(f: RefundFacts) -> Plan:
    """It can't be reserved before somebody has done something: the case that asked shows what (BAL-1)."""
    held = held_up(f)
    if not f.started_by_case or f.asking_case is None or held is None or held == f.reported_held_up:
        return Plan()
    if f.is_in_flight(ReportToCase):
        return Plan()
    return _tell(f, f.asking_case, f.result.model_copy(update={"unknown": False, "held_up": held}))


def _tell(f: RefundFacts, case: str, result: RefundResult) -> Plan:
    return just(ReportToCase(key=f"report:{f.reports + 1}", workflow_id=case, result=result, meanwhile=True))


def _end(f: RefundFacts) -> Plan:
    return Plan(end=End(f.ending.value, _ending_message(f)))


def _ending_message(f: RefundFacts) -> str:
    if f.failed_afterwards:
        return f"failed after it had succeeded: {f.reason}"
    if not f.is_reserved and not f.looks:
        return f"{f.ending.value}: {f.reason}"
    if f.state is RefundState.SUCCEEDED and f.had_ended:
        return "succeeded, and stays so"
    return f.state.value + (f": {f.reason}" if f.reason else "")
