"""The scene of the demo: sellers with different settings, suppliers at real places, items, stock, buyers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import Engine

from activities.connectors.secret_reference import read_secret
from activities.database import ConnectionRegister, Parties
from models.buyers import Address
from models.connections import Connection, of_seller
from models.message import Message
from models.parties import Fulfilment, RmaMethod, Seller, Supplier
from starter.ops.local_connections import STRIPE, of_a_seller
from starter.sandbox import SandboxClient
from starter.sandbox.facts import RmaPolicy, StockSeed, SupplierSeed, WebhookSeed

NORTHWIND: Final = Seller(
    seller_id="northwind",
    name="Northwind Auto Parts",
    email="returns@northwind.example",
    payment_method="pm_card_visa",
    gateway_customer="cus_northwind",
)
"""All settings as they come: orders go by themselves, a person clicks each refund of a buyer."""

PRAIRIE: Final = Seller(
    seller_id="prairie",
    name="Prairie Suspension Supply",
    email="office@prairie.example",
    time_zone="America/Chicago",
    payment_method="pm_card_mastercard",
    gateway_customer="cus_prairie",
    auto_refund_buyer=True,
)
"""Buyers are refunded without a click, from an account of its own at the gateway (REF-1)."""

LAKESIDE: Final = Seller(
    seller_id="lakeside",
    name="Lakeside Motor Spares",
    email="desk@lakeside.example",
    payment_method="pm_card_visa",
    gateway_customer="cus_lakeside",
    auto_release=False,
    minimum_stock=5,
)
"""Releases each order by a click, and counts fewer than five in stock as none (ORD-2, ORD-5)."""

BAYOU: Final = Seller(
    seller_id="bayou",
    name="Bayou Brake & Clutch",
    email="accounts@bayou.example",
    payment_method="pm_card_visa_chargeDeclined",
    gateway_customer="cus_bayou",
)
"""Its card on file is declined (ORD-3)."""

NEULAND: Final = Seller(
    seller_id="neuland",
    name="Neuland Autoteile",
    email="buero@neuland.example",
    language="de",
    time_zone="Europe/Berlin",
    payment_method="pm_card_visa",
    gateway_customer="cus_neuland",
    tracking_days=21,
    reopen_days=14,
)
"""Reads its mails in German, with dates in its own time; its buyers have three weeks to send a return, and two
more to reopen it."""

SUMMIT: Final = Seller(
    seller_id="summit",
    name="Summit Truck Parts",
    email="desk@summit.example",
    payment_method="pm_card_visa",
    gateway_customer="cus_summit",
)
"""Sells at Amazon, where its refunds wait in the queue (AMZ-5)."""

ACCOUNTS: Final = {PRAIRIE.seller_id: "acct_prairie", NORTHWIND.seller_id: "acct_northwind"}
"""The accounts of sellers at the gateway; the others use that of the key."""

AT_AMAZON: Final = "summit-amazon-na"
"""The connection of Summit's account."""

SELLERS: Final = (NORTHWIND, PRAIRIE, LAKESIDE, BAYOU, NEULAND, SUMMIT)

CASCADE: Final = Supplier(
    supplier_id="cascade",
    name="Cascade Parts Warehouse",
    email="returns@cascade.example",
    rma=RmaMethod.SERVICE,
    return_address="Cascade Parts Warehouse, Returns, 4750 Longley Lane, Reno NV 89502",
)
KEYSTONE: Final = Supplier(
    supplier_id="keystone",
    name="Keystone Chassis Works",
    email="rma@keystone.example",
    time_zone="America/New_York",
    rma=RmaMethod.EMAIL,
    return_address="Keystone Chassis Works, Dock 7, 200 Commerce Drive, Reading PA 19601",
)
LONE_STAR: Final = Supplier(
    supplier_id="lone-star",
    name="Lone Star Filters",
    email="dock@lonestar.example",
    fulfilment=Fulfilment.DIRECT,
    rma=RmaMethod.NONE,
    return_address="Lone Star Filters, 1800 Irving Boulevard, Dallas TX 75207",
)
TOLEDO: Final = Supplier(
    supplier_id="toledo",
    name="Toledo Remanufacturing",
    email="cores@toledo.example",
    rma=RmaMethod.MANUAL,
    return_address="Toledo Remanufacturing, Core Returns, 900 Matzinger Road, Toledo OH 43612",
)
HARBOR: Final = Supplier(
    supplier_id="harbor",
    name="Harbor Import Parts",
    email="sales@harbor.example",
    rma=RmaMethod.SERVICE,
    return_address="Harbor Import Parts, 2100 West Anaheim Street, Long Beach CA 90813",
)
SUPPLIERS: Final = (CASCADE, KEYSTONE, LONE_STAR, TOLEDO, HARBOR)

