"""Orders as shop platforms write them, translated field by field: taken, each line worth what it was (ORD-13..21).

The orders are made up by hand in the documented shapes of Shopify's, WooCommerce's and Magento's order JSON.
"""

from decimal import ROUND_UP, Decimal
from typing import Any

from models.orders import OrderRequest, share_out

Platform = dict[str, Any]


def worth(request: OrderRequest) -> dict[str, tuple[Decimal, Decimal]]:
    """Goods and shipping of each line."""
    return {share.line_id: (share.paid_goods, share.paid_shipping) for share in share_out(request)}


def money(goods: str, shipping: str) -> tuple[Decimal, Decimal]:
    return Decimal(goods), Decimal(shipping)


def per_unit(total: str, quantity: int, discount: Decimal) -> dict[str, str]:
    """Of a shop that keeps the line's total, as docs/orders.md says: a unit price of whole cents that is enough
    for it, and what that is too much as discount."""
    each = (Decimal(total) / quantity).quantize(Decimal("0.01"), ROUND_UP)
    return {"unit_price": f"{each}", "discount": f"{each * quantity - Decimal(total) + discount}"}


# ---- Shopify: one item in two lines, a discount on the second, HKD, no postal code, a bank transfer ----

SHOPIFY: Platform = {
    "id": 450789469,
    "name": "#1071",
    "email": "",
    "customer_locale": "zh-TW",
    "currency": "HKD",
    "total_price": "1129.00",
    "payment_gateway_names": ["Bank Deposit"],
    "line_items": [
        {
            "id": 11,
            "sku": "PAD-1",
            "title": "Brake pad",
            "quantity": 1,
            "price": "500.00",
            "discount_allocations": [],
        },
        {
            "id": 12,
            "sku": "PAD-1",
            "title": "Brake pad",
            "quantity": 1,
            "price": "500.00",
            "discount_allocations": [{"amount": "50.00"}],
        },
        {
            "id": 13,
            "sku": "OIL-5",
            "title": "Oil 5 l",
            "quantity": 2,
            "price": "60.00",
            "discount_allocations": [],
        },
    ],
    "shipping_lines": [{"price": "59.00", "discount_allocations": []}],
    "shipping_address": {
        "name": "Chan Tai Man",
        "company": "",
        "address1": "Flat 5, 12/F, Nathan Road 100",
        "address2": "",
        "city": "Kowloon",
        "province": "",
        "zip": "",
        "country_code": "HK",
        "phone": "+852 5555 0100",
        "latitude": None,
        "longitude": None,
    },
}


def from_shopify(order: Platform) -> OrderRequest:
    ship = order["shipping_address"]
    return OrderRequest.at_the_door(
        {
            "order_id": f"shopify-{order['id']}",
            "seller_id": "acme",
            "channel_order_id": order["name"],
            "buyer": {
                "email": order["email"],
                "language": order["customer_locale"],
                "address": {
                    "name": ship["name"],
                    "company": ship["company"],
                    "line1": ship["address1"],
                    "line2": ship["address2"],
                    "city": ship["city"],
                    "region": ship["province"],
                    "postal_code": ship["zip"],
                    "country": ship["country_code"],
                    "phone": ship["phone"],
                    "latitude": ship["latitude"],
                    "longitude": ship["longitude"],
                },
            },
            "lines": [
                {
                    "line_id": str(item["id"]),
                    "sku": item["sku"],
                    "title": item["title"],
                    "quantity": item["quantity"],
                    "unit_price": item["price"],
                    "unit_cost": "30.00",
                    "discount": f"{sum(Decimal(one['amount']) for one in item['discount_allocations'])}",
                }
                for item in order["line_items"]
            ],
            "shipping": order["shipping_lines"][0]["price"],
            "payment": {"paid_by": "bank_transfer", "amount": order["total_price"], "currency": order["currency"]},
        }
    )


def test_ORD_13_a_shopify_order_with_one_item_in_two_lines_is_taken() -> None:
    request = from_shopify(SHOPIFY)
    assert (request.channel_order_id, request.buyer.email, request.buyer.language) == ("#1071", None, "zh")
    assert {line_id: goods for line_id, (goods, _) in worth(request).items()} == {
        "11": Decimal("500.00"),
        "12": Decimal("450.00"),
        "13": Decimal("120.00"),
    }
    assert sum(goods + shipping for goods, shipping in worth(request).values()) == Decimal("1129.00")


# ---- WooCommerce: tax per line and on shipping, a coupon per line, a fee, two meta lines empty ----

