"""Who sends each event in the tests, unless a test says otherwise: somebody who may (RET-16)."""

from typing import Final

SELLER: Final = "seller:jane"
_OTHERS: Final = {
    "shipment": "supplier:dock",
    "shipment_corrected": "supplier:dock",
    "delivered": "carrier:ups",
    "supplier_shortage": "supplier:office",
    "stock_arrived": "broker:stock",
    "supplier_rma": "supplier:dock",
    "goods_received": "supplier:dock",
    "credit_memo": "supplier:office",
    "channel_update": "channel:ebay",
    "staff_override": "staff:sam",
    "gateway_update": "gateway:stripe",
    "refund_confirmed": "seller:tom",
    "refund_rejected": "seller:tom",
    "refund_resolved": "staff:sam",
    "match": "staff:sam",
    "cost_decision": "staff:sam",
    "claim_decision": "staff:sam",
    "dismiss": "staff:sam",
    "feed_resolved": "staff:sam",
}


def sender_of(event: str) -> str:
    """The actor of an event of this name."""
    return _OTHERS.get(event, SELLER)
