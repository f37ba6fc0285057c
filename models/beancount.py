"""The ledger in the format of Beancount, which checks it on its own. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

_KINDS: Final = {
    "seller": "Liabilities:Sellers",
    "supplier": "Assets:Suppliers",
    "marketplace": "Assets:Marketplaces",
    "buyers/payments": "Assets:Buyers:Payments",
    "buyers/refunds": "Liabilities:Buyers:Refunds",
    "broker/revenue": "Income:Broker:Revenue",
    "broker/expense": "Expenses:Broker:Returns",
}
_ESCAPED: Final = {"-": "--", "_": "-u", ".": "-d"}
"""Beancount's names hold letters, digits and hyphens; two ids never become one name."""


class BookedLine(NamedTuple):
    """A line of an entry, with its amount in the currency."""

    at: datetime
    movement: str
    kind: str
    order_id: str | None
    debit: str
    credit: str
    amount: Decimal
    currency: str


def account_name(account: str) -> str:
    """`seller/acme/available` -> `Liabilities:Sellers:Id-acme:Available`."""
    if account in _KINDS:
        return _KINDS[account]
    kind, whose, what = account.split("/")
    plain = "".join(_ESCAPED.get(one, one) for one in whose)
    return f"{_KINDS[kind]}:Id-{plain}:{what.capitalize()}"


def beancount_text(lines: Iterable[BookedLine]) -> Iterator[str]:
    """The ledger, line by line of the text: the accounts are opened, then each entry is a transaction. `lines`: in
    the order of time, those of an entry one after the other."""
    known = list(lines)
    first = min((one.at.date() for one in known), default=date(2000, 1, 1))
    for account in sorted({account for one in known for account in (one.debit, one.credit)}):
        yield f"{first} open {account_name(account)}"
    before = None
    for one in known:
        if (one.movement, one.kind) != before:
            before = (one.movement, one.kind)
            yield ""
            link = f" ^order-{one.order_id}" if one.order_id is not None else ""
            yield f'{one.at.date()} * "{one.movement} {one.kind}"{link}'
        yield f"  {account_name(one.debit)}  {one.amount:f} {one.currency}"
        yield f"  {account_name(one.credit)}  -{one.amount:f} {one.currency}"
