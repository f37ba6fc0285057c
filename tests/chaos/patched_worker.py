"""A worker that the harness changes: one that dawdles at a step, or one that breaks a promise on purpose.

`python -m tests.chaos.patched_worker NAME`, by the name of a class here, which takes the place of the one that it
inherits. The product has no switch for any of this.
"""

import asyncio
import sys
import uuid
from collections.abc import Awaitable, Callable
from email.headerregistry import Address
from typing import Any, Final, NoReturn

from temporalio import activity
from temporalio.exceptions import ApplicationError

import worker
from activities.connectors import payments
from activities.connectors.connections import Connections
from activities.connectors.payments import Payments
from activities.connectors.stripe.gateway import StripeGateway
from activities.database import Database
from activities.event_arrival import Arrivals
from activities.mail.delivery import Mailer
from activities.mail.letter import Letter
from models import calls
from models.connections import Provider
from models.event_times import Arrival, AskArrival
from models.failures import Category
from models.partners import Contact
from models.records import (
    BookCreditMemo,
    CreditMemoBooked,
    OpenedOrder,
    OpenOrder,
    RefundTakenBack,
    ReopenReturn,
    ReturnReopened,
    SaveCase,
    Saved,
    SettleRefund,
)
from models.refunds import RefundRequest, RefundResult
from tests.chaos.choosing_dawdlers import CHOOSING_DAWDLERS
from tests.chaos.import_dawdlers import IMPORT_DAWDLERS
from tests.chaos.orphan_dawdlers import ORPHAN_DAWDLERS
from tests.chaos.queue_dawdlers import QUEUE_DAWDLERS
from tests.chaos.replacement_dawdlers import REPLACEMENT_DAWDLERS
from tests.chaos.settlement_dawdlers import SETTLEMENT_DAWDLERS
from tests.chaos.slow_worker import dawdle
from tests.chaos.special_order_dawdlers import SPECIAL_ORDER_DAWDLERS

# ---- it dawdles ----


class DawdlesBeforeReading(Arrivals):
    """It is asked when an event came, and has not asked the server."""

    @activity.defn(name=calls.EVENT_ARRIVAL.name)
    async def event_arrival(self, ask: AskArrival) -> Arrival:
        await dawdle()
        return await super().event_arrival(ask)


class DawdlesAfterReading(Arrivals):
    """It knows when an event came, and has not told anybody."""

    @activity.defn(name=calls.EVENT_ARRIVAL.name)
    async def event_arrival(self, ask: AskArrival) -> Arrival:
        arrival = await super().event_arrival(ask)
        await dawdle()
        return arrival


class DawdlesBeforeReopening(Database):
    """It is asked to open a return again, and has not."""

    @activity.defn(name=calls.REOPEN_RETURN.name)
    def reopen_return(self, ask: ReopenReturn) -> ReturnReopened:
        asyncio.run(dawdle())
        return super().reopen_return(ask)


class DawdlesAfterReopening(Database):
    """It has opened a return again, and has not told anybody."""

    @activity.defn(name=calls.REOPEN_RETURN.name)
    def reopen_return(self, ask: ReopenReturn) -> ReturnReopened:
        reopened = super().reopen_return(ask)
        asyncio.run(dawdle())
        return reopened


class DawdlesBeforeTakingBack(Database):
    """It is asked to give a refund's amount back to the cap, and has not."""

    @activity.defn(name=calls.TAKE_BACK_REFUND.name)
    def take_back_refund(self, ask: SettleRefund) -> RefundTakenBack:
        asyncio.run(dawdle())
        return super().take_back_refund(ask)


class DawdlesAfterTakingBack(Database):
    """It has given a refund's amount back to the cap, and has not told anybody."""

    @activity.defn(name=calls.TAKE_BACK_REFUND.name)
    def take_back_refund(self, ask: SettleRefund) -> RefundTakenBack:
        given = super().take_back_refund(ask)
        asyncio.run(dawdle())
        return given


class DawdlesBeforeSavingACase(Database):
    """It is asked to write down where an order stands that the database does not have, and has not."""

    @activity.defn(name=calls.OPEN_ORDER.name)
    def open_order(self, ask: OpenOrder) -> OpenedOrder:
        _take_no_order()

    @activity.defn(name=calls.SAVE_CASE.name)
    def save_case(self, ask: SaveCase) -> Saved:
        asyncio.run(dawdle())
        return super().save_case(ask)


