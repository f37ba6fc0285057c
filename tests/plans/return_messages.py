"""What is sent to a return in process for each happening."""

from datetime import date
from functools import lru_cache
from typing import Any

from models import contract
from models.message import Event
from tests.model.procedure import Happening
from tests.model.return_happenings import receipt
from tests.senders import sender_of


@lru_cache(maxsize=4096)
def event_of(happening: Happening, corrects: str | None = None) -> Event:
    """What is sent for a happening."""
    model = contract.RETURN_EVENTS[happening.name]
    common: dict[str, Any] = {"event_id": f"h{happening.ident}", "actor": sender_of(happening.name)}
    common |= {"corrects": corrects} if corrects else {}
    return model.model_validate(common | _fields(happening.name, happening.variant))


def _fields(name: str, variant: str) -> dict[str, Any]:
    match name:
        case "seller_approval":
            fee = {"with fee": "10.00", "too dear": "1000.00", "all of it": "100.00"}.get(variant, "0")
            decision = "rejected" if variant == "rejected" else "approved"
            said = {"return_fee": fee, "returnless": variant == "returnless", "reason": "as agreed"}
            if variant == "replacement":
                said["resolution"] = "replacement"
            return {"decision": decision, **said}
        case "supplier_rma":
            return {"outcome": variant, "rma_number": "RMA-1", "reason": "as agreed"}
        case "return_tracking":
            return {"carrier": "UPS", "tracking_number": "1ZBACK"}
        case "goods_received":
            return {"lines": receipt("A", variant.removeprefix("instead: "))}
        case "credit_memo":
            number, _, rest = variant.partition(":")
            cents, _, final = rest.partition(" ")
            money = {"amount": f"{int(cents or 100) / 100:.2f}", "currency": "USD" if cents else "EUR"}
            return {"number": number, "date": date(2026, 3, 1), "final": bool(final), **money}
        case "refund_declined":
            return {"kind": variant, "reason": "as agreed"}
        case "buyer_refund":
            return {"reason": "goods are back"} | ({"amount": f"{int(variant) / 100:.2f}"} if variant else {})
        case "channel_update":
            return {"status": variant}
        case "staff_override":
            by_seller = variant == "by the seller"
            who, what = ("seller:jane", "tracking") if by_seller else ("staff:sam", variant)
            return {"actor": who, "waive": what, "reason": "as agreed"}
    return {"reason": "changed their mind"}