_POLICIES: Final = {
    RmaMethod.NONE: RmaPolicy.NONE,
    RmaMethod.SERVICE: RmaPolicy.SERVICE,
    RmaMethod.EMAIL: RmaPolicy.EMAIL,
    RmaMethod.MANUAL: RmaPolicy.MANUAL,
}

CURRENCY: Final = "USD"
SHIPPING: Final = Decimal("8.50")
"""What each buyer of the demo pays for shipping."""

RENO: Final = (39.53, -119.81)
READING: Final = (40.34, -75.93)
DALLAS: Final = (32.78, -96.80)
TOLEDO_OHIO: Final = (41.65, -83.54)
LONG_BEACH: Final = (33.77, -118.19)


@dataclass(frozen=True)
class Item:
    """A part: what the buyer pays for one, what the broker charges the seller for one, in USD."""

    sku: str
    title: str
    price: Decimal
    cost: Decimal
    core_charge: Decimal | None = None


BRAKE_PADS: Final = Item("BRK-2210", "Ceramic brake pads, front", Decimal("64.90"), Decimal("41.20"))
SHOCK: Final = Item("SHK-5540", "Shock absorber, rear", Decimal("72.00"), Decimal("47.30"))
FILTER: Final = Item("FLT-1120", "Cabin air filter", Decimal("18.40"), Decimal("9.90"))
ALTERNATOR: Final = Item(
    "ALT-0874", "Remanufactured alternator, 130 A", Decimal("189.00"), Decimal("128.40"), Decimal("40.00")
)
SENSOR: Final = Item("SNS-4401", "Oxygen sensor, upstream", Decimal("49.95"), Decimal("29.80"))
HEADLIGHT: Final = Item("HDL-9902", "Headlight assembly, model year 1998", Decimal("118.00"), Decimal("84.00"))

MIRROR: Final = Item("MIR-3307", "Door mirror, left, heated", Decimal("96.00"), Decimal("61.50"))

SENSOR_ELSEWHERE: Final = Decimal("38.60")
"""What the wider network asks for a sensor: more than the seller pays (ORD-6)."""


def _stock(
    supplier: Supplier,
    warehouse: str,
    item: Item,
    quantity: int,
    at: tuple[float, float],
    *,
    cost: Decimal | None = None,
    second_source: bool = False,
) -> StockSeed:
    return StockSeed(
        supplier_id=supplier.supplier_id,
        warehouse_id=f"{supplier.supplier_id}-{warehouse}",
        sku=item.sku,
        quantity=quantity,
        unit_cost=cost or item.cost,
        latitude=at[0],
        longitude=at[1],
        second_source=second_source,
    )


STOCK: Final = (
    _stock(CASCADE, "reno", BRAKE_PADS, 400, RENO),
    _stock(KEYSTONE, "reading", BRAKE_PADS, 250, READING),
    _stock(KEYSTONE, "reading", SHOCK, 300, READING),
    _stock(LONE_STAR, "dallas", FILTER, 900, DALLAS),
    _stock(TOLEDO, "toledo", ALTERNATOR, 60, TOLEDO_OHIO),
    _stock(CASCADE, "reno", SENSOR, 1, RENO),
    _stock(HARBOR, "long-beach", SENSOR, 80, LONG_BEACH, cost=SENSOR_ELSEWHERE, second_source=True),
)
"""One sensor at Reno counts as none (ORD-5); nobody has the headlight, and nobody has the mirror yet."""

