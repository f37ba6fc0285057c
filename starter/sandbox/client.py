"""A small typed client of `/sandbox/...`, for tests and the demo."""

from types import TracebackType
from typing import Any, Literal, Self

import httpx

from starter.sandbox.amazon.facts import AmazonFacts, AmazonOrderSeed, AmazonReportSeed, AmazonSeed
from starter.sandbox.facts import (
    ClockAnswer,
    ClockMove,
    DisputeSeed,
    Effects,
    Fault,
    FaultKind,
    FaultSeed,
    FundsSeed,
    MailFact,
    PartnerName,
    PaymentSeed,
    RefundEnd,
    RequestRecord,
    Seed,
    ShippingFact,
    ShippingSeed,
    StockList,
    StockSeed,
    SupplierSeed,
    WebhookFact,
    WebhookSeed,
)


class SandboxError(Exception):
    """The sandbox says no: the message names what is wrong."""


class SandboxClient:
    """`async with SandboxClient(running.http_url) as sandbox: ...`. Raises SandboxError when told no."""

    def __init__(self, base_url: str) -> None:
        # The sandbox closes a silent connection after five seconds: this end must be the first.
        limits = httpx.Limits(keepalive_expiry=2)
        self._http = httpx.AsyncClient(base_url=f"{base_url.rstrip('/')}/sandbox", timeout=20, limits=limits)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    # ---- seeds ----

    async def seed(self, seed: Seed) -> None:
        """A whole scene at once."""
        await self._send("PUT", "/seed", seed.model_dump(mode="json"))

    async def seed_payment(self, payment: PaymentSeed) -> None:
        """A buyer's payment, made elsewhere, that can be refunded. Twice is fine."""
        await self._send("POST", "/payments", payment.model_dump(mode="json"))

    async def put_supplier(self, supplier_id: str, behaviour: SupplierSeed) -> None:
        await self._send("PUT", f"/suppliers/{supplier_id}", behaviour.model_dump(mode="json"))

    async def put_stock(self, *stock: StockSeed) -> None:
        """What these warehouses have now, of these items."""
        await self._send("PUT", "/stock", StockList(stock=stock).model_dump(mode="json"))

    async def second_source(self, *stock: StockSeed) -> None:
        """Stock that only the wider network has (ORD-6)."""
        await self.put_stock(*(one.model_copy(update={"second_source": True}) for one in stock))

    async def stock(self) -> list[StockSeed]:
        return list(StockList.model_validate(await self._send("GET", "/stock")).stock)

    async def list_for_shipping(self, seller_id: str, order_id: str) -> ShippingFact:
        """Put an order on the shop's shipping list; one that was stopped stays stopped (CAN-11)."""
        seed = ShippingSeed(seller_id=seller_id, order_id=order_id)
        return ShippingFact.model_validate(await self._send("POST", "/shop/orders", seed.model_dump(mode="json")))

    async def shipping_list(self) -> list[ShippingFact]:
        answer = await self._send("GET", "/shop/orders")
        return [ShippingFact.model_validate(one) for one in answer["orders"]]

    # ---- faults, refunds that end, the clock ----

    async def add_fault(
        self, partner: PartnerName | str, kind: FaultKind | str, match: str | None = None, **more: Any
    ) -> Fault:
        """`times` is 1 unless said (None: until cleared); `status`, `code`, `retry_after`, `seconds`."""
        seed = FaultSeed(partner=PartnerName(partner), kind=FaultKind(kind), match=match, **more)
        return Fault.model_validate(await self._send("POST", "/faults", seed.model_dump(mode="json")))

    async def faults(self) -> dict[str, Fault]:
        """The faults that still wait for their request, by id."""
        answer = await self._send("GET", "/faults")
        return {one["id"]: Fault.model_validate(one) for one in answer["faults"]}

    async def take_back_fault(self, id: str) -> None:
        """It is in force no more, and a request that it delays goes on at once."""
        await self._send("DELETE", f"/faults/{id}")

    async def clear_faults(self) -> None:
        await self._send("DELETE", "/faults")

    async def settle_refund(self, id: str, status: Literal["succeeded", "failed"], **more: Any) -> None:
        """End a refund, named by the gateway's id or by a value of its metadata; `failure_reason`."""
        await self._send("POST", f"/refunds/{id}", RefundEnd(status=status, **more).model_dump(mode="json"))

    async def dispute(self, payment: str, state: Literal["dispute", "chargeback", "closed"] = "dispute") -> None:
        """The buyer opens a case on a payment at PayPal, or it is closed."""
        seed = DisputeSeed(payment=payment, state=state)
        await self._send("POST", "/disputes", seed.model_dump(mode="json"))

    async def fund(self, payment: str, *, enough: bool) -> None:
        """Whether the seller has the funds at PayPal to refund this payment."""
        await self._send("POST", "/funds", FundsSeed(payment=payment, enough=enough).model_dump(mode="json"))

    async def tell_webhooks(self, seed: WebhookSeed) -> None:
        """From now on the gateway says by itself what happens to refunds."""
        await self._send("PUT", "/webhooks", seed.model_dump(mode="json"))

    async def webhooks(self) -> list[WebhookFact]:
        """What the gateways said by themselves, oldest first."""
        answer = await self._send("GET", "/webhooks")
        return [WebhookFact.model_validate(one) for one in answer["webhooks"]]

    async def amazon_behaves(self, **seed: Any) -> None:
        """How Amazon behaves from now on; the fields of `AmazonSeed`."""
        told = AmazonSeed.model_validate(seed)
        await self._send("PUT", "/amazon", told.model_dump(mode="json"))

    async def amazon_reports(self, report_type: str, content: str = "", **more: Any) -> None:
        """What reports of this type say from now on."""
        seed = AmazonReportSeed(report_type=report_type, content=content, **more)
        await self._send("PUT", "/amazon/reports", seed.model_dump(mode="json"))

    async def amazon_order(self, seed: AmazonOrderSeed) -> None:
        await self._send("PUT", "/amazon/orders", seed.model_dump(mode="json"))

    async def at_amazon(self) -> AmazonFacts:
        """What happened at Amazon."""
        return AmazonFacts.model_validate(await self._send("GET", "/amazon"))

    async def advance_clock(self, seconds: float) -> ClockAnswer:
        move = ClockMove(advance_seconds=seconds)
        return ClockAnswer.model_validate(await self._send("POST", "/clock", move.model_dump(mode="json")))

    async def reset(self) -> None:
        """Forget everything: payments, stock, mails, faults, records, the clock."""
        await self._send("POST", "/reset")

    # ---- what happened ----

    async def requests(self, partner: PartnerName | str | None = None, path: str = "") -> list[RequestRecord]:
        """What was really asked, oldest first; `path` is a part of the path."""
        query = {"path": path} | ({"partner": str(partner)} if partner else {})
        answer = await self._send("GET", "/requests", query=query)
        return [RequestRecord.model_validate(record) for record in answer["requests"]]

    async def clear_requests(self) -> None:
        await self._send("DELETE", "/requests")

    async def effects(self) -> Effects:
        return Effects.model_validate(await self._send("GET", "/effects"))

    async def mails(self, to: str = "", subject: str = "") -> list[MailFact]:
        """Newest first; `to` and `subject` are parts."""
        answer = await self._send("GET", "/mails", query={"to": to, "subject": subject})
        return [MailFact.model_validate(mail) for mail in answer["mails"]]

    async def _send(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Any:
        response = await self._http.request(method, path, json=body, params=query)
        if response.is_error:
            raise SandboxError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()
