"""Warehouses ship, and the seller's shop gets each tracking number (ORD-9, ORD-11)."""

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls
    from models.case import OrderStage as Stage
    from models.case import Who
    from models.failures import RefusedByRule
    from models.order_lines import OrderLines, items_of
    from models.orders import OrderRequest, Shipment, ShipmentFact
    from models.parties import Seller
    from models.partners import AnnounceTracking, Recipient
    from workflows.case import Case
    from workflows.standing import Reminder, reminders_after


class Shipping:
    """The shipments of one order: those that came, and those that the shop knows."""

    def __init__(self, case: Case, request: OrderRequest, lines: OrderLines) -> None:
        self._case = case
        self._request = request
        self._lines = lines
        self.announced: list[ShipmentFact] = []
        self._new: list[Shipment] = []

    @property
    def has_new(self) -> bool:
        return bool(self._new)

    def check(self, shipment: Shipment) -> None:
        """Raises RefusedByRule when the order has not so many open units."""
        if self._knows(shipment):
            return
        for line in shipment.lines:
            if not self._lines.ordered(line.sku):
                raise RefusedByRule("ORD-11", f"the order has no line {line.sku}")
            coming = sum(other.quantity for new in self._new for other in new.lines if other.sku == line.sku)
            left = self._lines.open_of(line.sku) - coming
            if line.quantity > left:
                raise RefusedByRule("ORD-11", f"{line.quantity} of {line.sku} can't ship, {left} are open")

    def note(self, shipment: Shipment) -> str:
        """Keep a shipment until its turn; the same `shipment_id` counts once."""
        if self._knows(shipment):
            return f"shipment {shipment.shipment_id} is known already; counted once"
        self._new.append(shipment)
        return f"shipment {shipment.shipment_id} left the warehouse"

    def _knows(self, shipment: Shipment) -> bool:
        known = {fact.shipment_id for fact in self.announced} | {new.shipment_id for new in self._new}
        return shipment.shipment_id in known

    def reject_leftovers(self, outcome: str) -> None:
        """Shipments that came before their turn, of an order that ended without it (CAN-11)."""
        for shipment in self._new:
            self._case.inbox.reject("shipment", f"the order is {outcome} (CAN-11)", shipment.event_id)
        self._new = []

    async def announce_next(self) -> None:
        """Tell the shop the tracking number of the next shipment; one that does not fit is set aside."""
        shipment = self._new.pop(0)
        try:
            self._lines.ship(shipment.lines)
        except ValueError as error:
            self._case.inbox.reject("shipment", f"{error} (ORD-11)", shipment.event_id)
            return
        fact = ShipmentFact(
            shipment_id=shipment.shipment_id,
            carrier=shipment.carrier,
            tracking_number=shipment.tracking_number,
            lines=shipment.lines,
            supplier_order_number=shipment.supplier_order_number,
            at=workflow.now(),
        )
        self.announced.append(fact)
        await self._case.ask(
            calls.ANNOUNCE_TRACKING,
            AnnounceTracking(
                order_id=self._request.order_id,
                seller_id=self._request.seller_id,
                channel=self._request.channel.value,
                channel_order_id=self._request.channel_order_id,
                shipment_id=fact.shipment_id,
                carrier=fact.carrier,
                tracking_number=fact.tracking_number,
                lines=fact.lines,
            ),
            stage=Stage.AWAITING_SHIPMENT,
            who=Who.SHOP,
            what="take the tracking number",
        )
        self._case.step(f"tracking number of shipment {fact.shipment_id} is with the shop", Who.SHOP)
        self._case.mail(
            f"shipped-{fact.shipment_id}",
            "order_shipped",
            Recipient.SELLER,
            carrier=fact.carrier,
            tracking_number=fact.tracking_number,
            items=items_of({line.sku: line.quantity for line in fact.lines}),
        )

    def reminders(self, placed: datetime, seller: Seller) -> list[Reminder]:
        """Staff are told when an order has not shipped for days."""
        return reminders_after(placed, seller.shipment_reminder_days, self._remind)

    def _remind(self, days: int) -> None:
        what = f"not shipped after {days} days: {items_of(self._lines.open)}"
        self._case.step(what)
        self._case.alert_staff(f"unshipped-{days}", what, Who.SUPPLIER)
