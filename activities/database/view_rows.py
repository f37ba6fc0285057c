"""Rows of the database as people read them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from activities.database import views
from models.case import Step
from models.message import LineUnits, Quantity
from models.money import smallest_unit
from models.naming import by_sku
from models.refunds import UNSETTLED, Direction, RefundState
from models.returns import Evidence
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


def standing(row: CaseRow | None) -> views.Standing | None:
    """Where a case stands; none before it first wrote itself down."""
    return None if row is None else _standing(row)


def _standing(row: CaseRow) -> views.Standing:
    return views.Standing(
        workflow_id=row.workflow_id,
        stage=row.stage,
        also_at=tuple(stage for stage in row.also_at.split(",") if stage),
        waiting_on=row.waiting_on,
        waiting_for=row.waiting_for,
        waiting_since=row.waiting_since,
        due_by=row.due_by,
        sla_state=row.sla_state,
        custody=row.custody,
        money=row.money,
        work=tuple(Work(work) for work in row.work.split(",") if work),
        ended=row.ended,
        cursor=f"{row.urgency}{row.newness}{row.workflow_id}",
    )


def worked(row: CaseRow) -> views.WorkListed:
    """A row of a worklist."""
    return views.WorkListed(order_id=row.order_id, seller_id=row.seller_id, standing=_standing(row))


def order(row: OrderRow | Row[Any], case: CaseRow | None) -> views.OrderListed:
    """A row of the list of orders."""
    return views.OrderListed(
        order_id=row.order_id,
        seller_id=row.seller_id,
        channel=row.channel,
        received_at=row.received_at,
        paid=row.payment_amount - row.payment_moved,
        currency=row.payment_currency,
        standing=standing(case),
    )


def claimed(row: ReturnRow | Row[Any], currency: str, paid: Decimal, case: CaseRow | None) -> views.ReturnListed:
    """A row of the list of returns."""
    return views.ReturnListed(
        return_id=row.return_id,
        order_id=row.order_id,
        seller_id=row.seller_id,
        supplier_id=row.supplier_id,
        source=row.source,
        created_at=row.created_at,
        rma_number=row.rma_number,
        tracking_number=row.tracking_number,
        refund_due=row.refund_due,
        paid=paid,
        currency=currency,
        standing=standing(case),
    )


def refund(row: RefundRow, case: CaseRow | None) -> views.RefundListed:
    """One refund."""
    return views.RefundListed(
        refund_id=row.refund_id,
        order_id=row.order_id,
        return_id=row.return_id,
        seller_id=row.seller_id,
        direction=row.direction,
        way=row.way,
        amount=row.amount,
        currency=row.currency,
        state=row.state,
        reason=row.reason,
        requested_by=row.requested_by,
        reference=row.reference,
        over_refund=row.over_refund,
        over_limit=row.over_limit,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
        gateway_refund_id=row.gateway_refund_id,
        failure_reason=row.failure_reason,
        reserved_at=row.reserved_at,
        settled_at=row.settled_at,
        standing=standing(case),
    )


def totals(rows: list[RefundRow], direction: Direction, paid: Decimal, currency: str) -> views.RefundTotals:
    """What the refunds of one direction add up to, in `currency` (REF-10)."""
    zero = Decimal(0).quantize(smallest_unit(currency))
    mine = [row for row in rows if row.direction is direction]
    refunded = sum((row.amount for row in mine if row.state is RefundState.SUCCEEDED), zero)
    pending = sum((row.amount for row in mine if row.state in UNSETTLED), zero)
    return views.RefundTotals(
        direction=direction,
        currency=currency,
        paid=paid,
        refunded=refunded,
        pending=pending,
        left=max(paid - refunded - pending, zero),
    )


def line(row: OrderLineRow) -> views.LineView:
    """One line of an order."""
    return views.LineView(
        line_id=row.line_id,
        sku=row.sku,
        kit=row.kit_line_id,
        title=row.title,
        quantity=row.quantity,
        shipped=row.shipped,
        cancelled=row.cancelled,
        voided=row.voided,
        moved=row.moved,
        paid=row.paid_goods + row.paid_shipping,
        cost=row.cost_goods + row.cost_shipping,
    )


def charge(row: ChargeRow) -> views.ChargeView:
    """One attempt to charge the seller."""
    return views.ChargeView(
        charge_id=row.charge_id,
        state=row.state,
        amount=row.amount,
        captured=row.captured,
        currency=row.currency,
        gateway_reference=row.gateway_reference,
        reason=row.reason,
    )


def supplier_order(row: SupplierOrderRow, lines: list[SupplierOrderLineRow]) -> views.SupplierOrderView:
    """One order to a supplier."""
    mine = [item for item in lines if item.number == row.number]
    short = row.short or {}
    missing = [
        LineUnits(line_id=item.line_id, sku=item.sku, quantity=short[item.line_id])
        for item in mine
        if short.get(item.line_id)
    ]
    return views.SupplierOrderView(
        number=row.number,
        supplier_id=row.supplier_id,
        warehouse_id=row.warehouse_id,
        second_source=row.second_source,
        state=row.state,
        reason=row.reason,
        at=row.at,
        items=by_sku(mine),
        short=by_sku(missing),
        short_reason=row.short_reason,
    )


def shipment(row: ShipmentRow, lines: list[ShipmentLineRow]) -> views.ShipmentView:
    """One parcel to the buyer."""
    return views.ShipmentView(
        shipment_id=row.shipment_id,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        at=row.at,
        delivered_at=row.delivered_at,
        items=by_sku(item for item in lines if item.shipment_id == row.shipment_id),
    )


def cessation(row: CessationRow) -> views.CessationView:
    """Why units were voided or cancelled."""
    return views.CessationView(
        kind=row.kind,
        at=row.at,
        reason=row.reason,
        fault=row.fault,
        by=row.by,
        channel_reference=row.channel_reference,
        quantities=row.quantities,
        evidence=row.evidence,
    )


def return_line(row: ReturnLineRow, received: Sequence[ReceptionRow]) -> views.ReturnLineView:
    """One line of a return, with what arrived of it."""
    receptions = {one.reception for one in received}
    acceptances = {one.acceptance for one in received}
    return views.ReturnLineView(
        line_id=row.line_id,
        sku=row.sku,
        quantity=row.quantity,
        reason=row.reason,
        buyer_words=row.buyer_words,
        evidence=tuple(Evidence.model_validate(item) for item in row.evidence),
        paid=row.paid,
        cost=row.cost,
        received=sum(one.quantity for one in received) if received else None,
        reception=receptions.pop() if len(receptions) == 1 else None,
        acceptance=acceptances.pop() if len(acceptances) == 1 else None,
        receipts=tuple(
            views.ReceivedView(
                event_id=one.event_id,
                quantity=one.quantity,
                reception=one.reception,
                acceptance=one.acceptance,
            )
            for one in received
        ),
    )


def parcel_back(row: ReturnParcelRow) -> views.ParcelBackView:
    """One parcel back."""
    return views.ParcelBackView(
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        at=row.at,
        items=by_sku(Quantity.model_validate(line) for line in row.lines),
    )


def credit_memo(row: CreditMemoRow) -> views.CreditMemoView:
    """One credit memo."""
    return views.CreditMemoView(
        number=row.number,
        date=row.date,
        amount=row.amount,
        currency=row.currency,
        final=row.final,
        total=row.total,
        actor=row.actor,
        at=row.at,
    )


def timeline(rows: list[StepRow]) -> tuple[Step, ...]:
    """What happened, in the order in which it did."""
    return tuple(Step(at=row.at, what=row.what, who=row.who) for row in rows)
