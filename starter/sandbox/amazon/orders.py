"""Orders 2026-01-01 (getOrder) and finances 2024-06-19 (listTransactions)."""

from datetime import timedelta
from typing import Any

from starter.sandbox.amazon.books import AmazonBooks, Cancelled, Ordered, Refunded
from starter.sandbox.amazon.errors import invalid, no_such
from starter.sandbox.amazon.facts import AmazonItemSeed
from starter.sandbox.amazon.feeds import Feeds
from starter.sandbox.amazon.wire_forms import asked_for, moment
from starter.sandbox.wire import Answer, Asked


class Orders:
    """Of all accounts."""

    def __init__(self, books: AmazonBooks, feeds: Feeds) -> None:
        self._books = books
        self._store = books.store
        self._feeds = feeds

    def get(self, asked: Asked) -> Answer:
        """Buyer and recipient are left out: nobody asks for them here."""
        self._feeds.go_on()
        order = self._store.get(Ordered, asked.parts["id"])
        if order is None:
            raise no_such("order")
        told = (asked_for(asked, "includedData") or "").split(",")
        body: dict[str, Any] = {
            "orderId": order.id,
            "createdTime": moment(order.at),
            "lastUpdatedTime": moment(order.at),
            "salesChannel": {"channelName": "AMAZON"},
            "orderItems": [
                self._item(order.id, item, "CANCELLATION" in told, "FULFILLMENT" in told)
                for item in order.seed.items
            ],
        }
        if "FULFILLMENT" in told:
            body["fulfillment"] = {"fulfillmentStatus": order.seed.status, "fulfilledBy": "MERCHANT"}
        return Answer(200, {"order": body})

    def _item(self, order_id: str, item: AmazonItemSeed, cancellation: bool, fulfillment: bool) -> dict[str, Any]:
        body: dict[str, Any] = {
            "orderItemId": item.order_item_id,
            "quantityOrdered": item.quantity,
            "product": {"sellerSku": item.seller_sku},
        }
        if fulfillment:
            left = max(item.quantity - item.shipped, 0)
            body["fulfillment"] = {"quantityFulfilled": item.shipped, "quantityUnfulfilled": left}
        if cancellation:
            told: dict[str, Any] = {}
            if item.cancel_requested is not None:
                told["cancellationRequest"] = {"requester": "BUYER", "cancelReason": item.cancel_requested}
            done = self._store.find(Cancelled, owner=order_id)
            reasons = [one.fact.reason for one in done if one.fact.order_item_id == item.order_item_id]
            if item.cancelled_by is not None or reasons:
                reason = reasons[0] if reasons else "OTHER"
                told["cancellationExecution"] = {
                    "cancelledBy": item.cancelled_by or "MERCHANT",
                    "cancelReason": reason,
                }
            if told:
                body["cancellation"] = told
        return body

    def transactions(self, asked: Asked) -> Answer:
        """The refunds of an order, as late as `transactions_after_seconds` says."""
        self._feeds.go_on()
        name, value = asked_for(asked, "relatedIdentifierName"), asked_for(asked, "relatedIdentifierValue")
        if name != "ORDER_ID" or not value:
            raise invalid("Here transactions are found by ORDER_ID.")
        behaviour = self._books.behaviour
        late = timedelta(seconds=behaviour.transactions_after_seconds)
        account, now = asked.parts["account"], self._store.now()
        found = [
            _transaction(one, "DEFERRED" if behaviour.transactions_deferred else "RELEASED")
            for one in self._store.find(Refunded, owner=value)
            if one.account == account and one.fact.at + late <= now
        ]
        return Answer(200, {"payload": {"transactions": found}})


def _transaction(refunded: Refunded, status: str) -> dict[str, Any]:
    fact = refunded.fact
    total = {"currencyCode": fact.currency, "currencyAmount": -float(fact.amount)}
    return {
        "transactionType": "Refund",
        "transactionId": f"SB{refunded.id.replace('/', '-')}",
        "transactionStatus": status,
        "description": "Refund Order",
        "postedDate": moment(fact.at),
        "totalAmount": total,
        "relatedIdentifiers": [
            {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": fact.order_id},
            {"relatedIdentifierName": "REFUND_ID", "relatedIdentifierValue": fact.adjustment_id or ""},
        ],
        "items": [
            {
                "relatedIdentifiers": [
                    {
                        "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                        "itemRelatedIdentifierValue": fact.order_item_id,
                    }
                ],
                "totalAmount": total,
            }
        ],
    }
