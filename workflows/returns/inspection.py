"""The supplier receives and inspects (RET-11)."""

from models.case import ReturnStage as Stage
from models.case import Who
from models.partners import MailLine, Recipient
from workflows.engine.case import Note
from workflows.engine.pieces import alert, at, just, notify, wait
from workflows.engine.plan import Plan
from workflows.returns.effects import SettleWithoutCredit
from workflows.returns.facts import ReturnFacts


def awaiting_inspection(f: ReturnFacts) -> Plan:
    since, due = f.inspected_at or f.on_its_way_at or f.now, f.inspection_due
    late = overdue(f, "received and inspected", f"{f.seller.inspection_days} days to receive and inspect")
    if f.undecided:
        return late + wait(Stage.IN_TRANSIT, Who.STAFF, f"decide about {', '.join(f.undecided)}", since, due)
    return late + wait(Stage.IN_TRANSIT, Who.SUPPLIER, "receive and inspect the goods", since, due)


def overdue(f: ReturnFacts, missing: str, timer: str) -> Plan:
    """Receiving, inspecting and crediting have one limit, and staff are told of it once."""
    assert f.inspection_due is not None, "the goods are on their way"
    said = Note(key="note:overdue", what=f"not {missing} in time: staff are alerted")
    told = alert(f, "inspection", f"return {f.return_id} is not {missing} in time", Who.SUPPLIER)
    return at(f, f.inspection_due, timer, said, told)


def nothing_due(f: ReturnFacts) -> Plan:
    """ORD-15: it is accepted, and it had cost the seller nothing."""
    what = "what is accepted cost the seller nothing: no credit and no refund by the broker are due"
    return just(SettleWithoutCredit(key="settle-without-credit", what=what))


def nothing_accepted(f: ReturnFacts) -> Plan:
    """No credit, and no refund by the broker: the seller is told what was received."""
    lines = tuple(
        MailLine(
            sku=line.sku,
            quantity=line.quantity,
            remark=f"{line.reception.value.replace('_', ' ')}, {line.acceptance.value}",
        )
        for line in f.received.values()
    )
    return just(
        SettleWithoutCredit(key="settle-without-credit"),
        notify("goods-rejected", "goods_rejected", Recipient.SELLER, lines=lines),
    )
