"""The supplier receives and inspects (RET-11, RET-25, RET-26)."""

from models.case import ReturnStage as Stage
from models.case import Who
from models.partners import MailLine, Recipient
from workflows.engine.case import Note
from workflows.engine.pieces import alert, at, just, notify, wait
from workflows.engine.plan import Plan
from workflows.returns.effects import SettleWithoutCredit
from workflows.returns.facts import ReturnFacts
from workflows.returns.receipts import groups_of
from workflows.returns.settled import undecided_since


def awaiting_inspection(f: ReturnFacts) -> Plan:
    since, due = f.inspected_at or f.on_its_way_at or f.now, f.inspection_due
    late = overdue(f, "received and inspected", f"{f.seller.inspection_days} days to receive and inspect")
    if f.undecided:
        return late + wait(Stage.IN_TRANSIT, Who.STAFF, f"decide about {', '.join(f.undecided)}", since, due)
    what = f"receive and inspect the rest: {_awaited(f)}" if f.receipts else "receive and inspect the goods"
    return late + wait(Stage.IN_TRANSIT, Who.SUPPLIER, what, since, due)


def _awaited(f: ReturnFacts) -> str:
    """`1 x A, 2 x B`."""
    units = ((f.awaited_units.get(line.line_id, 0), line.sku) for line in f.snapshot.lines)
    return ", ".join(f"{count} x {sku}" for count, sku in units if count)


def undecided_since_refund(f: ReturnFacts) -> Plan:
    """RET-26: the seller is refunded, and a later word says of some units that a person must decide."""
    if not undecided_since(f):
        return Plan()
    what = f"decide about {', '.join(f.undecided)}; the seller is refunded already"
    return wait(Stage.IN_TRANSIT, Who.STAFF, what, f.inspected_at or f.now)


def overdue(f: ReturnFacts, missing: str, timer: str) -> Plan:
    """Receiving, inspecting and crediting have one limit, and staff are told of it once."""
    assert f.inspection_due is not None, "the goods are on their way"
    said = Note(key="note:overdue", what=f"not {missing} in time: staff are alerted")
    told = alert(f, "inspection", f"return {f.return_id} is not {missing} in time", Who.SUPPLIER)
    return at(f, f.inspection_due, timer, said, told)


def nothing_due(f: ReturnFacts) -> Plan:
    """ORD-15: it is accepted, and it had cost the seller nothing."""
    what = "nothing was charged for what is accepted: nothing is to be credited or refunded to the seller"
    return just(SettleWithoutCredit(key=_last_word("settle-without-credit", f), what=what))


def nothing_accepted(f: ReturnFacts) -> Plan:
    """No credit, and no refund by the broker: the seller is told what was received. A second look may follow, and
    is told too (RET-26)."""
    lines = tuple(
        MailLine(
            sku=group.sku,
            quantity=group.quantity,
            remark=f"{group.reception.value.replace('_', ' ')}, {group.acceptance.value}",
        )
        for group in groups_of(f.receipts)
    )
    return just(
        SettleWithoutCredit(key=_last_word("settle-without-credit", f)),
        notify(_last_word("goods-rejected", f), "goods_rejected", Recipient.SELLER, lines=lines),
    )


def _last_word(key: str, f: ReturnFacts) -> str:
    """Once for each word of the supplier."""
    return f"{key}:{f.receipts[-1].event_id}" if f.receipts else key
