"""The ledger: which movement of money is entered how (BAL-1). Pure functions.

An entry is one line or several; each line debits one account and credits another with the same amount, in one
currency: so debits equal credits by the very form of a line.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from models.charges import ChargeRecord
from models.ids import CaseId, DerivedId
from models.message import Message, folded
from models.money import Currency, to_minor_units
from models.orders import Channel
from models.partners import ChargeState
from models.payments import PaidBy
from models.records import BookCreditMemo
from models.refunds import UNSETTLED, Direction, RefundState, Way

BUYERS_PAYMENTS: Final = "buyers/payments"
BUYERS_REFUNDS: Final = "buyers/refunds"
BROKER_REVENUE: Final = "broker/revenue"
BROKER_EXPENSE: Final = "broker/expense"


def available(seller_id: str) -> str:
    """What a seller has at its disposal: credit is in its favour."""
    return f"seller/{seller_id}/available"


def reserved(seller_id: str) -> str:
    """What a seller gives back to buyers, while it is under way."""
    return f"seller/{seller_id}/reserved"


def pending(seller_id: str) -> str:
    """What the broker has authorized of a seller's money, and not taken."""
    return f"seller/{seller_id}/pending"


def receivable(supplier_id: str) -> str:
    """What a supplier credited: the broker's claim on it."""
    return f"supplier/{supplier_id}/receivable"


def clearing(channel: Channel) -> str:
    """What a marketplace took from buyers and gave back to them: its settlement clears it."""
    return f"marketplace/{channel.value}/clearing"


def deposited(channel: Channel) -> str:
    """What a marketplace paid out to sellers, less what it took from them."""
    return f"marketplace/{channel.value}/deposited"


def held_back(channel: Channel) -> str:
    """What a marketplace keeps back until the next settlement."""
    return f"marketplace/{channel.value}/reserve"


def suspense(channel: Channel) -> str:
    """What a settlement says in words that are not known here, of orders that are not, or beside its total."""
    return f"marketplace/{channel.value}/suspense"


ACCOUNTS: Final = (
    "seller/_%/available",
    "seller/_%/reserved",
    "seller/_%/pending",
    "supplier/_%/receivable",
    "marketplace/_%/clearing",
    "marketplace/_%/deposited",
    "marketplace/_%/reserve",
    "marketplace/_%/suspense",
    BUYERS_PAYMENTS,
    BUYERS_REFUNDS,
    BROKER_REVENUE,
    BROKER_EXPENSE,
)
"""Every account that there is; `_%` stands for whose it is."""


def is_credit(account: str) -> bool:
    """Whether it grows by credits: what others have here, and what was earned."""
    return account.startswith("seller/") or account in (BROKER_REVENUE, BUYERS_REFUNDS)


class EntryKind(StrEnum):
    """What happened to the money of a movement: each kind once per movement."""

    PAID = "paid"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"
    RESERVED = "reserved"
    RELEASED = "released"
    REFUNDED = "refunded"
    TAKEN_BACK = "taken_back"
    CREDITED = "credited"
    SOLD = "sold"
    GIVEN_BACK = "given_back"
    COMMISSION = "commission"
    COMMISSION_RETURNED = "commission_returned"
    ADMINISTRATION_FEE = "administration_fee"
    FEE = "fee"
    TAX_WITHHELD = "tax_withheld"
    RESERVE = "reserve"
    UNKNOWN = "unknown"
    OUT_OF_BALANCE = "out_of_balance"


KINDS: Final[dict[str, tuple[EntryKind, ...]]] = {
    "payment": (EntryKind.PAID,),
    "charge": (EntryKind.AUTHORIZED, EntryKind.CAPTURED, EntryKind.VOIDED),
    "refund": (EntryKind.RESERVED, EntryKind.RELEASED, EntryKind.REFUNDED, EntryKind.TAKEN_BACK),
    "credit_memo": (EntryKind.CREDITED,),
    "cost_review": (EntryKind.CREDITED,),
    "claim": (EntryKind.CREDITED,),
    "settlement": (
        EntryKind.SOLD,
        EntryKind.GIVEN_BACK,
        EntryKind.COMMISSION,
        EntryKind.COMMISSION_RETURNED,
        EntryKind.ADMINISTRATION_FEE,
        EntryKind.FEE,
        EntryKind.TAX_WITHHELD,
        EntryKind.RESERVE,
        EntryKind.UNKNOWN,
        EntryKind.OUT_OF_BALANCE,
    ),
}
"""What may become of each kind of movement, by the word with which its name begins."""


