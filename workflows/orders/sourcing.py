"""Where the items are bought: the closest warehouse that has them, else the network at any price (ORD-5, 6)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from models.case import OrderStage as Stage
from models.case import Who
from models.ids import supplier_order_number
from models.message import folded
from models.orders import SupplierOrder, SupplierOrderLine
from models.partners import FoundSources, Source, warehouse_key
from workflows.engine.pieces import in_flight, just, wait
from workflows.engine.plan import Plan
from workflows.orders import voiding
from workflows.orders.effects import SearchStock
from workflows.orders.facts import OrderFacts
from workflows.orders.purchases import within
from workflows.orders.records import Purchase, StockSearch

# ---- what was found ----


def search_answered(f: OrderFacts, effect: SearchStock, found: FoundSources) -> OrderFacts:
    """What was found becomes purchase orders; what nobody has is voided, once the whole network was asked (ORD-7).
    An answer that comes when nothing is bought any more changes nothing."""
    if f.is_given_up:
        return f
    units = within(effect.units, f.unsourced)
    sources, missing = _within(f, found.sources, units)
    offered = {folded(sku): count for sku, count in found.in_stock.items()}
    in_stock = {one.sku: offered.get(folded(one.sku), 0) for one in f.lines.units(missing)}
    excluded = {folded(sku): why for sku, why in found.passed_over.items()}
    passed_over = {sku: excluded[folded(sku)] for sku in in_stock if folded(sku) in excluded}
    search = StockSearch(
        second_source=effect.second_source,
        missing=missing,
        in_stock=in_stock,
        passed_over=passed_over,
        not_known=tuple(found.not_known),
        look_again_at=_look_again_at(f) if missing and found.not_known else None,
        at=f.now,
    )
    purchases = _purchases(f, sources, found.through, second_source=effect.second_source)
    f = _not_known(f, found)
    f = f.with_(searches=(*f.searches, search), purchases=(*f.purchases, *purchases))
    if not effect.second_source or search.look_again_at is not None:
        return f
    if purchases:
        f = f.step("not in stock: second-sourced; the broker bears the difference")
    return voiding.void(f, missing)


def not_offered(f: OrderFacts, found: FoundSources, units: Mapping[str, int]) -> dict[str, int]:
    """Of these units, by `line_id`, those that were not found."""
    return _within(f, found.sources, units)[1]


def _look_again_at(f: OrderFacts) -> datetime | None:
    """Stock that is not known is asked for again until the order must be with a supplier (ORD-4); of a special
    order, for as long after its stock arrived."""
    due = f.handoff_due
    if f.special is not None and f.special.round_began_at is not None:
        due = f.special.round_began_at + f.seller.handoff_limit
    if due is None or f.now >= due:
        return None
    return min(f.now + timedelta(minutes=f.seller.stock_retry_minutes), due)


def _not_known(f: OrderFacts, found: FoundSources) -> OrderFacts:
    """The timeline says whose stock is not known, once while it stays so."""
    before = f.searches[-1].not_known if f.searches else ()
    if not found.not_known or before == tuple(found.not_known):
        return f
    names = ", ".join(list(found.not_known)[:5])
    more = f" and {len(found.not_known) - 5} more" if len(found.not_known) > 5 else ""
    why = next(iter(found.not_known.values()))
    return f.step(f"stock of {names}{more} is not known ({why})"[:500], Who.SUPPLIER)


def _within(
    f: OrderFacts, sources: Sequence[Source], units: Mapping[str, int]
) -> tuple[list[tuple[Source, SupplierOrderLine]], dict[str, int]]:
    """The sources, each for a line, as far as these units were wanted, and the units that none of them has. Lines
    of one item are served in their order (ORD-13)."""
    left = dict(units)
    lines = f.lines.units(units)
    taken: list[tuple[Source, SupplierOrderLine]] = []
    for source in sources:
        available = source.quantity
        for line in lines:
            count = min(available, left[line.line_id]) if folded(line.sku) == folded(source.sku) else 0
            if count:
                left[line.line_id] -= count
                available -= count
                bought = SupplierOrderLine(
                    line_id=line.line_id, sku=line.sku, quantity=count, unit_cost=source.unit_cost
                )
                taken.append((source, bought))
    return taken, {line_id: count for line_id, count in left.items() if count}


def _purchases(
    f: OrderFacts,
    sources: Sequence[tuple[Source, SupplierOrderLine]],
    through: Mapping[str, str],
    *,
    second_source: bool,
) -> list[Purchase]:
    """One order per warehouse, numbered on, in the order of the sources."""
    by_warehouse: dict[tuple[str, str], list[SupplierOrderLine]] = {}
    for source, line in sources:
        by_warehouse.setdefault((source.supplier_id, source.warehouse_id), []).append(line)
    return [
        Purchase(
            order=SupplierOrder(
                number=supplier_order_number(f.order_id, number),
                supplier_id=supplier_id,
                warehouse_id=warehouse_id,
                second_source=second_source,
                connection_id=through.get(warehouse_key(supplier_id, warehouse_id)),
                lines=tuple(group),
            ),
            at=f.now,
        )
        for number, ((supplier_id, warehouse_id), group) in enumerate(
            by_warehouse.items(), start=len(f.purchases) + 1
        )
    ]


# ---- what follows ----


def search(f: OrderFacts) -> Plan:
    """A round: who has the items, and then who has a second source of what is missing. What suppliers refuse goes
    into the next round, once all of this one have answered."""
    under_way = next((one for one in f.in_flight.values() if isinstance(one, SearchStock)), None)
    if under_way is not None:
        return in_flight(f, Stage.PLACING, under_way)
    again = f.looks_again
    if f.open_purchases and not f.lacks_second_source and again is None:
        return Plan()
    units = _wanted(f)
    if not units:
        return Plan()
    if again is not None and again.look_again_at is not None and f.now < again.look_again_at:
        what = f"say what is in stock ({', '.join(again.not_known[:5])} did not answer)"
        timer = "asking for stock again"
        return wait(Stage.PLACING, Who.SUPPLIER, what, again.at, again.look_again_at, timer)
    second = f.lacks_second_source if again is None else again.second_source
    effect = SearchStock(key=f"sourcing:{len(f.searches) + 1}", units=units, second_source=second)
    return just(effect) + in_flight(f, Stage.PLACING, effect)


def _wanted(f: OrderFacts) -> dict[str, int]:
    """Units to search for, by `line_id`. The network is asked for what is not in stock only: what a supplier could
    not deliver meanwhile (ORD-19) is looked for in stock first, in the next round (ORD-6)."""
    units = f.unsourced
    if not f.lacks_second_source and f.looks_again is None:
        return units
    return within(units, f.searches[-1].missing)
