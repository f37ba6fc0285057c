"""The broker's charge on the seller's payment method: authorize, collect, void (ORD-3, CAN-1)."""

from decimal import Decimal

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls, ids
    from models.case import OrderStage as Stage
    from models.case import Who
    from models.parties import Seller
    from models.partners import AuthorizeCharge, CaptureCharge, ChargeState, VoidCharge
    from models.records import ChargeRecord
    from workflows.case import Case


class SellerCharge:
    """The charges of one order, one per attempt; at most one of them holds money."""

    def __init__(self, case: Case, currency: str) -> None:
        self._case = case
        self.currency = currency
        self.method: str | None = None
        """Token of the seller's card or PayPal that is charged next."""
        self.methods_given = 0
        self._methods_used = -1
        self.records: list[ChargeRecord] = []
        self._unanswered: AuthorizeCharge | None = None
        """What the gateway was asked and has not answered: it may hold money all the same."""

    @property
    def current(self) -> ChargeRecord | None:
        """The charge that holds money now."""
        holding = (ChargeState.AUTHORIZED, ChargeState.CAPTURED)
        return next((record for record in reversed(self.records) if record.state in holding), None)

    @property
    def captured(self) -> Decimal:
        return self.current.captured if self.current else Decimal(0)

    @property
    def last_reason(self) -> str | None:
        """Why the last attempt failed, in the gateway's word."""
        return self.records[-1].reason if self.records else None

    def give_method(self, token: str) -> None:
        """The seller's payment method is now this one; the same token again is tried again."""
        self.method = token
        self.methods_given += 1

    @property
    def has_new_method(self) -> bool:
        return self.method is not None and self._methods_used != self.methods_given

    async def authorize(self, amount: Decimal, seller: Seller) -> bool:
        """Reserve `amount`; False if it was declined. Call it only with a new method."""
        if self.method is None:
            return False
        self._methods_used = self.methods_given
        self._unanswered = AuthorizeCharge(
            charge_id=ids.charge_id(self._case.order_id, len(self.records) + 1),
            order_id=self._case.order_id,
            amount=amount,
            currency=self.currency,
            payment_method=self.method,
            gateway_customer=seller.gateway_customer,
        )
        answer = await self._case.ask(
            calls.AUTHORIZE_CHARGE,
            self._unanswered,
            stage=Stage.RECEIVED,
            who=Who.GATEWAY,
            what="charge the seller: parts, shipping and tax",
        )
        self._unanswered = None
        self.records.append(
            ChargeRecord(
                charge_id=answer.charge_id,
                state=answer.state,
                amount=amount,
                captured=answer.captured or Decimal(0),
                currency=self.currency,
                gateway_reference=answer.gateway_reference,
                reason=answer.reason,
            )
        )
        if self.current is None:
            self._case.step(f"charge declined: {answer.reason or 'no reason given'}", Who.GATEWAY)
            return False
        self._case.step(f"seller's payment method charged: {amount} {self.currency}", Who.GATEWAY)
        return True

    async def collect(self, amount: Decimal) -> bool:
        """Take `amount` of the authorized charge; False if the authorization is gone."""
        charge = self.current
        if charge is None or charge.state is ChargeState.CAPTURED:
            return charge is not None
        answer = await self._case.ask(
            calls.CAPTURE_CHARGE,
            CaptureCharge(
                charge_id=charge.charge_id,
                gateway_reference=charge.gateway_reference or charge.charge_id,
                amount=amount,
                currency=self.currency,
            ),
            stage=Stage.PLACING,
            who=Who.GATEWAY,
            what="collect the seller's charge",
        )
        if answer.state is ChargeState.CAPTURED:
            self._replace(charge, ChargeState.CAPTURED, captured=answer.captured or amount)
            self._case.step(f"charge collected: {amount} {self.currency}", Who.GATEWAY)
            return True
        self._replace(charge, answer.state, reason=answer.reason)
        self._case.step(f"charge could not be collected: {answer.reason or answer.state.value}", Who.GATEWAY)
        if answer.state is ChargeState.EXPIRED:
            # The method itself was good: it is authorized anew without asking the seller.
            self._methods_used = -1
        return False

    async def void(self, seller: Seller) -> None:
        """Give an authorization free. If it turns out to be collected, `captured` says so afterwards."""
        if self._unanswered is not None:
            # Staff stopped the case before the gateway answered: it is taken for made, and looked for.
            asked, self._unanswered = self._unanswered, None
            self.records.append(
                ChargeRecord(
                    charge_id=asked.charge_id,
                    state=ChargeState.AUTHORIZED,
                    amount=asked.amount,
                    captured=Decimal(0),
                    currency=self.currency,
                )
            )
        charge = self.current
        if charge is None or charge.state is ChargeState.CAPTURED:
            return
        answer = await self._case.ask(
            calls.VOID_CHARGE,
            VoidCharge(
                charge_id=charge.charge_id,
                gateway_reference=charge.gateway_reference,
                gateway_customer=seller.gateway_customer,
            ),
            stage=Stage.CANCELLING,
            who=Who.GATEWAY,
            what="void the seller's charge",
        )
        if answer.state is ChargeState.CAPTURED:
            self._replace(charge, ChargeState.CAPTURED, captured=answer.captured or charge.amount)
            return
        self._replace(charge, ChargeState.VOIDED)
        self._case.step("seller's charge voided", Who.GATEWAY)

    def _replace(
        self,
        charge: ChargeRecord,
        state: ChargeState,
        *,
        captured: Decimal = Decimal(0),
        reason: str | None = None,
    ) -> None:
        update = {"state": state, "captured": captured, "reason": reason}
        self.records = [r.model_copy(update=update) if r is charge else r for r in self.records]
