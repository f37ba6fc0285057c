"""The orders of the demo's buyers, as their shops send them."""

from collections.abc import Sequence
from decimal import Decimal

from models.buyers import Buyer
from models.order_lines import Component, OrderLine
from models.orders import OrderRequest
from models.parties import Seller
from models.payments import BuyerPayment, PaidBy
from starter.demo.sample_data import CURRENCY, SHIPPING, Basket, Item, Person

ESTIMATED_SHIPPING = Decimal("6.00")


def line_of(item: Item, quantity: int) -> OrderLine:
    """Some units of an item at its price."""
    return OrderLine(
        sku=item.sku,
        title=item.title,
        quantity=quantity,
        unit_price=item.price,
        unit_cost=item.cost,
        core_charge=item.core_charge,
    )


def kit_of(sku: str, title: str, price: Decimal, parts: Basket) -> OrderLine:
    """One kit of these parts (ORD-14); the seller is charged what its parts cost."""
    components = tuple(
        Component(sku=item.sku, title=item.title, quantity=quantity, unit_cost=item.cost)
        for item, quantity in parts.items()
    )
    cost = sum((item.cost * quantity for item, quantity in parts.items()), Decimal(0))
    return OrderLine(sku=sku, title=title, quantity=1, unit_price=price, unit_cost=cost, components=components)


def paid_order(
    order_id: str, seller: Seller, buyer: Person, lines: Sequence[OrderLine], reference: str
) -> OrderRequest:
    """Paid at the seller's Stripe account, with shipping."""
    paid = sum((line.unit_price * line.quantity for line in lines), SHIPPING)
    payment = BuyerPayment(paid_by=PaidBy.STRIPE, reference=reference, amount=paid, currency=CURRENCY)
    return OrderRequest(
        order_id=order_id,
        seller_id=seller.seller_id,
        buyer=Buyer(email=buyer.email, address=buyer.address),
        lines=tuple(lines),
        payment=payment,
        shipping=SHIPPING,
        estimated_shipping=ESTIMATED_SHIPPING,
    )


def free_order(order_id: str, seller: Seller, buyer: Person, item: Item) -> OrderRequest:
    """A replacement that costs the buyer nothing (ORD-15)."""
    return OrderRequest(
        order_id=order_id,
        seller_id=seller.seller_id,
        buyer=Buyer(email=buyer.email, address=buyer.address),
        lines=(line_of(item, 1).model_copy(update={"unit_price": Decimal(0)}),),
        currency=CURRENCY,
        estimated_shipping=ESTIMATED_SHIPPING,
    )


def payment_reference(order_id: str) -> str:
    """The number of the payment that the buyer of a demo order made."""
    return f"pi_demo_{order_id}"
