"""What a refund is made from: the buyer's payments, or the charge on the seller (REF-3, REF-9)."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from sqlalchemy import ColumnElement, literal, or_
from sqlmodel import Session, col, select

from activities.database.connections import accounts_at_amazon, paying, provider_of, taking
from activities.database.ledger import available_units
from models.connections import HOW_TO_ADD, Connection, Provider, account_for, of_seller
from models.failures import BalanceShort, ConnectionUnusable
from models.gateway_limits import is_coarse
from models.money import from_minor_units
from models.orders import Channel
from models.payments import BY_GATEWAY, PaidBy
from models.refunds import COUNTS_AGAINST_CAP, Direction, RefundRequest, Way
from models.tables import ChargeRow, ConnectionRow, OrderRow, PaymentRow, RefundRow, ReturnRow, SellerRow


class Carrier(NamedTuple):
    """A payment, or a charge on the seller, by which the gateway can give money back."""

    reference: str | None
    left: Decimal | None
    """How much of it is not given back; none: it is the only one, and the cap of the order is its own."""
    by: PaidBy | None
    """The provider that moves it; none: a marketplace."""
    connection_id: str | None
    """By which it came; none: by the seller's connection of today."""

    @property
    def rest(self) -> Decimal:
        return max(self.left or Decimal(0), Decimal(0))

    def carries(self, amount: Decimal) -> bool:
        return self.left is None or self.left >= amount


class RefundSource(NamedTuple):
    """What a refund is made from: all of it is the cap (REF-3)."""

    what: Literal["payment", "charge"]
    paid: Decimal
    currency: str
    over_refund_allowed: bool
    may_over_refund: tuple[str, ...] = ()
    """Who may make one; none named: every person of the seller and of staff (REF-12)."""
    limit: Decimal | None = None
    """A refund over it needs a second person (REF-12)."""
    way: Way | None = None
    """How it really goes, where no gateway took the payment: a marketplace gives back what it took (AMZ-5)."""
    carriers: tuple[Carrier, ...] = ()
    """Those at gateways, the first one first; none where it is only recorded."""


class RefundRefused(Exception):
    """The rule says no; its text says why and what to do."""


class MoneyKnown(NamedTuple):
    """What of an order's money a refund is looked at beside."""

    refunds: list[RefundRow]
    """All of the order, and the one of the same id, whoever's it is."""
    payments: list[PaymentRow]
    """Of the buyer, by position; where the buyer is refunded."""
    charges: list[tuple[ChargeRow, Provider]]
    """Of the seller, by position, with whom they were made; where the seller is refunded."""


def locked_order(session: Session, request: RefundRequest) -> tuple[OrderRow | None, str | None, SellerRow | None]:
    """The order, which stays locked, the order of the return that the refund is for, and the seller."""
    of_request: ColumnElement[bool] = col(ReturnRow.return_id) == request.return_id
    found = session.exec(
        select(OrderRow, ReturnRow.order_id, SellerRow)
        .select_from(OrderRow)
        .join(ReturnRow, of_request, isouter=True)
        .join(SellerRow, col(SellerRow.seller_id) == col(OrderRow.seller_id), isouter=True)
        .where(OrderRow.order_id == request.order_id)
        .with_for_update(of=OrderRow)
    ).one_or_none()
    return found or (None, None, None)


def money_known(session: Session, request: RefundRequest) -> MoneyKnown:
    """Read in one statement, under the lock of the order."""
    of_order = col(RefundRow.order_id) == request.order_id
    refunds = or_(of_order, col(RefundRow.refund_id) == request.refund_id)
    # Beside each other, though they are few of both: from one row that is always there.
    one = select(literal(1).label("one")).subquery()
    if request.direction is Direction.BROKER_TO_SELLER:
        charged = session.execute(
            select(RefundRow, ChargeRow, ConnectionRow.provider)
            .select_from(one)
            .outerjoin(RefundRow, refunds)
            .outerjoin(ChargeRow, col(ChargeRow.order_id) == request.order_id)
            .outerjoin(ConnectionRow, col(ConnectionRow.connection_id) == col(ChargeRow.connection_id))
        ).all()
        by_id = {
            row.ChargeRow.charge_id: (row.ChargeRow, row.provider) for row in charged if row.ChargeRow is not None
        }
        return MoneyKnown(
            _each(row.RefundRow for row in charged), [], sorted(by_id.values(), key=lambda one: one[0].position)
        )
    paid = session.execute(
        select(RefundRow, PaymentRow)
        .select_from(one)
        .outerjoin(RefundRow, refunds)
        .outerjoin(PaymentRow, col(PaymentRow.order_id) == request.order_id)
    ).all()
    by_position = {row.PaymentRow.position: row.PaymentRow for row in paid if row.PaymentRow is not None}
    payments = [by_position[position] for position in sorted(by_position)]
    return MoneyKnown(_each(row.RefundRow for row in paid), payments, [])


