"""Refunds in the database: the cap is checked and the amount reserved in one transaction (REF)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, ScalarSelect, literal_column, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from activities.database.cases import open_case, write_case
from activities.database.ledger import entered, post
from activities.database.ledger_facts import refund_moved
from activities.database.refund_reservations import part_of, reservation_of
from activities.database.refund_sources import RefundRefused, locked_order, money_known
from activities.database.returnable_units import CUT_SHORT
from activities.database.upserts import table_of
from models.case import RefundStage
from models.failures import Conflict, NotFound
from models.ids import refund_workflow_id
from models.ledger import refund_entries
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
from models.refunds import COUNTS_AGAINST_CAP, UNSETTLED, RefundRequest, RefundResult, RefundState
from models.tables import OrderRow, RefundRow, RefundUnitsRow, ReturnRow

_MAY_BECOME: Final[dict[RefundState, tuple[RefundState, ...]]] = {
    RefundState.RESERVED: tuple(RefundState),
    RefundState.PENDING: (RefundState.PENDING, RefundState.SUCCEEDED, RefundState.FAILED, RefundState.REFUSED),
    # A gateway may take a success back days later (REF-7); nothing else changes what has ended.
    RefundState.SUCCEEDED: (RefundState.FAILED,),
    RefundState.FAILED: (),
    RefundState.REFUSED: (),
}
_ITS_CHANNEL: Final[ColumnElement[str]] = literal_column(
    "(SELECT channel FROM orders WHERE orders.order_id = refund.order_id)"
)
_CONFLICT: Final = "is another request's: nothing is taken over from it"


def reserve_refund(session: Session, ask: ReserveRefund) -> ReservedRefund:
    """Reserve what may be refunded, or say why not, or in which parts (REF-3 to REF-5): those are all reserved
    here, and each is made by a refund of its own. An id is reserved once.

    One that was stopped before its end goes on in a later run, with the amount that is reserved. A row of another
    request answers `conflict`, and nothing of its own.
    """
    request = ask.request
    # The order's row is the lock: two refunds of one order are checked one after the other.
    order, order_of_return, seller = locked_order(session, request)
    known = money_known(session, request)
    before = next((row for row in known.refunds if row.refund_id == request.refund_id), None)
    if before is not None:
        if ask.confirmation is not None and not _differences(before, request, ask.workflow_id):
            _confirm(session, before, ask.confirmation)
        return _patient(_known_before(session, before, ask), order)
    if ask.known_only:
        return _refused(ask, order, f"no refund {request.refund_id} is known here; nothing was sent")
    if parts := _parts_of(request, known.refunds):
        return _divided_before(ask, order, parts)
    try:
        reserved = reservation_of(session, ask, order, order_of_return, seller, known)
    except (RefundRefused, ValueError) as no:
        return _refused(ask, order, str(no))
    assert order is not None, "it is reserved of an order"
    for row in reserved.rows:
        session.add(row)
        session.flush()
        _open_case(session, row)
        post(session, refund_entries(refund_moved(row, order.channel, ask.at)))
    first = reserved.rows[0]
    session.add_all(
        RefundUnitsRow(refund_id=first.refund_id, line_id=one.line_id, quantity=one.quantity)
        for one in reserved.units
    )
    if reserved.divided is not None:
        return _refused(ask, order, reserved.divided, reserved.rows)
    return _patient(_known(first, Opening.OPENED), order)


def save_refund(session: Session, ask: SaveRefund) -> Saved:
    """Where the refund stands and what became of its money, in one transaction (REF-6, REF-7).

    What has ended stays so, but for a success that is taken back.

    Raises NotFound for money that was never reserved, Conflict for a refund of another case.
    """
    if ask.state is not None:
        news = SettleRefund(
            refund_id=ask.refund_id,
            state=ask.state,
            gateway_refund_id=ask.gateway_refund_id,
            reason=ask.reason,
            at=ask.at or datetime.now(UTC),
        )
        _settle(session, news, ask.record.workflow_id)
    is_newest = write_case(session, ask.record)  # after its order and itself, as where it is reserved
    return Saved(is_newest=is_newest)


def refund_outcome(session: Session, request: RefundRequest) -> RefundResult:
    """What the database has of this refund. `unknown`: it is not settled, or nothing is reserved for it.
    `conflict`: the row, or its parts, are another request's."""
    row = session.get(RefundRow, request.refund_id)
    if row is not None:
        differs = _differences(row, request, refund_workflow_id(request.refund_id))
        return _conflict_result(request) if differs else result_of(row)
    parts = _parts_of(request, refund_rows(session, request.order_id))
    if not parts:
        return _moved_nothing(request, RefundState.RESERVED, "nothing is reserved for it", unknown=True)
    if _differences_of_parts(parts, request):
        return _conflict_result(request)
    told = tuple(part_of(one) for one in parts)
    return _moved_nothing(request, RefundState.REFUSED, _made_in_parts(request, parts), parts=told)


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
        unknown=row.state in UNSETTLED,
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
        "settled_at": None if ask.state in UNSETTLED else ask.at,
    }
    if ask.gateway_refund_id is None:
        del news["gateway_refund_id"]
    may = [state for state, next_ones in _MAY_BECOME.items() if ask.state in next_ones]
    mine = [table.c.refund_id == ask.refund_id]
    if workflow_id is not None:
        mine.append(table.c.workflow_id == workflow_id)
    differs = or_(*(table.c[name].is_distinct_from(value) for name, value in news.items()))
    if ask.state not in UNSETTLED:
        mine.append(table.c.order_id == _order_locked(ask.refund_id))
    settle = update(RefundRow).where(*mine, table.c.state.in_(may), differs).values(news)
    settled = session.execute(
        settle.returning(RefundRow, _ITS_CHANNEL), execution_options={"populate_existing": True}
    ).first()
    if settled is not None:
        if ask.state not in UNSETTLED:
            _enter(session, settled[0], Channel(settled[1]), ask.at)
        return
    owner = session.exec(select(RefundRow.workflow_id).where(RefundRow.refund_id == ask.refund_id)).first()
    if owner is None and ask.state in COUNTS_AGAINST_CAP:
        raise NotFound(f"no refund {ask.refund_id} in the database")
    if owner is not None and workflow_id not in (None, owner):
        raise Conflict(f"refund {ask.refund_id} {_CONFLICT}")


