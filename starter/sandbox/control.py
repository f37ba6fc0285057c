"""`/sandbox/...`: where tests, the demo and people set the scene, order faults and ask what happened."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models.failures import InvalidInput
from models.message import Message, problems_of
from models.plain_yaml import read_json, read_yaml
from starter.sandbox import facts
from starter.sandbox.amazon.facts import AmazonOrderSeed, AmazonReportSeed, AmazonSeed
from starter.sandbox.effects import effects_of
from starter.sandbox.partners import Partners
from starter.sandbox.wire import StoredRequest

M = TypeVar("M", bound=Message)
Endpoint = Callable[[Request], Awaitable[Response]]


class Control:
    """Seeds, faults, records, effects, the clock. Bodies are JSON or YAML."""

    def __init__(self, partners: Partners) -> None:
        self._partners = partners
        self._store = partners.store

    def routes(self) -> list[Route]:
        table: list[tuple[str, str, Callable[[Request], Awaitable[Any]]]] = [
            ("PUT", "/seed", self.put_seed),
            ("POST", "/payments", self.post_payment),
            ("PUT", "/suppliers/{supplier_id}", self.put_supplier),
            ("GET", "/suppliers", self.get_suppliers),
            ("PUT", "/stock", self.put_stock),
            ("GET", "/stock", self.get_stock),
            ("POST", "/shop/orders", self.post_shop_order),
            ("GET", "/shop/orders", self.get_shop_orders),
            ("POST", "/faults", self.post_fault),
            ("GET", "/faults", self.get_faults),
            ("DELETE", "/faults", self.delete_faults),
            ("DELETE", "/faults/{id}", self.delete_fault),
            ("GET", "/requests", self.get_requests),
            ("DELETE", "/requests", self.delete_requests),
            ("GET", "/effects", self.get_effects),
            ("GET", "/mails", self.get_mails),
            ("POST", "/refunds/{id}", self.post_refund),
            ("POST", "/disputes", self.post_dispute),
            ("POST", "/funds", self.post_funds),
            ("PUT", "/webhooks", self.put_webhooks),
            ("GET", "/webhooks", self.get_webhooks),
            ("PUT", "/amazon", self.put_amazon),
            ("GET", "/amazon", self.get_amazon),
            ("PUT", "/amazon/reports", self.put_amazon_report),
            ("PUT", "/amazon/orders", self.put_amazon_order),
            ("POST", "/clock", self.post_clock),
            ("GET", "/clock", self.get_clock),
            ("POST", "/reset", self.post_reset),
        ]
        return [Route(path, _answering(work), methods=[method]) for method, path, work in table]

    # ---- seeds ----

    async def put_seed(self, request: Request) -> Any:
        seed = await _body(request, facts.Seed)
        with self._store.transaction():
            for supplier_id, behaviour in seed.suppliers.items():
                self._partners.suppliers.seed_supplier(supplier_id, behaviour)
            for stock in seed.stock:
                self._partners.suppliers.seed_stock(stock)
            for payment in seed.payments:
                self._seed(payment)
            for listing in seed.shipping_list:
                self._partners.shop.list_for_shipping(listing)
        return {
            "suppliers": len(seed.suppliers),
            "stock": len(seed.stock),
            "payments": len(seed.payments),
            "shipping_list": len(seed.shipping_list),
        }

    async def post_payment(self, request: Request) -> Any:
        payment = await _body(request, facts.PaymentSeed)
        with self._store.transaction():
            return self._seed(payment)

    def _seed(self, payment: facts.PaymentSeed) -> dict[str, Any]:
        if payment.gateway == "paypal":
            return {"capture": self._partners.paypal.books.seed(payment).id}
        if payment.gateway == "authorize_net":
            return {"transaction": self._partners.authorize_net.books.seed(payment).id}
        intent = self._partners.gateway.books.seed(payment)
        return {"payment_intent": intent.id, "charge": intent.charge_id}

    async def put_supplier(self, request: Request) -> Any:
        behaviour = await _body(request, facts.SupplierSeed)
        self._partners.suppliers.seed_supplier(request.path_params["supplier_id"], behaviour)
        return behaviour

    async def get_suppliers(self, request: Request) -> Any:
        return self._partners.suppliers.suppliers()

    async def put_stock(self, request: Request) -> Any:
        seed = await _body(request, facts.StockList)
        with self._store.transaction():
            for stock in seed.stock:
                self._partners.suppliers.seed_stock(stock)
        return seed

    async def get_stock(self, request: Request) -> Any:
        return facts.StockList(stock=tuple(self._partners.suppliers.stocks()))

    async def post_shop_order(self, request: Request) -> Any:
        return self._partners.shop.list_for_shipping(await _body(request, facts.ShippingSeed))

    async def get_shop_orders(self, request: Request) -> Any:
        return {"orders": self._partners.shop.listings()}

    # ---- faults, refunds that end, the clock ----

    async def post_fault(self, request: Request) -> Any:
        return self._partners.faults.add(await _body(request, facts.FaultSeed))

    async def get_faults(self, request: Request) -> Any:
        return {"faults": self._partners.faults.all()}

    async def delete_faults(self, request: Request) -> Any:
        self._partners.faults.clear()
        return {"faults": []}

    async def delete_fault(self, request: Request) -> Any:
        self._partners.faults.take_back(request.path_params["id"])
        return {"faults": self._partners.faults.all()}

    async def post_refund(self, request: Request) -> Any:
        end, id = await _body(request, facts.RefundEnd), request.path_params["id"]
        partners = self._partners
        with self._store.transaction():
            refund = (
                partners.gateway.books.settle(id, end)
                or partners.paypal.books.settle(id, end)
                or partners.authorize_net.books.settle(id, end)
            )
        if refund is None:
            return _error(404, "not_found", f"no refund has the id or the metadata {id}")
        return {"id": refund.id, "status": refund.status}

    async def post_dispute(self, request: Request) -> Any:
        seed = await _body(request, facts.DisputeSeed)
        with self._store.transaction():
            capture = self._partners.paypal.books.dispute(
                seed.payment, "" if seed.state == "closed" else seed.state
            )
        return seed if capture is not None else _error(404, "not_found", f"PayPal has no capture {seed.payment}")

    async def post_funds(self, request: Request) -> Any:
        seed = await _body(request, facts.FundsSeed)
        with self._store.transaction():
            self._partners.paypal.books.fund(seed.payment, has_funds=seed.enough)
        return seed

    async def put_webhooks(self, request: Request) -> Any:
        seed = await _body(request, facts.WebhookSeed)
        self._partners.webhooks.subscribe(seed, f"http://{request.headers.get('host', '')}")
        return seed

    async def get_webhooks(self, request: Request) -> Any:
        """What the gateways said by themselves, oldest first."""
        return {"webhooks": self._partners.webhooks.sent()}

    async def put_amazon(self, request: Request) -> Any:
        """How Amazon behaves from now on."""
        seed = await _body(request, AmazonSeed)
        with self._store.transaction():
            self._partners.amazon.books.behave(seed)
        return seed

    async def get_amazon(self, request: Request) -> Any:
        """What happened at Amazon."""
        with self._store.transaction():
            return self._partners.amazon.feeds.facts()

    async def put_amazon_report(self, request: Request) -> Any:
        seed = await _body(request, AmazonReportSeed)
        self._partners.amazon.books.seed_report(seed)
        return seed

    async def put_amazon_order(self, request: Request) -> Any:
        seed = await _body(request, AmazonOrderSeed)
        self._partners.amazon.books.seed_order(seed)
        return seed

    async def post_clock(self, request: Request) -> Any:
        move = await _body(request, facts.ClockMove)
        self._store.advance(move.advance_seconds)
        return facts.ClockAnswer(now=self._store.now())

    async def get_clock(self, request: Request) -> Any:
        return facts.ClockAnswer(now=self._store.now())

    async def post_reset(self, request: Request) -> Any:
        self._store.clear()
        return {"reset": True}

    # ---- what happened ----

    async def get_requests(self, request: Request) -> Any:
        """Oldest first; `path` is a part of the path."""
        partner, path = request.query_params.get("partner"), request.query_params.get("path", "")
        found = [stored.record for stored in self._store.find(StoredRequest, owner=partner)]
        return {"requests": [record for record in found if path in record.path]}

    async def delete_requests(self, request: Request) -> Any:
        self._store.forget(StoredRequest)
        return {"requests": []}

    async def get_mails(self, request: Request) -> Any:
        query = request.query_params
        return {"mails": self._partners.mail.mails(query.get("to", ""), query.get("subject", ""))}

    async def get_effects(self, request: Request) -> Any:
        return effects_of(self._partners)


async def _body(request: Request, model: type[M]) -> M:
    """JSON or YAML. Raises InvalidInput."""
    raw = await request.body()
    read = read_json if raw.lstrip().startswith(b"{") else read_yaml
    return model.at_the_door(read(model.__name__, raw) or {})


def _answering(work: Callable[[Request], Awaitable[Any]]) -> Endpoint:
    """Models become JSON; what is wrong becomes 422 with the fields, a conflict 409."""

    async def endpoint(request: Request) -> Response:
        try:
            answer = await work(request)
        except InvalidInput as wrong:
            return _error(422, "invalid", str(wrong))
        except ValidationError as wrong:
            return _error(422, "invalid", "; ".join(str(problem) for problem in problems_of(wrong)))
        except ValueError as conflict:
            return _error(409, "conflict", str(conflict))
        return answer if isinstance(answer, Response) else JSONResponse(_plain(answer))

    return endpoint


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)
