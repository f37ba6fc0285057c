"""Which events an order takes, and what its facts are after whatever happens to it (ORD, CAN)."""

from models.cancellations import CancelRequest
from models.charges import ChargeConnection
from models.event_times import Arrival
from models.failures import Conflict, RefusedByRule
from models.marketplace_orders import MarketplaceOrder
from models.message import Event, Message
from models.order_events import AddressChanged, Delivered, ShipmentCorrected, SupplierShortage
from models.orders import Hold, PaymentMethodUpdated, Release, Resume, Shipment
from models.partners import ChargeAnswer, FoundSources, PlacedOrder
from models.records import OpenedOrder, Opening
from models.refunds import RefundResult
from models.senders import Role, role_of
from models.special_orders import ChoiceAfterVoid, SpecialOrderChecked, StockArrived
from models.splits import OrderSplit
from models.text import counted
from workflows.engine.case import Answered, GivenUp, RejectEvent, Started, StoppedByStaff
from workflows.engine.common_facts import apply_common
from workflows.engine.procedure import Reply, noted
from workflows.orders import (
    address,
    buyer_requests,
    cancellation,
    charges,
    handoff,
    purchase_orders,
    refunds,
    seller_charge,
    shipments,
    shortages,
    sourcing,
    special_orders,
    voiding,
)
from workflows.orders import lines as order_lines
from workflows.orders.effects import (
    AnnounceTracking,
    Authorize,
    BeginSpecialOrder,
    Capture,
    CheckSpecialOrder,
    ChooseConnection,
    LookAtMarketplace,
    LookForStock,
    LookUpArrival,
    OpenLateCancelReturn,
    Place,
    ReportLateHandoff,
    ReturnOpened,
    SearchStock,
    SplitOff,
    VoidAuthorization,
    WriteDown,
)
from workflows.orders.facts import OrderFacts
from workflows.refunds.attempts import MakeRefund, RefundReported


def check(f: OrderFacts, event: Event) -> None:
    """Raises a BackhaulError when a rule refuses the event now."""
    if f.outcome is not None:
        raise Conflict(f"the order is {f.outcome} already")
    match event:
        case Release() if f.released_at is not None:
            raise Conflict("the order is released already")
        case CancelRequest():
            cancellation.check(f, event)
        case Hold() if f.is_with_supplier and event.answer_days is None:
            raise RefusedByRule("CAN-2", "the order is with a supplier; it can't be held any more")
        case Resume() if f.hold is None and f.is_open and f.awaits_small_charge:
            if role_of(event) is Role.SELLER:
                raise RefusedByRule("REF-14", "the broker says whether it has collected the charge otherwise")
        case Resume() if f.hold is None:
            raise Conflict("the order is not on hold")
        case Resume():
            buyer_requests.check_resume(f)
        case Shipment():
            shipments.check(f, event)
        case ShipmentCorrected():
            shipments.check_correction(f, event)
        case SupplierShortage():
            shortages.check(f, event)
        case Delivered():
            shipments.check_delivery(f, event)
        case ChoiceAfterVoid():
            special_orders.check(f, event)
        case StockArrived():
            special_orders.check_stock(f, event)


def apply(f: OrderFacts, fact: Message) -> OrderFacts:
    """The facts after this one."""
    return buyer_requests.granted(f, _after(f, fact))


def _after(f: OrderFacts, fact: Message) -> OrderFacts:
    match fact:
        case Event():
            return _received(f, fact)
        case Started():
            return _started(apply_common(f, fact), fact.effect)
        case Answered() if fact.failure is None:
            return _answered(apply_common(f, fact), fact.effect, fact.answer)
        case Answered(effect=SplitOff() as effect):
            why = OrderSplit(reason=fact.failure)
            return cancellation.split_answered(apply_common(f, fact), effect, why)
        case Answered(effect=OpenLateCancelReturn()):
            return apply_common(f, fact).step(f"{fact.failure}")
        case GivenUp(effect=Place()):
            return purchase_orders.given_up(apply_common(f, fact), fact.effect)
        case GivenUp(effect=CheckSpecialOrder()):
            return special_orders.given_up(apply_common(f, fact), fact.effect)
        case StoppedByStaff():
            return voiding.cancel_by_staff(apply_common(f, fact)) if f.outcome is None else apply_common(f, fact)
        case RefundReported():
            return refunds.reported(f, fact.result)
    return apply_common(f, fact)


def reply(f: OrderFacts, event: Event) -> Reply | None:
    """What the sender of an update is told; none while it is undecided (CAN-3)."""
    match event:
        case CancelRequest():
            return cancellation.reply(f, event)
        case Hold():
            return buyer_requests.reply(f, event)
        case AddressChanged():
            return address.reply(f, event)
        case ChoiceAfterVoid():
            return special_orders.reply(f, event)
    return noted(f, event)


# ---- events ----


