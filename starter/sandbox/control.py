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
from starter.sandbox.partners import Partners
from starter.sandbox.stripe_objects import as_decimal
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
                self._partners.gateway.books.seed(payment)
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
        end = await _body(request, facts.RefundEnd)
        with self._store.transaction():
            refund = self._partners.gateway.books.settle(request.path_params["id"], end)
        if refund is None:
            return _error(404, "not_found", f"no refund has the id or the metadata {request.path_params['id']}")
        return {"id": refund.id, "status": refund.status}

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


def effects_of(partners: Partners) -> facts.Effects:
    """What really happened, at all partners."""
    books = partners.gateway.books
    intents = books.intents()
    return facts.Effects(
        payment_intents=tuple(
            facts.PaymentFact(
                id=intent.id,
                account=intent.space or None,
                customer=intent.customer,
                status=intent.status,
                amount=as_decimal(intent.amount, intent.currency),
                amount_capturable=as_decimal(intent.amount_capturable, intent.currency),
                amount_received=as_decimal(intent.amount_received, intent.currency),
                currency=intent.currency.upper(),
                payment_method=intent.payment_method,
                metadata=intent.metadata,
                seeded=intent.seeded,
            )
            for intent in intents
        ),
        captures=tuple(
            facts.CaptureFact(
                payment_intent=intent.id,
                charge=intent.charge_id or "",
                account=intent.space or None,
                amount=as_decimal(intent.amount_received, intent.currency),
                currency=intent.currency.upper(),
            )
            for intent in intents
            if intent.amount_received and not intent.seeded
        ),
        refunds=tuple(
            facts.RefundFact(
                id=refund.id,
                account=refund.space or None,
                payment_intent=refund.intent_id,
                charge=refund.charge_id,
                amount=as_decimal(refund.amount, refund.currency),
                currency=refund.currency.upper(),
                status=refund.status,
                failure_reason=refund.failure_reason,
                metadata=refund.metadata,
            )
            for refund in books.refunds()
        ),
        supplier_orders=tuple(partners.suppliers.orders()),
        rmas=tuple(partners.suppliers.rmas()),
        shipments=tuple(partners.shop.shipments()),
        stops=tuple(listing for listing in partners.shop.listings() if listing.state == "stopped"),
        mails=tuple(reversed(partners.mail.mails())),
    )


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