def _each(rows: Iterable[RefundRow | None]) -> list[RefundRow]:
    return list({row.refund_id: row for row in rows if row is not None}.values())


def refund_source(
    session: Session, request: RefundRequest, order: OrderRow, seller: SellerRow | None, known: MoneyKnown
) -> RefundSource:
    """What a refund is made from: all that was paid, or captured, is the cap (REF-3). Raises RefundRefused."""
    if request.direction is Direction.BROKER_TO_SELLER:
        return _charges(request, order, known)
    if not order.paid:
        raise RefundRefused(
            f"nothing was paid for order {order.order_id}: there is nothing to refund to the buyer (ORD-15)"
        )
    paid = RefundSource(
        what="payment",
        paid=order.paid,
        currency=order.payment_currency,
        over_refund_allowed=seller is not None and seller.settings.allow_over_refund,
        may_over_refund=seller.settings.may_over_refund if seller is not None else (),
    )
    if request.way is not Way.GATEWAY:
        return paid
    # What was made elsewhere is only recorded: the limit is for money that is still to move.
    limits = seller.settings.refund_limits if seller is not None else {}
    paid = paid._replace(limit=limits.get(order.payment_currency))
    if carriers := _payments(session, order, known):
        return paid._replace(carriers=carriers)
    if (account := _at_amazon(session, order, known.payments)) is not None:
        by_marketplace = Carrier(order.channel_order_id, None, None, account.connection_id)
        return paid._replace(way=Way.MARKETPLACE, carriers=(by_marketplace,))
    paid_by = ", ".join(dict.fromkeys(row.paid_by.value for row in known.payments))
    raise RefundRefused(
        f"the buyer paid by {paid_by}, which no gateway gives back: "
        "refund it there, then record it with way manual (REF-9)"
    )


def connection_back(session: Session, order: OrderRow, carrier: Carrier) -> str | None:
    """The connection that took the money, even if the seller has another one by now.

    Raises ConnectionUnusable where none leads back, until there is one.
    """
    if carrier.connection_id is not None or carrier.by is None:
        return carrier.connection_id
    connection_id = taking(paying(session, order.seller_id), carrier.by.value)
    if connection_id is None:
        raise ConnectionUnusable(
            of_seller(order.seller_id),
            f"seller {order.seller_id} has no active {carrier.by.value} connection, by which the buyer's "
            f"payment goes back: {HOW_TO_ADD}",
        )
    return connection_id


def _payments(session: Session, order: OrderRow, known: MoneyKnown) -> tuple[Carrier, ...]:
    """Those by which a gateway gives the money back."""
    by_gateway = [row for row in known.payments if row.paid_by in BY_GATEWAY]
    if by_gateway and len(known.payments) == 1:
        (only,) = by_gateway
        return (Carrier(only.reference, None, only.paid_by, only.connection_id),)
    parts = parts_moved(session, order.order_id) if by_gateway else {}
    return tuple(
        Carrier(
            row.reference,
            row.amount - parts.get(row.position, 0) - taken_by(known.refunds, row.reference),
            row.paid_by,
            row.connection_id,
        )
        for row in by_gateway
    )


def _at_amazon(session: Session, order: OrderRow, payments: Sequence[PaymentRow]) -> Connection | None:
    """The seller's account at Amazon, where Amazon took all that was paid; none: there is none, or nobody knows
    which of several it is."""
    if order.channel is not Channel.AMAZON or order.channel_order_id is None:
        return None
    if any(row.paid_by is not PaidBy.MARKETPLACE for row in payments):
        return None
    return account_for(accounts_at_amazon(session, order.seller_id), order.payment_currency)


