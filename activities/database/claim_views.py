"""What lists show of a claim (CLM-1)."""

from datetime import datetime

from activities.database.views import Standing
from models.claims import ClaimState
from models.message import LineUnits, Message
from models.money import Amount
from models.returns import Evidence


class ClaimListed(Message):
    """One claim: what the seller paid elsewhere, for which units, what was decided, by whom (CLM-1)."""

    claim_id: str
    order_id: str
    seller_id: str
    units: tuple[LineUnits, ...]
    amount: Amount
    currency: str
    state: ClaimState
    approved: Amount | None
    dealer: str
    notes: str | None
    requested_by: str
    receipts: tuple[Evidence, ...]
    decided_by: str | None
    reason: str | None
    requested_at: datetime
    settled_at: datetime | None
    standing: Standing | None
