"""The audit of the ledger: each charge, void, refund, credit memo, claim and review is entered once (BAL-1)."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from activities.database.views import ChargeView, RefundListed
from models.ledger import EntryKind
from models.message import folded
from models.partners import ChargeState
from models.refunds import Direction, RefundState
from tests.chaos.audit_facts import Facts, Violation

Kinds = frozenset[str]

_OF_CHARGE: Final[dict[ChargeState, tuple[Kinds, ...]]] = {
    ChargeState.AUTHORIZED: (frozenset({EntryKind.AUTHORIZED}),),
    ChargeState.CAPTURED: (frozenset({EntryKind.AUTHORIZED, EntryKind.CAPTURED}),),
}
_CAME_TO_NOTHING: Final = (frozenset[str](), frozenset({EntryKind.AUTHORIZED, EntryKind.VOIDED}))
_OF_REFUND: Final[dict[RefundState, tuple[Kinds, ...]]] = {
    RefundState.RESERVED: (frozenset({EntryKind.RESERVED}),),
    RefundState.PENDING: (frozenset({EntryKind.RESERVED}),),
    RefundState.SUCCEEDED: (frozenset({EntryKind.RESERVED, EntryKind.REFUNDED}),),
}
_TAKEN_BACK: Final = (
    frozenset({EntryKind.RESERVED, EntryKind.RELEASED}),
    frozenset({EntryKind.RESERVED, EntryKind.REFUNDED, EntryKind.TAKEN_BACK}),
)


class LedgerAudit:
    """What the ledger's own check finds; and, without its rules, which entries each movement has, and how much."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._kinds: dict[str, set[str]] = defaultdict(set)
        self._amounts: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for one in facts.seen.ledger:
            self._kinds[one.movement].add(one.kind)
            self._amounts[one.movement, one.kind] += one.amount

    def violations(self) -> Iterator[Violation]:
        for fault in self._facts.seen.ledger_faults:
            yield Violation("ledger differs from the books", fault.movement, fault.what)
        known: set[str] = set()
        for movement, allowed, amounts in self._wanted():
            known.add(movement)
            entered = frozenset(self._kinds.get(movement, ()))
            if entered not in allowed:
                yield Violation("not entered as it moved", movement, ", ".join(sorted(entered)) or "nothing")
            for kind, amount in amounts.items():
                if kind in entered and self._amounts[movement, kind] != amount:
                    detail = f"{self._amounts[movement, kind]} {kind}, {amount} moved"
                    yield Violation("entered with another amount", movement, detail)
        # What a settlement says is compared with its amounts by the ledger's own check.
        settled = {movement for movement in self._kinds if movement.startswith("settlement/")}
        for movement in self._kinds.keys() - known - settled:
            yield Violation("entered, and nothing moved", movement)

    def _wanted(self) -> Iterator[tuple[str, tuple[Kinds, ...], dict[str, Decimal]]]:
        """Each movement of the books, which entries it may have, and with which amounts."""
        for view in self._facts.seen.orders:
            if view.split_from is None:
                for position, paid in enumerate(view.request.paid_with, start=1):
                    name = f"payment/{view.listed.order_id}/{position}"
                    yield name, (frozenset({EntryKind.PAID}),), {EntryKind.PAID: paid.amount}
            for charge in view.charges:
                yield _of_charge(charge)
        for refund in self._facts.refunds.values():
            yield _of_refund(refund)
        credited = (frozenset({EntryKind.CREDITED}),)
        for of_return in self._facts.seen.returns:
            for memo in of_return.credit_memos:
                whose, of = of_return.listed.supplier_id, of_return.listed.return_id
                name = f"credit_memo/{whose}/{folded(memo.number)}/{of}"
                yield name, credited, {EntryKind.CREDITED: memo.amount}
        for movement, amount in self._facts.seen.credited.items():
            yield movement, credited, {EntryKind.CREDITED: amount}


def _of_charge(charge: ChargeView) -> tuple[str, tuple[Kinds, ...], dict[str, Decimal]]:
    """What is captured and what is released of it are together what was authorized."""
    amounts: dict[str, Decimal] = dict.fromkeys(EntryKind, charge.amount)
    return f"charge/{charge.charge_id}", _OF_CHARGE.get(charge.state, _CAME_TO_NOTHING), amounts


def _of_refund(refund: RefundListed) -> tuple[str, tuple[Kinds, ...], dict[str, Decimal]]:
    allowed = _OF_REFUND.get(refund.state, _TAKEN_BACK)
    if refund.direction is Direction.BROKER_TO_SELLER:
        # Nothing is set aside for it: what is under way is not entered yet.
        allowed = tuple(kinds - {EntryKind.RESERVED, EntryKind.RELEASED} for kinds in allowed)
    return f"refund/{refund.refund_id}", allowed, dict.fromkeys(EntryKind, refund.amount)
