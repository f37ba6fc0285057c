"""What a settlement report of Amazon says: its dates and total, and one amount a row (AMZ-8)."""

from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from models.amazon.returned_items import plain_word


class Component(StrEnum):
    """What an amount of a settlement is."""

    SOLD = "sold"
    """The buyer's money of an order: price, tax, shipping, gift wrap, less promotions."""
    REFUNDED = "refunded"
    """The buyer's money that went back."""
    COMMISSION = "commission"
    COMMISSION_RETURNED = "commission_returned"
    """What Amazon gave back of its commission, as the item was refunded."""
    ADMINISTRATION_FEE = "administration_fee"
    """What it kept of that: `RefundCommission`."""
    FEE = "fee"
    """Any other fee."""
    TAX_WITHHELD = "tax_withheld"
    """What Amazon collects, and pays to the tax office itself."""
    RESERVE = "reserve"
    """What Amazon keeps back until the next settlement, and gives from the one before."""
    UNKNOWN = "unknown"
    """Words that are not known here: listed, and on an account of their own."""


class SettlementHead(NamedTuple):
    """The first row: dates and total only; a date that can't be read is none."""

    settlement_id: str
    started_at: datetime | None
    ended_at: datetime | None
    deposited_at: datetime | None
    total: int
    """Of the currency's smallest unit; may be less than nothing."""
    currency: str


class SettledAmount(NamedTuple):
    """One amount, as one row says it; what it does not say is empty, or none. Words are as Amazon wrote them.

    A tuple, for settlements have a million rows.
    """

    line: int
    """Where it stands in the file, from 1."""
    transaction_type: str
    """`Refund`; an open list, as the two words below."""
    amount_type: str
    amount_description: str
    units: int
    """Of the currency's smallest unit; less than nothing: Amazon takes it."""
    order_id: str
    """What it means depends on the type: mostly `111-1234567-1234567`, and often empty."""
    order_item_code: str
    adjustment_key: str
    """`merchant-adjustment-item-id`: ours, of the refund that was sent to Amazon."""
    adjustment_id: str
    """Amazon's."""
    sku: str
    quantity: str
    posted_at: datetime | None

    @property
    def component(self) -> Component:
        return component_of(self.transaction_type, self.amount_type, self.amount_description)


class SettlementSums:
    """Adds a settlement up while it is read: exactly, and by component."""

    def __init__(self) -> None:
        self.rows = 0
        self.units = 0
        self.moved = 0
        """Without signs: what any part of it is less than."""
        self.of_component: dict[Component, int] = {}

    def add(self, row: SettledAmount) -> None:
        component = row.component
        self.rows += 1
        self.units += row.units
        self.moved += abs(row.units)
        self.of_component[component] = self.of_component.get(component, 0) + row.units


SALES: Final = frozenset(("order", "orderretrocharge"))
REFUNDS: Final = frozenset(
    ("refund", "refundretrocharge", "atozguaranteerefund", "atoz", "atozguaranteeclaim", "chargebackrefund")
)
BY_AMAZON: Final = REFUNDS - {"refund", "refundretrocharge"}
"""Refunds that nobody else can have made (RET-18)."""

_PRICES: Final = (
    *("principal", "tax", "shipping", "shippingtax", "giftwrap", "giftwraptax", "goodwill", "exportcharge"),
    *("restockingfee", "restockingfeetax", "returnshipping", "freereplacementreturnshipping", "surcharge"),
    *("cod", "codtax", "taxdiscount", "shippingdiscount", "shippingtaxdiscount"),
)
_FEES: Final = (
    *("fixedclosingfee", "variableclosingfee", "shippinghb", "shippingchargeback", "giftwrapchargeback"),
    *("giftwrapcommission", "codchargeback", "salestaxservicefee", "salestaxcollectionfee", "digitalservicesfee"),
    *("fbaperunitfulfillmentfee", "fbaperorderfulfillmentfee", "fbaweightbasedfee", "getpaidfasterfee"),
    *("highvolumelistingfee", "renewedprogramfee", "technologyfee"),
)
_WITHHELD: Final = (
    *("marketplacefacilitatortaxprincipal", "marketplacefacilitatortaxshipping"),
    *("marketplacefacilitatortaxgiftwrap", "marketplacefacilitatortaxother"),
    *("marketplacefacilitatortaxrestockingfee", "marketplacefacilitatorvatprincipal"),
    *("marketplacefacilitatorvatshipping", "marketplacefacilitatorvatgiftwrap"),
    *("lowvaluegoodstaxprincipal", "lowvaluegoodstaxshipping", "lowvaluegoodstaxother"),
)
_OF_ITEMS: Final[dict[tuple[str, str], tuple[Component, Component]]] = {
    **{(of, word): (Component.SOLD, Component.REFUNDED) for of in ("itemprice", "promotion") for word in _PRICES},
    **{("itemfees", word): (Component.FEE, Component.FEE) for word in _FEES},
    ("itemfees", "commission"): (Component.COMMISSION, Component.COMMISSION_RETURNED),
    ("itemfees", "refundcommission"): (Component.ADMINISTRATION_FEE, Component.ADMINISTRATION_FEE),
    **{("itemwithheldtax", word): (Component.TAX_WITHHELD, Component.TAX_WITHHELD) for word in _WITHHELD},
}
"""By type and description of the amount: what it is of a sale, and what it is of a refund."""
_OF_ACCOUNT: Final[dict[tuple[str, str], Component]] = {
    ("othertransaction", "previousreserveamountbalance"): Component.RESERVE,
    ("othertransaction", "currentreserveamount"): Component.RESERVE,
    ("othertransaction", "subscriptionfee"): Component.FEE,
    ("othertransaction", "storagefee"): Component.FEE,
    ("othertransaction", "shippinglabelpurchase"): Component.FEE,
    ("othertransaction", "shippinglabelpurchaseforreturn"): Component.FEE,
    ("costofadvertising", "transactiontotalamount"): Component.FEE,
}
"""What is of no order."""


@lru_cache(maxsize=8192)
def component_of(transaction_type: str, amount_type: str, amount_description: str) -> Component:
    """By Amazon's words, however they are written. Any word that is new makes it unknown: nothing is guessed."""
    of, what = plain_word(amount_type), plain_word(amount_description)
    if (known := _OF_ACCOUNT.get((of, what))) is not None:
        return known
    sale, refund = _OF_ITEMS.get((of, what), (Component.UNKNOWN, Component.UNKNOWN))
    transaction = plain_word(transaction_type)
    if transaction in SALES:
        return sale
    return refund if transaction in REFUNDS else Component.UNKNOWN
