"""The bare workflows' activities and worker: the same partners and mail server, and a database, by plain means."""

import json
import os
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from email.message import EmailMessage
from typing import Any, Final

import aiosmtplib
import httpx
from jinja2 import Template
from sqlalchemy import Engine, create_engine, event, text
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from bench.bare_workflows import TASK_QUEUE, BareOrder, BareRefund, BareReturn, Data
from models.environment import settings_from_environment

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS cases (id TEXT PRIMARY KEY, stage TEXT, waiting_on TEXT, document TEXT)",
    "CREATE TABLE IF NOT EXISTS steps (id TEXT, number INTEGER, at TEXT, what TEXT, actor TEXT,"
    " PRIMARY KEY (id, number))",
    "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, seller_id TEXT, document TEXT)",
    "CREATE TABLE IF NOT EXISTS lines (id TEXT, sku TEXT, quantity INTEGER, PRIMARY KEY (id, sku))",
    "CREATE TABLE IF NOT EXISTS charges (id TEXT PRIMARY KEY, reference TEXT, amount TEXT)",
    "CREATE TABLE IF NOT EXISTS returns (id TEXT PRIMARY KEY, order_id TEXT, document TEXT)",
    "CREATE TABLE IF NOT EXISTS memos (number TEXT PRIMARY KEY, return_id TEXT, amount TEXT)",
    "CREATE TABLE IF NOT EXISTS refunds (id TEXT PRIMARY KEY, order_id TEXT, amount TEXT, state TEXT)",
    "CREATE TABLE IF NOT EXISTS mails (key TEXT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS ledger (id TEXT, account TEXT, amount TEXT, PRIMARY KEY (id, account))",
)

_LETTER: Final = Template(
    "Dear {{ to }},\n\nabout {{ case_id }}: {{ template }}.\n\n"
    "{% for name, value in facts.items() %}- {{ name }}: {{ value }}\n{% endfor %}\nKind regards\nBackhaul\n"
)


def _database(url: str) -> Engine:
    engine = create_engine(url, pool_size=20, max_overflow=20, connect_args={"timeout": 10})

    def prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    event.listen(engine, "connect", prepare)
    with engine.begin() as connection:
        for table in _TABLES:
            connection.execute(text(table))
    return engine