WOOCOMMERCE: Platform = {
    "number": "727",
    "currency": "EUR",
    "total": "158.22",
    "payment_method": "paypal",
    "transaction_id": "9AB12345CD678901E",
    "billing": {
        "email": "a..b.@mail.example",
        "phone": "",
        "first_name": "Jörg",
        "last_name": "Müller",
        "company": "",
        "address_1": "Postfach 7",
        "address_2": "",
        "city": "Wien",
        "state": "",
        "postcode": "1011",
        "country": "AT",
    },
    "shipping": {
        "first_name": "Jörg",
        "last_name": "Müller",
        "company": "Müller KG",
        "address_1": "Hauptstr. 5",
        "address_2": "Hinterhaus",
        "city": "Wien",
        "state": "",
        "postcode": "1010",
        "country": "AT",
    },
    "line_items": [
        {
            "id": 315,
            "product_id": 93,
            "sku": "A-1",
            "name": "Disc",
            "quantity": 2,
            "subtotal": "100.00",
            "total": "90.00",
            "total_tax": "18.00",
        },
        {
            "id": 316,
            "product_id": 94,
            "sku": "B-1",
            "name": "Book",
            "quantity": 1,
            "subtotal": "30.00",
            "total": "27.00",
            "total_tax": "2.70",
        },
    ],
    "shipping_lines": [{"total": "15.00", "total_tax": "3.00"}],
    "fee_lines": [{"name": "Payment fee", "total": "2.10", "total_tax": "0.42"}],
}


def from_woocommerce(order: Platform) -> OrderRequest:
    ship = order["shipping"] if order["shipping"]["address_1"] else order["billing"]
    fees = sum(Decimal(fee["total"]) + Decimal(fee["total_tax"]) for fee in order["fee_lines"])
    return OrderRequest.at_the_door(
        {
            "order_id": f"woo-{order['number']}",
            "seller_id": "acme",
            "channel_order_id": order["number"],
            "buyer": {
                "email": order["billing"]["email"],
                "language": "de_AT",
                "address": {
                    "name": f"{ship['first_name']} {ship['last_name']}",
                    "company": ship["company"],
                    "line1": ship["address_1"],
                    "line2": ship["address_2"],
                    "city": ship["city"],
                    "region": ship["state"],
                    "postal_code": ship["postcode"],
                    "country": ship["country"],
                    "phone": order["billing"]["phone"],
                },
            },
            "lines": [
                {
                    "line_id": str(item["id"]),
                    "sku": item["sku"] or f"woo-{item['product_id']}",
                    "title": item["name"],
                    "quantity": item["quantity"],
                    **per_unit(
                        item["subtotal"], item["quantity"], Decimal(item["subtotal"]) - Decimal(item["total"])
                    ),
                    "unit_cost": "20.00",
                    "tax": item["total_tax"],
                }
                for item in order["line_items"]
            ],
            "shipping": order["shipping_lines"][0]["total"],
            "shipping_tax": order["shipping_lines"][0]["total_tax"],
            "adjustments": [{"kind": "fee", "amount": f"{fees}", "note": "Payment fee"}],
            "payment": {
                "paid_by": "paypal",
                "reference": order["transaction_id"],
                "amount": order["total"],
                "currency": order["currency"],
            },
        }
    )


def test_ORD_16_a_woocommerce_order_with_tax_and_coupon_per_line_is_taken() -> None:
    request = from_woocommerce(WOOCOMMERCE)
    assert worth(request) == {"315": money("108.00", "13.85"), "316": money("29.70", "4.15")}
    assert (request.buyer.language, request.buyer.address.phone, request.buyer.address.company) == (
        "de",
        None,
        "Müller KG",
    )


# ---- Magento: a bundle with children, shipping discount, gift card and store credit beside the gateway ----

MAGENTO: Platform = {
    "increment_id": "000000123",
    "order_currency_code": "USD",
    "grand_total": "60.00",
    "gift_cards_amount": "40.00",
    "customer_email": "guest@pos.local",
    "payment": {"method": "stripe_payments", "last_trans_id": "pi_3Mag"},
    "shipping_amount": "12.00",
    "shipping_discount_amount": "12.00",
    "shipping_tax_amount": "0.00",
    "items": [
        {
            "item_id": 1,
            "product_type": "bundle",
            "sku": "BRAKE-KIT",
            "name": "Brake kit",
            "qty_ordered": "1.0000",
            "price": "100.0000",
            "row_total": "100.0000",
            "tax_amount": "0.0000",
            "discount_amount": "0.00",
            "children": [
                {"sku": "PAD-1", "name": "Pad", "qty": 2, "cost": "10.00"},
                {"sku": "DISC-1", "name": "Disc", "qty": 1, "cost": "30.00"},
            ],
        }
    ],
    "shipping_address": {
        "firstname": "Robin",
        "lastname": "Buyer",
        "company": None,
        "street": ["12 River Road", "Apt 4", "Backyard"],
        "city": "Sacramento",
        "region_code": "CA",
        "postcode": "95814",
        "country_id": "US",
        "telephone": "555-0100",
    },
}


