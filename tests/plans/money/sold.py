"""What is sold by chance, and by whom."""

import random
from decimal import Decimal
from functools import lru_cache
from typing import Final

from models.money import smallest_unit
from models.orders import OrderRequest
from models.parties import Seller
from tests.plans.money.book import ZERO

CURRENCIES: Final = ("USD", "JPY", "KWD")
"""With two digits after the point, none, and three."""
ADDRESS = {"name": "Bo", "line1": "1 Elm", "city": "Reno", "postal_code": "89501", "country": "US"}


def request_of(chance: random.Random, currency: str) -> OrderRequest:
    """One to three lines of any price, with tax, discount and shipping, for the lines and for the whole."""
    unit = smallest_unit(currency)

    def money(most: int) -> Decimal:
        return chance.randint(0, most) * unit

    lines, paid = [], ZERO
    for sku in "ABC"[: chance.randint(1, 3)]:
        quantity, price, tax = chance.randint(1, 4), money(9_999) + unit, money(300)
        discount = min(money(500), price * quantity)
        paid += price * quantity + tax - discount
        cost = max(price / 2 // unit * unit, unit)
        said = {"sku": sku, "line_id": sku, "title": sku, "quantity": quantity, "unit_cost": f"{cost:f}"}
        lines.append(said | {"unit_price": f"{price:f}", "tax": f"{tax:f}", "discount": f"{discount:f}"})
    tax, shipping, rounding = money(500), money(900), money(9)
    discount = min(money(700), paid)
    paid += tax + shipping - discount + rounding
    whole = {"tax": tax, "shipping": shipping, "discount": discount, "estimated_shipping": money(700)}
    return OrderRequest.model_validate(
        {
            "order_id": "1001",
            "seller_id": "acme",
            "buyer": {"email": "bo@buyer.example", "address": ADDRESS},
            "lines": lines,
            "payment": {"paid_by": "stripe", "reference": "pi_b", "amount": f"{paid:f}", "currency": currency},
            "adjustments": [{"kind": "rounding", "amount": f"{rounding:f}"}] if rounding else [],
            **{name: f"{amount:f}" for name, amount in whole.items()},
        }
    )


@lru_cache(maxsize=16)
def seller_of(auto_refund: bool, automatic: bool, at_once: bool) -> Seller:
    return Seller.model_validate(
        {
            "seller_id": "acme",
            "name": "Acme",
            "email": "office@acme.example",
            "payment_method": "pm_1",
            "auto_refund_buyer": auto_refund,
            "auto_release": automatic,
            "minimum_stock": 3,
            "replacement_sent": "at_once" if at_once else "when_received",
        }
    )
