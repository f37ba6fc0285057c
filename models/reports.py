"""What reports say: promises by supplier and seller (RET-13, ORD-4, CLM-2), and money by currency (BAL-1).

Currencies are never added to each other: a total is of one currency.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import computed_field

from models.ids import CaseId
from models.message import Message
from models.money import Amount, Currency


class Promise(StrEnum):
    """What was promised, and is not kept yet."""

    HAND_OVER = "hand_over"
    """An order is with a supplier within 60 minutes (ORD-4)."""
    SELLER_REFUND = "seller_refund"
    """The broker refunds the seller within 60 days of the return request (RET-13)."""
    DECISION = "decision"
    """A claim or a supplier-cost review is decided within 30 days (CLM-2, BAL-2)."""

    @property
    def words(self) -> str:
        return _IN_WORDS[self]


_IN_WORDS: Final = {
    Promise.HAND_OVER: "order handed over",
    Promise.SELLER_REFUND: "seller refunded",
    Promise.DECISION: "claim or review decided",
}


class OpenPromises(Message):
    """How many promises are open: in time, at risk (people were reminded), broken."""

    due: int
    at_risk: int
    breached: int
    next_due: datetime | None
    """Of those that are not broken the one that is due first."""

    @property
    def total(self) -> int:
        return self.due + self.at_risk + self.breached


class PromisesOf(OpenPromises):
    """Those of one kind, of one supplier and one seller; an order that is with no supplier yet has none."""

    promise: Promise
    supplier_id: str | None
    seller_id: CaseId


class PromisesBy(OpenPromises):
    """Those of one kind, of one supplier or one seller: `of`; none: no supplier yet."""

    promise: Promise
    of: str | None


class SlaReport(Message):
    """The open promises at a moment."""

    as_of: datetime
    rows: tuple[PromisesOf, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def by_supplier(self) -> tuple[PromisesBy, ...]:
        return _by((one.supplier_id, one) for one in self.rows)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def by_seller(self) -> tuple[PromisesBy, ...]:
        return _by((one.seller_id, one) for one in self.rows)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> OpenPromises:
        return OpenPromises(**_sums(self.rows))


def _by(rows: Iterable[tuple[str | None, PromisesOf]]) -> tuple[PromisesBy, ...]:
    """By whose they are; the most broken promises first."""
    groups: dict[tuple[Promise, str | None], list[PromisesOf]] = {}
    for of, row in rows:
        groups.setdefault((row.promise, of), []).append(row)
    found = [PromisesBy(promise=promise, of=of, **_sums(group)) for (promise, of), group in groups.items()]
    return tuple(sorted(found, key=_most_broken_first))


def _most_broken_first(one: PromisesBy) -> tuple[int, int, int, int, str]:
    return (list(Promise).index(one.promise), -one.breached, -one.at_risk, -one.due, one.of or "")


def _sums(rows: Iterable[OpenPromises]) -> dict[str, Any]:
    every = list(rows)
    return {
        "due": sum(one.due for one in every),
        "at_risk": sum(one.at_risk for one in every),
        "breached": sum(one.breached for one in every),
        "next_due": min((one.next_due for one in every if one.next_due is not None), default=None),
    }


class SellerMoney(Message):
    """What moved between broker and seller, and between seller and buyers; amounts in one currency.

    What moved is of the period; what is open is of the moment, whatever the period. No amount stands in two of
    the open columns.
    """

    currency: Currency
    charged: Amount = Decimal(0)
    """The broker took from the seller (ORD-3)."""
    refunded: Amount = Decimal(0)
    """The broker gave back to the seller, less what was taken back (RET-13, ORD-7)."""
    credited: Amount = Decimal(0)
    """The broker credited for approved cost reviews and claims (BAL-2, CLM-1)."""
    owed: Amount = Decimal(0)
    """Open: what the broker will refund the seller for goods on their way back or there, as far as the supplier
    has not rejected them, and refunds under way."""
    in_review: Amount = Decimal(0)
    """Open: what the seller asks for in cost reviews and claims that nobody has decided."""
    in_doubt: Amount = Decimal(0)
    """Open: refunds of the seller of which nobody knows whether they moved (REF-11)."""
    buyers_paid: Amount = Decimal(0)
    buyers_refunded: Amount = Decimal(0)
    buyers_pending: Amount = Decimal(0)
    """Open: refunds of buyers that are reserved or pending."""
    buyers_in_doubt: Amount = Decimal(0)
    """Open: refunds of buyers of which nobody knows whether they moved (REF-11)."""

    @classmethod
    def amounts(cls) -> tuple[str, ...]:
        return tuple(name for name in SellerMoney.model_fields if name != "currency")


class MoneyOfSeller(SellerMoney):
    """Of one seller."""

    seller_id: CaseId


class SupplierMoney(Message):
    """What suppliers credit the broker (RET-12); amounts in one currency."""

    currency: Currency
    expected: Amount = Decimal(0)
    """Open: the cost of goods on their way back or there that is neither credited nor rejected."""
    late: Amount = Decimal(0)
    """Of what is expected: the time to receive, inspect and credit is over (RET-11)."""
    received: Amount = Decimal(0)
    """Credited in the period."""

    @classmethod
    def amounts(cls) -> tuple[str, ...]:
        return tuple(name for name in SupplierMoney.model_fields if name != "currency")


class MoneyOfSupplier(SupplierMoney):
    """Of one supplier."""

    supplier_id: CaseId


class MoneyReport(Message):
    """Money by seller and by supplier; what moved from `since` to before `until`, none: without limit."""

    as_of: datetime
    since: datetime | None
    until: datetime | None
    sellers: tuple[MoneyOfSeller, ...]
    suppliers: tuple[MoneyOfSupplier, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def seller_totals(self) -> tuple[SellerMoney, ...]:
        """One for each currency."""
        return tuple(SellerMoney(**one) for one in _totals(self.sellers, SellerMoney.amounts()))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def supplier_totals(self) -> tuple[SupplierMoney, ...]:
        """One for each currency."""
        return tuple(SupplierMoney(**one) for one in _totals(self.suppliers, SupplierMoney.amounts()))

    @classmethod
    def of(
        cls,
        as_of: datetime,
        period: tuple[datetime | None, datetime | None],
        sellers: Iterable[MoneyOfSeller],
        suppliers: Iterable[MoneyOfSupplier],
    ) -> Self:
        """By currency, then by who it is."""
        return cls(
            as_of=as_of,
            since=period[0],
            until=period[1],
            sellers=tuple(sorted(sellers, key=lambda one: (one.currency, one.seller_id))),
            suppliers=tuple(sorted(suppliers, key=lambda one: (one.currency, one.supplier_id))),
        )


def _totals(rows: Sequence[SellerMoney | SupplierMoney], names: Sequence[str]) -> Iterable[dict[str, Any]]:
    for currency in sorted({row.currency for row in rows}):
        own = [row for row in rows if row.currency == currency]
        yield {
            "currency": currency,
            **{name: sum((getattr(row, name) for row in own), Decimal(0)) for name in names},
        }
