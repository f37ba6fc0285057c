"""What the books have of movements of money, and how each has to be entered (BAL-1)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from activities.database.settlement_sums import settled_of
from models.charges import ChargeRecord
from models.ledger import (
    ClaimCredited,
    Entry,
    PaymentMoved,
    RefundMoved,
    ReviewCredited,
    amounts_settled,
    charge_entries,
    charge_movement,
    claim_entries,
    cost_review_entries,
    credit_memo_entries,
    payment_entries,
    refund_entries,
)
from models.money import to_minor_units
from models.orders import Channel
from models.records import BookCreditMemo
from models.tables import (
    ChargeRow,
    ClaimRow,
    CostReviewRow,
    CreditMemoRow,
    OrderRow,
    PaymentRow,
    RefundRow,
    ReturnRow,
)


class Movement(NamedTuple):
    """A movement, and the entries of what has become of it; what came to nothing has none."""

    name: str
    entries: list[Entry]


def payment_moved(row: PaymentRow, order: OrderRow) -> PaymentMoved:
    return PaymentMoved(
        order_id=row.order_id,
        seller_id=order.seller_id,
        channel=order.channel,
        position=row.position,
        paid_by=row.paid_by,
        units=to_minor_units(row.amount, row.currency),
        currency=row.currency,
        at=order.received_at,
    )


def refund_moved(row: RefundRow, channel: Channel, at: datetime) -> RefundMoved:
    return RefundMoved(
        refund_id=row.refund_id,
        order_id=row.order_id,
        seller_id=row.seller_id,
        channel=channel,
        of_return=row.return_id is not None,
        direction=row.direction,
        way=row.way,
        units=to_minor_units(row.amount, row.currency),
        currency=row.currency,
        state=row.state,
        at=at,
    )


def review_credited(row: CostReviewRow) -> ReviewCredited:
    """Of an approved one."""
    assert row.approved is not None, "it is approved"
    assert row.settled_at is not None, "it is decided"
    return ReviewCredited(
        review_id=row.review_id,
        order_id=row.order_id,
        seller_id=row.seller_id,
        units=to_minor_units(row.approved, row.currency),
        currency=row.currency,
        at=row.settled_at,
    )


def claim_credited(row: ClaimRow) -> ClaimCredited:
    """Of an approved one."""
    assert row.approved is not None, "it is approved"
    assert row.settled_at is not None, "it is decided"
    return ClaimCredited(
        claim_id=row.claim_id,
        order_id=row.order_id,
        seller_id=row.seller_id,
        units=to_minor_units(row.approved, row.currency),
        currency=row.currency,
        at=row.settled_at,
    )


def movements_of(session: Session, orders: Sequence[str], now: datetime) -> Iterator[Movement]:
    """All that moved of these orders, as it is booked. `now`: the time of what the books do not date."""
    found = {row.order_id: row for row in session.exec(select(OrderRow).where(col(OrderRow.order_id).in_(orders)))}
    whole = col(PaymentRow.of_order_id).is_(None)  # no money moves where an order is split (CAN-10)
    for payment in session.exec(select(PaymentRow).where(col(PaymentRow.order_id).in_(orders), whole)):
        paid = payment_moved(payment, found[payment.order_id])
        yield Movement(paid.movement, payment_entries(paid))
    for charge in session.exec(select(ChargeRow).where(col(ChargeRow.order_id).in_(orders))):
        record = ChargeRecord(
            charge_id=charge.charge_id,
            state=charge.state,
            amount=charge.amount,
            captured=charge.captured,
            currency=charge.currency,
            connection_id=charge.connection_id,
        )
        seller_id = found[charge.order_id].seller_id
        yield Movement(charge_movement(charge.charge_id), charge_entries(record, charge.order_id, seller_id, now))
    for refund in session.exec(select(RefundRow).where(col(RefundRow.order_id).in_(orders))):
        moved = refund_moved(refund, found[refund.order_id].channel, refund.settled_at or refund.reserved_at)
        yield Movement(moved.movement, refund_entries(moved))
    for review in session.exec(select(CostReviewRow).where(col(CostReviewRow.order_id).in_(orders))):
        if review.approved is not None:
            credited = review_credited(review)
            yield Movement(credited.movement, cost_review_entries(credited))
    for claim in session.exec(select(ClaimRow).where(col(ClaimRow.order_id).in_(orders))):
        if claim.approved is not None:
            paid_elsewhere = claim_credited(claim)
            yield Movement(paid_elsewhere.movement, claim_entries(paid_elsewhere))
    for settled in settled_of(session, orders):
        yield Movement(settled.movement, amounts_settled(settled))
    memos = select(CreditMemoRow, ReturnRow.order_id).join(
        ReturnRow, col(ReturnRow.return_id) == col(CreditMemoRow.return_id)
    )
    for memo, order_id in session.exec(memos.where(col(ReturnRow.order_id).in_(orders))):
        said = BookCreditMemo(**{name: getattr(memo, name) for name in BookCreditMemo.model_fields})
        (entry,) = credit_memo_entries(said, order_id)
        yield Movement(entry.movement, [entry])
