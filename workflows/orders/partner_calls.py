"""What is asked of whom for each effect of an order: the call, and its message."""

from collections.abc import Mapping
from typing import Any

from models import calls
from models.calls import Call
from models.charges import ChooseConnection
from models.event_times import AskArrival
from models.marketplace_orders import LookAtMarketplace
from models.message import Message
from models.naming import by_sku
from models.partners import (
    AnnounceTracking,
    AuthorizeCharge,
    CaptureCharge,
    FindSources,
    ItemQuantity,
    OrderQuantity,
    PlaceSupplierOrder,
    StopShipping,
    VoidCharge,
)
from models.records import OpenOrder
from models.special_orders import CheckSpecialOrder
from models.splits import SplitOrder
from workflows.engine.case import Effect
from workflows.orders import effects
from workflows.orders.charges import attempt_of
from workflows.orders.facts import OrderFacts


def call_of(f: OrderFacts, effect: Effect, run_id: str) -> tuple[Call[Any, Any], Message]:
    """`run_id`: of this very run, in whose history an event is looked up."""
    match effect:
        case effects.WriteDown():
            return calls.OPEN_ORDER, OpenOrder(
                request=f.request, workflow_id=f.case_id, run_id=f.run_id, received_at=f.created_at
            )
        case effects.ChooseConnection():
            return calls.CHOOSE_CONNECTION, ChooseConnection(order_id=f.order_id)
        case effects.Authorize() | effects.Capture() | effects.VoidAuthorization():
            return _of_charge(f, effect)
        case effects.SearchStock():
            return calls.FIND_SOURCES, _search(f, effect.units, second_source=effect.second_source)
        case effects.LookForStock():
            return calls.FIND_SOURCES, _search(f, effect.units)
        case effects.CheckSpecialOrder():
            return calls.CHECK_SPECIAL_ORDER, CheckSpecialOrder(order_id=f.order_id, units=f.waiting)
        case effects.Place():
            order = f.purchase_of(effect.number).order
            message = PlaceSupplierOrder(order_id=f.order_id, order=order, ship_to=f.ship_to)
            return calls.PLACE_SUPPLIER_ORDER, message
        case effects.LookUpArrival():
            return calls.EVENT_ARRIVAL, _arrival(f, effect, run_id)
        case effects.SplitOff():
            return calls.SPLIT_ORDER, SplitOrder(split_from=effect.split_from, units=effect.units)
        case effects.AnnounceTracking():
            return calls.ANNOUNCE_TRACKING, _tracking(f, effect)
        case effects.StopShipping():
            return calls.STOP_SHIPPING, StopShipping(
                order_id=f.order_id,
                seller_id=f.seller_id,
                channel=f.request.channel.value,
                channel_order_id=f.request.channel_order_id,
                reason=effect.reason,
                without_sending=effect.without_sending,
            )
        case effects.LookAtMarketplace():
            return calls.LOOK_AT_MARKETPLACE, LookAtMarketplace(order_id=f.order_id)
    raise AssertionError(f"an order does not know the effect {effect.key}")


def _of_charge(
    f: OrderFacts, effect: effects.Authorize | effects.Capture | effects.VoidAuthorization
) -> tuple[Call[Any, Any], Message]:
    attempt = attempt_of(f.charges, effect.charge_id)
    assert attempt is not None, "it was asked for"
    reference, connection_id = attempt.gateway_reference, attempt.connection_id
    customer = f.seller.gateway_customer
    match effect:
        case effects.Authorize():
            return calls.AUTHORIZE_CHARGE, AuthorizeCharge(
                charge_id=effect.charge_id,
                order_id=f.order_id,
                amount=effect.amount,
                currency=effect.currency,
                payment_method=effect.payment_method,
                gateway_customer=customer,
                connection_id=connection_id,
            )
        case effects.Capture():
            return calls.CAPTURE_CHARGE, CaptureCharge(
                charge_id=effect.charge_id,
                gateway_reference=reference or effect.charge_id,
                amount=effect.amount,
                currency=f.currency,
                connection_id=connection_id,
            )
    return calls.VOID_CHARGE, VoidCharge(
        charge_id=effect.charge_id,
        gateway_reference=reference,
        gateway_customer=customer,
        connection_id=connection_id,
    )


def _search(f: OrderFacts, units: Mapping[str, int], *, second_source: bool = False) -> FindSources:
    cost = {line.line_id: line.unit_cost for line in f.request.items}
    return FindSources(
        wanted=tuple(
            OrderQuantity(sku=line.sku, quantity=line.quantity, unit_cost=cost[line.line_id])
            for line in f.lines.units(units)
        ),
        ship_to=f.ship_to,
        minimum_stock=f.seller.minimum_stock,
        currency=f.currency,
        refused=f.refused_sources,
        second_source=second_source,
    )


def _arrival(f: OrderFacts, effect: effects.LookUpArrival, run_id: str) -> AskArrival:
    event = next(one.event for one in f.cancels if one.event.event_id == effect.event_id)
    return AskArrival(
        workflow_id=f.case_id,
        run_id=run_id,
        event_name="cancel_request",
        event_id=event.event_id,
        event=event,
    )


def _tracking(f: OrderFacts, effect: effects.AnnounceTracking) -> AnnounceTracking:
    shipment = next(one for one in f.shipments if one.shipment_id == effect.shipment_id)
    return AnnounceTracking(
        order_id=f.order_id,
        seller_id=f.seller_id,
        channel=f.request.channel.value,
        channel_order_id=f.request.channel_order_id,
        shipment_id=shipment.shipment_id,
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        lines=tuple(ItemQuantity(sku=sku, quantity=count) for sku, count in by_sku(shipment.lines).items()),
        correction=shipment.corrections,
        more_parcels=shipment.more_parcels,
    )
