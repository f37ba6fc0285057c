"""What a marketplace says of an order whose buyer asks it to cancel (CAN-7, CAN-8)."""

from models.ids import CaseId
from models.message import Message, Quantity


class LookAtMarketplace(Message):
    """How does the order stand there?"""

    order_id: CaseId


class MarketplaceOrder(Message):
    """`cancelled`: all of it is; otherwise `items` are, and `unclear_items`, of which it does not say how many.
    `by_buyer`: the buyer did it, as far as the marketplace says. Where nobody can be asked, nothing is known of
    it, and it counts as not cancelled."""

    cancelled: bool = False
    by_buyer: bool = False
    reason: str | None = None
    items: tuple[Quantity, ...] = ()
    """As the marketplace names them."""
    unclear_items: tuple[str, ...] = ()
