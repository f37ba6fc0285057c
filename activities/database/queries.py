"""Lists, look-ups and whole cases for people and starters (RET-17, REF-10). Nothing here writes."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.sql import ColumnElement
from sqlmodel import Session, SQLModel, col, select

from activities.database import amazon_queue, lists, orders_taken, orphans, view_rows
from activities.database import claims as claimed
from activities.database import cost_reviews as reviews
from activities.database.claim_views import ClaimListed
from activities.database.cost_review_views import CostReviewListed
from activities.database.lists import LIMIT, Page
from activities.database.refund_sources import captured_charges
from activities.database.refunds import refund_rows
from activities.database.transactions import read
from activities.database.views import (
    OrderListed,
    OrderRefunds,
    OrderView,
    OrphanListed,
    RefundListed,
    ReturnListed,
    ReturnView,
    Standing,
    WorkListed,
)
from models.amazon.queue import BatchListed
from models.case import Step
from models.failures import NotFound
from models.ids import return_id as numbered_return
from models.orders import OrderRequest
from models.records import OpenedOrder
from models.refunds import Direction, RefundRequest
from models.tables import (
    CaseRow,
    CessationRow,
    ChargeRow,
    CreditMemoRow,
    OrderLineRow,
    OrderRow,
    ReceptionRow,
    RefundRow,
    ReturnLineRow,
    ReturnParcelRow,
    ReturnRow,
    ShipmentLineRow,
    ShipmentRow,
    StepRow,
    SupplierOrderLineRow,
    SupplierOrderRow,
)
from models.worklists import Work

Row = TypeVar("Row", bound=SQLModel)


class Reading:
    """The database as people read it. Each answer is of one moment; PartnerUnavailable if it stays away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find_orders(
        self,
        *,
        stage: str | None = None,
        seller: str | None = None,
        due_before: datetime | None = None,
        limit: int = LIMIT,
        after: str | None = None,
    ) -> list[OrderListed]:
        """Orders by stage, seller, and what is due before a time: the most urgent first, then the newest.

        `after`: the next page, behind the one with this `Standing.cursor`. Raises InvalidInput for another text.
        """
        page = Page(stage, seller, due_before, limit, after)
        return read(self._engine, lambda session: lists.orders(session, page))

    def refusal_of_order(self, request: OrderRequest) -> OpenedOrder | None:
        """Why an order that is not there under its id would not be taken (ORD-17, REF-3); none if it would."""
        return read(self._engine, lambda session: orders_taken.refusal_of(session, request))

    def find_returns(
        self,
        *,
        stage: str | None = None,
        seller: str | None = None,
        due_before: datetime | None = None,
        limit: int = LIMIT,
        after: str | None = None,
    ) -> list[ReturnListed]:
        """Returns, as orders."""
        page = Page(stage, seller, due_before, limit, after)
        return read(self._engine, lambda session: lists.returns(session, page))

    def find_refunds(
        self,
        *,
        stage: str | None = None,
        seller: str | None = None,
        due_before: datetime | None = None,
        limit: int = LIMIT,
        after: str | None = None,
    ) -> list[RefundListed]:
        """Refunds, as orders."""
        page = Page(stage, seller, due_before, limit, after)
        return read(self._engine, lambda session: lists.refunds(session, page))

    def find_cost_reviews(
        self,
        *,
        stage: str | None = None,
        seller: str | None = None,
        due_before: datetime | None = None,
        limit: int = LIMIT,
        after: str | None = None,
        ended: bool = True,
    ) -> list[CostReviewListed]:
        """As orders; without `ended` only what is open."""
        page = Page(stage, seller, due_before, limit, after)
        return read(self._engine, lambda session: reviews.cost_reviews(session, page, ended=ended))

    def cost_review(self, review_id: str) -> CostReviewListed:
        """One supplier-cost review. Raises NotFound."""
        return read(self._engine, lambda session: reviews.cost_review(session, review_id))

    def find_claims(
        self,
        *,
        stage: str | None = None,
        seller: str | None = None,
        due_before: datetime | None = None,
        limit: int = LIMIT,
        after: str | None = None,
        ended: bool = True,
    ) -> list[ClaimListed]:
        """As orders; without `ended` only what is open."""
        page = Page(stage, seller, due_before, limit, after)
        return read(self._engine, lambda session: claimed.claims(session, page, ended=ended))

    def claim(self, claim_id: str) -> ClaimListed:
        """One claim. Raises NotFound."""
        return read(self._engine, lambda session: claimed.claim(session, claim_id))

    def batch(self, batch_id: str) -> BatchListed:
        """One document to Amazon. Raises NotFound."""
        return read(self._engine, lambda session: amazon_queue.batch_listed(session, batch_id))

    def find_orphans(
        self, *, ended: bool = False, seller: str | None = None, limit: int = LIMIT, after: str | None = None
    ) -> list[OrphanListed]:
        """What was said about cases that are not known here (RET-20); with `ended`, also what is over.

        `after` as in `find_orders`.
        """
        page = Page(None, seller, None, limit, after)
        return read(self._engine, lambda session: orphans.orphans(session, page, ended=ended))

    def orphan(self, orphan_id: str) -> OrphanListed:
        """One orphan. Raises NotFound."""
        return read(self._engine, lambda session: orphans.orphan(session, orphan_id))

    def find_work(
        self,
        work: Work,
        *,
        seller: str | None = None,
        limit: int = LIMIT,
        after: str | None = None,
        also: Collection[str] = (),
    ) -> list[WorkListed]:
        """The cases of every kind that stand in this worklist (NTF-6): the most urgent first, then the newest.

        `after` as in `find_orders`; `also`: workflow ids of cases that belong to it and can't say so.
        """
        page = Page(None, seller, None, limit, after)
        return read(self._engine, lambda session: lists.worklist(session, work, page, also))

    def count_work(self) -> dict[Work, int]:
        """How many cases stand in each worklist, as far as they could write it down (NTF-6)."""
        return read(self._engine, lists.worklist_counts)

    def find_return(self, number: str) -> list[ReturnListed]:
        """The returns with this number: RR id, RMA, tracking, order, the broker's, Amazon's or eBay's (RET-17).

        An order's number, here or at the channel, gives all its returns; nothing found gives none.
        """
        return read(self._engine, lambda session: lists.returns_numbered(session, number))

    def next_return_id(self, order_id: str) -> str:
        """The first number of a return (RR) of this order that is free."""

        def first_free(session: Session) -> str:
            ordinal = 1
            while session.get(ReturnRow, numbered_return(order_id, ordinal)) is not None:
                ordinal += 1
            return numbered_return(order_id, ordinal)

        return read(self._engine, first_free)

    def refunds_of(self, order_id: str) -> OrderRefunds:
        """The order's refunds, with amounts, reasons, who and when; and their sums (REF-10). Raises NotFound."""
        return read(self._engine, lambda session: _refunds_of(session, _order(session, order_id)))

    def order_view(self, order_id: str) -> OrderView:
        """All that the database knows of an order. Raises NotFound."""
        return read(self._engine, lambda session: _order_view(session, _order(session, order_id)))

    def return_view(self, return_id: str) -> ReturnView:
        """All that the database knows of a return. Raises NotFound."""
        return read(self._engine, lambda session: _return_view(session, return_id))

    def refund(self, refund_id: str) -> RefundListed:
        """One refund. Raises NotFound for one that was never reserved."""

        def find(session: Session) -> RefundListed:
            row = session.get(RefundRow, refund_id)
            if row is None:
                raise NotFound(f"no refund {refund_id} in the database")
            return view_rows.refund(row, _case(session, row.workflow_id))

        return read(self._engine, find)

    def refund_request(self, refund_id: str) -> RefundRequest:
        """What a refund was asked for with. Raises NotFound for one that was never reserved."""

        def find(session: Session) -> RefundRequest:
            row = session.get(RefundRow, refund_id)
            if row is None:
                raise NotFound(f"no refund {refund_id} in the database")
            return RefundRequest.model_validate(
                {name: getattr(row, name) for name in RefundRequest.model_fields if hasattr(row, name)}
            )

        return read(self._engine, find)

    def standing(self, workflow_id: str) -> Standing | None:
        """Where any case stands, also one that was refused; none if it never wrote itself down."""
        return read(self._engine, lambda session: view_rows.standing(_case(session, workflow_id)))

    def timeline(self, workflow_id: str) -> tuple[Step, ...]:
        """What happened in any case, in the order in which it did."""
        return read(self._engine, lambda session: view_rows.timeline(_steps(session, workflow_id)))


