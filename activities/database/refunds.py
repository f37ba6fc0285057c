"""Refunds in the database: the cap is checked and the amount reserved in one transaction (REF)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import Session, col, select

from activities.database.cases import open_case, write_case
from activities.database.ledger import entered, post
from activities.database.ledger_facts import refund_moved
from activities.database.refund_sources import RefundRefused, refund_source, taken
from activities.database.refund_units import named_units
from activities.database.returnable_units import CUT_SHORT
from activities.database.upserts import table_of
from models.case import RefundStage
from models.failures import Conflict, NotFound
from models.gateway_limits import movable, require_movable
from models.ids import refund_workflow_id
from models.ledger import refund_entries
from models.message import LineUnits
from models.orders import Channel
from models.records import (
    Confirmation,
    Opening,
    RefundTakenBack,
    ReservedRefund,
    ReserveRefund,
    Saved,
    SaveRefund,
    SettleRefund,
)
from models.refunds import (
    COUNTS_AGAINST_CAP,
    RefundRequest,
    RefundResult,
    RefundState,
    Way,
    check_cap,
    require_right_to_over_refund,
)
from models.tables import OrderRow, RefundRow, RefundUnitsRow, ReturnRow

_MAY_BECOME: Final[dict[RefundState, tuple[RefundState, ...]]] = {
    RefundState.RESERVED: tuple(RefundState),
    RefundState.PENDING: (RefundState.PENDING, RefundState.SUCCEEDED, RefundState.FAILED, RefundState.REFUSED),
    # A gateway may take a success back days later (REF-7); nothing else changes what has ended.
    RefundState.SUCCEEDED: (RefundState.FAILED,),
    RefundState.FAILED: (),
    RefundState.REFUSED: (),
}
_UNSETTLED: Final = (RefundState.RESERVED, RefundState.PENDING)
_CONFLICT: Final = "is another request's: nothing is taken over from it"


def reserve_refund(session: Session, ask: ReserveRefund) -> ReservedRefund:
    """Reserve what may be refunded, or say why not (REF-3, REF-4, REF-5). A refund id is reserved once.

    One that was stopped before its end goes on in a later run, with the amount that is reserved. A row of another
    request answers `conflict`, and nothing of its own.
    """
    request = ask.request
    # The order's row is the lock: two refunds of one order are checked one after the other.
    order, order_of_return = _locked_order(session, request)
    rows = _refunds_beside(session, request)
    before = next((row for row in rows if row.refund_id == request.refund_id), None)
    if before is not None:
        if ask.confirmation is not None and not _differences(before, request, ask.workflow_id):
            _confirm(session, before, ask.confirmation)
        return _patient(_known_before(session, before, ask), order)
    if ask.known_only:
        return _refused(ask, order, f"no refund {request.refund_id} is known here; nothing was sent")
    try:
        row, units = _reservation(session, ask, order, order_of_return, rows)
    except (RefundRefused, ValueError) as no:
        return _refused(ask, order, str(no))
    session.add(row)
    session.flush()
    session.add_all(
        RefundUnitsRow(refund_id=row.refund_id, line_id=one.line_id, quantity=one.quantity) for one in units
    )
    _open_case(session, row, ask)
    assert order is not None, "it is reserved of an order"
    post(session, refund_entries(refund_moved(row, order.channel, ask.at)))
    return _patient(_known(row, Opening.OPENED), order)


def save_refund(session: Session, ask: SaveRefund) -> Saved:
    """Where the refund stands and what became of its money, in one transaction (REF-6, REF-7).

    What has ended stays so, but for a success that is taken back.

    Raises NotFound for money that was never reserved, Conflict for a refund of another case.
    """
    write_case(session, ask.record)
    if ask.state is not None:
        news = SettleRefund(
            refund_id=ask.refund_id,
            state=ask.state,
            gateway_refund_id=ask.gateway_refund_id,
            reason=ask.reason,
            at=ask.at or datetime.now(UTC),
        )
        _settle(session, news, ask.record.workflow_id)
    return Saved()


def refund_outcome(session: Session, request: RefundRequest) -> RefundResult:
    """What the database has of this refund. `unknown`: it is not settled, or nothing is reserved for it.
    `conflict`: the row is another request's."""
    row = session.get(RefundRow, request.refund_id)
    if row is None:
        return _unsettled(request, "nothing is reserved for it")
    if _differences(row, request, refund_workflow_id(request.refund_id)):
        return _unsettled(request, f"refund {row.refund_id} {_CONFLICT}").model_copy(
            update={"state": RefundState.REFUSED, "unknown": False, "conflict": True}
        )
    return result_of(row)


