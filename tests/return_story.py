"""A return, told by a test: what seller, supplier, buyer and staff do to it, and what money it moved."""

from decimal import Decimal
from typing import Any, NamedTuple, Self

from models.case import Answer
from models.parties import Seller, Supplier
from starter.sandbox.facts import MailFact
from tests.case_story import CaseStory, OrderStory
from tests.eventually import eventually
from tests.world import World

PAID_EACH = Decimal("50.00")
"""What the buyer paid for one unit."""
COST_EACH = Decimal("31.50")
"""What the seller paid the broker for one unit."""


class Money(NamedTuple):
    """What the gateway really gave back because of one return."""

    buyer: Decimal
    seller: Decimal


class ReturnStory(CaseStory):
    """A running return with everybody who has to do with it."""

    order: OrderStory
    seller: Seller
    supplier: Supplier

    @classmethod
    def of(cls, case: CaseStory, order: OrderStory, seller: Seller, supplier: Supplier) -> Self:
        story = cls(case.stack, case.handle, case.id)
        story.order, story.seller, story.supplier = order, seller, supplier
        return story

    @property
    def sku(self) -> str:
        return self.order.request.lines[0].sku

    # ---- what people do ----

    async def approve(self, **more: Any) -> Answer:
        return await self.update("seller_approval", decision="approved", **more)

    async def approved(self, stage: str = "awaiting_tracking", **more: Any) -> Self:
        """Approve it, and wait until it stands at `stage`."""
        await self.reaches("awaiting_approval")
        await self.approve(**more)
        await self.reaches(stage)
        return self

    async def issue_rma(self, number: str, **more: Any) -> Answer:
        fields = {"actor": "supplier:dock", "outcome": "issued", "rma_number": number}
        return await self.update("supplier_rma", **fields | more)

    async def refuse_rma(self, reason: str) -> Answer:
        return await self.update("supplier_rma", actor="supplier:dock", outcome="refused", reason=reason)

    async def track(self, **more: Any) -> Answer:
        fields = {"actor": "buyer:robin", "carrier": "UPS", "tracking_number": "1ZBACK"}
        return await self.update("return_tracking", **fields | more)

    async def receive(self, *lines: dict[str, Any], **more: Any) -> Answer:
        """The supplier received and inspected; unless said, all units of the first line, accepted."""
        units = self.order.request.lines[0].quantity
        whole = {"sku": self.sku, "quantity": units, "reception": "received", "acceptance": "accepted"}
        inspected = [whole | line for line in lines] or [whole]
        return await self.update("goods_received", actor="supplier:dock", lines=inspected, **more)

    async def credit(self, amount: str, number: str | None = None, **more: Any) -> Answer:
        fields = {
            "actor": "supplier:office",
            "number": number or f"CM-{self.id}",
            "date": "2026-03-01",
            "amount": amount,
            "currency": "USD",
        }
        return await self.update("credit_memo", **fields | more)

    async def click(self, **more: Any) -> Answer:
        return await self.update("buyer_refund", reason="returned", **more)

    async def withdraw(self, **more: Any) -> Answer:
        return await self.update("withdrawal", reason="keeps it after all", **more)

    async def override(self, **more: Any) -> Answer:
        return await self.update("staff_override", actor="staff:sam", reason="agreed by phone", **more)

    # ---- what became of it ----

    async def money(self) -> Money:
        """What the gateway gave back for this return, whoever asked for it."""
        effects = await self.stack.effects()
        mine = [
            (refund.metadata["backhaul_id"], refund.amount)
            for refund in effects.refunds
            if refund.status == "succeeded"
            and refund.metadata.get("backhaul_id", "").startswith((f"RF-{self.id}-B", f"RF-{self.id}-S"))
        ]
        return Money(
            buyer=sum((amount for key, amount in mine if f"{self.id}-B" in key), Decimal(0)),
            seller=sum((amount for key, amount in mine if f"{self.id}-S" in key), Decimal(0)),
        )

    async def letter(self, to: str, subject: str = "") -> MailFact:
        """The one letter to this address with this in its subject; it must come, and come once."""
        letters: list[MailFact] = await eventually(
            lambda: self.mails(subject, to), bool, f"no letter {subject!r} to {to}"
        )
        assert len(letters) == 1, [letter.subject for letter in letters]
        return letters[0]

    async def staff_letters(self, containing: str = "") -> list[MailFact]:
        """What staff were told about this return."""
        letters = await self.mails(to=str(self.stack.settings.mail_staff))
        return [letter for letter in letters if self.id in _all_of(letter) and containing in _all_of(letter)]

    async def alerts_staff(self, containing: str) -> list[MailFact]:
        """Wait until staff are told something about this return."""
        letters: list[MailFact] = await eventually(
            lambda: self.staff_letters(containing), bool, f"staff are not told {containing!r}"
        )
        return letters

    async def buyer_letter(self, subject: str = "") -> MailFact:
        return await self.letter(str(self.order.request.buyer.email), subject)

    async def seller_letter(self, subject: str = "") -> MailFact:
        return await self.letter(self.seller.email, subject)

    async def supplier_letter(self, subject: str = "") -> MailFact:
        return await self.letter(self.supplier.email, subject)


async def shipped_order(
    world: World,
    seller: Seller | None = None,
    supplier: Supplier | None = None,
    *,
    quantity: int = 2,
    **more: Any,
) -> tuple[OrderStory, Seller, Supplier]:
    """An order of some units of one item (50.00 each for the buyer, 31.50 for the seller), shipped."""
    seller = seller or await world.seller()
    supplier = supplier or await world.supplier()
    sku = world.sku()
    await world.stock(sku, 20, supplier)
    order = await world.order(seller, {"sku": sku, "quantity": quantity}, **more)
    await order.shipped()
    return order, seller, supplier


async def returning(
    world: World,
    seller: Seller | None = None,
    supplier: Supplier | None = None,
    *,
    quantity: int | None = None,
    ordered: int = 2,
    channel: str = "web_shop",
    **request: Any,
) -> ReturnStory:
    """A return of a shipped order, opened a moment ago."""
    order, seller, supplier = await shipped_order(world, seller, supplier, quantity=ordered, channel=channel)
    return await returning_from(world, order, seller, supplier, quantity=quantity, **request)


async def returning_from(
    world: World,
    order: OrderStory,
    seller: Seller,
    supplier: Supplier,
    *,
    quantity: int | None = None,
    **request: Any,
) -> ReturnStory:
    """One more return of an order."""
    case = await world.return_of(order, quantity=quantity, **request)
    return ReturnStory.of(case, order, seller, supplier)


def _all_of(letter: MailFact) -> str:
    return f"{letter.subject}\n{letter.text}"