def _received(f: OrderFacts, event: Event) -> OrderFacts:
    match event:
        case Release():
            return f.with_(released_at=f.now).step("released to the broker", event.actor)
        case CancelRequest():
            return cancellation.receive(f, event).step(f"cancel requested: {event.reason}", event.actor)
        case PaymentMethodUpdated():
            return _with_method(f, event.payment_method).step("payment method given", event.actor)
        case Hold() if event.answer_days is not None:
            return buyer_requests.receive(f, event)
        case Hold():
            return f.with_(hold=event, held_at=f.now).step(f"put on hold: {event.reason}", event.actor)
        case Resume() if f.hold is None:
            said = f"{f.uncollected} {f.currency} collected otherwise: {event.reason}"
            settled = f.settled_otherwise + f.uncollected
            return f.with_(settled_otherwise=settled).step(said, event.actor)
        case Resume():
            return buyer_requests.decline(f, event)
        case Shipment():
            return shipments.receive(f, event)
        case ShipmentCorrected():
            return shipments.correct(f, event)
        case SupplierShortage():
            return shortages.receive(f, event)
        case Delivered():
            return shipments.delivered(f, event)
        case AddressChanged():
            return address.receive(f, event)
        case ChoiceAfterVoid():
            return special_orders.receive(f, event)
        case StockArrived():
            return special_orders.receive_stock(f, event)
    raise AssertionError(f"an order does not know the event {type(event).__name__}")


def _with_method(f: OrderFacts, token: str) -> OrderFacts:
    """The seller's payment method is now this one; the same token again is tried again."""
    return f.with_(payment_method=token, methods_given=f.methods_given + 1)


# ---- effects ----


def _started(f: OrderFacts, effect: object) -> OrderFacts:
    match effect:
        case Authorize():
            return f.with_(charges=charges.asked(f.charges, effect, f.now))
        case Place():
            return purchase_orders.sent(f, effect)
        case AnnounceTracking():
            return shipments.begun(f, effect)
        case MakeRefund():
            return refunds.begun(f, effect)
        case ReportLateHandoff():
            return handoff.report_late(f, effect)
        case BeginSpecialOrder():
            return special_orders.begun(f)
        case RejectEvent():
            return shipments.set_aside(f, effect)
    return f


def _answered(f: OrderFacts, effect: object, answer: object) -> OrderFacts:
    match effect, answer:
        case WriteDown(), OpenedOrder():
            return _opened(f, answer)
        case ChooseConnection(), ChargeConnection():
            return seller_charge.connection_chosen(f, answer)
        case Authorize(), ChargeAnswer():
            return seller_charge.authorization_answered(f, answer)
        case Capture(), ChargeAnswer():
            return seller_charge.capture_answered(f, effect, answer)
        case VoidAuthorization(), ChargeAnswer():
            return seller_charge.void_answered(f, answer)
        case SearchStock(), FoundSources():
            return sourcing.search_answered(f, effect, answer)
        case Place(), PlacedOrder():
            return purchase_orders.answered(f, effect, answer)
        case LookAtMarketplace(), MarketplaceOrder():
            return buyer_requests.looked(f, effect, answer)
        case LookUpArrival(), Arrival():
            return cancellation.arrival_known(f, effect, answer)
        case CheckSpecialOrder(), SpecialOrderChecked():
            return special_orders.checked(f, effect, answer)
        case LookForStock(), FoundSources():
            return special_orders.looked(f, effect, answer)
        case SplitOff(), OrderSplit():
            return cancellation.split_answered(f, effect, answer)
        case AnnounceTracking(), _:
            return shipments.announced(f, effect)
        case MakeRefund(), RefundResult():
            return refunds.answered(f, effect, answer)
        case OpenLateCancelReturn(), ReturnOpened():
            return f.with_(late_cancel_return=answer.return_id).step(f"goes on as return {answer.return_id}")
    return f


def _opened(f: OrderFacts, answer: OpenedOrder) -> OrderFacts:
    """ORD-1: it is written down, or refused. Released by itself where the seller wants so, and the buyer is in a
    country of automatic fulfilment (ORD-2, ORD-10)."""
    if answer.opening is not Opening.OPENED or answer.seller is None:
        refused = Opening.REFUSED if answer.opening is Opening.OPENED else answer.opening
        return f.with_(opening=refused, refusal=answer.reason)
    seller = answer.seller
    f = f.with_(
        opening=Opening.OPENED,
        opened_at=f.now,
        seller_settings=seller,
        charge_connection=answer.charge_connection,
        lines=order_lines.with_shares(f.lines, answer.shares),
    )
    if f.payment_method is None and seller.payment_method:
        f = _with_method(f, seller.payment_method)
    split_from = f.request.split_from
    if seller.auto_release and f.is_domestic and split_from is None:
        f = f.with_(released_at=f.created_at)
    replaces = f", replaces return {f.request.replaces}" if f.request.replaces else ""
    split_off = f", split off order {split_from.order_id}" if split_from else ""
    came = f"order received, {counted(len(f.request.lines), 'line')}{replaces}{split_off}"
    f = f.step(came, f"channel:{f.request.channel.value}")
    if f.stopped_at is not None:
        return voiding.cancel_by_staff(f)
    return cancellation.decide_early_ones(f)
