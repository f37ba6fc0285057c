"""What may happen to an order (ORD, CAN): its events with their variants, its clock, what its refunds say."""

from tests.model.order_state import BUYER, SELLER

HOME, ABROAD = "home", "abroad"
"""Other addresses of the buyer: in the country of automatic fulfilment, and outside (ORD-10, ORD-18)."""
ADDRESSES = {
    HOME: {"name": "Robin", "line1": "2 Oak St", "city": "Reno", "postal_code": "89501", "country": "US"},
    ABROAD: {"name": "Robin", "line1": "3 Ufer", "city": "Bonn", "postal_code": "53111", "country": "DE"},
}

EVENTS: dict[str, tuple[str, ...]] = {
    "release": ("",),
    "cancel_request": ("",),
    "payment_method_updated": ("good", "declined"),
    "shipment": ("s1:1", "s2:1", "s3:2", "s1:1:other"),
    "shipment_corrected": ("s1", "s3"),
    "supplier_shortage": ("1:1", "1:", "2:1"),
    "address_changed": (HOME, ABROAD),
    "hold": ("",),
    "resume": ("",),
    "choice_after_void": ("special_order", "source_elsewhere", "cancel"),
    "stock_arrived": ("",),
}
"""`shipment`: its id, its units, and `other` where it names another tracking number than it did.
`shipment_corrected`: its id. `supplier_shortage`: the number of the order to a supplier, and the units; none: all
that are to come."""
CLOCK = (11, 31, 65)
TAKEN_BACK = "taken back"
WORDS = tuple(f"{whose} {word}" for whose in (SELLER, BUYER) for word in ("succeeded", "failed", TAKEN_BACK))
"""What a refund says; `taken back`: it had succeeded, which nobody here has heard, and failed since (REF-7)."""
FATES = ("succeeds", "fails", "refused", "in doubt", "pending", "silent", "id taken")
"""What becomes of a refund that was sent. `silent`: the gateway gives no answer for days."""
IN_TIME = "in time"
"""A variant of `cancel_request`: it reached the server inside the window; the worker came to it late (CAN-3)."""
GUIDE: dict[str, tuple[tuple[str, str], ...]] = {
    "received": (("cancel_request", ""), ("hold", ""), ("shipment", "s1:1"), ("payment_method_updated", "good")),
    "awaiting_release": (
        ("release", ""),
        ("release", ""),
        ("cancel_request", ""),
        ("hold", ""),
        ("address_changed", ABROAD),
    ),
    "awaiting_payment": (
        ("payment_method_updated", "good"),
        ("payment_method_updated", "good"),
        ("cancel_request", ""),
    ),
    "cancel_window": (
        ("clock", "31"),
        ("clock", "31"),
        ("cancel_request", ""),
        ("hold", ""),
        ("shipment", "s1:1"),
        ("address_changed", HOME),
        ("address_changed", ABROAD),
    ),
    "on_hold": (("resume", ""), ("cancel_request", ""), ("payment_method_updated", "good"), ("resume", "")),
    "placing": (
        ("cancel_request", ""),
        ("shipment", "s1:1"),
        ("hold", ""),
        ("cancel_request", IN_TIME),
        ("address_changed", HOME),
        ("supplier_shortage", "1:1"),
    ),
    "awaiting_shipment": (
        ("shipment", "s1:1"),
        ("shipment", "s3:2"),
        ("shipment", "s2:1"),
        ("cancel_request", ""),
        ("refund_word", "seller succeeded"),
        ("supplier_shortage", "1:1"),
        ("supplier_shortage", "1:"),
        ("supplier_shortage", "2:1"),
        ("shipment_corrected", "s1"),
        ("shipment", "s1:1:other"),
    ),
    "awaiting_choice": (
        ("choice_after_void", "special_order"),
        ("choice_after_void", "special_order"),
        ("choice_after_void", "special_order"),
        ("choice_after_void", "source_elsewhere"),
        ("choice_after_void", "cancel"),
        ("cancel_request", ""),
        ("stock_arrived", ""),
        ("clock", "3000"),
    ),
    "awaiting_stock": (
        ("stock_arrived", ""),
        ("stock_arrived", ""),
        ("stock_arrived", ""),
        ("cancel_request", ""),
        ("hold", ""),
        ("shipment", "s1:1"),
        ("address_changed", HOME),
        ("refund_word", "seller succeeded"),
        ("refund_word", "seller failed"),
        ("payment_method_updated", "declined"),
        ("clock", "4400"),
    ),
    "cancelling": (
        ("refund_word", "seller succeeded"),
        ("refund_word", "buyer succeeded"),
        ("refund_word", "seller failed"),
        ("refund_word", "buyer taken back"),
        ("clock", "4400"),
        ("shipment", "s1:1"),
        ("cancel_request", ""),
    ),
}
"""What goes on from each stage, or is awkward there: chosen more often than the rest."""


def label_of(parcel: str, other: str = "") -> str:
    """The tracking number of a parcel, or another one of it."""
    return f"1Z{parcel}{other}"
