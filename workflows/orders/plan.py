"""What follows from the facts of an order, top to bottom: written down, released, charged, kept for its cancel
window, bought, shipped (ORD, CAN).

Each step says what must have been begun by now and who is waited for; one that waits for nobody lets the order go
on to the next.
"""

from datetime import datetime

from models.case import OrderStage as Stage
from models.case import Who
from models.partners import Recipient
from workflows.engine.pieces import in_flight, just, notify, troubles, wait
from workflows.engine.plan import End, Plan
from workflows.orders import (
    address,
    buyer_requests,
    cancellation,
    ending,
    handoff,
    purchase_orders,
    refunds,
    replacing,
    seller_charge,
    shipments,
    sourcing,
    special_orders,
    voiding,
)
from workflows.orders.effects import WriteDown
from workflows.orders.facts import OrderFacts


def plan(facts: OrderFacts, now: datetime) -> Plan:
    """What must have been begun, who is waited for, and how it ends."""
    f = facts.as_of(now)
    if f.outcome is not None:
        return ending.close(f)
    if not f.is_open:
        return _write_down(f) + troubles(f)
    steps = _steps(f)
    who = steps.waits[0].who if steps.waits else Who.STAFF
    return steps + handoff.watch(f, who) + _beside(f)


def _steps(f: OrderFacts) -> Plan:
    if f.stopped_at is not None:
        return ending.stop(f)
    if f.accepted_cancel is not None:
        return ending.cancel(f)
    return _fulfil(f)


def _fulfil(f: OrderFacts) -> Plan:
    done = Plan()
    for step in (
        _release,
        seller_charge.authorize,
        _cancel_window,
        cancellation.arrival,
        buyer_requests.hold,
        sourcing.search,
        _capture,
        purchase_orders.place,
        shipments.await_shipments,
        special_orders.await_choice,
        special_orders.await_stock,
    ):
        here = step(f)
        done += here
        if not here.goes_on:
            return done
    return done + ending.end(f)


def _beside(f: OrderFacts) -> Plan:
    """What goes on beside the steps, whichever the order takes."""
    return (
        just(*ending.wanted(f))
        + shipments.announce(f)
        + refunds.to_seller(f)
        + voiding.notices(f)
        + cancellation.answers(f)
        + address.answers(f)
        + buyer_requests.watch(f)
        + special_orders.check_choices(f)
        + replacing.news(f)
        + just(*cancellation.arrival(f).effects)
        + troubles(f)
    )


# ---- ORD-1, ORD-2: received and released ----


def _write_down(f: OrderFacts) -> Plan:
    if f.opening is not None:
        why = f.refusal or "an order with this id exists already"
        # Whoever started it over HTTP was told only that it began (ORD-17).
        mail = notify("refused", "order_refused", Recipient.SELLER, why=why)
        return shipments.leftovers(f, Stage.REFUSED) + just(mail) + Plan(end=End(Stage.REFUSED, why))
    effect = WriteDown()
    if f.stopped_at is not None and f.opening_is_in_trouble:
        return shipments.leftovers(f, Stage.STOPPED) + Plan(end=End(Stage.STOPPED, ending.STOPPED))
    return just(effect) + in_flight(f, Stage.RECEIVED, effect)


def _release(f: OrderFacts) -> Plan:
    """By itself, or by the seller's click (ORD-2, ORD-10)."""
    if f.released_at is not None:
        return Plan()
    why = "you release each order" if f.is_domestic else f"it ships to {f.ship_to.country}"
    what = f"release the order, or cancel it ({why})"
    since = f.opened_at or f.created_at
    mail = notify("release", "release_needed", Recipient.SELLER, why=why, since=since)
    return just(mail) + wait(Stage.AWAITING_RELEASE, Who.SELLER, what, since)


# ---- ORD-4: the cancel window ----


def _cancel_window(f: OrderFacts) -> Plan:
    """Up to 30 minutes in the broker's queue, then on without anyone's help."""
    if f.window_is_closed:
        return Plan()
    timer = f"{f.seller.cancel_window_minutes}-minute cancel window"
    since = f.released_at or f.created_at
    return wait(Stage.CANCEL_WINDOW, Who.CLOCK, "the cancel window closes", since, f.cancel_until, timer)


# ---- ORD-3: the money is taken before anything is bought ----


def _capture(f: OrderFacts) -> Plan:
    return seller_charge.capture(f) if f.lines.has_open else Plan()
