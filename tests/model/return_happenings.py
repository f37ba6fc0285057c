"""What may happen to a return (RET): its events with their variants, its clock, what its refunds say."""

from tests.model.replacement_order import WORDS as WORDS_OF_ORDER
from tests.model.return_state import BUYER, SELLER

EVENTS: dict[str, tuple[str, ...]] = {
    "seller_approval": ("approved", "with fee", "too dear", "all of it", "returnless", "rejected"),
    "supplier_rma": ("issued", "refused"),
    "return_tracking": ("",),
    "goods_received": (
        "accepted",
        "rejected",
        "manual",
        "too many",
        "one accepted",
        "one rejected",
        "short",
        "both",
    ),
    "credit_memo": ("c1:6300", "c2:3150", "c1:3150", "foreign", "c3:2000 final"),
    "buyer_refund": ("", "1000", "99900"),
    "refund_declined": ("declined", "replaced"),
    "withdrawal": ("",),
    "channel_update": ("refunded_by_channel", "escalated"),
    "staff_override": ("tracking", "rma", "inspection", "credit_memo", "by the seller"),
}
REPLACING = {
    "seller_approval": ("replacement",),
    "staff_override": ("replacement",),
    "replacement_word": WORDS_OF_ORDER,
}
"""What there is of a replacement beside that (RET-24)."""
CORRECTIONS = ("instead: accepted", "instead: one accepted", "instead: rejected", "instead: nothing")
"""Receipts that correct the last one that counts (RET-26)."""
ENTRIES: dict[str, tuple[tuple[str, int], ...]] = {
    "accepted": (("accepted", 2),),
    "rejected": (("rejected", 2),),
    "manual": (("manual", 2),),
    "too many": (("accepted", 3),),
    "one accepted": (("accepted", 1),),
    "one rejected": (("rejected", 1),),
    "short": (("short", 1),),
    "both": (("accepted", 1), ("rejected", 1)),
    "nothing": (),
}
"""What a receipt says: a word and so many units (RET-25). `short`: accepted, and no more comes."""
CLOCK = (8, 31, 61)
TAKEN_BACK = "taken back"
WORDS = tuple(f"{whose} {word}" for whose in (BUYER, SELLER) for word in ("succeeded", "failed", TAKEN_BACK))
"""What a refund says that was pending, in doubt, or had succeeded (REF-7); `taken back`: it had succeeded, which
nobody here has heard, and failed since."""
FATES = ("succeeds", "fails", "refused", "in doubt", "pending", "silent", "id taken")
"""What becomes of a refund that was sent. `silent`: the gateway gives no answer for days; `id taken`: its id is
another request's, so that it is asked for under the next one."""


def receipt(sku: str, variant: str) -> list[dict[str, object]]:
    """The lines of a receipt, as they are sent."""
    return [
        {
            "sku": sku,
            "quantity": count,
            "reception": "short" if word == "short" else "received",
            "acceptance": "accepted" if word == "short" else word,
        }
        for word, count in ENTRIES[variant]
    ]


GUIDE: dict[str, tuple[tuple[str, str], ...]] = {
    "opening": (
        ("seller_approval", "with fee"),
        ("seller_approval", "approved"),
        ("return_tracking", ""),
        ("credit_memo", "c2:3150"),
    ),
    "awaiting_approval": (
        ("seller_approval", "approved"),
        ("seller_approval", "with fee"),
        ("seller_approval", "returnless"),
        ("seller_approval", "approved"),
        ("seller_approval", "all of it"),
        ("seller_approval", "rejected"),
        ("withdrawal", ""),
    ),
    "awaiting_rma": (("supplier_rma", "issued"), ("staff_override", "rma"), ("supplier_rma", "refused")),
    "rma_refused": (("supplier_rma", "issued"), ("staff_override", "rma")),
    "awaiting_tracking": (("return_tracking", ""), ("goods_received", "accepted"), ("credit_memo", "c1:6300")),
    "replacing": (
        ("replacement_word", "ships one"),
        ("replacement_word", "nobody has it"),
        ("replacement_word", "cancelled"),
        ("replacement_word", "too late"),
        ("replacement_word", "with supplier"),
        ("replacement_word", "stopped"),
        ("buyer_refund", ""),
        ("staff_override", "replacement"),
        ("refund_declined", "declined"),
        ("goods_received", "accepted"),
    ),
    "expired": (("return_tracking", ""), ("staff_override", "tracking")),
    "in_transit": (
        ("goods_received", "one accepted"),
        ("goods_received", "accepted"),
        ("credit_memo", "c1:6300"),
        ("goods_received", "rejected"),
        ("buyer_refund", ""),
        ("withdrawal", ""),
        ("channel_update", "refunded_by_channel"),
    ),
    "awaiting_credit": (
        ("credit_memo", "c1:6300"),
        ("credit_memo", "c2:3150"),
        ("buyer_refund", "1000"),
        ("withdrawal", ""),
        ("goods_received", "rejected"),
        ("staff_override", "credit_memo"),
        ("credit_memo", "c3:2000 final"),
    ),
    "refunding_seller": (
        ("refund_word", "seller succeeded"),
        ("refund_word", "seller failed"),
        ("refund_word", "seller taken back"),
        ("clock", "8"),
        ("buyer_refund", ""),
        ("goods_received", "rejected"),
    ),
    "awaiting_buyer_refund": (
        ("buyer_refund", ""),
        ("buyer_refund", "1000"),
        ("refund_word", "buyer succeeded"),
        ("refund_word", "buyer failed"),
        ("channel_update", "refunded_by_channel"),
        ("goods_received", "accepted"),
        ("goods_received", "both"),
        ("refund_declined", "declined"),
    ),
    "refunding_buyer": (
        ("refund_word", "buyer succeeded"),
        ("refund_word", "buyer taken back"),
        ("refund_word", "buyer failed"),
        ("buyer_refund", ""),
        ("withdrawal", ""),
        ("channel_update", "refunded_by_channel"),
    ),
    "completed": (
        ("refund_word", "buyer failed"),
        ("refund_word", "seller failed"),
        ("refund_word", "buyer failed"),
    ),
}
"""What goes on from each stage, or is awkward there: chosen more often than the rest."""