class DawdlesAfterSavingACase(Database):
    """It has written down where an order stands that the database does not have, and has not told anybody."""

    @activity.defn(name=calls.OPEN_ORDER.name)
    def open_order(self, ask: OpenOrder) -> OpenedOrder:
        _take_no_order()

    @activity.defn(name=calls.SAVE_CASE.name)
    def save_case(self, ask: SaveCase) -> Saved:
        saved = super().save_case(ask)
        asyncio.run(dawdle())
        return saved


class DawdlesBeforeLookingForARefund(Database):
    """It is asked what became of a refund, and has not looked."""

    @activity.defn(name=calls.REFUND_OUTCOME.name)
    def refund_outcome(self, ask: RefundRequest) -> RefundResult:
        asyncio.run(dawdle())
        return super().refund_outcome(ask)


class DawdlesAfterLookingForARefund(Database):
    """It knows what became of a refund, and has not told anybody."""

    @activity.defn(name=calls.REFUND_OUTCOME.name)
    def refund_outcome(self, ask: RefundRequest) -> RefundResult:
        known = super().refund_outcome(ask)
        asyncio.run(dawdle())
        return known


def _take_no_order() -> NoReturn:
    raise ApplicationError("this worker takes no order", type=Category.INTERNAL.value)


# ---- it breaks a promise ----


class _WithoutLooking(StripeGateway):
    async def _refunded_before(self, *_: Any) -> None:
        return None

    async def _with_fresh_key(
        self, what: str, key: str, send: Callable[[str], Awaitable[Any]], look: Any = None
    ) -> Any:
        return await send(f"{key}:{uuid.uuid4()}")


class RefundsWithoutLooking(Payments):
    """REF-6 broken: each try refunds anew, whatever an earlier one did."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections)
        vars(payments)["GATEWAYS"] = {**payments.GATEWAYS, Provider.STRIPE: _WithoutLooking}


class ForgetsCreditMemos(Database):
    """RET-12 broken: it says that a credit memo is booked, and books nothing."""

    @activity.defn(name=calls.BOOK_CREDIT_MEMO.name)
    def book_credit_memo(self, ask: BookCreditMemo) -> CreditMemoBooked:
        return CreditMemoBooked(state="booked", return_id=ask.return_id)


class MailsTwice(Mailer):
    """NTF-1 broken: each mail goes out twice."""

    async def _deliver(self, message_id: str, to: Address, sender: str, contact: Contact, letter: Letter) -> None:
        await super()._deliver(message_id, to, sender, contact, letter)
        await super()._deliver(message_id, to, sender, contact, letter)


class ForgetsToMail(Mailer):
    """NTF-1 broken: it notes each mail as sent, and sends none."""

    async def _deliver(self, message_id: str, to: Address, sender: str, contact: Contact, letter: Letter) -> None:
        return None


PATCHES: Final[tuple[type, ...]] = (
    DawdlesBeforeReading,
    DawdlesAfterReading,
    DawdlesBeforeReopening,
    DawdlesAfterReopening,
    DawdlesBeforeTakingBack,
    DawdlesAfterTakingBack,
    DawdlesBeforeSavingACase,
    DawdlesAfterSavingACase,
    DawdlesBeforeLookingForARefund,
    DawdlesAfterLookingForARefund,
    *CHOOSING_DAWDLERS,
    *ORPHAN_DAWDLERS,
    *REPLACEMENT_DAWDLERS,
    *SPECIAL_ORDER_DAWDLERS,
    *QUEUE_DAWDLERS,
    *IMPORT_DAWDLERS,
    *SETTLEMENT_DAWDLERS,
    RefundsWithoutLooking,
    ForgetsCreditMemos,
    MailsTwice,
    ForgetsToMail,
)


if __name__ == "__main__":
    (patch,) = [patch for patch in PATCHES if patch.__name__ == sys.argv[1]]
    (changed,) = patch.__bases__
    (name,) = [name for name, value in vars(worker).items() if value is changed]
    setattr(worker, name, patch)
    worker.main()
