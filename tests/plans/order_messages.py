"""What is sent to an order in process for each happening."""

from functools import lru_cache
from typing import Any

from models import contract
from models.ids import supplier_order_number
from models.message import Event
from tests.model.order_happenings import ADDRESSES, label_of
from tests.model.procedure import Happening
from tests.senders import sender_of

CARDS = {"good": "pm_card_visa", "declined": "pm_card_chargeDeclined"}


@lru_cache(maxsize=4096)
def event_of(happening: Happening) -> Event:
    """What is sent for a happening."""
    model = contract.ORDER_EVENTS[happening.name]
    common: dict[str, Any] = {"event_id": f"h{happening.ident}", "actor": sender_of(happening.name)}
    match happening.name:
        case "payment_method_updated":
            common["payment_method"] = CARDS[happening.variant]
        case "shipment":
            parcel, units, *other = happening.variant.split(":")
            lines = [{"sku": "A", "quantity": int(units)}]
            number = label_of(parcel, *other)
            common |= {"shipment_id": parcel, "carrier": "UPS", "tracking_number": number, "lines": lines}
        case "shipment_corrected":
            number = label_of(happening.variant, "new")
            common |= {"shipment_id": happening.variant, "carrier": "UPS", "tracking_number": number}
        case "supplier_shortage":
            ordinal, _, units = happening.variant.partition(":")
            common |= {
                "supplier_order_number": supplier_order_number("1001", int(ordinal)),
                "reason": "sold twice",
            }
            if units:
                common["lines"] = [{"sku": "A", "quantity": int(units)}]
        case "address_changed":
            common["address"] = ADDRESSES[happening.variant]
        case "choice_after_void":
            common["choice"] = happening.variant
        case "cancel_request" | "hold" | "resume":
            common["reason"] = "changed their mind"
    return model.model_validate(common)
