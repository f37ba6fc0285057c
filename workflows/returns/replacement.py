"""The buyer gets another one: an order that costs nothing, started by its return, and what becomes of it
(RET-24)."""

from models.case import OrderStage, Who
from models.case import ReturnStage as Stage
from models.ids import replacement_order_id
from models.message import LineUnits
from models.naming import by_sku
from models.partners import Recipient
from workflows.engine.case import Note
from workflows.engine.pieces import alert, in_flight, just, mail_lines, notify, wait
from workflows.engine.plan import Plan
from workflows.returns.effects import CancelReplacement, StartReplacement
from workflows.returns.facts import ReturnFacts
from workflows.returns.records import Replacement
from workflows.returns.replaced import (
    is_awaited,
    is_due,
    is_given_up,
    is_wanted,
    may_ship,
    units_of,
    units_to_send,
)


def sent(f: ReturnFacts) -> Plan:
    """It is ordered when it is due; what was given up since is cancelled while that can be."""
    if is_due(f):
        lines = tuple(
            LineUnits(line_id=line.line_id, sku=line.sku, quantity=units)
            for line in f.snapshot.lines
            if (units := units_to_send(f, line)) > 0
        )
        return just(StartReplacement(replacement_id=replacement_order_id(f.return_id), lines=lines))
    return given_back(f) if is_given_up(f) else Plan()


def given_back(f: ReturnFacts) -> Plan:
    """Its order is cancelled; whether that came in time, the order says."""
    one = f.replacement
    if one is None or not may_ship(one) or one.cancel_refused:
        return Plan()
    starting = f.in_flight.get(StartReplacement.KEY)
    if starting is not None:
        return in_flight(f, Stage.REPLACING, starting)
    cancel = CancelReplacement(replacement_id=one.replacement_id, actor=_by_whom(f), reason=_why(f))
    what = f"cancel the replacement, order {one.replacement_id}, if it is not with a supplier yet"
    return just(cancel) + wait(Stage.REPLACING, Who.BACKHAUL, what, f.done.get(cancel.key, f.now))


def _by_whom(f: ReturnFacts) -> str:
    for said in (f.withdrawal, f.declined):
        if said is not None:
            return said.actor
    return "broker:backhaul"


def _why(f: ReturnFacts) -> str:
    if f.withdrawal is not None:
        return f"return {f.return_id} was withdrawn"
    if f.declined is not None:
        return f"return {f.return_id} was declined"
    if f.refunded_by_channel:
        return "the marketplace refunded the buyer"
    return f"return {f.return_id} goes on without a replacement"


def awaiting(f: ReturnFacts) -> Plan:
    """Nobody clicks meanwhile: the buyer's money is not refunded as well."""
    one = f.replacement
    if one is None:
        since = f.approved_at or f.now
        return wait(Stage.REPLACING, Who.SUPPLIER, "accept the goods; then the replacement is sent", since)
    if one.is_cut_short:
        return wait(Stage.REPLACING, Who.STAFF, f"say what becomes of it: {_cut_short(one)}", one.at)
    what = f"the replacement ships, order {one.replacement_id}"
    return wait(Stage.REPLACING, Who.BACKHAUL, what, one.at)


# ---- people are told ----


def told(f: ReturnFacts) -> Plan:
    """The seller of its order and of what came to nothing, the buyer of each parcel, staff of what to settle."""
    one = f.replacement
    if one is None or f.is_in_flight(StartReplacement):
        return Plan()
    return _ordered(f, one) + _shipped(f, one) + _came_to_nothing(f, one) + _goes_out_all_the_same(f, one)


def _ordered(f: ReturnFacts, one: Replacement) -> Plan:
    if one.outcome == OrderStage.REFUSED:
        return Plan()
    said = Note(key="note:replacement", what=f"the replacement is order {one.replacement_id}")
    mail = notify(
        "replacement-ordered",
        "replacement_ordered",
        Recipient.SELLER,
        lines=mail_lines(by_sku(one.lines)),
        replacement_id=one.replacement_id,
    )
    return just(said, mail)


