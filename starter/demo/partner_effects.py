"""What the partners really did for one order: the sandbox's effects, picked out for a story's judgement."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from starter.sandbox.facts import (
    CaptureFact,
    Effects,
    MailFact,
    PaymentFact,
    RefundFact,
    RmaFact,
    ShipmentFact,
    ShippingFact,
    SupplierOrderFact,
)


@dataclass(frozen=True)
class PartnerEffects:
    """Amounts in the payment's currency. Refunds: of the buyer by the seller, of the seller by the broker."""

    charges: tuple[PaymentFact, ...]
    """The broker's charges on the seller's card."""
    captures: tuple[CaptureFact, ...]
    buyer_refunds: tuple[RefundFact, ...]
    seller_refunds: tuple[RefundFact, ...]
    supplier_orders: tuple[SupplierOrderFact, ...]
    rmas: tuple[RmaFact, ...]
    shipments: tuple[ShipmentFact, ...]
    stops: tuple[ShippingFact, ...]
    mails: tuple[MailFact, ...]

    @classmethod
    def of(cls, effects: Effects, order_id: str, payment_reference: str) -> Self:
        """All that belongs to this order; `payment_reference` is what its buyer paid."""
        refunds = [refund for refund in effects.refunds if refund.metadata.get("order_id") == order_id]
        charges = tuple(
            payment for payment in effects.payment_intents if payment.metadata.get("order_id") == order_id
        )
        charge_ids = {charge.id for charge in charges}
        named = re.compile(rf"(?<![\w-]){re.escape(order_id)}\b|-{re.escape(order_id)}\b")
        return cls(
            charges=charges,
            captures=tuple(capture for capture in effects.captures if capture.payment_intent in charge_ids),
            buyer_refunds=tuple(refund for refund in refunds if refund.payment_intent == payment_reference),
            seller_refunds=tuple(refund for refund in refunds if refund.payment_intent in charge_ids),
            supplier_orders=tuple(
                order for order in effects.supplier_orders if order.number.rpartition("-")[0] == order_id
            ),
            rmas=tuple(rma for rma in effects.rmas if rma.supplier_order_number.rpartition("-")[0] == order_id),
            shipments=tuple(shipment for shipment in effects.shipments if shipment.order_id == order_id),
            stops=tuple(stop for stop in effects.stops if stop.order_id == order_id),
            mails=tuple(mail for mail in effects.mails if named.search(f"{mail.subject}\n{mail.text or ''}")),
        )

    @property
    def captured(self) -> Decimal:
        """What the broker took from the seller."""
        return sum((capture.amount for capture in self.captures), Decimal(0))

    def buyer_got(self, amount: str) -> bool:
        """Whether the buyer was refunded exactly once, exactly this."""
        return _once(self.buyer_refunds, amount)

    def seller_got(self, amount: str) -> bool:
        """Whether the seller was refunded exactly once, exactly this."""
        return _once(self.seller_refunds, amount)

    def mailed(self, to: str, times: int = 1, *, saying: str = "") -> bool:
        """Whether this address got at least so many mails about the order, with these words in them."""
        mails = [mail for mail in self.mails if to in mail.recipients]
        return sum(saying in f"{mail.subject}\n{mail.text or ''}" for mail in mails) >= times


def _once(refunds: tuple[RefundFact, ...], amount: str) -> bool:
    succeeded = [refund for refund in refunds if refund.status == "succeeded"]
    return [refund.amount for refund in succeeded] == [Decimal(amount)]