MIRRORS: Final = _stock(KEYSTONE, "reading", MIRROR, 20, READING)
"""Which arrive while a buyer waits for one (ORD-8)."""


class Person(Message):
    """A buyer."""

    email: str
    address: Address


def _person(name: str, line1: str, environment: str, at: tuple[float, float]) -> Person:
    city, region, postal_code = environment.split(", ")
    return Person(
        email=f"{name.lower().replace(' ', '.')}@buyer.example",
        address=Address(
            name=name,
            line1=line1,
            city=city,
            region=region,
            postal_code=postal_code,
            country="US",
            latitude=at[0],
            longitude=at[1],
        ),
    )


IN_SACRAMENTO: Final = _person("Robin Hale", "12 River Road", "Sacramento, CA, 95814", (38.58, -121.49))
IN_BOSTON: Final = _person("Maeve Doyle", "88 Beacon Street", "Boston, MA, 02108", (42.36, -71.06))
IN_AUSTIN: Final = _person("Luis Ortega", "301 Congress Avenue", "Austin, TX, 78701", (30.27, -97.74))
IN_DENVER: Final = _person("Priya Nair", "1550 Larimer Street", "Denver, CO, 80202", (39.75, -105.00))
IN_CHICAGO: Final = _person("Sam Kowalski", "233 South Wacker Drive", "Chicago, IL, 60606", (41.88, -87.63))


async def load_sample_data(books: Engine, sandbox: SandboxClient, front_url: str) -> None:
    """Put sellers and suppliers into the books, suppliers and full shelves into the sandbox; twice is fine. The
    gateway tells of the refunds of each account by itself, at `front_url`."""

    def write_parties() -> list[Connection]:
        parties = Parties(books)
        for seller in SELLERS:
            parties.put_seller(seller)
        for supplier in SUPPLIERS:
            parties.put_supplier(supplier)
        connections = ConnectionRegister(books)
        gateway = connections.get(STRIPE)
        own = [of_a_seller(gateway, one.seller_id, ACCOUNTS.get(one.seller_id)) for one in SELLERS]
        connections.put([*own, _at_amazon(gateway)])
        return own

    for connection in await asyncio.to_thread(write_parties):
        if connection.account is not None:
            secrets = tuple(read_secret(one).get_secret_value() for one in connection.webhook_secrets)
            url = f"{front_url}/webhooks/{connection.connection_id}"
            await sandbox.tell_webhooks(WebhookSeed(account=connection.account, url=url, secrets=secrets))
    for supplier in SUPPLIERS:
        await sandbox.put_supplier(supplier.supplier_id, SupplierSeed(rma=_POLICIES[supplier.rma]))
    await sandbox.put_stock(*STOCK)


def _at_amazon(gateway: Connection) -> Connection:
    """Summit's account, at the Amazon that the same sandbox plays."""
    url = str(gateway.base_url).removesuffix("stripe") + "amazon"
    return Connection.model_validate(
        {
            "connection_id": AT_AMAZON,
            "kind": "channel",
            "provider": "amazon",
            "owner": of_seller(SUMMIT.seller_id),
            "account": "A2SUMMITPARTS1",
            "base_url": url,
            "secret": gateway.secret,
            "options": {
                "region": "na",
                "marketplaces": "US",
                "client_id": "amzn1.application-oa2-client.summit",
                "client_secret": gateway.secret,
                "token_url": f"{url}/auth/o2/token",
                "queue": "true",
            },
        }
    )


Basket = Mapping[Item, int]
"""What a buyer orders, or sends back: how many of which item."""


def cost_of(basket: Basket) -> Decimal:
    """What the broker charges the seller for the goods, in USD."""
    return sum((item.cost * quantity for item, quantity in basket.items()), Decimal(0))