def parts_moved(session: Session, order_id: str) -> dict[int, Decimal]:
    """By their position, how much of the payments of an order moved to orders that were split off it (CAN-10)."""
    found: dict[int, Decimal] = {}
    for row in session.exec(select(PaymentRow).where(PaymentRow.of_order_id == order_id)):
        assert row.of_position is not None, "it is part of one"
        found[row.of_position] = found.get(row.of_position, Decimal(0)) + row.amount
    return found


def taken_by(refunds: Sequence[RefundRow], reference: str | None) -> Decimal:
    """How much of a payment the gateway gives back, or gave."""
    return sum(
        (
            row.amount
            for row in refunds
            if row.way is Way.GATEWAY and row.payment_reference == reference and row.state in COUNTS_AGAINST_CAP
        ),
        Decimal(0),
    )


def _charges(request: RefundRequest, order: OrderRow, known: MoneyKnown) -> RefundSource:
    """All that was captured is the cap: an order charged anew has several charges (ORD-8)."""
    charges = [(one, provider) for one, provider in known.charges if one.captured > 0]
    if not charges:
        raise RefundRefused(f"nothing was captured from the seller for order {order.order_id}")
    last, _ = charges[-1]
    source = RefundSource(
        what="charge",
        paid=sum((one.captured for one, _ in charges), Decimal(0)),
        currency=last.currency,
        over_refund_allowed=False,
    )
    if request.way is not Way.GATEWAY:
        return source
    carriers = tuple(
        Carrier(
            one.gateway_reference,
            one.captured - taken_by(known.refunds, one.gateway_reference) if len(charges) > 1 else None,
            PaidBy(provider.value),
            one.connection_id,
        )
        for one, provider in charges
        if one.gateway_reference is not None
    )
    if not carriers:
        raise RefundRefused(
            f"charge {last.charge_id} has no reference at the gateway: record the refund as manual"
        )
    return source._replace(carriers=carriers)


def taken(rows: Iterable[RefundRow], direction: Direction) -> Decimal:
    """How much of this direction is refunded, pending or reserved."""
    return sum(
        (row.amount for row in rows if row.direction is direction and row.state in COUNTS_AGAINST_CAP), Decimal(0)
    )


def captured_charges(session: Session, order_id: str) -> list[ChargeRow]:
    """The charges that took the seller's money, the first one first (ORD-3, ORD-8)."""
    rows = select(ChargeRow).where(ChargeRow.order_id == order_id).order_by(col(ChargeRow.position))
    return [row for row in session.exec(rows) if row.captured > 0]


def require_covered(
    session: Session, request: RefundRequest, order: OrderRow, seller: SellerRow | None, amount: Decimal
) -> None:
    """Raises BalanceShort while the seller's balance and its reserved funds do not cover a refund of the buyer
    that has still to move (BAL-1). The seller's row is the lock: they are looked at one after the other."""
    if request.direction is Direction.BROKER_TO_SELLER or request.way is not Way.GATEWAY:
        return
    currency = order.payment_currency
    funds = seller.settings.reserved_funds.get(currency) if seller is not None else None
    if funds is None:
        return
    session.get(SellerRow, order.seller_id, with_for_update={"key_share": True})
    balance = from_minor_units(available_units(session, order.seller_id, currency), currency)
    missing = amount - balance - funds
    if missing > 0:
        raise BalanceShort(
            order.seller_id,
            f"the balance of seller {order.seller_id} does not cover this refund of {amount} {currency}: "
            f"{balance} is available and {funds} reserved, {missing} is missing; it goes on once it is covered "
            "(BAL-1)",
        )


def coarse_gateway(session: Session, order: OrderRow) -> PaidBy | None:
    """By which the buyer's money goes back, where not every amount can be moved by it (REF-14)."""
    coarse = _coarse(order.payment_currency)
    if not coarse:
        return None
    paid = select(PaymentRow).where(PaymentRow.order_id == order.order_id, col(PaymentRow.paid_by).in_(coarse))
    first = session.exec(paid.order_by(col(PaymentRow.position))).first()
    return None if first is None else first.paid_by


def coarse_charge_gateway(session: Session, order: OrderRow) -> PaidBy | None:
    """The same of the seller's charge."""
    charges = captured_charges(session, order.order_id) if _coarse(order.charge_currency) else []
    return provider_of(session, charges[-1].connection_id) if charges else None


def _coarse(currency: str) -> list[PaidBy]:
    """Gateways that can't move every amount of it."""
    return [by for by in BY_GATEWAY if is_coarse(by, currency)]