def from_magento(order: Platform) -> OrderRequest:
    ship, currency = order["shipping_address"], order["order_currency_code"]
    return OrderRequest.at_the_door(
        {
            "order_id": f"magento-{order['increment_id']}",
            "seller_id": "acme",
            "channel_order_id": order["increment_id"],
            "buyer": {
                "email": order["customer_email"],
                "language": None,
                "address": {
                    "name": f"{ship['firstname']} {ship['lastname']}",
                    "company": ship["company"],
                    **{f"line{number}": line for number, line in enumerate(ship["street"], start=1)},
                    "city": ship["city"],
                    "region": ship["region_code"],
                    "postal_code": ship["postcode"],
                    "country": ship["country_id"],
                    "phone": ship["telephone"],
                },
            },
            "lines": [
                {
                    "line_id": str(item["item_id"]),
                    "sku": item["sku"],
                    "title": item["name"],
                    "quantity": int(Decimal(item["qty_ordered"])),
                    **per_unit(
                        item["row_total"], int(Decimal(item["qty_ordered"])), Decimal(item["discount_amount"])
                    ),
                    "unit_cost": "50.00",
                    "tax": item["tax_amount"],
                    "components": [
                        {"sku": one["sku"], "title": one["name"], "quantity": one["qty"], "unit_cost": one["cost"]}
                        for one in item["children"]
                    ],
                }
                for item in order["items"]
            ],
            "shipping": order["shipping_amount"],
            "shipping_tax": order["shipping_tax_amount"],
            "shipping_discount": order["shipping_discount_amount"],
            "payments": [
                {"paid_by": "gift_card", "amount": order["gift_cards_amount"], "currency": currency},
                {
                    "paid_by": "stripe",
                    "reference": order["payment"]["last_trans_id"],
                    "amount": order["grand_total"],
                    "currency": currency,
                },
            ],
        }
    )


def test_ORD_14_a_magento_order_of_a_bundle_paid_by_gift_card_and_card_is_taken() -> None:
    request = from_magento(MAGENTO)
    assert request.paid == Decimal("100.00")
    assert worth(request) == {"1.1": money("40.00", "0.00"), "1.2": money("60.00", "0.00")}
    assert [(item.sku, item.quantity) for item in request.items] == [("PAD-1", 2), ("DISC-1", 1)]
    address = request.buyer.address
    assert (address.line2, address.line3, address.phone) == ("Apt 4", "Backyard", "555-0100")


def test_ORD_16_a_total_that_does_not_divide_by_its_units_is_said_to_the_cent() -> None:
    three = WOOCOMMERCE["line_items"][0] | {
        "quantity": 3,
        "subtotal": "10.00",
        "total": "10.00",
        "total_tax": "2.00",
    }
    request = from_woocommerce(WOOCOMMERCE | {"line_items": [three], "total": "32.52"})
    assert (request.lines[0].unit_price, request.lines[0].discount) == (Decimal("3.34"), Decimal("0.02"))
    assert worth(request) == {"315": money("12.00", "18.00")}


def test_ORD_16_a_unit_price_of_four_decimals_is_what_its_line_cost() -> None:
    pads = MAGENTO["items"][0] | {"qty_ordered": "3.0000", "price": "33.3333", "children": []}
    request = from_magento(MAGENTO | {"items": [pads | {"discount_amount": "10.0000"}], "grand_total": "50.0000"})
    assert request.lines[0].quantity == 3
    assert worth(request) == {"1": money("90.00", "0.00")}


def test_ORD_13_a_line_without_an_item_code_goes_by_the_shops_product() -> None:
    disc, book = WOOCOMMERCE["line_items"]
    request = from_woocommerce(WOOCOMMERCE | {"line_items": [disc, book | {"sku": ""}]})
    assert [line.sku for line in request.lines] == ["A-1", "woo-94"]


def test_ORD_21_without_an_address_to_ship_to_the_one_of_the_bill_counts() -> None:
    request = from_woocommerce(WOOCOMMERCE | {"shipping": dict.fromkeys(WOOCOMMERCE["shipping"], "")})
    assert request.buyer.address.line1 == "Postfach 7"
