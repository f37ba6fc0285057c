"""An order, or some of it, comes to nothing: cancelled or voided, and the money goes back (CAN-1, ORD-7)."""

from collections.abc import Callable
from decimal import Decimal

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls, ids
    from models.case import OrderStage as Stage
    from models.case import Who
    from models.order_lines import OrderLines, items_of
    from models.orders import Fault, OrderRequest, fault_of
    from models.parties import Seller
    from models.partners import Recipient, StopShipping
    from models.records import Cessation
    from models.refunds import Direction, RefundState
    from workflows.cancelling import Requested
    from workflows.case import side_by_side
    from workflows.charging import SellerCharge
    from workflows.refunding import RefundingCase, refund, text_of


class Ceasing:
    """Cancels and voids units of one order, and keeps why, and by whose fault (CAN-12)."""

    def __init__(
        self,
        case: RefundingCase,
        request: OrderRequest,
        lines: OrderLines,
        charge: SellerCharge,
        seller: Callable[[], Seller],
    ) -> None:
        self._case = case
        self._request = request
        self._lines = lines
        self._charge = charge
        self._seller = seller
        self._refunds = 0
        self._refunded = Decimal(0)
        self._unended: dict[str, tuple[Decimal, str]] = {}
        """Refunds of the seller whose end is not known: amount and reason, by id."""
        self._buyer_is_due = False
        """The seller's setting asks for a refund of the buyer whose end is not known."""
        self.cessations: list[Cessation] = []

    async def cancel(self, accepted: Requested) -> None:
        """Nothing is sent; the charge is voided or refunded; shipping is stopped (CAN-1, CAN-11)."""
        event = accepted.event
        evidence = {"requested at": text_of(accepted.arrived_at)}
        self._cease("cancelled", self._lines.open, event.reason, fault_of(event), event.actor, evidence)
        self.cessations[-1] = self.cessations[-1].model_copy(update={"channel_reference": event.channel_reference})
        automatic = "yes" if self._seller().auto_refund_buyer else None
        self._case.mail(
            "cancelled", "order_cancelled", Recipient.SELLER, reason=event.reason, refund_automatic=automatic
        )
        self._buyer_is_due = self._seller().auto_refund_buyer
        await self._undo(event.reason)
        if self._buyer_is_due:
            await self._refund_buyer(f"order cancelled: {event.reason}")

    async def cancel_by_staff(self) -> None:
        """Staff cancelled the workflow: nothing of the order is left behind."""
        if self._lines.open:
            self._cease("cancelled", self._lines.open, "stopped by staff", Fault.SELLER, "staff:temporal", {})
        if self._buyer_is_due and workflow.patched("stopped-names-the-buyers-refund"):
            refund_id = ids.buyer_refund_id(self._request.order_id, 1)
            what = f"the automatic refund of the buyer was cut off: look whether {refund_id} was made, else refund"
            self._case.alert_staff("buyer-refund", what, Who.STAFF)
        await self.finish_refunds()
        await self._undo("stopped by staff")

    async def finish_refunds(self) -> None:
        """Staff's stop cut off the wait for these refunds of the seller: each is asked for again under its own
        id, so one that had not begun is made, and one that had is not made twice (REF-6)."""
        for refund_id, (amount, reason) in tuple(self._unended.items()):
            if workflow.patched("stopped-finishes-refunds"):
                await self._ask_seller_refund(refund_id, amount, reason)

    @property
    def money_in_words(self) -> str:
        """What the seller was charged, and what of it went back or is on its way."""
        charged, currency = self._charge.captured, self._charge.currency
        return (
            f"the seller was charged {charged} {currency}, refunds of {self._refunded} {currency} were asked for"
        )

    async def void_all(self, fault: Fault, reason: str, evidence: dict[str, str]) -> None:
        """ORD-7: no source at all; the seller is refunded at once and told what it can do next."""
        units = self._lines.open
        self._cease("voided", units, reason, fault, "broker:backhaul", evidence)
        self._case.mail("voided", "order_voided", Recipient.SELLER, items=items_of(units))
        await self._undo("out of stock")

    async def void(self, units: dict[str, int], fault: Fault, reason: str, evidence: dict[str, str]) -> None:
        """ORD-7 for some units: what was collected for them goes back to the seller at once."""
        if not units:
            return
        if units == self._lines.open and not self._lines.shipped:
            await self.void_all(fault, reason, evidence)
            return
        worth = self._cease("voided", units, reason, fault, "broker:backhaul", evidence)
        self._case.mail(
            f"voided-{len(self.cessations)}", "order_partly_voided", Recipient.SELLER, items=items_of(units)
        )
        if self._charge.captured:
            await self._refund_seller(worth, f"voided: {reason}")

    def _cease(
        self, kind: str, units: dict[str, int], reason: str, fault: Fault, by: str, evidence: dict[str, str]
    ) -> Decimal:
        worth = self._lines.cancel(units) if kind == "cancelled" else self._lines.void(units)
        times = {
            "received at": text_of(workflow.info().workflow_start_time),
            "cancel until": text_of(self._case.deadlines.get("cancel_until")),
        }
        self.cessations.append(
            Cessation.model_validate(
                {
                    "kind": kind,
                    "at": workflow.now(),
                    "reason": reason,
                    "fault": fault,
                    "by": by,
                    "quantities": units,
                    "evidence": times | evidence,
                }
            )
        )
        self._case.step(f"{kind}: {items_of(units)}: {reason} (fault: {fault.value.replace('_', ' ')})", by)
        return worth

    async def _undo(self, reason: str) -> None:
        await side_by_side(self._give_charge_back(reason), self._stop_shipping(reason))

    async def _give_charge_back(self, reason: str) -> None:
        await self._charge.void(self._seller())
        await self._refund_seller(self._charge.captured - self._refunded, reason)

    async def _refund_seller(self, amount: Decimal, reason: str) -> None:
        if amount <= 0:
            return
        self._refunds += 1
        self._refunded += amount
        await self._ask_seller_refund(ids.seller_refund_id(self._request.order_id, self._refunds), amount, reason)

    async def _ask_seller_refund(self, refund_id: str, amount: Decimal, reason: str) -> None:
        self._unended[refund_id] = (amount, reason)
        currency = self._charge.currency
        result = await refund(
            self._case,
            refund_id=refund_id,
            direction=Direction.BROKER_TO_SELLER,
            amount=amount,
            currency=currency,
            reason=reason,
            requested_by="broker:backhaul",
            stage=Stage.CANCELLING,
        )
        self._unended.pop(refund_id, None)
        if result.state is RefundState.SUCCEEDED:
            self._case.step(f"seller refunded: {amount} {currency}", Who.GATEWAY)
            return
        what = f"refund {result.refund_id} of the seller did not succeed: {result.reason}"
        self._case.step(what, Who.GATEWAY)
        self._case.alert_staff(result.refund_id, what, Who.STAFF)

    async def _refund_buyer(self, reason: str) -> None:
        """CAN-6: without a person's click only because the seller's setting automates it."""
        result = await refund(
            self._case,
            refund_id=ids.buyer_refund_id(self._request.order_id, 1),
            direction=Direction.SELLER_TO_BUYER,
            amount=None,
            currency=self._request.payment.currency,
            reason=reason,
            requested_by="seller:settings",
            stage=Stage.CANCELLING,
        )
        self._buyer_is_due = False
        if result.state is RefundState.SUCCEEDED:
            self._case.step(f"buyer refunded: {result.amount} {result.currency}", Who.GATEWAY)
            self._case.mail(
                "buyer-refunded",
                "buyer_refunded",
                Recipient.BUYER,
                amount=result.amount,
                currency=result.currency,
            )
            return
        self._case.step(f"buyer could not be refunded: {result.reason}", Who.GATEWAY)
        self._case.mail(
            "refund-failed",
            "refund_failed",
            Recipient.SELLER,
            reason=result.reason,
            refund_id=result.refund_id,
        )

    async def _stop_shipping(self, reason: str) -> None:
        await self._case.ask(
            calls.STOP_SHIPPING,
            StopShipping(
                order_id=self._request.order_id,
                seller_id=self._request.seller_id,
                channel=self._request.channel.value,
                channel_order_id=self._request.channel_order_id,
                reason=reason,
            ),
            stage=Stage.CANCELLING,
            who=Who.SHOP,
            what="take the order off the shipping list",
        )