class Line(Message):
    """One account is debited, another one credited, with `units` of the currency's smallest unit."""

    debit: str
    credit: str
    units: Annotated[int, Field(gt=0)]


class Entry(Message):
    """One entry. `movement` and `kind` name it: it is entered once, whoever enters it again."""

    movement: str
    kind: EntryKind
    order_id: CaseId | None
    """None: it is of no order that is known here."""
    currency: Currency
    lines: tuple[Line, ...]
    at: datetime

    @property
    def key(self) -> tuple[str, str]:
        return (self.movement, self.kind.value)


class PaymentMoved(Message):
    """The buyer paid the seller (ORD-1)."""

    order_id: CaseId
    seller_id: CaseId
    channel: Channel
    position: int
    paid_by: PaidBy
    units: int
    currency: Currency
    at: datetime

    @property
    def movement(self) -> str:
        return f"payment/{self.order_id}/{self.position}"


class RefundMoved(Message):
    """A refund as the database has it."""

    refund_id: DerivedId
    order_id: CaseId
    seller_id: CaseId
    channel: Channel
    of_return: bool
    direction: Direction
    way: Way
    units: int
    currency: Currency
    state: RefundState
    at: datetime

    @property
    def movement(self) -> str:
        return f"refund/{self.refund_id}"


class ReviewCredited(Message):
    """A supplier-cost review was approved (BAL-2)."""

    review_id: CaseId
    order_id: CaseId
    seller_id: CaseId
    units: int
    currency: Currency
    at: datetime

    @property
    def movement(self) -> str:
        return f"cost_review/{self.review_id}"


class ClaimCredited(Message):
    """A claim was approved, by rule or by a person (CLM-1)."""

    claim_id: CaseId
    order_id: CaseId
    seller_id: CaseId
    units: int
    currency: Currency
    at: datetime

    @property
    def movement(self) -> str:
        return f"claim/{self.claim_id}"


class AmountsSettled(Message):
    """What a settlement says of one order, added up by component; or of none, or what is beside its total.

    `order_id` none: the order is not known here. `number`: Amazon's of the order, empty: of none.
    """

    connection_id: CaseId
    settlement_id: str
    number: str
    order_id: CaseId | None
    seller_id: CaseId
    channel: Channel = Channel.AMAZON
    currency: Currency
    units: dict[EntryKind, int]
    """Of the currency's smallest unit; less than nothing: the marketplace takes it."""
    at: datetime

    @property
    def movement(self) -> str:
        return "/".join(
            ("settlement", self.connection_id, self.settlement_id, *([self.number] if self.number else []))
        )


# ---- what is entered when ----


def payment_entries(paid: PaymentMoved) -> list[Entry]:
    """The order came with its payment."""
    source = clearing(paid.channel) if paid.paid_by is PaidBy.MARKETPLACE else BUYERS_PAYMENTS
    line = _line(source, available(paid.seller_id), paid.units)
    return [_entry(paid.movement, EntryKind.PAID, paid.order_id, paid.currency, [line], paid.at)]


def charge_movement(charge_id: str) -> str:
    return f"charge/{charge_id}"


def charge_entries(
    charge: ChargeRecord, order_id: str, seller_id: str, at: datetime, entered: Iterable[str] = ()
) -> list[Entry]:
    """The broker charges the seller (ORD-3, CAN-1). `entered`: kinds of this charge that are in the ledger; needed
    where it holds no money any more, to give back what was authorized."""
    movement = charge_movement(charge.charge_id)
    asked, taken = (to_minor_units(one, charge.currency) for one in (charge.amount, charge.captured))
    authorized = [_line(available(seller_id), pending(seller_id), asked)]
    captured = [_line(pending(seller_id), BROKER_REVENUE, taken)] if taken else []
    if asked > taken:
        captured.append(_line(pending(seller_id), available(seller_id), asked - taken))
    entries: list[tuple[EntryKind, list[Line]]] = []
    if charge.state in (ChargeState.AUTHORIZED, ChargeState.CAPTURED):
        entries.append((EntryKind.AUTHORIZED, authorized))
    if charge.state is ChargeState.CAPTURED:
        entries.append((EntryKind.CAPTURED, captured))
    elif charge.state is not ChargeState.AUTHORIZED and set(entered) == {EntryKind.AUTHORIZED}:
        entries.append((EntryKind.VOIDED, [_line(pending(seller_id), available(seller_id), asked)]))
    return [_entry(movement, kind, order_id, charge.currency, lines, at) for kind, lines in entries]