def _shipped(f: ReturnFacts, one: Replacement) -> Plan:
    """The buyer is told of each parcel: the shop knows nothing of this order (ORD-9)."""
    mails = Plan()
    for number, box in enumerate(one.parcels, start=1):
        said = Note(
            key=f"note:replacement-sent-{number}",
            what=f"the replacement is on its way: {box.carrier} {box.tracking_number}",
            by=Who.SUPPLIER,
        )
        mail = notify(
            f"replacement-sent-{number}",
            "replacement_sent",
            Recipient.BUYER,
            lines=mail_lines(by_sku(one.lines)),
            carrier=box.carrier,
            tracking_number=box.tracking_number,
        )
        mails += just(said, mail)
    return mails


def _came_to_nothing(f: ReturnFacts, one: Replacement) -> Plan:
    """The resolution falls back: the seller can refund the buyer after all."""
    lost = _lost(one)
    if not lost or is_given_up(f):
        return Plan()
    key = f"replacement-failed-{sum(units.quantity for units in lost)}"
    items, why = by_sku(lost), one.reason or f"its order is {one.outcome}"
    said = ", ".join(f"{units} x {sku}" for sku, units in items.items())
    what = f"not replaced: {said} ({why}); the buyer can be refunded for it"
    mail = notify(
        key,
        "replacement_failed",
        Recipient.SELLER,
        lines=mail_lines(items),
        replacement_id=one.replacement_id,
        reason=why,
    )
    return just(Note(key=f"note:{key}", what=what), mail, alert(f, key, what, Who.SELLER))


def _goes_out_all_the_same(f: ReturnFacts, one: Replacement) -> Plan:
    """It was given up when it could not be cancelled any more; or the buyer has it beside its money; or staff
    stopped its order, and nobody here knows whether it goes out."""
    order = f"the replacement, order {one.replacement_id},"
    if may_ship(one) and one.cancel_refused and is_given_up(f):
        what = f"{order} can't be cancelled any more: it goes out all the same"
        return just(Note(key="note:too-late", what=what), alert(f, "replacement-too-late", what, Who.SELLER))
    if f.refunded_by_channel and any(line.shipped for line in one.lines):
        what = f"the buyer has {order} and its money from the marketplace"
        return just(alert(f, "replaced-and-refunded", what, Who.SELLER))
    if one.is_cut_short:
        return just(alert(f, "replacement-stopped", _cut_short(one), Who.STAFF))
    return Plan()


def _cut_short(one: Replacement) -> str:
    how = "stopped while it is with suppliers" if one.outcome == OrderStage.STOPPED else "terminated"
    advice = "ask its suppliers, then waive the replacement, or decline the refund because it is replaced"
    return f"the replacement, order {one.replacement_id}, was {how}: {advice}"


def kept_without_goods(f: ReturnFacts) -> str | None:
    """What is left to settle when a return ends without its goods, and the buyer has another one."""
    one = f.replacement
    if one is None or not any(line.shipped for line in one.lines):
        return None
    has = f"the buyer has the replacement, order {one.replacement_id}"
    return f"{has}, and nothing came back: settle it with the buyer"


def _lost(one: Replacement) -> list[LineUnits]:
    """Units that the buyer does not get."""
    counts = ((line, line.cancelled + line.voided + (line.open if one.is_over else 0)) for line in one.lines)
    return [LineUnits(line_id=line.line_id, sku=line.sku, quantity=count) for line, count in counts if count]


# ---- in words ----


def replacement_said(f: ReturnFacts) -> str | None:
    """How the replacement stands, for the case's page and its end; none where there is none."""
    one = f.replacement
    if one is None:
        return "when the goods are accepted" if is_wanted(f) and is_awaited(f) else None
    shipped, all_of_it = sum(line.shipped for line in one.lines), sum(line.quantity for line in one.lines)
    if one.outcome == OrderStage.REFUSED:
        return f"order {one.replacement_id} was refused: {one.reason}"
    if shipped == all_of_it:
        return f"order {one.replacement_id}, sent"
    if shipped:
        return f"order {one.replacement_id}, {shipped} of {all_of_it} units sent"
    if not any(units_of(f, line) for line in f.snapshot.lines):
        return f"order {one.replacement_id} came to nothing"
    return f"order {one.replacement_id}, {'with a supplier' if one.with_supplier else 'not sent yet'}"
