"""Ways in which what was sent is no event of the contract, nor a request that starts a case."""

from typing import Any

DAMAGES = (
    "wrong type",
    "no value",
    "extra field",
    "number for money",
    "no argument",
    "two arguments",
    "not an object",
    "unknown name",
    "long note",
)
MEGABYTE = 1_000_000
MONEY = {
    "seller_approval": "return_fee",
    "credit_memo": "amount",
    "buyer_refund": "amount",
    "channel_update": "amount",
    "refund": "amount",
}
"""The field that holds money, of what has one."""


def damaged(name: str, event: dict[str, Any], damage: str) -> tuple[str, list[Any]]:
    """What is sent instead of a good event: its name, and the arguments."""
    if damage == "unknown name":
        return f"{name}_please", [event]
    return name, _arguments(event, damage, who="actor", money=MONEY.get(name, "event_id"), text="note")


def damaged_refund(request: dict[str, Any], damage: str) -> list[Any]:
    """The arguments that a refund is started with instead of a good request."""
    if damage == "unknown name":
        return [request | {"direction": "nobody_to_buyer"}]
    return _arguments(request, damage, who="requested_by", money=MONEY["refund"], text="reason")


def _arguments(message: dict[str, Any], damage: str, *, who: str, money: str, text: str) -> list[Any]:
    match damage:
        case "wrong type":
            return [message | {who: ["seller", "jane"]}]
        case "no value":
            return [message | {who: None}]
        case "extra field":
            return [message | {"surprise": "x"}]
        case "number for money":
            return [message | {money: 10.5}]
        case "no argument":
            return []
        case "two arguments":
            return [message, message]
        case "not an object":
            return ["a text"]
        case "long note":
            return [message | {text: "x" * MEGABYTE}]
    raise AssertionError(damage)
