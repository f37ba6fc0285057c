"""Authorize.Net as a payment gateway: the seller's charge and both kinds of refund.

There are no keys. A first try names the longest duplicate window: within eight hours the same content is not done
twice, and the answer says which transaction it is taken for. Whether that one is ours, its invoice number says; so
too in the lists in which a later try looks (REF-6).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from activities.connectors.access import Access
from activities.connectors.authorize_net import client as wire
from activities.connectors.authorize_net.client import AuthorizeNet, Transaction, TransactionResponse
from activities.connectors.authorize_net.refunds import Refunds
from activities.connectors.authorize_net.terms import Terms
from activities.connectors.http import tested
from activities.connectors.payment_gateway import CURRENCY_NOT_TAKEN, HELD, declined
from models.gateway_limits import require_movable
from models.partners import (
    AuthorizeCharge,
    CaptureCharge,
    ChargeAnswer,
    ChargeState,
    RefundAnswer,
    SendRefund,
    VoidCharge,
)
from models.payments import PaidBy

_NO_METHOD: Final = {
    "6": "card_invalid",
    "7": "card_expired",
    "8": "card_expired",
    "17": "card_not_accepted",
    "28": "card_not_accepted",
    "37": "card_invalid",
    wire.NOT_FOUND: "payment_profile_not_found",
}
"""Errors that the seller can mend with another payment method (ORD-3)."""
_REASONS: Final = {"2": "declined", "3": "declined", "4": "pick_up_card", "27": "address_mismatch"}
_CAPTURED: Final = frozenset({wire.UNSETTLED, wire.SETTLED})
_ALREADY_CAPTURED: Final = "311"
_REVIEWED: Final = frozenset({"FDSAuthorizedPendingReview", "FDSPendingReview", "underReview"})


class AuthorizeNetGateway:
    """One Authorize.Net account; answers as in `PaymentGateway`, errors as in `activities.connectors.http`."""

    provider: Final = PaidBy.AUTHORIZE_NET

    def __init__(self, access: Access, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._net = AuthorizeNet(access, now)
        self._terms = Terms.of(access.connection)
        self._refunds = Refunds(self._net, self._terms)

    async def test(self) -> None:
        await tested(self._net.test())

    # ---- refunds ----

    async def refund(self, ask: SendRefund, *, looks: bool) -> RefundAnswer:
        self._amount("send a refund", ask.amount, ask.currency)
        return await self._refunds.send(ask, looks=looks)

    async def find_refund(self, ask: SendRefund) -> RefundAnswer:
        return await self._refunds.find(ask)

    # ---- the seller's charge ----

    async def authorize(self, ask: AuthorizeCharge, *, looks: bool) -> ChargeAnswer:
        """`payment_method` is a payment profile of the customer profile `gateway_customer`."""
        what = "authorize a charge"
        customer, method = ask.gateway_customer or "", ask.payment_method
        if not (customer.isdecimal() and method.isdecimal()):
            return declined(ask.charge_id, None, "payment_method_not_at_this_gateway")
        amount = self._amount(what, ask.amount, ask.currency)
        if ask.currency != self._terms.currency:
            return declined(ask.charge_id, None, CURRENCY_NOT_TAKEN)
        if looks and (found := await self._find_charge(what, ask.charge_id, customer)) is not None:
            return await self._stands(what, ask.charge_id, found)
        said = await self._net.transact(what, _authorization(ask, amount, wire.LONGEST_WINDOW))
        if said.code == wire.DUPLICATE:
            found = await self._first_of(what, ask.charge_id, customer, said.trans_id)
            if found is not None:
                return await self._stands(what, ask.charge_id, found)
            # It is known to be another: two charges of one amount.
            said = await self._net.transact(what, _authorization(ask, amount, 0))
        return await self._authorized(what, ask.charge_id, said)

    async def _authorized(self, what: str, charge_id: str, said: TransactionResponse) -> ChargeAnswer:
        if said.response_code == "1":
            return ChargeAnswer(charge_id=charge_id, state=ChargeState.AUTHORIZED, gateway_reference=said.trans_id)
        if said.response_code == "4":
            return await self._not_reviewed(what, charge_id, said.trans_id)
        if said.response_code == "2":
            reference = said.trans_id if said.trans_id != "0" else None
            return declined(charge_id, reference, _REASONS.get(said.code, f"code_{said.code}"))
        if said.code in _NO_METHOD:
            return declined(charge_id, None, _NO_METHOD[said.code])
        raise self._no(what, said.code)

    async def _not_reviewed(self, what: str, charge_id: str, reference: str) -> ChargeAnswer:
        """A person would have to agree at the gateway, perhaps when the seller has paid by another method."""
        await self._net.transact(what, wire.follow_up("voidTransaction", reference))
        return declined(charge_id, reference, HELD)

    async def _first_of(self, what: str, charge_id: str, customer: str, taken_for: str) -> Transaction | None:
        """The charge with our id: the one that it was taken for, or one in the list."""
        first = await self._net.details(what, taken_for) if taken_for != "0" else None
        if first is not None and first.order.invoice_number == wire.invoice_number(charge_id):
            return first
        return await self._find_charge(what, charge_id, customer)

    async def _find_charge(self, what: str, charge_id: str, customer: str) -> Transaction | None:
        async for one in self._net.of_customer(what, customer):
            if one.invoice_number == wire.invoice_number(charge_id):
                return await self._net.details(what, one.trans_id)
        return None

    async def capture(self, ask: CaptureCharge, *, looks: bool) -> ChargeAnswer:
        """What can be captured once only needs no look before; a no is followed by one."""
        what = "capture a charge"
        amount = self._amount(what, ask.amount, ask.currency)
        said = await self._net.transact(
            what, wire.follow_up("priorAuthCaptureTransaction", ask.gateway_reference, amount=amount)
        )
        if said.response_code == "1" and said.code != _ALREADY_CAPTURED:
            return ChargeAnswer(
                charge_id=ask.charge_id,
                state=ChargeState.CAPTURED,
                gateway_reference=ask.gateway_reference,
                captured=ask.amount,
            )
        if said.response_code == "2":
            return declined(ask.charge_id, ask.gateway_reference, _REASONS.get(said.code, f"code_{said.code}"))
        now = await self._net.details(what, ask.gateway_reference)
        if now is None:
            return ChargeAnswer(charge_id=ask.charge_id, state=ChargeState.NONE)
        if now.status in ("expired", wire.VOIDED):
            return ChargeAnswer(
                charge_id=ask.charge_id,
                state=ChargeState.EXPIRED,
                gateway_reference=now.trans_id,
                reason=now.status,
            )
        if now.status not in _CAPTURED:
            raise self._no(what, said.code)
        return await self._stands(what, ask.charge_id, now)

    async def void(self, ask: VoidCharge) -> ChargeAnswer:
        """Looks first: a void would take back what is captured too."""
        what = "void a charge"
        reference = ask.gateway_reference
        if reference is not None:
            now = await self._net.details(what, reference)
        else:
            now = await self._find_charge(what, ask.charge_id, ask.gateway_customer or "")
        if now is None:
            return ChargeAnswer(charge_id=ask.charge_id, state=ChargeState.NONE)
        if now.status != "authorizedPendingCapture":
            return await self._stands(what, ask.charge_id, now)
        said = await self._net.transact(what, wire.follow_up("voidTransaction", now.trans_id))
        if said.response_code != "1":
            raise self._no(what, said.code)
        return ChargeAnswer(charge_id=ask.charge_id, state=ChargeState.VOIDED, gateway_reference=now.trans_id)

    async def _stands(self, what: str, charge_id: str, now: Transaction) -> ChargeAnswer:
        """Where a charge stands, that this or an earlier try made."""
        states = {
            "authorizedPendingCapture": ChargeState.AUTHORIZED,
            wire.VOIDED: ChargeState.VOIDED,
            "expired": ChargeState.EXPIRED,
            **dict.fromkeys(_CAPTURED, ChargeState.CAPTURED),
        }
        if now.status in _REVIEWED:
            return await self._not_reviewed(what, charge_id, now.trans_id)
        state = states.get(now.status, ChargeState.DECLINED)
        return ChargeAnswer(
            charge_id=charge_id,
            state=state,
            gateway_reference=now.trans_id,
            captured=now.settled if state is ChargeState.CAPTURED else None,
            reason=now.status if state in (ChargeState.DECLINED, ChargeState.EXPIRED) else None,
        )

    def _amount(self, what: str, amount: Decimal, currency: str) -> str:
        try:
            require_movable(amount, PaidBy.AUTHORIZE_NET, currency, "the amount")
        except ValueError as error:
            raise self._net.partner.invalid(what, str(error)) from None
        return f"{amount:.2f}"

    def _no(self, what: str, code: str) -> Exception:
        """A gateway that is out of order, or that refuses for a reason that no other payment method mends."""
        if code in wire.SYSTEM_ERRORS or not code:
            return self._net.partner.unavailable(what, f"answered with code {code or 'none'}")
        return self._net.partner.said_no(what, f"code_{code}")


def _authorization(ask: AuthorizeCharge, amount: str, window: int) -> dict[str, Any]:
    return {
        "transactionType": "authOnlyTransaction",
        "amount": amount,
        "profile": {
            "customerProfileId": ask.gateway_customer,
            "paymentProfile": {"paymentProfileId": ask.payment_method},
        },
        "order": wire.order_of(ask.charge_id),
        "transactionSettings": wire.duplicate_window(window),
    }