class _Rows:
    """Activities that use the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = threading.Lock()
        """SQLite has one writer; waiting here is cheaper than trying again."""

    def write(self, *statements: tuple[str, Data | list[Data]]) -> None:
        with self._writing, self._engine.begin() as connection:
            for statement, values in statements:
                connection.execute(text(statement), values)

    def one(self, statement: str, **values: Any) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(text(statement), values).scalar()

    @activity.defn
    def open_order(self, order: Data) -> Data:
        number = order["order_id"]
        lines = [{"i": number, "s": line["sku"], "q": line["quantity"]} for line in order["lines"]]
        document = json.dumps(order)
        self.write(
            ("INSERT OR REPLACE INTO orders VALUES (:i, :s, :d)", _named(number, order["seller_id"], document)),
            ("INSERT OR REPLACE INTO lines VALUES (:i, :s, :q)", lines),
            _case_row(f"bare-order-{number}", {"stage": "received", "waiting_on": None}),
        )
        return {
            "auto_release": order["auto_release"],
            "payment_method": "pm_card_visa",
            "gateway_customer": f"cus_{order['seller_id']}",
        }

    @activity.defn
    def save_case(self, case: Data) -> Data:
        number = case["workflow_id"]
        steps = [{"i": number, "n": n, **step} for n, step in enumerate(case["steps"], start=case["first_step"])]
        insert = "INSERT OR REPLACE INTO steps VALUES (:i, :n, :at, :what, :actor)"
        statements: list[tuple[str, Data | list[Data]]] = [_case_row(number, case)]
        if steps:
            statements.append((insert, steps))
        if charge := case.get("charge"):
            charged = {"i": number, "r": charge["reference"], "a": charge["amount"]}
            statements.append(("INSERT OR REPLACE INTO charges VALUES (:i, :r, :a)", charged))
        if refund := case.get("refund_id"):
            booked = "INSERT OR REPLACE INTO ledger SELECT id, 'refunds', amount FROM refunds WHERE id = :i"
            statements.append(("UPDATE refunds SET state = 'succeeded' WHERE id = :i", {"i": refund}))
            statements.append((booked, {"i": refund}))
        self.write(*statements)
        return {"saved": True}

    @activity.defn
    def open_return(self, request: Data) -> Data:
        found = self.one("SELECT document FROM orders WHERE id = :i", i=request["order_id"])
        charge = self.one("SELECT reference FROM charges WHERE id = :i", i=f"bare-order-{request['order_id']}")
        order, number = json.loads(found), request["return_id"]
        self.write(
            (
                "INSERT OR REPLACE INTO returns VALUES (:i, :s, :d)",
                _named(number, request["order_id"], json.dumps(request)),
            ),
            _case_row(f"bare-return-{number}", {"stage": "requested", "waiting_on": None}),
        )
        return {
            "order_id": request["order_id"],
            "seller_id": order["seller_id"],
            "supplier_id": order["supplier_id"],
            "supplier_order_number": f"{request['order_id']}-1",
            "currency": "USD",
            "paid": order["payment"]["amount"],
            "cost": _money(_cost(order)),
            "payment_reference": order["payment"]["reference"],
            "charge_reference": charge,
        }

    @activity.defn
    def book_credit_memo(self, memo: Data) -> Data:
        values = {"n": memo["number"], "r": memo["return_id"], "a": memo["amount"]}
        self.write(("INSERT OR IGNORE INTO memos VALUES (:n, :r, :a)", values))
        return {"state": "booked", "return_id": memo["return_id"]}

    @activity.defn
    def reserve_refund(self, refund: Data) -> Data:
        already = self.one("SELECT sum(amount) FROM refunds WHERE order_id = :o", o=refund["order_id"])
        values = {"i": refund["refund_id"], "o": refund["order_id"], "a": refund["amount"]}
        self.write(("INSERT OR REPLACE INTO refunds VALUES (:i, :o, :a, 'reserved')", values))
        return {"state": "reserved", "already": str(already), **refund}


class _Partners:
    """Activities that call the partners."""

    def __init__(self, rows: _Rows) -> None:
        settings = settings_from_environment()
        sandbox = os.environ["BACKHAUL_BENCH_SANDBOX"]
        self._rows = rows
        self._smtp_port = settings.smtp_port
        self._gateway = httpx.AsyncClient(
            base_url=f"{sandbox}/stripe",
            headers={"Authorization": "Bearer sk_test_sandbox", "Stripe-Version": "2020-08-27"},
            timeout=20,
        )
        bearer = {"Authorization": "Bearer sandbox"}
        self._supplier = httpx.AsyncClient(base_url=f"{sandbox}/supplier", headers=bearer, timeout=20)
        self._shop = httpx.AsyncClient(base_url=f"{sandbox}/shop", headers=bearer, timeout=20)

    async def _pay(self, path: str, form: dict[str, str], key: str) -> Data:
        return _read(await self._gateway.post(path, data=form, headers={"Idempotency-Key": key}))

    @activity.defn
    async def authorize(self, order: Data) -> Data:
        form = {
            "amount": _cents(_money(_cost(order))),
            "currency": "usd",
            "payment_method": order["payment_method"],
            "capture_method": "manual",
            "confirm": "true",
            "off_session": "true",
            "customer": order["gateway_customer"],
            "metadata[order_id]": order["order_id"],
        }
        made = await self._pay("/v1/payment_intents", form, f"bare-{order['order_id']}")
        return {"reference": made["id"], "amount": _money(_cost(order)), "state": "authorized"}

    @activity.defn
    async def capture(self, ask: Data) -> Data:
        charge, number = ask["charge"], ask["order"]["order_id"]
        form = {"amount_to_capture": _cents(charge["amount"])}
        await self._pay(f"/v1/payment_intents/{charge['reference']}/capture", form, f"bare-{number}-capture")
        return {"state": "captured", "captured": charge["amount"]}

    @activity.defn
    async def send_refund(self, ask: Data) -> Data:
        form = {
            "payment_intent": ask["payment_reference"],
            "amount": _cents(ask["amount"]),
            "metadata[order_id]": ask["order_id"],
        }
        made = await self._pay("/v1/refunds", form, f"bare-{ask['refund_id']}")
        return {"id": made["id"], "state": made["status"], "amount": ask["amount"]}

    @activity.defn
    async def find_source(self, order: Data) -> Data:
        skus = [("sku", line["sku"]) for line in order["lines"]]
        offers = _read(await self._supplier.get("/v1/stock", params=skus))["offers"]
        chosen: Data = min(offers, key=lambda offer: abs(offer["longitude"] - -121.49))
        return chosen

    @activity.defn
    async def place(self, ask: Data) -> Data:
        order, source = ask["order"], ask["source"]
        body = {
            "supplier_id": source["supplier_id"],
            "warehouse_id": source["warehouse_id"],
            "ship_to": _without(order["buyer"]["address"], "latitude", "longitude"),
            "lines": [
                {"sku": line["sku"], "quantity": line["quantity"], "unit_cost": line["unit_cost"]}
                for line in order["lines"]
            ],
        }
        return _read(await self._supplier.put(f"/v1/orders/{order['order_id']}-1", json=body))

    @activity.defn
    async def announce(self, ask: Data) -> Data:
        order, shipment = ask["order"], ask["shipment"]
        path = f"/v1/sellers/{order['seller_id']}/orders/{order['order_id']}/shipments/{shipment['shipment_id']}"
        body = {
            "channel": "web_shop",
            "channel_order_id": None,
            "carrier": shipment["carrier"],
            "tracking_number": shipment["tracking_number"],
            "lines": shipment["lines"],
        }
        return _read(await self._shop.put(path, json=body))

    @activity.defn
    async def request_rma(self, ask: Data) -> Data:
        body = {
            "supplier_id": ask["supplier_id"],
            "supplier_order_number": ask["supplier_order_number"],
            "lines": [{"sku": x["sku"], "quantity": x["quantity"], "reason": x["reason"]} for x in ask["lines"]],
        }
        answer = _read(await self._supplier.put(f"/v1/rmas/{ask['return_id']}", json=body))
        return {"state": answer["state"], "rma_number": answer["rma_number"]}

    @activity.defn
    async def send_mail(self, mail: Data) -> Data:
        message = EmailMessage()
        message["From"], message["To"] = "returns@backhaul.example", f"{mail['to']}@people.example"
        message["Subject"] = f"{mail['template']}: {mail['case_id']}"
        letter = _LETTER.render(mail)
        message.set_content(letter)
        message.add_alternative(f"<html><body><pre>{letter}</pre></body></html>", subtype="html")
        await aiosmtplib.send(message, hostname="127.0.0.1", port=self._smtp_port)
        return {"state": "sent"}


def build(client: Client) -> Worker:
    """A worker for the bare workflows; its database is the one of BENCH_BARE_DATABASE."""
    rows = _Rows(_database(os.environ["BENCH_BARE_DATABASE"]))
    partners = _Partners(rows)
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[BareOrder, BareReturn, BareRefund],
        activities=[
            rows.open_order,
            rows.save_case,
            rows.open_return,
            rows.book_credit_memo,
            rows.reserve_refund,
            partners.authorize,
            partners.capture,
            partners.send_refund,
            partners.find_source,
            partners.place,
            partners.announce,
            partners.request_rma,
            partners.send_mail,
        ],
        activity_executor=ThreadPoolExecutor(20),
        max_cached_workflows=10_000,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )


def _named(i: str, s: str, d: str) -> Data:
    return {"i": i, "s": s, "d": d}


def _case_row(number: str, case: Data) -> tuple[str, Data]:
    values = {"i": number, "s": case["stage"], "w": case["waiting_on"], "d": json.dumps(case)}
    upsert = (
        "INSERT INTO cases VALUES (:i, :s, :w, :d) ON CONFLICT (id) DO UPDATE"
        " SET stage = excluded.stage, waiting_on = excluded.waiting_on, document = excluded.document"
    )
    return upsert, values


def _read(answer: httpx.Response) -> Data:
    answer.raise_for_status()
    data: Data = answer.json()
    return data


def _without(data: Data, *names: str) -> Data:
    return {name: value for name, value in data.items() if name not in names}


def _cost(order: Data) -> Decimal:
    return sum((Decimal(line["unit_cost"]) * line["quantity"] for line in _lines(order)), Decimal(0))


def _lines(order: Data) -> Iterable[Data]:
    lines: list[Data] = order["lines"]
    return lines


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _cents(amount: str) -> str:
    return str(int(Decimal(amount) * 100))
