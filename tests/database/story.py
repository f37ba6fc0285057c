"""What happens to an order, told to the database the way the procedures tell it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from sqlalchemy import Engine

from activities.database import ConnectionRegister, Database, Parties, Reading
from models.case import CaseRecord, SlaState, Step
from models.charges import ChargeRecord
from models.connections import BROKER, Connection
from models.ids import order_workflow_id, refund_workflow_id, return_workflow_id
from models.message import LineUnits
from models.orders import OrderRequest, ShipmentFact, SupplierOrder, SupplierOrderLine
from models.parties import Seller, Supplier
from models.partners import ChargeState
from models.records import (
    BookCreditMemo,
    Cessation,
    Confirmation,
    CreditMemoBooked,
    KeptReturn,
    LineQuantities,
    OpenedOrder,
    OpenOrder,
    OpenReturn,
    ReopenReturn,
    ReservedRefund,
    ReserveRefund,
    ReturnOpening,
    ReturnReopened,
    SaveOrder,
    SaveRefund,
    SaveReturn,
    SupplierOrderRecord,
)
from models.refunds import Direction, RefundRequest, RefundResult, RefundState
from models.returns import OpenedReturn, ReturnRequest

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def seller(**settings: Any) -> Seller:
    return Seller.model_validate(
        {"seller_id": "acme", "name": "Acme Parts", "email": "office@acme.example", **settings}
    )


def supplier(supplier_id: str) -> Supplier:
    return Supplier(
        supplier_id=supplier_id,
        name=f"Warehouse {supplier_id}",
        email=f"returns@{supplier_id}.example",
        return_address=f"{supplier_id}, Dock 4",
    )


def order_request(
    *lines: tuple[str, int, str],
    order_id: str = "1001",
    tax: str = "0",
    shipping: str = "0",
    discount: str = "0",
    currency: str = "USD",
    **more: Any,
) -> OrderRequest:
    """An order of lines `(sku, quantity, unit price)`, with SKUs as ids; the seller pays half of the price."""
    product = sum((Decimal(price) * quantity for _, quantity, price in lines), Decimal(0))
    total = product + Decimal(tax) + Decimal(shipping) - Decimal(discount)
    payment = {"paid_by": "stripe", "reference": f"pi_{order_id}", "amount": f"{total:f}", "currency": currency}
    return OrderRequest.model_validate(
        {
            "order_id": order_id,
            "seller_id": "acme",
            "buyer": {
                "email": "bo@buyer.example",
                "address": {
                    "name": "Bo Buyer",
                    "line1": "1 Elm",
                    "city": "Reno",
                    "postal_code": "89501",
                    "country": "US",
                },
            },
            "lines": [
                {
                    "line_id": sku,
                    "sku": sku,
                    "title": f"Item {sku}",
                    "quantity": quantity,
                    "unit_price": price,
                    "unit_cost": format((Decimal(price) / 2).quantize(Decimal(price)), "f"),
                }
                for sku, quantity, price in lines
            ],
            "payment": payment,
            "tax": tax,
            "shipping": shipping,
            "discount": discount,
            **more,
        }
    )


class Story:
    """The database and one order after another: `ordered`, `bought`, `shipped`, `returned`, `refunded`."""

    def __init__(self, engine: Engine) -> None:
        self.database = Database(engine)
        self.parties = Parties(engine)
        self.connections = ConnectionRegister(engine)
        self.reading = Reading(engine)
        self.told: dict[str, SaveOrder] = {}
        self.order_id = "1001"

    def with_parties(self) -> Self:
        """Beginning: the seller `acme`, the suppliers `north` and `south`."""
        self.parties.put_seller(seller())
        for supplier_id in ("north", "south"):
            self.parties.put_supplier(supplier(supplier_id))
        self.connected("broker-stripe", BROKER)
        self.connected("acme-stripe", "seller:acme")
        return self

    def connected(self, connection_id: str, owner: str, **more: object) -> None:
        """A payments connection with Stripe, the newest by now."""
        told = {"connection_id": connection_id, "kind": "payments", "provider": "stripe", "owner": owner, **more}
        self.connections.put([Connection.model_validate(told)])

    # ---- orders ----

    def ordered(
        self, *lines: tuple[str, int, str], run: str = "run-1", received_at: datetime = NOON, **more: Any
    ) -> OpenedOrder:
        """A new order; what is told next happens to it."""
        return self.order_request_opened(order_request(*lines, **more), run, received_at)

    def order_request_opened(
        self, request: OrderRequest, run: str = "run-1", received_at: datetime = NOON
    ) -> OpenedOrder:
        """This very order."""
        self.order_id = request.order_id
        self.told.setdefault(request.order_id, _nothing_happened(request))
        return self.database.open_order(
            OpenOrder(
                request=request,
                workflow_id=order_workflow_id(request.order_id),
                run_id=run,
                received_at=received_at,
            )
        )

    def charged(self, *captured: str, currency: str = "USD") -> None:
        """Once, or anew for a special order (ORD-8)."""
        charges = tuple(
            ChargeRecord(
                charge_id=f"CH-{self.order_id}-{number}",
                state=ChargeState.CAPTURED,
                amount=Decimal(amount),
                captured=Decimal(amount),
                currency=currency,
                gateway_reference=f"pi_charge_{self.order_id}" + (f"_{number}" if number > 1 else ""),
                connection_id="broker-stripe",
            )
            for number, amount in enumerate(captured, start=1)
        )
        self.save(charges=charges)

    def bought(self, supplier_id: str, **units: int) -> str:
        """The broker orders these units; gives the number of its order to the supplier."""
        return self.bought_lines(supplier_id, units)

    def bought_lines(self, supplier_id: str, units: dict[str, int], skus: dict[str, str] | None = None) -> str:
        """The same, of lines whose ids are not their SKUs."""
        known = self.told[self.order_id].supplier_orders or ()
        number = f"{self.order_id}-{len(known) + 1}"
        lines = tuple(
            SupplierOrderLine(
                line_id=line_id, sku=(skus or {}).get(line_id, line_id), quantity=count, unit_cost=Decimal(10)
            )
            for line_id, count in units.items()
        )
        order = SupplierOrder(number=number, supplier_id=supplier_id, warehouse_id=f"{supplier_id}-1", lines=lines)
        record = SupplierOrderRecord(order=order, state="accepted", at=NOON)
        self.save(supplier_orders=(*known, record))
        return number

    def shipped_lines(self, units: dict[str, int], skus: dict[str, str]) -> None:
        """A parcel of lines whose ids are not their SKUs."""
        self._ship(None, units, skus)

    def shipped(self, **units: int) -> None:
        """A parcel, without a word about the supplier order."""
        self._ship(None, units)

    def shipped_for(self, number: str, **units: int) -> None:
        """A parcel that names its supplier order."""
        self._ship(number, units)

    def _ship(self, number: str | None, units: dict[str, int], skus: dict[str, str] | None = None) -> None:
        state = self.told[self.order_id]
        known = state.shipments or ()
        shipment = ShipmentFact(
            shipment_id=f"S{len(known) + 1}",
            carrier="UPS",
            tracking_number=f"1Z{len(known) + 1}",
            lines=tuple(
                LineUnits(line_id=line_id, sku=(skus or {}).get(line_id, line_id), quantity=count)
                for line_id, count in units.items()
            ),
            at=NOON,
            supplier_order_number=number,
        )
        lines = tuple(
            line.model_copy(update={"shipped": line.shipped + units.get(line.line_id, 0)})
            for line in state.lines or ()
        )
        self.save(lines=lines, shipments=(*known, shipment))

    def delivered(self, *lines: tuple[str, int, str], **more: Any) -> None:
        """An order that `north` shipped whole, and that the seller paid 60.00 for."""
        self.ordered(*lines, **more)
        units = {sku: quantity for sku, quantity, _ in lines}
        self.charged("60.00")
        self.bought("north", **units)
        self.shipped(**units)

    def voided(self, **units: int) -> None:
        """Nobody had these units (ORD-7)."""
        lines = tuple(
            line.model_copy(update={"voided": line.voided + units.get(line.line_id, 0)})
            for line in self.told[self.order_id].lines or ()
        )
        self.save(lines=lines)

    def ceased(self, cessation: Cessation) -> None:
        self.save(cessations=(*(self.told[self.order_id].cessations or ()), cessation))

    def reaches(self, stage: str, *steps: str, first: int = 0, **more: Any) -> None:
        """The order writes down where it stands."""
        self.save(record=case_record(order_workflow_id(self.order_id), stage, *steps, first=first, **more))

    def save(self, **news: Any) -> None:
        self.told[self.order_id] = self.told[self.order_id].model_copy(update=news)
        self.database.save_order(self.told[self.order_id])

    # ---- returns ----

    def returning(self, return_id: str, **units: int) -> ReturnOpening:
        """Somebody asks to return units of the order."""
        return self.open_return(self.return_request(return_id, **units))

    def return_request(self, return_id: str, **units: int) -> ReturnRequest:
        lines = [{"sku": sku, "quantity": count, "reason": "does not fit"} for sku, count in units.items()]
        return ReturnRequest.model_validate({"return_id": return_id, "order_id": self.order_id, "lines": lines})

    def open_return(self, request: ReturnRequest, run: str = "run-1") -> ReturnOpening:
        return self.database.open_return(
            OpenReturn(
                request=request,
                workflow_id=return_workflow_id(request.return_id),
                run_id=run,
                created_at=NOON,
            )
        )

    def returned(self, return_id: str, **units: int) -> OpenedReturn:
        opened = self.returning(return_id, **units).opened
        assert opened is not None, "the return was refused"
        return opened

    def return_reaches(self, return_id: str, stage: str, *, ended: bool = False, **facts: Any) -> None:
        self.save_return(return_id, case_record(return_workflow_id(return_id), stage, ended=ended), **facts)

    def save_return(self, return_id: str, record: CaseRecord, **facts: Any) -> None:
        """All that is known of the return: what is not said is not so any more."""
        sections = {name: facts.pop(name, ()) for name in ("parcels", "receptions")}
        last = facts.pop("facts", None)
        kept = KeptReturn.model_validate(facts)
        self.database.save_return(
            SaveReturn(return_id=return_id, record=record, kept=kept, facts=last, **sections)
        )

    def credited(
        self, number: str, return_id: str, amount: str = "10.00", at: datetime = NOON, total: str | None = None
    ) -> CreditMemoBooked:
        memo = BookCreditMemo(
            supplier_id="north",
            number=number,
            return_id=return_id,
            date=date(2026, 3, 20),
            amount=Decimal(amount),
            currency="USD",
            total=Decimal(total) if total else None,
            actor="supplier:north",
            at=at,
        )
        return self.database.book_credit_memo(memo)

    # ---- refunds ----

    def refunding(
        self,
        refund_id: str,
        amount: str | None = None,
        run: str = "run-1",
        direction: Direction = Direction.SELLER_TO_BUYER,
        at: datetime = NOON,
        known_only: bool = False,
        confirmation: Confirmation | None = None,
        **more: Any,
    ) -> ReservedRefund:
        request = self.refund_request(refund_id, amount, direction=direction, **more)
        return self.database.reserve_refund(
            ReserveRefund(
                request=request,
                workflow_id=refund_workflow_id(refund_id),
                run_id=run,
                at=at,
                known_only=known_only,
                confirmation=confirmation,
            )
        )

    def refund_request(self, refund_id: str, amount: str | None, **more: Any) -> RefundRequest:
        return RefundRequest.model_validate(
            {
                "refund_id": refund_id,
                "order_id": self.order_id,
                "amount": amount,
                "currency": "USD",
                "reason": "goodwill",
                "requested_by": "seller:jane",
                **more,
            }
        )

    def outcome(self, refund_id: str, amount: str | None, **more: Any) -> RefundResult:
        return self.database.refund_outcome(self.refund_request(refund_id, amount, **more))

    def refund_reaches(
        self, refund_id: str, stage: str, state: RefundState | None, *, ended: bool = False, **more: Any
    ) -> None:
        """The refund writes down where it stands, and what became of its money."""
        record = case_record(refund_workflow_id(refund_id), stage, ended=ended)
        at = NOON + timedelta(hours=1)
        self.database.save_refund(SaveRefund(record=record, refund_id=refund_id, state=state, at=at, **more))

    def reopening(self, return_id: str, refund_id: str, run: str = "run-2") -> ReturnReopened:
        """A refund of the return failed after it had ended."""
        return self.database.reopen_return(ReopenReturn(return_id=return_id, refund_id=refund_id, run_id=run))

    def settled(self, refund_id: str, state: RefundState, gateway_refund_id: str | None = None) -> None:
        stage = "reserving" if state is RefundState.RESERVED else state.value
        self.refund_reaches(refund_id, stage, state, gateway_refund_id=gateway_refund_id)

    def left_for_buyer(self) -> Decimal:
        return self.reading.refunds_of("1001").buyer.left


def case_record(workflow_id: str, stage: str, *steps: str, first: int = 0, **more: Any) -> CaseRecord:
    told = tuple(
        Step(at=NOON + timedelta(minutes=number), what=what, who="backhaul")
        for number, what in enumerate(steps, start=first)
    )
    record = CaseRecord(
        workflow_id=workflow_id,
        run_id="run-1",
        stage=stage,
        seller_id="acme",
        order_id="1001",
        waiting_on=None,
        waiting_for=None,
        waiting_since=None,
        due_by=None,
        sla_state=SlaState.ON_TIME,
        ended=False,
        first_step=first,
        steps=told,
    )
    return record.model_copy(update=more)


def _nothing_happened(request: OrderRequest) -> SaveOrder:
    return SaveOrder(
        order_id=request.order_id,
        record=case_record(order_workflow_id(request.order_id), "cancel_window"),
        lines=tuple(
            LineQuantities(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in request.items
        ),
        charges=(),
        supplier_orders=(),
        shipments=(),
        cessations=(),
        cancel_until=NOON + timedelta(minutes=30),
        handoff_due=NOON + timedelta(minutes=60),
        handed_off_at=None,
    )
