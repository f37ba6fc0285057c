"""Refunds at Authorize.Net. Before the nightly settlement the whole of a payment is voided, and part of it waits;
afterwards money is given back by the last four digits of the card."""

from datetime import timedelta
from typing import Any, Final

from activities.connectors.authorize_net import client as wire
from activities.connectors.authorize_net.client import (
    SETTLED,
    UNSETTLED,
    VOIDED,
    AuthorizeNet,
    Summary,
    Transaction,
    TransactionResponse,
)
from activities.connectors.authorize_net.terms import Terms
from models.partners import AWAITS_SETTLEMENT, RefundAnswer, SendRefund

_TOO_MUCH: Final = frozenset({"51", "55"})
_NOT_NOW: Final = frozenset({"50", "54"})
"""It awaits its settlement, is too old, or is refunded already: a look says which."""
_PENDING: Final = "refundPendingSettlement"
_SUCCEEDED: Final = "refundSettledSuccessfully"
_CLOCKS: Final = timedelta(days=1)
"""How far the gateway's clock may be behind."""


class Refunds:
    """Of one account. Raises as in `activities.connectors.http`."""

    def __init__(self, net: AuthorizeNet, terms: Terms) -> None:
        self._net = net
        self._terms = terms

    async def send(self, ask: SendRefund, *, looks: bool) -> RefundAnswer:
        """The payment itself is looked at each time: the card's digits are needed, and whether it is settled."""
        what = "send a refund"
        payment = await self._payment(what, ask)
        if payment is None:
            return _refused("payment_not_found")
        if looks and (found := await self._found(what, ask, payment)) is not None:
            return found
        return await self._by_state(what, ask, payment)

    async def find(self, ask: SendRefund) -> RefundAnswer:
        what = "look up a refund"
        payment = await self._payment(what, ask)
        found = None if payment is None else await self._found(what, ask, payment)
        return found or RefundAnswer(state="none")

    async def _payment(self, what: str, ask: SendRefund) -> Transaction | None:
        if not ask.payment_reference.isdecimal():
            return None
        return await self._net.details(what, ask.payment_reference)

    async def _by_state(self, what: str, ask: SendRefund, payment: Transaction) -> RefundAnswer:
        if ask.currency != self._terms.currency:
            return _refused("currency_mismatch")
        if payment.status in (UNSETTLED, SETTLED) and ask.amount > payment.settled:
            return _refused("amount_too_large")
        if payment.status == UNSETTLED and ask.amount < payment.settled:
            return self._later()
        if payment.status == UNSETTLED:
            return await self._void(what, ask)
        if payment.status == SETTLED:
            return await self._refund(what, ask, payment)
        return _refused("payment_voided" if payment.status == VOIDED else "payment_not_captured")

    def _later(self) -> RefundAnswer:
        again_at = self._terms.after_settlement(self._net.now())
        return RefundAnswer(state="later", reason=AWAITS_SETTLEMENT, again_at=again_at)

    async def _void(self, what: str, ask: SendRefund) -> RefundAnswer:
        """All of a payment, before its settlement. A no means mostly that it is being settled: looked at later."""
        said = await self._net.transact(what, wire.follow_up("voidTransaction", ask.payment_reference))
        if said.response_code == "1":
            return RefundAnswer(state="succeeded", gateway_refund_id=ask.payment_reference)
        payment = await self._payment(what, ask)
        if payment is not None and payment.status == SETTLED:
            return await self._refund(what, ask, payment)
        raise self._net.partner.unavailable(what, f"does not void the payment (code {said.code})")

    async def _refund(self, what: str, ask: SendRefund, payment: Transaction) -> RefundAnswer:
        if payment.last_four is None:
            return _refused("payment_without_card")
        said = await self._net.transact(what, self._message(ask, payment.last_four, wire.LONGEST_WINDOW))
        if said.code == wire.DUPLICATE:
            first = await self._net.details(what, said.trans_id) if said.trans_id != "0" else None
            if first is not None and _is_ours(first, ask):
                return self._answer(first)
            if (found := await self._found(what, ask, payment)) is not None:
                return found
            # It is known to be another: two refunds of one amount.
            said = await self._net.transact(what, self._message(ask, payment.last_four, 0))
        if said.response_code in ("1", "4"):
            return self._pending(said.trans_id)
        return await self._not_refunded(what, ask, payment, said)

    async def _not_refunded(
        self, what: str, ask: SendRefund, payment: Transaction, said: TransactionResponse
    ) -> RefundAnswer:
        if said.code in wire.SYSTEM_ERRORS or not said.code:
            raise self._net.partner.unavailable(what, f"answered with code {said.code or 'none'}")
        if said.code not in (*_NOT_NOW, *_TOO_MUCH):
            return _refused(f"code_{said.code}")
        if (found := await self._found(what, ask, payment)) is not None:
            return found
        if said.code in _TOO_MUCH:
            return _refused("amount_too_large")
        if said.code == "50":
            return self._later()
        if self._terms.is_too_old(payment.submitted, self._net.now()):
            return _refused("refund_window_over")
        return _refused("payment_not_refundable")

    @staticmethod
    def _message(ask: SendRefund, last_four: str, window: int) -> dict[str, Any]:
        """In the order of the schema."""
        return {
            "transactionType": "refundTransaction",
            "amount": f"{ask.amount:.2f}",
            "payment": {"creditCard": {"cardNumber": last_four, "expirationDate": "XXXX"}},
            "refTransId": ask.payment_reference,
            "order": wire.order_of(ask.refund_id),
            "transactionSettings": wire.duplicate_window(window),
        }

    # ---- what was done before ----

    async def _found(self, what: str, ask: SendRefund, payment: Transaction) -> RefundAnswer | None:
        """The refund with our id: the payment that was voided for it, or one among what is not settled, what the
        payment's customer has, and, without a customer, what was settled since."""
        if payment.status == VOIDED:
            whole = ask.amount == (payment.settled or payment.authorized)
            done = RefundAnswer(state="succeeded", gateway_refund_id=payment.trans_id)
            return done if whole else None
        async for one in self._net.unsettled(what):
            if (refund := await self._ours(what, one, ask)) is not None:
                return self._answer(refund)
        if payment.status == UNSETTLED:
            return None
        customer = payment.profile.customer
        since = (ask.since or payment.submitted) - _CLOCKS
        listed = self._net.of_customer(what, customer) if customer else self._net.settled_since(what, since)
        async for one in listed:
            if (refund := await self._ours(what, one, ask)) is not None:
                return self._answer(refund)
        return None

    async def _ours(self, what: str, one: Summary, ask: SendRefund) -> Transaction | None:
        if one.invoice_number != wire.invoice_number(ask.refund_id):
            return None
        refund = await self._net.details(what, one.trans_id)
        return refund if refund is not None and _is_ours(refund, ask) else None

    def _answer(self, refund: Transaction) -> RefundAnswer:
        if refund.status == _SUCCEEDED:
            return RefundAnswer(state="succeeded", gateway_refund_id=refund.trans_id)
        if refund.status == _PENDING:
            return self._pending(refund.trans_id)
        return RefundAnswer(state="failed", gateway_refund_id=refund.trans_id, reason=refund.status)

    def _pending(self, trans_id: str) -> RefundAnswer:
        """The money moves with the next settlement."""
        return RefundAnswer(
            state="pending",
            gateway_refund_id=trans_id,
            reason=AWAITS_SETTLEMENT,
            again_at=self._terms.after_settlement(self._net.now()),
        )


def _is_ours(refund: Transaction, ask: SendRefund) -> bool:
    same_invoice = refund.order.invoice_number == wire.invoice_number(ask.refund_id)
    return same_invoice and refund.ref_trans_id == ask.payment_reference


def _refused(reason: str) -> RefundAnswer:
    return RefundAnswer(state="refused", reason=reason)
