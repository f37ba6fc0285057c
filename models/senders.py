"""Who may say what: one table of event x role, by kind of case (RET-16).

It is checked at the door and shown in `docs/events.md`. Staff may say all that people can say: they type what
others tell them. Nobody who gains by a word may say it alone: a seller no credit memo, a buyer neither its refund
nor where its parcel goes.
"""

from enum import StrEnum
from typing import ClassVar, Final

from models.failures import BackhaulError, Category
from models.message import Event


class Role(StrEnum):
    """On which side the sender of an event stands: the first part of `actor`."""

    SELLER = "seller"
    BUYER = "buyer"
    SUPPLIER = "supplier"
    STAFF = "staff"
    BROKER = "broker"
    """The broker's own systems and people."""
    CHANNEL = "channel"
    """A shop or marketplace."""
    CARRIER = "carrier"
    GATEWAY = "gateway"
    SCRIPT = "script"
    """A program of this installation that acts for staff."""
    SYSTEM = "system"
    """Backhaul itself, which sends itself no event."""


Roles = tuple[Role, ...]

_SELLER, _BUYER, _SUPPLIER = Role.SELLER, Role.BUYER, Role.SUPPLIER
_STAFF, _BROKER, _SCRIPT = Role.STAFF, Role.BROKER, Role.SCRIPT
_CHANNEL, _CARRIER, _GATEWAY = Role.CHANNEL, Role.CARRIER, Role.GATEWAY

ORDER_SENDERS: Final[dict[str, Roles]] = {
    "release": (_SELLER, _BROKER, _STAFF, _SCRIPT),  # the seller's click (ORD-2)
    # No supplier: one that can't deliver refuses the order, or tells of a shortage (ORD-19).
    "cancel_request": (_BUYER, _SELLER, _CHANNEL, _BROKER, _STAFF, _SCRIPT),
    "payment_method_updated": (_SELLER, _STAFF, _SCRIPT),  # by it the seller is charged (ORD-3)
    "shipment": (_SUPPLIER, _CARRIER, _BROKER, _STAFF, _SCRIPT),
    "hold": (_SELLER, _CHANNEL, _BROKER, _STAFF, _SCRIPT),  # the marketplace: a buyer wants to cancel (CAN-7)
    "resume": (_SELLER, _BROKER, _STAFF, _SCRIPT),  # answered by people, not by the marketplace (CAN-8)
    "address_changed": (_BUYER, _SELLER, _CHANNEL, _STAFF, _SCRIPT),
    "shipment_corrected": (_SUPPLIER, _CARRIER, _BROKER, _STAFF, _SCRIPT),
    "supplier_shortage": (_SUPPLIER, _BROKER, _STAFF, _SCRIPT),
    "choice_after_void": (_SELLER, _STAFF, _SCRIPT),  # the seller's choices (ORD-8)
    # No seller, who does not know the stock: by it the seller is charged anew (ORD-8).
    "stock_arrived": (_SUPPLIER, _BROKER, _STAFF, _SCRIPT),
    # No buyer, whose days it starts (RET-22).
    "delivered": (_CARRIER, _CHANNEL, _SELLER, _SUPPLIER, _BROKER, _STAFF, _SCRIPT),
}

RETURN_SENDERS: Final[dict[str, Roles]] = {
    "seller_approval": (_SELLER, _STAFF, _SCRIPT),
    "supplier_rma": (_SUPPLIER, _BROKER, _STAFF, _SCRIPT),  # it says where the parcel goes (RET-9)
    "return_tracking": (_BUYER, _SELLER, _SUPPLIER, _CARRIER, _CHANNEL, _BROKER, _STAFF, _SCRIPT),
    # No carrier: that it was delivered is no inspection (RET-11).
    "goods_received": (_SUPPLIER, _BROKER, _STAFF, _SCRIPT),
    "credit_memo": (_SUPPLIER, _BROKER, _STAFF, _SCRIPT),  # it pays the seller (RET-13)
    "buyer_refund": (_SELLER, _STAFF, _SCRIPT),  # a person's review (REF-1)
    "refund_declined": (_SELLER, _STAFF, _SCRIPT),  # the seller's word, of which the buyer is told (RET-27)
    "withdrawal": (_BUYER, _SELLER, _CHANNEL, _STAFF, _SCRIPT),
    "channel_update": (_CHANNEL, _STAFF, _SCRIPT),
    "staff_override": (_BROKER, _STAFF),
}

REFUND_SENDERS: Final[dict[str, Roles]] = {
    "gateway_update": (_GATEWAY, _STAFF, _SCRIPT),
    # A second person's; no script's (REF-12).
    "refund_confirmed": (_SELLER, _BROKER, _STAFF),
    "refund_rejected": (_SELLER, _BROKER, _STAFF),
    # A person's last word; no seller's, who would be paid twice by saying that nothing came (REF-11).
    "refund_resolved": (_BROKER, _STAFF),
}


ORPHAN_SENDERS: Final[dict[str, Roles]] = {
    # A named person's word (RET-20); no seller's, who would say which supplier's credit is his.
    "match": (_BROKER, _STAFF),
    "dismiss": (_BROKER, _STAFF),
}


COST_REVIEW_SENDERS: Final[dict[str, Roles]] = {
    "cost_decision": (_BROKER, _STAFF),  # it pays the seller: no seller's, no script's (BAL-2)
    "review_withdrawn": (_SELLER, _STAFF, _SCRIPT),
    "evidence_added": (_SELLER, _SUPPLIER, _BROKER, _STAFF, _SCRIPT),
}


CLAIM_SENDERS: Final[dict[str, Roles]] = {
    "claim_decision": (_BROKER, _STAFF),  # it pays the seller: no seller's, no script's (CLM-1)
    "claim_withdrawn": (_SELLER, _STAFF, _SCRIPT),
    "receipt_added": (_SELLER, _BROKER, _STAFF, _SCRIPT),
}


BATCH_SENDERS: Final[dict[str, Roles]] = {
    # A person's last word on what may be sent a second time (AMZ-10); no seller's, no script's.
    "feed_resolved": (_BROKER, _STAFF),
}


RETURN_REQUEST_SENDERS: Final[Roles] = (_CHANNEL, _BROKER, _STAFF, _SCRIPT)
"""Of what a marketplace opened; who asks here starts the return (RET-1)."""


class NotTheirs(BackhaulError):
    """An event from somebody who may not say this."""

    category: ClassVar[Category] = Category.REFUSED_BY_RULE


def role_of(event: Event) -> Role:
    """The side of its sender: `seller:jane` -> seller."""
    return Role(event.actor.partition(":")[0])


def require_sender(name: str, event: Event, allowed: Roles) -> None:
    """Raise NotTheirs, with the roles that may, when the sender of this event may not say it."""
    role = role_of(event)
    if role not in allowed:
        raise NotTheirs(f"only {in_words(allowed)} may send {name}, and this is from a {role}")


def in_words(roles: Roles) -> str:
    """`supplier, broker, staff or script`."""
    *first, last = roles
    return f"{', '.join(first)} or {last}" if first else last
