"""The seller's shop: shipments announced to buyers, and its shipping list (docs/partner-api.md)."""

from typing import Any, Literal

from pydantic import NonNegativeInt

from models.message import LongText, Message, Number, Text
from models.orders import Box, Channel
from models.partners import ItemQuantity
from starter.sandbox.facts import PartnerName, ShipmentFact, ShippingFact, ShippingSeed
from starter.sandbox.json_partner import JsonPartner, body_of, refused
from starter.sandbox.store import Document, Store
from starter.sandbox.wire import Answer, Asked, Work


class ShipmentBody(Message):
    """`PUT .../shipments/{shipment_id}`."""

    channel: Channel
    channel_order_id: Number | None = None
    carrier: Text
    tracking_number: Number
    lines: tuple[ItemQuantity, ...]
    correction: NonNegativeInt = 0
    """How often its number was replaced (ORD-20)."""
    more_parcels: tuple[Box, ...] = ()


class ShippingListBody(Message):
    """`PUT .../shipping-list`."""

    channel: Channel
    channel_order_id: Number | None = None
    state: Literal["stopped"]
    reason: LongText


class StoredShipment(Document):
    """Its space is seller and order."""

    kind = "shipment"
    asked: ShipmentBody
    fact: ShipmentFact


class StoredListing(Document):
    """Where an order stands on the shipping list; its space is the seller."""

    kind = "shipping_list"
    fact: ShippingFact


class Shop(JsonPartner):
    """The shops of all sellers behind one address."""

    name = PartnerName.SHOP

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[tuple[str, str, Work]]:
        """Method, path, work."""
        order = "/v1/sellers/{seller_id}/orders/{order_id}"
        return [
            ("PUT", f"{order}/shipments/{{shipment_id:path}}", self.put_shipment),
            ("PUT", f"{order}/shipping-list", self.put_shipping_list),
            ("GET", "/v1/status", self.status),
        ]

    def status(self, asked: Asked) -> Answer:
        """Whoever asks is known here."""
        return Answer(200, {"state": "ok"})

    def put_shipment(self, asked: Asked) -> Answer:
        """The tracking number reaches the buyer (ORD-9); the same one again changes nothing."""
        body = body_of(asked, ShipmentBody)
        seller_id, order_id, shipment_id = (asked.parts[part] for part in ("seller_id", "order_id", "shipment_id"))
        known = self._store.get(StoredShipment, shipment_id, f"{seller_id}/{order_id}")
        if known is not None and (known.asked == body or known.asked.correction > body.correction):
            return Answer(200, _shipment_json(known))
        if known is not None and (known.asked.lines != body.lines or known.asked.correction == body.correction):
            raise refused(422, "number_taken", f"{shipment_id} is another shipment")
        listing = self._listing(seller_id, order_id)
        shipment = StoredShipment(
            id=shipment_id,
            space=f"{seller_id}/{order_id}",
            asked=body,
            fact=ShipmentFact(
                seller_id=seller_id,
                order_id=order_id,
                shipment_id=shipment_id,
                carrier=body.carrier,
                tracking_number=body.tracking_number,
                after_stop=listing is not None and listing.state == "stopped",
            ),
        )
        self._store.put(shipment)
        return Answer(201 if known is None else 200, _shipment_json(shipment), changed=True)

    def put_shipping_list(self, asked: Asked) -> Answer:
        """The order leaves the shipping list for ever (CAN-11), also when it was never on it."""
        body = body_of(asked, ShippingListBody)
        seller_id, order_id = asked.parts["seller_id"], asked.parts["order_id"]
        listing = self._listing(seller_id, order_id)
        if listing is not None and listing.state == "stopped":
            return Answer(200, {"state": "stopped"})
        self._keep(ShippingFact(seller_id=seller_id, order_id=order_id, state="stopped", reason=body.reason))
        return Answer(201 if listing is None else 200, {"state": "stopped"}, changed=True)

    # ---- seeds and facts ----

    def list_for_shipping(self, seed: ShippingSeed) -> ShippingFact:
        """Put an order on the shipping list. One that was stopped stays stopped."""
        listing = self._listing(seed.seller_id, seed.order_id)
        if listing is None:
            listing = ShippingFact(seller_id=seed.seller_id, order_id=seed.order_id, state="listed")
            self._keep(listing)
        return listing

    def listings(self) -> list[ShippingFact]:
        return [stored.fact for stored in self._store.find(StoredListing)]

    def shipments(self) -> list[ShipmentFact]:
        return [stored.fact for stored in self._store.find(StoredShipment)]

    def _listing(self, seller_id: str, order_id: str) -> ShippingFact | None:
        stored = self._store.get(StoredListing, order_id, seller_id)
        return stored.fact if stored else None

    def _keep(self, fact: ShippingFact) -> None:
        self._store.put(StoredListing(id=fact.order_id, space=fact.seller_id, fact=fact))


def _shipment_json(shipment: StoredShipment) -> dict[str, Any]:
    return {"shipment_id": shipment.id, "tracking_number": shipment.fact.tracking_number}
