"""What is said to Amazon about orders: refunds and cancellations, as messages of a feed. Amounts are for the whole
quantity, positive to the buyer, negative what is kept."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field

from models.forms import written_as
from models.message import Message, WholeQuantity
from models.money import Amount, Currency

ORDER_ID_FORM: Final = "[0-9]{3}-[0-9]{7}-[0-9]{7}"
AmazonOrderId = Annotated[str, written_as(ORDER_ID_FORM, "is a number of Amazon's: 111-1234567-1234567")]
OrderItemCode = Annotated[str, written_as(r"\d{14,15}", "is Amazon's number of an order item: 14 or 15 digits")]
AdjustmentKey = Annotated[str, Field(min_length=1, max_length=50)]


class AdjustmentReason(StrEnum):
    """Why money goes back."""

    NO_INVENTORY = "NoInventory"
    CUSTOMER_RETURN = "CustomerReturn"
    GENERAL_ADJUSTMENT = "GeneralAdjustment"
    COULD_NOT_SHIP = "CouldNotShip"
    DIFFERENT_ITEM = "DifferentItem"
    ABANDONED = "Abandoned"
    CUSTOMER_CANCEL = "CustomerCancel"
    PRICE_ERROR = "PriceError"
    PRODUCT_OUT_OF_STOCK = "ProductOutofStock"
    CUSTOMER_ADDRESS_INCORRECT = "CustomerAddressIncorrect"
    EXCHANGE = "Exchange"
    OTHER = "Other"
    CARRIER_CREDIT_DECISION = "CarrierCreditDecision"
    RISK_ASSESSMENT_NOT_VALID = "RiskAssessmentInformationNotValid"
    CARRIER_COVERAGE_FAILURE = "CarrierCoverageFailure"
    TRANSACTION_RECORD = "TransactionRecord"
    UNDELIVERABLE = "Undeliverable"
    REFUSED_DELIVERY = "RefusedDelivery"


class CancelReason(StrEnum):
    """Why an order item is cancelled."""

    NO_INVENTORY = "NoInventory"
    ADDRESS_UNDELIVERABLE = "ShippingAddressUndeliverable"
    CUSTOMER_EXCHANGE = "CustomerExchange"
    BUYER_CANCELED = "BuyerCanceled"
    GENERAL_ADJUSTMENT = "GeneralAdjustment"
    CARRIER_CREDIT_DECISION = "CarrierCreditDecision"
    RISK_ASSESSMENT_NOT_VALID = "RiskAssessmentInformationNotValid"
    CARRIER_COVERAGE_FAILURE = "CarrierCoverageFailure"
    CUSTOMER_RETURN = "CustomerReturn"
    MERCHANDISE_NOT_RECEIVED = "MerchandiseNotReceived"


class ComponentType(StrEnum):
    """Those components that Backhaul composes; Amazon knows more."""

    PRINCIPAL = "Principal"
    TAX = "Tax"
    SHIPPING = "Shipping"
    SHIPPING_TAX = "ShippingTax"
    RESTOCKING_FEE = "RestockingFee"
    GOODWILL = "Goodwill"


class PriceComponent(Message):
    """One part of what goes back; never zero."""

    type: ComponentType
    amount: Amount


class AdjustedItem(Message):
    """One order item. `adjustment_key`: ours; it comes back in the settlement."""

    order_item_code: OrderItemCode
    adjustment_key: AdjustmentKey
    reason: AdjustmentReason
    currency: Currency
    components: Annotated[tuple[PriceComponent, ...], Field(min_length=1)]
    quantity_cancelled: WholeQuantity | None = None

    @property
    def amount(self) -> Decimal:
        return sum((one.amount for one in self.components), Decimal(0))


class OrderAdjustment(Message):
    """A refund; with `cancels`, the cancellation of part of a quantity."""

    order_id: AmazonOrderId
    cancels: bool = False
    items: Annotated[tuple[AdjustedItem, ...], Field(min_length=1)]

    @property
    def amount(self) -> Decimal:
        return sum((one.amount for one in self.items), Decimal(0))


class AcknowledgedItem(Message):
    """An order item that is cancelled as a whole."""

    order_item_code: OrderItemCode
    reason: CancelReason


class OrderAcknowledgement(Message):
    """The cancellation of whole order items."""

    order_id: AmazonOrderId
    items: Annotated[tuple[AcknowledgedItem, ...], Field(min_length=1)]


class NeedsPersonWhy(StrEnum):
    """Why nothing was composed."""

    PROMOTION = "promotion"
    GIFT_WRAP = "gift_wrap"
    """Something was paid beside goods and shipping, which may be gift wrap."""
    CASH_ON_DELIVERY = "cash_on_delivery"
    QUANTITY = "quantity"
    """Quantity and total do not agree, or parts of a kit are named."""
    NUMBERS = "numbers"
    """Order or line have no number of Amazon's."""
    REFUNDED_BY_AMAZON = "refunded_by_amazon"
    """Amazon refunded of the order by itself: it may be the same money."""


class NeedsPerson(Message):
    """It is not composed: a person makes it at Amazon, or says it otherwise. `words`: what it is about."""

    why: NeedsPersonWhy
    words: str

    @classmethod
    def doubt(cls, words: str) -> Self:
        """Quantity and total do not agree."""
        return cls(why=NeedsPersonWhy.QUANTITY, words=words)