def take_back_refund(session: Session, ask: SettleRefund) -> RefundTakenBack:
    """A refund that had succeeded failed afterwards: its amount no longer counts against the cap (REF-7)."""
    _settle(session, ask, None)
    found = (
        select(ReturnRow)
        .join(RefundRow, col(RefundRow.return_id) == col(ReturnRow.return_id))
        .where(RefundRow.refund_id == ask.refund_id)
    )
    of = session.exec(found).first()
    if of is None or of.outcome in CUT_SHORT:
        return RefundTakenBack()
    return RefundTakenBack(reopen=of.request)


def result_of(row: RefundRow) -> RefundResult:
    """What became of a refund, with the amount that is in the database."""
    return RefundResult(
        refund_id=row.refund_id,
        state=row.state,
        amount=row.amount,
        currency=row.currency,
        gateway_refund_id=row.gateway_refund_id,
        over_refund=row.over_refund,
        confirmed_by=row.confirmed_by,
        reason=row.failure_reason,
        direction=row.direction,
        unknown=row.state in _UNSETTLED,
    )


def refund_rows(session: Session, order_id: str) -> list[RefundRow]:
    """All refunds of an order, over all ways and both directions, oldest first."""
    rows = select(RefundRow).where(RefundRow.order_id == order_id)
    return list(session.exec(rows.order_by(col(RefundRow.reserved_at), col(RefundRow.refund_id))))


def _settle(session: Session, ask: SettleRefund, workflow_id: str | None) -> None:
    """One statement where the refund may come to that state, and is not there already."""
    table = table_of(RefundRow)
    news = {
        "state": ask.state,
        "gateway_refund_id": ask.gateway_refund_id,
        "failure_reason": ask.reason,
        "settled_at": None if ask.state in _UNSETTLED else ask.at,
    }
    if ask.gateway_refund_id is None:
        del news["gateway_refund_id"]
    may = [state for state, next_ones in _MAY_BECOME.items() if ask.state in next_ones]
    mine = [table.c.refund_id == ask.refund_id]
    if workflow_id is not None:
        mine.append(table.c.workflow_id == workflow_id)
    differs = or_(*(table.c[name].is_distinct_from(value) for name, value in news.items()))
    channel = None if ask.state in _UNSETTLED else _channel_locked(session, ask.refund_id)
    settle = update(RefundRow).where(*mine, table.c.state.in_(may), differs).values(news).returning(RefundRow)
    if (row := session.scalars(settle, execution_options={"populate_existing": True}).first()) is not None:
        if channel is not None:
            _enter(session, row, channel, ask.at)
        return
    owner = session.exec(select(RefundRow.workflow_id).where(RefundRow.refund_id == ask.refund_id)).first()
    if owner is None and ask.state in COUNTS_AGAINST_CAP:
        raise NotFound(f"no refund {ask.refund_id} in the database")
    if owner is not None and workflow_id not in (None, owner):
        raise Conflict(f"refund {ask.refund_id} {_CONFLICT}")


def _channel_locked(session: Session, refund_id: str) -> Channel | None:
    """Of the order, which stays locked: before its refund, as everywhere."""
    of_refund = (
        select(OrderRow.channel)
        .join(RefundRow, col(RefundRow.order_id) == col(OrderRow.order_id))
        .where(RefundRow.refund_id == refund_id)
    )
    found = session.exec(of_refund.with_for_update(of=OrderRow, read=True, key_share=True)).first()
    return None if found is None else Channel(found)


