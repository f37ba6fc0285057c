"""Whether units of an order may wait for stock as a special order (ORD-8)."""

from collections import Counter

from sqlmodel import Session

from activities.database.claims import claimed_units
from activities.database.order_lines import order_lines
from activities.database.refund_units import refunded_units
from activities.database.refunds import refund_rows
from models.failures import NotFound
from models.special_orders import CheckSpecialOrder, SpecialOrderChecked
from models.tables import OrderRow


def check_special_order(session: Session, ask: CheckSpecialOrder) -> SpecialOrderChecked:
    """The units are open again in the database. Whoever claims or refunds some of them locks the order too: so
    it was seen here, or it sees that they are open. No claim pays for what the broker sends (CLM-1), and no unit
    is sent whose money went back to the buyer.

    Raises NotFound for an order that was never opened.
    """
    if session.get(OrderRow, ask.order_id, with_for_update=True) is None:
        raise NotFound(f"no order {ask.order_id} in the database")
    claimed = claimed_units(session, ask.order_id)
    refunded = Counter(refunded_units(session, refund_rows(session, ask.order_id)))
    for line_id, row in order_lines(session, ask.order_id).items():
        if line_id not in ask.units:
            continue
        if (taken := claimed[line_id] - row.voided) > 0:
            return SpecialOrderChecked(reason=f"{taken} of {row.sku} are claimed as bought elsewhere (CLM-1)")
        if (taken := refunded[line_id] - row.voided - row.cancelled - row.shipped) > 0:
            return SpecialOrderChecked(reason=f"{taken} of {row.sku} are refunded to the buyer (REF-13)")
    return SpecialOrderChecked()
