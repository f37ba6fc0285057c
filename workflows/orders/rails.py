"""Where an order stands for people: where its goods and its money are, whose work it is (NTF-5, NTF-6)."""

from collections.abc import Mapping
from typing import Final

from models.case import Custody, MoneyState, Who
from models.case import OrderStage as Stage
from models.partners import ChargeState
from models.worklists import Work
from workflows.engine.plan import Plan
from workflows.orders import buyer_requests
from workflows.orders.effects import Authorize
from workflows.orders.facts import OrderFacts
from workflows.refunds.attempts import BUYER, SELLER, works_held_up
from workflows.refunds.money import first_of, in_words, money_of

_OF_CHARGES: Final[Mapping[str, MoneyState]] = {
    ChargeState.AUTHORIZED: MoneyState.PENDING,
    ChargeState.CAPTURED: MoneyState.CONFIRMED,
}

_WORK: Final[Mapping[Stage, Work]] = {
    Stage.AWAITING_RELEASE: Work.TO_RELEASE,
    Stage.AWAITING_CHOICE: Work.TO_CHOOSE,
}


def custody(f: OrderFacts) -> Custody:
    """Where the goods are."""
    if f.lines.has_shipped:
        return Custody.PARTLY_SHIPPED if f.lines.has_open else Custody.SHIPPED
    return Custody.AT_SUPPLIER if f.is_with_supplier else Custody.NOT_BOUGHT


def charged(f: OrderFacts) -> MoneyState:
    """The broker's charge on the seller: asked, pending while it is authorized, confirmed when it is collected."""
    if f.is_in_flight(Authorize):
        return MoneyState.ASKED
    charge = f.charge
    return MoneyState.NONE if charge is None else _OF_CHARGES.get(charge.state, MoneyState.NONE)


def sellers_money(f: OrderFacts) -> MoneyState:
    """Of the broker's refunds of the seller."""
    return money_of([one for one in f.refunds if one.direction is SELLER])


def buyers_money(f: OrderFacts) -> MoneyState:
    """Of the seller's automatic refund of the buyer (CAN-6)."""
    return money_of([one for one in f.refunds if one.direction is BUYER])


def money(f: OrderFacts) -> MoneyState:
    """What is not settled of its refunds comes first, then how its charge stands."""
    unsettled = first_of((sellers_money(f), buyers_money(f)))
    return unsettled if unsettled is not None else charged(f)


def work(f: OrderFacts, plan: Plan) -> tuple[Work, ...]:
    """The worklists of an order, beside those of every case."""
    if f.outcome is not None:
        return ()
    waits = {(wait.stage, wait.who) for wait in plan.waits}
    found = [one for stage, one in _WORK.items() if (stage, Who.SELLER) in waits]
    if buyer_requests.open_request(f) is not None:
        found.append(Work.BUYER_WANTS_TO_CANCEL)
    return (*found, *works_held_up(f.refunds))


def goods_said(f: OrderFacts) -> str:
    """In words, for the case's page."""
    words = custody(f).value.replace("_", " ")
    parcels = ", ".join(f"{one.carrier} {one.tracking_number}" for one in f.shipments[:5])
    return f"{words} ({parcels})" if parcels else words


def money_said(f: OrderFacts) -> str:
    """Each movement in words, never added to each other."""
    said = [f"seller's charge {in_words(charged(f))}"]
    for what, state in (("broker to seller", sellers_money(f)), ("seller to buyer", buyers_money(f))):
        if state is not MoneyState.NONE:
            said.append(f"refund {what} {in_words(state)}")
    return ", ".join(said)