def _enter(session: Session, row: RefundRow, channel: Channel, at: datetime) -> None:
    """BAL-1: in the transaction of what became of its money."""
    moved = refund_moved(row, channel, at)
    is_over = row.state in (RefundState.FAILED, RefundState.REFUSED)
    post(session, refund_entries(moved, entered(session, moved.movement) if is_over else ()))


def _known_before(session: Session, row: RefundRow, ask: ReserveRefund) -> ReservedRefund:
    """The same run asks again; or a later one of the same case, which has not come to its end; or somebody else.

    A case has one open run at a time, so the run that reserved is over. The gateway is looked at before anything
    is sent, so what it sent is not sent twice (REF-6).
    """
    if differs := _differences(row, ask.request, ask.workflow_id):
        return ReservedRefund(
            opening=Opening.CONFLICT,
            state=RefundState.REFUSED,
            way=ask.request.way,
            reason=f"refund {row.refund_id} {_CONFLICT}; it differs in {', '.join(differs)}",
        )
    if row.run_id == ask.run_id:
        # Asked twice, it gives the same answer: it was reserved at another time if it was taken over.
        return _known(row, Opening.OPENED).model_copy(update={"resumed": row.reserved_at != ask.at})
    if row.state not in _UNSETTLED:
        return _known(row, Opening.DUPLICATE)
    row.run_id = ask.run_id
    session.add(row)
    _open_case(session, row, ask)
    return _known(row, Opening.OPENED).model_copy(update={"resumed": True})


def _confirm(session: Session, row: RefundRow, yes: Confirmation) -> None:
    """A second person's yes, once (REF-12). Raises Conflict for a second one."""
    if row.confirmed_by not in (None, yes.by):
        raise Conflict(f"{row.confirmed_by} has confirmed refund {row.refund_id} already")
    if row.confirmed_by is None:
        row.confirmed_by, row.confirmed_at = yes.by, yes.at
        session.add(row)
        session.flush()


def _patient(answer: ReservedRefund, order: OrderRow | None) -> ReservedRefund:
    """With the seller's settings, of the order's time, for a gateway that says nothing (REF-7)."""
    if order is None:
        return answer
    seller = order.seller
    patience = {
        "confirm_reminder_days": seller.buyer_refund_reminder_days,
        "look_again_days": seller.refund_look_again_days,
        "looks_before_alert": seller.refund_looks_before_alert,
    }
    return answer.model_copy(update=patience)


def _differences(row: RefundRow, request: RefundRequest, workflow_id: str) -> list[str]:
    """In which fields the request is not the one that reserved; without an amount it is all that was left then."""
    same = {
        "workflow_id": row.workflow_id == workflow_id,
        "order_id": row.order_id == request.order_id,
        "return_id": row.return_id == request.return_id,
        "direction": row.direction is request.direction,
        "way": row.way is request.way,
        "currency": row.currency == request.currency,
        "amount": request.amount in (None, row.amount),
    }
    return [name for name, is_same in same.items() if not is_same]


def _refused(ask: ReserveRefund, order: OrderRow | None, why: str) -> ReservedRefund:
    return ReservedRefund(
        opening=Opening.REFUSED,
        state=RefundState.REFUSED,
        way=ask.request.way,
        seller_id=order.seller_id if order is not None else None,
        reason=why,
    )


def _unsettled(request: RefundRequest, why: str) -> RefundResult:
    return RefundResult(
        refund_id=request.refund_id,
        state=RefundState.RESERVED,
        amount=Decimal(0),
        currency=request.currency,
        reason=why,
        direction=request.direction,
        unknown=True,
    )


def _open_case(session: Session, row: RefundRow, ask: ReserveRefund) -> None:
    open_case(
        session, row.workflow_id, row.run_id, RefundStage.SENDING, row.seller_id, row.order_id, row.reserved_at
    )


