"""How a return ends: what came before its end is still booked or answered, and what is left is named to staff."""

from models.case import ReturnStage as Stage
from models.case import Who
from models.orphans import REPORTABLE
from models.partners import Recipient
from models.refunds import Way
from workflows.engine.case import Effect, RejectEvent, SendMail
from workflows.engine.pieces import alert, just, notify
from workflows.engine.plan import End, Plan, Wait
from workflows.refunds.attempts import MakeRefund, owed
from workflows.returns.channel_updates import channel_updates
from workflows.returns.credit_memos import credit_memos
from workflows.returns.describe import parcels_said
from workflows.returns.facts import ReturnFacts
from workflows.returns.replaced import may_ship
from workflows.returns.replacement import given_back, kept_without_goods


def withdrawn(f: ReturnFacts) -> Plan:
    """RET-15: it ends without money."""
    reason = f.withdrawal.reason if f.withdrawal else "withdrawn"
    lines = f.mail_lines if f.opened is not None else ()
    told = just(notify("withdrawn", "withdrawn", Recipient.BUYER, lines=lines, reason=reason))
    return told + ended(f, Stage.WITHDRAWN, f"withdrawn: {reason}")


def stopped(f: ReturnFacts) -> Plan:
    return ended(f, Stage.STOPPED, "stopped by staff; what had to be undone was undone")


def ended(f: ReturnFacts, outcome: str, message: str) -> Plan:
    """The return has its end: book what came before it, answer what can't be used any more, name what is left."""
    unfinished = credit_memos(f) + channel_updates(f) if f.opened else Plan()
    if f.outcome is None and outcome not in (Stage.COMPLETED, Stage.STOPPED):
        back = given_back(f)
        if not back.goes_on:
            return unfinished + back
    leaves = tuple(key for key, one in f.in_flight.items() if _goes_on_by_itself(f, one))
    waits = unfinished.waits or _last_wait(f, outcome, leaves)
    closing = Plan(effects=(*unfinished.effects, *_rejections(f, outcome)), waits=waits)
    return closing + _named_to_staff(f, outcome) + Plan(end=End(outcome, message, leaves))


def _goes_on_by_itself(f: ReturnFacts, effect: Effect) -> bool:
    """Staff's stop waits for no gateway; after the end it only cuts the wait for the mail server short."""
    if f.stopped_at is None:
        return False
    if f.outcome == Stage.STOPPED:
        return isinstance(effect, MakeRefund) and (effect.way is Way.GATEWAY or effect.key in f.trouble)
    # What was begun since, an alert about what came late, is waited for: else it would never be sent.
    return isinstance(effect, SendMail) and f.done[effect.key] <= f.stopped_at


def _last_wait(f: ReturnFacts, outcome: str, leaves: tuple[str, ...]) -> tuple[Wait, ...]:
    if f.outcome is None or all(key in leaves for key in f.in_flight):
        return ()
    mails = all(isinstance(one, SendMail) for one in f.in_flight.values())
    what = "send the last e-mails" if mails else "write down what is under way"
    since = min(f.done[key] for key in f.in_flight)
    return (Wait(outcome, Who.MAIL if mails else Who.BOOKS, what, since),)


def _rejections(f: ReturnFacts, outcome: str) -> list[Effect]:
    """RET-16: clicks that nobody serves any more; before it opened, what could have brought money."""
    unserved = [("buyer_refund", click.event_id) for click in f.clicks]
    by_gateway = [one for one in f.refunds_to_renumber if one.way is Way.GATEWAY]
    unserved += [("buyer_refund", one.asked_by) for one in by_gateway if one.asked_by is not None]
    if f.opened is None:
        unserved += [(one.name, one.event.event_id) for one in f.early if _is_unserved(f, one.name)]
    why = f"the return ended: {outcome}"
    return [
        RejectEvent(key=f"reject:{event_id}", name=name, event_id=event_id, reason=why)
        for name, event_id in unserved
    ]


def _is_unserved(f: ReturnFacts, name: str) -> bool:
    """Whether what came before the opening is of no use now; with an orphan all is kept but decisions (RET-20)."""
    return name not in REPORTABLE if f.is_order_unknown else name in ("goods_received", "credit_memo")


# ---- what is named to staff ----


def _named_to_staff(f: ReturnFacts, outcome: str) -> Plan:
    if any(one.state == "new" for one in f.memos) and f.opened is not None:
        return Plan()  # a credit memo is being booked: then it is known whether it is used
    return _unused_credit(f, outcome) + _left_behind(f, outcome) + _replacement_left_behind(f, outcome)


def _unused_credit(f: ReturnFacts, outcome: str) -> Plan:
    if not f.booked_memos or f.seller_attempts:
        return Plan()
    credits = ", ".join(f"{memo.number} over {memo.amount} {memo.currency}" for memo in f.booked_memos)
    what = f"the supplier credited a return that ended as {outcome}, the seller got nothing: {credits}"
    return just(alert(f, "unused-credit", what, Who.STAFF))


def _left_behind(f: ReturnFacts, outcome: str) -> Plan:
    """RET-15, NTF-3: what a stopped return leaves behind: goods on their way, refunds."""
    left = [*_goods_left_behind(f), *_money_left_behind(f)] if outcome == Stage.STOPPED else []
    if not left:
        return Plan()
    what = f"return {f.return_id} was stopped: nothing was called back; {'; '.join(left)}"
    return just(alert(f, "stopped", what, Who.STAFF))


def _replacement_left_behind(f: ReturnFacts, outcome: str) -> Plan:
    """RET-24: the buyer has another one, and the return ends without its goods."""
    if outcome in (Stage.COMPLETED, Stage.STOPPED) or (what := kept_without_goods(f)) is None:
        return Plan()
    return just(alert(f, "replaced-without-goods", what, Who.SELLER))


def _goods_left_behind(f: ReturnFacts) -> list[str]:
    if f.opened is None or f.times_opened > 1:
        return []
    supplier = f.supplier.supplier_id
    if f.receipts:
        return [f"{supplier} has goods of it"]
    if f.parcels:
        return [f"its goods are on their way to {supplier}: {parcels_said(f)}"]
    if f.rma_announced_at is not None:
        number = f.rma_number or "waived"
        return [f"the buyer was told to send the goods to {supplier} (RMA {number})"]
    if f.rma_requested_at is not None:
        return [f"{supplier} was asked for an RMA number and may have issued one"]
    return []


def _money_left_behind(f: ReturnFacts) -> list[str]:
    if f.opened is None:
        failed = f.request.reopened_by
        return [f"refund {failed} failed and is not made again"] if failed else []
    by_gateway = [one for one in f.refunds if one.way is Way.GATEWAY]
    under_way = sorted(one.refund_id for one in by_gateway if one.is_under_way)
    in_doubt = sorted(one.refund_id for one in by_gateway if one.state == "in_doubt")
    failed_afterwards = sorted(one.refund_id for one in owed(f.refunds))
    one = f.replacement
    going_on = [f"the replacement, order {one.replacement_id}, goes on by itself"] if one and may_ship(one) else []
    return [
        *going_on,
        *(f"refund {one} goes on by itself" for one in under_way),
        *(f"refund {one} is in doubt" for one in in_doubt),
        *(f"refund {one} failed and is not made again" for one in failed_afterwards),
    ]
