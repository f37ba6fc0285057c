"""What a document to Amazon says: each entry of the queue in its words, or why a person has to look (AMZ-7)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from sqlmodel import Session, col, select

from activities.connectors.amazon.feed_xml import Content, FeedDocument, feed_documents
from activities.database.order_lines import order_lines, share_of
from activities.database.settled_holds import made_by_amazon
from models.amazon.account import AmazonOptions
from models.amazon.composition import ComposeCancel, ComposeRefund, Units, composed_cancel, composed_refund
from models.amazon.feeds import MOST_BYTES
from models.amazon.messages import NeedsPerson, NeedsPersonWhy, OrderAcknowledgement, OrderAdjustment
from models.amazon.queue import QueueKind, QueueState
from models.refunds import COUNTS_AGAINST_CAP, UNSETTLED
from models.tables import AmazonQueueRow, ConnectionRow, OrderRow, RefundRow, RefundUnitsRow, ReturnRow

_CENT: Final = Decimal("0.01")


def document_of(account: ConnectionRow, kind: QueueKind, messages: Sequence[tuple[str, Content]]) -> FeedDocument:
    """The first document of these messages; they are all in it, if they fit."""
    return next(feed_documents(kind.feed_type, account.account or "", messages, MOST_BYTES))


def composed_entries(
    session: Session, rows: Sequence[AmazonQueueRow], options: AmazonOptions, batch_id: str
) -> tuple[list[tuple[AmazonQueueRow, Content]], int]:
    """Each in Amazon's words; how many a person has to look at first."""
    made: list[tuple[AmazonQueueRow, Content]] = []
    kept_back = 0
    for row in rows:
        found: Content | NeedsPerson | str
        found = _refund(session, row, options) if row.kind is QueueKind.REFUND else _cancel(session, row, options)
        if isinstance(found, NeedsPerson):
            row.state, row.reason, row.chosen = QueueState.REFUSED, found.words[:500], False
            kept_back += 1
        elif isinstance(found, str):
            row.state, row.reason, row.chosen = QueueState.REJECTED, found, False
        else:
            made.append((row, found))
            continue
        row.changed_at, row.examined_by = datetime.now(UTC), batch_id
        session.add(row)
    return made, kept_back


def _refund(session: Session, row: AmazonQueueRow, options: AmazonOptions) -> OrderAdjustment | NeedsPerson | str:
    """A refund as Amazon wants it. A text: it is settled already, and nothing is to be sent."""
    refund = session.get(RefundRow, row.refund_id)
    order = session.get(OrderRow, row.order_id)
    assert refund is not None, "it is a foreign key"
    assert order is not None, "it is a foreign key"
    if refund.state not in UNSETTLED:
        return f"refund {refund.refund_id} is {refund.state.value} already"
    if (words := made_by_amazon(session, row, refund)) is not None:
        return NeedsPerson(why=NeedsPersonWhy.REFUNDED_BY_AMAZON, words=words)
    shares = [share_of(line) for line in order_lines(session, order.order_id).values()]
    units = _units(session, refund)
    found: OrderAdjustment | NeedsPerson | None = None
    for fees in _fees(session, refund):
        ask = ComposeRefund(
            refund_id=refund.refund_id,
            amount=refund.amount,
            currency=refund.currency,
            reason=refund.reason,
            units=units,
            fees=fees,
        )
        found = composed_refund(order.request, shares, ask, options.refund_reasons)
        if isinstance(found, OrderAdjustment):
            break
    assert found is not None, "there is a fee, be it none"
    if isinstance(found, OrderAdjustment) and _is_finer(found):
        words = "Amazon takes two fraction digits, and a part of it has more"
        return NeedsPerson(why=NeedsPersonWhy.QUANTITY, words=words)
    return found


def _cancel(session: Session, row: AmazonQueueRow, options: AmazonOptions) -> OrderAcknowledgement | NeedsPerson:
    """A whole order as Amazon wants it; of which something went or was split off, a person looks."""
    order = session.get(OrderRow, row.order_id)
    assert order is not None, "it is a foreign key"
    lines = order_lines(session, order.order_id)
    if any(line.shipped or line.moved for line in lines.values()):
        words = "part of the order has shipped, or was cancelled before: cancel the rest in Seller Central"
        return NeedsPerson(why=NeedsPersonWhy.QUANTITY, words=words)
    ask = ComposeCancel(
        case_id=order.order_id,
        reason=row.cancelled_for or "",
        units=tuple(
            Units(line_id=line.line_id or str(position), quantity=line.quantity)
            for position, line in enumerate(order.request.lines, start=1)
        ),
    )
    shares = [share_of(line) for line in lines.values()]
    found = composed_cancel(order.request, shares, ask, options.cancel_reasons)
    if isinstance(found, NeedsPerson):
        return found
    assert found.whole is not None, "it is the whole order"
    return found.whole


def _is_finer(adjustment: OrderAdjustment) -> bool:
    parts = [part.amount for item in adjustment.items for part in item.components]
    return any(amount != amount.quantize(_CENT) for amount in parts)


def _fees(session: Session, refund: RefundRow) -> tuple[Decimal, ...]:
    """What may be kept of it: the return's fees, or nothing (REF-4)."""
    back = session.get(ReturnRow, refund.return_id) if refund.return_id is not None else None
    kept = back.fees if back is not None and back.fees else None
    return (Decimal(0),) if kept is None else (kept, Decimal(0))


def _units(session: Session, refund: RefundRow) -> tuple[Units, ...]:
    """Those that it names, with how many of each went back before (REF-13)."""
    rows = session.exec(
        select(RefundUnitsRow, RefundRow)
        .join(RefundRow, col(RefundRow.refund_id) == col(RefundUnitsRow.refund_id))
        .where(RefundRow.order_id == refund.order_id, col(RefundRow.state).in_(COUNTS_AGAINST_CAP))
    ).all()
    place = (refund.reserved_at, refund.refund_id)
    before: dict[str, int] = {}
    own: dict[str, int] = {}
    for units, of in rows:
        if of.refund_id == refund.refund_id:
            own[units.line_id] = units.quantity
        elif (of.reserved_at, of.refund_id) < place:
            before[units.line_id] = before.get(units.line_id, 0) + units.quantity
    return tuple(
        Units(line_id=line_id, quantity=quantity, before=before.get(line_id, 0))
        for line_id, quantity in sorted(own.items())
    )