def _known(row: RefundRow, opening: Opening) -> ReservedRefund:
    return ReservedRefund(
        opening=opening,
        state=row.state,
        way=row.way,
        amount=row.amount,
        payment_reference=row.payment_reference,
        connection_id=row.connection_id,
        gateway_refund_id=row.gateway_refund_id,
        over_refund=row.over_refund,
        over_limit=row.over_limit,
        confirmed_by=row.confirmed_by,
        seller_id=row.seller_id,
        reason=f"refund {row.refund_id} exists already" if opening is Opening.DUPLICATE else row.failure_reason,
    )


def _locked_order(session: Session, request: RefundRequest) -> tuple[OrderRow | None, str | None]:
    """The order, and the order of the return that the refund is for."""
    of_request: ColumnElement[bool] = col(ReturnRow.return_id) == request.return_id
    found = session.exec(
        select(OrderRow, ReturnRow.order_id)
        .join(ReturnRow, of_request, isouter=True)
        .where(OrderRow.order_id == request.order_id)
        .with_for_update(of=OrderRow)
    ).one_or_none()
    return found or (None, None)


def _refunds_beside(session: Session, request: RefundRequest) -> Sequence[RefundRow]:
    """All refunds of the order, and the one of this id, whoever's it is."""
    of_order = col(RefundRow.order_id) == request.order_id
    return session.exec(select(RefundRow).where(of_order | (col(RefundRow.refund_id) == request.refund_id))).all()


def _reservation(
    session: Session,
    ask: ReserveRefund,
    order: OrderRow | None,
    order_of_return: str | None,
    refunds: Sequence[RefundRow],
) -> tuple[RefundRow, tuple[LineUnits, ...]]:
    """With the units that it names (REF-13)."""
    request = ask.request
    if order is None:
        raise RefundRefused(f"no order {request.order_id}")
    if request.return_id is not None and order_of_return != order.order_id:
        raise RefundRefused(f"no return {request.return_id} of order {order.order_id}")
    payment = refund_source(session, request, order, refunds)
    if request.currency != payment.currency:
        raise RefundRefused(f"the payment was in {payment.currency}, the refund is in {request.currency}")
    before = taken(refunds, request.direction)
    named = named_units(session, request, refunds)
    left = payment.paid - before
    by = payment.by
    amount = request.amount
    if amount is not None:
        require_movable(amount, by, payment.currency, "the amount")
    else:
        amount = movable(left if not named.units else min(left, named.worth), by, payment.currency)
        if amount <= 0 < min(left, named.worth if named.units else left):
            raise RefundRefused(
                "what is left is less than the gateway can move: record it with way manual (REF-14)"
            )
    if amount <= 0 < left:
        raise RefundRefused("nothing was paid for these units: there is nothing to refund (ORD-15)")
    if amount <= 0:
        raise RefundRefused(
            f"nothing is left to refund: {before} of {payment.paid} {payment.currency} is refunded or pending"
        )
    over = check_cap(amount, payment.paid, before, payment.currency, allow_over_refund=payment.over_refund_allowed)
    if over and request.way is Way.GATEWAY:
        require_right_to_over_refund(request.requested_by, payment.may_over_refund)
    row = RefundRow(
        refund_id=request.refund_id,
        order_id=order.order_id,
        return_id=request.return_id,
        seller_id=order.seller_id,
        workflow_id=ask.workflow_id,
        run_id=ask.run_id,
        direction=request.direction,
        way=request.way,
        amount=amount,
        currency=payment.currency,
        state=RefundState.RESERVED,
        reason=request.reason,
        requested_by=request.requested_by,
        lines=[line.model_dump(mode="json") for line in request.lines],
        reference=request.reference,
        over_refund=over,
        over_limit=payment.limit if payment.limit is not None and amount > payment.limit else None,
        payment_reference=payment.reference,
        connection_id=payment.connection_id,
        reserved_at=ask.at,
    )
    return row, named.units