def _order(session: Session, order_id: str) -> OrderRow:
    row = session.get(OrderRow, order_id)
    if row is None:
        raise NotFound(f"no order {order_id} in the database")
    return row


def _case(session: Session, workflow_id: str) -> CaseRow | None:
    return session.get(CaseRow, workflow_id)


def _rows(session: Session, table: type[Row], where: ColumnElement[bool] | bool, *order: Any) -> list[Row]:
    return list(session.exec(select(table).where(where).order_by(*order)))


def _steps(session: Session, workflow_id: str) -> list[StepRow]:
    order = (col(StepRow.at), col(StepRow.number))
    return _rows(session, StepRow, StepRow.workflow_id == workflow_id, *order)


def _refunds_of(session: Session, order: OrderRow) -> OrderRefunds:
    rows = refund_rows(session, order.order_id)
    captured = sum((one.captured for one in captured_charges(session, order.order_id)), Decimal(0))
    return OrderRefunds(
        order_id=order.order_id,
        refunds=tuple(view_rows.refund(row, _case(session, row.workflow_id)) for row in rows),
        buyer=view_rows.totals(rows, Direction.SELLER_TO_BUYER, order.paid, order.payment_currency),
        seller=view_rows.totals(rows, Direction.BROKER_TO_SELLER, captured, order.charge_currency),
    )


