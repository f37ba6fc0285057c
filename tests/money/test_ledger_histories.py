"""BAL-1: after any history of charges, voids, refunds and credits every balance is an independent sum."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from activities.database import upgrade
from activities.database.engines import make_engine
from activities.database.ledger import Ledger
from models.charges import ChargeRecord
from models.ledger import is_credit
from models.money import smallest_unit
from models.partners import ChargeState
from models.records import BookCreditMemo
from models.refunds import Direction, RefundState
from tests.database.story import NOON, Story

CURRENCIES = st.sampled_from(["USD", "JPY", "KWD"])
"""With two digits after the point, none, and three."""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["authorize", "capture", "void", "to buyer", "to seller", "settle", "fail", "credit"]),
        st.integers(1, 5_000),
    ),
    min_size=10,
    max_size=25,
)


class Independent:
    """Who has what, added up without any entry."""

    def __init__(self, paid: Decimal) -> None:
        self.paid = paid
        self.charges: dict[str, tuple[ChargeState, Decimal, Decimal]] = {}
        self.refunds: dict[str, tuple[Direction, RefundState, Decimal, bool]] = {}
        self.credited = Decimal(0)

    def _charges(self, state: ChargeState) -> Decimal:
        of_it = [one for one in self.charges.values() if one[0] is state]
        return sum(((one[2] if state is ChargeState.CAPTURED else one[1]) for one in of_it), Decimal(0))

    def _refunds(self, direction: Direction, *states: RefundState) -> Decimal:
        return sum(
            (one[2] for one in self.refunds.values() if one[0] is direction and one[1] in states), Decimal(0)
        )

    def balances(self) -> dict[str, Decimal]:
        held, taken = self._charges(ChargeState.AUTHORIZED), self._charges(ChargeState.CAPTURED)
        under_way = self._refunds(Direction.SELLER_TO_BUYER, RefundState.RESERVED, RefundState.PENDING)
        to_buyer = self._refunds(Direction.SELLER_TO_BUYER, RefundState.SUCCEEDED)
        to_seller = self._refunds(Direction.BROKER_TO_SELLER, RefundState.SUCCEEDED)
        for_return = sum(
            (
                one[2]
                for one in self.refunds.values()
                if one[0] is Direction.BROKER_TO_SELLER and one[1] is RefundState.SUCCEEDED and one[3]
            ),
            Decimal(0),
        )
        found = {
            "buyers/payments": self.paid,
            "seller/acme/available": self.paid - held - taken - under_way - to_buyer + to_seller,
            "seller/acme/pending": held,
            "seller/acme/reserved": under_way,
            "buyers/refunds": to_buyer,
            "broker/revenue": taken - (to_seller - for_return),
            "broker/expense": for_return - self.credited,
            "supplier/north/receivable": self.credited,
        }
        return {account: amount for account, amount in found.items() if amount}


class Player:
    """Plays steps into a database, and tells the independent sum what was taken."""

    def __init__(self, story: Story, order_id: str, currency: str) -> None:
        self.story, self.order_id, self.currency = story, order_id, currency
        self.unit = smallest_unit(currency)
        paid = 9_000 * self.unit
        story.ordered(("A", 1, f"{paid:f}"), order_id=order_id, currency=currency)
        self.sum = Independent(paid)
        story.bought("north", A=1)
        story.shipped(A=1)
        self.return_id = f"RR-{order_id}"
        story.returned(self.return_id, A=1)

    def play(self, number: int, what: str, units: int) -> None:
        amount = units * self.unit
        match what:
            case "authorize" | "capture" | "void":
                self._charge(what, amount)
            case "to buyer" | "to seller":
                self._refund(number, what, amount)
            case "settle" | "fail":
                self._settle(RefundState.SUCCEEDED if what == "settle" else RefundState.FAILED)
            case "credit":
                self._credit(number, amount)

    def _charge(self, what: str, amount: Decimal) -> None:
        """One charge after another; each is captured in part, or voided."""
        charges = self.sum.charges
        last = next(reversed(charges), None)
        if what == "authorize":
            if last is None or charges[last][0] is not ChargeState.AUTHORIZED:
                charges[f"CH-{self.order_id}-{len(charges) + 1}"] = (ChargeState.AUTHORIZED, amount, Decimal(0))
        elif last is not None and charges[last][0] is ChargeState.AUTHORIZED:
            asked = charges[last][1]
            if what == "void":
                charges[last] = (ChargeState.VOIDED, asked, Decimal(0))
            else:
                charges[last] = (ChargeState.CAPTURED, asked, min(asked, amount))
        records = [
            ChargeRecord(
                charge_id=name,
                state=state,
                amount=asked,
                captured=taken,
                currency=self.currency,
                connection_id="broker-stripe",
            )
            for name, (state, asked, taken) in charges.items()
        ]
        self.story.save(charges=tuple(records))

    def _refund(self, number: int, what: str, amount: Decimal) -> None:
        direction = Direction.SELLER_TO_BUYER if what == "to buyer" else Direction.BROKER_TO_SELLER
        of_return = number % 2 == 0
        refund_id = f"RF-{self.order_id}-D{number}"
        answer = self.story.refunding(
            refund_id,
            f"{amount:f}",
            direction=direction,
            currency=self.currency,
            way="manual",
            reference="1",
            return_id=self.return_id if of_return else None,
        )
        if answer.opening == "opened":
            self.sum.refunds[refund_id] = (direction, RefundState.RESERVED, amount, of_return)

    def _settle(self, state: RefundState) -> None:
        for refund_id, (direction, before, amount, of_return) in self.sum.refunds.items():
            if before is not RefundState.FAILED and before is not state:
                self.story.settled(refund_id, state)
                self.sum.refunds[refund_id] = (direction, state, amount, of_return)
                return

    def _credit(self, number: int, amount: Decimal) -> None:
        memo = BookCreditMemo(
            supplier_id="north",
            number=f"CM-{self.order_id}-{number % 5}",
            return_id=self.return_id,
            date=date(2026, 3, 20),
            amount=amount,
            currency=self.currency,
            actor="supplier:north",
            at=NOON,
        )
        known = {one.number for one in self.story.reading.return_view(self.return_id).credit_memos}
        if self.story.database.book_credit_memo(memo).state == "booked" and memo.number not in known:
            self.sum.credited += amount


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    upgrade(url)
    engine = make_engine(url)
    yield engine
    assert Ledger(engine).faults()[1] == []
    assert Ledger(engine).backfill() == 0
    engine.dispose()


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(currency=CURRENCIES, steps=STEPS)
@example(
    currency="KWD",
    steps=[
        *(("authorize", 5_000), ("void", 1), ("authorize", 4_000), ("capture", 3_000)),
        *(("to seller", 700), ("to seller", 600), ("settle", 1), ("settle", 1), ("to buyer", 800)),
        *(("to buyer", 900), ("settle", 1), ("settle", 1), ("fail", 1), ("credit", 400), ("credit", 300)),
    ],
)
def test_BAL_1_balances_are_an_independent_sum_to_the_smallest_unit(
    engine: Engine, currency: str, steps: list[tuple[str, int]]
) -> None:
    story = Story(engine).with_parties()
    order_id = str(next(_NUMBERS))
    player = Player(story, order_id, currency)
    for number, (what, units) in enumerate(steps):
        player.play(number, what, units)
    grown: dict[str, Decimal] = {}
    for one in Ledger(engine).entries(order_id=order_id):
        for account, amount in ((one.debit, one.amount), (one.credit, -one.amount)):
            grown[account] = grown.get(account, Decimal(0)) + (-amount if is_credit(account) else amount)
    assert {account: amount for account, amount in grown.items() if amount} == player.sum.balances()


_NUMBERS = iter(range(5000, 10**6))
