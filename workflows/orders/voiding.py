"""Units that come to nothing: cancelled or voided, with why, by whose fault, and what shows it (CAN-12)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from models.cancellations import CancelRequest, Fault, fault_of
from models.naming import by_sku, items_of, reasons_of
from models.parties import DEFAULT_MINIMUM_STOCK
from models.partners import Recipient
from models.records import Cessation
from models.sourcing import FEWER_THAN, IN_CURRENCY
from workflows.engine.case import Note
from workflows.engine.pieces import just, mail_lines, notify
from workflows.engine.plan import Plan
from workflows.orders.facts import OrderFacts
from workflows.orders.purchases import plus
from workflows.orders.records import CancelAsked, SpecialOrder, StockSearch
from workflows.orders.void_choices import choose_until


def void(f: OrderFacts, units: Mapping[str, int]) -> OrderFacts:
    """ORD-7: nobody has these units, by `line_id`. What has another culprit ends by itself (CAN-12). Of a special
    order they wait again (ORD-8)."""
    if units and f.buys_special_order:
        return wait(f, units).step(f"not in stock after all: {f.lines.in_words(units)}; waits on")
    by_culprit: dict[tuple[Fault, str], dict[str, int]] = {}
    for one in f.lines.units(units):
        by_culprit.setdefault(_culprit(f, one.sku), {})[one.line_id] = one.quantity
    found = [
        _cessation(f, "voided", theirs, reason, fault, "broker:backhaul", _evidence(f, theirs))
        for (fault, reason), theirs in by_culprit.items()
    ]
    for cessation in found:
        f = f.with_cessation(cessation)
    return f


def wait(f: OrderFacts, units: Mapping[str, int]) -> OrderFacts:
    """ORD-8: these open units, by `line_id`, wait for stock from now on."""
    before = f.special or SpecialOrder(since=f.now)
    return f.with_(special=before.model_copy(update={"waiting": plus(f.waiting, units), "since": f.now}))


def _culprit(f: OrderFacts, sku: str) -> tuple[Fault, str]:
    """By whose fault nobody ships this item: stock that is there, and that the order's own terms exclude, is no
    fault of the stock feed (CAN-12)."""
    if f.is_with_supplier:
        return Fault.SUPPLIER, "the supplier refused it"
    why = [reason for search in f.searches for reason in search.passed_over.get(sku, {})]
    currencies = sorted({one.removeprefix(IN_CURRENCY) for one in why if one.startswith(IN_CURRENCY)})
    if currencies:
        return Fault.SELLER, f"it is in stock in {', '.join(currencies)} only, and the order is in {f.currency}"
    wanted = f.seller.minimum_stock
    if wanted > DEFAULT_MINIMUM_STOCK and f"{FEWER_THAN}{wanted}" in why:
        return Fault.SELLER, f"no warehouse has the {wanted} that the seller's own minimum asks for"
    if any(search.not_known for search in f.searches):
        return Fault.STOCK_FEED, "no warehouse is known to have it: the stock of some is not known"
    return Fault.STOCK_FEED, "no warehouse has it"


def cancel(f: OrderFacts, accepted: CancelAsked) -> OrderFacts:
    """CAN-1: all that is open is cancelled."""
    event = accepted.event
    if not f.lines.has_open:
        return f  # it was voided before (ORD-8)
    evidence = {"requested at": _text_of(accepted.arrived_at)}
    one = _cessation(f, "cancelled", f.lines.open, event.reason, _fault(f, event), event.actor, evidence)
    return f.with_cessation(one.model_copy(update={"channel_reference": event.channel_reference}))


def _fault(f: OrderFacts, event: CancelRequest) -> Fault:
    """Whoever grants what the buyer asks the marketplace for is at no fault (CAN-8, CAN-12)."""
    grants = f.buyer_asked is not None and f.buyer_asked.declined_at is None and event.fault is None
    return Fault.BUYER if grants else fault_of(event)


def cancel_by_staff(f: OrderFacts) -> OrderFacts:
    """Staff stopped the order before it went to a supplier: nothing of it is left behind."""
    units = f.open_units
    if not f.is_open or f.is_with_supplier or not units:
        return f
    one = _cessation(f, "cancelled", units, "stopped by staff", Fault.SELLER, "staff:temporal", {})
    return f.with_cessation(one)


def _cessation(
    f: OrderFacts,
    kind: Literal["cancelled", "voided"],
    units: Mapping[str, int],
    reason: str,
    fault: Fault,
    by: str,
    evidence: Mapping[str, str],
) -> Cessation:
    times = {"received at": _text_of(f.created_at), "cancel until": _text_of(f.cancel_until)}
    return Cessation(
        kind=kind,
        at=f.now,
        reason=reason,
        fault=fault,
        by=by,
        quantities=by_sku(f.lines.units(units)),
        lines=f.lines.units(units),
        evidence=times | dict(evidence),
    )


def _evidence(f: OrderFacts, units: Mapping[str, int]) -> dict[str, str]:
    """What the stock feed said of these items, and who refused them, each with its time."""
    found: dict[str, str] = {}
    skus = by_sku(f.lines.units(units))
    for search in f.searches:
        feed = "second source" if search.second_source else "stock feed"
        for sku, offered in search.in_stock.items():
            if sku in skus:
                over = "; ".join(f"{count} passed over: {why}" for why, count in _passed_over(search, sku))
                said = f"{offered} ({over})" if over else f"{offered}"
                found[f"{feed} of {sku}"] = f"{said} at {search.at.isoformat()}"
        if search.not_known and units.keys() & search.missing.keys():
            found[f"{feed} without an answer"] = f"{', '.join(search.not_known)} at {search.at.isoformat()}"
    for purchase in f.purchases:
        if purchase.state == "refused" and any(line.line_id in units for line in purchase.order.lines):
            found[f"refused by {purchase.source}"] = f"{purchase.reason} at {purchase.at.isoformat()}"
        if purchase.short_at is not None and any(line_id in units for line_id in purchase.short):
            said = f"{purchase.short_reason} at {purchase.short_at.isoformat()}"
            found[f"accepted by {purchase.source}"] = purchase.at.isoformat()
            found[f"not delivered by {purchase.source}"] = said
    return found


def _passed_over(search: StockSearch, sku: str) -> list[tuple[str, int]]:
    return list(search.passed_over.get(sku, {}).items())


def _text_of(moment: datetime | None) -> str:
    """A time as evidence keeps it: RFC 3339, or that it is not known."""
    return moment.isoformat() if moment else "unknown"


# ---- people are told ----


def notices(f: OrderFacts) -> Plan:
    """Each is written down; of what is voided at a time the seller is told, in one mail, what it can do next
    (ORD-7)."""
    told = Plan()
    voided: dict[int, Cessation] = {}
    for number, one in enumerate(f.cessations, start=1):
        key = f"note:cessation-{number}"
        if key not in f.done:
            fault = one.fault.value.replace("_", " ")
            what = f"{one.kind}: {items_of(one.quantities)}: {one.reason} (fault: {fault})"
            told += just(Note(key=key, what=what, by=one.by))
            if one.kind == "voided":
                voided[number] = one
    return told + (_mail(f, voided) if voided else Plan())


def _mail(f: OrderFacts, voided: Mapping[int, Cessation]) -> Plan:
    """`voided`: by their numbers."""
    lines = mail_lines(by_sku(line for one in voided.values() for line in one.lines))
    reason, back, currency = reasons_of(list(voided.values())), f.seller_refund_due or None, f.currency
    if f.is_void:
        mail = notify(
            "voided",
            "order_voided",
            Recipient.SELLER,
            lines=lines,
            reason=reason,
            amount=back,
            currency=currency,
            choose_until=choose_until(f),
        )
        return just(mail)
    mail = notify(
        f"voided-{min(voided)}",
        "order_partly_voided",
        Recipient.SELLER,
        lines=lines,
        reason=reason,
        amount=back,
        currency=currency,
        choose_until=choose_until(f),
    )
    return just(mail)
