"""What is known here of a return that Amazon's report speaks of (AMZ-1, RET-20)."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from activities.database.case_numbers import find_cases
from activities.database.transactions import read
from models.amazon.return_imports import amazon_return_id
from models.amazon.returned_items import ReturnedItem
from models.ids import case_of
from models.orphans import FindCases, kept_as
from models.tables import OrderLineRow, ReturnRow
from models.tables.orphans import OrphanRow


class KnownReturn(NamedTuple):
    """`order_id`: the one order here that Amazon means, none if none fits, or several; `line_ids`: its lines.
    `opened_at`: of the return, if it is there. `is_kept`: it waits for its order as an orphan."""

    order_id: str | None
    line_ids: tuple[str, ...]
    opened_at: datetime | None
    is_kept: bool


def known_return(engine: Engine, item: ReturnedItem, seller_id: str) -> KnownReturn:
    """Raises as `read` does."""
    return read(engine, lambda session: _known(session, item, seller_id))


def _known(session: Session, item: ReturnedItem, seller_id: str) -> KnownReturn:
    return_id = amazon_return_id(item)
    ask = FindCases(about="order", numbers=(item.order_id,), seller_id=seller_id)
    fitting = find_cases(session, ask).fitting
    order_id = case_of(fitting[0])[1] if len(fitting) == 1 else None
    lines = select(OrderLineRow.line_id).where(OrderLineRow.order_id == order_id)
    row = session.get(ReturnRow, return_id)
    kept = select(OrphanRow.orphan_id).where(col(OrphanRow.workflow_id).in_(kept_as(return_id)))
    return KnownReturn(
        order_id=order_id,
        line_ids=tuple(session.exec(lines)) if order_id is not None and item.order_item_id else (),
        opened_at=row.created_at if row is not None and row.run_id is not None else None,
        is_kept=session.exec(kept).first() is not None,
    )
