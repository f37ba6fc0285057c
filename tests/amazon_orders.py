"""Orders of Amazon for tests: lines with Amazon's numbers, random ones for properties."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from models.money import smallest_unit
from models.orders import OrderRequest

ORDER = "111-1234567-1234567"
FIRST, SECOND = "12345678901234", "123456789012345"
ADDRESS = {"name": "Robin", "line1": "1 Main St", "city": "Reno", "postal_code": "89501", "country": "US"}


def line(line_id: str = FIRST, price: str = "10.00", quantity: int = 1, **more: Any) -> dict[str, Any]:
    told = {"line_id": line_id, "sku": "BRK-100", "title": "Brake", "quantity": quantity, "unit_price": price}
    return {**told, "unit_cost": "5.00", **more}


def order(*lines: dict[str, Any], currency: str = "USD", order_id: str = ORDER, **more: Any) -> OrderRequest:
    """Paid in full, whatever it costs."""
    amounts = ("shipping", "shipping_tax", "tax")
    paid = sum((Decimal(one["unit_price"]) * one["quantity"] for one in lines), Decimal(0))
    paid += sum((Decimal(one.get("tax", "0")) - Decimal(one.get("discount", "0")) for one in lines), Decimal(0))
    paid += sum((Decimal(more.get(name, "0")) for name in amounts), Decimal(0))
    paid -= Decimal(more.get("discount", "0")) + Decimal(more.get("shipping_discount", "0"))
    paid += sum((Decimal(one["amount"]) for one in more.get("adjustments", [])), Decimal(0))
    return OrderRequest.at_the_door(
        {
            "order_id": "1001",
            "seller_id": "acme",
            "channel": "amazon",
            "channel_order_id": order_id,
            "buyer": {"email": "robin@buyer.example", "address": ADDRESS},
            "lines": list(lines),
            "payment": {"paid_by": "marketplace", "amount": str(paid), "currency": currency, **more.pop("by", {})},
            **more,
        }
    )


@st.composite
def orders(draw: st.DrawFn) -> OrderRequest:
    """Several lines and kits, tax per line, on shipping and on the order, without what goes to a person."""
    currency = draw(st.sampled_from(["USD", "EUR", "JPY"]))
    unit = smallest_unit(currency)

    def amount(most: int) -> str:
        return str(draw(st.integers(0, most)) * unit)

    lines = []
    for number in range(draw(st.integers(1, 4))):
        one = line(f"1234567890{number:04}", amount(20_000), draw(st.integers(1, 5)), tax=amount(3_000))
        parts = draw(st.integers(0, 3))
        if parts > 1:
            costs = st.one_of(st.none(), st.integers(0, 900).map(lambda cents: f"{cents / 100:.2f}"))
            one["components"] = [
                {"sku": f"P{part}", "title": "P", "quantity": draw(st.integers(1, 3)), "unit_cost": draw(costs)}
                for part in range(parts)
            ]
        lines.append(one)
    return order(*lines, currency=currency, shipping=amount(2_000), shipping_tax=amount(300), tax=amount(1_000))
