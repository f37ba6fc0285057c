"""The audit of goods: supplier orders, units, parcels, and what never may be sent."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from starter.sandbox.facts import PartnerName
from tests.chaos.audit_facts import Facts, Violation, doubled, has_ended, stage_of


class GoodsAudit:
    """Each unit is bought and shipped once, or not at all."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def violations(self) -> Iterator[Violation]:
        yield from self._each_supplier_order_once()
        yield from self._every_unit_is_bought_once()
        yield from self._never_cancelled_and_sent()
        yield from self._each_tracking_number_once()
        yield from self._nothing_is_done_twice_at_a_partner()

    def _each_supplier_order_once(self) -> Iterator[Violation]:
        sent = self._facts.effects.supplier_orders
        for number in doubled(sent, lambda one: one.number):
            yield Violation("supplier order twice", number)
        at_supplier = {one.number: one for one in sent}
        for view in self._facts.seen.orders:
            for bought in view.supplier_orders:
                order = at_supplier.pop(bought.number, None)
                if bought.state != "accepted":
                    if order is not None:
                        yield Violation("supplier order differs", bought.number, f"{bought.state}, accepted")
                elif order is None:
                    yield Violation("supplier order missing at the supplier", bought.number)
                elif bought.items != {line["sku"]: line["quantity"] for line in order.lines}:
                    yield Violation("supplier order differs", bought.number, "other units")
        for number in at_supplier:
            yield Violation("supplier order missing in the books", number)

    def _every_unit_is_bought_once(self) -> Iterator[Violation]:
        for view in self._facts.seen.orders:
            if not has_ended(view):
                continue
            bought: Counter[str] = Counter()
            for order in view.supplier_orders:
                if order.state == "accepted":
                    bought.update(order.items)
                    bought.subtract(order.short)  # what it can't deliver after all (ORD-19)
            for line in view.lines:
                wanted = line.quantity - line.cancelled - line.voided - line.moved
                if bought[line.sku] != wanted or line.shipped != wanted:
                    detail = f"{wanted} wanted, {bought[line.sku]} bought, {line.shipped} shipped"
                    yield Violation("units differ", f"{view.listed.order_id}, {line.sku}", detail)

    def _never_cancelled_and_sent(self) -> Iterator[Violation]:
        sent = {one.number.rpartition("-")[0] for one in self._facts.effects.supplier_orders}
        shipped = {one.order_id for one in self._facts.effects.shipments}
        stopped = {one.order_id for one in self._facts.effects.stops}
        for view in self._facts.seen.orders:
            order_id = view.listed.order_id
            ended = stage_of(view)
            if ended == "cancelled" and order_id in sent | shipped:
                yield Violation("cancelled and sent", order_id)
            if ended == "cancelled" and order_id not in stopped and view.split_from is None:
                yield Violation("cancelled and not stopped", order_id)
            if ended == "shipped" and order_id in stopped:
                yield Violation("shipped and stopped", order_id)

    def _each_tracking_number_once(self) -> Iterator[Violation]:
        told = self._facts.effects.shipments
        for order_id, shipment_id in doubled(told, lambda one: (one.order_id, one.shipment_id)):
            yield Violation("tracking number twice", f"{order_id}, {shipment_id}")
        at_shop = {(one.order_id, one.shipment_id): (one.carrier, one.tracking_number) for one in told}
        for view in self._facts.seen.orders:
            for parcel in view.shipments:
                key = (view.listed.order_id, parcel.shipment_id)
                announced = at_shop.pop(key, None)
                if announced is None and has_ended(view):
                    yield Violation("tracking number missing at the shop", ", ".join(key))
                elif announced is not None and announced != (parcel.carrier, parcel.tracking_number):
                    yield Violation("tracking number differs", ", ".join(key))
        for order_id, shipment_id in at_shop:
            yield Violation("tracking number missing in the books", f"{order_id}, {shipment_id}")

    def _nothing_is_done_twice_at_a_partner(self) -> Iterator[Violation]:
        """By the partners' own record of what changed something: one PUT that changes something per path, and per
        correction of a parcel's number (ORD-20)."""
        changed = [
            f"{record.method} {record.path}{_correction_in(record.body)}"
            for record in self._facts.seen.requests
            if record.work_done and record.method == "PUT" and record.partner is not PartnerName.GATEWAY
        ]
        for what in doubled(changed, lambda one: one):
            yield Violation("done twice at a partner", what)


def _correction_in(body: Any) -> str:
    """A parcel's new number is told under the same path."""
    correction = body.get("correction") if isinstance(body, dict) else None
    return f", correction {correction}" if correction else ""