def refund_entries(refund: RefundMoved, entered: Iterable[str] = ()) -> list[Entry]:
    """A refund is reserved, settled, or taken back (REF-3, REF-6, REF-7). `entered`: kinds of this refund that are
    in the ledger; needed where it failed, to know whether it had succeeded."""
    to_buyer = refund.direction is Direction.SELLER_TO_BUYER
    source, held, target = _accounts(refund)
    reserving = [(EntryKind.RESERVED, _line(source, held, refund.units))] if to_buyer else []
    known = set(entered)
    if refund.state in UNSETTLED:
        found = reserving
    elif refund.state is RefundState.SUCCEEDED:
        found = [*reserving, (EntryKind.REFUNDED, _line(held, target, refund.units))]
    elif EntryKind.REFUNDED in known:
        found = [(EntryKind.TAKEN_BACK, _line(target, source, refund.units))]
    elif to_buyer and EntryKind.RESERVED in known:
        found = [(EntryKind.RELEASED, _line(held, source, refund.units))]
    else:
        found = []
    return [
        _entry(refund.movement, kind, refund.order_id, refund.currency, [line], refund.at) for kind, line in found
    ]


def _accounts(refund: RefundMoved) -> tuple[str, str, str]:
    """From where, over which account while it is under way, to where."""
    if refund.direction is Direction.BROKER_TO_SELLER:
        # What came back is the broker's cost, less what suppliers credit; what never went is no revenue.
        source = BROKER_EXPENSE if refund.of_return else BROKER_REVENUE
        return source, source, available(refund.seller_id)
    target = clearing(refund.channel) if refund.way is Way.MARKETPLACE else BUYERS_REFUNDS
    return available(refund.seller_id), reserved(refund.seller_id), target


def credit_memo_entries(memo: BookCreditMemo, order_id: str) -> list[Entry]:
    """A supplier's paper credits the broker (RET-12)."""
    line = _line(receivable(memo.supplier_id), BROKER_EXPENSE, to_minor_units(memo.amount, memo.currency))
    movement = f"credit_memo/{memo.supplier_id}/{folded(memo.number)}/{memo.return_id}"
    return [_entry(movement, EntryKind.CREDITED, order_id, memo.currency, [line], memo.at)]


def cost_review_entries(review: ReviewCredited) -> list[Entry]:
    """The broker bears the cost: the seller's balance is credited (BAL-2)."""
    line = _line(BROKER_EXPENSE, available(review.seller_id), review.units)
    return [_entry(review.movement, EntryKind.CREDITED, review.order_id, review.currency, [line], review.at)]


def claim_entries(claim: ClaimCredited) -> list[Entry]:
    """The broker bears what the seller paid elsewhere: the seller's balance is credited (CLM-1)."""
    line = _line(BROKER_EXPENSE, available(claim.seller_id), claim.units)
    return [_entry(claim.movement, EntryKind.CREDITED, claim.order_id, claim.currency, [line], claim.at)]


def amounts_settled(settled: AmountsSettled) -> list[Entry]:
    """What a settlement says of one order, or of none (AMZ-8): each component between where it comes from, or
    goes, and what the marketplace pays out. Nothing needs no entry."""
    paid_out = deposited(settled.channel)
    found = [
        (kind, units, settled_account(settled, kind)) for kind, units in sorted(settled.units.items()) if units
    ]
    return [
        Entry(
            movement=settled.movement,
            kind=kind,
            order_id=settled.order_id,
            currency=settled.currency,
            lines=(_line(paid_out, account, units) if units > 0 else _line(account, paid_out, -units),),
            at=settled.at,
        )
        for kind, units, account in found
    ]


def settled_account(settled: AmountsSettled, kind: EntryKind) -> str:
    """Where an amount of a settlement comes from, or goes."""
    if kind in (EntryKind.SOLD, EntryKind.GIVEN_BACK) and settled.order_id is not None:
        return clearing(settled.channel)
    if kind is EntryKind.RESERVE:
        return held_back(settled.channel)
    if kind in (EntryKind.SOLD, EntryKind.GIVEN_BACK, EntryKind.UNKNOWN, EntryKind.OUT_OF_BALANCE):
        return suspense(settled.channel)
    return available(settled.seller_id)


def _line(debit: str, credit: str, units: int) -> Line:
    return Line(debit=debit, credit=credit, units=units)


def _entry(
    movement: str, kind: EntryKind, order_id: str, currency: str, lines: Sequence[Line], at: datetime
) -> Entry:
    return Entry(movement=movement, kind=kind, order_id=order_id, currency=currency, lines=tuple(lines), at=at)
