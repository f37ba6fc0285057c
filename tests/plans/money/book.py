"""The books of a sale in memory: the pure rules of money and the ledger's own postings, without a database.

What `activities/database` does with rows is done here with the same functions on plain records: shares, splits,
the cap, what is movable, and every entry (`models/ledger.py`). An act that is done again gives the same answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from activities.database.ledger import Net, net_of
from models.charges import ChargeRecord
from models.gateway_limits import movable, require_movable
from models.ledger import (
    ClaimCredited,
    Entry,
    PaymentMoved,
    RefundMoved,
    ReviewCredited,
    charge_entries,
    charge_movement,
    claim_entries,
    cost_review_entries,
    credit_memo_entries,
    payment_entries,
    refund_entries,
)
from models.money import share_of_units, to_minor_units
from models.orders import OrderRequest, share_out
from models.partners import ChargeState
from models.payments import PaidBy
from models.records import BookCreditMemo, Opening, ReservedRefund
from models.refunds import COUNTS_AGAINST_CAP, Direction, RefundRequest, RefundState, Way, check_cap
from models.shares import LineShare
from models.splits import Kept, OrderSplit, SplitOrder, payment_parts, request_of, worth_moved

ZERO = Decimal(0)
SELLER = "acme"
BUYER_GETS = Direction.SELLER_TO_BUYER
SELLER_GETS = Direction.BROKER_TO_SELLER


@dataclass
class Sold:
    """An order: its request, the shares of its lines, and what was split off."""

    request: OrderRequest
    shares: dict[str, LineShare]
    gone: dict[str, int] = field(default_factory=dict)
    """Units by `line_id` that moved to orders split off."""
    moved: Decimal = ZERO
    cancelled: dict[str, int] = field(default_factory=dict)
    shipped: dict[str, int] = field(default_factory=dict)

    @property
    def paid(self) -> Decimal:
        return self.request.paid - self.moved


@dataclass
class Refunded:
    """A refund that was reserved."""

    request: RefundRequest
    amount: Decimal
    run: str
    reference: str | None
    units: dict[str, int]
    state: RefundState = RefundState.RESERVED
    gateway_refund_id: str | None = None

    @property
    def counts(self) -> bool:
        return self.state in COUNTS_AGAINST_CAP


class Book:
    """All orders of one sale, and those that came of it; everything is said in one currency."""

    def __init__(self, currency: str, at: datetime) -> None:
        self.currency, self.at = currency, at
        self.orders: dict[str, Sold] = {}
        self.charges: dict[str, tuple[str, ChargeRecord]] = {}
        self.refunds: dict[str, Refunded] = {}
        self.memos: dict[tuple[str, str], tuple[BookCreditMemo, str]] = {}
        self.reviews: dict[str, tuple[str, Decimal]] = {}
        self.claims: dict[str, tuple[str, Decimal]] = {}
        self.entries: dict[tuple[str, str], Entry] = {}

    # ---- the ledger ----

    def post(self, entries: Iterable[Entry]) -> None:
        for one in entries:
            self.entries.setdefault(one.key, one)

    def entered(self, movement: str) -> tuple[str, ...]:
        return tuple(kind for name, kind in self.entries if name == movement)

    # ---- orders ----

    def open_order(self, request: OrderRequest) -> tuple[LineShare, ...]:
        if request.order_id not in self.orders:
            shares = share_out(request)
            self.orders[request.order_id] = Sold(request, {one.line_id: one for one in shares})
            if request.split_from is None:
                for position, paid in enumerate(request.paid_with, start=1):
                    self.post(payment_entries(self._payment(request, position, paid.amount)))
        return tuple(self.orders[request.order_id].shares.values())

    def _payment(self, request: OrderRequest, position: int, amount: Decimal) -> PaymentMoved:
        return PaymentMoved(
            order_id=request.order_id,
            seller_id=SELLER,
            channel=request.channel,
            position=position,
            paid_by=PaidBy.STRIPE,
            units=to_minor_units(amount, self.currency),
            currency=self.currency,
            at=self.at,
        )

    def split(self, ask: SplitOrder) -> OrderSplit:
        """CAN-10."""
        own_id, order = ask.split_from.own_id, self.orders[ask.split_from.order_id]
        if own_id in self.orders:
            return OrderSplit(request=self.orders[own_id].request)
        back = self._units_back(order.request.order_id)
        left = {
            line_id: share.quantity - self._not_open(order, line_id) for line_id, share in order.shares.items()
        }
        for line_id, count in ask.units.items():
            if count > left[line_id] - max(back.get(line_id, 0), order.shipped.get(line_id, 0)):
                return OrderSplit(reason=f"{count} of {line_id} can't be cancelled")
        lines = {line_id: Kept(share, left[line_id]) for line_id, share in order.shares.items()}
        moved = worth_moved(order.request, lines, ask.units)
        worth = sum((one.paid for one in moved), ZERO)
        rest = order.paid - self.taken(order.request.order_id, BUYER_GETS)
        try:
            (part,) = payment_parts(worth, [rest], self.currency)
        except ValueError as no:
            return OrderSplit(reason=str(no))
        paid = tuple(one.model_copy(update={"amount": part}) for one in order.request.paid_with)
        request = request_of(order.request, moved, lines, paid, ask.split_from)
        self.orders[own_id] = Sold(request, {one.line_id: one for one in moved})
        for line_id, count in ask.units.items():
            order.gone[line_id] = order.gone.get(line_id, 0) + count
        order.moved += request.paid
        return OrderSplit(request=request)

    @staticmethod
    def _not_open(order: Sold, line_id: str) -> int:
        return order.gone.get(line_id, 0) + order.cancelled.get(line_id, 0)

    def charge(self, order_id: str, records: Iterable[ChargeRecord]) -> None:
        """ORD-3: as the order's save says them."""
        for one in records:
            before = self.charges.get(one.charge_id)
            if before is not None and before[1] == one:
                continue
            self.charges[one.charge_id] = (order_id, one)
            movement = charge_movement(one.charge_id)
            self.post(charge_entries(one, order_id, SELLER, self.at, self.entered(movement)))

    def captured(self, order_id: str) -> tuple[str, Decimal] | None:
        of_it = [one for of, one in self.charges.values() if of == order_id and one.captured]
        return (of_it[-1].charge_id, of_it[-1].captured) if of_it else None

    # ---- refunds ----

    def taken(self, order_id: str, direction: Direction) -> Decimal:
        of_it = [one for one in self.refunds.values() if one.request.order_id == order_id and one.counts]
        return sum((one.amount for one in of_it if one.request.direction is direction), ZERO)

    def _units_back(self, order_id: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in self.refunds.values():
            if one.request.order_id == order_id and one.counts:
                for line_id, count in one.units.items():
                    found[line_id] = found.get(line_id, 0) + count
        return found

    def reserve(self, request: RefundRequest, run: str, *, known_only: bool) -> ReservedRefund:
        """REF-3, REF-4, REF-13, REF-14: once by its id."""
        before = self.refunds.get(request.refund_id)
        if before is not None:
            settled = before.state not in (RefundState.RESERVED, RefundState.PENDING)
            if settled and before.run != run:
                return self._known(before, Opening.DUPLICATE)
            resumed, before.run = before.run != run, run
            return self._known(before, Opening.OPENED).model_copy(update={"resumed": resumed})
        if known_only:
            return ReservedRefund(opening=Opening.REFUSED, reason="no such refund is known here")
        try:
            self.refunds[request.refund_id] = self._reservation(request, run)
        except ValueError as no:
            return ReservedRefund(opening=Opening.REFUSED, state=RefundState.REFUSED, reason=str(no))
        row = self.refunds[request.refund_id]
        self.post(refund_entries(self._moved(row)))
        return self._known(row, Opening.OPENED)

    def _reservation(self, request: RefundRequest, run: str) -> Refunded:
        order = self.orders[request.order_id]
        if request.direction is SELLER_GETS:
            charge = self.captured(request.order_id)
            if charge is None:
                raise ValueError("nothing was captured from the seller")
            reference, paid = charge
        else:
            reference, paid = order.request.paid_with[0].reference or "", order.paid
        units = {str(one.line_id): one.quantity for one in request.lines}
        worth = ZERO
        if request.direction is BUYER_GETS:
            back = self._units_back(request.order_id)
            for line_id, count in units.items():
                share, gone = order.shares[line_id], back.get(line_id, 0)
                if count > share.quantity - order.gone.get(line_id, 0) - gone:
                    raise ValueError(f"{count} of {line_id} can't be refunded (REF-13)")
                worth += share_of_units(share.paid_goods, share.quantity, gone, count, self.currency)
        taken = self.taken(request.order_id, request.direction)
        by = PaidBy.STRIPE if request.way is Way.GATEWAY else None
        amount = request.amount
        if amount is None:
            left = paid - taken
            amount = movable(min(left, worth) if units else left, by, self.currency)
        else:
            require_movable(amount, by, self.currency, "the amount")
        if amount <= 0:
            raise ValueError("nothing is left to refund")
        check_cap(amount, paid, taken, self.currency, allow_over_refund=False)
        return Refunded(request, amount, run, reference, units if request.direction is BUYER_GETS else {})

    def settle(self, refund_id: str, state: RefundState, gateway_refund_id: str | None) -> None:
        """REF-6, REF-7: after its success only a failure is believed; what failed stays so."""
        row = self.refunds[refund_id]
        before = row.state
        may = before in (RefundState.RESERVED, RefundState.PENDING) or (
            before is RefundState.SUCCEEDED and state is RefundState.FAILED
        )
        if not may or before is state:
            return
        row.state, row.gateway_refund_id = state, gateway_refund_id or row.gateway_refund_id
        if state is not RefundState.PENDING:
            moved = self._moved(row)
            self.post(refund_entries(moved, self.entered(moved.movement)))

    def _moved(self, row: Refunded) -> RefundMoved:
        request = row.request
        return RefundMoved(
            refund_id=request.refund_id,
            order_id=request.order_id,
            seller_id=SELLER,
            channel=self.orders[request.order_id].request.channel,
            of_return=request.return_id is not None,
            direction=request.direction,
            way=request.way,
            units=to_minor_units(row.amount, self.currency),
            currency=self.currency,
            state=row.state,
            at=self.at,
        )

    @staticmethod
    def _known(row: Refunded, opening: Opening) -> ReservedRefund:
        return ReservedRefund(
            opening=opening,
            state=row.state,
            way=row.request.way,
            amount=row.amount,
            payment_reference=row.reference,
            connection_id="acme-stripe",
            gateway_refund_id=row.gateway_refund_id,
            seller_id=SELLER,
        )

    # ---- what suppliers and people say ----

    def credit(self, memo: BookCreditMemo, order_id: str) -> str:
        """RET-12: each number once for its return."""
        key = (memo.number, memo.return_id)
        before = self.memos.get(key)
        if before is not None:
            return "booked" if before[0] == memo else "duplicate"
        self.memos[key] = (memo, order_id)
        self.post(credit_memo_entries(memo, order_id))
        return "booked"

    def review(self, review_id: str, order_id: str, approved: Decimal) -> None:
        """BAL-2."""
        self.reviews.setdefault(review_id, (order_id, approved))
        self.post(cost_review_entries(ReviewCredited(review_id=review_id, **self._credited(order_id, approved))))

    def claim(self, claim_id: str, order_id: str, approved: Decimal) -> None:
        """CLM-1."""
        self.claims.setdefault(claim_id, (order_id, approved))
        self.post(claim_entries(ClaimCredited(claim_id=claim_id, **self._credited(order_id, approved))))

    def _credited(self, order_id: str, amount: Decimal) -> dict[str, object]:
        units = to_minor_units(amount, self.currency)
        return {
            "order_id": order_id,
            "seller_id": SELLER,
            "units": units,
            "currency": self.currency,
            "at": self.at,
        }

    # ---- what is proved of it ----

    def balances(self) -> Net:
        """By account: what debits are more than credits."""
        return net_of((line, entry.currency) for entry in self.entries.values() for line in entry.lines)

    def audit(self) -> None:
        """BAL-1: every account is what an independent sum says; REF-3: no cap is broken."""
        self._caps()
        assert self.balances() == self._independent(), "the ledger is not the sum of what is booked (BAL-1)"

    def _caps(self) -> None:
        for order_id, order in self.orders.items():
            taken = self.taken(order_id, BUYER_GETS)
            assert taken <= order.paid, f"{taken} of {order.paid} went back of {order_id} (REF-3)"
            charge = self.captured(order_id)
            taken = self.taken(order_id, SELLER_GETS)
            assert taken <= (charge[1] if charge else 0), f"more than was charged went back of {order_id} (REF-3)"
            for line_id, count in self._units_back(order_id).items():
                left = order.shares[line_id].quantity - order.gone.get(line_id, 0)
                assert count <= left, f"{count} of {line_id} are refunded, there are {left} (REF-13)"

    def _independent(self) -> Net:
        """Of each account, added up from what is booked, without any entry."""
        available = reserved = pending = payments = back = revenue = expense = receivable = 0
        for order in self.orders.values():
            if order.request.split_from is None:
                paid = to_minor_units(order.request.paid, self.currency)
                payments, available = payments + paid, available + paid
        for _, charge in self.charges.values():
            asked, taken = (to_minor_units(one, self.currency) for one in (charge.amount, charge.captured))
            if charge.state is ChargeState.AUTHORIZED:
                available, pending = available - asked, pending + asked
            elif charge.state is ChargeState.CAPTURED:
                available, revenue = available - taken, revenue + taken
        for row in self.refunds.values():
            units, done = to_minor_units(row.amount, self.currency), row.state is RefundState.SUCCEEDED
            if row.request.direction is BUYER_GETS and row.counts:
                available -= units
                back, reserved = (back + units, reserved) if done else (back, reserved + units)
            elif row.request.direction is SELLER_GETS and done:
                available += units
                of_return = row.request.return_id is not None
                expense, revenue = (expense + units, revenue) if of_return else (expense, revenue - units)
        for memo, _ in self.memos.values():
            units = to_minor_units(memo.amount, self.currency)
            receivable, expense = receivable + units, expense - units
        for _, approved in (*self.reviews.values(), *self.claims.values()):
            units = to_minor_units(approved, self.currency)
            available, expense = available + units, expense + units
        found = {
            "buyers/payments": payments,
            "seller/acme/available": -available,
            "seller/acme/reserved": -reserved,
            "seller/acme/pending": -pending,
            "buyers/refunds": -back,
            "broker/revenue": -revenue,
            "broker/expense": expense,
            "supplier/north/receivable": receivable,
        }
        return {(account, self.currency): units for account, units in found.items() if units}
