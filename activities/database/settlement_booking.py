"""A settlement is entered in the ledger, some orders at a time, and its refunds are matched with ours (AMZ-8)."""

from sqlmodel import Session, select

from activities.database.ledger import post
from activities.database.settlement_matching import match_refunds
from activities.database.settlement_sums import end_of_order, settled_between
from models.amazon.settlements import SettlementState
from models.ledger import amounts_settled
from models.tables import SettlementRow


def book_some(session: Session, import_id: str, most: int) -> SettlementRow:
    """Enter what comes next: about so many amounts, to the end of an order; each once, however often it is tried.
    Gives the settlement as it stands then."""
    found = select(SettlementRow).where(SettlementRow.import_id == import_id).with_for_update()
    settlement = session.exec(found).one()
    if settlement.state is not SettlementState.BOOKING:
        return settlement
    start, end = settlement.booked_to, end_of_order(session, settlement, settlement.booked_to + most - 1)
    settled = settled_between(session, settlement, start, end)
    post(session, (entry for one in settled for entry in amounts_settled(one)))
    match_refunds(session, settlement, start, end)
    settlement.booked_to = end
    if end == settlement.amounts:
        settlement.state = SettlementState.BOOKED
    session.add(settlement)
    return settlement
