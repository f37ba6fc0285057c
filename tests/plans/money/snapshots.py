"""What database and suppliers say when a search, a return, a replacement, a claim or a review begins."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from activities.database.returnable_units import Worth, worth_of_next
from models.claims import ClaimRequest, ClaimState, OpenedClaim
from models.cost_reviews import CostReviewRequest, OpenedCostReview, ReviewState
from models.message import LineUnits
from models.money import smallest_unit
from models.naming import by_sku
from models.orders import OrderRequest
from models.parties import Seller, Supplier
from models.partners import FoundSources, Source
from models.payments import PaidBy
from models.refunds import RefundState
from models.returns import OpenedLine, OpenedReturn, ReturnRequest
from tests.plans.money.book import BUYER_GETS, ZERO, Book, Sold
from workflows.claims.facts import ClaimFacts
from workflows.cost_reviews.facts import CostReviewFacts

SUPPLIER: Final = Supplier.model_validate(
    {"supplier_id": "north", "name": "North", "email": "dock@north.example", "return_address": "1 Depot Way"}
)


def worth_of(
    request: ReturnRequest, order: Sold, before: Mapping[str, Worth], currency: str
) -> dict[str, Worth] | None:
    """What the units are worth, by line; none: more than was shipped (RET-2). `before`: what others hold."""
    mine: dict[str, Worth] = {}
    for line in request.lines:
        line_id, known = str(line.line_id), before.get(str(line.line_id), Worth())
        if known.quantity + line.quantity > order.shipped.get(line_id, 0):
            return None
        mine[line_id] = worth_of_next(order.shares[line_id], known, line.quantity, currency, currency)
    return mine


def opened(request: ReturnRequest, units: Mapping[str, Worth], seller: Seller, currency: str) -> OpenedReturn:
    lines = tuple(
        OpenedLine(line_id=line_id, sku=line_id, quantity=one.quantity, reason="x", paid=one.paid, cost=one.cost)
        for line_id, one in units.items()
    )
    return OpenedReturn(
        order_id=request.order_id,
        seller=seller,
        supplier=SUPPLIER,
        channel="web_shop",
        supplier_order_number=f"{request.order_id}-1",
        lines=lines,
        currency=currency,
        charge_currency=currency,
        gateway=PaidBy.STRIPE,
        charge_gateway=PaidBy.STRIPE,
    )


def replacement(before: OrderRequest, order_id: str, return_id: str, units: Sequence[LineUnits]) -> OrderRequest:
    """It costs the buyer nothing, and the seller something (ORD-15)."""
    cost = f"{smallest_unit(before.charge_currency) * 100}"
    lines = [
        {
            "line_id": one.line_id,
            "sku": one.sku,
            "title": one.sku,
            "quantity": one.quantity,
            "unit_price": "0",
            "unit_cost": cost,
        }
        for one in units
    ]
    given = before.model_dump(mode="json", include={"seller_id", "buyer", "channel"})
    said = {"order_id": order_id, "lines": lines, "currency": before.paid_currency, "replaces": return_id}
    return OrderRequest.model_validate(given | said)


def opened_claim(
    request: ClaimRequest, voided: Mapping[str, int], others: Sequence[ClaimFacts], seller: Seller
) -> OpenedClaim:
    """CLM-1: each voided unit is claimed once."""
    left = Counter(voided)
    for one in others:
        stands = one.state in (ClaimState.OPEN, ClaimState.APPROVED) and one.opened and one.opened.reason is None
        of_it = one.request.order_id == request.order_id and one.request.claim_id != request.claim_id
        if stands and of_it and one.opened:
            left.subtract({units.line_id: units.quantity for units in one.opened.units})
    meant = [
        LineUnits(line_id=str(one.line_id), sku=str(one.line_id), quantity=one.quantity) for one in request.lines
    ]
    if any(left[one.line_id] < one.quantity for one in meant):
        return OpenedClaim(reason="not voided, or claimed already (CLM-1)")
    return OpenedClaim(
        seller_id="acme",
        units=tuple(meant),
        minimum_stock=seller.minimum_stock,
        card_on_file=True,
        without_approval=Decimal(100),
        least_stock=3,
    )


def opened_review(request: CostReviewRequest, book: Book, others: Sequence[CostReviewFacts]) -> OpenedCostReview:
    """BAL-2: not more than the buyer was refunded, other reviews counted."""
    rows = [one for one in book.refunds.values() if one.request.order_id == request.order_id]
    back = [one for one in rows if one.request.direction is BUYER_GETS and one.state is RefundState.SUCCEEDED]
    refunded = sum((one.amount for one in back), ZERO)
    claimed = ZERO
    for one in others:
        stands = one.state in (ReviewState.OPEN, ReviewState.APPROVED) and one.opened and one.opened.reason is None
        if stands and one.request.order_id == request.order_id and one.request.review_id != request.review_id:
            claimed += one.approved or one.request.amount
    if request.amount > refunded - claimed:
        return OpenedCostReview(reason="more than the buyer was refunded", refunded=refunded)
    return OpenedCostReview(seller_id="acme", refunded=refunded)


def sources(wanted: Sequence[LineUnits], currency: str, chance: random.Random) -> FoundSources:
    """Nearly all is in one warehouse; now and then nobody has some of it (ORD-7)."""
    found, missing = [], {}
    for sku, count in by_sku(wanted).items():
        gone = min(count, chance.randint(0, 2)) if chance.random() < 0.3 else 0
        if gone:
            missing[sku] = gone
        if count > gone:
            given = {"supplier_id": "north", "warehouse_id": "reno", "sku": sku, "quantity": count - gone}
            found.append(Source.model_validate(given | {"unit_cost": f"{smallest_unit(currency)}"}))
    return FoundSources(sources=tuple(found), missing=missing)
