"""Rows of one return that speak of the same item add up (*seen*: Amazon repeats them, each with quantity 1)."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from activities.connectors.amazon.tables.gathering import gathered_by
from models.amazon.return_imports import return_of
from models.amazon.returned_items import ReturnedItem, ReturnedUnits


def added_up(items: Iterable[ReturnedItem]) -> Iterator[tuple[ReturnedUnits, ...]]:
    """Each return with its items, added up: never to more than was ordered, if the report says how many.

    Returns of one order are told apart by Amazon's RMA id. Rows of one return stand one after the other.
    """
    for _, rows in groupby(items, lambda item: (item.order_id, return_of(item))):
        first: dict[str, ReturnedItem] = {}
        reported: dict[str, int] = {}
        for row in rows:
            first.setdefault(row.item, row)
            reported[row.item] = reported.get(row.item, 0) + row.quantity
        yield tuple(
            ReturnedUnits(said, min(reported[item], said.order_quantity or reported[item]), reported[item])
            for item, said in first.items()
        )


def gathered(items: Iterable[ReturnedItem]) -> Iterator[ReturnedItem]:
    """The same items, those of one return one after the other, wherever they stand in the report."""
    return gathered_by(items, lambda item: (item.order_id, return_of(item), item.line), ReturnedItem._make)