def _order_view(session: Session, order: OrderRow) -> OrderView:
    key = order.order_id
    bought = _rows(session, SupplierOrderRow, SupplierOrderRow.order_id == key, col(SupplierOrderRow.position))
    numbers = [row.number for row in bought]
    bought_lines = _rows(
        session,
        SupplierOrderLineRow,
        col(SupplierOrderLineRow.number).in_(numbers),
        col(SupplierOrderLineRow.line_id),
    )
    shipped_lines = _rows(session, ShipmentLineRow, ShipmentLineRow.order_id == key, col(ShipmentLineRow.position))
    return OrderView(
        listed=view_rows.order(order, _case(session, order.workflow_id)),
        request=order.request,
        replaces=order.replaces,
        split_from=order.split_from,
        split_orders=tuple(
            row.order_id for row in _rows(session, OrderRow, OrderRow.split_from == key, col(OrderRow.order_id))
        ),
        cancel_until=order.cancel_until,
        handoff_due=order.handoff_due,
        handed_off_at=order.handed_off_at,
        lines=tuple(
            view_rows.line(row)
            for row in _rows(session, OrderLineRow, OrderLineRow.order_id == key, col(OrderLineRow.position))
        ),
        charges=tuple(
            view_rows.charge(row)
            for row in _rows(session, ChargeRow, ChargeRow.order_id == key, col(ChargeRow.position))
        ),
        supplier_orders=tuple(view_rows.supplier_order(row, bought_lines) for row in bought),
        shipments=tuple(
            view_rows.shipment(row, shipped_lines)
            for row in _rows(session, ShipmentRow, ShipmentRow.order_id == key, col(ShipmentRow.position))
        ),
        cessations=tuple(
            view_rows.cessation(row)
            for row in _rows(session, CessationRow, CessationRow.order_id == key, col(CessationRow.position))
        ),
        return_ids=tuple(
            row.return_id
            for row in _rows(session, ReturnRow, ReturnRow.order_id == key, col(ReturnRow.created_at))
        ),
        refunds=_refunds_of(session, order),
        timeline=view_rows.timeline(_steps(session, order.workflow_id)),
    )


def _return_view(session: Session, return_id: str) -> ReturnView:
    row = session.get(ReturnRow, return_id)
    if row is None:
        raise NotFound(f"no return {return_id} in the database")
    order = _order(session, row.order_id)
    lines = _rows(session, ReturnLineRow, ReturnLineRow.return_id == return_id, col(ReturnLineRow.position))
    arrived: dict[str, list[ReceptionRow]] = {}
    for got in _rows(session, ReceptionRow, ReceptionRow.return_id == return_id, col(ReceptionRow.line_id)):
        arrived.setdefault(got.line_id, []).append(got)
    refunds = [refund for refund in refund_rows(session, row.order_id) if refund.return_id == return_id]
    paid = sum((line.paid for line in lines), Decimal(0))
    return ReturnView(
        listed=view_rows.claimed(row, order.payment_currency, paid, _case(session, row.workflow_id)),
        requested_by=row.requested_by,
        split_from=row.split_from,
        supplier_order_number=row.supplier_order_number,
        amazon_rma_id=row.amazon_rma_id,
        ebay_return_id=row.ebay_return_id,
        decision=row.decision,
        decision_reason=row.decision_reason,
        decided_by=row.decided_by,
        fees=row.fees,
        returnless=row.returnless,
        loss=row.loss,
        label_url=row.label_url,
        label_paid_by=row.label_paid_by,
        broker_return_number=row.broker_return_number,
        return_address=row.return_address,
        carrier=row.carrier,
        parcels=tuple(
            view_rows.parcel_back(parcel)
            for parcel in _rows(
                session, ReturnParcelRow, ReturnParcelRow.return_id == return_id, col(ReturnParcelRow.at)
            )
        ),
        resolution=row.resolution,
        replacement_order=row.replacement_order,
        refunded_by_channel=row.refunded_by_channel,
        refund_declined=row.refund_declined,
        refund_declined_reason=row.refund_declined_reason,
        refund_declined_by=row.refund_declined_by,
        outcome=row.outcome,
        lines=tuple(view_rows.return_line(line, arrived.get(line.line_id, [])) for line in lines),
        credit_memos=tuple(
            view_rows.credit_memo(memo)
            for memo in _rows(session, CreditMemoRow, CreditMemoRow.return_id == return_id, col(CreditMemoRow.at))
        ),
        refunds=tuple(view_rows.refund(refund, _case(session, refund.workflow_id)) for refund in refunds),
        timeline=view_rows.timeline(_steps(session, row.workflow_id)),
    )