def _order_locked(refund_id: str) -> ScalarSelect[str]:
    """The order of a refund, which stays locked: before its refund, as everywhere, whose condition this is."""
    same = aliased(RefundRow)
    of_refund = select(OrderRow.order_id).join(same, col(same.order_id) == col(OrderRow.order_id))
    of_refund = of_refund.where(col(same.refund_id) == refund_id)
    return of_refund.with_for_update(of=OrderRow, read=True, key_share=True).scalar_subquery()


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
        return _conflict(ask.request, differs)
    if row.run_id == ask.run_id:
        # Asked twice, it gives the same answer: it was reserved at another time if it was taken over.
        return _known(row, Opening.OPENED).model_copy(update={"resumed": row.reserved_at != ask.at})
    if row.state not in UNSETTLED:
        return _known(row, Opening.DUPLICATE)
    is_begun = bool(row.run_id)  # else it is a part of a refund, and this is its first run
    row.run_id = ask.run_id
    session.add(row)
    _open_case(session, row)
    return _known(row, Opening.OPENED).model_copy(update={"resumed": is_begun})


def _parts_of(request: RefundRequest, refunds: Sequence[RefundRow]) -> list[RefundRow]:
    """Those in which this very id was divided before, the first one first."""
    parts = [row for row in refunds if row.part_of == request.refund_id]
    return sorted(parts, key=lambda row: (len(row.refund_id), row.refund_id))


def _divided_before(ask: ReserveRefund, order: OrderRow | None, parts: list[RefundRow]) -> ReservedRefund:
    """A part is made once: whoever asks again, as after a reset, is told the parts that are reserved (REF-6)."""
    if differs := _differences_of_parts(parts, ask.request):
        return _conflict(ask.request, differs)
    answer = _refused(ask, order, _made_in_parts(ask.request, parts), parts)
    is_begun = all(row.run_id for row in parts)
    return answer.model_copy(update={"opening": Opening.DUPLICATE}) if is_begun else answer


def _made_in_parts(request: RefundRequest, parts: Sequence[RefundRow]) -> str:
    told = ", ".join(f"{row.refund_id} {row.amount}" for row in parts)
    return f"refund {request.refund_id} was made in parts already: {told}; not repeated (REF-6)"


def _conflict(request: RefundRequest, differs: Sequence[str]) -> ReservedRefund:
    why = f"refund {request.refund_id} {_CONFLICT}; it differs in {', '.join(differs)}"
    return ReservedRefund(opening=Opening.CONFLICT, state=RefundState.REFUSED, way=request.way, reason=why)


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
    found = [] if row.workflow_id == workflow_id else ["workflow_id"]
    found += [] if row.part_of == request.part_of else ["part_of"]
    return found + _differences_of(row, request, row.amount)


def _differences_of_parts(parts: Sequence[RefundRow], request: RefundRequest) -> list[str]:
    """In which fields the request is not the one that was divided."""
    return _differences_of(parts[0], request, sum((row.amount for row in parts), Decimal(0)))


def _differences_of(row: RefundRow, request: RefundRequest, amount: Decimal) -> list[str]:
    same = {
        "order_id": row.order_id == request.order_id,
        "return_id": row.return_id == request.return_id,
        "direction": row.direction is request.direction,
        "way": row.way_asked is request.way,
        "currency": row.currency == request.currency,
        "amount": request.amount in (None, amount) or (request.less_moved and amount < (request.amount or 0)),
    }
    return [name for name, is_same in same.items() if not is_same]


def _refused(
    ask: ReserveRefund, order: OrderRow | None, why: str, parts: Sequence[RefundRow] = ()
) -> ReservedRefund:
    return ReservedRefund(
        opening=Opening.REFUSED,
        state=RefundState.REFUSED,
        way=ask.request.way,
        seller_id=order.seller_id if order is not None else None,
        reason=why,
        parts=tuple(part_of(row) for row in parts),
    )


def _conflict_result(request: RefundRequest) -> RefundResult:
    return _moved_nothing(request, RefundState.REFUSED, f"refund {request.refund_id} {_CONFLICT}", conflict=True)


def _moved_nothing(request: RefundRequest, state: RefundState, why: str, **more: Any) -> RefundResult:
    """Under this very id."""
    return RefundResult(
        refund_id=request.refund_id,
        state=state,
        amount=Decimal(0),
        currency=request.currency,
        reason=why,
        direction=request.direction,
        **more,
    )


def _open_case(session: Session, row: RefundRow) -> None:
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
